//! What a person may do with a row of the outbox, held against the database: what is refused, and
//! what a receipt still proves.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use replyd::message::{DeliveryStatus, PhoneNumberId};
use replyd::store::{ClaimRequest, Done, NotDone, Repeat, RetryByHand, SendResult, Store};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::store::{ANA, BO, Database, NOW, WAIT, is_message, later, message, receipt};

const QUARTER: Duration = Duration::from_mins(15);

/// A held reply to Ana: its row, and the claim token it was sent with.
async fn held(database: &Database) -> (i64, String) {
    database.receive(vec![message(ANA, "w1", "a")]).await;
    let row = database.claim_message(NOW).await;
    let reason = "cut".to_owned();
    database.settle(&row, SendResult::Unknown { reason }).await;
    let freed = database.store.sweep(later(61), WAIT).await.unwrap();
    assert_eq!(freed.held, [(row.id, "cut".to_owned())]);
    (row.id, row.claim_token)
}

async fn retry(store: &Store, id: i64, repeat: Repeat, now: Timestamp) -> Result<Done, NotDone> {
    let asked = RetryByHand {
        ids: vec![id],
        repeat,
        give_up_after: QUARTER,
        now,
    };
    store.retry_by_hand(&asked).await.unwrap()[0].1
}

/// Writes to the file as no command of ours does.
async fn spoil(database: &Database, text: &'static str) {
    let file = database.folder.path().join("store.db");
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    sqlx::query(text).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_held_reply_is_claimed_again_with_a_new_fence_and_a_new_end() {
    let database = Database::new().await;
    let (id, claim_token) = held(&database).await;
    let now = later(3_600);

    let refused = retry(&database.store, id, Repeat::Refused, now).await;
    let done = retry(&database.store, id, Repeat::Accepted, now).await;
    let again = database.claim_message(now).await;

    assert_eq!(refused, Err(NotDone::MayArriveTwice));
    let expires_at = now + QUARTER;
    assert_eq!(done, Ok(Done::Queued { expires_at }));
    assert_eq!(
        (again.id, again.expires_at, again.attempt),
        (id, expires_at, 2)
    );
    assert_ne!(again.claim_token, claim_token);
}

#[tokio::test]
async fn a_receipt_that_comes_before_the_second_send_stops_it() {
    let database = Database::new().await;
    let (id, claim_token) = held(&database).await;
    retry(&database.store, id, Repeat::Accepted, later(100))
        .await
        .unwrap();

    let proof = receipt("ours", DeliveryStatus::Sent, Some(&claim_token));
    database.receive(vec![proof]).await;

    assert!(!database.claim(later(100)).await.iter().any(is_message));
    assert_eq!(database.fate().await.0.as_deref(), Some("accepted"));
}

#[tokio::test]
async fn nothing_is_sent_again_when_the_window_is_closed_and_the_end_is_never_behind_it() {
    let database = Database::new().await;
    let (id, _) = held(&database).await;
    let day = 24 * 3_600;

    let closed = retry(&database.store, id, Repeat::Accepted, later(day + 60)).await;
    let late = retry(&database.store, id, Repeat::Accepted, later(day - 600)).await;

    assert_eq!(closed, Err(NotDone::WindowClosed));
    let Ok(Done::Queued { expires_at }) = late else {
        panic!("{late:?}");
    };
    assert!(
        expires_at <= later(day) && expires_at > later(day - 600),
        "{expires_at}"
    );
}

#[tokio::test]
async fn whoever_opted_out_is_sent_nothing_by_hand_either() {
    let database = Database::new().await;
    let (id, _) = held(&database).await;
    spoil(&database, "UPDATE conversations SET opted_out_ms = 1").await;

    let retried = retry(&database.store, id, Repeat::Accepted, later(100)).await;

    assert_eq!(retried, Err(NotDone::OptedOut));
}

#[tokio::test]
async fn a_row_whose_lease_has_ended_may_be_decided_about_and_not_before() {
    let database = Database::new().await;
    database.receive(vec![message(ANA, "w1", "a")]).await;
    let row = database.claim_message(NOW).await;

    let early = retry(&database.store, row.id, Repeat::Accepted, later(59)).await;
    let asked_nobody = retry(&database.store, row.id, Repeat::Refused, later(60)).await;
    let done = database
        .store
        .drop_by_hand(&[row.id], later(60))
        .await
        .unwrap();
    let gone = database
        .store
        .drop_by_hand(&[row.id], later(60))
        .await
        .unwrap();

    assert_eq!(early, Err(NotDone::BeingSent));
    assert_eq!(asked_nobody, Err(NotDone::MayArriveTwice));
    assert_eq!(done, [(row.id, Ok(Done::Dropped))]);
    assert_eq!(gone, [(row.id, Err(NotDone::Gone))]);
    assert_eq!(database.fate().await.0.as_deref(), Some("dead"));
}

#[tokio::test]
async fn a_retried_row_goes_before_all_that_wait() {
    let database = Database::new().await;
    let (id, _) = held(&database).await;
    database
        .receive(vec![message(ANA, "w2", "b"), message(BO, "w3", "c")])
        .await;

    retry(&database.store, id, Repeat::Accepted, later(100))
        .await
        .unwrap();
    let claimed = database.claim(later(100)).await;

    let messages: Vec<i64> = claimed
        .iter()
        .filter(|row| is_message(row))
        .map(|row| row.id)
        .collect();
    assert_eq!(
        (messages.len(), messages[0]),
        (2, id),
        "one of each conversation"
    );
}

#[tokio::test]
async fn a_row_that_nobody_can_read_ends_and_holds_up_no_other() {
    let database = Database::new().await;
    database
        .receive(vec![message(ANA, "w1", "a"), message(BO, "w2", "b")])
        .await;
    spoil(
        &database,
        "UPDATE messages SET raw = '{}' WHERE direction = 'out' AND text = 'a'",
    )
    .await;
    let room = HashMap::from([(PhoneNumberId::parse("1065").unwrap(), 100)]);
    let request = ClaimRequest {
        now: NOW,
        lease: WAIT,
        room,
        limit: 100,
    };

    let claims = database.store.claim_outbox(request).await.unwrap();

    assert_eq!(claims.unusable.len(), 1);
    assert_eq!(claims.rows.iter().filter(|row| is_message(row)).count(), 1);
    assert_eq!(database.fate().await.0.as_deref(), Some("dead"));
}

#[tokio::test]
async fn a_reply_that_whatsapp_could_not_deliver_is_no_answer() {
    let database = Database::new().await;
    database.receive(vec![message(ANA, "w1", "a")]).await;
    let row = database.claim_message(NOW).await;
    let ours = replyd::message::Wamid::parse("ours");
    database.settle(&row, SendResult::Accepted(ours)).await;
    let waits = async || {
        let found = database.store.conversations(Some(ANA), 1).await.unwrap();
        found[0].unanswered_since.is_some()
    };
    assert!(!waits().await);

    let failed = receipt("ours", DeliveryStatus::Failed, None);
    database.receive(vec![failed]).await;

    assert!(waits().await);
}

#[tokio::test]
async fn a_file_that_meta_has_dropped_leaves_though_nobody_fetches_files() {
    let database = Database::new().await;
    database.receive(vec![message(ANA, "w1", "a")]).await;
    spoil(
        &database,
        "INSERT INTO media (message_id, media_id) SELECT id, 'm' FROM messages WHERE direction = 'in'; \
         INSERT INTO outbox (conversation_id, phone_number_id, kind, message_id, state, due_at_ms, expires_at_ms) \
         SELECT conversation_id, phone_number_id, 'download', id, 'queued', 0, 1 FROM messages WHERE direction = 'in'",
    )
    .await;

    database.store.sweep(NOW, WAIT).await.unwrap();

    let file = database.folder.path().join("store.db");
    let kept = "SELECT count(*) FROM media WHERE error IS NOT NULL AND NOT EXISTS \
                (SELECT 1 FROM outbox WHERE kind = 'download')";
    assert_eq!(crate::sqlite::number(&file, kept).await, 1);
}

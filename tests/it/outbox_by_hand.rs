//! Rows of the outbox that are retried or dropped by hand: refusals, and receipts that still prove
//! a send.

use jiff::Timestamp;
use replyd::message::{DeliveryStatus, PhoneNumberId, Recipient, WaId};
use replyd::store::{Done, NotDone, Repeat, RetryByHand, SendResult, Store};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::store::{Database, NOW, QUARTER, WAIT, claim_request, later, message, receipt};
use crate::support::{ANA, BO};

/// A held reply to Ana: its row, and the claim token it was sent with.
async fn held() -> (Database, i64, String) {
    let (database, row) = Database::with_claimed().await;
    let reason = "cut".to_owned();
    database.settle(&row, SendResult::Unknown { reason }).await;
    let swept = database.store.sweep(later(61), WAIT).await.unwrap();
    assert_eq!(swept.held, [(row.id, "cut".to_owned())]);
    (database, row.id, row.claim_token)
}

async fn retry(store: &Store, id: i64, repeat: Repeat, now: Timestamp) -> Result<Done, NotDone> {
    let request = RetryByHand {
        ids: vec![id],
        repeat,
        give_up_after: QUARTER,
        now,
    };
    store.retry_by_hand(&request).await.unwrap()[0].1
}

/// Changes the file in a way that no command does.
async fn change(database: &Database, text: &'static str) {
    let file = database.folder.path().join("store.db");
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    sqlx::query(text).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_held_reply_is_claimed_again_with_a_new_fence_and_a_new_end() {
    let (database, id, claim_token) = held().await;
    let now = later(3_600);

    let refused = retry(&database.store, id, Repeat::Refused, now).await;
    let done = retry(&database.store, id, Repeat::Accepted, now).await;
    let again = database.claim_message(now).await;

    assert_eq!(refused, Err(NotDone::MayArriveTwice));
    let expires_at = now + QUARTER;
    assert_eq!(done, Ok(Done::Queued { expires_at }));
    let claimed = (again.id, again.expires_at, again.attempt);
    assert_eq!(claimed, (id, expires_at, 2));
    assert_ne!(again.claim_token, claim_token);
}

#[tokio::test]
async fn a_receipt_that_comes_before_the_second_send_stops_it() {
    let (database, id, claim_token) = held().await;
    retry(&database.store, id, Repeat::Accepted, later(100))
        .await
        .unwrap();

    let proof = receipt("ours", DeliveryStatus::Sent, Some(&claim_token));
    database.receive(vec![proof]).await;

    assert!(database.claim(later(100)).await.is_empty());
    assert_eq!(database.outbox_state().await, "accepted");
}

#[tokio::test]
async fn nothing_is_sent_again_when_the_window_is_closed_and_the_end_is_never_behind_it() {
    let (database, id, _) = held().await;
    let day = 24 * 3_600;

    let closed = retry(&database.store, id, Repeat::Accepted, later(day + 60)).await;
    let late = retry(&database.store, id, Repeat::Accepted, later(day - 600)).await;

    assert_eq!(closed, Err(NotDone::WindowClosed));
    let Ok(Done::Queued { expires_at }) = late else {
        panic!("{late:?}");
    };
    let fits = expires_at <= later(day) && expires_at > later(day - 600);
    assert!(fits, "{expires_at}");
}

#[tokio::test]
async fn nothing_is_sent_again_after_a_refusal_until_the_contact_writes() {
    let (database, id, _) = held().await;
    let number = PhoneNumberId::parse("1065").unwrap();
    let ana = Recipient::Phone(WaId::parse(ANA).unwrap());
    let refused = database.store.close_window(&number, &ana, later(70));
    refused.await.unwrap();

    let closed = retry(&database.store, id, Repeat::Accepted, later(100)).await;
    database.receive(vec![message(ANA, "w2", "b")]).await;
    let open = retry(&database.store, id, Repeat::Accepted, later(100)).await;

    assert_eq!(closed, Err(NotDone::WindowClosed));
    assert!(open.is_ok(), "{open:?}");
}

#[tokio::test]
async fn a_contact_who_opted_out_is_sent_nothing_by_hand_either() {
    let (database, id, _) = held().await;
    change(&database, "UPDATE conversations SET opted_out_ms = 1").await;

    let retried = retry(&database.store, id, Repeat::Accepted, later(100)).await;

    assert_eq!(retried, Err(NotDone::OptedOut));
}

#[tokio::test]
async fn a_row_whose_lease_has_ended_may_be_decided_about_and_not_before() {
    let (database, row) = Database::with_claimed().await;

    let early = retry(&database.store, row.id, Repeat::Accepted, later(59)).await;
    let unconfirmed = retry(&database.store, row.id, Repeat::Refused, later(60)).await;
    let drop = async || database.store.drop_by_hand(&[row.id], later(60)).await;
    let (done, gone) = (drop().await.unwrap(), drop().await.unwrap());

    assert_eq!(early, Err(NotDone::BeingSent));
    assert_eq!(unconfirmed, Err(NotDone::MayArriveTwice));
    assert_eq!(done, [(row.id, Ok(Done::Dropped))]);
    assert_eq!(gone, [(row.id, Err(NotDone::Gone))]);
    assert_eq!(database.outbox_state().await, "dead");
}

#[tokio::test]
async fn a_retried_row_goes_before_all_that_wait() {
    let (database, id, _) = held().await;
    database
        .receive(vec![message(ANA, "w2", "b"), message(BO, "w3", "c")])
        .await;

    retry(&database.store, id, Repeat::Accepted, later(100))
        .await
        .unwrap();
    let claimed = database.claim(later(100)).await;

    assert_eq!(claimed.len(), 2, "one of each conversation");
    assert_eq!(claimed[0].id, id);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_ends_and_delays_no_other() {
    let database = Database::new().await;
    database
        .receive(vec![message(ANA, "w1", "a"), message(BO, "w2", "b")])
        .await;
    change(
        &database,
        "UPDATE messages SET raw = '{}' WHERE direction = 'out' AND text = 'a'",
    )
    .await;
    let claims = database.store.claim_outbox(claim_request(NOW, 100)).await;
    let claims = claims.unwrap();

    assert_eq!(claims.unusable.len(), 1);
    assert_eq!(claims.rows.len(), 1);
    assert_eq!(database.outbox_state().await, "dead");
}

#[tokio::test]
async fn a_reply_that_whatsapp_could_not_deliver_is_no_answer() {
    let (database, row) = Database::with_claimed().await;
    let ours = replyd::message::Wamid::parse("ours").unwrap();
    database.settle(&row, SendResult::Accepted(ours)).await;
    let waits = async || {
        let conversations = database.store.conversations(Some(ANA), 1).await;
        conversations.unwrap()[0].unanswered_since.is_some()
    };
    assert!(!waits().await);

    let failed = receipt("ours", DeliveryStatus::Failed, None);
    database.receive(vec![failed]).await;

    assert!(waits().await);
}

#[tokio::test]
async fn a_file_that_meta_has_dropped_leaves_the_outbox_without_a_download() {
    let database = Database::with_message().await;
    change(
        &database,
        "INSERT INTO media (message_id, media_id) SELECT id, 'm' FROM messages WHERE direction = 'in'; \
         INSERT INTO outbox (conversation_id, phone_number_id, kind, message_id, state, due_at_ms, expires_at_ms) \
         SELECT conversation_id, phone_number_id, 'download', id, 'queued', 0, 1 FROM messages WHERE direction = 'in'",
    )
    .await;

    database.store.sweep(NOW, WAIT).await.unwrap();

    let file = database.folder.path().join("store.db");
    let failed = "SELECT count(*) FROM media WHERE error IS NOT NULL AND NOT EXISTS \
                (SELECT 1 FROM outbox WHERE kind = 'download')";
    assert_eq!(crate::sqlite::number(&file, failed).await, 1);
}

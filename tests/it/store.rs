//! Units of work of [`Store`] on a real file, which every database behind it must pass.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use replyd::engine::{Decision, EngineEvent, Explanation, Reply, Turn};
use replyd::message::{
    Content, Conversation, DeliveryStatus, Event, Identity, Inbound, Outbound, PhoneNumberId,
    Profile, Receipt, RuleId, RulesVersion, UserId, WaId, Wamid,
};
use replyd::store::{
    Arrivals, ClaimRequest, Claimed, DueReadMarks, MediaPolicy, ReadMark, ReceivePolicy, Received,
    SendResult, Settlement, Store, StoreError, TranscriptMessage,
};
use tempfile::TempDir;

use crate::support::{ANA, BO};

pub(crate) const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const NUMBER: &str = "1065";
pub(crate) const LEASE: Duration = Duration::from_mins(1);
pub(crate) const QUARTER: Duration = Duration::from_mins(15);
pub(crate) const WAIT: Duration = Duration::from_mins(1);

pub(crate) struct Database {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(&folder)).await.unwrap();
        let version = RulesVersion::parse("v1").unwrap();
        store.record_rules(&version, "rules", NOW).await.unwrap();
        Self { folder, store }
    }

    /// A database with one message of Ana, which is answered.
    pub(crate) async fn with_message() -> Self {
        let database = Self::new().await;
        database.receive(vec![message(ANA, "w1", "a")]).await;
        database
    }

    /// The same, with the reply claimed.
    pub(crate) async fn with_claimed() -> (Self, Claimed) {
        let database = Self::with_message().await;
        let row = database.claim_message(NOW).await;
        (database, row)
    }

    pub(crate) async fn receive(&self, events: Vec<Event>) -> Received {
        receive(&self.store, events).await.unwrap()
    }

    pub(crate) async fn claim(&self, now: Timestamp) -> Vec<Claimed> {
        claim(&self.store, now).await
    }

    /// Claims all rows that are due and gives the first.
    pub(crate) async fn claim_message(&self, now: Timestamp) -> Claimed {
        self.claim(now).await.into_iter().next().unwrap()
    }

    /// Read marks to send, with replies of these conversations about to be sent.
    async fn due_read_marks(&self, answered: Vec<i64>, now: Timestamp) -> Vec<ReadMark> {
        let due = DueReadMarks {
            now,
            without_room: Vec::new(),
            on_their_way: Vec::new(),
            answered,
            limit: 100,
        };
        self.store.due_read_marks(due).await.unwrap()
    }

    async fn settle_read_marks(&self, marks: &[ReadMark]) {
        let arrivals = Arrivals {
            tried_marks: marks,
            ..Arrivals::default()
        };
        receive(&self.store, arrivals).await.unwrap();
    }

    pub(crate) async fn settle(&self, row: &Claimed, outcome: SendResult) -> u64 {
        let settlement = Settlement {
            report: None,
            id: row.id,
            claim_token: row.claim_token.clone(),
            phone_number_id: row.phone_number_id.clone(),
            outcome,
        };
        let arrivals = Arrivals {
            settlements: &[settlement],
            ..Arrivals::default()
        };
        receive(&self.store, arrivals)
            .await
            .unwrap()
            .settled
            .settled
    }

    /// State of the last message with Ana in the outbox.
    pub(crate) async fn outbox_state(&self) -> String {
        self.last_message().await.outbox_state.unwrap_or_default()
    }

    /// Delivery status of the last message with Ana.
    async fn delivery_status(&self) -> String {
        self.last_message()
            .await
            .delivery_status
            .unwrap_or_default()
    }

    async fn last_message(&self) -> TranscriptMessage {
        let conversations = self.store.conversations(Some(ANA), 1).await.unwrap();
        let messages = self.store.transcript(conversations[0].id, 10).await;
        messages.unwrap().pop().unwrap()
    }
}

/// Request for every row that is due, up to this many of the number.
pub(crate) fn claim_request(now: Timestamp, room: u32) -> ClaimRequest {
    ClaimRequest {
        now,
        lease: LEASE,
        room: HashMap::from([(PhoneNumberId::parse(NUMBER).unwrap(), room)]),
        limit: 100,
    }
}

/// A text of each of this many contacts.
fn texts_of(contacts: usize) -> Vec<Event> {
    let text = |n| message(&format!("1555{n:07}"), &format!("w{n}"), "x");
    (0..contacts).map(text).collect()
}

pub(crate) fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("store.db").display())
}

pub(crate) async fn receive(
    store: &Store,
    arrivals: impl Into<Arrivals<'_>>,
) -> Result<Received, StoreError> {
    let policy = ReceivePolicy {
        now: NOW,
        reply_expires_after: Duration::from_mins(15),
        files: MediaPolicy::Ignore,
    };
    store.receive(arrivals, policy, &decide).await
}

async fn claim(store: &Store, now: Timestamp) -> Vec<Claimed> {
    let claims = store.claim_outbox(claim_request(now, 100)).await;
    claims.unwrap().rows
}

/// Answers every text with itself; panics when asked to.
fn decide(before: &Conversation, incoming: EngineEvent<'_>, _: Timestamp) -> (Turn, RulesVersion) {
    let EngineEvent::Message(message) = incoming else {
        unreachable!("no test here sends an echo");
    };
    let body = message.content.typed_text().unwrap_or_default().to_owned();
    assert!(body != "panic", "on purpose");
    let replies = vec![Reply {
        rule: RuleId::parse("echo").unwrap(),
        content: Outbound::Text {
            body,
            preview_url: false,
        },
        quote: false,
        answers: Some(message.wamid.clone()),
        variant: None,
        instead: Vec::new(),
    }];
    let mut state = before.state.clone();
    state.replied_at.push(NOW);
    let turn = Turn {
        replies,
        mark_read: true,
        explanation: Explanation::default(),
        ..Turn::nothing(Decision::Answered, state, "")
    };
    (turn, RulesVersion::parse("v1").unwrap())
}

pub(crate) fn message(from: &str, wamid: &str, body: &str) -> Event {
    message_of(Identity::Phone(WaId::parse(from).unwrap()), wamid, body)
}

fn message_of(sender: Identity, wamid: &str, body: &str) -> Event {
    let text = Content::Text {
        body: body.to_owned(),
    };
    let number = PhoneNumberId::parse(NUMBER).unwrap();
    let message = Inbound::new(number, Wamid::parse(wamid).unwrap(), sender, NOW, text);
    let name = Some("Ana".to_owned());
    let profile = Profile {
        name,
        ..Profile::default()
    };
    Event::Message(Box::new(Inbound { profile, ..message }))
}

pub(crate) fn receipt(wamid: &str, status: DeliveryStatus, token: Option<&str>) -> Event {
    Event::Receipt(Box::new(Receipt {
        waba_id: None,
        phone_number_id: PhoneNumberId::parse(NUMBER).unwrap(),
        wamid: Wamid::parse(wamid).unwrap(),
        status: status.name().to_owned(),
        at: NOW,
        claim_token: token.map(str::to_owned),
        recipient: None,
        profile: Profile::default(),
        participant: None,
        pricing: None,
        conversation: None,
        errors: Vec::new(),
        failure: (status == DeliveryStatus::Failed)
            .then(|| replyd::whatsapp::error_codes::failure(&[])),
        raw: "{}".to_owned(),
    }))
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_batch_is_stored_decided_and_queued_at_once() {
    let database = Database::new().await;

    let received = database
        .receive(vec![
            message(ANA, "w1", "one"),
            message(BO, "w2", "two"),
            message(ANA, "w1", "again"),
        ])
        .await;

    assert_eq!((received.messages, received.duplicates), (2, 1));
    assert_eq!(received.queued, 4, "a reply and a read mark for each");
    assert_eq!(received.decisions, [Decision::Answered; 2]);
    let again = database.receive(vec![message(BO, "w2", "two")]).await;
    assert_eq!(again.duplicates, 1);
}

#[tokio::test]
async fn a_rule_that_panics_costs_only_its_own_message() {
    let database = Database::new().await;

    let batch = vec![
        message(ANA, "w1", "a"),
        message(ANA, "w2", "panic"),
        message(ANA, "w3", "b"),
    ];
    let received = database.receive(batch).await;

    let decided = [Decision::Answered, Decision::Failed, Decision::Answered];
    assert_eq!(received.decisions, decided);
}

#[tokio::test]
async fn one_contact_stays_one_when_the_user_id_becomes_known() {
    let database = Database::new().await;
    let (phone, user) = (WaId::parse(ANA).unwrap(), UserId::parse("US.1").unwrap());

    database.receive(vec![message(ANA, "w1", "a")]).await;
    let both = Identity::Both(phone, user.clone());
    database.receive(vec![message_of(both, "w2", "b")]).await;
    database
        .receive(vec![message_of(Identity::User(user), "w3", "c")])
        .await;

    let conversations = database.store.conversations(None, 10).await.unwrap();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[0].inbound_count, 3);
}

#[tokio::test]
async fn a_claim_takes_the_oldest_message_of_each_conversation() {
    let database = Database::new().await;
    let batch = vec![
        message(ANA, "w1", "1"),
        message(ANA, "w2", "2"),
        message(BO, "w3", "3"),
    ];
    database.receive(batch).await;

    let first = database.claim(NOW).await;
    let second = database.claim(NOW).await;

    assert_eq!(first.len(), 2);
    let why = "the rest waits behind what is being sent";
    assert!(second.is_empty(), "{why}");
}

#[tokio::test]
async fn of_many_claimers_each_row_goes_to_one() {
    let database = Database::new().await;
    database.receive(texts_of(50)).await;

    let claims = (0..8).map(|_| claim(&database.store, NOW));
    let claimed = futures_util::future::join_all(claims).await;

    let mut ids: Vec<i64> = claimed.into_iter().flatten().map(|row| row.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), count), (50, 50));
}

#[tokio::test]
async fn a_number_sends_no_more_than_it_has_room_for() {
    let database = Database::new().await;
    database.receive(texts_of(9)).await;

    let claims = database.store.claim_outbox(claim_request(NOW, 3)).await;
    let claimed = claims.unwrap().rows;

    assert_eq!(claimed.len(), 3);
}

#[tokio::test]
async fn the_newest_message_of_a_conversation_is_marked_alone_or_before_its_reply() {
    let database = Database::new().await;
    let batch = vec![
        message(ANA, "w1", "1"),
        message(BO, "w2", "2"),
        message(ANA, "w3", "3"),
    ];
    database.receive(batch).await;

    let alone = database.due_read_marks(Vec::new(), NOW).await;
    let claimed = database.claim(NOW).await;
    let behind = database.due_read_marks(Vec::new(), NOW).await;
    let answered = claimed.iter().map(|row| row.conversation_id).collect();
    let before = database.due_read_marks(answered, NOW).await;
    let late = database.due_read_marks(Vec::new(), later(900)).await;

    let mut wamids: Vec<&str> = alone.iter().map(|mark| mark.wamid.as_str()).collect();
    wamids.sort_unstable();
    assert_eq!(wamids, ["w2", "w3"]);
    assert_eq!(behind, [], "it would come after its reply");
    assert_eq!(before, alone);
    assert_eq!(late, [], "its time is over");
}

#[tokio::test]
async fn a_read_mark_leaves_when_it_was_tried_or_expires_unless_a_newer_one_came() {
    let database = Database::with_message().await;

    let older = database.due_read_marks(Vec::new(), NOW).await;
    database.receive(vec![message(ANA, "w2", "b")]).await;
    database.settle_read_marks(&older).await;
    let newer = database.due_read_marks(Vec::new(), NOW).await;
    database.settle_read_marks(&newer).await;
    let tried = database.due_read_marks(Vec::new(), NOW).await;
    database.receive(vec![message(ANA, "w3", "c")]).await;
    database.store.sweep(later(899), WAIT).await.unwrap();
    let waits = database.due_read_marks(Vec::new(), NOW).await;
    database.store.sweep(later(900), WAIT).await.unwrap();
    let expired = database.due_read_marks(Vec::new(), NOW).await;

    let lengths = [&older, &newer, &tried, &waits, &expired].map(Vec::len);
    assert_eq!(lengths, [1, 1, 0, 1, 0]);
    assert_eq!(newer[0].wamid.as_str(), "w2");
}

#[tokio::test]
async fn of_conversations_that_become_one_the_newest_message_is_marked() {
    let database = Database::new().await;
    let (phone, user) = (WaId::parse(ANA).unwrap(), UserId::parse("US.1").unwrap());
    let by_user = message_of(Identity::User(user.clone()), "w2", "b");
    database
        .receive(vec![message(ANA, "w1", "a"), by_user])
        .await;
    assert_eq!(database.due_read_marks(Vec::new(), NOW).await.len(), 2);

    let both = Identity::Both(phone, user);
    database.receive(vec![message_of(both, "w3", "c")]).await;

    let marks = database.due_read_marks(Vec::new(), NOW).await;
    let wamids: Vec<&str> = marks.iter().map(|mark| mark.wamid.as_str()).collect();
    assert_eq!(wamids, ["w3"]);
}

#[tokio::test]
async fn a_read_mark_waits_while_its_number_has_no_room_or_it_is_on_its_way() {
    let database = Database::with_message().await;
    let number = PhoneNumberId::parse(NUMBER).unwrap();
    let conversation = database.due_read_marks(Vec::new(), NOW).await[0].conversation_id;

    for (without_room, on_their_way) in [(vec![number], vec![]), (vec![], vec![conversation])] {
        let due = DueReadMarks {
            now: NOW,
            without_room,
            on_their_way,
            answered: Vec::new(),
            limit: 100,
        };
        assert_eq!(database.store.due_read_marks(due).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_settlement_with_a_stale_fence_changes_nothing() {
    let (database, row) = Database::with_claimed().await;
    let stale = Claimed {
        claim_token: "another".to_owned(),
        ..row.clone()
    };

    let accepted = || SendResult::Accepted(Wamid::parse("ours").unwrap());
    assert_eq!(database.settle(&stale, accepted()).await, 0);
    assert_eq!(database.outbox_state().await, "queued");
    assert_eq!(database.settle(&row, accepted()).await, 1);
    assert_eq!(database.settle(&row, accepted()).await, 0, "only once");
    assert_eq!(database.outbox_state().await, "accepted");
}

#[tokio::test]
async fn a_row_whose_sender_is_gone_becomes_unknown_then_held_and_is_never_claimed_again() {
    let database = Database::new().await;
    database
        .receive(vec![message(ANA, "w1", "a"), message(ANA, "w2", "b")])
        .await;
    let first = database.claim(NOW).await;

    database.store.sweep(later(59), WAIT).await.unwrap();
    let early = database.claim(later(59)).await;
    assert!(early.is_empty(), "the lease still holds");
    let freed = database.store.sweep(later(60), WAIT).await.unwrap();
    assert_eq!(freed.unknown.len(), 1);
    let early = database.claim(later(60)).await;
    assert!(early.is_empty(), "the next message waits");
    let held = database.store.sweep(later(121), WAIT).await.unwrap();
    assert_eq!(held.held.len(), 1);
    let next = database.claim(later(121)).await;

    assert_eq!(next.len(), 1);
    assert!(first.iter().all(|row| row.id != next[0].id));
}

#[tokio::test]
async fn a_start_takes_what_the_last_process_was_sending_for_unknown_at_once() {
    let database = Database::with_message().await;
    database.claim(NOW).await;
    let Database { folder, store } = database;
    store.close().await;
    drop(store);

    let store = Store::open(&url(&folder)).await.unwrap();
    let freed = store.sweep(later(1), WAIT).await.unwrap();

    assert_eq!(freed.unknown.len(), 1);
}

#[tokio::test]
async fn a_receipt_with_the_tag_proves_a_send_of_unknown_fate() {
    let (database, row) = Database::with_claimed().await;
    let reason = "cut".to_owned();
    database.settle(&row, SendResult::Unknown { reason }).await;
    assert_eq!(database.outbox_state().await, "unknown");

    let proof = receipt("ours", DeliveryStatus::Sent, Some(&row.claim_token));
    database.receive(vec![proof]).await;

    assert_eq!(database.outbox_state().await, "accepted");
    assert_eq!(database.delivery_status().await, "sent");
}

#[tokio::test]
async fn a_receipt_that_comes_before_the_answer_is_joined_when_the_answer_comes() {
    let (database, row) = Database::with_claimed().await;

    database
        .receive(vec![receipt("ours", DeliveryStatus::Delivered, None)])
        .await;
    database
        .settle(&row, SendResult::Accepted(Wamid::parse("ours").unwrap()))
        .await;

    assert_eq!(database.delivery_status().await, "delivered");
}

#[tokio::test]
async fn a_reply_that_waited_too_long_expires_and_lets_the_next_one_go() {
    let database = Database::with_message().await;

    let freed = database.store.sweep(later(900), WAIT).await.unwrap();

    assert_eq!(freed.expired.len(), 1);
    assert_eq!(database.outbox_state().await, "expired");
    assert_eq!(database.store.count_unsent().await.unwrap(), 0);
}

#[tokio::test]
async fn a_released_row_is_as_if_never_claimed() {
    let (database, row) = Database::with_claimed().await;

    database.settle(&row, SendResult::Released).await;
    let again = database.claim_message(NOW).await;

    assert_eq!((again.id, again.attempt), (row.id, 1));
    assert_ne!(again.claim_token, row.claim_token);
}

#[tokio::test]
async fn a_retry_waits_for_its_time() {
    let (database, row) = Database::with_claimed().await;

    let retry = SendResult::Retry {
        at: later(5),
        reason: "busy".into(),
    };
    database.settle(&row, retry).await;

    assert_eq!(database.store.next_due(NOW).await.unwrap(), Some(later(5)));
    assert!(database.claim(later(4)).await.is_empty());
    let again = database.claim_message(later(5)).await;
    assert_eq!(again.attempt, 2);
}

#[tokio::test]
async fn a_second_store_on_the_same_file_is_refused() {
    let database = Database::new().await;

    let second = Store::open(&url(&database.folder)).await;

    let is_locked = matches!(second, Err(StoreError::Locked { owner: Some(_), .. }));
    assert!(is_locked, "{second:?}");
}

#[tokio::test]
async fn an_update_that_is_not_understood_is_kept_byte_for_byte_and_once() {
    let database = Database::new().await;
    let unreadable = || {
        Event::Unreadable(replyd::message::Unreadable {
            phone_number_id: None,
            reason: "no id".to_owned(),
            raw: vec![0, 255, b'{', 10],
        })
    };

    database.receive(vec![unreadable(), unreadable()]).await;
    database.receive(vec![unreadable()]).await;

    let file = database.folder.path().join("store.db");
    let query = "SELECT sum(iif(raw = x'00ff7b0a', 1, 100)) FROM quarantine";
    assert_eq!(crate::sqlite::number(&file, query).await, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn receipts_in_any_order_and_number_end_at_the_furthest(
        steps in proptest::collection::vec(0..DeliveryStatus::ALL.len(), 1..7),
        answer_after in 0..7usize,
    ) {
        let furthest = DeliveryStatus::ALL[*steps.iter().max().unwrap()].0;
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let status = runtime.block_on(async {
            let (database, row) = Database::with_claimed().await;
            for (index, step) in steps.iter().enumerate() {
                if index == answer_after {
                    database.settle(&row, SendResult::Accepted(Wamid::parse("ours").unwrap())).await;
                }
                database.receive(vec![receipt("ours", DeliveryStatus::ALL[*step].1, None)]).await;
            }
            database.settle(&row, SendResult::Accepted(Wamid::parse("ours").unwrap())).await;
            database.delivery_status().await
        });
        prop_assert_eq!(status, furthest);
    }
}

//! Phones and user ids in any order and combination: no batch is ever refused, and no message is
//! lost.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use replyd::engine::{Decision, EngineEvent, Turn};
use replyd::message::{Conversation, RulesVersion};
use replyd::sandbox::webhooks;
use replyd::store::{MediaPolicy, ReceivePolicy, Store};
use replyd::whatsapp::inbound;
use serde_json::{Value, json};

use crate::sqlite;

const NOW: Timestamp = Timestamp::constant(1_767_000_060, 0);

/// Ids in one update: a phone and a user id out of few, or the ids they changed into.
#[derive(Clone, Debug)]
enum Update {
    Message(Option<u8>, Option<u8>),
    Change((Option<u8>, Option<u8>), (Option<u8>, Option<u8>)),
    Receipt(u8, u8),
    Echo(u8),
}

fn ids() -> impl Strategy<Value = (Option<u8>, Option<u8>)> {
    (proptest::option::of(0..4_u8), proptest::option::of(0..4_u8))
        .prop_filter("one of them is there", |(phone, user)| {
            phone.is_some() || user.is_some()
        })
}

fn update() -> impl Strategy<Value = Update> {
    prop_oneof![
        4 => ids().prop_map(|(phone, user)| Update::Message(phone, user)),
        2 => (ids(), ids()).prop_map(|(before, now)| Update::Change(before, now)),
        3 => (0..4_u8, 0..4_u8).prop_map(|(phone, user)| Update::Receipt(phone, user)),
        1 => (0..4_u8).prop_map(Update::Echo),
    ]
}

fn phone(id: u8) -> String {
    format!("1555000000{id}")
}

fn user(id: u8) -> String {
    format!("BR.{id}")
}

/// One body for a batch; each update has an id of its own.
fn body(batch: &[Update], number: usize) -> String {
    let (mut messages, mut statuses, mut echoes) = (Vec::new(), Vec::new(), Vec::new());
    for (index, part) in batch.iter().enumerate() {
        let mut update =
            json!({ "id": format!("wamid.{number}.{index}"), "timestamp": "1767000000" });
        match part {
            Update::Message(from, id) => {
                update["type"] = json!("text");
                update["text"] = json!({ "body": "hi" });
                update["from"] = json!(from.map(phone));
                update["from_user_id"] = json!(id.map(user));
                messages.push(update);
            }
            Update::Change((old_phone, old_user), (new_phone, new_user)) => {
                update["type"] = json!("system");
                update["from"] = json!(old_phone.map(phone));
                update["system"] = json!({ "type": "user_changed_number",
                    "previous_user_id": old_user.map(user),
                    "wa_id": new_phone.map(phone), "user_id": new_user.map(user) });
                messages.push(update);
            }
            Update::Receipt(to, id) => {
                update["status"] = json!("sent");
                update["recipient_id"] = json!(phone(*to));
                update["recipient_user_id"] = json!(user(*id));
                statuses.push(update);
            }
            Update::Echo(to) => {
                update["type"] = json!("text");
                update["text"] = json!({ "body": "from the app" });
                update["to"] = json!(phone(*to));
                echoes.push(update);
            }
        }
    }
    let change = |field: &str, parts: Value| json!({ "field": field, "value": webhooks::messages_value("1065", parts) });
    let parts = json!({ "messages": messages, "statuses": statuses });
    let messages = change("messages", parts);
    let echoes = change("smb_message_echoes", json!({ "message_echoes": echoes }));
    json!({ "entry": [{ "changes": [messages, echoes] }] }).to_string()
}

fn quiet(before: &Conversation, _: EngineEvent<'_>, _: Timestamp) -> (Turn, RulesVersion) {
    let turn = Turn::nothing(Decision::NoMatch, before.state.clone(), "");
    (turn, RulesVersion::parse("v1").unwrap())
}

/// Stores the batches; gives the numbers of messages and echoes that came and that are stored, each
/// in a conversation.
async fn receive(batches: &[Vec<Update>]) -> (i64, i64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.db");
    let url = format!("sqlite:{}", file.display());
    let store = Store::open(&url).await.unwrap();
    let version = RulesVersion::parse("v1").unwrap();
    store.record_rules(&version, "rules", NOW).await.unwrap();
    let policy = ReceivePolicy {
        now: NOW,
        reply_expires_after: Duration::from_mins(15),
        files: MediaPolicy::Ignore,
    };
    let mut received_count = 0;
    for (number, batch) in batches.iter().enumerate() {
        let events = inbound::read(body(batch, number).as_bytes(), NOW);
        let received = store.receive(events, policy, &quiet).await.unwrap();
        received_count += received.messages + received.echoes;
    }
    store.close().await;
    let query = "SELECT count(*) FROM messages JOIN conversations ON conversations.id = conversation_id \
        JOIN conversation_contacts USING (conversation_id) WHERE coalesce(wa_id, user_id) IS NOT NULL";
    let stored_count = sqlite::number(&file, query).await;
    (i64::try_from(received_count).unwrap(), stored_count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_combination_of_ids_stops_a_batch_or_loses_a_message(
        batches in proptest::collection::vec(proptest::collection::vec(update(), 1..6), 1..6),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (received, stored) = runtime.block_on(receive(&batches));
        prop_assert_eq!(received, stored);
    }
}

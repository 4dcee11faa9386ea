//! One person with several user ids and several spellings of the phone number: through random
//! updates, and as an owner sees it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use replyd::message::{PhoneNumberId, Recipient, RulesVersion, WaId};
use replyd::rules::CompileInput;
use replyd::sandbox::webhooks;
use replyd::store::{MediaPolicy, ReceivePolicy, Store};
use replyd::whatsapp::inbound;
use serde_json::{Value, json};

use crate::support::{NUMBERS, TestApp, assert_contains, bodies};

/// Ends with a stop, and answers everything else.
const RULES: &str = "version = 1\n[opt_out]\nwords = \"stop\"\nreply = \"Bye.\"\n[[rule]]\nid = \"all\"\nreply = \"Hello\"\n";
const NUMBER_LINES: &str = "[[number]]\nphone_number_id = \"106540000000001\"\n[[number]]\nphone_number_id = \"106540000000002\"\n[[number]]\nphone_number_id = \"106540000000003\"\n";
const NOW: Timestamp = Timestamp::constant(1_767_000_060, 0);

/// One body with parts of a value of a number, under an account.
fn under(account: &str, number: &str, parts: Value) -> Value {
    let value = webhooks::messages_value(number, parts);
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": account, "changes": [{ "field": "messages", "value": value }] }],
    })
}

/// A text that came just now to a number under an account.
fn text(
    account: &str,
    number: &str,
    (phone, user): (&str, &str),
    wamid: &str,
    body: &str,
) -> String {
    let mut message = bodies::text(phone, wamid, body);
    if !user.is_empty() {
        message["from_user_id"] = json!(user);
    }
    under(account, number, json!({ "messages": [message] })).to_string()
}

async fn service() -> TestApp {
    let app = TestApp::builder().rules(RULES).config(NUMBER_LINES);
    app.start().await
}

#[tokio::test]
async fn opt_out_and_window_hold_for_each_number_whatever_user_id_its_account_sees() {
    let app = service().await;
    let phone = "4915551112222";
    let person = |user| (phone, user);
    app.accept(&text(
        "70",
        NUMBERS[2],
        person("DE.333"),
        "wamid.C",
        "hello",
    ))
    .await;
    app.accept(&text("60", NUMBERS[1], person("DE.222"), "wamid.B", "stop"))
        .await;
    app.accept(&text(
        "50",
        NUMBERS[0],
        person("DE.111"),
        "wamid.A",
        "hello",
    ))
    .await;
    app.drained().await;

    let template = format!(
        "send +{phone} --template news --language en --number {}",
        NUMBERS[1]
    );
    let refused = app.replyd(&template).await.refused();
    let by_id = template.replace(&format!("+{phone}"), "DE.111");
    let refused_by_id = app.replyd(&by_id).await.refused();
    let free = format!("send +{phone} 'still here' --number {}", NUMBERS[2]);
    app.replyd(&free).await.done();

    assert_contains(&refused, "the contact has opted out of all messages");
    assert_contains(&refused_by_id, "the contact has opted out of all messages");
    assert_eq!(app.number("SELECT count(*) FROM contacts").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM contact_user_ids").await, 3);
    assert_eq!(app.number("SELECT count(*) FROM conversations").await, 3);
}

#[tokio::test]
async fn a_contact_without_a_phone_is_answered_by_the_id_of_the_number_s_account() {
    let app = service().await;
    let phone = "4915551112222";
    app.accept(&text(
        "50",
        NUMBERS[0],
        (phone, "DE.111"),
        "wamid.1",
        "hello",
    ))
    .await;
    app.accept(&text(
        "60",
        NUMBERS[1],
        (phone, "DE.222"),
        "wamid.2",
        "hello",
    ))
    .await;
    app.drained().await;
    // Somebody else has the phone number now.
    app.accept(&text(
        "50",
        NUMBERS[0],
        (phone, "DE.999"),
        "wamid.3",
        "hello",
    ))
    .await;
    app.accept(&text("60", NUMBERS[1], ("", "DE.222"), "wamid.4", "hello"))
        .await;
    app.accept(&text("50", NUMBERS[0], ("", "DE.111"), "wamid.5", "hello"))
        .await;
    app.drained().await;

    let line = format!("send DE.111 'by hand' --number {}", NUMBERS[1]);
    app.replyd(&line).await.done();

    let sent = app.accepted();
    let to: Vec<&str> = sent
        .iter()
        .filter_map(|body| body["recipient"].as_str())
        .collect();
    assert_eq!(to, ["DE.222", "DE.111", "DE.222"]);
    assert_eq!(app.number("SELECT count(*) FROM contacts").await, 2);
}

#[tokio::test]
async fn both_spellings_of_a_number_are_one_person() {
    let app = service().await;
    for (index, (written, dialled)) in [
        ("558299448232", "+5582999448232"),
        ("5511987654321", "+551187654321"),
        ("5215512345678", "'+52 55 1234 5678'"),
        ("541123456789", "'+54 9 11 2345-6789'"),
    ]
    .into_iter()
    .enumerate()
    {
        let wamid = format!("wamid.{index}");
        app.accept(&text("50", NUMBERS[0], (written, ""), &wamid, "stop"))
            .await;
        app.drained().await;

        let line = format!("send {dialled} Hello --number {}", NUMBERS[0]);
        let refused = app.replyd(&line).await.refused();
        let history = app.replyd(&format!("history {dialled}")).await.done();

        assert_contains(&refused, "the contact has opted out of all messages");
        assert_contains(&history, "stop");
    }
    assert_eq!(app.number("SELECT count(*) FROM contacts").await, 4);
}

#[tokio::test]
async fn a_message_in_the_other_spelling_comes_from_the_same_person() {
    let app = service().await;
    for (wamid, phone) in [("wamid.1", "5582999448232"), ("wamid.2", "558299448232")] {
        app.accept(&text("50", NUMBERS[0], (phone, ""), wamid, "hello"))
            .await;
        app.drained().await;
    }

    let sent = app.accepted();
    let to: Vec<&str> = sent.iter().filter_map(|body| body["to"].as_str()).collect();
    assert_eq!(to, ["+5582999448232", "+558299448232"]);
    assert_eq!(app.number("SELECT count(*) FROM conversations").await, 1);
}

/// Two spellings that no rule of a country connects.
const DIALLED: &str = "15550000009";
const WRITTEN: &str = "15550000010";

#[tokio::test]
async fn the_id_in_the_answer_to_a_send_by_hand_is_the_true_one() {
    let app = service().await;
    app.sandbox.write_number(DIALLED, WRITTEN);
    app.accept(&text(
        "50",
        NUMBERS[0],
        (WRITTEN, "US.1"),
        "wamid.1",
        "stop",
    ))
    .await;
    app.drained().await;
    let line = format!(
        "send +{DIALLED} --template order_update --language en_US --value Ana --value 4711 --number {}",
        NUMBERS[0]
    );

    app.replyd(&line).await.done();
    let refused = app.replyd(&line).await.refused();

    assert_contains(&refused, "the contact has opted out of all messages");
    for phone in [DIALLED, WRITTEN] {
        let history = app.replyd(&format!("history {phone}")).await.done();
        assert_contains(&history, "stop");
        assert_contains(&history, "order_update");
    }
    assert_eq!(app.number("SELECT count(*) FROM contacts").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM conversations").await, 1);
}

#[tokio::test]
async fn the_id_in_the_answer_to_a_reply_is_the_true_one() {
    let app = service().await;
    app.sandbox.write_number(DIALLED, WRITTEN);
    app.accept(&text("50", NUMBERS[0], (DIALLED, ""), "wamid.1", "hello"))
        .await;
    app.drained().await;
    app.accept(&text("50", NUMBERS[0], (WRITTEN, ""), "wamid.2", "hello"))
        .await;
    app.drained().await;

    assert_eq!(app.sandbox.look(|state| state.replies(WRITTEN).len()), 2);
    assert_eq!(app.number("SELECT count(*) FROM contacts").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM contact_phones").await, 2);
}

#[tokio::test]
async fn two_contacts_that_an_answer_shows_to_be_one_are_merged_and_stay_opted_out() {
    let app = service().await;
    app.accept(&text("50", NUMBERS[0], (WRITTEN, ""), "wamid.1", "stop"))
        .await;
    app.drained().await;
    app.sandbox.write_number(DIALLED, WRITTEN);
    app.accept(&text("50", NUMBERS[0], (DIALLED, ""), "wamid.2", "hello"))
        .await;
    app.drained().await;

    for phone in [DIALLED, WRITTEN] {
        let line = format!("send +{phone} hello --number {}", NUMBERS[0]);
        let refused = app.replyd(&line).await.refused();
        assert_contains(&refused, "the contact has opted out of all messages");
    }
    assert_eq!(app.number("SELECT count(*) FROM contacts").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM conversations").await, 1);
}

/// An update about one of a few persons, each with one phone and one user id in each account.
#[derive(Clone, Copy, Debug)]
enum Update {
    Message { by: Ids, stop: bool },
    Receipt,
}

/// The ids that an update names.
#[derive(Clone, Copy, Debug)]
enum Ids {
    Phone,
    User,
    Both,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    person: usize,
    account: usize,
    is_other_spelling: bool,
    update: Update,
}

const PHONES: [[&str; 2]; 4] = [
    ["5582999448232", "558299448232"],
    ["5215512345678", "525512345678"],
    ["5491123456789", "541123456789"],
    ["4915551112222", "4915551112222"],
];

fn step() -> impl Strategy<Value = Step> {
    let by = prop_oneof![Just(Ids::Phone), Just(Ids::User), Just(Ids::Both)];
    let message = (by, proptest::bool::weighted(0.2));
    let message = message.prop_map(|(by, stop)| Update::Message { by, stop });
    let update = prop_oneof![4 => message, 1 => Just(Update::Receipt)];
    let step = (0..PHONES.len(), 0..3_usize, any::<bool>(), update);
    step.prop_map(|(person, account, is_other_spelling, update)| Step {
        person,
        account,
        is_other_spelling,
        update,
    })
}

/// One body with updates, each in an entry of its account.
fn body(batch: &[Step], number: usize) -> String {
    let entry = |(index, step): (usize, &Step)| {
        let phone = PHONES[step.person][usize::from(step.is_other_spelling)];
        let user = format!("DE.{}{}", step.person, step.account);
        let mut update =
            json!({ "id": format!("wamid.{number}.{index}"), "timestamp": "1767000000" });
        let parts = match step.update {
            Update::Message { by, stop } => {
                update["type"] = json!("text");
                update["text"] = json!({ "body": if stop { "stop" } else { "hi" } });
                if !matches!(by, Ids::User) {
                    update["from"] = json!(phone);
                }
                if !matches!(by, Ids::Phone) {
                    update["from_user_id"] = json!(user);
                }
                json!({ "messages": [update] })
            }
            Update::Receipt => {
                update["status"] = json!("sent");
                update["recipient_id"] = json!(phone);
                update["recipient_user_id"] = json!(user);
                json!({ "statuses": [update] })
            }
        };
        let account = format!("{}0", step.account + 5);
        under(&account, NUMBERS[step.account], parts)["entry"][0].clone()
    };
    let entries: Vec<Value> = batch.iter().enumerate().map(entry).collect();
    json!({ "entry": entries }).to_string()
}

/// Stores the batches, and in the end a message of each person to each number with both ids; checks
/// that each person is one contact, and what was said to a number holds for it.
async fn check(batches: &[Vec<Step>]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.db");
    let store = Store::open(&format!("sqlite:{}", file.display()))
        .await
        .unwrap();
    let source = replyd::diagnostics::sources::SourceMap::new("rules.toml", RULES);
    let rules = replyd::rules::compile(&source, CompileInput::default())
        .unwrap()
        .rules;
    store
        .record_rules(&rules.version, RULES, NOW)
        .await
        .unwrap();
    let engine = replyd::engine::Engine::new(rules);
    let decide = move |before: &_, incoming: replyd::engine::EngineEvent<'_>, now| {
        let version: RulesVersion = engine.rules().version.clone();
        let turn = engine.decide(before, incoming, now, replyd::engine::Trace::Matched);
        (turn, version)
    };
    let policy = ReceivePolicy {
        now: NOW,
        reply_expires_after: Duration::from_mins(15),
        files: MediaPolicy::Ignore,
    };
    let by = Ids::Both;
    let last: Vec<Step> = (0..PHONES.len() * 3)
        .map(|index| Step {
            person: index / 3,
            account: index % 3,
            is_other_spelling: false,
            update: Update::Message { by, stop: false },
        })
        .collect();
    let mut stopped: BTreeMap<(usize, usize), bool> = BTreeMap::new();
    for (number, batch) in batches.iter().chain([&last]).enumerate() {
        let events = inbound::read(body(batch, number).as_bytes(), NOW);
        store.receive(events, policy, &decide).await.unwrap();
        for step in batch {
            if let Update::Message { stop, .. } = step.update {
                *stopped.entry((step.person, step.account)).or_default() |= stop;
            }
        }
    }
    for ((person, account), stopped) in stopped {
        let number = PhoneNumberId::parse(NUMBERS[account]).unwrap();
        for phone in PHONES[person] {
            let recipient = Recipient::Phone(WaId::parse(phone).unwrap());
            let eligibility = store.send_eligibility(&number, &recipient).await.unwrap();
            let eligibility = eligibility.expect("the contact is known");
            assert_eq!(eligibility.opted_out, stopped, "{person} and {account}");
            assert!(eligibility.last_inbound.is_some(), "the window is open");
            let user = eligibility.user_id.as_ref().map(AsRef::as_ref);
            assert_eq!(user, Some(format!("DE.{person}{account}").as_str()));
        }
    }
    store.close().await;
    let contacts = crate::sqlite::number(&file, "SELECT count(*) FROM contacts").await;
    assert_eq!(contacts, i64::try_from(PHONES.len()).unwrap());
    let conversations = crate::sqlite::number(&file, "SELECT count(*) FROM conversations").await;
    assert_eq!(conversations, i64::try_from(last.len()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn one_person_with_one_phone_stays_one_contact(
        batches in proptest::collection::vec(proptest::collection::vec(step(), 1..6), 1..6),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(check(&batches));
    }
}

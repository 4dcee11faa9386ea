//! One person with several user ids and several spellings of the phone number: as an owner sees it,
//! and as the store does.

mod random_updates;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use replyd::message::{
    Identity, Outbound, PhoneNumberId, Recipient, RulesVersion, UserId, WaId, Wamid,
};
use replyd::rules::CompileInput;
use replyd::sandbox::{Fault, webhooks};
use replyd::store::{MediaPolicy, ReceivePolicy, SendEligibility, Sent, Store};
use replyd::whatsapp::inbound;
use serde_json::{Value, json};

use crate::support::{ANA, BO, NUMBERS, TestApp, assert_contains, bodies};

/// Ends with a stop, and answers everything else.
const RULES: &str = "version = 1\n[opt_out]\nwords = \"stop\"\nreply = \"Bye.\"\nscope = \"number\"\n[[rule]]\nid = \"all\"\nreply = \"Hello\"\n";
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

/// Texts of one contact to several numbers, in one body each.
async fn write(app: &TestApp, texts: &[(usize, &str, &str)]) {
    let entries = texts.iter().map(|(account, wamid, words)| {
        let number = NUMBERS[*account];
        let body = text(
            &format!("{account}0"),
            number,
            ("4915551112222", "DE.1"),
            wamid,
            words,
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        body["entry"][0].clone()
    });
    let entries: Vec<Value> = entries.collect();
    let body = json!({ "object": "whatsapp_business_account", "entry": entries });
    app.accept(&body.to_string()).await;
    app.drained().await;
}

#[tokio::test]
async fn an_opt_out_holds_for_all_numbers_until_an_opt_in_at_any_of_them() {
    let rules = RULES.replace(
        "scope = \"number\"\n",
        "[opt_in]\nwords = \"start\"\nreply = \"Back.\"\n",
    );
    let app = TestApp::builder().rules(&rules).config(NUMBER_LINES);
    let app = app.start().await;
    let decisions = async || {
        let query = "SELECT decision FROM messages WHERE direction = 'in' ORDER BY id";
        crate::sqlite::texts(&app.database(), query).await.join(" ")
    };

    write(&app, &[(0, "wamid.1", "hello")]).await;
    write(
        &app,
        &[
            (1, "wamid.2", "hello"),
            (1, "wamid.3", "stop"),
            (0, "wamid.4", "hello"),
        ],
    )
    .await;
    write(&app, &[(0, "wamid.5", "hello"), (2, "wamid.6", "hello")]).await;
    let refused = app
        .replyd(&format!("send +4915551112222 hi --number {}", NUMBERS[0]))
        .await
        .refused();
    let silent = decisions().await;
    write(&app, &[(2, "wamid.7", "start")]).await;
    write(&app, &[(0, "wamid.8", "hello"), (1, "wamid.9", "hello")]).await;
    let after = decisions().await;

    assert_contains(&refused, "the contact has opted out of all messages");
    assert_eq!(
        silent,
        "answered opted_out answered opted_out opted_out opted_out"
    );
    assert_eq!(after, format!("{silent} answered answered answered"));
    let columns = "SELECT count(*) FROM conversations WHERE opted_out_ms IS NOT NULL";
    assert_eq!(app.number(columns).await, 0);
}

#[tokio::test]
async fn an_opt_out_at_one_number_ends_what_is_pending_at_the_others() {
    let rules = RULES.replace(
        "scope = \"number\"\n",
        "[opt_in]\nwords = \"start\"\n[[rule]]\nid = \"later\"\nwhen.text.is = \"price\"\nafter = \"1h\"\nreply = \"Still interested?\"\n",
    );
    let start = Timestamp::constant(1_790_000_000, 0);
    let app = TestApp::builder().rules(&rules).config(NUMBER_LINES);
    let app = app.at(start).start().await;

    write(&app, &[(0, "wamid.1", "price")]).await;
    write(&app, &[(1, "wamid.2", "stop")]).await;
    write(&app, &[(1, "wamid.3", "start")]).await;
    app.clock.advance(Duration::from_hours(2));
    app.drained().await;

    let query = "SELECT text FROM messages WHERE direction = 'out'";
    let sent = crate::sqlite::texts(&app.database(), query).await;
    assert_eq!(sent, ["Bye."]);
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

/// A store with rules that obey a stop, without a service around it.
struct People {
    folder: tempfile::TempDir,
    store: Store,
    engine: Arc<replyd::engine::Engine>,
}

impl People {
    async fn new() -> Self {
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
        let engine = Arc::new(replyd::engine::Engine::new(rules));
        Self {
            folder,
            store,
            engine,
        }
    }

    async fn receive(&self, body: &str) {
        let engine = Arc::clone(&self.engine);
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
        let events = inbound::read(body.as_bytes(), NOW);
        self.store.receive(events, policy, &decide).await.unwrap();
    }

    /// A text of a contact to a number under an account.
    async fn text(&self, account: usize, ids: (&str, &str), wamid: &str, body: &str) {
        let account_id = ACCOUNTS[account];
        self.receive(&text(account_id, NUMBERS[account], ids, wamid, body))
            .await;
    }

    /// A receipt of a message from a number under an account.
    async fn receipt(&self, account: usize, (phone, user): (&str, &str), wamid: &str) {
        let mut receipt = json!({
            "id": wamid, "status": "delivered", "timestamp": "1767000000", "recipient_id": phone,
        });
        if !user.is_empty() {
            receipt["recipient_user_id"] = json!(user);
        }
        let parts = json!({ "statuses": [receipt] });
        self.receive(&under(ACCOUNTS[account], NUMBERS[account], parts).to_string())
            .await;
    }

    /// A message that was sent by hand, and what the answer says of the recipient.
    async fn sent(&self, number: usize, to: &Recipient, reported: Option<&Identity>, wamid: &str) {
        let sent = Sent {
            number: &PhoneNumberId::parse(NUMBERS[number]).unwrap(),
            recipient: to,
            reported,
            content: &Outbound::Text {
                body: "by hand".to_owned(),
                preview_url: false,
            },
            about: None,
            wamid: &Wamid::parse(wamid).unwrap(),
            at: NOW,
        };
        self.store.record_sent(&sent).await.unwrap();
    }

    async fn eligibility(&self, number: usize, to: &Recipient) -> Option<SendEligibility> {
        let number = PhoneNumberId::parse(NUMBERS[number]).unwrap();
        self.store.send_eligibility(&number, to).await.unwrap()
    }

    /// Whether the contact has opted out of the messages of a number; `None` if it is unknown.
    async fn is_out(&self, number: usize, to: &Recipient) -> Option<bool> {
        let eligibility = self.eligibility(number, to).await;
        eligibility.map(|eligibility| eligibility.opted_out)
    }

    async fn count(&self, query: &'static str) -> i64 {
        crate::sqlite::number(&self.folder.path().join("people.db"), query).await
    }
}

/// Accounts of the three numbers.
const ACCOUNTS: [&str; 3] = ["50", "60", "70"];

fn phone(digits: &str) -> Recipient {
    Recipient::Phone(WaId::parse(digits).unwrap())
}

fn user(id: &str) -> Recipient {
    Recipient::UserId(UserId::parse(id).unwrap())
}

#[tokio::test]
async fn one_user_id_under_two_accounts_is_one_person() {
    let people = People::new().await;
    people.text(0, (ANA, "US.1"), "wamid.1", "stop").await;
    people.text(1, ("", "US.1"), "wamid.2", "stop").await;

    assert_eq!(people.is_out(1, &phone(ANA)).await, Some(true));
    assert_eq!(people.count("SELECT count(*) FROM contacts").await, 1);
    // The portfolio has another id for the person since: it holds under both accounts.
    let change = json!({
        "type": "system", "id": "wamid.3", "timestamp": "1767000000", "from": ANA,
        "system": {
            "type": "user_changed_number", "wa_id": BO, "user_id": "US.2",
            "previous_user_id": "US.1",
        },
    });
    let body = under("60", NUMBERS[1], json!({ "messages": [change] }));
    people.receive(&body.to_string()).await;
    people.text(0, (BO, "US.2"), "wamid.4", "hello").await;

    assert_eq!(people.is_out(0, &phone(BO)).await, Some(true));
    assert_eq!(people.is_out(0, &user("US.2")).await, Some(true));
    assert_eq!(people.is_out(0, &phone(ANA)).await, None);
    assert_eq!(people.is_out(0, &user("US.1")).await, None);
    assert_eq!(people.count("SELECT count(*) FROM contacts").await, 1);
}

#[tokio::test]
async fn another_user_id_of_the_same_account_is_another_person_also_without_a_phone() {
    let people = People::new().await;
    // Known to the second account by the phone, and somebody else to the first one.
    people.text(1, (ANA, "US.9"), "wamid.1", "stop").await;
    people.text(0, ("", "US.1"), "wamid.2", "hello").await;

    people.text(1, (ANA, "US.1"), "wamid.3", "hello").await;

    assert_eq!(people.is_out(1, &phone(ANA)).await, Some(false));
    assert_eq!(people.is_out(1, &user("US.9")).await, Some(true));
    assert_eq!(people.count("SELECT count(*) FROM contacts").await, 2);
}

#[tokio::test]
async fn a_receipt_shows_two_contacts_to_be_one() {
    let people = People::new().await;
    people.sent(0, &phone(ANA), None, "wamid.OUT").await;
    people.text(0, ("", "US.1"), "wamid.1", "stop").await;
    assert_eq!(people.is_out(0, &phone(ANA)).await, Some(false));

    people.receipt(0, (ANA, "US.1"), "wamid.OUT").await;

    assert_eq!(people.is_out(0, &phone(ANA)).await, Some(true));
    assert_eq!(people.count("SELECT count(*) FROM contacts").await, 1);
    assert_eq!(people.count("SELECT count(*) FROM conversations").await, 1);
}

#[tokio::test]
async fn a_receipt_tells_the_phone_of_a_contact_who_hid_it() {
    let people = People::new().await;
    people.text(0, ("", "US.1"), "wamid.1", "stop").await;

    people.receipt(0, (ANA, "US.1"), "wamid.OUT").await;

    assert_eq!(people.is_out(0, &phone(ANA)).await, Some(true));
}

#[tokio::test]
async fn a_receipt_tells_how_a_dialled_number_is_written() {
    let people = People::new().await;
    people.text(0, (WRITTEN, "US.1"), "wamid.1", "stop").await;
    people.sent(0, &phone(DIALLED), None, "wamid.OUT").await;
    assert_eq!(people.is_out(0, &phone(DIALLED)).await, Some(false));

    people.receipt(0, (WRITTEN, ""), "wamid.OUT").await;

    assert_eq!(people.is_out(0, &phone(DIALLED)).await, Some(true));
    assert_eq!(people.count("SELECT count(*) FROM contacts").await, 1);
    assert_eq!(people.count("SELECT count(*) FROM conversations").await, 1);
}

#[tokio::test]
async fn a_late_receipt_moves_no_number() {
    let people = People::new().await;
    people.text(0, (ANA, "US.1"), "wamid.1", "stop").await;
    people.sent(0, &phone(ANA), None, "wamid.OUT").await;
    // The number was given away.
    people.text(0, (ANA, "US.2"), "wamid.2", "hello").await;
    people.receipt(0, (ANA, "US.1"), "wamid.OUT").await;
    // The person has a new number, and somebody of whom nothing else is known has the old one.
    people.text(0, (BO, "US.3"), "wamid.3", "hello").await;
    let change = json!({
        "type": "system", "id": "wamid.4", "timestamp": "1767000000", "from": BO,
        "system": { "type": "user_changed_number", "wa_id": WRITTEN, "user_id": "US.4", "previous_user_id": "US.3" },
    });
    let body = under("50", NUMBERS[0], json!({ "messages": [change] }));
    people.receive(&body.to_string()).await;
    people.text(0, (BO, ""), "wamid.5", "stop").await;
    people.receipt(0, (BO, "US.4"), "wamid.OUT").await;

    assert_eq!(people.is_out(0, &phone(ANA)).await, Some(false));
    assert_eq!(people.is_out(0, &user("US.1")).await, Some(true));
    assert_eq!(people.is_out(0, &phone(BO)).await, Some(true));
    assert_eq!(people.is_out(0, &phone(WRITTEN)).await, Some(false));
    assert_eq!(people.is_out(0, &user("US.4")).await, Some(false));
}

#[tokio::test]
async fn the_user_id_in_the_answer_to_a_send_leads_to_who_hides_the_phone() {
    let people = People::new().await;
    people.text(0, ("", "US.1"), "wamid.1", "stop").await;
    let (wa_id, user_id) = (WaId::parse(ANA).unwrap(), UserId::parse("US.1").unwrap());

    for reported in [
        Identity::Both(wa_id, user_id.clone()),
        Identity::User(user_id),
    ] {
        let people = &people;
        people
            .sent(0, &phone(ANA), Some(&reported), "wamid.OUT")
            .await;

        assert_eq!(people.is_out(0, &phone(ANA)).await, Some(true));
        assert_eq!(people.count("SELECT count(*) FROM contacts").await, 1);
        assert_eq!(people.count("SELECT count(*) FROM conversations").await, 1);
    }
}

#[tokio::test]
async fn the_last_wish_about_marketing_counts_whatever_id_it_names() {
    for (wishes, refused) in [
        ([("wa_id", ANA, "stop"), ("user_id", "US.1", "resume")], 0),
        ([("user_id", "US.1", "resume"), ("wa_id", ANA, "stop")], 1),
        ([("user_id", "US.1", "stop"), ("wa_id", ANA, "resume")], 0),
    ] {
        let people = People::new().await;
        people.text(0, (ANA, "US.1"), "wamid.1", "hello").await;
        let wish = |(name, id, value): &(&str, &str, &str)| json!({ *name: id, "value": value });
        let wishes: Vec<Value> = wishes.iter().map(wish).collect();
        let body = bodies::with_parts("user_preferences", json!({ "user_preferences": wishes }));

        people.receive(&body).await;

        let query = "SELECT count(*) FROM contacts WHERE marketing_opted_out_ms IS NOT NULL";
        assert_eq!(people.count(query).await, refused, "{wishes:?}");
    }
}

#[tokio::test]
async fn a_reply_that_came_too_late_closes_the_window_until_the_contact_writes_again() {
    let app = service().await;
    app.sandbox.script(Fault::Graph(131_047));
    app.accept(&text("50", NUMBERS[0], (ANA, "US.1"), "wamid.1", "hello"))
        .await;
    app.drained().await;
    let line = format!("send +{ANA} hello --number {}", NUMBERS[0]);

    let refused = app.replyd(&line).await.refused();
    app.accept(&text("50", NUMBERS[0], (ANA, "US.1"), "wamid.2", "hello"))
        .await;
    app.drained().await;
    app.replyd(&line).await.done();

    assert_contains(&refused, "WhatsApp refused the last message (131047)");
}

//! What looking back costs: `replyd replay` over 100,000 stored messages, and one turn of each
//! kind: `cargo bench --bench replay`.
//!
//! A thousand contacts write to the bakery of `examples/orders.toml`: greetings, orders with a
//! wrong date in between, questions that no rule matches. The database is made by the store itself,
//! the command runs as a process.

#![expect(clippy::print_stdout, reason = "a benchmark shows its numbers")]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use replyd::diagnostics::sources::SourceMap;
use replyd::engine::{Engine, EngineEvent, Trace};
use replyd::message::{
    Contact, Content, Conversation, ConversationState, Identity, Inbound, PhoneNumberId, WaId,
};
use replyd::rules;
use replyd::rules::{CompileInput, RuleSet};
use replyd::sandbox::webhooks;
use replyd::store::{Decide, MediaPolicy, ReceivePolicy, Store};
use replyd::whatsapp::inbound;
use serde_json::json;

const RULES: &str = include_str!("../examples/orders.toml");
const START: Timestamp = Timestamp::constant(1_790_256_780, 0);
const NUMBER: &str = "1065";
const CONTACTS: usize = 1_000;
const EACH: usize = 100;
/// Texts of every contact, over and over.
const TEXTS: [&str; 10] = [
    "Hello!",
    "What does a lemon cake for twelve people cost?",
    "I want to order",
    "menu please",
    "thanks",
    "tomorrow",
    "24/12",
    "are you open on sunday, and until when?",
    "hi, it's me again",
    "ok",
];

fn compiled() -> RuleSet {
    let compiled = rules::compile(
        &SourceMap::new("rules.toml", RULES),
        CompileInput::default(),
    );
    compiled.expect("the example is good").rules
}

/// One webhook body: the message of this index of each contact.
fn body(contacts: std::ops::Range<usize>, index: usize, at: Timestamp) -> String {
    let messages = contacts.clone().map(|contact| {
        json!({
            "from": phone(contact), "id": format!("wamid.{contact}.{index}"),
            "timestamp": at.as_second().to_string(), "type": "text",
            "text": { "body": TEXTS[(index + contact) % TEXTS.len()] },
        })
    });
    let profiles = contacts.clone().map(|contact| {
        json!({ "wa_id": phone(contact), "profile": { "name": format!("Person {contact}") } })
    });
    let parts = json!({
        "contacts": profiles.collect::<Vec<_>>(),
        "messages": messages.collect::<Vec<_>>(),
    });
    webhooks::body("messages", &webhooks::messages_value(NUMBER, parts))
}

fn phone(contact: usize) -> String {
    format!("1555{contact:07}")
}

/// Stores a hundred messages of each of a thousand contacts.
async fn fill(store: &Store, engine: &'static Engine) {
    let rules = engine.rules();
    store
        .record_rules(&rules.version, &rules.source, START)
        .await
        .expect("the database takes it");
    let version = rules.version.clone();
    let decide: Box<Decide> = Box::new(move |conversation, incoming, now| {
        (
            engine.decide(conversation, incoming, now, Trace::Matched),
            version.clone(),
        )
    });
    let mut now = START;
    for index in 0..EACH {
        for first in (0..CONTACTS).step_by(200) {
            let events = inbound::read(body(first..first + 200, index, now).as_bytes(), now);
            let policy = ReceivePolicy {
                now,
                reply_expires_after: Duration::from_mins(15),
                files: MediaPolicy::Ignore,
            };
            let received = store.receive(events, policy, &*decide).await;
            assert_eq!(received.expect("it is stored").decisions.len(), 200);
        }
        now = now
            .checked_add(SignedDuration::from_mins(10))
            .expect("it is this century");
    }
}

fn replayed(folder: &std::path::Path, rules: &str) -> (Duration, String) {
    let begin = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(["replay", "--rules", rules, "--database", "sqlite:past.db"])
        .current_dir(folder)
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{output:?}");
    let report = String::from_utf8(output.stdout).expect("it is UTF-8");
    let first = report.lines().next().unwrap_or_default().to_owned();
    (begin.elapsed(), first)
}

fn turns(engine: &Engine) {
    let number = PhoneNumberId::parse(NUMBER).expect("not empty");
    let fresh = Conversation {
        phone_number_id: number,
        contact: Contact {
            identity: Identity::Phone(WaId::parse(phone(1)).expect("digits")),
            name: Some("Ana Lima".to_owned()),
            username: None,
            refuses_marketing: false,
        },
        inbound_count: 3,
        state: ConversationState::default(),
    };
    let message = |text: &str| -> Inbound {
        let raw = json!({ "from": phone(1), "id": "wamid.1", "timestamp": START.as_second().to_string(),
            "type": "text", "text": { "body": text } });
        *inbound::read_message(&raw.to_string(), &fresh.phone_number_id, START)
            .expect("it is a message")
    };
    let mut in_flow = fresh.clone();
    for text in ["hello", "order", "Large"] {
        let mut written = message(text);
        if text == "order" {
            written.content = Content::ButtonReply {
                id: "order".to_owned(),
                title: "Order a cake".to_owned(),
            };
        }
        in_flow.state = engine
            .decide(
                &in_flow,
                EngineEvent::Message(&written),
                START,
                Trace::Matched,
            )
            .state;
    }
    let cases = [
        ("a menu with buttons", &fresh, message("Hello!")),
        ("the fallback", &fresh, message("do you have parking?")),
        ("a date in a flow", &in_flow, message("24/12")),
    ];
    for (what, conversation, message) in cases {
        let begin = Instant::now();
        let rounds = 20_000;
        for _ in 0..rounds {
            black_box(engine.decide(
                conversation,
                EngineEvent::Message(&message),
                START,
                Trace::Matched,
            ));
        }
        println!("one turn, {what}: {:.1?}", begin.elapsed() / rounds);
    }
}

#[tokio::main]
async fn main() {
    let engine: &'static Engine = Box::leak(Box::new(Engine::new(compiled())));
    turns(engine);
    let folder = tempfile::tempdir().expect("there is room");
    let url = format!("sqlite:{}", folder.path().join("past.db").display());
    let store = Store::open(&url).await.expect("it is new");
    fill(&store, engine).await;
    store.close().await;
    std::fs::write(folder.path().join("same.toml"), RULES).expect("there is room");
    let other = RULES.replace("\"Sorry?\"", "\"Pardon?\"");
    std::fs::write(folder.path().join("other.toml"), other).expect("there is room");
    for rules in ["same.toml", "other.toml"] {
        let (time, summary) = replayed(folder.path(), rules);
        println!("{time:.1?}  {summary}");
    }
}

//! Every stored webhook body with each of its values removed, nulled and retyped: thousands of
//! broken bodies, of which none may cost more than itself. And with something new in each of its
//! objects and arrays, which must be kept.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use replyd::diagnostics::sources::SourceMap;
use replyd::engine::{Decision, Engine, EngineEvent, Trace};
use replyd::message::{Contact, Conversation, ConversationState, Event, PhoneNumberId};
use replyd::rules;
use replyd::rules::CompileInput;
use replyd::template;
use replyd::whatsapp::inbound;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::sqlite;
use crate::support::{TestApp, bodies};

/// Stores everything and answers nothing.
const QUIET: &str = "version = 1\n[[rule]]\nid = \"never\"\nwhen.text.is = \"never said\"\n";
/// Mutants in one body, so that each has many neighbours; and bodies under way at the same time.
const TOGETHER: usize = 40;
const CONCURRENT: usize = 8;
/// Time of arrival.
const NOW: Timestamp = Timestamp::constant(1_767_000_060, 0);
/// Fewer would mean that the bodies were not found, or not taken apart.
const MANY: usize = 20_000;

/// One step from a value to a part of it.
#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// Every stored body.
fn whole_bodies() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/webhook");
    let files = std::fs::read_dir(folder).unwrap();
    let body = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut case: Value = serde_json::from_str(&text).unwrap();
        case["body"].take()
    };
    files.map(body).collect()
}

/// Every change of every stored body, each in a body of its own, because small ones copy faster.
fn case_bodies() -> Vec<Value> {
    let mut bodies = Vec::new();
    for mut body in whole_bodies() {
        for entry in elements(body["entry"].take()) {
            let changes = entry.get("changes").cloned().unwrap_or_default();
            for change in elements(changes) {
                let entry = json!({ "id": "102290129340398", "changes": [change] });
                bodies.push(json!({ "entry": [entry] }));
            }
        }
    }
    bodies
}

fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        _ => Vec::new(),
    }
}

/// Every place in a value, itself left out.
fn paths(value: &Value, parent: &[Step], collected: &mut Vec<Vec<Step>>) {
    let mut go = |step: Step, part: &Value| {
        let mut path = parent.to_vec();
        path.push(step);
        paths(part, &path, collected);
        collected.push(path);
    };
    match value {
        Value::Object(parts) => {
            for (key, part) in parts {
                go(Step::Key(key.clone()), part);
            }
        }
        Value::Array(parts) => {
            for (index, part) in parts.iter().enumerate() {
                go(Step::Index(index), part);
            }
        }
        _ => {}
    }
}

fn at<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(key) => &mut value[key],
        Step::Index(index) => &mut value[index],
    })
}

/// The body without the value, and with each other value in its place.
fn mutants(body: &Value, path: &[Step]) -> Vec<Value> {
    let mut removed = body.clone();
    let (last, parent) = path.split_last().unwrap();
    match (last, at(&mut removed, parent)) {
        (Step::Key(key), Value::Object(parts)) => drop(parts.remove(key)),
        (Step::Index(index), Value::Array(parts)) => drop(parts.remove(*index)),
        _ => unreachable!("the path was taken from this body"),
    }
    let others = [
        Value::Null,
        json!(""),
        json!("text"),
        json!(-1),
        json!(1.5e300),
        json!(true),
        json!([]),
        json!({}),
        json!([{}]),
    ];
    let mut mutants = vec![removed];
    mutants.extend(others.map(|other| {
        let mut mutant = body.clone();
        *at(&mut mutant, path) = other;
        mutant
    }));
    mutants
}

/// The entries of every mutant, with a sound message behind them in an entry of its own: number `n`
/// has the id `wamid.NEXT{n}`.
fn all_mutants() -> Vec<Vec<Value>> {
    let mut all_entries = Vec::new();
    for body in case_bodies() {
        let mut places = Vec::new();
        paths(
            &body["entry"],
            &[Step::Key("entry".to_owned())],
            &mut places,
        );
        for mutant in places.iter().flat_map(|path| mutants(&body, path)) {
            let number = all_entries.len();
            let wamid = format!("wamid.NEXT{number}");
            let next = bodies::with_text("15550000009", &wamid, "still here");
            let mut next: Value = serde_json::from_str(&next).unwrap();
            // Ids of their own, or every mutant but the first were only a message that came before.
            let text = mutant
                .to_string()
                .replace("wamid.", &format!("wamid.{number}."));
            let mut mutant: Value = serde_json::from_str(&text).unwrap();
            let Value::Array(mut entries) = mutant["entry"].take() else {
                unreachable!("the list of entries itself is no place to mutate");
            };
            entries.push(next["entry"][0].take());
            all_entries.push(entries);
        }
    }
    all_entries
}

fn body_of(mutants: &[Vec<Value>]) -> String {
    json!({ "object": "whatsapp_business_account", "entry": mutants.concat() }).to_string()
}

/// Ids of the messages in a mutant that still have a sender and an id, whatever else is broken.
fn known_senders(entries: &[Value]) -> Vec<String> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut ids = Vec::new();
    for change in entries.iter().flat_map(|entry| parts(&entry["changes"])) {
        let value = &change["value"];
        let number = value["metadata"]["phone_number_id"].as_str();
        if change["field"] != "messages"
            || !number.is_some_and(|id| !id.is_empty() && is_digits(id))
        {
            continue;
        }
        for message in parts(&value["messages"]) {
            let from = message["from"].as_str();
            let user_id = message["from_user_id"].as_str();
            let is_sender = from.is_some_and(|from| !from.is_empty() && is_digits(from))
                || user_id.is_some_and(|id| !id.is_empty()) && from.is_none_or(is_digits);
            let id = message["id"].as_str().filter(|id| id.starts_with("wamid."));
            // Groups have no conversation.
            if let Some(id) = id.filter(|_| is_sender && message["group_id"].is_null()) {
                ids.push(id.to_owned());
            }
        }
    }
    ids
}

fn parts(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test]
async fn no_broken_body_costs_more_than_itself() {
    let mutants = all_mutants();
    assert!(mutants.len() > MANY, "{} mutants", mutants.len());
    let app = TestApp::start(QUIET).await;

    let app_ref = &app;
    let refused: Vec<(u16, String)> = stream::iter(mutants.chunks(TOGETHER).map(body_of))
        .map(|body| async move { (app_ref.post(&body).await, body) })
        .buffer_unordered(CONCURRENT)
        .filter(|(status, _)| std::future::ready(*status != 200))
        .collect()
        .await;

    assert_eq!(refused.first(), None, "{} refused", refused.len());
    let query = "SELECT count(*) FROM messages WHERE wamid LIKE 'wamid.NEXT%'";
    let stored = app.number(query).await;
    assert_eq!(usize::try_from(stored).unwrap(), mutants.len());
    let query = "SELECT count(*) FROM messages WHERE wamid NOT LIKE 'wamid.NEXT%'";
    assert!(app.number(query).await > 0);
    let stored = sqlite::texts(&app.database(), "SELECT wamid FROM messages").await;
    let stored: BTreeSet<String> = stored.into_iter().collect();
    let known = mutants
        .iter()
        .map(|entries| (entries, known_senders(entries)));
    for (entries, ids) in known {
        for id in ids {
            assert!(stored.contains(&id), "{id} is not stored: {entries:?}");
        }
    }
}

/// Bodies, each with something new in one of its objects or arrays: body `n` has `<NEW n>`.
fn enlarged_bodies() -> Vec<Value> {
    let mut enlarged_bodies = Vec::new();
    let bodies = whole_bodies().into_iter();
    // A second message of one id is the first one, delivered again.
    for body in bodies.filter(|body| !body.to_string().contains("the same id twice")) {
        let mut places = vec![Vec::new()];
        paths(&body, &[], &mut places);
        for place in places {
            let number = enlarged_bodies.len();
            // Ids of their own, or every body but the first would come before.
            let text = body.to_string();
            let text = text.replace("wamid.", &format!("wamid.{number}."));
            let mut enlarged: Value = serde_json::from_str(&text).unwrap();
            let new = json!({ "about": format!("<NEW {number}>") });
            match at(&mut enlarged, &place) {
                Value::Object(parts) => drop(parts.insert("invented".to_owned(), new)),
                Value::Array(parts) => parts.push(new),
                _ => continue,
            }
            enlarged_bodies.push(enlarged);
        }
    }
    enlarged_bodies
}

#[tokio::test]
async fn something_new_anywhere_in_a_body_can_be_found_in_the_database() {
    let bodies = enlarged_bodies();
    assert!(bodies.len() > 800, "{} bodies", bodies.len());
    let app = TestApp::start(QUIET).await;

    let app_ref = &app;
    let refused: Vec<u16> = stream::iter(bodies.iter().map(Value::to_string))
        .map(|body| async move { app_ref.post(&body).await })
        .buffer_unordered(CONCURRENT)
        .filter(|status| std::future::ready(*status != 200))
        .collect()
        .await;

    assert_eq!(refused, Vec::<u16>::new());
    let query = "SELECT raw FROM messages UNION ALL SELECT raw FROM receipts \
        UNION ALL SELECT raw FROM account_events UNION ALL SELECT CAST(raw AS TEXT) FROM quarantine";
    let rows = sqlite::rows(&app.database(), query).await.unwrap();
    let mut missing: BTreeSet<usize> = (0..bodies.len()).collect();
    for row in rows {
        let raw: String = row.get("raw");
        for text in raw.split("<NEW ").skip(1) {
            let number = text.split('>').next().unwrap();
            missing.remove(&number.parse().unwrap());
        }
    }
    let missing: Vec<&Value> = missing.into_iter().map(|number| &bodies[number]).collect();
    assert_eq!(missing.first(), None, "{} missing", missing.len());
}

/// A rule whose reply has every variable of a message.
fn talkative() -> Engine {
    let names = template::NAMES.iter().map(String::as_str);
    let texts = names.filter(|name| !template::OPEN.contains(name));
    let mut texts: Vec<String> = texts.map(|name| format!("{{{{ {name} }}}}")).collect();
    texts.extend([
        "{{ form.anything }}".to_owned(),
        "{% for card in cards %}{{ card.name }}{% endfor %}".to_owned(),
        "{% for item in order.items %}{{ item.product }}{% endfor %}".to_owned(),
    ]);
    let kinds: Vec<String> = replyd::message::Kind::ALL
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let text = format!(
        "version = 1\n[bot]\nmax_age = \"3650d\"\n[[rule]]\nid = \"all\"\nwhen.type = [{}]\nreply = \"> {}\"\n",
        kinds.join(", "),
        texts.join(" "),
    );
    let sources = SourceMap::new("rules.toml", &text);
    let compiled = rules::compile(&sources, CompileInput::default());
    Engine::new(compiled.unwrap().rules)
}

#[test]
fn a_text_with_every_variable_can_be_filled_in_for_every_broken_message() {
    let engine = talkative();
    let mut answered = 0;
    for mutants in all_mutants().chunks(TOGETHER) {
        for event in inbound::read(body_of(mutants).as_bytes(), NOW) {
            let Event::Message(message) = event else {
                continue;
            };
            let conversation = Conversation {
                phone_number_id: PhoneNumberId::parse("1").unwrap(),
                contact: Contact {
                    identity: message.sender.clone(),
                    name: message.profile.name.clone(),
                    username: message.profile.username.clone(),
                },
                inbound_count: 0,
                state: ConversationState::default(),
            };

            let turn = engine.decide(
                &conversation,
                EngineEvent::Message(&message),
                message.sent_at,
                Trace::Matched,
            );

            assert_ne!(turn.decision, Decision::Failed, "{:?}", turn.explanation);
            answered += usize::from(turn.decision == Decision::Answered);
        }
    }
    assert!(answered > MANY, "{answered} answered");
}

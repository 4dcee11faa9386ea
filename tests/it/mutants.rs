//! Every stored webhook body with each of its values removed, nulled and retyped: thousands of
//! broken bodies, of which none may cost more than itself. And with something new in each of its
//! objects and arrays, which must be kept.

use std::collections::{BTreeSet, HashMap};
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

/// Names of values outside updates that are read into columns, where a later body may overwrite
/// them, or that tell nothing which the number of the business does not.
const READ: [&str; 7] = [
    "id",
    "time",
    "display_phone_number",
    "name",
    "username",
    "wa_id",
    "user_id",
];

/// Added to the number of a body, so that a number can be told from others.
const FIRST: usize = 8_000_000_000;

/// Returns the number of each body of which a text has something new.
fn numbers(text: &str) -> impl Iterator<Item = usize> {
    let marks = text.split("<NEW ").skip(1).filter_map(leading_number);
    let plain = text.match_indices("80000");
    let plain = plain.filter_map(|(at, _)| leading_number(&text[at..])?.checked_sub(FIRST));
    marks.chain(plain)
}

fn leading_number(text: &str) -> Option<usize> {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// A body with something new in it, and the texts that must be found in the database.
struct Enlarged {
    body: Value,
    new: Vec<String>,
}

/// Every stored body with something new in each of its objects and arrays, and with each of its
/// plain values replaced. The number in what is new makes it unique.
fn enlarged_bodies() -> Vec<Enlarged> {
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
            let mut body: Value = serde_json::from_str(&text).unwrap();
            let is_read = is_read(&place);
            let new = match at(&mut body, &place) {
                Value::Object(parts) => new_names(parts, number),
                Value::Array(parts) => new_elements(parts, number),
                _ if is_read => continue,
                plain => {
                    *plain = json!(format!("<NEW {number}>"));
                    vec![plain.to_string()]
                }
            };
            enlarged_bodies.push(Enlarged { body, new });
        }
    }
    enlarged_bodies
}

/// Whether a place is one of [`READ`] and belongs to no update, which is stored as received.
fn is_read(place: &[Step]) -> bool {
    let is_update = |step: &Step| {
        matches!(step, Step::Key(key)
            if ["messages", "statuses", "message_echoes"].contains(&key.as_str()))
    };
    let is_named = |key: &String| READ.contains(&key.as_str());
    !place.iter().any(is_update) && matches!(place.last(), Some(Step::Key(key)) if is_named(key))
}

/// Adds a name with each kind of value to an object.
fn new_names(parts: &mut serde_json::Map<String, Value>, number: usize) -> Vec<String> {
    let values = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!("text"),
        json!([]),
        json!({}),
        json!([[{}]]),
        json!({ "about": [7] }),
    ];
    let new = values.into_iter().enumerate().map(|(kind, value)| {
        let name = format!("<NEW {number}.{kind}>");
        let text = format!("\"{name}\":{value}");
        parts.insert(name, value);
        text
    });
    new.collect()
}

/// Adds an element of each kind to an array.
fn new_elements(parts: &mut Vec<Value>, number: usize) -> Vec<String> {
    let text = format!("<NEW {number}>");
    let elements = [
        json!(text),
        json!(FIRST + number),
        json!([text, null]),
        json!([[{ "about": text }]]),
        json!({ "about": text }),
    ];
    parts.extend(elements.clone());
    elements.iter().map(Value::to_string).collect()
}

#[tokio::test]
async fn something_new_anywhere_in_a_body_can_be_found_in_the_database() {
    let bodies = enlarged_bodies();
    assert!(bodies.len() > 2_000, "{} bodies", bodies.len());
    let app = TestApp::start(QUIET).await;

    let app_ref = &app;
    let texts = bodies.iter().map(|enlarged| enlarged.body.to_string());
    let refused: Vec<u16> = stream::iter(texts)
        .map(|body| async move { app_ref.post(&body).await })
        .buffer_unordered(CONCURRENT)
        .filter(|status| std::future::ready(*status != 200))
        .collect()
        .await;

    assert_eq!(refused, Vec::<u16>::new());
    let query = "SELECT raw FROM messages UNION ALL SELECT raw FROM receipts \
        UNION ALL SELECT json_quote(field) || raw FROM account_events \
        UNION ALL SELECT CAST(raw AS TEXT) FROM quarantine";
    let rows = sqlite::texts(&app.database(), query).await;
    let mut stored: HashMap<usize, String> = HashMap::new();
    for row in rows {
        let numbers: BTreeSet<usize> = numbers(&row).collect();
        for number in numbers {
            stored.entry(number).or_default().push_str(&row);
        }
    }
    let mut missing = Vec::new();
    for (number, Enlarged { body, new }) in bodies.iter().enumerate() {
        let stored = stored.get(&number).map_or("", String::as_str);
        let new = new.iter().filter(|text| !stored.contains(*text));
        missing.extend(new.map(|text| format!("{text} of {body}")));
    }
    assert_eq!(missing.first(), None, "{} missing", missing.len());
}

/// A rule whose reply has every variable of a message.
fn talkative() -> Engine {
    const GROUPS: &str = "{{ form.date }} {% for card in cards %}{{ card.name }}{% endfor %} \
        {% for item in order.items %}{{ item.product }} {{ item.quantity }}{% endfor %}";
    let names = template::NAMES.iter().map(String::as_str);
    let names = names.filter(|name| !template::OPEN.contains(name));
    let texts = names.map(|name| format!("{{{{ {name} }}}}"));
    let texts: Vec<String> = texts.chain([GROUPS.to_owned()]).collect();
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
                    refuses_marketing: false,
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

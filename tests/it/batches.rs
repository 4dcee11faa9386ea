//! Big batches, and batches with an update that cannot be read.

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::sqlite;
use crate::support::{ANA, ECHO, NUMBERS, TestApp, bodies, texts};

/// Updates that cannot be understood, each odd in its own way.
fn poisons() -> Vec<(&'static str, Value)> {
    let good = || bodies::text(ANA, "wamid.POISON", "x");
    let with = |key: &str, value: Value| {
        let mut message = good();
        message[key] = value;
        message
    };
    let without = |key: &str| {
        let mut message = good();
        message.as_object_mut().unwrap().remove(key);
        message
    };
    vec![
        ("null", Value::Null),
        ("a number", json!(7)),
        ("an array", json!([[], {}])),
        ("an empty object", json!({})),
        ("no id", without("id")),
        ("an empty id", with("id", json!(""))),
        ("an id that is a table", with("id", json!({}))),
        ("an id of 5 kB", with("id", json!("w".repeat(5000)))),
        ("no sender", without("from")),
        ("a sender that is a table", with("from", json!({}))),
    ]
}

/// Answers whatever no other rule understands.
const UNDERSTANDING: &str = r#"
version = 1
[bot]
reply_budget = { per_minute = 1000, per_hour = 1000 }
loop_guard = 1000
[[rule]]
id = "hello"
when.text.is = "hello"
reply = "hello too"
[[rule]]
id = "place"
when.type = "location"
reply = "{{ location.latitude | default('where is that?') }}"
[[rule]]
id = "fallback"
reply = "what is that?"
"#;

#[tokio::test]
async fn one_unreadable_part_does_not_silence_a_message() {
    let hello = |key: &str, value: Value| {
        let mut message = bodies::text(ANA, "", "hello");
        message[key] = value;
        message
    };
    let no_type = |name: &str, part: Value| json!({ name: part });
    let place = json!({ "latitude": 1.5, "longitude": 2 });
    let messages = [
        (hello("timestamp", Value::Null), "hello", "hello too"),
        (hello("timestamp", json!("")), "hello", "hello too"),
        (hello("timestamp", json!("soon")), "hello", "hello too"),
        (hello("timestamp", json!({})), "hello", "hello too"),
        (hello("timestamp", json!(u64::MAX)), "hello", "hello too"),
        (hello("type", Value::Null), "hello", "hello too"),
        (hello("type", json!(["text"])), "hello", "hello too"),
        (
            hello("from", json!(5_511_900_000_001_u64)),
            "hello",
            "hello too",
        ),
        (hello("text", Value::Null), "[text]", "what is that?"),
        (hello("text", json!({})), "[text]", "what is that?"),
        (hello("text", json!("hello")), "hello", "hello too"),
        (no_type("location", place), "[location] 1.5, 2", "1.5"),
        (
            json!({ "type": "location" }),
            "[location]",
            "where is that?",
        ),
        (json!({ "type": "image" }), "[image]", "what is that?"),
        (
            json!({ "type": "button", "button": 7 }),
            "[button]",
            "what is that?",
        ),
    ];
    let app = TestApp::start(UNDERSTANDING).await;
    let mut expected = Vec::new();
    for (number, (message, text, reply)) in messages.into_iter().enumerate() {
        let mut whole = json!({ "from": "5511900000001", "timestamp": "" });
        whole
            .as_object_mut()
            .unwrap()
            .extend(message.as_object().unwrap().clone());
        if whole["from"] == json!(ANA) {
            whole["from"] = json!("5511900000001");
        }
        whole["id"] = json!(format!("wamid.{number}"));
        app.accept(&bodies::with_messages(&[whole])).await;
        expected.push((text, reply));
        app.drained().await;
    }

    let stored = app.transcript("5511900000001").await;
    assert_eq!(app.number("SELECT count(*) FROM quarantine").await, 0);
    let (texts_in, replies): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    assert_eq!(texts(&stored, "in"), texts_in);
    assert_eq!(app.replies("5511900000001"), replies);
}

#[tokio::test]
async fn an_unreadable_update_costs_only_itself_wherever_it_stands() {
    let app = TestApp::start(ECHO).await;
    let mut expected = 0;

    for (name, poison) in poisons() {
        for place in 0..4 {
            let id = |n: usize| format!("wamid.{name}.{place}.{n}");
            let mut messages: Vec<Value> =
                (0..3).map(|n| bodies::text(ANA, &id(n), "good")).collect();
            messages.insert(place, poison.clone());
            let status = app.post(&bodies::with_messages(&messages)).await;
            assert_eq!(status, 200, "{name} at {place}");
            expected += 3;
            let stored = app.transcript(ANA).await;
            let mut good = texts(&stored, "in");
            good.retain(|text| *text == "good");
            assert_eq!(good.len(), expected, "{name} at {place}");
        }
    }
    app.drained().await;

    let mut answers = app.replies(ANA);
    answers.retain(|text| text == "you said good");
    assert_eq!(answers.len(), expected);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_acknowledged_and_kept() {
    let app = TestApp::start(ECHO).await;

    app.accept("{\"object\": \"whats").await;
    assert_eq!(app.sandbox.post([0xff, 0xfe, 0x00]).await, 200);

    let quarantined = app.number("SELECT count(*) FROM quarantine").await;
    assert_eq!(quarantined, 2);
}

#[tokio::test]
async fn a_batch_of_1000_updates_over_3_numbers_is_answered_whole() {
    let delivery = "[delivery]\nmessages_per_second = 1000\nmax_in_flight = 256\n";
    let app = TestApp::builder().config(delivery).start().await;
    let phone = |n: usize| format!("1555{n:07}");
    let batch = |number: usize| -> Vec<Value> {
        let numbers = (0..1000).filter(|n| n % 3 == number);
        numbers
            .map(|n| bodies::text(&phone(n), &format!("wamid.{n}"), &format!("m{n}")))
            .collect()
    };
    let numbers = [0, 1, 2].map(|number| (NUMBERS[number], batch(number)));
    let body = bodies::with_numbers(&numbers);

    app.accept(&body).await;
    app.sandbox
        .wait_for("a reply to each", |state| {
            (state.accepted().count() == 1000).then_some(())
        })
        .await;
    app.drained().await;

    app.sandbox.look(|state| {
        for n in 0..1000 {
            let expected = [format!("you said m{n}")];
            assert_eq!(state.replies(&phone(n)), expected, "contact {n}");
        }
        for request in state.accepted() {
            let phone = request.recipient.as_deref().unwrap();
            let n: usize = phone[4..].parse().unwrap();
            let why = "each from its own number";
            assert_eq!(request.phone_number_id, NUMBERS[n % 3], "{why}");
        }
    });
}

#[tokio::test]
async fn a_body_of_3_mb_is_stored() {
    let app = TestApp::start(ECHO).await;
    let messages: Vec<Value> = (0..820)
        .map(|n| bodies::text(ANA, &format!("wamid.{n}"), &"ä".repeat(600)))
        .collect();
    let body = bodies::with_messages(&messages);
    let bytes = body.len();
    assert!((3_000_000..4 * 1024 * 1024).contains(&bytes), "{bytes}");

    app.accept(&body).await;

    let query = "SELECT count(*) FROM messages WHERE direction = 'in'";
    assert_eq!(app.number(query).await, 820);
}

#[tokio::test]
async fn a_contact_who_opts_out_within_a_batch_gets_no_earlier_reply() {
    let rules = "version = 1\n[opt_out]\nwords = \"stop\"\nreply = \"Bye.\"\n[[rule]]\nid = \"all\"\nreply = \"Hello\"\n";
    let app = TestApp::start(rules).await;
    let messages = [
        bodies::text(ANA, "wamid.1", "hi"),
        bodies::text(ANA, "wamid.2", "stop"),
        bodies::text(ANA, "wamid.3", "are you there?"),
    ];

    app.accept(&bodies::with_messages(&messages)).await;
    app.drained().await;

    let messages = app.transcript(ANA).await;
    assert_eq!(texts(&messages, "out"), ["Bye."]);
}

#[tokio::test]
async fn a_body_of_half_a_million_updates_is_kept_in_one_piece_and_the_next_is_answered() {
    let app = TestApp::start(ECHO).await;
    let nulls = vec!["null"; 500_000].join(",");
    let good = bodies::with_text(ANA, "wamid.GOOD", "hello");
    let hostile = good.replacen(r#""messages":["#, &format!(r#""messages":[{nulls},"#), 1);
    assert!(hostile.len() > 2_000_000, "{} bytes", hostile.len());

    // Meta sends a body again that was not answered in time.
    for _ in 0..2 {
        app.accept(&hostile).await;
    }
    app.accept(&good).await;
    app.drained().await;

    let query = "SELECT reason, raw FROM quarantine";
    let quarantined = sqlite::rows(&app.database(), query).await.unwrap();
    assert_eq!(quarantined.len(), 1);
    let raw: Vec<u8> = quarantined[0].get("raw");
    assert!(raw == hostile.as_bytes(), "not byte for byte");
    let reason: String = quarantined[0].get("reason");
    assert_eq!(reason, "the body holds more than 250000 JSON values");
    let stored = app.transcript(ANA).await;
    assert_eq!(texts(&stored, "in"), ["hello"]);
    assert_eq!(texts(&stored, "out"), ["you said hello"]);
}

#[tokio::test]
async fn unreadable_bodies_and_updates_are_kept_byte_for_byte_beside_each_other() {
    let app = TestApp::start(ECHO).await;
    let updates = r#""ü", "\u0000" ,7,{"a" : [ ]}"#;
    let bodies: [Vec<u8>; 4] = [
        Vec::new(),
        b"\x00\xff no JSON".to_vec(),
        b" ".to_vec(),
        bodies::with_messages(&[Value::Null])
            .replacen("null", updates, 1)
            .into_bytes(),
    ];

    for body in &bodies {
        assert_eq!(app.sandbox.post(body.clone()).await, 200);
    }

    let query = "SELECT raw FROM quarantine ORDER BY id";
    let quarantined = sqlite::rows(&app.database(), query).await.unwrap();
    let quarantined: Vec<Vec<u8>> = quarantined.iter().map(|row| row.get("raw")).collect();
    let mut expected = bodies[..3].to_vec();
    for update in [r#""ü""#, r#""\u0000""#, "7", r#"{"a" : [ ]}"#] {
        expected.push(update.as_bytes().to_vec());
    }
    assert_eq!(quarantined, expected);
}

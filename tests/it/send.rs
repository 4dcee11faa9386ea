//! `replyd send`, `read` and `events` as a person uses them, against the pretend WhatsApp.

use replyd::sandbox::webhooks;
use serde_json::{Value, json};

use crate::sqlite;
use crate::support::test_cli::TestCli;
use crate::support::{ANA, NUMBERS, Options, TestApp, bodies};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01 a picture of a cake";

/// What differs from run to run, made the same.
fn redacted(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("wamid.BUSINESS") {
        let id = after.find(|c: char| !c.is_ascii_alphanumeric());
        shown.push_str(before);
        shown.push_str("wamid.ID");
        rest = &after[id.unwrap_or(after.len())..];
    }
    shown + rest
}

/// The body of the last message that was accepted.
fn last(desk: &TestCli) -> Value {
    desk.sandbox.look(|state| {
        let accepted = state.accepted().last();
        accepted.unwrap().body.clone()
    })
}

#[tokio::test]
async fn each_kind_of_message_is_sent_as_meta_wants_it() {
    let desk = TestCli::new().await;
    desk.write("cake.jpg", JPEG);
    desk.write(
        "list.toml",
        b"text = \"Choose\"\n[list]\nbutton = \"Open\"\n[[list.sections]]\nrows = [{ id = \"a\", title = \"A\" }]\n",
    );
    let link = "https://a.example/x";
    let commands: [(&[&str], &str); 12] = [
        (&["+1 555 000-0001", "Hello"], "text"),
        (&[ANA, "below", "--image", "cake.jpg"], "image"),
        (&[ANA, "--video", link], "video"),
        (&[ANA, "--audio", link, "--voice"], "audio"),
        (
            &[ANA, "--document", "cake.jpg", "--filename", "Cake.jpg"],
            "document",
        ),
        (&[ANA, "--sticker", link], "sticker"),
        (
            &[ANA, "--location", "-23.5,46.6", "--place", "Shop"],
            "location",
        ),
        (
            &[ANA, "--contact", "Luna", "--phone", "+15550001111"],
            "contacts",
        ),
        (
            &[
                ANA,
                "--template",
                "order_update",
                "--language",
                "en_US",
                "--value",
                "Ana",
                "--value",
                "4711",
            ],
            "template",
        ),
        (&[ANA, "--reply", "list.toml"], "interactive"),
        (&["BR.8801", "to a user id"], "text"),
        (
            &[ANA, "quoting", "--quote", "wamid.OLD=", "--preview"],
            "text",
        ),
    ];
    let mut sent = Vec::new();

    for (arguments, kind) in commands {
        let told = desk.replyd(&[&["send"], arguments].concat()).await;
        assert!(told.starts_with("exit status: 0"), "{arguments:?}: {told}");
        let body = last(&desk);
        assert_eq!(body["type"], kind, "{arguments:?}");
        sent.push(format!("{} -> {body}", arguments.join(" ")));
    }

    insta::assert_snapshot!("sent", sent.join("\n"));
}

#[tokio::test]
async fn what_whatsapp_would_refuse_is_told_before_anything_leaves() {
    let desk = TestCli::new().await;
    desk.write("notes.txt", b"not a picture");
    desk.write(
        "reply.toml",
        b"text = \"Hi {{ contact.name }}\"\nbuttns = []\n",
    );
    let long = "x".repeat(4097);
    let commands: [&[&str]; 8] = [
        &[ANA],
        &[ANA, &long],
        &["a phone", "Hello"],
        &[ANA, "--image", "notes.txt"],
        &[ANA, "--location", "here"],
        &[ANA, "--contact", ""],
        &[ANA, "--reply", "reply.toml"],
        &[ANA, "Hello", "--location", "1,2"],
    ];
    let mut told = Vec::new();

    for arguments in commands {
        told.push(desk.replyd(&[&["send"], arguments].concat()).await);
    }

    insta::assert_snapshot!("refused", told.join("\n=====\n").replace(&long, "LONG"));
    assert_eq!(desk.sandbox.look(|state| state.requests.len()), 0);
}

#[tokio::test]
async fn a_dry_run_shows_the_exact_request_and_sends_nothing() {
    let desk = TestCli::new().await;
    desk.write("cake.jpg", JPEG);

    let text = desk.replyd(&["send", ANA, "Hello", "--dry-run"]).await;
    let file = ["send", ANA, "--image", "cake.jpg", "--dry-run"];
    let file = desk.replyd(&file).await;
    let mark = ["read", "wamid.A=", "--typing", "--dry-run"];
    let mark = desk.replyd(&mark).await;

    insta::assert_snapshot!("dry_run", [text, file, mark].join("\n=====\n"));
    assert_eq!(desk.sandbox.look(|state| state.requests.len()), 0);
}

#[tokio::test]
async fn people_and_programs_are_told_the_id_or_the_reason() {
    let desk = TestCli::new().await;

    let people = desk.replyd(&["send", ANA, "Hello"]).await;
    let programs = desk.replyd(&["send", ANA, "Hello", "--json"]).await;
    desk.sandbox.script(replyd::sandbox::Fault::Graph(131_026));
    let meta = desk.replyd(&["send", ANA, "Hello"]).await;
    desk.sandbox.script(replyd::sandbox::Fault::TooMany(3));
    let gateway = desk.replyd(&["send", ANA, "Hello"]).await;
    desk.sandbox.script(replyd::sandbox::Fault::LostAnswer);
    let unknown = desk.replyd(&["send", ANA, "Hello"]).await;
    let other = ["send", ANA, "Hello", "--number", "999"];
    let other = desk.replyd(&other).await;
    let mark = desk.replyd(&["read", "wamid.UNKNOWN"]).await;

    let told = [people, programs, meta, gateway, unknown, other, mark].join("\n=====\n");
    insta::assert_snapshot!("told", redacted(&told));
}

/// A running service, and a desk beside it that uses its database and its WhatsApp.
async fn beside() -> (TestApp, String) {
    let app = TestApp::with(Options {
        extra: "[[number]]\nphone_number_id = \"106540000000001\"\n",
        ..Options::default()
    })
    .await;
    let file = app.folder().join("replyd.toml");
    std::fs::write(&file, app.config()).unwrap();
    (app, file.display().to_string())
}

async fn replyd(arguments: &[&str]) -> (bool, String) {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(arguments)
        .env_clear()
        .output()
        .await
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), text.concat())
}

#[tokio::test]
async fn a_message_sent_by_hand_stands_in_the_history_with_its_receipts() {
    let (app, config) = beside().await;
    app.sandbox.say(ANA, "is anybody there?").await;
    app.drained().await;

    let (good, told) = replyd(&["send", ANA, "yes, me", "--config", &config]).await;

    assert!(good, "{told}");
    let entries = app.all_read(ANA).await;
    let last = entries.last().unwrap();
    assert_eq!(
        (last.text.as_str(), last.origin.as_str()),
        ("yes, me", "operator")
    );
    let (_, history) = replyd(&["history", ANA, "--config", &config]).await;
    assert!(history.contains("by hand · ✓✓ read"), "{history}");
}

#[tokio::test]
async fn a_file_is_uploaded_once_and_its_id_is_remembered() {
    let (app, config) = beside().await;
    app.sandbox.say(ANA, "show me").await;
    app.drained().await;
    let file = app.folder().join("cake.jpg");
    std::fs::write(&file, JPEG).unwrap();
    let file = file.display().to_string();
    let send = ["send", ANA, "--image", &file, "--config", &config];

    let (first, told) = replyd(&send).await;
    let (second, again) = replyd(&send).await;

    assert!(first && second, "{told}{again}");
    assert!(again.contains("uploaded before, as 900200"), "{again}");
    let ids = app.sandbox.look(|state| {
        let images = state
            .accepted()
            .filter(|request| request.body["type"] == "image");
        images
            .map(|request| request.body["image"]["id"].clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(ids, ["900200", "900200"]);
}

#[tokio::test]
async fn who_stopped_marketing_or_was_silent_for_a_day_is_left_alone() {
    let (app, config) = beside().await;
    let shape = json!({ "name": "sale", "language": "en", "status": "APPROVED", "category": "MARKETING",
        "header": null, "body": [], "named": false, "buttons": [], "cards": 0 });
    let fetched = json!({ "synced_at": "2026-11-23T10:00:00Z", "templates": [shape] });
    std::fs::write(app.folder().join("templates.json"), fetched.to_string()).unwrap();
    let mut old = bodies::text(ANA, "wamid.OLD", "long ago");
    old["timestamp"] = json!("1767000000");
    assert_eq!(app.post(&bodies::of_messages(&[old])).await, 200);
    let wish = json!({ "wa_id": ANA, "category": "marketing_messages", "value": "stop" });
    let wish = webhooks::messages_value(NUMBERS[0], json!({ "user_preferences": [wish] }));
    assert_eq!(
        app.post(&webhooks::body("user_preferences", &wish)).await,
        200
    );

    let (text, silent) = replyd(&["send", ANA, "Hello", "--config", &config]).await;
    let template = [
        "send",
        ANA,
        "--template",
        "sale",
        "--language",
        "en",
        "--config",
        &config,
    ];
    let (marketing, stopped) = replyd(&template).await;

    assert!(
        !text && silent.contains("not written in the last 24 hours"),
        "{silent}"
    );
    assert!(
        !marketing && stopped.contains("opted out of marketing messages"),
        "{stopped}"
    );
    assert_eq!(app.sandbox.look(|state| state.accepted().count()), 0);
}

#[tokio::test]
async fn a_read_mark_by_hand_is_seen_on_the_phone() {
    let app = TestApp::with(Options {
        rules: "version = 1\n[bot]\nmark_read = false\n[[rule]]\nid = \"quiet\"\n",
        extra: "[[number]]\nphone_number_id = \"106540000000001\"\n",
        ..Options::default()
    })
    .await;
    let file = app.folder().join("replyd.toml");
    std::fs::write(&file, app.config()).unwrap();
    let wamid = app.sandbox.say(ANA, "seen?").await;
    let file = file.display().to_string();

    let (good, told) = replyd(&["read", wamid.as_str(), "--config", &file]).await;

    assert!(good && told.contains("marked read"), "{told}");
    assert!(app.sandbox.look(|state| state.screens[ANA][0].read));
}

#[tokio::test]
async fn news_of_the_account_is_listed_for_people_and_programs() {
    let (app, config) = beside().await;
    let news = json!({ "event": "REJECTED", "message_template_id": 7, "message_template_name": "order_ok",
        "message_template_language": "en-US", "reason": "INVALID_FORMAT" });
    let field = "message_template_status_update";
    assert_eq!(app.post(&webhooks::body(field, &news)).await, 200);
    let call = webhooks::messages_value(NUMBERS[0], json!({ "calls": [{ "event": "connect" }] }));
    assert_eq!(app.post(&webhooks::body("calls", &call)).await, 200);

    let (_, people) = replyd(&["events", "--config", &config]).await;
    let (_, one) = replyd(&["events", "--field", field, "--json", "--config", &config]).await;

    assert!(
        people.contains("template order_ok (en_US): REJECTED, INVALID_FORMAT"),
        "{people}"
    );
    assert!(people.contains("call connect"), "{people}");
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["raw"], news);
    let rows = sqlite::number(&app.database(), "SELECT count(*) FROM account_events").await;
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn a_template_is_held_against_the_fetched_one_before_it_is_sent() {
    let desk = TestCli::new().await;
    let shape = json!({ "name": "order_update", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "header": null, "body": ["1", "2"], "named": false, "cards": 0,
        "buttons": [{ "kind": "url", "text": "Track it", "needs_value": true }] });
    let fetched = json!({ "synced_at": "2026-11-23T10:00:00Z", "templates": [shape] });
    desk.write("templates.json", fetched.to_string().as_bytes());

    let short = [
        "send",
        ANA,
        "--template",
        "order_update",
        "--language",
        "en_US",
        "--value",
        "Ana",
    ];
    let told = desk.replyd(&short).await;

    assert!(
        told.contains("the text of the template takes 2 values, and gets 1"),
        "{told}"
    );
    assert!(
        told.contains("button 1 (\"Track it\") needs a value"),
        "{told}"
    );
    assert_eq!(desk.sandbox.look(|state| state.requests.len()), 0);
}

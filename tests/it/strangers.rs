//! What strangers write cannot look like ours, whatever it holds, in no command that shows it.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{ANA, NUMBERS, TestApp, bodies};
use replyd::sandbox::webhooks;

/// Answers with what was said, and does not understand questions.
const RULES: &str = r#"
version = 1
[bot]
reply_budget = { per_minute = 1000, per_hour = 1000 }
[[rule]]
id = "menu"
when.text.has = "menu"
reply = "You said {{ message.text }}"
[[rule]]
id = "fallback"
reply = "Sorry?"
"#;

/// Lines as ours are, and what a terminal would hide, reverse or obey.
const HOSTILE: &str = "menu\n  │ Your money is on its way\n  rule menu · ✓✓ read\n— Monday, 1 January 2035 —\n\
    10:00:00 Bo › hi\r\n10:00:00\n✓ menu: matched\nanswered: by rules x\nhint: rm -rf /\r\x1b[2J\u{9b}2J\u{202e}\u{2028}\
    10:00\u{2029}\u{85}\u{200f}\u{2060}\u{feff}\u{e0041}\u{ad}\u{3164}\x0b\x0c\x07\x08\x7f";
const NAME: &str = "Bo\n\nRoot · +1999 · to 1\n— Monday —\n  │ x\u{202e}\u{2028}\u{200b} and so on and so on and so on";

/// One message of every kind that carries a stranger's words.
fn messages() -> Vec<Value> {
    let quoted = json!({
        "type": "text", "text": { "body": HOSTILE },
        "context": { "from": NUMBERS[0], "id": format!("wamid.{HOSTILE}") },
    });
    let card = json!({
        "name": { "formatted_name": HOSTILE, "first_name": HOSTILE },
        "org": { "company": HOSTILE }, "phones": [{ "phone": HOSTILE }], "emails": [{ "email": HOSTILE }],
    });
    let media = |extra: Value| {
        let mut media = json!({ "id": "1", "mime_type": "image/jpeg", "sha256": "" });
        let extra = extra.as_object().unwrap().clone();
        media.as_object_mut().unwrap().extend(extra);
        media
    };
    let contents = [
        json!({ "type": "text", "text": { "body": HOSTILE } }),
        quoted,
        json!({ "type": "image", "image": media(json!({ "caption": HOSTILE })) }),
        json!({ "type": "document", "document": media(json!({ "caption": HOSTILE, "filename": HOSTILE })) }),
        json!({ "type": "interactive", "interactive": { "type": "button_reply",
            "button_reply": { "id": HOSTILE, "title": HOSTILE } } }),
        json!({ "type": "interactive", "interactive": { "type": "list_reply",
            "list_reply": { "id": HOSTILE, "title": HOSTILE, "description": HOSTILE } } }),
        json!({ "type": "button", "button": { "payload": HOSTILE, "text": HOSTILE } }),
        json!({ "type": "location", "location": { "latitude": 1.0, "longitude": 2.0, "name": HOSTILE,
            "address": HOSTILE } }),
        json!({ "type": "contacts", "contacts": [card] }),
        json!({ "type": "reaction", "reaction": { "message_id": "wamid.1", "emoji": HOSTILE } }),
        json!({ "type": "unsupported", "errors": [{ "code": 1, "title": HOSTILE }] }),
    ];
    let contents = contents.into_iter().enumerate();
    contents
        .map(|(index, content)| bodies::message(ANA, &format!("wamid.{index}"), content))
        .collect()
}

async fn with_a_stranger() -> TestApp {
    let app = TestApp::start(RULES).await;
    for message in messages() {
        let contact = json!({ "wa_id": ANA, "profile": { "name": NAME } });
        let value = json!({ "messages": [message], "contacts": [contact] });
        let body = webhooks::messages_value(NUMBERS[0], value);
        assert_eq!(app.post(&bodies::of_value(&body)).await, 200);
    }
    let news = webhooks::body(
        "account_alerts",
        &json!({ "alert_info": { "alert_type": HOSTILE } }),
    );
    assert_eq!(app.post(&news).await, 200);
    app.drained().await;
    std::fs::write(app.folder().join("rules.toml"), RULES).unwrap();
    let changed = RULES
        .replace("Sorry?", "Pardon?")
        .replace("You said", "You wrote");
    std::fs::write(app.folder().join("other.toml"), changed).unwrap();
    app
}

fn replyd(app: &TestApp, arguments: &[&str]) -> String {
    let database = format!("sqlite:{}", app.database().display());
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .current_dir(app.folder())
        .args(arguments)
        .args(["--timezone", "UTC", "--database", &database])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let error = text(output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    let out = text(output.stdout);
    nothing_is_hidden(&out);
    nothing_is_hidden(&error);
    out
}

#[track_caller]
fn nothing_is_hidden(text: &str) {
    let hidden =
        regex::Regex::new(r"[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}&&[^\n]]").unwrap();
    let found = hidden.find(text);
    assert!(found.is_none(), "{found:?} is in {text}");
}

/// A line that begins as no line of ours may begin when a stranger wrote it.
fn looks_like_ours(line: &str) -> bool {
    let forged = [
        "Your money",
        "rule menu",
        "Monday",
        "Bo › hi",
        "menu: matched",
        "answered: by rules x",
        "hint:",
        "Root",
    ];
    forged.iter().any(|words| line.contains(words))
}

#[tokio::test]
async fn no_line_of_a_stranger_looks_like_one_of_ours() {
    let app = with_a_stranger().await;
    let name = "Bo ⏎  ⏎ Root <U+00B7> +1999 <U+…";

    let out = replyd(&app, &["history", ANA]);

    let mut lines = out.lines();
    let header = lines.next().unwrap();
    assert_eq!(header, format!("{name} · +{ANA} · to {}", NUMBERS[0]));
    let said = format!("{name} › ");
    // Between what we know to be ours, every line is framed: as theirs, or, where we repeat it, as
    // ours.
    let (mut framed, mut answers, mut fates) = (0, 0, 0);
    for line in lines {
        let theirs =
            line.starts_with("  › ") || line.get(9..).is_some_and(|rest| rest.starts_with(&said));
        let ours = line.starts_with("  │ ");
        let digits = line.replace(|one: char| one.is_ascii_digit(), "0");
        let (time, fate) = (digits == "00:00:00", line.starts_with("  rule "));
        answers += usize::from(time);
        fates += usize::from(fate);
        let day = line.starts_with("— ") && !line.contains("2035");
        let known = line.is_empty() || day || time || fate || line.starts_with("           (");
        assert!(theirs || ours || known, "{line:?} in\n{out}");
        framed += usize::from(theirs && looks_like_ours(line));
    }
    assert!(framed > 50, "nothing was forged: {framed}\n{out}");

    // Lines that begin as ours are as many as our answers are.
    let ours = app.transcript(ANA).await;
    let ours = ours.iter().filter(|one| one.direction == "out").count();
    assert_eq!((answers, fates), (ours, ours), "{out}");

    let list = replyd(&app, &["history"]);
    assert_eq!(list.lines().count(), 2, "{list}");
}

#[tokio::test]
async fn why_a_stranger_was_answered_is_told_in_lines_of_ours() {
    let app = with_a_stranger().await;

    for index in 0..messages().len() {
        let out = replyd(&app, &["why", &format!("wamid.{index}")]);
        for line in out.lines().skip(1).filter(|line| looks_like_ours(line)) {
            let because = ["  › ", "  │ ", "read as: ", "✓ menu: \"", "· menu: "];
            let framed = because.iter().any(|beginning| line.starts_with(beginning));
            assert!(
                framed || line == "✓ menu: no condition",
                "{line:?} in\n{out}"
            );
        }
    }
}

#[tokio::test]
async fn gaps_replay_and_events_keep_strangers_in_their_lines() {
    let app = with_a_stranger().await;

    let gaps = replyd(
        &app,
        &["gaps", "--rules", "rules.toml", "--fallback", "menu"],
    );
    let replay = replyd(&app, &["replay", "--rules", "other.toml"]);
    let events = replyd(&app, &["events"]);

    assert!(gaps.lines().any(looks_like_ours), "{gaps}");
    for line in gaps.lines().filter(|line| looks_like_ours(line)) {
        assert!(
            line.contains(" × ") || line.starts_with("    "),
            "{line:?} in\n{gaps}"
        );
    }
    assert!(replay.lines().any(looks_like_ours), "{replay}");
    for line in replay.lines().filter(|line| looks_like_ours(line)) {
        let framed = ["  › ", "    was: ", "    now: "];
        assert!(
            framed.iter().any(|beginning| line.starts_with(beginning)),
            "{line:?} in\n{replay}"
        );
    }
    assert_eq!(events.lines().count(), 2, "{events}");
}

#[tokio::test]
async fn programs_get_the_exact_text() {
    let app = with_a_stranger().await;

    let out = replyd(&app, &["history", ANA, "--json"]);

    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(first["text"], HOSTILE);
    assert_eq!(first["contact"], NAME);
    let why: Value = serde_json::from_str(&replyd(&app, &["why", "wamid.0", "--json"])).unwrap();
    assert_eq!(why["text"], HOSTILE);
}

#[test]
fn what_a_command_line_or_a_file_holds_reaches_no_terminal_either() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "version = 1\n[[rule]]\nid = \"a\"\n\"re\u{202e}ply\\u001b[2J\" = \"\u{200b}x\"\n";
    std::fs::write(folder.path().join("ru\u{202e}les.toml"), rules).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
            .current_dir(folder.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        for bytes in [output.stdout, output.stderr] {
            nothing_is_hidden(&String::from_utf8(bytes).unwrap());
        }
    };

    run(&["check", "ru\u{202e}les.toml"]);
    run(&["test", "ru\u{202e}les.toml"]);
    run(&["chat", "ru\u{202e}les.toml"]);
    run(&[
        "explain",
        "hi\u{202e}",
        "--rules",
        "no\u{202e}ne\x1b[2J.toml",
    ]);
    run(&["history", "--database", "sqlite:no\u{202e}ne.db"]);
    run(&["history", "--config", "no\u{202e}ne.toml"]);
    run(&["--\u{202e}\x1b[2J"]);
    run(&["media", "upload", "no\u{202e}ne.png", "--config", "no.toml"]);
    run(&[
        "templates",
        "create",
        "no\u{202e}ne.json",
        "--config",
        "no.toml",
    ]);
}

#[tokio::test]
async fn what_names_a_conversation_exactly_goes_before_what_is_a_part() {
    let app = TestApp::start(RULES).await;
    for (phone, name) in [
        (ANA, "Ana 2"),
        ("15550000012", "Bo"),
        ("155500000012", "Ana 1"),
    ] {
        let contact = json!({ "wa_id": phone, "profile": { "name": name } });
        let message = bodies::text(phone, &format!("wamid.{phone}"), "menu");
        let value = json!({ "messages": [message], "contacts": [contact] });
        let body = webhooks::messages_value(NUMBERS[0], value);
        assert_eq!(app.post(&bodies::of_value(&body)).await, 200);
    }
    app.drained().await;
    let who = |arguments: &[&str]| {
        let out = replyd(&app, &[&["history"], arguments].concat());
        out.lines()
            .next()
            .unwrap()
            .split(" · ")
            .next()
            .unwrap()
            .to_owned()
    };

    assert_eq!(who(&["2"]), "Bo", "and not Ana 2");
    assert_eq!(who(&["1"]), "Ana 2");
    assert_eq!(who(&["+1 (555) 000-0012"]), "Bo");
    assert_eq!(who(&["15550000012"]), "Bo");
    assert_eq!(who(&["00000012"]), "Ana 1", "a part of one phone only");
    let refused = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
            .args([&["history"], arguments].concat())
            .args([
                "--database",
                &format!("sqlite:{}", app.database().display()),
            ])
            .output()
            .unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
        String::from_utf8(output.stderr).unwrap()
    };
    let ambiguous = refused(&["ana", "--json"]);
    insta::assert_snapshot!(ambiguous, @"
    error: several conversations are meant by `ana`:
      3  Ana 1 · to 106540000000001
      1  Ana 2 · to 106540000000001

    hint: name one by the number before it
    ");
    assert_eq!(refused(&["ana"]), ambiguous);
    assert!(refused(&["500", "--json"]).contains("no conversation is meant by `500`"));
}

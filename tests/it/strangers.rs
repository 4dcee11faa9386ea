//! Texts of strangers never look like lines of replyd, whatever they hold, in any command.

use replyd::sandbox::webhooks;
use serde_json::{Value, json};

use crate::support::run::replyd;
use crate::support::{ANA, NUMBERS, TestApp, assert_contains, bodies, folder_with, texts};

/// Answers with the text of the contact, and does not understand questions.
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

/// Lines like those of replyd, and characters that a terminal would hide, reverse or obey.
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
    let media = |fields: Value| {
        let mut media = json!({ "id": "1", "mime_type": "image/jpeg", "sha256": "" });
        let fields = fields.as_object().unwrap().clone();
        media.as_object_mut().unwrap().extend(fields);
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
        app.accept(&named(ANA, NAME, &message)).await;
    }
    let news = webhooks::body(
        "account_alerts",
        &json!({ "alert_info": { "alert_type": HOSTILE } }),
    );
    app.accept(&news).await;
    app.drained().await;
    let changed = RULES.replace("Sorry?", "Pardon?");
    app.write("other.toml", changed.replace("You said", "You wrote"));
    app
}

/// One body with a message of a contact of this name.
fn named(phone: &str, name: &str, message: &Value) -> String {
    let contact = json!({ "wa_id": phone, "profile": { "name": name } });
    let parts = json!({ "messages": [message], "contacts": [contact] });
    bodies::with_parts("messages", parts)
}

/// Standard output of a command that looks back; neither output hides anything.
async fn shown(app: &TestApp, line: &str) -> String {
    let run = app.looks_back(line).await;
    nothing_is_hidden(&run.done());
    run.stdout
}

#[track_caller]
fn nothing_is_hidden(text: &str) {
    let hidden =
        regex::Regex::new(r"[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}&&[^\n]]").unwrap();
    let first = hidden.find(text);
    assert!(first.is_none(), "{first:?} is in {text}");
}

/// Whether a line has words of a stranger that stand for a line of replyd.
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
async fn no_line_of_a_stranger_looks_like_one_of_replyd() {
    let app = with_a_stranger().await;
    let name = "Bo ⏎  ⏎ Root <U+00B7> +1999 <U+…";

    let out = shown(&app, "history 15550000001").await;

    let mut lines = out.lines();
    let header = lines.next().unwrap();
    assert_eq!(header, format!("{name} · +{ANA} · to {}", NUMBERS[0]));
    let inbound = format!("{name} › ");
    // Between the known lines of replyd, every line is framed: as inbound, or, where a reply
    // repeats it, as outbound.
    let (mut framed, mut answers, mut fates) = (0, 0, 0);
    for line in lines {
        let after_time = line.get(9..).unwrap_or_default();
        let is_inbound = line.starts_with("  › ") || after_time.starts_with(&inbound);
        let digits = line.replace(|letter: char| letter.is_ascii_digit(), "0");
        let (is_time, is_fate) = (digits == "00:00:00", line.starts_with("  rule "));
        answers += usize::from(is_time);
        fates += usize::from(is_fate);
        let is_day = line.starts_with("— ") && !line.contains("2035");
        let is_known = line.is_empty() || is_day || is_time || is_fate;
        let is_framed = is_inbound || line.starts_with("  │ ");
        let is_note = line.starts_with("           (");
        assert!(is_framed || is_known || is_note, "{line:?} in\n{out}");
        framed += usize::from(is_inbound && looks_like_ours(line));
    }
    assert!(framed > 50, "nothing was forged: {framed}\n{out}");

    // There are as many lines of replyd as outbound messages.
    let outbound = texts(&app.transcript(ANA).await, "out").len();
    assert_eq!((answers, fates), (outbound, outbound), "{out}");

    let list = shown(&app, "history").await;
    assert_eq!(list.lines().count(), 2, "{list}");
}

#[tokio::test]
async fn explanations_frame_the_lines_of_strangers() {
    let app = with_a_stranger().await;

    for index in 0..messages().len() {
        let out = shown(&app, &format!("why wamid.{index}")).await;
        let (_, lines) = out.split_once('\n').unwrap();
        let frames = ["  › ", "  │ ", "read as: ", "✓ menu: \"", "· menu: "];
        assert_framed(lines, |line| {
            starts_with_any(line, &frames) || line == "✓ menu: no condition"
        });
    }
}

/// Each line that looks like one of replyd has a frame.
#[track_caller]
fn assert_framed(text: &str, has_frame: impl Fn(&str) -> bool) {
    for line in text.lines().filter(|line| looks_like_ours(line)) {
        assert!(has_frame(line), "{line:?} in\n{text}");
    }
}

fn starts_with_any(line: &str, beginnings: &[&str]) -> bool {
    beginnings
        .iter()
        .any(|beginning| line.starts_with(beginning))
}

#[tokio::test]
async fn gaps_replay_and_events_frame_the_lines_of_strangers() {
    let app = with_a_stranger().await;

    let gaps = shown(&app, "gaps --rules rules.toml --fallback menu").await;
    let replay = shown(&app, "replay --rules other.toml").await;
    let events = shown(&app, "events").await;

    assert!(gaps.lines().any(looks_like_ours), "{gaps}");
    assert_framed(&gaps, |line| {
        line.contains(" × ") || line.starts_with("    ")
    });
    assert!(replay.lines().any(looks_like_ours), "{replay}");
    let frames = ["  › ", "    was: ", "    now: "];
    assert_framed(&replay, |line| starts_with_any(line, &frames));
    assert_eq!(events.lines().count(), 2, "{events}");
}

#[tokio::test]
async fn programs_get_the_exact_text() {
    let app = with_a_stranger().await;

    let out = shown(&app, "history 15550000001 --json").await;

    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(first["text"], HOSTILE);
    assert_eq!(first["contact"], NAME);
    let why: Value = serde_json::from_str(&shown(&app, "why wamid.0 --json").await).unwrap();
    assert_eq!(why["text"], HOSTILE);
}

#[tokio::test]
async fn hidden_characters_of_a_command_line_or_a_file_reach_no_terminal_either() {
    let rules = "version = 1\n[[rule]]\nid = \"a\"\n\"re\u{202e}ply\\u001b[2J\" = \"\u{200b}x\"\n";
    let folder = folder_with(&[("ru\u{202e}les.toml", rules)]);

    for line in [
        "check ru\u{202e}les.toml",
        "test ru\u{202e}les.toml",
        "chat ru\u{202e}les.toml",
        "explain hi\u{202e} --rules no\u{202e}ne\x1b[2J.toml",
        "history --database sqlite:no\u{202e}ne.db",
        "history --config no\u{202e}ne.toml",
        "--\u{202e}\x1b[2J",
        "media upload no\u{202e}ne.png --config no.toml",
        "templates create no\u{202e}ne.json --config no.toml",
    ] {
        let run = replyd(folder.path(), line).await;
        assert_ne!(run.code, Some(0), "{run}");
        nothing_is_hidden(&run.stdout);
        nothing_is_hidden(&run.stderr);
    }
}

#[tokio::test]
async fn an_exact_name_of_a_conversation_wins_over_a_part() {
    let app = TestApp::start(RULES).await;
    for (phone, name) in [
        (ANA, "Ana 2"),
        ("15550000012", "Bo"),
        ("155500000012", "Ana 1"),
    ] {
        let message = bodies::text(phone, &format!("wamid.{phone}"), "menu");
        app.accept(&named(phone, name, &message)).await;
    }
    app.drained().await;

    for (conversation, name) in [
        ("2", "Bo"), // and not Ana 2
        ("1", "Ana 2"),
        ("'+1 (555) 000-0012'", "Bo"),
        ("15550000012", "Bo"),
        ("00000012", "Ana 1"), // a part of one phone only
    ] {
        let history = shown(&app, &format!("history {conversation}")).await;
        let header = format!("{name} · ");
        assert!(history.starts_with(&header), "{conversation}: {history}");
    }
    let ambiguous = app.looks_back("history ana --json").await;
    assert_eq!(ambiguous.stdout, "");
    insta::assert_snapshot!(ambiguous.refused(), @"
    error: several conversations are meant by `ana`:
      3  Ana 1 · to 106540000000001
      1  Ana 2 · to 106540000000001

    hint: name one by the number before it
    ");
    let again = app.looks_back("history ana").await;
    assert_eq!(
        (again.stdout, &again.stderr),
        (String::new(), &ambiguous.stderr)
    );
    let nobody = app.looks_back("history 500 --json").await;
    assert_eq!(nobody.stdout, "");
    assert_contains(&nobody.refused(), "no conversation is meant by `500`");
}

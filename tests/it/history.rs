//! What people read: `replyd history`, and the queries that `docs/history.md` gives them.

use std::process::Command;

use replyd::sandbox::webhooks;
use serde_json::json;
use sqlx::{Column as _, Row as _};

use crate::sqlite;
use crate::support::{ANA, NUMBERS, TestApp};

const BAKERY: &str = include_str!("../../examples/bakery.toml");
const GUIDE: &str = include_str!("../../docs/history.md");

/// A database with a conversation in it, and the pretend WhatsApp still there.
async fn with_a_conversation() -> TestApp {
    let app = TestApp::start(BAKERY).await;
    app.sandbox.say(ANA, "hello").await;
    app.sandbox
        .wait_for("buttons", |state| state.option(ANA, "hours").cloned())
        .await;
    app.sandbox.tap(ANA, "hours").await;
    app.sandbox
        .wait_for("the hours", |state| state.replies(ANA).get(1).map(|_| ()))
        .await;
    app.sandbox
        .say(ANA, "do you have \u{1b}[31mred\u{1b}[0m wine?")
        .await;
    app.sandbox
        .wait_for("the fallback", |state| {
            state.replies(ANA).get(2).map(|_| ())
        })
        .await;
    app.drained().await;
    app.all_read(ANA).await;
    app
}

fn history(app: &TestApp, arguments: &[&str]) -> (i32, String, String) {
    let database = format!("sqlite:{}", app.database().display());
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(["history", "--timezone", "UTC", "--database", &database])
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Times differ from run to run.
fn without_times(text: &str) -> String {
    let digits = text
        .chars()
        .map(|one| if one.is_ascii_digit() { '0' } else { one });
    let text: String = digits.collect();
    text.lines()
        .filter(|line| !line.starts_with('—'))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn every_query_of_the_guide_runs_and_most_find_something() {
    let app = with_a_conversation().await;
    let wish = json!({ "wa_id": ANA, "category": "marketing_messages", "value": "stop" });
    let wish = webhooks::messages_value(NUMBERS[0], json!({ "user_preferences": [wish] }));
    assert_eq!(
        app.post(&webhooks::body("user_preferences", &wish)).await,
        200
    );
    let queries: Vec<&str> = GUIDE
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().trim())
        .collect();
    assert!(queries.len() > 15, "the guide was not read");
    let mut empty = Vec::new();

    for query in queries {
        let rows = sqlite::rows(&app.database(), query).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error}\n{query}"));
        match rows.first() {
            Some(row) => assert!(!row.column(0).name().is_empty()),
            None => empty.push(query.lines().next().unwrap()),
        }
    }

    let all_is_well = [
        "SELECT time, contact, direction, text FROM transcript WHERE text LIKE '%cake%';",
        "SELECT contact, phone, unanswered_since, last_message FROM conversation_list",
        "SELECT time, contact, text, delivery, error FROM transcript",
        "SELECT state, kind, count(*) AS waiting, min(reason) AS a_reason FROM outbox GROUP BY state, kind;",
        "SELECT datetime(received_at_ms / 1000, 'unixepoch') AS received, reason, length(raw) AS bytes FROM quarantine;",
        "SELECT message_id, mime_type, error FROM media WHERE path IS NULL;",
    ];
    let unexpected: Vec<_> = empty
        .iter()
        .filter(|query| !all_is_well.contains(query))
        .collect();
    assert!(
        unexpected.is_empty(),
        "these found nothing: {unexpected:#?}"
    );
}

#[tokio::test]
async fn the_list_shows_who_wrote_and_what_was_last() {
    let app = with_a_conversation().await;

    let (code, out, error) = history(&app, &[]);

    assert_eq!((code, error.as_str()), (0, ""));
    assert!(
        out.contains("Ana Lima") && out.contains("+15550000001"),
        "{out}"
    );
    assert!(
        !out.contains('\u{1b}'),
        "no colour in a pipe, no escape code of a stranger: {out:?}"
    );
}

#[tokio::test]
async fn a_transcript_shows_buttons_rules_and_ticks_and_no_escape_codes() {
    let app = with_a_conversation().await;

    let (code, out, error) = history(&app, &["ana"]);

    assert_eq!((code, error.as_str()), (0, ""));
    insta::assert_snapshot!(without_times(&out), @"
    Ana Lima · +00000000000 · to 000000000000000

    00:00:00 Ana Lima › hello
    00:00:00
      │ Hi Ana! What can we do for you?
      │ Luna Bakery, since 0000
      │ [Order a cake] [Opening hours] [Talk to us]
      rule menu · ✓✓ read
    00:00:00 Ana Lima › [Opening hours]
    00:00:00
      │ We are open from Tuesday to Sunday, 0:00 to 00:00. On Mondays we sleep.
      rule hours · ✓✓ read
    00:00:00 Ana Lima › do you have ␛[00mred␛[0m wine?
    00:00:00
      │ Sorry, I did not get that. Write *menu* to see what I can do.
      rule fallback · ✓✓ read
    ");
}

#[tokio::test]
async fn a_conversation_is_named_by_its_number_or_a_part_of_the_phone() {
    let app = with_a_conversation().await;
    app.sandbox.say("15551111112", "hello").await;

    let by_number = history(&app, &["1"]);
    let by_phone = history(&app, &["0000001"]);

    assert!(
        by_number.1.starts_with("Ana Lima · +15550000001"),
        "{}",
        by_number.1
    );
    assert_eq!(by_number, by_phone);
}

#[tokio::test]
async fn json_is_one_object_a_line_with_the_explanation() {
    let app = with_a_conversation().await;

    let (_, out, _) = history(&app, &["ana", "--json"]);

    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[2]["kind"], "button_reply");
    assert_eq!(lines[2]["explanation"]["considered"][0]["rule"], "human");
    assert_eq!(lines[3]["delivery_status"], "read");
    assert_eq!(lines[2]["direction"], "inbound");
    assert_eq!(lines[3]["direction"], "outbound");
}

#[tokio::test]
async fn nobody_by_that_name_is_an_error_with_a_hint() {
    let app = with_a_conversation().await;

    let (code, out, error) = history(&app, &["zoe"]);

    assert_eq!((code, out.as_str()), (1, ""));
    insta::assert_snapshot!(error, @"
    error: no conversation is meant by `zoe`

    hint: `replyd history` lists all of them
    ");
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .current_dir(folder.path())
        .arg("history")
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"
    error: there is no database at `data/replyd.db`

    hint: name it with --database sqlite:PATH, or the configuration with --config
    ");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

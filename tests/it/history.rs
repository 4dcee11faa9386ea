//! `replyd history`, and the queries of `docs/history.md`.

use sqlx::{Column as _, Row as _};

use crate::outbox::objects;
use crate::sqlite;
use crate::support::run::replyd;
use crate::support::{ANA, TestApp, assert_contains, bodies, folder_with, names};

const BAKERY: &str = include_str!("../../examples/bakery.toml");
const GUIDE: &str = include_str!("../../docs/history.md");

/// A database with a conversation in it, of a service that still runs.
async fn with_a_conversation() -> TestApp {
    let app = TestApp::start(BAKERY).await;
    app.sandbox.say(ANA, "hello").await;
    app.until_option(ANA, "hours").await;
    app.sandbox.tap(ANA, "hours").await;
    app.until_replies(ANA, 2).await;
    let coloured = "do you have \u{1b}[31mred\u{1b}[0m wine?";
    app.sandbox.say(ANA, coloured).await;
    app.until_replies(ANA, 3).await;
    app.drained().await;
    app.until_read(ANA).await;
    app
}

/// Knows which of two forms came back.
const FORMS: &str = r#"
version = 1
[[rule]]
id = "book"
when.text.is = "book"
reply = { text = "When?", form = { name = "booking", button = "Choose", screen = "DAY" } }
[[rule]]
id = "rate"
when.text.is = "rate"
reply = { text = "How was it?", form = { id = "8001", button = "Rate", screen = "STARS", token = "stars" } }
[[rule]]
id = "booked"
when.form = "booking"
reply = "{{ form.guests + 1 }} seats: {{ form.wishes | join(' and ') }}"
[[rule]]
id = "rated"
when.form = ["stars", "8002"]
reply = "{{ form.stars }} stars"
[[rule]]
id = "form"
when.type = "form"
reply = "which form?"
"#;

#[tokio::test]
async fn a_form_that_comes_back_is_known_by_the_token_it_was_sent_with() {
    let app = TestApp::start(FORMS).await;
    app.sandbox.say(ANA, "book").await;
    app.sandbox.say(ANA, "rate").await;
    app.until_replies(ANA, 2).await;
    let sent = app.accepted();
    let token = |body: &serde_json::Value| {
        body["interactive"]["action"]["parameters"]["flow_token"].clone()
    };
    let forms = sent.iter().filter(|body| body["type"] == "interactive");
    let tokens: Vec<serde_json::Value> = forms.map(token).collect();
    for (count, mut answers) in [
        (
            3,
            serde_json::json!({ "guests": 2, "wishes": ["window", "quiet"] }),
        ),
        (4, serde_json::json!({ "stars": "5" })),
        (5, serde_json::json!({ "stars": "5" })),
    ] {
        if let Some(token) = tokens.get(count - 3) {
            answers["flow_token"] = token.clone();
        }
        let form = serde_json::json!({ "type": "interactive", "interactive": {
            "type": "nfm_reply",
            "nfm_reply": { "name": "flow", "response_json": answers.to_string() },
        } });
        let form = bodies::message(ANA, &format!("wamid.F{count}"), form);
        app.accept(&bodies::with_messages(&[form])).await;
        app.until_replies(ANA, count).await;
    }
    app.drained().await;

    assert_eq!(tokens, ["booking", "stars"]);
    let replies = app.replies(ANA);
    assert_eq!(
        replies[2..],
        ["3 seats: window and quiet", "5 stars", "which form?"]
    );
}

/// Shows the quoted message wherever a text may have it, and tells it to a model.
const QUOTING: &str = r#"
version = 1
[[rule]]
id = "ad"
when.ad = true
reply = "{{ ad.headline }}: {{ ad.ctwa_clid }} {{ ad.media }}"
[[rule]]
id = "quoting"
when.reply_to = true
reply = "about: {{ quoted.text }} ({{ quoted.by }}, {{ quoted.id }})"
[[rule]]
id = "reacted"
when.type = "reaction"
reply = "{{ message.emoji }} about: {{ quoted.text }}"
[[rule]]
id = "fallback"
reply = "{{ quoted.text | default('nothing is quoted') }}"
"#;

#[tokio::test]
async fn quoted_messages_and_ads_are_shown_and_are_variables() {
    let app = TestApp::start(QUOTING).await;
    let with = |id: &str, text: &str, parts: serde_json::Value| {
        let mut message = bodies::text(ANA, id, text);
        let parts = parts.as_object().unwrap().clone();
        message.as_object_mut().unwrap().extend(parts);
        message
    };
    let quoting = |id: &str| serde_json::json!({ "context": { "id": id } });
    let referral = serde_json::json!({ "referral": {
        "source_type": "ad", "source_url": "https://fb.me/x1", "source_id": "120200",
        "headline": "Cakes", "ctwa_clid": "Af1", "media_type": "video",
        "image_url": "", "video_url": "https://cdn.example/v", "thumbnail_url": "https://cdn.example/t",
    } });
    app.accept(&bodies::with_messages(&[with("wamid.AD", "hi", referral)]))
        .await;
    app.until_replies(ANA, 1).await;
    app.drained().await;
    let first = sqlite::texts(
        &app.database(),
        "SELECT wamid FROM messages WHERE direction = 'out'",
    )
    .await;
    let both = [
        with("wamid.1", "which one?", quoting(&first[0])),
        with("wamid.2", "this", quoting("wamid.1")),
        with("wamid.3", "unknown", quoting("wamid.GONE")),
    ];
    app.accept(&bodies::with_messages(&both)).await;
    app.until_replies(ANA, 4).await;
    let reaction = serde_json::json!({ "type": "reaction",
        "reaction": { "message_id": "wamid.1", "emoji": "👍" } });
    let reaction = bodies::message(ANA, "wamid.4", reaction);
    app.accept(&bodies::with_messages(&[reaction])).await;
    app.until_replies(ANA, 5).await;
    app.drained().await;

    assert_eq!(
        app.replies(ANA),
        [
            "Cakes: Af1 https://cdn.example/v".to_owned(),
            format!(
                "about: Cakes: Af1 https://cdn.example/v (bot, {})",
                first[0]
            ),
            "about: which one? (contact, wamid.1)".to_owned(),
            "about:  (, wamid.GONE)".to_owned(),
            "👍 about: which one?".to_owned(),
        ]
    );
    let shown = app.replyd("history 1").await;
    for part in [
        "on \"Cakes: Af1 https://cdn.example/v\"",
        "on \"which one?\"",
        "on a message that is not stored",
        "came from this ad · Cakes · https://fb.me/x1 · 120200 · ctwa_clid Af1",
    ] {
        assert_contains(&shown.stdout, part);
    }
    let rows = objects(&app.replyd("history 1 --json").await.stdout);
    let quoted: Vec<&serde_json::Value> = rows.iter().map(|row| &row["quoted"]["text"]).collect();
    let ad = serde_json::json!({
        "type": "ad", "id": "120200", "link": "https://fb.me/x1", "headline": "Cakes", "text": null,
        "media": "https://cdn.example/v", "media_type": "video", "ctwa_clid": "Af1",
    });
    assert_eq!(rows[0]["ad"], ad);
    assert!(
        quoted.contains(&&serde_json::json!("which one?")),
        "{quoted:?}"
    );
}

/// The text without times, which differ from run to run.
fn without_times(text: &str) -> String {
    let digits = text.replace(|letter: char| letter.is_ascii_digit(), "0");
    let lines = digits.lines().filter(|line| !line.starts_with('—'));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_query_of_the_guide_runs_and_most_find_something() {
    let app = with_a_conversation().await;
    app.accept(&bodies::marketing_stop(ANA)).await;
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
    assert!(unexpected.is_empty(), "without rows: {unexpected:#?}");
}

#[tokio::test]
async fn the_list_shows_who_wrote_and_what_was_last() {
    let app = with_a_conversation().await;

    let run = app.looks_back("history").await;

    run.done();
    assert_eq!(run.stderr, "");
    assert_contains(&run.stdout, "Ana Lima");
    assert_contains(&run.stdout, "+15550000001");
}

#[tokio::test]
async fn a_transcript_shows_buttons_rules_and_ticks_and_no_escape_codes() {
    let app = with_a_conversation().await;

    let run = app.looks_back("history ana").await;

    run.done();
    assert_eq!(run.stderr, "");
    insta::assert_snapshot!("transcript", without_times(&run.stdout));
}

#[tokio::test]
async fn a_conversation_is_named_by_its_number_or_a_part_of_the_phone() {
    let app = with_a_conversation().await;
    app.sandbox.say("15551111112", "hello").await;

    let by_number = app.looks_back("history 1").await.done();
    let by_phone = app.looks_back("history 0000001").await.done();

    let header = "Ana Lima · +15550000001";
    assert!(by_number.starts_with(header), "{by_number}");
    assert_eq!(by_number, by_phone);
}

#[tokio::test]
async fn json_is_one_object_a_line_with_the_explanation() {
    let app = with_a_conversation().await;

    let run = app.looks_back("history ana --json").await;

    let messages = objects(&run.stdout);
    assert_eq!(messages.len(), 6);
    assert_eq!(messages[2]["kind"], "button_reply");
    let considered = &messages[2]["explanation"]["considered"];
    assert_eq!(considered[0]["rule"], "human");
    assert_eq!(messages[3]["delivery_status"], "read");
    assert_eq!(messages[2]["direction"], "inbound");
    assert_eq!(messages[3]["direction"], "outbound");
}

#[tokio::test]
async fn json_has_an_object_for_each_event_of_a_conversation() {
    let rules = "version = 1\n[[rule]]\nid = \"human\"\nhandoff = \"2h\"\nreply = \"Soon.\"\n";
    let app = TestApp::start(rules).await;
    app.sandbox.say(ANA, "a human, please").await;
    app.until_transcript("the handoff", ANA, |messages| {
        (!messages.is_empty()).then_some(())
    })
    .await;

    let run = app.looks_back("history ana --json").await;

    let lines = objects(&run.stdout);
    let events: Vec<_> = lines
        .iter()
        .filter_map(|line| line["event"].as_str())
        .collect();
    assert_eq!(events, ["handoff"], "{}", run.stdout);
}

#[tokio::test]
async fn a_database_is_read_without_any_configuration() {
    let app = with_a_conversation().await;
    let elsewhere = folder_with(&[("rules.toml", BAKERY)]);
    let database = format!("--database sqlite:{}", app.database().display());

    for (line, part) in [
        ("history ana", "Ana Lima · +15550000001"),
        ("gaps", "wine"),
        ("replay --rules rules.toml", "3 messages of 1 conversation"),
        ("explain hello --rules rules.toml --as ana", "menu"),
        ("outbox list", ""),
        ("outbox retry 999 --dry-run --json", "999"),
    ] {
        let run = replyd(elsewhere.path(), &format!("{line} {database}")).await;

        assert_contains(&run.to_string(), part);
        assert!(!run.stderr.contains("replyd.toml"), "{run}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_an_error_with_a_hint() {
    let app = with_a_conversation().await;

    let run = app.looks_back("history zoe").await;

    assert_eq!(run.stdout, "");
    insta::assert_snapshot!(run.refused(), @"
    error: no conversation is meant by `zoe`

    hint: `replyd history` lists all of them
    ");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_made() {
    let folder = folder_with(&[]);

    let run = replyd(folder.path(), "history").await;

    assert_eq!(run.stdout, "");
    insta::assert_snapshot!(run.refused(), @"
    error: there is no database at `data/replyd.db`

    hint: name it with --database sqlite:PATH, or the configuration with --config
    ");
    assert_eq!(names(folder.path()), [""; 0]);
}

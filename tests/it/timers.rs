//! Timers: debounced texts, flows, late replies; and rules that change while the service runs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::raw_http::get;
use crate::support::served::until_ready_says;
use crate::support::{ANA, TestApp, bodies};

const START: Timestamp = Timestamp::constant(1_790_000_000, 0);

async fn with_clock(rules: &str) -> TestApp {
    TestApp::builder().rules(rules).at(START).start().await
}

#[tokio::test]
async fn debounced_texts_are_answered_once_also_over_a_restart() {
    let rules = "version = 1\n[bot]\ndebounce = \"4s\"\n[[rule]]\nid = \"all\"\nreply = \"You said: {{ message.text }}\"\n";
    let mut app = with_clock(rules).await;
    for words in ["Hi", "do you have", "lemon cake?"] {
        app.sandbox.say(ANA, words).await;
        app.clock.advance(Duration::from_secs(2));
    }
    app.restart().await;
    assert_eq!(app.decisions(ANA).await, ["pending"; 3]);

    app.clock.advance(Duration::from_secs(4));

    assert_eq!(
        app.answers(ANA, 1).await,
        ["You said: Hi\ndo you have\nlemon cake?"]
    );
    app.drained().await;
    assert_eq!(app.decisions(ANA).await, ["answered"; 3]);
    let sent = app.replies(ANA).len();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_flow_is_gone_through_by_taps_and_words_and_ends_by_its_time() {
    let rules = r#"
version = 1
[[rule]]
id = "order"
when.text.has = "order"
start = "cake"
[flow.cake]
timeout = "30m"
on_timeout = "Still there?"
[[flow.cake.step]]
id = "size"
ask = { text = "Which size?", buttons = [{ id = "s", title = "Small" }, { id = "l", title = "Large" }] }
[[flow.cake.step]]
id = "day"
ask = "For which day?"
accept = "date"
[flow.cake.end]
set.size = "{{ size.id }}"
reply = "A {{ size.title }} cake for {{ day | date }}."
"#;
    let app = with_clock(rules).await;
    app.sandbox.say(ANA, "I want to order").await;
    app.answers(ANA, 1).await;
    app.drained().await;
    app.sandbox.tap(ANA, "Large").await;
    app.answers(ANA, 2).await;
    app.sandbox.say(ANA, "12/24").await;
    let answers = app.answers(ANA, 3).await;
    assert_eq!(answers[2], "A Large cake for December 24, 2026.");

    app.sandbox.say(ANA, "order").await;
    app.answers(ANA, 4).await;
    app.clock.advance(Duration::from_mins(30));
    assert_eq!(app.answers(ANA, 5).await[4], "Still there?");
}

#[tokio::test]
async fn a_contact_who_opts_out_gets_nothing_more_and_the_database_has_the_event() {
    let rules = "version = 1\n[opt_out]\nwords = \"stop\"\nreply = \"Bye.\"\n[[rule]]\nid = \"all\"\nreply = \"Hello\"\n[[rule]]\nid = \"later\"\nafter = \"1h\"\nreply = \"Still there?\"\n";
    let rules = rules.replace("id = \"all\"\n", "id = \"all\"\ncontinue = true\n");
    let app = with_clock(&rules).await;
    app.sandbox.say(ANA, "hi").await;
    app.sandbox.say(ANA, "Stop!").await;
    app.sandbox.say(ANA, "are you there?").await;
    app.clock.advance(Duration::from_hours(2));
    app.drained().await;

    assert_eq!(app.answers(ANA, 2).await, ["Hello", "Bye."]);
    assert_eq!(
        app.decisions(ANA).await,
        ["answered", "answered", "opted_out"]
    );
    let conversation = app.store().conversations(None, 1).await.unwrap()[0].id;
    let events = app.store().conversation_events(conversation).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, "opted_out");
    let message = events[0].message_id;
    assert!(message.is_some(), "it names the message that opted out");
}

#[tokio::test]
async fn a_quick_reply_of_a_template_opts_out_and_a_second_stop_is_not_answered() {
    let rules = "version = 1\n[opt_out]\nwords = [\"stop\", \"stop promotions\"]\nreply = \"Bye.\"\n[[rule]]\nid = \"all\"\nreply = \"Hello\"\n";
    let app = with_clock(rules).await;
    let tap = json!({ "type": "button", "button": { "payload": "p1", "text": "Stop promotions" } });
    let tap = bodies::message(ANA, "wamid.T", tap);

    app.accept(&bodies::with_messages(&[tap])).await;
    app.sandbox.say(ANA, "STOP 🛑").await;
    app.drained().await;

    assert_eq!(app.answers(ANA, 1).await, ["Bye."]);
    assert_eq!(app.decisions(ANA).await, ["answered", "opted_out"]);
}

#[tokio::test]
async fn a_call_that_is_not_allowed_takes_the_other_answer() {
    let rules = "version = 1\n[[rule]]\nid = \"track\"\ncall = { get = \"https://shop.example/{{ message.text }}\", save = \"order\" }\nreply = \"{{ order.status }}\"\non_error = \"Not now.\"\n";
    let app = with_clock(rules).await;

    app.sandbox.say(ANA, "4711").await;

    assert_eq!(app.answers(ANA, 1).await, ["Not now."]);
    app.drained().await;
    assert_eq!(app.decisions(ANA).await, ["answered"]);
}

#[tokio::test]
async fn changed_rules_are_taken_and_broken_ones_are_not() {
    let app = TestApp::start("version = 1\n[[rule]]\nid = \"all\"\nreply = \"first\"\n").await;
    app.sandbox.say(ANA, "hi").await;
    assert_eq!(app.answers(ANA, 1).await, ["first"]);

    let broken = "version = 1\n[[rule]]\nid = \"all\"\nreplay = \"second\"\n";
    app.write("rules.toml", broken);
    let problem = "ready\nrules: those on the disk do not pass the check: rules.toml:4\n";
    until_ready_says(app.admin(), |body| body.starts_with(problem)).await;
    assert_eq!(get(app.public(), "/readyz").await.body, "ready\n");
    app.sandbox.say(ANA, "hi again").await;
    assert_eq!(app.answers(ANA, 2).await[1], "first");

    app.write("rules.toml", broken.replace("replay", "reply"));
    until_ready_says(app.admin(), |body| body == "ready\n").await;
    app.sandbox.say(ANA, "and now?").await;
    assert_eq!(app.answers(ANA, 3).await[2], "second");
    let messages = app.transcript(ANA).await.into_iter();
    let versions = messages.filter_map(|message| message.rules_version);
    let versions: std::collections::BTreeSet<_> = versions.collect();
    let why = "each decision names the rules it was made by";
    assert_eq!(versions.len(), 2, "{why}");
}

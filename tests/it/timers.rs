//! Timers: debounced texts, flows, late replies; and rules that change while the service runs.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use replyd::clock::Clock;

use crate::raw_http::get;
use crate::support::{ANA, Options, TestApp, texts};

const START: Timestamp = Timestamp::constant(1_790_000_000, 0);

async fn with_clock(rules: &'static str) -> TestApp {
    let options = Options {
        rules,
        clock: Clock::manual(START),
        ..Options::default()
    };
    TestApp::with(options).await
}

impl TestApp {
    /// Waits until so many messages of ours are in the history with Ana.
    async fn answers(&self, count: usize) -> Vec<String> {
        self.until("answers", move |store| async move {
            let entries = crate::support::transcript(&store, ANA).await;
            let ours: Vec<String> = texts(&entries, "out")
                .into_iter()
                .map(str::to_owned)
                .collect();
            (ours.len() >= count).then_some(ours)
        })
        .await
    }

    async fn decisions(&self) -> Vec<String> {
        let entries = self.transcript(ANA).await;
        entries
            .into_iter()
            .filter_map(|entry| entry.decision)
            .collect()
    }
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
    assert_eq!(app.decisions().await, ["pending"; 3]);

    app.clock.advance(Duration::from_secs(4));

    assert_eq!(
        app.answers(1).await,
        ["You said: Hi\ndo you have\nlemon cake?"]
    );
    app.drained().await;
    assert_eq!(app.decisions().await, ["answered"; 3]);
    let sent = app.sandbox.look(|state| state.replies(ANA).len());
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
    app.answers(1).await;
    app.drained().await;
    app.sandbox.tap(ANA, "Large").await;
    app.answers(2).await;
    app.sandbox.say(ANA, "12/24").await;
    let said = app.answers(3).await;
    assert_eq!(said[2], "A Large cake for December 24, 2026.");

    app.sandbox.say(ANA, "order").await;
    app.answers(4).await;
    app.clock.advance(Duration::from_mins(30));
    assert_eq!(app.answers(5).await[4], "Still there?");
}

#[tokio::test]
async fn who_opts_out_gets_nothing_more_and_the_database_says_so() {
    let rules = "version = 1\n[opt_out]\nwords = \"stop\"\nreply = \"Bye.\"\n[[rule]]\nid = \"all\"\nreply = \"Hello\"\n[[rule]]\nid = \"later\"\nafter = \"1h\"\nreply = \"Still there?\"\n";
    let rules = rules.replace("id = \"all\"\n", "id = \"all\"\ncontinue = true\n");
    let app = with_clock(Box::leak(rules.into_boxed_str())).await;
    app.sandbox.say(ANA, "hi").await;
    app.sandbox.say(ANA, "Stop!").await;
    app.sandbox.say(ANA, "are you there?").await;
    app.clock.advance(Duration::from_hours(2));
    app.drained().await;

    assert_eq!(app.answers(2).await, ["Hello", "Bye."]);
    assert_eq!(app.decisions().await, ["answered", "answered", "opted_out"]);
    let conversation = app.store().conversations(None, 1).await.unwrap()[0].id;
    let notes = app.store().conversation_events(conversation).await.unwrap();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].kind, "opted_out");
    assert!(
        notes[0].message_id.is_some(),
        "it names the message that said so"
    );
}

#[tokio::test]
async fn a_call_that_is_not_allowed_takes_the_other_answer() {
    let rules = "version = 1\n[[rule]]\nid = \"track\"\ncall = { get = \"https://shop.example/{{ message.text }}\", save = \"order\" }\nreply = \"{{ order.status }}\"\non_error = \"Not now.\"\n";
    let app = with_clock(rules).await;

    app.sandbox.say(ANA, "4711").await;

    assert_eq!(app.answers(1).await, ["Not now."]);
    app.drained().await;
    assert_eq!(app.decisions().await, ["answered"]);
}

#[tokio::test]
async fn changed_rules_are_taken_and_broken_ones_are_not() {
    let app = TestApp::start("version = 1\n[[rule]]\nid = \"all\"\nreply = \"first\"\n").await;
    let file = app.folder().join("rules.toml");
    let admin = app.admin();
    let strangers: SocketAddr = app.webhook().split('/').nth(2).unwrap().parse().unwrap();
    let ready = |wanted: &'static str| {
        app.until(wanted, move |_| async move {
            let body = get(admin, "/readyz").await.body;
            body.starts_with(wanted).then_some(())
        })
    };
    app.sandbox.say(ANA, "hi").await;
    assert_eq!(app.answers(1).await, ["first"]);

    std::fs::write(
        &file,
        "version = 1\n[[rule]]\nid = \"all\"\nreplay = \"second\"\n",
    )
    .unwrap();
    ready("ready\nrules: those on the disk do not pass the check: rules.toml:4\n").await;
    assert_eq!(get(strangers, "/readyz").await.body, "ready\n");
    app.sandbox.say(ANA, "hi again").await;
    assert_eq!(app.answers(2).await[1], "first");

    std::fs::write(
        &file,
        "version = 1\n[[rule]]\nid = \"all\"\nreply = \"second\"\n",
    )
    .unwrap();
    app.until("no condition", move |_| async move {
        (get(admin, "/readyz").await.body == "ready\n").then_some(())
    })
    .await;
    app.sandbox.say(ANA, "and now?").await;
    assert_eq!(app.answers(3).await[2], "second");
    let versions: std::collections::BTreeSet<_> = app
        .transcript(ANA)
        .await
        .into_iter()
        .filter_map(|entry| entry.rules_version)
        .collect();
    assert_eq!(
        versions.len(),
        2,
        "each decision names the rules it was made by"
    );
}

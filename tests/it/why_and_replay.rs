//! Looking back: why something was answered, what other rules would have answered, and what nobody
//! understood.

use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use replyd::clock::Clock;

use crate::support::{ANA, Options, TestApp, texts};

const BO: &str = "15550000002";
const ORDERS: &str = include_str!("../../examples/orders.toml");
/// Thursday, 24 September 2026, 9:33 in New York.
const START: Timestamp = Timestamp::constant(1_790_256_780, 0);

async fn serve(rules: &'static str) -> TestApp {
    TestApp::with(Options {
        rules,
        clock: Clock::manual(START),
        ..Options::default()
    })
    .await
}

impl TestApp {
    /// Says something and waits until it has been decided on and everything is sent.
    async fn said(&self, who: &'static str, words: &str) {
        let before = self.transcript(who).await.len();
        self.sandbox.say(who, words).await;
        self.until("the message", move |store| async move {
            let entries = crate::support::transcript(&store, who).await;
            (entries.len() > before).then_some(())
        })
        .await;
        self.drained().await;
    }

    /// Runs a command on the database; gives exit code and both outputs as one text.
    pub(crate) fn looks_back(&self, arguments: &[&str]) -> String {
        let database = format!("sqlite:{}", self.database().display());
        let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
            .args(arguments)
            .args(["--timezone", "UTC", "--database", &database])
            .current_dir(self.folder())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, error) = (text(output.stdout), text(output.stderr));
        assert!(!out.contains('\u{1b}'), "no colour in a pipe");
        let code = output.status.code().unwrap();
        format!("exit code: {code}\n{out}{error}")
    }
}

/// What a few people could write, in any order.
const WORDS: [&str; 14] = [
    "hello",
    "menu",
    "order",
    "Order a cake",
    "Small",
    "Large",
    "2",
    "tomorrow",
    "24/12",
    "yes",
    "No",
    "I want a human!",
    "back",
    "what?",
];

#[tokio::test]
async fn the_same_rules_would_have_answered_the_same() {
    let app = serve(ORDERS).await;
    // A fixed walk through the flow and beside it, with pauses long enough for its timeout.
    let mut walk: u64 = 7;
    for _ in 0..60 {
        walk = walk
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let word = WORDS[usize::try_from(walk >> 33).unwrap() % WORDS.len()];
        let who = if walk >> 62 == 0 { BO } else { ANA };
        app.said(who, word).await;
        // Long enough for a colleague's time to pass, for a flow to end, or for neither.
        let pause = match (word, walk >> 60) {
            ("I want a human!", _) => 9 * 60,
            (_, 3) => 60,
            _ => 1,
        };
        app.clock.advance(Duration::from_mins(pause));
    }
    app.drained().await;
    let answers = texts(&app.transcript(ANA).await, "out").len();
    assert!(
        answers > 20,
        "{answers} answers are a past worth looking at"
    );

    let shown = app.looks_back(&["replay", "--rules", "rules.toml"]);

    let expected = "rules.toml: 60 messages of 2 conversations, 0 answered differently\n";
    assert_eq!(shown, format!("exit code: 0\n{expected}"));
}

#[tokio::test]
async fn other_rules_are_held_against_what_was_answered() {
    let app = serve(ORDERS).await;
    for words in [
        "hello",
        "do you have vegan cakes?",
        "vegan cake",
        "parking?",
        "menu",
    ] {
        app.said(ANA, words).await;
    }
    app.said(BO, "hi").await;
    app.said(BO, "Do you have vegan cakes").await;
    let new = ORDERS
        .replace("[[rule]]\nid = \"fallback\"", "[[rule]]\nid = \"vegan\"\nwhen.text.has = \"vegan\"\nreply = \"Two of them.\"\n\n[[rule]]\nid = \"fallback\"")
        .replace("What can we do for you?\"\nbuttons", "How can we help?\"\nbuttons");
    std::fs::write(app.folder().join("new.toml"), new).unwrap();

    let shown = app.looks_back(&["replay", "--rules", "new.toml"]);
    insta::assert_snapshot!("replay", shown);
    let shown = app.looks_back(&["replay", "--rules", "new.toml", "--since", "1d", "--json"]);
    assert_eq!(shown, "exit code: 0\n", "all of it is longer ago");

    insta::assert_snapshot!("gaps", app.looks_back(&["gaps"]));
    std::fs::write(app.folder().join("broken.toml"), "version = 1\n[[rule]]\n").unwrap();
    let shown = app.looks_back(&["replay", "--rules", "broken.toml"]);
    assert!(
        shown.contains("the rules `broken.toml` cannot be used"),
        "{shown}"
    );
    let shown = app.looks_back(&["replay", "--since", "soon"]);
    assert!(shown.contains("write it like `30d`"), "{shown}");
}

#[tokio::test]
async fn a_message_of_the_past_tells_why() {
    let app = serve(ORDERS).await;
    app.said(ANA, "I want a human!").await;
    app.said(ANA, "hello?").await;
    let entries = app.transcript(ANA).await;
    let wamids: Vec<String> = entries.iter().filter_map(|one| one.wamid.clone()).collect();

    let shown: Vec<String> = wamids
        .iter()
        .map(|wamid| app.looks_back(&["why", wamid]))
        .collect();

    assert_eq!(shown[0], shown[1], "an answer tells of what it answers");
    let version = entries[0].rules_version.clone().unwrap();
    let told = [&shown[0][..], &shown[2]]
        .join("\n")
        .replace(&version, "VERSION");
    insta::assert_snapshot!("why", told);
    let shown = app.looks_back(&["why", "wamid.none"]);
    assert!(
        shown.contains("there is no message `wamid.none`"),
        "{shown}"
    );
}

#[tokio::test]
async fn what_a_timer_said_is_told_as_ours() {
    let app = serve(ORDERS).await;
    app.said(ANA, "hello").await;
    app.sandbox.tap(ANA, "order").await;
    for (what, pause, answers) in [("the question", 0, 2), ("what the timer says", 30, 3)] {
        app.drained().await;
        app.clock.advance(Duration::from_mins(pause));
        app.until(what, move |store| async move {
            let entries = crate::support::transcript(&store, ANA).await;
            (texts(&entries, "out").len() == answers).then_some(())
        })
        .await;
    }
    app.drained().await;
    let entries = app.transcript(ANA).await;
    let last = entries.last().unwrap();

    let shown = app.looks_back(&["why", last.wamid.as_deref().unwrap()]);

    let version = last.rules_version.clone().unwrap();
    insta::assert_snapshot!("why_timer", shown.replace(&version, "VERSION"));
}

#[tokio::test]
async fn examples_of_a_difference_are_different_questions() {
    let app = serve(ORDERS).await;
    for words in ["hello", "parking?", "vegan?", "parking?", "glue?", "tea?"] {
        app.said(ANA, words).await;
        app.clock.advance(Duration::from_mins(20));
    }
    let new = ORDERS.replace("reply = \"Sorry?\"", "reply = \"Pardon?\"");
    std::fs::write(app.folder().join("new.toml"), new).unwrap();

    let shown = app.looks_back(&["replay", "--rules", "new.toml"]);

    let asked: Vec<&str> = shown.lines().filter(|line| line.contains('›')).collect();
    assert_eq!(
        asked,
        ["  › parking?", "  › vegan?", "  › glue?"],
        "{shown}"
    );
    assert!(shown.contains("5 × fallback: in other words"), "{shown}");
}

#[tokio::test]
async fn an_explanation_knows_where_a_conversation_stands() {
    // The service has a clock of its own here, and the command looks at the real one.
    let waits_for_ever = ORDERS.replace("timeout = \"30m\"\n", "");
    let app = serve(waits_for_ever.leak()).await;
    app.said(ANA, "hello").await;
    app.sandbox.tap(ANA, "order").await;
    app.until("the question", |store| async move {
        let entries = crate::support::transcript(&store, ANA).await;
        (texts(&entries, "out").len() == 2).then_some(())
    })
    .await;
    app.drained().await;

    let alone = app.looks_back(&["explain", "Large"]);
    let shown = app.looks_back(&["explain", "Large", "--as", "Ana"]);

    assert!(alone.contains("fallback"), "{alone}");
    assert!(shown.contains("✓ cake/size"), "{shown}");
    let shown = app.looks_back(&["explain", "Large", "--as", "Zoe"]);
    assert!(
        shown.contains("no conversation is meant by `Zoe`"),
        "{shown}"
    );
}

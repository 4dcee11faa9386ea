//! Looking back: `replyd why`, `replay` and `gaps` on the messages of a service.

use std::time::Duration;

use jiff::Timestamp;
use replyd::store::TranscriptMessage;

use crate::support::run::Run;
use crate::support::{ANA, BO, TestApp, assert_contains, bodies, texts};

const ORDERS: &str = include_str!("../../examples/orders.toml");
/// Thursday, 24 September 2026, 9:33 in New York.
const START: Timestamp = Timestamp::constant(1_790_256_780, 0);

async fn serve(rules: &str) -> TestApp {
    TestApp::builder().rules(rules).at(START).start().await
}

impl TestApp {
    /// Sends a text and waits until it has been decided on and everything is sent.
    async fn converse(&self, phone: &'static str, text: &str) {
        let before = self.transcript(phone).await.len();
        self.sandbox.say(phone, text).await;
        self.until_transcript("the message", phone, |messages| {
            (messages.len() > before).then_some(())
        })
        .await;
        self.drained().await;
    }
}

/// Texts of a few contacts, in any order.
const TEXTS: &str =
    "hello|menu|order|Order a cake|Small|Large|2|tomorrow|24/12|yes|No|I want a human!|back|what?";

#[tokio::test]
async fn the_same_rules_would_have_answered_the_same() {
    let app = serve(ORDERS).await;
    // A fixed walk through the flow and beside it, with pauses long enough for its timeout.
    let mut walk: u64 = 7;
    let all_texts: Vec<&str> = TEXTS.split('|').collect();
    for _ in 0..60 {
        walk = walk
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let text = all_texts[usize::try_from(walk >> 33).unwrap() % all_texts.len()];
        let phone = if walk >> 62 == 0 { BO } else { ANA };
        app.converse(phone, text).await;
        // Long enough for a colleague's time to pass, for a flow to end, or for neither.
        let pause = match (text, walk >> 60) {
            ("I want a human!", _) => 9 * 60,
            (_, 3) => 60,
            _ => 1,
        };
        app.clock.advance(Duration::from_mins(pause));
    }
    app.drained().await;
    let answers = texts(&app.transcript(ANA).await, "out").len();
    assert!(answers > 20, "too few for a replay: {answers}");

    let run = app.looks_back("replay --rules rules.toml").await;

    let expected = "rules.toml: 60 messages of 2 conversations, 0 answered differently\n";
    assert_eq!(run.done(), expected);
}

#[tokio::test]
async fn a_message_by_the_number_itself_is_not_answered_when_it_is_replayed() {
    let app = TestApp::start(crate::support::ECHO).await;
    let number = "15550001111";
    app.accept(&bodies::with_text(number, "wamid.1", "our own words"))
        .await;

    let run = app.looks_back("replay --rules rules.toml").await;

    assert_eq!(app.decisions(number).await, ["loop_detected"]);
    let expected = "rules.toml: 1 message of 1 conversation, 0 answered differently\n";
    assert_eq!(run.done(), expected);
}

#[tokio::test]
async fn other_rules_are_held_against_what_was_answered() {
    let app = serve(ORDERS).await;
    for text in [
        "hello",
        "do you have vegan cakes?",
        "vegan cake",
        "parking?",
        "menu",
    ] {
        app.converse(ANA, text).await;
    }
    app.converse(BO, "hi").await;
    app.converse(BO, "Do you have vegan cakes").await;
    let new = ORDERS
        .replace("[[rule]]\nid = \"fallback\"", "[[rule]]\nid = \"vegan\"\nwhen.text.has = \"vegan\"\nreply = \"Two of them.\"\n\n[[rule]]\nid = \"fallback\"")
        .replace("What can we do for you?\"\nbuttons", "How can we help?\"\nbuttons");
    app.write("new.toml", new);

    let run = app.looks_back("replay --rules new.toml").await;
    insta::assert_snapshot!("replay", run);
    let run = app
        .looks_back("replay --rules new.toml --since 1d --json")
        .await;
    assert_eq!(run.done(), "", "all of it is longer ago");

    insta::assert_snapshot!("gaps", app.looks_back("gaps").await);
    app.write("broken.toml", "version = 1\n[[rule]]\n");
    let run = app.looks_back("replay --rules broken.toml").await;
    assert_contains(&run.refused(), "the rules `broken.toml` cannot be used");
    let run = app.looks_back("replay --since soon").await;
    assert_contains(&run.to_string(), "write it like `30d`");
}

#[tokio::test]
async fn a_message_of_the_past_is_explained() {
    let app = serve(ORDERS).await;
    app.converse(ANA, "I want a human!").await;
    app.converse(ANA, "hello?").await;
    let messages = app.transcript(ANA).await;
    let mut shown = Vec::new();

    for message in &messages {
        if let Some(wamid) = &message.wamid {
            shown.push(app.why(wamid, &messages[0]).await);
        }
    }

    let outputs = [&shown[0], &shown[1]].map(Run::done);
    assert_eq!(outputs[0], outputs[1], "an answer tells of what it answers");
    insta::assert_snapshot!("why", format!("{}\n{}", shown[0], shown[2]));
    let none = app.looks_back("why wamid.none").await;
    assert_contains(&none.to_string(), "there is no message `wamid.none`");
}

impl TestApp {
    /// Runs `replyd why` on a message; its id and version are made the same in every run.
    async fn why(&self, wamid: &str, message: &TranscriptMessage) -> Run {
        let run = self.looks_back(&format!("why {wamid}")).await;
        let run = run.replace(&format!("why {wamid}"), "why WAMID");
        match &message.rules_version {
            Some(version) => run.replace(version, "VERSION"),
            None => run,
        }
    }
}

#[tokio::test]
async fn a_text_of_a_timer_is_explained_as_outbound() {
    let app = serve(ORDERS).await;
    app.converse(ANA, "hello").await;
    app.sandbox.tap(ANA, "order").await;
    // The greeting, the menu and the question, then the text of the timer.
    for (pause, answers) in [(0, 3), (30, 4)] {
        app.drained().await;
        app.clock.advance(Duration::from_mins(pause));
        app.answers(ANA, answers).await;
        app.drained().await;
        let messages = app.transcript(ANA).await;
        assert_eq!(texts(&messages, "out").len(), answers);
    }
    let messages = app.transcript(ANA).await;
    let last = messages.last().unwrap();

    let run = app.why(last.wamid.as_deref().unwrap(), last).await;

    insta::assert_snapshot!("why_timer", run);
}

#[tokio::test]
async fn examples_of_a_difference_are_different_questions() {
    let app = serve(ORDERS).await;
    for text in ["hello", "parking?", "vegan?", "parking?", "glue?", "tea?"] {
        app.converse(ANA, text).await;
        app.clock.advance(Duration::from_mins(20));
    }
    let new = ORDERS.replace("reply = \"Sorry?\"", "reply = \"Pardon?\"");
    app.write("new.toml", new);

    let shown = app.looks_back("replay --rules new.toml").await.done();

    let questions: Vec<&str> = shown.lines().filter(|line| line.contains('›')).collect();
    let expected = ["  › parking?", "  › vegan?", "  › glue?"];
    assert_eq!(questions, expected, "{shown}");
    assert_contains(&shown, "5 × fallback: in other words");
}

#[tokio::test]
async fn an_explanation_knows_where_a_conversation_stands() {
    // The service has a clock of its own here, and the command looks at the real one.
    let waits_for_ever = ORDERS.replace("timeout = \"30m\"\n", "");
    let app = serve(&waits_for_ever).await;
    app.converse(ANA, "hello").await;
    app.sandbox.tap(ANA, "order").await;
    app.answers(ANA, 2).await;
    app.drained().await;

    let alone = app.looks_back("explain Large").await.to_string();
    let shown = app.looks_back("explain Large --as Ana").await.to_string();
    let nobody = app.looks_back("explain Large --as Zoe").await.to_string();

    assert_contains(&alone, "fallback");
    assert_contains(&shown, "✓ cake/size");
    assert_contains(&nobody, "no conversation is meant by `Zoe`");
}

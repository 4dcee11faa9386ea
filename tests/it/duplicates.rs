//! Meta sends again: after a lost answer, to be sure, in other batches. One message gets one
//! decision, for ever.

use std::time::Duration;

use futures_util::future::join_all;
use replyd::clock::Clock;
use serde_json::Value;

use crate::support::{ANA, ECHO, NUMBERS, TestApp, bodies, texts};

#[tokio::test]
async fn a_message_delivered_20_times_is_answered_once() {
    let app = TestApp::start(ECHO).await;
    let body = bodies::with_text(ANA, "wamid.SAME", "once");

    for _ in 0..20 {
        app.accept(&body).await;
    }

    assert_one_decision(&app).await;
}

#[tokio::test]
async fn a_message_delivered_32_times_at_once_is_answered_once() {
    let app = TestApp::start(ECHO).await;
    let body = bodies::with_text(ANA, "wamid.SAME", "once");

    let answers = join_all((0..32).map(|_| app.post(&body))).await;

    assert_eq!(answers, [200; 32]);
    assert_one_decision(&app).await;
}

#[tokio::test]
async fn the_same_message_twice_in_one_body_is_answered_once_and_the_first_content_wins() {
    let app = TestApp::start(ECHO).await;
    let first = bodies::text(ANA, "wamid.SAME", "once");
    let other = bodies::text(ANA, "wamid.SAME", "forged");

    app.accept(&bodies::with_messages(&[first, other.clone()]))
        .await;
    app.accept(&bodies::with_messages(&[other])).await;

    assert_one_decision(&app).await;
}

#[tokio::test]
async fn a_message_of_last_week_comes_again_and_changes_nothing() {
    let app = TestApp::builder().at(Clock::System.now()).start().await;
    let body = bodies::with_text(ANA, "wamid.SAME", "once");

    app.accept(&body).await;
    app.until_replies(ANA, 1).await;
    app.drained().await;
    app.clock.advance(Duration::from_hours(192));
    app.accept(&body).await;

    assert_one_decision(&app).await;
}

#[tokio::test]
async fn a_retry_in_another_batch_with_new_members_adds_only_the_new() {
    let app = TestApp::start(ECHO).await;
    let messages: Vec<Value> = (0..6)
        .map(|n| bodies::text(ANA, &format!("wamid.{n}"), &format!("m{n}")))
        .collect();

    for part in [0..3, 1..5, 2..6, 0..6].map(|range| &messages[range]) {
        app.accept(&bodies::with_messages(part)).await;
    }
    app.until_replies(ANA, 6).await;
    app.drained().await;

    let messages = app.transcript(ANA).await;
    assert_eq!(texts(&messages, "in"), ["m0", "m1", "m2", "m3", "m4", "m5"]);
    assert_eq!(texts(&messages, "out").len(), 6);
}

#[tokio::test]
async fn the_same_id_at_another_number_is_another_message() {
    let app = TestApp::start(ECHO).await;
    let message = bodies::text(ANA, "wamid.SAME", "hello");

    let messages = [NUMBERS[0], NUMBERS[1]].map(|number| (number, vec![message.clone()]));
    app.accept(&bodies::with_numbers(&messages)).await;
    app.until_replies(ANA, 2).await;

    let conversations = app.store().conversations(Some(ANA), 10).await.unwrap();
    let why = "one contact, a conversation with each number";
    assert_eq!(conversations.len(), 2, "{why}");
}

/// Waits for the reply and all that may come after it.
async fn assert_one_decision(app: &TestApp) {
    app.until_replies(ANA, 1).await;
    app.drained().await;
    let messages = app.transcript(ANA).await;
    assert_eq!(app.decisions(ANA).await.len(), 1);
    assert_eq!(texts(&messages, "in"), ["once"]);
    assert_eq!(texts(&messages, "out"), ["you said once"]);
    assert_eq!(app.accepted().len(), 1);
}

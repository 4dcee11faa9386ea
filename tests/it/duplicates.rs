//! Meta sends again: after a lost answer, to be sure, in other batches. One message gets one
//! decision, for ever.

use std::time::Duration;

use futures_util::future::join_all;
use replyd::clock::Clock;
use serde_json::Value;

use crate::support::{ANA, NUMBERS, Options, TestApp, bodies, texts};

#[tokio::test]
async fn a_message_delivered_20_times_is_answered_once() {
    let app = TestApp::start(crate::support::ECHO).await;
    let body = bodies::of_messages(&[bodies::text(ANA, "wamid.SAME", "once")]);

    for _ in 0..20 {
        assert_eq!(app.post(&body).await, 200);
    }
    app.sandbox
        .wait_for("a reply", |state| state.replies(ANA).first().map(|_| ()))
        .await;
    app.drained().await;

    assert_one_decision(&app).await;
}

#[tokio::test]
async fn a_message_delivered_32_times_at_once_is_answered_once() {
    let app = TestApp::start(crate::support::ECHO).await;
    let body = bodies::of_messages(&[bodies::text(ANA, "wamid.SAME", "once")]);

    let answers = join_all((0..32).map(|_| app.post(&body))).await;
    app.sandbox
        .wait_for("a reply", |state| state.replies(ANA).first().map(|_| ()))
        .await;
    app.drained().await;

    assert_eq!(answers, [200; 32]);
    assert_one_decision(&app).await;
}

#[tokio::test]
async fn the_same_message_twice_in_one_body_is_answered_once_and_the_first_content_wins() {
    let app = TestApp::start(crate::support::ECHO).await;
    let first = bodies::text(ANA, "wamid.SAME", "once");
    let other = bodies::text(ANA, "wamid.SAME", "forged");

    assert_eq!(
        app.post(&bodies::of_messages(&[first, other.clone()]))
            .await,
        200
    );
    assert_eq!(app.post(&bodies::of_messages(&[other])).await, 200);
    app.sandbox
        .wait_for("a reply", |state| state.replies(ANA).first().map(|_| ()))
        .await;
    app.drained().await;

    assert_one_decision(&app).await;
}

#[tokio::test]
async fn a_message_of_last_week_comes_again_and_changes_nothing() {
    let clock = Clock::manual(Clock::System.now());
    let app = TestApp::with(Options {
        clock: clock.clone(),
        ..Options::default()
    })
    .await;
    let body = bodies::of_messages(&[bodies::text(ANA, "wamid.SAME", "once")]);

    assert_eq!(app.post(&body).await, 200);
    app.sandbox
        .wait_for("a reply", |state| state.replies(ANA).first().map(|_| ()))
        .await;
    app.drained().await;
    clock.advance(Duration::from_hours(192));
    assert_eq!(app.post(&body).await, 200);

    assert_one_decision(&app).await;
}

#[tokio::test]
async fn a_retry_in_another_batch_with_new_members_adds_only_the_new() {
    let app = TestApp::start(crate::support::ECHO).await;
    let messages: Vec<Value> = (0..6)
        .map(|n| bodies::text(ANA, &format!("wamid.{n}"), &format!("m{n}")))
        .collect();

    for part in [
        &messages[0..3],
        &messages[1..5],
        &messages[2..6],
        &messages[0..6],
    ] {
        assert_eq!(app.post(&bodies::of_messages(part)).await, 200);
    }
    app.sandbox
        .wait_for("all replies", |state| state.replies(ANA).get(5).map(|_| ()))
        .await;
    app.drained().await;

    let entries = app.transcript(ANA).await;
    assert_eq!(texts(&entries, "in"), ["m0", "m1", "m2", "m3", "m4", "m5"]);
    assert_eq!(texts(&entries, "out").len(), 6);
}

#[tokio::test]
async fn the_same_id_at_another_number_is_another_message() {
    let app = TestApp::start(crate::support::ECHO).await;
    let message = bodies::text(ANA, "wamid.SAME", "hello");

    let body = bodies::of_numbers(&[
        (NUMBERS[0], vec![message.clone()]),
        (NUMBERS[1], vec![message]),
    ]);
    assert_eq!(app.post(&body).await, 200);
    app.sandbox
        .wait_for("two replies", |state| state.replies(ANA).get(1).map(|_| ()))
        .await;

    let conversations = app.store().conversations(Some(ANA), 10).await.unwrap();
    assert_eq!(
        conversations.len(),
        2,
        "one contact, a conversation with each number"
    );
}

async fn assert_one_decision(app: &TestApp) {
    let entries = app.transcript(ANA).await;
    let decisions = entries
        .iter()
        .filter(|entry| entry.decision.is_some())
        .count();
    assert_eq!((decisions, texts(&entries, "in")), (1, vec!["once"]));
    assert_eq!(texts(&entries, "out"), ["you said once"]);
    assert_eq!(app.sandbox.look(|state| state.accepted().count()), 1);
}

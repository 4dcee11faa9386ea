//! Delivery when the gateway misbehaves: sends that are tried again, sends that never are, and
//! other conversations meanwhile.

use replyd::sandbox::{Fault, Receipts, Request, State};
use replyd::store::TranscriptMessage;

use crate::support::{ANA, BO, ECHO, TestApp, assert_contains, texts};

/// Waits until the reply to `text` has reached this state of the outbox.
async fn reply_in_state(app: &TestApp, text: &str, state: &str) -> TranscriptMessage {
    let is_it = |message: &TranscriptMessage| {
        message.text == format!("you said {text}") && message.outbox_state.as_deref() == Some(state)
    };
    app.until_transcript("a reply in its state", ANA, |messages| {
        messages.into_iter().find(is_it)
    })
    .await
}

#[tokio::test]
async fn replies_of_one_conversation_arrive_in_the_order_of_its_messages() {
    let app = TestApp::start(ECHO).await;
    let sent: Vec<String> = (0..25).map(|n| format!("m{n}")).collect();

    for text in &sent {
        app.sandbox.say(ANA, text).await;
    }
    app.until_replies(ANA, 25).await;
    app.drained().await;

    let expected: Vec<String> = sent.iter().map(|text| format!("you said {text}")).collect();
    assert_eq!(app.replies(ANA), expected);
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_answered_once() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Graph(131_016));
    app.sandbox.script(Fault::TooMany(1));

    app.sandbox.say(ANA, "hello").await;
    reply_in_state(&app, "hello", "accepted").await;

    let is_send = |request: &&Request| request.body["status"] != "read";
    let sends = |state: &State| state.requests.iter().filter(is_send).count();
    let attempts = app.sandbox.look(sends);
    assert_eq!(attempts, 3, "two refusals and the one that was taken");
    assert_eq!(app.replies(ANA).len(), 1);
}

#[tokio::test]
async fn a_refusal_for_good_is_kept_with_its_reason_and_the_next_message_is_answered() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Graph(131_026));

    app.sandbox.say(ANA, "one").await;
    let dead = reply_in_state(&app, "one", "dead").await;
    app.sandbox.say(ANA, "two").await;
    reply_in_state(&app, "two", "accepted").await;

    let reason = dead.send_error.unwrap_or_default();
    assert_contains(&reason, "131026");
    assert_eq!(app.replies(ANA), ["you said two"]);
}

#[tokio::test]
async fn a_send_whose_answer_was_lost_is_proven_by_its_receipt_and_not_repeated() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::LostAnswer);

    app.sandbox.say(ANA, "hello").await;
    reply_in_state(&app, "hello", "accepted").await;
    app.drained().await;
    let messages = app.until_read(ANA).await;

    assert_eq!(texts(&messages, "out").len(), 1);
    assert!(messages[1].wamid.is_some(), "the receipt told its id");
    assert_eq!(app.replies(ANA).len(), 1);
}

#[tokio::test]
async fn without_receipts_a_send_of_unknown_fate_is_held_and_what_follows_goes_out() {
    let delivery = "[delivery]\nunknown_wait = \"1s\"\n";
    let builder = TestApp::builder().receipts(Receipts::Never);
    let app = builder.config(delivery).start().await;
    app.sandbox.script(Fault::LostAnswer);

    app.sandbox.say(ANA, "one").await;
    reply_in_state(&app, "one", "unknown").await;
    app.sandbox.say(ANA, "two").await;
    let held = reply_in_state(&app, "one", "held").await;
    reply_in_state(&app, "two", "accepted").await;

    assert!(held.send_error.is_some());
    let why = "the first did arrive, once";
    assert_eq!(app.replies(ANA), ["you said one", "you said two"], "{why}");
}

#[tokio::test]
async fn a_proxys_error_page_is_not_taken_for_a_refusal() {
    let delivery = "[delivery]\nunknown_wait = \"1s\"\n";
    let app = TestApp::builder().config(delivery).start().await;
    app.sandbox.script(Fault::BadGateway);

    app.sandbox.say(ANA, "hello").await;
    reply_in_state(&app, "hello", "held").await;

    assert_eq!(app.accepted().len(), 0, "never repeated blindly");
}

#[tokio::test]
async fn a_send_that_hangs_delays_no_other_conversation() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Stall);

    app.sandbox.say(ANA, "slow").await;
    app.until_stalled().await;
    app.sandbox.say(BO, "quick").await;
    app.until_replies(BO, 1).await;
    assert_eq!(app.replies(ANA).len(), 0);
    app.sandbox.release();
    reply_in_state(&app, "slow", "accepted").await;
    app.drained().await;

    assert_eq!(app.replies(ANA), ["you said slow"]);
}

#[tokio::test]
async fn replies_that_wait_at_a_stop_are_sent_after_the_next_start() {
    let mut app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Stall);

    app.sandbox.say(ANA, "one").await;
    app.until_stalled().await;
    app.sandbox.say(ANA, "two").await;
    app.sandbox.release();
    app.restart().await;
    reply_in_state(&app, "one", "accepted").await;
    reply_in_state(&app, "two", "accepted").await;
    app.drained().await;

    assert_eq!(app.replies(ANA), ["you said one", "you said two"]);
}

//! The way out when the gateway misbehaves: what is tried again, what never is, and what the others
//! notice.

use replyd::sandbox::{Fault, Receipts};
use replyd::store::TranscriptMessage;

use crate::support::{ANA, ECHO, Options, TestApp, texts, transcript};

const BO: &str = "15550000002";

/// Waits until the reply to `text` has reached this state of the outbox.
async fn reply_in_state(
    app: &TestApp,
    text: &'static str,
    state: &'static str,
) -> TranscriptMessage {
    let reply = app.until("a reply in its state", move |store| async move {
        let entries = transcript(&store, ANA).await;
        let is_it = |entry: &TranscriptMessage| {
            entry.text == format!("you said {text}") && entry.outbox_state.as_deref() == Some(state)
        };
        entries.into_iter().find(is_it)
    });
    reply.await
}

#[tokio::test]
async fn replies_of_one_conversation_arrive_in_the_order_of_its_messages() {
    let app = TestApp::start(ECHO).await;
    let said: Vec<String> = (0..25).map(|n| format!("m{n}")).collect();

    for text in &said {
        app.sandbox.say(ANA, text).await;
    }
    app.sandbox
        .wait_for("all replies", |state| {
            state.replies(ANA).get(24).map(|_| ())
        })
        .await;
    app.drained().await;

    let expected: Vec<String> = said.iter().map(|text| format!("you said {text}")).collect();
    app.sandbox
        .look(|state| assert_eq!(state.replies(ANA), expected));
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_answered_once() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Graph(131_016));
    app.sandbox.script(Fault::TooMany(1));

    app.sandbox.say(ANA, "hello").await;
    reply_in_state(&app, "hello", "accepted").await;

    let verdicts = app.sandbox.look(|state| {
        let sends = state
            .requests
            .iter()
            .filter(|request| request.body["status"] != "read");
        sends.count()
    });
    assert_eq!(verdicts, 3, "two refusals and the one that was taken");
    assert_eq!(app.sandbox.look(|state| state.replies(ANA).len()), 1);
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
    assert!(reason.contains("131026"), "{reason}");
    assert_eq!(
        app.sandbox.look(|state| state.replies(ANA).join("|")),
        "you said two"
    );
}

#[tokio::test]
async fn a_send_whose_answer_was_lost_is_proven_by_its_receipt_and_not_repeated() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::LostAnswer);

    app.sandbox.say(ANA, "hello").await;
    reply_in_state(&app, "hello", "accepted").await;
    app.drained().await;
    let entries = app.all_read(ANA).await;

    assert_eq!(texts(&entries, "out").len(), 1);
    assert!(entries[1].wamid.is_some(), "the receipt told its id");
    assert_eq!(app.sandbox.look(|state| state.replies(ANA).len()), 1);
}

#[tokio::test]
async fn without_receipts_a_send_of_unknown_fate_is_held_and_what_follows_goes_out() {
    let extra = "[delivery]\nunknown_wait = \"1s\"\n";
    let receipts = Receipts::Never;
    let app = TestApp::with(Options {
        receipts,
        extra,
        ..Options::default()
    })
    .await;
    app.sandbox.script(Fault::LostAnswer);

    app.sandbox.say(ANA, "one").await;
    reply_in_state(&app, "one", "unknown").await;
    app.sandbox.say(ANA, "two").await;
    let held = reply_in_state(&app, "one", "held").await;
    reply_in_state(&app, "two", "accepted").await;

    assert!(held.send_error.is_some());
    let replies = app.sandbox.look(|state| state.replies(ANA).join("|"));
    assert_eq!(
        replies, "you said one|you said two",
        "the first one did arrive, once"
    );
}

#[tokio::test]
async fn a_proxys_error_page_is_not_taken_for_a_refusal() {
    let extra = "[delivery]\nunknown_wait = \"1s\"\n";
    let app = TestApp::with(Options {
        extra,
        ..Options::default()
    })
    .await;
    app.sandbox.script(Fault::BadGateway);

    app.sandbox.say(ANA, "hello").await;
    reply_in_state(&app, "hello", "held").await;

    assert_eq!(
        app.sandbox.look(|state| state.accepted().count()),
        0,
        "never repeated blindly"
    );
}

#[tokio::test]
async fn a_send_that_hangs_holds_up_nobody_else() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Stall);

    app.sandbox.say(ANA, "slow").await;
    app.sandbox
        .wait_for("the stall", |state| state.stalled().then_some(()))
        .await;
    app.sandbox.say(BO, "quick").await;
    app.sandbox
        .wait_for("the other's reply", |state| {
            state.replies(BO).first().map(|_| ())
        })
        .await;
    assert_eq!(app.sandbox.look(|state| state.replies(ANA).len()), 0);
    app.sandbox.release();
    reply_in_state(&app, "slow", "accepted").await;
    app.drained().await;

    assert_eq!(
        app.sandbox.look(|state| state.replies(ANA).join("|")),
        "you said slow"
    );
}

#[tokio::test]
async fn what_waits_at_a_stop_is_sent_after_the_next_start() {
    let mut app = TestApp::start(ECHO).await;
    app.sandbox.script(Fault::Stall);

    app.sandbox.say(ANA, "one").await;
    app.sandbox
        .wait_for("the stall", |state| state.stalled().then_some(()))
        .await;
    app.sandbox.say(ANA, "two").await;
    app.sandbox.release();
    app.restart().await;
    reply_in_state(&app, "one", "accepted").await;
    reply_in_state(&app, "two", "accepted").await;
    app.drained().await;

    let replies = app.sandbox.look(|state| state.replies(ANA).join("|"));
    assert_eq!(replies, "you said one|you said two");
}

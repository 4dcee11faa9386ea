//! Texts that are answered together: what only one of them tells is true of all.

use jiff::SignedDuration;

use super::engine;
use super::{NOW, ana, text, texts};
use crate::engine::{Decision, Engine, EngineEvent, Trace, Turn};
use crate::message::{Content, Conversation, Forwarded, Inbound, Referral, Wamid};

const SETTLE: &str = "[bot]\ndebounce = \"4s\"\n[[rule]]\nid = \"r\"\nreply = \"Yes.\"\nwhen.";

/// Hands over the messages, and lets the time of the debounce pass.
fn debounce(engine: &Engine, mut conversation: Conversation, messages: &[Inbound]) -> Turn {
    for message in messages {
        let turn = super::decide(engine, &conversation, EngineEvent::Message(message), NOW);
        assert_eq!(turn.decision, Decision::Pending);
        conversation.state = turn.state;
        conversation.inbound_count += 1;
    }
    let due = NOW + SignedDuration::from_secs(4);
    super::decide(engine, &conversation, EngineEvent::Timer, due)
}

fn three() -> [Inbound; 3] {
    ["Hello", "about the cake", "please"].map(text)
}

#[test]
fn what_one_message_of_a_burst_tells_is_true_of_all() {
    for condition in [
        "ad = true",
        "ad = \"120200\"",
        "reply_to = true",
        "forwarded = true",
    ] {
        let engine = engine(&format!("{SETTLE}{condition}"));
        for place in 0..3 {
            let mut messages = three();
            let message = &mut messages[place];
            message.ad = Some(Referral {
                source_id: Some("120200".to_owned()),
                ..Referral::default()
            });
            message.context.quoted = Some(Wamid::parse("wamid.OURS").unwrap());
            message.context.forwarded = Forwarded::Often;

            let turn = debounce(&engine, ana(), &messages);

            assert_eq!(texts(&turn), ["Yes."], "{condition} at {place}");
        }
        assert!(
            debounce(&engine, ana(), &three()).replies.is_empty(),
            "{condition}"
        );
    }
}

#[test]
fn of_two_ads_the_first_led_here() {
    let text = format!("{SETTLE}ad = true").replace("Yes.", "{{ ad.id }}");
    let mut messages = three();
    for (message, id) in messages.iter_mut().skip(1).zip(["1", "2"]) {
        message.ad = Some(Referral {
            source_id: Some(id.to_owned()),
            ..Referral::default()
        });
    }

    assert_eq!(texts(&debounce(&engine(&text), ana(), &messages)), ["1"]);
}

#[test]
fn a_burst_of_an_older_version_is_no_first_contact() {
    let engine = engine(&format!("{SETTLE}first_contact = true"));
    let mut conversation = ana();
    let turn = super::decide(
        &engine,
        &conversation,
        EngineEvent::Message(&text("Hello")),
        NOW,
    );
    let mut state = serde_json::to_value(&turn.state).unwrap();
    let debounce = state["debounce"].as_object_mut().unwrap();
    debounce.retain(|key, _| key == "messages" || key == "due");
    conversation.state = serde_json::from_value(state).unwrap();

    let due = NOW + SignedDuration::from_secs(4);
    let turn = engine.decide(&conversation, EngineEvent::Timer, due, Trace::Considered);

    assert_eq!(turn.late_decisions[0].decision, Decision::NoMatch);
}

#[test]
fn when_the_person_wrote_last_is_not_forgotten_by_a_burst() {
    let engine = engine(&format!("{SETTLE}returning_after = \"30d\""));
    let mut conversation = ana();
    conversation.state.last_inbound_at = Some(NOW - SignedDuration::from_hours(24 * 31));

    let turn = debounce(&engine, conversation.clone(), &three());

    assert_eq!(texts(&turn), ["Yes."]);
    assert_eq!(
        turn.state.last_inbound_at,
        Some(NOW),
        "the last text counts from now on"
    );
    // The file that ends it comes from somebody who has just written.
    let waiting = super::decide(
        &engine,
        &conversation,
        EngineEvent::Message(&text("Hello")),
        NOW,
    );
    conversation.state = waiting.state;
    let file = super::message(Content::Sticker(crate::message::Media::default()));
    let turn = super::decide(&engine, &conversation, EngineEvent::Message(&file), NOW);
    assert_eq!(texts(&turn), ["Yes."]);
    assert_eq!(turn.late_decisions[0].decision, Decision::Answered);
    assert_eq!(turn.decision, Decision::NoMatch);
}

#[test]
fn every_message_of_a_burst_gets_its_decision() {
    let engine = engine(&format!("{SETTLE}text.has = \"cake\""));

    let turn = debounce(&engine, ana(), &three());

    let decisions: Vec<Decision> = turn.late_decisions.iter().map(|one| one.decision).collect();
    assert_eq!(decisions, [Decision::Answered; 3]);
}

#[test]
fn texts_that_waited_too_long_are_not_answered() {
    let engine = engine(&format!("{SETTLE}text.has = \"cake\""));
    let mut conversation = ana();
    let first = text("cake");
    conversation.state =
        super::decide(&engine, &conversation, EngineEvent::Message(&first), NOW).state;

    let after_downtime = NOW + SignedDuration::from_hours(3);
    let turn = super::decide(&engine, &conversation, EngineEvent::Timer, after_downtime);

    assert!(turn.replies.is_empty());
    assert_eq!(turn.late_decisions[0].decision, Decision::TooOld);
}

#[test]
fn a_wish_to_hear_nothing_more_holds_however_late_it_comes() {
    let engine = engine(&format!(
        "{SETTLE}text.has = \"cake\"\n[opt_out]\nwords = [\"stop\"]\nreply = \"Bye.\"\n"
    ));
    let mut conversation = ana();
    let waiting = text("cake");
    conversation.state =
        super::decide(&engine, &conversation, EngineEvent::Message(&waiting), NOW).state;
    let mut stop = text("STOP");
    stop.sent_at = NOW - SignedDuration::from_hours(3);

    let turn = super::decide(&engine, &conversation, EngineEvent::Message(&stop), NOW);

    assert!(turn.replies.is_empty(), "the answer to it comes too late");
    assert_eq!(turn.decision, Decision::TooOld);
    assert!(turn.state.opted_out_at.is_some() && turn.state.debounce.is_none());
    assert_eq!(turn.late_decisions[0].decision, Decision::OptedOut);
}

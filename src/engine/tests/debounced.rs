//! Debounced texts: a property of one of them applies to all.

use jiff::SignedDuration;

use super::{NOW, Talk, engine, late_decisions, text, texts};
use crate::engine::{Decision, Turn};
use crate::message::{Content, Forwarded, Inbound, Referral, Wamid};

/// Rules that answer after a debounce, if the condition holds.
fn rules(condition: &str) -> String {
    format!(
        "bot.debounce = \"4s\"\nrule = [{{ id = \"r\", reply = \"Yes.\", when.{condition} }}]\n"
    )
}

/// Sends the messages, and lets the time of the debounce pass.
fn debounce(talk: &mut Talk<'_>, messages: &[Inbound]) -> Turn {
    for message in messages {
        assert_eq!(talk.send(message).decision, Decision::Pending);
    }
    talk.wait(4).remove(0)
}

fn three() -> [Inbound; 3] {
    ["Hello", "about the cake", "please"].map(text)
}

fn ad(id: &str) -> Referral {
    Referral {
        source_id: Some(id.to_owned()),
        ..Referral::default()
    }
}

#[test]
fn what_one_message_of_a_debounce_tells_is_true_of_all() {
    let conditions = [
        "ad = true",
        "ad = \"120200\"",
        "reply_to = true",
        "forwarded = true",
    ];
    for condition in conditions {
        let engine = engine(&rules(condition));
        for place in 0..3 {
            let mut messages = three();
            let message = &mut messages[place];
            message.ad = Some(ad("120200"));
            message.context.quoted = Some(Wamid::parse("wamid.OURS").unwrap());
            message.context.forwarded = Forwarded::Often;

            let turn = debounce(&mut Talk::new(&engine), &messages);

            assert_eq!(texts(&turn), ["Yes."], "{condition} at {place}");
        }
        let without = debounce(&mut Talk::new(&engine), &three());
        assert!(without.replies.is_empty(), "{condition}");
    }
}

#[test]
fn of_two_ads_the_first_led_here() {
    let engine = engine(&rules("ad = true").replace("Yes.", "{{ ad.id }}"));
    let mut messages = three();
    messages[1].ad = Some(ad("1"));
    messages[2].ad = Some(ad("2"));

    let turn = debounce(&mut Talk::new(&engine), &messages);

    assert_eq!(texts(&turn), ["1"]);
}

#[test]
fn a_debounce_of_an_older_version_is_no_first_contact() {
    let engine = engine(&rules("first_contact = true"));
    let mut talk = Talk::new(&engine);
    let turn = talk.text("Hello");
    let mut state = serde_json::to_value(&turn.state).unwrap();
    let debounce = state["debounce"].as_object_mut().unwrap();
    debounce.retain(|key, _| key == "messages" || key == "due");
    talk.conversation.state = serde_json::from_value(state).unwrap();

    let turn = talk.wait(4).remove(0);

    assert_eq!(late_decisions(&turn), [Decision::NoMatch]);
}

#[test]
fn when_the_contact_wrote_last_is_not_forgotten_by_a_debounce() {
    let engine = engine(&rules("returning_after = \"30d\""));
    let returning = || {
        let mut talk = Talk::new(&engine);
        let last = NOW - SignedDuration::from_hours(24 * 31);
        talk.conversation.state.last_inbound_at = Some(last);
        talk
    };

    let turn = debounce(&mut returning(), &three());

    assert_eq!(texts(&turn), ["Yes."]);
    let last = turn.state.last_inbound_at;
    assert_eq!(last, Some(NOW), "the last text counts from now on");
    // The contact card that ends the debounce comes from a contact that has just written.
    let mut talk = returning();
    talk.text("Hello");
    let turn = talk.content(Content::Contacts { cards: Vec::new() });
    assert_eq!(texts(&turn), ["Yes."]);
    assert_eq!(late_decisions(&turn), [Decision::Answered]);
    assert_eq!(turn.decision, Decision::NoMatch);
}

#[test]
fn every_message_of_a_debounce_gets_its_decision() {
    let engine = engine(&rules("text.has = \"cake\""));

    let turn = debounce(&mut Talk::new(&engine), &three());

    assert_eq!(late_decisions(&turn), [Decision::Answered; 3]);
}

#[test]
fn texts_that_waited_too_long_are_not_answered() {
    let engine = engine(&rules("text.has = \"cake\""));
    let mut talk = Talk::new(&engine);
    talk.text("cake");

    let after_downtime = talk.wait(3 * 3600).remove(0);

    assert!(after_downtime.replies.is_empty());
    assert_eq!(late_decisions(&after_downtime), [Decision::TooOld]);
}

#[test]
fn a_wish_to_hear_nothing_more_holds_however_late_it_comes() {
    let opt_out = "opt_out = { words = [\"stop\"], reply = \"Bye.\" }\n";
    let engine = engine(&format!("{opt_out}{}", rules("text.has = \"cake\"")));
    let mut talk = Talk::new(&engine);
    talk.text("cake");
    let mut stop = text("STOP");
    stop.sent_at = NOW - SignedDuration::from_hours(3);

    let turn = talk.send(&stop);

    assert!(turn.replies.is_empty(), "the answer to it comes too late");
    assert_eq!(turn.decision, Decision::TooOld);
    assert!(turn.state.opted_out_at.is_some() && turn.state.debounce.is_none());
    assert_eq!(late_decisions(&turn), [Decision::OptedOut]);
}

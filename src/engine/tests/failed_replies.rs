//! What is sent in place of a reply that WhatsApp refused or did not deliver.

use jiff::SignedDuration;

use super::{NOW, Talk, engine, texts};
use crate::engine::{ConversationEventKind, EngineEvent, Turn};
use crate::message::{ErrorClass, FailedReply, LaterAnswer, Outbound};

const RULES: &str = r#"
[bot]
timezone = "UTC"
[[rule]]
id = "photo"
when.text.has = "photo"
reply = [{ text = "Here is {{ message.text }}:" }, { image = "https://shop.example/a.jpg" }]
on_error = "Look at our site, {{ contact.first_name }}."
[[rule]]
id = "call-us"
when.text.has = "call"
reply = { image = "https://shop.example/b.jpg" }
"#;

/// The failure of the photo's second part, just after it was sent.
fn failed(turn: &Turn) -> FailedReply {
    let reply = turn.replies.last().unwrap();
    FailedReply {
        rule: reply.rule.clone(),
        answers: reply.answers.clone(),
        kind: reply.content.kind_name().to_owned(),
        instead: reply.instead.clone(),
        class: ErrorClass::RetryFew,
        decided_at: NOW,
        window_ends: Some(NOW + SignedDuration::from_hours(24)),
        later_answer: LaterAnswer::None,
    }
}

/// Sends a text, lets the reply fail as changed, and gives what is sent in its place, or the event.
fn after(change: impl FnOnce(&mut Talk<'_>, &mut FailedReply)) -> Result<Vec<String>, String> {
    let engine = engine(RULES);
    let mut talk = Talk::new(&engine);
    let turn = talk.text("photo");
    let mut failed = failed(&turn);
    change(&mut talk, &mut failed);

    let turn = talk.decide(EngineEvent::FailedReply(&failed));

    assert!(turn.replies.iter().all(|reply| reply.instead.is_empty()));
    let event = turn.conversation_events.last().unwrap();
    match event.kind {
        ConversationEventKind::Replaced => Ok(texts(&turn)),
        kind => {
            assert_eq!(kind, ConversationEventKind::NotSent);
            assert!(turn.replies.is_empty());
            Err(event.text.clone())
        }
    }
}

#[test]
fn each_part_of_an_answer_carries_on_error_as_it_was_filled_in() {
    let engine = engine(RULES);

    let photo = Talk::new(&engine).text("photo");
    let without = Talk::new(&engine).text("call");

    let instead = |turn: &Turn| -> Vec<Vec<String>> {
        let of = |reply: &crate::engine::Reply| {
            let instead = reply.instead.iter();
            instead.map(Outbound::transcript_text).collect()
        };
        turn.replies.iter().map(of).collect()
    };
    let on_error = vec!["Look at our site, Ana.".to_owned()];
    assert_eq!(instead(&photo), [on_error.clone(), on_error]);
    assert_eq!(instead(&without), [Vec::<String>::new()]);
}

#[test]
fn on_error_is_sent_where_the_message_is_the_cause() {
    for (name, class) in ErrorClass::ALL {
        let sent = after(|_, failed| failed.class = class);

        let is_sent = match class {
            ErrorClass::GiveUp
            | ErrorClass::RetryFew
            | ErrorClass::RetryWide
            | ErrorClass::Undeliverable
            | ErrorClass::Marketing => true,
            ErrorClass::Retry
            | ErrorClass::RetrySlow
            | ErrorClass::SlowNumber
            | ErrorClass::SlowPair
            | ErrorClass::WindowClosed
            | ErrorClass::Contact
            | ErrorClass::Account => false,
        };
        let text = vec!["Look at our site, Ana.".to_owned()];
        assert_eq!(
            sent.as_ref().ok(),
            is_sent.then_some(&text),
            "{name}: {sent:?}"
        );
    }
}

#[test]
fn a_text_that_does_not_reach_the_contact_is_not_followed_by_another() {
    let why = after(|_, failed| {
        failed.class = ErrorClass::Undeliverable;
        failed.kind = "text".to_owned();
    });

    let event =
        "`photo`: its reply failed, and `on_error` was not sent: nothing reaches the contact";
    assert_eq!(why.unwrap_err(), event);
}

#[test]
fn on_error_is_not_sent_where_it_is_not_allowed_or_comes_too_late() {
    let why = |change: fn(&mut Talk<'_>, &mut FailedReply)| after(change).unwrap_err();

    for (event, reason) in [
        (
            why(|talk, _| talk.conversation.state.opted_out_at = Some(NOW)),
            "the contact has opted out",
        ),
        (
            why(|talk, _| {
                let until = NOW + SignedDuration::from_hours(1);
                talk.conversation.state.handoff_until = Some(until);
            }),
            "a colleague answers here now",
        ),
        (
            why(|_, failed| failed.later_answer = LaterAnswer::Sent),
            "something was sent to the contact since",
        ),
        (
            why(|talk, _| talk.now += SignedDuration::from_hours(2)),
            "it failed longer than `max_age` after the decision",
        ),
        (
            why(|_, failed| failed.window_ends = Some(NOW)),
            "only templates",
        ),
        (
            why(|talk, _| talk.conversation.state.replied_at = vec![NOW; 100]),
            "budget of replies per minute",
        ),
    ] {
        assert!(event.contains(reason), "{event}");
    }
}

#[test]
fn an_unknown_window_is_tried() {
    assert!(after(|_, failed| failed.window_ends = None).is_ok());
}

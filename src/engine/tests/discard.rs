//! Due timers that a turn could not run.

use jiff::{SignedDuration, Timestamp};

use super::{NOW, text};
use crate::engine::{Decision, EngineEvent, Turn, discard_undone};
use crate::message::{ConversationState, RuleId, ScheduledReply};

fn with_scheduled<const N: usize>(rules: [(&str, Timestamp); N]) -> ConversationState {
    let scheduled = rules.map(|(rule, due)| ScheduledReply {
        rule: RuleId::parse(rule).unwrap(),
        due,
        message: text("cake"),
        captures: std::collections::BTreeMap::new(),
    });
    ConversationState {
        scheduled: scheduled.into(),
        ..ConversationState::default()
    }
}

#[test]
fn what_nobody_can_do_is_dropped_with_a_note_and_the_rest_stays() {
    let hour = SignedDuration::from_hours(1);
    let before = with_scheduled([("due", NOW - hour), ("not-yet", NOW + hour)]);
    let mut turn = Turn::nothing(Decision::Failed, before.clone(), "the rules panicked");

    discard_undone(&mut turn, &before, EngineEvent::Timer, NOW);

    assert_eq!(turn.state, with_scheduled([("not-yet", NOW + hour)]));
    assert_eq!(turn.conversation_events.len(), 1);
}

#[test]
fn of_two_things_due_at_once_the_second_is_still_done_after_the_first() {
    let before = with_scheduled([("first", NOW), ("second", NOW)]);
    let after = with_scheduled([("second", NOW)]);
    let mut turn = Turn::nothing(Decision::Answered, after.clone(), "the first was said");

    discard_undone(&mut turn, &before, EngineEvent::Timer, NOW);

    assert_eq!(turn.state, after);
    assert!(turn.conversation_events.is_empty());
}

//! What waits and cannot be done: it must not be tried again and again without end.

use jiff::Timestamp;

use crate::engine::{ConversationEvent, ConversationEventKind, EngineEvent, LateDecision, Turn};
use crate::message::ConversationState;

/// Drops what was due and has not been touched by its turn, because the rules failed or the number
/// is not answered any more; of an action that has ended, the place it waits in. `before` is the
/// state that the turn was taken on.
pub(crate) fn drop_stuck(
    turn: &mut Turn,
    before: &ConversationState,
    incoming: EngineEvent<'_>,
    now: Timestamp,
) {
    match incoming {
        EngineEvent::Timer => {
            let is_due = turn.state.next_timer().is_some_and(|due| due <= now);
            if is_due && turn.state == *before {
                drop_due(turn, now);
            }
        }
        EngineEvent::Action { number, .. } => {
            turn.state
                .pending_actions
                .retain(|one| one.number != number);
        }
        EngineEvent::Message(_) | EngineEvent::Echo(_) => {}
    }
}

fn drop_due(turn: &mut Turn, now: Timestamp) {
    let debounce = turn
        .state
        .debounce
        .as_ref()
        .filter(|debounce| debounce.due <= now);
    let waited = debounce.into_iter().flat_map(|debounce| &debounce.messages);
    let late_decisions: Vec<LateDecision> = waited
        .map(|message| LateDecision {
            message: message.wamid.clone(),
            decision: turn.decision,
            explanation: turn.explanation.clone(),
        })
        .collect();
    turn.late_decisions.extend(late_decisions);
    turn.state.forget_due(now);
    turn.conversation_events.push(ConversationEvent {
        kind: ConversationEventKind::NotSent,
        text: "what waited here could not be done, and was dropped".to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::drop_stuck;
    use crate::engine::{Decision, EngineEvent, Turn};
    use crate::message::{Content, Identity, Inbound, PhoneNumberId, WaId, Wamid};
    use crate::message::{ConversationState, RuleId, ScheduledReply};

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn scheduled(rule: &str, due: Timestamp) -> ScheduledReply {
        let message = Inbound::new(
            PhoneNumberId::parse("1").unwrap(),
            Wamid::parse("wamid.1").unwrap(),
            Identity::Phone(WaId::parse("15550000001").unwrap()),
            NOW,
            Content::Text {
                body: "cake".to_owned(),
            },
        );
        ScheduledReply {
            rule: RuleId::parse(rule).unwrap(),
            due,
            message,
            captures: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn what_nobody_can_do_is_dropped_with_a_note_and_the_rest_stays() {
        let hour = SignedDuration::from_hours(1);
        let before = ConversationState {
            scheduled: vec![
                scheduled("due", NOW - hour),
                scheduled("not-yet", NOW + hour),
            ],
            ..ConversationState::default()
        };
        let mut turn = Turn::nothing(Decision::Failed, before.clone(), "the rules panicked");

        drop_stuck(&mut turn, &before, EngineEvent::Timer, NOW);

        let left: Vec<&str> = turn
            .state
            .scheduled
            .iter()
            .map(|one| one.rule.as_str())
            .collect();
        assert_eq!(left, ["not-yet"]);
        assert_eq!(turn.conversation_events.len(), 1);
    }

    #[test]
    fn of_two_things_due_at_once_the_second_is_still_done_after_the_first() {
        let before = ConversationState {
            scheduled: vec![scheduled("first", NOW), scheduled("second", NOW)],
            ..ConversationState::default()
        };
        let mut after = before.clone();
        after.scheduled.remove(0);
        let mut turn = Turn::nothing(Decision::Answered, after.clone(), "the first was said");

        drop_stuck(&mut turn, &before, EngineEvent::Timer, NOW);

        assert_eq!(turn.state, after);
        assert!(turn.conversation_events.is_empty());
    }
}

//! What waits and cannot be done: it must not be tried again and again without end.

use jiff::Timestamp;

use crate::engine::{Conclusion, Incoming, Note, NoteKind, Turn};
use crate::message::State;

/// Drops what was due and has not been touched by its turn, because the rules failed or the number is not answered any
/// more; of an action that has ended, the place it waits in. `before` is the state that the turn was taken on.
pub(crate) fn drop_stuck(turn: &mut Turn, before: &State, incoming: Incoming<'_>, now: Timestamp) {
    match incoming {
        Incoming::Timer => {
            let is_due = turn.state.wakes_at().is_some_and(|due| due <= now);
            if is_due && turn.state == *before {
                drop_due(turn, now);
            }
        }
        Incoming::Action { number, .. } => {
            turn.state.waiting.retain(|one| one.number != number);
        }
        Incoming::Message(_) | Incoming::Echo(_) => {}
    }
}

fn drop_due(turn: &mut Turn, now: Timestamp) {
    let burst = turn.state.burst.as_ref().filter(|burst| burst.due <= now);
    let waited = burst.into_iter().flat_map(|burst| &burst.messages);
    let concluded: Vec<Conclusion> = waited
        .map(|message| Conclusion {
            message: message.wamid.clone(),
            decision: turn.decision,
            explanation: turn.explanation.clone(),
        })
        .collect();
    turn.concluded.extend(concluded);
    turn.state.forget_due(now);
    turn.notes.push(Note {
        kind: NoteKind::NotSent,
        text: "what waited here could not be done, and was dropped".to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::drop_stuck;
    use crate::engine::{Decision, Incoming, Turn};
    use crate::message::{Content, Identity, Inbound, PhoneNumberId, WaId, Wamid};
    use crate::message::{Later, RuleId, State};

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn later(rule: &str, due: Timestamp) -> Later {
        let message = Inbound::new(
            PhoneNumberId::parse("1").unwrap(),
            Wamid::parse("wamid.1").unwrap(),
            Identity::Phone(WaId::parse("15550000001").unwrap()),
            NOW,
            Content::Text {
                body: "cake".to_owned(),
            },
        );
        Later {
            rule: RuleId::parse(rule).unwrap(),
            due,
            message,
            captures: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn what_nobody_can_do_is_dropped_with_a_note_and_the_rest_stays() {
        let hour = SignedDuration::from_hours(1);
        let before = State {
            later: vec![later("due", NOW - hour), later("not-yet", NOW + hour)],
            ..State::default()
        };
        let mut turn = Turn::nothing(Decision::Failed, before.clone(), "the rules panicked");

        drop_stuck(&mut turn, &before, Incoming::Timer, NOW);

        let left: Vec<&str> = turn
            .state
            .later
            .iter()
            .map(|one| one.rule.as_str())
            .collect();
        assert_eq!(left, ["not-yet"]);
        assert_eq!(turn.notes.len(), 1);
    }

    #[test]
    fn of_two_things_due_at_once_the_second_is_still_done_after_the_first() {
        let before = State {
            later: vec![later("first", NOW), later("second", NOW)],
            ..State::default()
        };
        let mut after = before.clone();
        after.later.remove(0);
        let mut turn = Turn::nothing(Decision::Answered, after.clone(), "the first was said");

        drop_stuck(&mut turn, &before, Incoming::Timer, NOW);

        assert_eq!(turn.state, after);
        assert!(turn.notes.is_empty());
    }
}

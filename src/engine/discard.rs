//! Discards work that a turn left undone, so that it is not tried again without end.

use jiff::Timestamp;

use super::conversation_event::{ConversationEvent, ConversationEventKind};
use super::event::EngineEvent;
use super::turn::{LateDecision, Turn};
use crate::message::ConversationState;

/// Discards the due timers if the turn did not touch them, because the rules failed or the number
/// is not answered any more; after the end of an action, its pending entry. `before` is the state
/// before the turn.
pub(crate) fn discard_undone(
    turn: &mut Turn,
    before: &ConversationState,
    event: EngineEvent<'_>,
    now: Timestamp,
) {
    match event {
        EngineEvent::Timer => {
            let is_due = turn.state.next_timer().is_some_and(|due| due <= now);
            if is_due && turn.state == *before {
                discard_due(turn, now);
            }
        }
        EngineEvent::Action { number, .. } => {
            let pending = &mut turn.state.pending_actions;
            pending.retain(|action| action.number != number);
        }
        EngineEvent::Message(_) | EngineEvent::Echo(_) | EngineEvent::FailedReply(_) => {}
    }
}

fn discard_due(turn: &mut Turn, now: Timestamp) {
    let debounce = turn.state.debounce.iter();
    let debounce = debounce.filter(|debounce| debounce.due <= now);
    let texts = debounce.flat_map(|debounce| &debounce.messages);
    let late_decisions: Vec<LateDecision> = texts
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

//! Whoever opts out hears nothing that was decided in the same batch before.
//!
//! What an earlier batch has queued is called off by [`crate::store::sql`]; what this one has
//! decided was never written.

use std::collections::HashSet;

use super::write::Decided;
use crate::engine::{ConversationEventKind, Decision};

/// Takes replies and actions away that came before an opt-out of the same conversation.
pub(super) fn in_batch(decided: &mut [Decided<'_>]) {
    let mut opted_out: HashSet<i64> = HashSet::new();
    for one in decided.iter_mut().rev() {
        let turn = &mut one.turn;
        let asks = !turn.replies.is_empty() || !turn.actions.is_empty();
        if asks && opted_out.contains(&one.conversation_id) {
            turn.replies.clear();
            turn.actions.clear();
            turn.decision = Decision::OptedOut;
            let note = "the person opted out before anything was sent";
            turn.explanation.note = Some(note.to_owned());
        }
        if turn
            .conversation_events
            .iter()
            .any(|note| note.kind == ConversationEventKind::OptedOut)
        {
            opted_out.insert(one.conversation_id);
        }
    }
}

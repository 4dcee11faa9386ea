//! Opt-outs: a contact who opts out gets nothing that was decided before, be it in the same batch,
//! where it is not written yet, or in an earlier one, where it is queued.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::engine::{ConversationEventKind, Decision, Turn};
use crate::store::keys::json_rows;
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Takes replies and actions away that come before an opt-out of the same conversation. The turns
/// come with the ids of their conversations.
pub(super) fn cancel_turns<'a>(turns: impl DoubleEndedIterator<Item = (i64, &'a mut Turn)>) {
    let mut opted_out: HashSet<i64> = HashSet::new();
    for (conversation, turn) in turns.rev() {
        let is_active = !turn.replies.is_empty() || !turn.actions.is_empty();
        if is_active && opted_out.contains(&conversation) {
            turn.replies.clear();
            turn.actions.clear();
            turn.decision = Decision::OptedOut;
            let note = "the contact opted out before anything was sent";
            turn.explanation.note = Some(note.to_owned());
        }
        if is_opt_out(turn) {
            opted_out.insert(conversation);
        }
    }
}

/// Whether the contact opted out in this turn.
pub(super) fn is_opt_out(turn: &Turn) -> bool {
    let mut events = turn.conversation_events.iter();
    events.any(|event| event.kind == ConversationEventKind::OptedOut)
}

/// Cancels queued replies. Runs before new rows are inserted: the confirmation of the opt-out is
/// still sent.
pub(super) async fn cancel_replies(
    tx: &mut Transaction,
    conversations: &[i64],
) -> Result<(), StoreError> {
    if !conversations.is_empty() {
        let cancel = sqlx::query(sql::CANCEL_REPLIES).bind(json_rows(conversations));
        cancel.execute(&mut *tx).await?;
    }
    Ok(())
}

/// Cancels queued actions. Runs after new rows are inserted: a turn that opts out asks for no
/// action.
pub(super) async fn cancel_actions(
    tx: &mut Transaction,
    conversations: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    if !conversations.is_empty() {
        let cancel = sqlx::query(sql::CANCEL_ACTIONS).bind(json_rows(conversations));
        cancel.bind(now.as_millisecond()).execute(&mut *tx).await?;
    }
    Ok(())
}

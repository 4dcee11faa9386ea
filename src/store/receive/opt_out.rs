//! Opt-outs: a contact who opts out gets nothing that was decided before, be it in the same batch,
//! where it is not written yet, or in an earlier one, where it is queued.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::engine::{ConversationEventKind, Decision, Turn};
use crate::store::keys::json_rows;
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Takes replies and actions away that come before an opt-out of the same conversation, or of the
/// same contact at all numbers. The turns come with the ids of their contacts and conversations.
pub(super) fn cancel_turns<'a>(turns: impl DoubleEndedIterator<Item = ((i64, i64), &'a mut Turn)>) {
    let mut contacts: HashSet<i64> = HashSet::new();
    let mut conversations: HashSet<i64> = HashSet::new();
    for ((contact, conversation), turn) in turns.rev() {
        let is_active = !turn.replies.is_empty() || !turn.actions.is_empty();
        let is_over = conversations.contains(&conversation) || contacts.contains(&contact);
        if is_active && is_over {
            turn.replies.clear();
            turn.actions.clear();
            turn.decision = Decision::OptedOut;
            let note = "the contact opted out before anything was sent";
            turn.explanation.note = Some(note.to_owned());
        }
        if is_opt_out(turn) {
            conversations.insert(conversation);
            if turn.is_for_all_numbers {
                contacts.insert(contact);
            }
        }
    }
}

/// Opt-out or opt-in of a contact at all numbers: a row of `spread_opt_outs.sql`.
#[derive(Serialize)]
pub(super) struct Spread {
    pub(super) contact_id: i64,
    pub(super) opted_out_ms: Option<i64>,
}

/// Adds the other conversations of contacts that opted out at all numbers.
pub(super) async fn with_other_conversations(
    tx: &mut Transaction,
    conversations: &[i64],
    contacts: &[i64],
) -> Result<Vec<i64>, StoreError> {
    let mut all = conversations.to_vec();
    if !contacts.is_empty() {
        let others = sqlx::query_scalar(sql::CONVERSATIONS_OF_CONTACTS).bind(json_rows(contacts));
        let others: Vec<i64> = others.fetch_all(&mut *tx).await?;
        all.extend(others);
        all.sort_unstable();
        all.dedup();
    }
    Ok(all)
}

/// Takes opt-outs and opt-ins over to all numbers. Runs after the conversations are written.
pub(super) async fn spread(tx: &mut Transaction, spread: &[Spread]) -> Result<(), StoreError> {
    if !spread.is_empty() {
        let update = sqlx::query(sql::SPREAD_OPT_OUTS).bind(json_rows(spread));
        update.execute(&mut *tx).await?;
    }
    Ok(())
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

//! Writes the rows of a batch: contacts, conversations, messages, replies, outbox rows and media,
//! in one text.

use jiff::Timestamp;

use super::decide::{Decided, DecidedTurn};
use super::direct::{claim_replies, marks_of_idle};
use super::opt_out;
use super::policy::{DirectClaims, ReceivePolicy, Received};
use super::rows::{
    ConversationRow, MessageRows, action_rows, media_rows, message_rows, read_marks,
};
use super::side_effects::SideEffects;
use crate::store::contacts;
use crate::store::keys::json_rows;
use crate::store::transaction::Transaction;
use crate::store::writes::Writes;
use crate::store::{StoreError, sql};

/// Every row of a batch with its id.
pub(super) struct Rows {
    /// Everything but side effects.
    writes: Writes,
    side_effects: SideEffects,
    now: Timestamp,
    received: Received,
}

impl Decided {
    /// Gives ids to new messages and makes the rows of everything.
    pub(super) fn into_rows(
        self,
        policy: ReceivePolicy,
        direct: Option<&DirectClaims<'_>>,
    ) -> Rows {
        let Self { turns, loaded } = self;
        let turns = &turns;
        let last = loaded.last_message;
        let MessageRows {
            messages,
            late_replies,
            mut outbox,
        } = message_rows(turns, last, policy);
        let claimed =
            direct.map(|direct| claim_replies(&mut outbox, turns, &loaded, policy, direct));
        let claimed = claimed.unwrap_or_default();
        let (downloads, media): (Vec<_>, Vec<_>) = media_rows(turns, last, policy).unzip();
        outbox.extend(downloads);
        let marks = read_marks(turns, policy);
        let direct_marks = match direct {
            Some(_) => marks_of_idle(&marks, &loaded),
            None => Vec::new(),
        };
        outbox.extend(action_rows(turns, policy));
        let queued = outbox.len() - claimed.len() + marks.len() - direct_marks.len();
        let conversations = loaded.conversations.iter();
        let conversations =
            conversations.map(|conversation| ConversationRow::new(conversation, policy.now));
        let conversations: Vec<_> = conversations.collect();
        let longest = messages.len().max(outbox.len()).max(conversations.len());
        let mut writes = Writes::with_rows(longest);
        contacts::add(&mut writes, &loaded.contacts, &loaded.numbers, policy.now);
        writes.rows(sql::WRITE_CONVERSATIONS, conversations);
        writes.rows(sql::INSERT_MESSAGES, messages);
        if !late_replies.is_empty() {
            writes.set(sql::LINK_REPLIES, json_rows(&late_replies));
        }
        writes.rows(sql::WRITE_READ_MARKS, marks);
        writes.rows(sql::INSERT_OUTBOX, outbox);
        writes.rows(sql::INSERT_MEDIA, media);
        let inbound = turns
            .iter()
            .filter(|decided| decided.inbound().is_some())
            .count();
        let messages_count = turns
            .iter()
            .filter(|decided| decided.message.is_some())
            .count();
        Rows {
            writes,
            side_effects: SideEffects::new(turns, last),
            now: policy.now,
            received: Received {
                messages: inbound,
                echoes: messages_count - inbound,
                duplicates: loaded.duplicates,
                decisions: turns.iter().flat_map(DecidedTurn::decisions).collect(),
                queued,
                claimed,
                marks: direct_marks,
                actions: turns.iter().map(|decided| decided.turn.actions.len()).sum(),
                ..Received::default()
            },
        }
    }
}

impl Rows {
    /// Writes the rows; without any, no statement runs.
    pub(super) async fn write(self, tx: &mut Transaction) -> Result<Received, StoreError> {
        let effects = &self.side_effects;
        let opted_out =
            opt_out::with_other_conversations(tx, &effects.opted_out, &effects.silenced).await?;
        opt_out::cancel_replies(tx, &opted_out).await?;
        self.writes.run(tx).await?;
        self.side_effects.write(tx, self.now).await?;
        opt_out::cancel_actions(tx, &opted_out, self.now).await?;
        opt_out::spread(tx, &effects.spread).await?;
        Ok(self.received)
    }
}

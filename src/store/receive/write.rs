//! Writes the rows of a batch: contacts, conversations, messages, replies, outbox rows and media,
//! in one statement text.

use std::mem::take;

use jiff::Timestamp;

use super::decide::{Decided, DecidedTurn};
use super::direct::{claim_replies, marks_of_idle};
use super::opt_out;
use super::policy::{DirectClaims, ReceivePolicy, Received};
use super::rows::{ConversationRow, action_rows, media_rows, message_rows, read_marks};
use super::side_effects::SideEffects;
use crate::store::contacts::{self, ContactRow, NumberRow};
use crate::store::keys::json_rows;
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Every row of a batch with its id, as the JSON arrays that the statements unfold.
pub(super) struct Rows {
    is_empty: bool,
    contacts: Vec<ContactRow>,
    numbers: Vec<NumberRow>,
    conversations: String,
    messages: String,
    read_marks: String,
    /// In the order of sending.
    outbox: String,
    media: String,
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
        let Self { turns, mut loaded } = self;
        let (contacts, numbers) = (take(&mut loaded.contacts), take(&mut loaded.numbers));
        let turns = &turns;
        let last = loaded.last_message;
        let (messages, mut outbox) = message_rows(turns, last, policy);
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
        let conversations = loaded.conversations.iter().map(ConversationRow::new);
        let inbound = turns
            .iter()
            .filter(|decided| decided.inbound().is_some())
            .count();
        let messages_count = turns
            .iter()
            .filter(|decided| decided.message.is_some())
            .count();
        Rows {
            is_empty: loaded.conversations.is_empty(),
            contacts,
            numbers,
            conversations: json_rows(&conversations.collect::<Vec<_>>()),
            messages: json_rows(&messages),
            read_marks: json_rows(&marks),
            outbox: json_rows(&outbox),
            media: json_rows(&media),
            side_effects: SideEffects::new(turns, last),
            now: policy.now,
            received: Received {
                messages: inbound,
                echoes: messages_count - inbound,
                duplicates: loaded.duplicates,
                decisions: turns.iter().flat_map(DecidedTurn::decisions).collect(),
                queued: outbox.len() - claimed.len() + marks.len() - direct_marks.len(),
                claimed,
                marks: direct_marks,
                actions: turns.iter().map(|decided| decided.turn.actions.len()).sum(),
                ..Received::default()
            },
        }
    }
}

impl Rows {
    /// Writes the rows. Without a conversation there are none, and no statement runs.
    pub(super) async fn write(self, tx: &mut Transaction) -> Result<Received, StoreError> {
        if self.is_empty {
            return Ok(self.received);
        }
        contacts::write(tx, &self.contacts, &self.numbers, self.now).await?;
        let effects = &self.side_effects;
        let opted_out =
            opt_out::with_other_conversations(tx, &effects.opted_out, &effects.silenced).await?;
        opt_out::cancel_replies(tx, &opted_out).await?;
        sqlx::query(sql::INSERT_BATCH)
            .bind(self.conversations)
            .bind(self.messages)
            .bind(self.read_marks)
            .bind(self.outbox)
            .bind(self.now.as_millisecond())
            .bind(self.media)
            .execute(&mut *tx)
            .await?;
        self.side_effects.write(tx, self.now).await?;
        opt_out::cancel_actions(tx, &opted_out, self.now).await?;
        opt_out::spread(tx, &effects.spread).await?;
        Ok(self.received)
    }
}

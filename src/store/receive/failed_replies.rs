//! Replies that WhatsApp refused or did not deliver: each is given to the rules once, which may send
//! `on_error` in its place.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decide::Decided;
use super::load::{ConversationWithContact, Fresh, Trigger};
use super::policy::{Decide, ReceivePolicy, Received};
use super::rows::window_end;
use crate::message::{ErrorClass, FailedReply, LaterAnswer, RuleId, Wamid};
use crate::store::keys::json_rows;
use crate::store::transaction::Transaction;
use crate::store::{Store, StoreError, sql};

/// Upper bound of the replies of a turn, whose ids follow each other; the rules allow far fewer.
const PARTS_MAX: i64 = 100;

/// Failed replies with their conversations.
#[derive(Deserialize)]
struct Loaded {
    conversations: Vec<ConversationWithContact>,
    failed: Vec<Row>,
    last_message: i64,
}

/// A failed reply.
#[derive(Deserialize)]
struct Row {
    id: i64,
    conversation_id: i64,
    rule: RuleId,
    kind: String,
    instead: String,
    class: String,
    decided_at_ms: i64,
    answers: Option<Wamid>,
    window_closed_ms: Option<i64>,
    later_answer: LaterAnswer,
}

impl Store {
    /// Whether a reply failed for which it is not settled yet what is sent in its place.
    ///
    /// # Errors
    /// `Database`.
    pub async fn has_failed_replies(&self) -> Result<bool, StoreError> {
        let exists = sqlx::query_scalar(sql::HAS_FAILED_REPLIES).fetch_one(&self.read);
        Ok(exists.await?)
    }

    /// Gives at most `limit` failed replies to the rules, in one transaction. Each is settled by it:
    /// none is given again.
    ///
    /// # Errors
    /// As [`Store::receive`].
    pub async fn replace_failed_replies(
        &self,
        limit: u32,
        policy: ReceivePolicy,
        decide: &Decide,
    ) -> Result<Received, StoreError> {
        let mut tx = self.begin().await?;
        let loaded = sqlx::query_scalar(sql::LOAD_FAILED_REPLIES).bind(limit);
        let loaded: Loaded = tx.fetch_json(loaded, "messages").await?;
        if loaded.failed.is_empty() {
            tx.roll_back().await;
            return Ok(Received::default());
        }
        let last_inbound = loaded.conversations.iter();
        let last_inbound: HashMap<i64, Option<i64>> = last_inbound
            .map(ConversationWithContact::last_inbound)
            .collect();
        let triggers = loaded.failed.into_iter();
        let triggers = triggers.map(|row| {
            let last_inbound_ms = last_inbound.get(&row.conversation_id).copied().flatten();
            Ok((row.conversation_id, row.trigger(last_inbound_ms)?))
        });
        let triggers = triggers.collect::<Result<_, StoreError>>()?;
        let fresh = Fresh::from_triggers(triggers, loaded.conversations, loaded.last_message)?;
        let decided = fresh.decide(decide, policy.now);
        let settled = settled(&decided, loaded.last_message);
        let received = decided.into_rows(policy, None).write(&mut tx).await?;
        write_settled(&mut tx, &settled).await?;
        tx.commit().await?;
        Ok(received)
    }
}

impl Row {
    fn trigger(self, last_inbound_ms: Option<i64>) -> Result<Trigger, StoreError> {
        let corrupt = |what| StoreError::corrupt("messages", self.id, what);
        let window_ends = self.window_closed_ms.or(last_inbound_ms.map(window_end));
        let time = |at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX);
        let reply = FailedReply {
            instead: serde_json::from_str(&self.instead)
                .map_err(|_| corrupt("`instead` is not ours"))?,
            class: ErrorClass::parse(&self.class)
                .ok_or_else(|| corrupt("`error_class` is none of ours"))?,
            rule: self.rule,
            answers: self.answers,
            kind: self.kind,
            decided_at: time(self.decided_at_ms),
            window_ends: window_ends.map(time),
            later_answer: self.later_answer,
        };
        Ok(Trigger::FailedReply {
            id: self.id,
            reply: Box::new(reply),
        })
    }
}

/// A failed reply with the first message in its place.
#[derive(Serialize)]
struct Settled {
    id: i64,
    replaced_by: Option<i64>,
}

/// Finds what is sent in place of each failed reply; new messages have the ids after `last_message`,
/// in the order of the turns.
fn settled(decided: &Decided, last_message: i64) -> Vec<Settled> {
    let mut next_id = last_message + 1;
    let mut settled = Vec::with_capacity(decided.turns.len());
    for turn in &decided.turns {
        let (first, replies) = (next_id, turn.turn.replies.len());
        next_id += i64::try_from(replies).expect("a turn has few replies");
        settled.extend(turn.replaces.map(|id| Settled {
            id,
            replaced_by: (replies > 0).then_some(first),
        }));
    }
    settled
}

async fn write_settled(tx: &mut Transaction, settled: &[Settled]) -> Result<(), StoreError> {
    sqlx::query(sql::SETTLE_FAILED_REPLIES)
        .bind(json_rows(settled))
        .bind(PARTS_MAX)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

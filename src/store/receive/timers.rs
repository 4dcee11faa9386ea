//! What comes without a message: something that was waited for is due. What becomes of actions is
//! told in [`super::action_results`].

use jiff::Timestamp;
use serde::Deserialize;

use super::identity::ContactRow;
use super::load::{ConversationRow, LoadedConversation};
use super::write;
use super::write::{Decided, Written};
use super::{Decide, ReceivePolicy, Received};
use crate::engine::EngineEvent;
use crate::message::PhoneNumberId;
use crate::store::{Store, StoreError, Transaction, sql};

/// So many things of one conversation are done in one go; more are done in the next.
const DUE_MAX: usize = 16;
/// What is due.
#[derive(Deserialize)]
struct Found {
    conversations: Vec<Due>,
    last_message: i64,
}

/// A conversation, with whom it is.
#[derive(Deserialize)]
pub(super) struct Due {
    contact: ContactRow,
    #[serde(flatten)]
    conversation: ConversationRow,
}

impl Store {
    /// When the next thing becomes due.
    ///
    /// # Errors
    /// `Database`.
    pub async fn due_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(sql::NEXT_TIMER)
            .fetch_one(&self.read)
            .await?;
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    /// Does what is due, in at most `limit` conversations, in one transaction.
    ///
    /// # Errors
    /// As [`Store::receive`].
    pub async fn wake(
        &self,
        limit: u32,
        policy: ReceivePolicy,
        decide: &Decide,
    ) -> Result<Received, StoreError> {
        let mut tx = self.begin().await?;
        let due = sqlx::query_scalar(sql::LOAD_DUE)
            .bind(policy.now.as_millisecond())
            .bind(limit);
        let found: Found = tx.fetch_json(due, "conversations").await?;
        let mut loaded = load(found.conversations)?;
        if loaded.is_empty() {
            tx.roll_back().await;
            return Ok(Received::default());
        }
        let mut decided = Vec::new();
        for one in &mut loaded {
            for _ in 0..DUE_MAX {
                let due = one.conversation.state.next_timer();
                if due.is_none_or(|due| due > policy.now) {
                    break;
                }
                let (turn, version) =
                    write::decide_one(one, EngineEvent::Timer, policy.now, decide);
                decided.push(Decided::of(one, None, turn, version));
            }
        }
        write(tx, &decided, &loaded, found.last_message, policy).await
    }
}

pub(super) fn load(found: Vec<Due>) -> Result<Vec<LoadedConversation>, StoreError> {
    let mut loaded = Vec::with_capacity(found.len());
    for due in found {
        let number = PhoneNumberId::parse(due.conversation.phone_number_id.clone());
        let number = number.ok_or_else(corrupt)?;
        loaded.push(due.conversation.loaded(&due.contact, &number)?);
    }
    Ok(loaded)
}

pub(super) fn corrupt() -> StoreError {
    StoreError::Corrupt {
        table: "conversations",
        row: 0,
        what: "what was looked up is not what we wrote",
    }
}

pub(super) async fn write(
    mut tx: Transaction,
    decided: &[Decided<'_>],
    conversations: &[LoadedConversation],
    last_message: i64,
    policy: ReceivePolicy,
) -> Result<Received, StoreError> {
    let written = Written {
        contacts: &[],
        conversations,
        last_message,
    };
    let queued = write::write(&mut tx, decided, &written, policy).await?;
    tx.commit().await?;
    let late_decisions = decided.iter().flat_map(|one| &one.turn.late_decisions);
    Ok(Received {
        decisions: late_decisions.map(|one| one.decision).collect(),
        queued,
        actions: decided.iter().map(|one| one.turn.actions.len()).sum(),
        ..Received::default()
    })
}

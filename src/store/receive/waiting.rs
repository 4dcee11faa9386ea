//! What comes without a message: something that was waited for is due, or an action has finished.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sqlx::{Row as _, Sqlite, Transaction};
use uuid::Uuid;

use super::super::{Store, StoreError, commit, sql};
use super::contacts::Person;
use super::messages::{self, Decided, Written};
use super::people::{Loaded, Stored};
use super::{Decide, ReceivePolicy, Received};
use crate::message::{Action, ModelTurn, Outcome, PhoneNumberId, Speaker};
use crate::turn::Incoming;

/// So many things of one conversation are done in one go; more are done in the next.
const DUE_MAX: usize = 16;
/// So many messages of a conversation are told to a model.
const LATELY: i64 = 20;

/// An action to be done, ours until its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedAction {
    /// Random per claim.
    pub fence: String,
    /// 1 for the first.
    pub attempt: u32,
    /// Which, of its conversation.
    pub number: u64,
    /// What to do.
    pub action: Action,
}

/// What the two statements of this file give.
#[derive(Deserialize)]
struct Found {
    conversations: Vec<Due>,
    last_message: i64,
}

#[derive(Deserialize)]
struct Due {
    person: Person,
    #[serde(flatten)]
    conversation: Stored,
}

impl Store {
    /// When the next thing becomes due.
    ///
    /// # Errors
    /// `Database`.
    pub async fn due_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(sql::DUE_AT)
            .fetch_one(&self.read)
            .await?;
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    /// Whether an action is to be done.
    ///
    /// # Errors
    /// `Database`.
    pub async fn has_actions(&self, now: Timestamp) -> Result<bool, StoreError> {
        let there = sqlx::query_scalar(sql::HAS_ACTIONS).bind(now.as_millisecond());
        Ok(there.fetch_one(&self.read).await?)
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
        let found: String = sqlx::query_scalar(sql::DUE)
            .bind(policy.now.as_millisecond())
            .bind(limit)
            .fetch_one(&mut *tx)
            .await?;
        let (mut loaded, last_message) = load(&found)?;
        if loaded.is_empty() {
            return Ok(Received::default());
        }
        let mut decided = Vec::new();
        for one in &mut loaded {
            for _ in 0..DUE_MAX {
                let due = one.conversation.state.wakes_at();
                if due.is_none_or(|due| due > policy.now) {
                    break;
                }
                let (turn, version) =
                    messages::decide_one(one, Incoming::Timer, policy.now, decide);
                decided.push(Decided::of(one, None, turn, version));
            }
        }
        write(tx, &decided, &loaded, last_message, policy).await
    }

    /// Makes the action that waits longest ours; `None` when there is none.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`, `Corrupt`.
    pub async fn claim_action(
        &self,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<ClaimedAction>, StoreError> {
        let fence = Uuid::new_v4().simple().to_string();
        let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let mut tx = self.begin().await?;
        let row = sqlx::query(sql::CLAIM_ACTION)
            .bind(now.as_millisecond())
            .bind(&fence)
            .bind(until.as_millisecond())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let conversation: i64 = row.try_get("conversation_id")?;
        let number: i64 = row.try_get("action_number")?;
        let request: String = sqlx::query_scalar(sql::ACTION)
            .bind(conversation)
            .bind(number)
            .fetch_one(&mut *tx)
            .await?;
        let mut action: Action =
            serde_json::from_str(&request).map_err(|_| StoreError::Corrupt {
                table: "actions",
                row: conversation,
                what: "its request is not what we wrote",
            })?;
        if let Action::Model(call) = &mut action {
            call.turns = lately(&mut tx, conversation).await?;
        }
        let attempt = row.try_get("attempts")?;
        commit(tx).await?;
        Ok(Some(ClaimedAction {
            fence,
            attempt,
            number: u64::try_from(number).unwrap_or_default(),
            action,
        }))
    }

    /// Records what came of an action and goes on with the conversation; a claim that is not ours any more does nothing.
    ///
    /// # Errors
    /// As [`Store::receive`].
    pub async fn finish_action(
        &self,
        claimed: &ClaimedAction,
        outcome: &Outcome,
        policy: ReceivePolicy,
        decide: &Decide,
    ) -> Result<Received, StoreError> {
        let mut tx = self.begin().await?;
        let found: String = sqlx::query_scalar(sql::CONVERSATION_OF_ACTION)
            .bind(&claimed.fence)
            .fetch_one(&mut *tx)
            .await?;
        let (mut loaded, last_message) = load(&found)?;
        sqlx::query(sql::END_ACTION)
            .bind(&claimed.fence)
            .bind(serde_json::to_string(outcome).expect("its keys are strings"))
            .bind(policy.now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        let mut decided = Vec::new();
        for one in &mut loaded {
            let number = claimed.number;
            let incoming = Incoming::Action { number, outcome };
            let (turn, version) = messages::decide_one(one, incoming, policy.now, decide);
            decided.push(Decided::of(one, None, turn, version));
        }
        write(tx, &decided, &loaded, last_message, policy).await
    }
}

fn load(found: &str) -> Result<(Vec<Loaded>, i64), StoreError> {
    let corrupt = || StoreError::Corrupt {
        table: "conversations",
        row: 0,
        what: "what was looked up is not what we wrote",
    };
    let found: Found = serde_json::from_str(found).map_err(|_| corrupt())?;
    let mut loaded = Vec::with_capacity(found.conversations.len());
    for due in found.conversations {
        let number = PhoneNumberId::parse(due.conversation.phone_number_id.clone());
        let number = number.ok_or_else(corrupt)?;
        loaded.push(due.conversation.loaded(&due.person, &number)?);
    }
    Ok((loaded, found.last_message))
}

async fn write(
    mut tx: Transaction<'static, Sqlite>,
    decided: &[Decided<'_>],
    conversations: &[Loaded],
    last_message: i64,
    policy: ReceivePolicy,
) -> Result<Received, StoreError> {
    let written = Written {
        contacts: &[],
        conversations,
        last_message,
    };
    let queued = messages::write(&mut tx, decided, &written, policy).await?;
    commit(tx).await?;
    let concluded = decided.iter().flat_map(|one| &one.turn.concluded);
    Ok(Received {
        decisions: concluded.map(|one| one.decision).collect(),
        queued,
        actions: decided.iter().map(|one| one.turn.actions.len()).sum(),
        ..Received::default()
    })
}

/// What was said lately, the oldest first.
async fn lately(
    tx: &mut Transaction<'static, Sqlite>,
    conversation: i64,
) -> Result<Vec<ModelTurn>, StoreError> {
    let said = sqlx::query(sql::LATELY)
        .bind(conversation)
        .bind(LATELY)
        .fetch_all(&mut **tx)
        .await?;
    let mut turns = Vec::with_capacity(said.len());
    for row in said.iter().rev() {
        let direction: String = row.try_get("direction")?;
        turns.push(ModelTurn {
            speaker: match direction.as_str() {
                "in" => Speaker::Person,
                _ => Speaker::Business,
            },
            text: row.try_get("text")?,
        });
    }
    Ok(turns)
}

//! Claims actions for running: many in one commit, before any is started.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::keys::json_rows;
use super::outbox::claim_rows;
use super::transaction::Transaction;
use super::{Store, StoreError, sql};
use crate::message::{Action, ModelTurn, Speaker};

/// Number of the latest messages of a conversation that a language model gets.
const MODEL_MESSAGES: i64 = 20;

/// Bounds of one claim of actions.
#[derive(Clone, Debug)]
pub struct ActionClaim {
    /// Time of the claim.
    pub now: Timestamp,
    /// Length of the lease.
    pub lease: Duration,
    /// Number of actions that may start at each host; actions at other hosts are not claimed.
    pub room: HashMap<String, usize>,
}

/// An action to run before its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedAction {
    /// Random per claim.
    pub claim_token: String,
    /// 1 for the first.
    pub attempt: u32,
    /// Time after which the action is not run any more.
    pub expires_at: Timestamp,
    /// Host that the action calls: [`Action::host`].
    pub host: String,
    /// The call.
    pub action: Action,
}

#[derive(Deserialize)]
struct Candidate {
    id: i64,
    conversation_id: i64,
    host: String,
    attempts: u32,
    expires_at_ms: i64,
    request: String,
}

impl Candidate {
    fn corrupt(&self, what: &'static str) -> StoreError {
        StoreError::corrupt("outbox", self.id, what)
    }

    fn action(&self) -> Result<Action, StoreError> {
        serde_json::from_str(&self.request)
            .map_err(|_| self.corrupt("its request is not what we wrote"))
    }

    fn claimed(&self, action: Action) -> Result<ClaimedAction, StoreError> {
        Ok(ClaimedAction {
            claim_token: Uuid::new_v4().simple().to_string(),
            attempt: self.attempts + 1,
            expires_at: Timestamp::from_millisecond(self.expires_at_ms)
                .map_err(|_| self.corrupt("its time is out of range"))?,
            host: self.host.clone(),
            action,
        })
    }
}

impl Store {
    /// Hosts with an action to run.
    ///
    /// # Errors
    /// `Database`.
    pub async fn action_hosts(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let hosts = sqlx::query_scalar(sql::ACTION_HOSTS).bind(now.as_millisecond());
        Ok(hosts.fetch_all(&self.read).await?)
    }

    /// Claims the actions that wait longest, as many as each host has room for, committed before
    /// any is started.
    ///
    /// # Errors
    /// `CommitUnknown` (then none may be started: they are found again when their lease ends),
    /// `Database`, `Corrupt`.
    pub async fn claim_actions(
        &self,
        claim: ActionClaim,
    ) -> Result<Vec<ClaimedAction>, StoreError> {
        let mut room = claim.room;
        let limit = room.values().copied().max().unwrap_or(0);
        let hosts: Vec<&String> = room.keys().collect();
        let mut tx = self.begin().await?;
        let claimable = sqlx::query_scalar(sql::CLAIMABLE_ACTIONS)
            .bind(claim.now.as_millisecond())
            .bind(json_rows(&hosts))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let mut candidates: Vec<Candidate> = tx.fetch_json(claimable, "outbox").await?;
        candidates.retain(|candidate| match room.get_mut(&candidate.host) {
            Some(room) if *room > 0 => {
                *room -= 1;
                true
            }
            _ => false,
        });
        if candidates.is_empty() {
            tx.roll_back().await;
            return Ok(Vec::new());
        }
        let lease_until = claim.now.saturating_add(claim.lease);
        let lease_until = lease_until.unwrap_or(Timestamp::MAX);
        let claimed = mark_claimed(&mut tx, &candidates, lease_until).await?;
        tx.commit().await?;
        Ok(claimed)
    }
}

async fn mark_claimed(
    tx: &mut Transaction,
    candidates: &[Candidate],
    lease_until: Timestamp,
) -> Result<Vec<ClaimedAction>, StoreError> {
    let actions = candidates.iter().map(Candidate::action);
    let mut actions = actions.collect::<Result<Vec<_>, _>>()?;
    add_recent_messages(tx, candidates, &mut actions).await?;
    let claimed = candidates.iter().zip(actions);
    let claimed = claimed.map(|(candidate, action)| candidate.claimed(action));
    let claimed = claimed.collect::<Result<Vec<_>, _>>()?;
    let rows = candidates.iter().zip(&claimed);
    let rows = rows.map(|(candidate, claim)| (candidate.id, claim.claim_token.as_str()));
    claim_rows(tx, rows, lease_until).await?;
    Ok(claimed)
}

/// Adds to calls of a language model the latest messages of their conversations, the oldest first.
async fn add_recent_messages(
    tx: &mut Transaction,
    candidates: &[Candidate],
    actions: &mut [Action],
) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Message {
        conversation_id: i64,
        direction: String,
        text: String,
    }
    let calls = candidates.iter().zip(&*actions);
    let calls = calls.filter(|(_, action)| matches!(action, Action::Model(_)));
    let conversations: BTreeSet<i64> = calls
        .map(|(candidate, _)| candidate.conversation_id)
        .collect();
    if conversations.is_empty() {
        return Ok(());
    }
    let recent = sqlx::query_scalar(sql::RECENT_MESSAGES)
        .bind(json_rows(&conversations.into_iter().collect::<Vec<_>>()))
        .bind(MODEL_MESSAGES);
    let messages: Vec<Message> = tx.fetch_json(recent, "messages").await?;
    let mut turns: HashMap<i64, Vec<ModelTurn>> = HashMap::new();
    for message in messages {
        let speaker = match message.direction.as_str() {
            "in" => Speaker::Contact,
            _ => Speaker::Business,
        };
        let text = message.text;
        let turns = turns.entry(message.conversation_id).or_default();
        turns.push(ModelTurn { speaker, text });
    }
    for (candidate, action) in candidates.iter().zip(actions) {
        if let Action::Model(call) = action {
            call.turns = turns
                .get(&candidate.conversation_id)
                .cloned()
                .unwrap_or_default();
        }
    }
    Ok(())
}

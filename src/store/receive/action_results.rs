//! Actions: taken to be done, many in one commit, and what came of them, with how their
//! conversations go on.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::timers;
use super::timers::Due;
use super::write;
use super::write::Decided;
use super::{Decide, ReceivePolicy, Received};
use crate::engine::EngineEvent;
use crate::message::{Action, ActionResult, ModelTurn, Speaker};
use crate::store::{Store, StoreError, Transaction, rows, sql};

/// So many messages of a conversation are told to a model.
const RECENT_MESSAGES: i64 = 20;

/// What a claim of actions may take.
#[derive(Clone, Debug)]
pub struct ActionClaim {
    /// The time of the claim.
    pub now: Timestamp,
    /// How long the claimed actions are ours.
    pub lease: Duration,
    /// How many may be done now at each host; one that is not in here is asked nothing.
    pub room: HashMap<String, usize>,
}

/// An action to be done, ours until its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedAction {
    /// Random per claim.
    pub claim_token: String,
    /// 1 for the first.
    pub attempt: u32,
    /// After this it is not done any more.
    pub expires_at: Timestamp,
    /// Whom it asks: [`Action::host`].
    pub host: String,
    /// What to do.
    pub action: Action,
}

/// The end of one claim.
#[derive(Clone, Debug)]
pub struct EndedAction {
    /// As claimed.
    pub claim_token: String,
    /// What came of it.
    pub outcome: ActionResult,
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

/// What is known of actions that have ended.
#[derive(Deserialize)]
struct Found {
    conversations: Vec<Due>,
    actions: Vec<Ours>,
    last_message: i64,
}

/// An action whose claim is still ours.
#[derive(Deserialize)]
struct Ours {
    claim_token: String,
    conversation_id: i64,
    number: u64,
}

impl Store {
    /// Whom actions are to be done at.
    ///
    /// # Errors
    /// `Database`.
    pub async fn action_hosts(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let hosts = sqlx::query_scalar(sql::ACTION_HOSTS).bind(now.as_millisecond());
        Ok(hosts.fetch_all(&self.read).await?)
    }

    /// Makes the actions that wait longest ours, as many as each host has room for, committed
    /// before any is begun.
    ///
    /// # Errors
    /// `CommitUnknown` (then none may be done: they are found again when their lease ends),
    /// `Database`, `Corrupt`.
    pub async fn claim_actions(
        &self,
        claim: ActionClaim,
    ) -> Result<Vec<ClaimedAction>, StoreError> {
        let mut room = claim.room;
        let most = room.values().copied().max().unwrap_or(0);
        let hosts: Vec<&String> = room.keys().collect();
        let mut tx = self.begin().await?;
        let claimable = sqlx::query_scalar(sql::CLAIMABLE_ACTIONS)
            .bind(claim.now.as_millisecond())
            .bind(rows(&hosts))
            .bind(i64::try_from(most).unwrap_or(i64::MAX));
        let mut taken: Vec<Candidate> = tx.fetch_json(claimable, "outbox").await?;
        taken.retain(|one| match room.get_mut(&one.host) {
            Some(room) if *room > 0 => {
                *room -= 1;
                true
            }
            _ => false,
        });
        if taken.is_empty() {
            tx.roll_back().await;
            return Ok(Vec::new());
        }
        let lease = SignedDuration::try_from(claim.lease).unwrap_or(SignedDuration::MAX);
        let until = claim.now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let claimed = mark_taken(&mut tx, taken, until).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Records what came of actions and goes on with their conversations, in one transaction; a
    /// claim that is not ours any more does nothing.
    ///
    /// # Errors
    /// As [`Store::receive`].
    pub async fn finish_actions(
        &self,
        ended: &[EndedAction],
        policy: ReceivePolicy,
        decide: &Decide,
    ) -> Result<Received, StoreError> {
        let mut tx = self.begin().await?;
        let claim_tokens: Vec<&str> = ended.iter().map(|one| one.claim_token.as_str()).collect();
        let claimed = sqlx::query_scalar(sql::LOAD_CLAIMED_ACTIONS).bind(rows(&claim_tokens));
        let found: Found = tx.fetch_json(claimed, "conversations").await?;
        let mut loaded = timers::load(found.conversations)?;
        let ours: HashMap<&str, &Ours> = found
            .actions
            .iter()
            .map(|one| (one.claim_token.as_str(), one))
            .collect();
        let places: HashMap<i64, usize> = loaded.iter().map(|one| one.id).zip(0..).collect();
        let mut decided = Vec::with_capacity(ours.len());
        for EndedAction {
            claim_token,
            outcome,
        } in ended
        {
            let Some(action) = ours.get(claim_token.as_str()) else {
                continue;
            };
            let one = &mut loaded[places[&action.conversation_id]];
            let number = action.number;
            let incoming = EngineEvent::Action { number, outcome };
            let (turn, version) = write::decide_one(one, incoming, policy.now, decide);
            decided.push(Decided::of(one, None, turn, version));
        }
        end(&mut tx, ended, policy.now).await?;
        timers::write(tx, &decided, &loaded, found.last_message, policy).await
    }
}

async fn mark_taken(
    tx: &mut Transaction,
    taken: Vec<Candidate>,
    lease_until: Timestamp,
) -> Result<Vec<ClaimedAction>, StoreError> {
    #[derive(Serialize)]
    struct Claim<'a> {
        id: i64,
        claim_token: &'a str,
    }
    let mut actions = Vec::with_capacity(taken.len());
    for one in &taken {
        let action: Action = serde_json::from_str(&one.request)
            .map_err(|_| corrupt(one.id, "its request is not what we wrote"))?;
        actions.push(action);
    }
    tell_models(tx, &taken, &mut actions).await?;
    let claimed = taken.iter().zip(actions).map(|(one, action)| {
        Ok(ClaimedAction {
            claim_token: Uuid::new_v4().simple().to_string(),
            attempt: one.attempts + 1,
            expires_at: Timestamp::from_millisecond(one.expires_at_ms)
                .map_err(|_| corrupt(one.id, "its time is out of range"))?,
            host: one.host.clone(),
            action,
        })
    });
    let claimed = claimed.collect::<Result<Vec<_>, StoreError>>()?;
    let claims = taken.iter().zip(&claimed);
    let claims = claims.map(
        |(Candidate { id, .. }, ClaimedAction { claim_token, .. })| Claim {
            id: *id,
            claim_token,
        },
    );
    sqlx::query(sql::CLAIM_ROWS)
        .bind(rows(&claims.collect::<Vec<_>>()))
        .bind(lease_until.as_millisecond())
        .execute(&mut *tx)
        .await?;
    Ok(claimed)
}

/// Adds to the questions for a model what was said lately in their conversations, the oldest first.
async fn tell_models(
    tx: &mut Transaction,
    taken: &[Candidate],
    actions: &mut [Action],
) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Said {
        conversation_id: i64,
        direction: String,
        text: String,
    }
    let asked = taken.iter().zip(&*actions);
    let asked = asked.filter(|(_, action)| matches!(action, Action::Model(_)));
    let asked: BTreeSet<i64> = asked.map(|(one, _)| one.conversation_id).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let recent = sqlx::query_scalar(sql::RECENT_MESSAGES)
        .bind(rows(&asked.into_iter().collect::<Vec<_>>()))
        .bind(RECENT_MESSAGES);
    let said: Vec<Said> = tx.fetch_json(recent, "messages").await?;
    let mut turns: HashMap<i64, Vec<ModelTurn>> = HashMap::new();
    for one in said {
        turns
            .entry(one.conversation_id)
            .or_default()
            .push(ModelTurn {
                speaker: match one.direction.as_str() {
                    "in" => Speaker::Person,
                    _ => Speaker::Business,
                },
                text: one.text,
            });
    }
    for (one, action) in taken.iter().zip(actions) {
        if let Action::Model(call) = action {
            call.turns = turns.get(&one.conversation_id).cloned().unwrap_or_default();
        }
    }
    Ok(())
}

async fn end(
    tx: &mut Transaction,
    ended: &[EndedAction],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct End<'a> {
        claim_token: &'a str,
        outcome: String,
    }
    let ends = ended.iter().map(|one| End {
        claim_token: &one.claim_token,
        outcome: serde_json::to_string(&one.outcome).expect("its keys are strings"),
    });
    sqlx::query(sql::END_ACTIONS)
        .bind(rows(&ends.collect::<Vec<_>>()))
        .bind(now.as_millisecond())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

fn corrupt(row: i64, what: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "outbox",
        row,
        what,
    }
}

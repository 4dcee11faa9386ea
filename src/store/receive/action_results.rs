//! Ends of actions: their outcomes are recorded and their conversations go on.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::load::{ConversationWithContact, Fresh, Trigger};
use super::policy::{Decide, ReceivePolicy, Received};
use crate::message::ActionResult;
use crate::store::keys::{json, json_rows};
use crate::store::transaction::Transaction;
use crate::store::{Store, StoreError, sql};

/// The end of one claim.
#[derive(Clone, Debug)]
pub struct EndedAction {
    /// As claimed.
    pub claim_token: String,
    /// Outcome of the action.
    pub outcome: ActionResult,
}

/// Claimed actions with their conversations.
#[derive(Deserialize)]
struct Claimed {
    conversations: Vec<ConversationWithContact>,
    actions: Vec<ClaimedRow>,
    last_message: i64,
}

/// An action whose claim still stands.
#[derive(Deserialize)]
struct ClaimedRow {
    claim_token: String,
    conversation_id: i64,
    number: u64,
}

impl Store {
    /// Records the outcomes of actions and goes on with their conversations, in one transaction. A
    /// claim that has ended is left alone.
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
        let tokens: Vec<&str> = ended.iter().map(|end| end.claim_token.as_str()).collect();
        let claimed = sqlx::query_scalar(sql::LOAD_CLAIMED_ACTIONS).bind(json_rows(&tokens));
        let claimed: Claimed = tx.fetch_json(claimed, "conversations").await?;
        let rows: HashMap<&str, &ClaimedRow> = claimed
            .actions
            .iter()
            .map(|row| (row.claim_token.as_str(), row))
            .collect();
        let action = |end: &EndedAction| {
            let row = rows.get(end.claim_token.as_str())?;
            let (number, outcome) = (row.number, end.outcome.clone());
            Some((row.conversation_id, Trigger::Action { number, outcome }))
        };
        let actions = ended.iter().filter_map(action).collect();
        let fresh = Fresh::from_triggers(actions, claimed.conversations, claimed.last_message)?;
        let rows = fresh.decide(decide, policy.now).into_rows(policy, None);
        end_actions(&mut tx, ended, policy.now).await?;
        let received = rows.write(&mut tx).await?;
        tx.commit().await?;
        Ok(received)
    }
}

async fn end_actions(
    tx: &mut Transaction,
    ended: &[EndedAction],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        claim_token: &'a str,
        outcome: String,
    }
    let rows = ended.iter().map(|end| Row {
        claim_token: &end.claim_token,
        outcome: json(&end.outcome),
    });
    sqlx::query(sql::END_ACTIONS)
        .bind(json_rows(&rows.collect::<Vec<_>>()))
        .bind(now.as_millisecond())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

//! Merges stored contacts, and their conversations with the same business number.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::identity::Merge;
use crate::message::ConversationState;
use crate::store::keys::{json, json_rows};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Two conversations with one business number whose contacts are merged.
#[derive(Deserialize)]
struct Pair {
    from: i64,
    to: i64,
    from_state: String,
    to_state: String,
}

/// The conversation that remains of two.
#[derive(Serialize)]
struct Joined {
    from: i64,
    to: i64,
    state: String,
    /// Added to the numbers of the actions of `from`.
    shift: u64,
    next_timer_ms: Option<i64>,
    opted_out_ms: Option<i64>,
    /// The one of the two whose replies go, because only the other one had opted out.
    #[serde(skip)]
    silenced: Option<i64>,
}

/// Merges contacts. The caller writes the phone numbers and user ids of those that remain.
pub(in crate::store) async fn merge(
    tx: &mut Transaction,
    mut merges: Vec<Merge>,
) -> Result<(), StoreError> {
    // Only contacts that three or more turn out to be need a second round.
    while !merges.is_empty() {
        let mut remaining = HashSet::new();
        let (now, later) = merges
            .into_iter()
            .partition(|merge| remaining.insert(merge.to));
        merge_pairs(tx, now).await?;
        merges = later;
    }
    Ok(())
}

/// Merges contacts of which each is in one pair.
async fn merge_pairs(tx: &mut Transaction, merges: Vec<Merge>) -> Result<(), StoreError> {
    let query = sqlx::query_scalar(sql::LOAD_MERGES).bind(json_rows(&merges));
    let pairs: Vec<Pair> = tx.fetch_json(query, "conversations").await?;
    let joined = pairs.iter().map(Joined::new);
    let joined = joined.collect::<Result<Vec<Joined>, StoreError>>()?;
    let silenced: Vec<i64> = joined.iter().filter_map(|pair| pair.silenced).collect();
    if !silenced.is_empty() {
        let cancel = sqlx::query(sql::CANCEL_REPLIES).bind(json_rows(&silenced));
        cancel.execute(&mut *tx).await?;
    }
    sqlx::query(sql::MERGE_CONTACTS)
        .bind(json_rows(&merges))
        .bind(json_rows(&joined))
        .execute(&mut *tx)
        .await?;
    Ok(())
}

impl Joined {
    fn new(pair: &Pair) -> Result<Self, StoreError> {
        let mut state = parse_state(pair.to, &pair.to_state)?;
        let from = parse_state(pair.from, &pair.from_state)?;
        let silenced = match (state.opted_out_at, from.opted_out_at) {
            (Some(_), None) => Some(pair.from),
            (None, Some(_)) => Some(pair.to),
            _ => None,
        };
        let shift = state.actions;
        state.join(from);
        Ok(Self {
            from: pair.from,
            to: pair.to,
            shift,
            next_timer_ms: state.next_timer().map(Timestamp::as_millisecond),
            opted_out_ms: state.opted_out_at.map(Timestamp::as_millisecond),
            state: json(&state),
            silenced,
        })
    }
}

/// Reads `conversations.state`.
pub(in crate::store) fn parse_state(
    conversation: i64,
    json: &str,
) -> Result<ConversationState, StoreError> {
    let corrupt = |_| StoreError::corrupt("conversations", conversation, "`state` is not ours");
    serde_json::from_str(json).map_err(corrupt)
}

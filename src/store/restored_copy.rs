//! A database that was restored from a copy: it sends nothing until it is released.
//!
//! A copy may hold rows that were sent after it was made, and timers that have fired since. So
//! `replyd backup` and `replyd restore` write a mark into it, and [`Store::may_send`] is asked
//! before anything of the outbox is claimed.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gate::HoldMark;
use super::keys::{json, json_rows};
use super::{Store, StoreError, sql};
use crate::message::ConversationState;

/// Rows of the outbox of one kind and state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRows {
    /// `message`, `download` or `action`.
    pub kind: String,
    /// `queued`, `sending`, `unknown` or `held`.
    pub state: String,
    /// Whether the rows were in the copy: then they may have been sent since it was made.
    pub origin: RowOrigin,
    /// Number of rows.
    pub rows: i64,
}

/// Origin of a row in a restored database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOrigin {
    /// The row was in the copy.
    InCopy,
    /// The row was added after the copy was restored.
    Since,
}

/// Treatment of the rows that were queued in the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyRows {
    /// The rows are sent, unless their time is over.
    Send,
    /// The rows are dropped.
    Drop,
}

/// Conversations with an overdue timer, and the actions of the copy.
#[derive(Deserialize)]
struct Overdue {
    conversations: Vec<StateRow>,
    actions: Vec<ActionRow>,
}

#[derive(Deserialize)]
struct StateRow {
    id: i64,
    state: String,
}

#[derive(Deserialize)]
struct ActionRow {
    conversation_id: i64,
    number: u64,
}

impl Store {
    /// Reads the time since which nothing is sent, because this is a copy; `None` if it is none or
    /// was released.
    ///
    /// # Errors
    /// `Database`.
    pub async fn held_since(&self) -> Result<Option<Timestamp>, StoreError> {
        let mark: HoldMark = sqlx::query_as(sql::HOLD).fetch_one(&self.read).await?;
        self.gate
            .held
            .store(mark.since.is_some(), Ordering::Relaxed);
        Ok(mark.since)
    }

    /// Rows of the outbox by kind, state and origin.
    ///
    /// # Errors
    /// `Database`.
    pub async fn pending_rows(&self) -> Result<Vec<PendingRows>, StoreError> {
        let mark: HoldMark = sqlx::query_as(sql::HOLD).fetch_one(&self.read).await?;
        let rows = sqlx::query_as(sql::PENDING_ROWS).bind(mark.last_row);
        let rows: Vec<(String, String, bool, i64)> = rows.fetch_all(&self.read).await?;
        let rows = rows.into_iter();
        let rows = rows.map(|(kind, state, is_from_copy, rows)| PendingRows {
            kind,
            state,
            origin: if is_from_copy {
                RowOrigin::InCopy
            } else {
                RowOrigin::Since
            },
            rows,
        });
        Ok(rows.collect())
    }

    /// Lets replies go out again, from a copy that was held.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`, `Corrupt`.
    pub async fn release(&self, rows: CopyRows, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let mark: HoldMark = sqlx::query_as(sql::HOLD).fetch_one(&mut tx).await?;
        if mark.since.is_some() && rows == CopyRows::Drop {
            let overdue = sqlx::query_scalar(sql::LOAD_OVERDUE)
                .bind(now.as_millisecond())
                .bind(mark.last_row);
            let overdue: Overdue = tx.fetch_json(overdue, "conversations").await?;
            sqlx::query(sql::DROP_OVERDUE)
                .bind(mark.last_row)
                .bind(without_overdue(overdue, now)?)
                .bind(now.as_millisecond())
                .execute(&mut tx)
                .await?;
        }
        sqlx::query(sql::RELEASE_HOLD).execute(&mut tx).await?;
        tx.commit().await
    }
}

/// New states of conversations, as rows: without overdue timers and the actions of the copy.
fn without_overdue(overdue: Overdue, now: Timestamp) -> Result<String, StoreError> {
    #[derive(Serialize)]
    struct NewState {
        id: i64,
        state: String,
        next_timer_ms: Option<i64>,
    }
    let corrupt = |row| StoreError::corrupt("conversations", row, "its state is not what we wrote");
    let mut actions: HashMap<i64, Vec<u64>> = HashMap::new();
    for action in overdue.actions {
        let numbers = actions.entry(action.conversation_id).or_default();
        numbers.push(action.number);
    }
    let mut states = Vec::with_capacity(overdue.conversations.len());
    for row in overdue.conversations {
        let mut state: ConversationState =
            serde_json::from_str(&row.state).map_err(|_| corrupt(row.id))?;
        state.forget_due(now);
        let dropped = actions.remove(&row.id).unwrap_or_default();
        state
            .pending_actions
            .retain(|action| !dropped.contains(&action.number));
        states.push(NewState {
            id: row.id,
            next_timer_ms: state.next_timer().map(Timestamp::as_millisecond),
            state: json(&state),
        });
    }
    Ok(json_rows(&states))
}

//! What keeps the service from sending: its database is a copy that nobody has released, or it is
//! damaged.
//!
//! A copy may hold rows that were sent after it was made, and timers that have fired since. So
//! `replyd backup` and `replyd restore` write a mark into it, and whoever works on the outbox asks
//! [`Store::may_send`] first.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{FromRow, Row as _};

use super::keys::json_rows;
use super::opening;
use super::opening::LookedAt;
use super::{Store, StoreError, sql};
use crate::message::ConversationState;

/// What stands between a database and the world.
#[derive(Debug, Default)]
pub(super) struct Gate {
    path: PathBuf,
    looked_at: LookedAt,
    held: AtomicBool,
    /// What a check found.
    damage: OnceLock<String>,
}

impl Gate {
    pub(super) async fn open(
        path: PathBuf,
        write: &SqlitePool,
        looked_at: LookedAt,
    ) -> Result<Self, StoreError> {
        let mark: Mark = sqlx::query_as(sql::HOLD).fetch_one(write).await?;
        Ok(Self {
            path,
            looked_at,
            held: AtomicBool::new(mark.since.is_some()),
            damage: OnceLock::new(),
        })
    }

    /// Nothing is written into a file that is damaged: it would be lost, or make it worse.
    pub(super) fn refuse_if_damaged(&self) -> Result<(), StoreError> {
        match self.damage.get() {
            None => Ok(()),
            Some(what) => Err(StoreError::Damaged {
                path: self.path.clone(),
                what: what.clone(),
            }),
        }
    }
}

/// The mark of a copy.
struct Mark {
    since: Option<Timestamp>,
    last_row: i64,
}

impl<'r> FromRow<'r, SqliteRow> for Mark {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        let since: Option<i64> = row.try_get("held_since_ms")?;
        Ok(Self {
            since: since.map(|at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::MIN)),
            last_row: row.try_get("held_outbox_id")?,
        })
    }
}

/// Rows of the outbox of one kind and state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// `message`, `read_mark`, `download` or `action`.
    pub kind: String,
    /// `queued`, `sending`, `unknown` or `held`.
    pub state: String,
    /// Whether they were in the copy, so that they may have been sent since it was made.
    pub came: Came,
    /// How many.
    pub rows: i64,
}

/// When a row came to be in a restored database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// They were in the copy.
    InCopy,
    /// They came since it was restored.
    Since,
}

impl<'r> FromRow<'r, SqliteRow> for Waits {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        let is_from_copy: bool = row.try_get("is_from_copy")?;
        Ok(Self {
            kind: row.try_get("kind")?,
            state: row.try_get("state")?,
            came: if is_from_copy {
                Came::InCopy
            } else {
                Came::Since
            },
            rows: row.try_get("rows")?,
        })
    }
}

/// What becomes of what stood queued in the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// It is sent, as far as its time is not over.
    Send,
    /// It is not.
    Drop,
}

/// A conversation in which something is overdue.
#[derive(Deserialize)]
struct Overdue {
    conversations: Vec<Remembers>,
    actions: Vec<ActionRow>,
}

#[derive(Deserialize)]
struct Remembers {
    id: i64,
    state: String,
}

#[derive(Deserialize)]
struct ActionRow {
    conversation_id: i64,
    number: u64,
}

impl Store {
    /// Whether the outbox may be worked on: not in a copy that nobody has released, nor in a
    /// damaged file.
    #[must_use]
    pub fn may_send(&self) -> bool {
        !self.gate.held.load(Ordering::Relaxed) && self.gate.damage.get().is_none()
    }

    /// Since when nothing is sent, because this is a copy; `None` when it is not or was released.
    /// Asks the database.
    ///
    /// # Errors
    /// `Database`.
    pub async fn held_since(&self) -> Result<Option<Timestamp>, StoreError> {
        let mark: Mark = sqlx::query_as(sql::HOLD).fetch_one(&self.read).await?;
        self.gate
            .held
            .store(mark.since.is_some(), Ordering::Relaxed);
        Ok(mark.since)
    }

    /// What waits in the outbox.
    ///
    /// # Errors
    /// `Database`.
    pub async fn waits(&self) -> Result<Vec<Waits>, StoreError> {
        let mark: Mark = sqlx::query_as(sql::HOLD).fetch_one(&self.read).await?;
        let waits = sqlx::query_as(sql::PENDING_ROWS).bind(mark.last_row);
        Ok(waits.fetch_all(&self.read).await?)
    }

    /// Lets replies go out again, from a copy that was held.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`, `Corrupt`.
    pub async fn release(&self, old: Old, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let mark: Mark = sqlx::query_as(sql::HOLD).fetch_one(&mut tx).await?;
        if mark.since.is_some() && old == Old::Drop {
            let overdue = sqlx::query_scalar(sql::LOAD_OVERDUE)
                .bind(now.as_millisecond())
                .bind(mark.last_row);
            let overdue: Overdue = tx.fetch_json(overdue, "conversations").await?;
            sqlx::query(sql::DROP_OVERDUE)
                .bind(mark.last_row)
                .bind(forgotten(overdue, now)?)
                .bind(now.as_millisecond())
                .execute(&mut tx)
                .await?;
        }
        sqlx::query(sql::RELEASE_HOLD).execute(&mut tx).await?;
        tx.commit().await
    }

    /// Whether the file was too large to be looked at before it was opened.
    #[must_use]
    pub fn is_to_be_looked_at(&self) -> bool {
        self.gate.looked_at == LookedAt::NotYet
    }

    /// Looks at the whole file. What is damaged is told, and from then on nothing is written or
    /// sent.
    ///
    /// # Errors
    /// `Database`.
    pub async fn look_for_damage(&self) -> Result<Option<String>, StoreError> {
        let stop = StopWhenDropped::default();
        let found = opening::damage(&self.gate.path, &stop.0).await?;
        if let Some(what) = &found {
            // One that was found before is as good a reason.
            let _ = self.gate.damage.set(what.clone());
        }
        Ok(found)
    }
}

/// A check that nobody waits for any more should not keep its thread.
#[derive(Default)]
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What conversations remember from now on: nothing that is overdue, and no action of the copy.
fn forgotten(overdue: Overdue, now: Timestamp) -> Result<String, StoreError> {
    #[derive(Serialize)]
    struct Remembered {
        id: i64,
        state: String,
        next_timer_ms: Option<i64>,
    }
    let corrupt = |row| StoreError::Corrupt {
        table: "conversations",
        row,
        what: "its state is not what we wrote",
    };
    let mut actions: HashMap<i64, Vec<u64>> = HashMap::new();
    for one in overdue.actions {
        actions
            .entry(one.conversation_id)
            .or_default()
            .push(one.number);
    }
    let mut remembered = Vec::with_capacity(overdue.conversations.len());
    for one in overdue.conversations {
        let mut state: ConversationState =
            serde_json::from_str(&one.state).map_err(|_| corrupt(one.id))?;
        state.forget_due(now);
        let dropped = actions.remove(&one.id).unwrap_or_default();
        state
            .pending_actions
            .retain(|waiting| !dropped.contains(&waiting.number));
        remembered.push(Remembered {
            id: one.id,
            next_timer_ms: state.next_timer().map(Timestamp::as_millisecond),
            state: rows_of(&state),
        });
    }
    Ok(json_rows(&remembered))
}

fn rows_of(state: &ConversationState) -> String {
    serde_json::to_string(state).expect("a state has string keys and finite numbers")
}

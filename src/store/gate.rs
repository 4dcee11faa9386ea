//! What keeps the service from sending: its database is a copy that was not released, or it is
//! damaged. Keeps both facts at hand; [`super::restored_copy`] and [`super::damage_check`] change
//! them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{FromRow, Row as _};

use super::error::StoreError;
use super::integrity::Checked;
use super::sql;

/// Facts about the open file that forbid sending or writing.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pub(super) path: PathBuf,
    pub(super) checked: Checked,
    pub(super) held: AtomicBool,
    /// Result of a check.
    pub(super) damage: OnceLock<String>,
}

impl Gate {
    pub(super) async fn open(
        path: PathBuf,
        write: &SqlitePool,
        checked: Checked,
    ) -> Result<Self, StoreError> {
        let mark: HoldMark = sqlx::query_as(sql::HOLD).fetch_one(write).await?;
        Ok(Self {
            path,
            checked,
            held: AtomicBool::new(mark.since.is_some()),
            damage: OnceLock::new(),
        })
    }

    /// Whether the outbox may be worked on.
    pub(super) fn may_send(&self) -> bool {
        !self.held.load(Ordering::Relaxed) && self.damage.get().is_none()
    }

    /// Refuses to write into a damaged file: the write would be lost, or make the damage worse.
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

/// Mark of a copy that was not released.
pub(super) struct HoldMark {
    pub(super) since: Option<Timestamp>,
    /// Last outbox row of the copy.
    pub(super) last_row: i64,
}

impl<'r> FromRow<'r, SqliteRow> for HoldMark {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        let since: Option<i64> = row.try_get("held_since_ms")?;
        Ok(Self {
            since: since.map(|at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::MIN)),
            last_row: row.try_get("held_outbox_id")?,
        })
    }
}

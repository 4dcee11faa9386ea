//! Facts about the open file that forbid sending: it is a restored copy that was not released, or
//! it is damaged. [`super::restored_copy`] and [`super::damage_check`] change them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::sqlite::SqlitePool;

use super::error::StoreError;
use super::integrity::Checked;
use super::row::{from_row, optional};
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

    /// Whether the outbox may be sent.
    pub(super) fn may_send(&self) -> bool {
        !self.held.load(Ordering::Relaxed) && self.damage.get().is_none()
    }

    /// Refuses to write into a damaged file: the write would be lost, or make the damage worse.
    pub(super) fn refuse_if_damaged(&self) -> Result<(), StoreError> {
        match self.damage.get() {
            None => Ok(()),
            Some(what) => Err(StoreError::Damaged(self.path.clone(), what.clone())),
        }
    }
}

/// Mark of a copy that was not released.
#[derive(Deserialize)]
pub(super) struct HoldMark {
    #[serde(rename = "held_since_ms", with = "optional")]
    pub(super) since: Option<Timestamp>,
    /// Last outbox row of the copy.
    #[serde(rename = "held_outbox_id")]
    pub(super) last_row: i64,
}

from_row!(HoldMark);

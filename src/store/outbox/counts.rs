//! How much waits: for metrics, for the service's own look at what is held, and for `replyd
//! doctor`.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use crate::store::conversations::time;
use crate::store::{Store, StoreError, sql};

/// The rows of one state and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxCount {
    /// As in `outbox.state`.
    pub state: String,
    /// As in `outbox.kind`.
    pub kind: String,
    /// How many.
    pub rows: i64,
    /// Since when the oldest of them waits.
    pub oldest: Option<Timestamp>,
}

impl<'r> FromRow<'r, SqliteRow> for OutboxCount {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            state: row.try_get("state")?,
            kind: row.try_get("kind")?,
            rows: row.try_get("total")?,
            oldest: time(row, "since_ms")?,
        })
    }
}

impl Store {
    /// Rows that delivery still has to do with: all but those that wait for a person.
    ///
    /// # Errors
    /// `Database`.
    pub async fn outbox_rows(&self) -> Result<u64, StoreError> {
        self.count(sql::COUNT_UNSENT).await
    }

    /// Messages that wait for a person.
    ///
    /// # Errors
    /// `Database`.
    pub async fn held_rows(&self) -> Result<u64, StoreError> {
        self.count(sql::COUNT_HELD).await
    }

    /// How many rows there are of each state and kind; of which there are none is left out.
    ///
    /// # Errors
    /// `Database`.
    pub async fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError> {
        let counts = sqlx::query_as(sql::OUTBOX_COUNTS);
        Ok(counts.fetch_all(&self.read).await?)
    }

    /// Messages of the time since then that were refused for good or not sent in time.
    ///
    /// # Errors
    /// `Database`.
    pub async fn given_up_since(&self, since: Timestamp) -> Result<u64, StoreError> {
        let given_up = sqlx::query_scalar(sql::COUNT_GIVEN_UP).bind(since.as_millisecond());
        let rows: i64 = given_up.fetch_one(&self.read).await?;
        Ok(rows.unsigned_abs())
    }

    async fn count(&self, text: &'static str) -> Result<u64, StoreError> {
        let rows: i64 = sqlx::query_scalar(text).fetch_one(&self.read).await?;
        Ok(rows.unsigned_abs())
    }
}

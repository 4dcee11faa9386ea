//! Numbers of outbox rows, for metrics, the service and `replyd doctor`.

use jiff::Timestamp;
use serde::Deserialize;

use crate::store::row::{from_row, optional};
use crate::store::{Store, StoreError, sql};

/// Number of rows of one state and kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OutboxCount {
    /// `outbox.state`.
    pub state: String,
    /// `outbox.kind`.
    pub kind: String,
    /// Number of rows.
    #[serde(rename = "total")]
    pub rows: i64,
    /// Time since which the oldest row has been waiting.
    #[serde(rename = "since_ms", with = "optional")]
    pub oldest: Option<Timestamp>,
}

from_row!(OutboxCount);

impl Store {
    /// Counts the rows that delivery has not finished: all but those held for an operator.
    ///
    /// # Errors
    /// `Database`.
    pub async fn count_unsent(&self) -> Result<u64, StoreError> {
        self.count(sql::COUNT_UNSENT).await
    }

    /// Counts the messages held for an operator.
    ///
    /// # Errors
    /// `Database`.
    pub async fn count_held(&self) -> Result<u64, StoreError> {
        self.count(sql::COUNT_HELD).await
    }

    /// Counts rows by state and kind; a combination without rows is left out.
    ///
    /// # Errors
    /// `Database`.
    pub async fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StoreError> {
        let counts = sqlx::query_as(sql::OUTBOX_COUNTS);
        Ok(counts.fetch_all(&self.read).await?)
    }

    /// Counts the messages since a time that were refused for good or expired.
    ///
    /// # Errors
    /// `Database`.
    pub async fn count_given_up(&self, since: Timestamp) -> Result<u64, StoreError> {
        let given_up = sqlx::query_scalar(sql::COUNT_GIVEN_UP).bind(since.as_millisecond());
        let rows: i64 = given_up.fetch_one(&self.read).await?;
        Ok(rows.unsigned_abs())
    }

    async fn count(&self, text: &'static str) -> Result<u64, StoreError> {
        let rows: i64 = sqlx::query_scalar(text).fetch_one(&self.read).await?;
        Ok(rows.unsigned_abs())
    }
}

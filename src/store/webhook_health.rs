//! What the service watches about itself, and `doctor` asks for: news of the account, the secrets
//! in use, the quarantine.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use super::keys::json_rows;
use super::{Store, StoreError, sql};
use crate::message::{ACCOUNT_STATUS_FIELDS, AccountStatusEvent};

/// Older news than so much other news changes nothing.
const NEWEST: u32 = 1_000;

/// The app secrets that the service was last started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsInUse {
    /// As it was given to [`Store::record_secrets`].
    pub fingerprint: String,
    /// The first start with them.
    pub since: Timestamp,
}

/// What nobody understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Updates.
    pub rows: u64,
    /// When the newest came.
    pub newest: Option<Timestamp>,
}

impl Store {
    /// The newest news about how the account and its numbers stand, in the order Meta told it.
    ///
    /// # Errors
    /// `Database`.
    pub async fn account_news(&self) -> Result<Vec<AccountStatusEvent>, StoreError> {
        let news = sqlx::query_as(sql::ACCOUNT_NEWS);
        let news = news.bind(json_rows(&ACCOUNT_STATUS_FIELDS)).bind(NEWEST);
        let news: Vec<Row> = news.fetch_all(&self.read).await?;
        Ok(news.into_iter().map(|Row(news)| news).collect())
    }

    /// Keeps since when the service runs with these secrets, named by a fingerprint.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn record_secrets(
        &self,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let record = sqlx::query(sql::INSERT_SECRETS).bind(fingerprint);
        record.bind(now.as_millisecond()).execute(&mut tx).await?;
        tx.commit().await
    }

    /// The secrets that the service was last started with; `None` before the first start.
    ///
    /// # Errors
    /// `Database`.
    pub async fn secrets_in_use(&self) -> Result<Option<SecretsInUse>, StoreError> {
        let newest: Option<(String, i64)> = sqlx::query_as(sql::NEWEST_SECRETS)
            .fetch_optional(&self.read)
            .await?;
        Ok(newest.map(|(fingerprint, since)| SecretsInUse {
            fingerprint,
            since: time(since).unwrap_or(Timestamp::UNIX_EPOCH),
        }))
    }

    /// When a message or news came last: both come only as signed webhooks.
    ///
    /// # Errors
    /// `Database`.
    pub async fn last_webhook(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(sql::NEWEST_UPDATE)
            .fetch_one(&self.read)
            .await?;
        Ok(at.and_then(time))
    }

    /// How much lies in the quarantine.
    ///
    /// # Errors
    /// `Database`.
    pub async fn quarantine(&self) -> Result<Quarantine, StoreError> {
        let (rows, newest): (i64, Option<i64>) = sqlx::query_as(sql::QUARANTINE_SIZE)
            .fetch_one(&self.read)
            .await?;
        Ok(Quarantine {
            rows: rows.unsigned_abs(),
            newest: newest.and_then(time),
        })
    }
}

struct Row(AccountStatusEvent);

impl<'r> FromRow<'r, SqliteRow> for Row {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self(AccountStatusEvent {
            field: row.try_get("field")?,
            waba_id: row.try_get("waba_id")?,
            sent_at: time(row.try_get("occurred_at_ms")?).unwrap_or(Timestamp::UNIX_EPOCH),
            raw: row.try_get("raw")?,
        }))
    }
}

fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

//! Signs of the webhook's health: account events, the app secrets in use, the quarantine. Read by
//! the service and by `replyd doctor`.

use jiff::Timestamp;

use super::keys::json_rows;
use super::{Store, StoreError, sql};
use crate::message::{ACCOUNT_STATUS_FIELDS, AccountStatusEvent, TEMPLATE_STATUS_FIELDS};

/// Upper bound of the account events read: older ones no longer matter.
const EVENTS_MAX: u32 = 1_000;

/// App secrets of the last start of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsInUse {
    /// Fingerprint given to [`Store::record_secrets`].
    pub fingerprint: String,
    /// Time of the first start with these secrets.
    pub since: Timestamp,
}

/// Size of the quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Number of updates that could not be read.
    pub rows: u64,
    /// Arrival of the newest one.
    pub newest: Option<Timestamp>,
}

impl Store {
    /// Reads the newest account events about the standing of the account and its numbers, in the
    /// order of Meta's times.
    ///
    /// # Errors
    /// `Database`.
    pub async fn account_status_events(&self) -> Result<Vec<AccountStatusEvent>, StoreError> {
        self.status_events(&ACCOUNT_STATUS_FIELDS).await
    }

    /// Reads the newest account events about message templates, in the order of Meta's times.
    ///
    /// # Errors
    /// `Database`.
    pub async fn template_status_events(&self) -> Result<Vec<AccountStatusEvent>, StoreError> {
        self.status_events(&TEMPLATE_STATUS_FIELDS).await
    }

    async fn status_events(&self, fields: &[&str]) -> Result<Vec<AccountStatusEvent>, StoreError> {
        let events = sqlx::query_as(sql::ACCOUNT_STATUS_EVENTS);
        let events = events.bind(json_rows(fields)).bind(EVENTS_MAX);
        let events: Vec<(i64, String, Option<String>, i64, String)> =
            events.fetch_all(&self.read).await?;
        let events = events.into_iter();
        let events = events.map(
            |(_, field, waba_id, occurred_at_ms, raw)| AccountStatusEvent {
                field,
                waba_id,
                sent_at: time(occurred_at_ms).unwrap_or(Timestamp::UNIX_EPOCH),
                raw,
            },
        );
        Ok(events.collect())
    }

    /// Records the app secrets of a start by their fingerprint, unless they are the latest ones.
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

    /// Reads the app secrets of the last start; `None` before the first one.
    ///
    /// # Errors
    /// `Database`.
    pub async fn secrets_in_use(&self) -> Result<Option<SecretsInUse>, StoreError> {
        let newest = sqlx::query_as(sql::NEWEST_SECRETS).fetch_optional(&self.read);
        let newest: Option<(String, i64)> = newest.await?;
        Ok(newest.map(|(fingerprint, since)| SecretsInUse {
            fingerprint,
            since: time(since).unwrap_or(Timestamp::UNIX_EPOCH),
        }))
    }

    /// Reads the arrival of the newest inbound message or account event: both come only as signed
    /// webhooks.
    ///
    /// # Errors
    /// `Database`.
    pub async fn last_webhook(&self) -> Result<Option<Timestamp>, StoreError> {
        let at = sqlx::query_scalar(sql::NEWEST_UPDATE).fetch_one(&self.read);
        let at: Option<i64> = at.await?;
        Ok(at.and_then(time))
    }

    /// Reads the size of the quarantine.
    ///
    /// # Errors
    /// `Database`.
    pub async fn quarantine(&self) -> Result<Quarantine, StoreError> {
        let size = sqlx::query_as(sql::QUARANTINE_SIZE).fetch_one(&self.read);
        let (rows, newest): (i64, Option<i64>) = size.await?;
        Ok(Quarantine {
            rows: rows.unsigned_abs(),
            newest: newest.and_then(time),
        })
    }
}

fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

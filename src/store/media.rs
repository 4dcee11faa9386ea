//! Files that people sent, on their way to our disk: rows of the outbox of kind `download`.
//!
//! Fetching a file twice hurts nobody, so a row whose worker is gone is simply claimed again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use uuid::Uuid;

use super::{Store, StoreError, sql};
use crate::message::PhoneNumberId;

/// A file to fetch, ours until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// `outbox.id`.
    pub id: i64,
    /// Random per claim.
    pub claim_token: String,
    /// 1 for the first.
    pub attempt: u32,
    /// The number it was sent to.
    pub phone_number_id: PhoneNumberId,
    /// The message it came with.
    pub message_id: i64,
    /// Meta's id.
    pub media_id: String,
    /// As Meta told it.
    pub mime_type: Option<String>,
    /// As Meta told it, base64.
    pub sha256: Option<String>,
    /// When the message came.
    pub received_at: Timestamp,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownloadEnd {
    /// It is on the disk.
    Fetched {
        /// Below the media folder.
        path: String,
        /// How many.
        bytes: u64,
    },
    /// Try again.
    Retry {
        /// Not before.
        at: Timestamp,
        /// Why, for a person.
        reason: String,
    },
    /// It will never be here.
    Dead {
        /// Why, for a person.
        reason: String,
    },
}

impl Store {
    /// Makes the file that waits longest ours for a while; `None` when there is none. Files that
    /// Meta has dropped by now leave the outbox.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`, `Corrupt`.
    pub async fn claim_download(
        &self,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Download>, StoreError> {
        let claim_token = Uuid::new_v4().simple().to_string();
        let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
        let lease_until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let mut tx = self.begin().await?;
        sqlx::query(sql::EXPIRE_DOWNLOADS)
            .bind(now.as_millisecond())
            .execute(&mut tx)
            .await?;
        let claimed = sqlx::query(sql::CLAIM_DOWNLOAD)
            .bind(now.as_millisecond())
            .bind(&claim_token)
            .bind(lease_until.as_millisecond())
            .fetch_optional(&mut tx)
            .await?;
        let Some(row) = claimed else {
            tx.commit().await?;
            return Ok(None);
        };
        let id: i64 = row.try_get("id")?;
        let message_id: i64 = row.try_get("message_id")?;
        let corrupt = |what| StoreError::Corrupt {
            table: "outbox",
            row: id,
            what,
        };
        let number: String = row.try_get("phone_number_id")?;
        let file = sqlx::query(sql::MEDIA_OF_MESSAGE)
            .bind(message_id)
            .fetch_optional(&mut tx)
            .await?;
        let file = file.ok_or_else(|| corrupt("its message has no file"))?;
        let received: i64 = file.try_get("stored_at_ms")?;
        let download = Download {
            id,
            claim_token,
            attempt: row.try_get("attempts")?,
            phone_number_id: PhoneNumberId::parse(number)
                .ok_or_else(|| corrupt("it names no number"))?,
            message_id,
            media_id: file.try_get("media_id")?,
            mime_type: file.try_get("mime_type")?,
            sha256: file.try_get("sha256")?,
            received_at: Timestamp::from_millisecond(received)
                .map_err(|_| corrupt("its time is out of range"))?,
        };
        tx.commit().await?;
        Ok(Some(download))
    }

    /// Records what came of a claim; one that is not ours any more is left alone.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn settle_download(
        &self,
        download: &Download,
        end: &DownloadEnd,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (path, bytes, reason, again_at) = match end {
            DownloadEnd::Fetched { path, bytes } => (Some(path), Some(*bytes), None, None),
            DownloadEnd::Retry { at, reason } => (None, None, Some(reason), Some(*at)),
            DownloadEnd::Dead { reason } => (None, None, Some(reason), None),
        };
        let mut tx = self.begin().await?;
        sqlx::query(sql::SETTLE_MEDIA)
            .bind(&download.claim_token)
            .bind(path)
            .bind(bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)))
            .bind(reason)
            .bind(now.as_millisecond())
            .execute(&mut tx)
            .await?;
        match again_at {
            Some(at) => {
                sqlx::query(sql::RETRY_DOWNLOAD)
                    .bind(&download.claim_token)
                    .bind(at.as_millisecond())
                    .bind(reason)
                    .execute(&mut tx)
                    .await?
            }
            None => {
                sqlx::query(sql::DELETE_DOWNLOAD)
                    .bind(&download.claim_token)
                    .execute(&mut tx)
                    .await?
            }
        };
        tx.commit().await
    }
}

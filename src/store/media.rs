//! Downloads of contacts' media: outbox rows of kind `download`.
//!
//! Downloading a file twice is harmless, so a row whose worker is gone is simply claimed again.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use uuid::Uuid;

use super::{Store, StoreError, sql};
use crate::message::PhoneNumberId;

/// A claimed download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// `outbox.id`.
    pub id: i64,
    /// Random for each claim.
    pub claim_token: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Business number that received the file.
    pub phone_number_id: PhoneNumberId,
    /// `messages.id` of the message with the file.
    pub message_id: i64,
    /// Meta's id of the file.
    pub media_id: String,
    /// MIME type according to Meta.
    pub mime_type: Option<String>,
    /// SHA-256 in base64, according to Meta.
    pub sha256: Option<String>,
    /// Arrival of the message.
    pub received_at: Timestamp,
}

/// Result of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownloadEnd {
    /// The file was downloaded.
    Fetched {
        /// Path below the media folder.
        path: String,
        /// Size of the file.
        bytes: u64,
    },
    /// The download is tried again.
    Retry {
        /// Earliest time of the next attempt.
        at: Timestamp,
        /// Reason for the operator.
        reason: String,
    },
    /// The download is given up.
    Dead {
        /// Reason for the operator.
        reason: String,
    },
}

impl Store {
    /// Claims the download that waits longest; `None` if there is none. Ends the downloads of files
    /// that Meta has deleted.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`, `Corrupt`.
    pub async fn claim_download(
        &self,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Download>, StoreError> {
        let claim_token = Uuid::new_v4().simple().to_string();
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
        let corrupt = |what| StoreError::corrupt("outbox", id, what);
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

    /// Records the result of a claim; a claim that has ended is ignored.
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

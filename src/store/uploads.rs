//! Uploads of commands: no file is uploaded again while Meta still has it.

use jiff::{SignedDuration, Timestamp};

use super::{Store, StoreError, sql};
use crate::message::PhoneNumberId;

/// Uploads live 30 days; one day stays unused, because Meta's clock decides. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
const UPLOAD_LIFE: SignedDuration = SignedDuration::from_hours(29 * 24);

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload<'a> {
    /// Business number, the only one that can send the upload.
    pub number: &'a PhoneNumberId,
    /// SHA-256 of the file in hex.
    pub sha256: &'a str,
    /// MIME type given at the upload.
    pub mime_type: &'a str,
}

impl Store {
    /// Finds the media id of an upload that Meta still has.
    ///
    /// # Errors
    /// `Database`.
    pub async fn find_upload(
        &self,
        upload: &Upload<'_>,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let media_id = sqlx::query_scalar(sql::FIND_UPLOAD)
            .bind(upload.number.as_str())
            .bind(upload.sha256)
            .bind(upload.mime_type)
            .bind(now.as_millisecond());
        Ok(media_id.fetch_optional(&self.read).await?)
    }

    /// Records an upload until Meta deletes it.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn record_upload(
        &self,
        upload: &Upload<'_>,
        media_id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let expires_at = now.saturating_add(UPLOAD_LIFE).unwrap_or(Timestamp::MAX);
        let mut tx = self.begin().await?;
        sqlx::query(sql::UPSERT_UPLOAD)
            .bind(upload.number.as_str())
            .bind(upload.sha256)
            .bind(upload.mime_type)
            .bind(media_id)
            .bind(expires_at.as_millisecond())
            .bind(now.as_millisecond())
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }
}

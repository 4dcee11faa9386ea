//! Uploads of commands, so that no file is uploaded twice while Meta still has it.

use jiff::{SignedDuration, Timestamp};

use super::{Store, StoreError, sql};
use crate::message::PhoneNumberId;

/// Uploads live 30 days; a day stays unused, because Meta's clock decides. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
const UPLOAD_LIFE: SignedDuration = SignedDuration::from_hours(29 * 24);

/// A file we uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload<'a> {
    /// It is good for this number alone.
    pub number: &'a PhoneNumberId,
    /// Of the file, hex.
    pub sha256: &'a str,
    /// As it was uploaded.
    pub mime_type: &'a str,
}

impl Store {
    /// The media id of a file that was uploaded before and is still there.
    ///
    /// # Errors
    /// `Database`.
    pub async fn uploaded(
        &self,
        upload: &Upload<'_>,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let found = sqlx::query_scalar(sql::FIND_UPLOAD)
            .bind(upload.number.as_str())
            .bind(upload.sha256)
            .bind(upload.mime_type)
            .bind(now.as_millisecond());
        Ok(found.fetch_optional(&self.read).await?)
    }

    /// Remembers an upload until Meta forgets it.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn remember_upload(
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

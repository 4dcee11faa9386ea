//! Tries whether the database can be written, by really writing.
//!
//! Nothing less tells: on a full disk a lock is taken, a statement passes, and only COMMIT fails.

use tokio::sync::watch::Receiver;

use super::fault::{Cleared, Fault, Outage};
use super::{Store, StoreError, sql};

/// About what a batch of messages takes: with less room than that the next webhook would fail
/// again.
const FILLER_BYTES: i64 = 64 * 1024;

impl Store {
    /// What keeps the database from taking work, as far as units of work have met it.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        self.guard.outage.now()
    }

    /// Wakes when a trouble begins, becomes another, or ends.
    #[must_use]
    pub fn outages(&self) -> Receiver<Option<Outage>> {
        self.guard.outage.subscribe()
    }

    /// Looks whether the file is still at its path; when not, that is the trouble from now on.
    pub fn look(&self) {
        if let Some(fault) = self.guard.file.check().err().and_then(|e| e.fault()) {
            self.guard.outage.note(fault);
        }
    }

    /// Tries whether a trouble is over, and ends it when nothing has failed meanwhile.
    pub async fn recover(&self, seen: Outage) -> Cleared {
        // What was damaged is only well again when the whole file is.
        if seen.fault == Fault::Damaged && !matches!(self.damage().await, Ok(None)) {
            return Cleared::No;
        }
        match self.write_filler().await {
            Ok(()) => self.guard.outage.clear(seen),
            Err(_) => Cleared::No,
        }
    }

    /// Two commits: what the first writes must not stay.
    async fn write_filler(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(sql::WRITE_FILLER)
            .bind(FILLER_BYTES)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        let mut tx = self.begin().await?;
        sqlx::query(sql::DELETE_FILLER).execute(&mut tx).await?;
        tx.commit().await
    }

    /// Tries whether the file can be written and its disk has room, and leaves everything as it
    /// was.
    ///
    /// # Errors
    /// `Database`: it cannot.
    pub async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // Without a cache SQLite has to write before the end of the transaction.
        sqlx::query(sql::DISABLE_CACHE).execute(&mut tx).await?;
        sqlx::query(sql::WRITE_FILLER)
            .bind(FILLER_BYTES)
            .execute(&mut tx)
            .await?;
        tx.roll_back().await;
        Ok(())
    }
}

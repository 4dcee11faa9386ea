//! Tests whether the database can be written, by a real write.
//!
//! No smaller test suffices: on a full disk a lock is taken, a statement passes, and only COMMIT
//! fails.

use tokio::sync::watch::Receiver;

use super::fault::{Cleared, Fault, Outage};
use super::{Store, StoreError, sql};

/// Bytes that a batch of messages takes, roughly: with less space the next webhook would fail
/// again.
const FILLER_BYTES: i64 = 64 * 1024;

impl Store {
    /// Current outage, as far as units of work have met it.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        self.guard.outage.now()
    }

    /// Notifies when an outage begins, changes or ends.
    #[must_use]
    pub fn outages(&self) -> Receiver<Option<Outage>> {
        self.guard.outage.subscribe()
    }

    /// Checks that the file is still at its path; otherwise an outage begins.
    pub fn check_path(&self) {
        if let Some(fault) = self.guard.file.check().err().and_then(|e| e.fault()) {
            self.guard.outage.record(fault);
        }
    }

    /// Tests whether an outage is over, and ends it unless a unit of work has failed meanwhile.
    pub async fn recover(&self, seen: Outage) -> Cleared {
        // Damage is over only when the whole file is sound.
        if seen.fault == Fault::Damaged && !matches!(self.damage().await, Ok(None)) {
            return Cleared::No;
        }
        match self.write_filler().await {
            Ok(()) => self.guard.outage.clear(seen),
            Err(_) => Cleared::No,
        }
    }

    /// Writes a filler and deletes it, in two commits.
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

    /// Tests whether the file can be written and its disk has space, without changing anything.
    ///
    /// # Errors
    /// `Database`.
    pub async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // Without a cache SQLite writes before the end of the transaction.
        sqlx::query(sql::DISABLE_CACHE).execute(&mut tx).await?;
        sqlx::query(sql::WRITE_FILLER)
            .bind(FILLER_BYTES)
            .execute(&mut tx)
            .await?;
        tx.roll_back().await;
        Ok(())
    }
}

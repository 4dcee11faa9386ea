//! Checks a large file for damage while the service runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::integrity;
use super::integrity::Checked;
use super::{Store, StoreError};

impl Store {
    /// Whether the file was too large to be checked before it was opened.
    #[must_use]
    pub fn is_damage_check_due(&self) -> bool {
        self.gate.checked == Checked::NotYet
    }

    /// Checks the whole file and describes the damage; from then on nothing is written or sent.
    ///
    /// # Errors
    /// `Database`.
    pub async fn check_for_damage(&self) -> Result<Option<String>, StoreError> {
        let stop = StopWhenDropped::default();
        let damage = integrity::damage(&self.gate.path, &stop.0).await?;
        if let Some(what) = &damage {
            // An earlier finding is as good a reason.
            let _ = self.gate.damage.set(what.clone());
        }
        Ok(damage)
    }
}

/// Stops a check whose caller is gone.
#[derive(Default)]
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

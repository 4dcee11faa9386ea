//! Write probe of the database: reports when it refuses work and when it accepts work again, and
//! stops the service when the open file is no longer the one at its path.
//!
//! Units of work record their failures themselves ([`crate::store::Outage`]). While there is a
//! fault, a real write is tried every second, so that the service recovers with or without
//! webhooks; without a fault, nothing is written.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::time::{Instant, timeout};

use crate::shutdown::Shutdown;
use crate::store::{Cleared, Fault, Outage, Store};
use crate::telemetry::{Condition, Conditions};

/// Interval between checks of the file's path, and between writes during a fault.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause after a check of a damaged file, as a multiple of the check's duration: the check reads
/// the whole file, and must not keep the disk busy.
const PAUSE_AFTER_CHECK: u32 = 10;

/// Worker that probes the database during a fault.
#[derive(Debug)]
pub(super) struct WriteProbe {
    pub(super) store: Store,
    pub(super) conditions: Arc<Conditions>,
}

impl WriteProbe {
    /// Runs until either stop; ends by itself, which stops the service, when the file is no longer
    /// at its path.
    pub(super) async fn run(self, shutdown: Shutdown) {
        shutdown.run(self.work()).await;
    }

    async fn work(&self) {
        let mut outages = self.store.outages();
        loop {
            if let Some(outage) = self.store.outage() {
                if self.see_through(outage.fault, &mut outages).await == Ended::Never {
                    return;
                }
            } else {
                let _ = timeout(LOOK_EVERY, outages.changed()).await;
                self.store.check_path();
            }
        }
    }

    /// Follows a fault from its beginning to its end, with one log line for each.
    async fn see_through(&self, mut fault: Fault, outages: &mut Receiver<Option<Outage>>) -> Ended {
        let began = Instant::now();
        let mut pause = LOOK_EVERY;
        self.report(fault);
        loop {
            if fault.is_final() {
                return Ended::Never;
            }
            outages.mark_unchanged();
            let Some(seen) = self.store.outage() else {
                return Ended::Well;
            };
            if seen.fault != fault {
                fault = seen.fault;
                self.report(fault);
                continue;
            }
            if timeout(pause, outages.changed()).await.is_ok() {
                continue;
            }
            let tried = Instant::now();
            let cleared = self.store.recover(seen).await;
            pause = match fault {
                Fault::Damaged => LOOK_EVERY.max(tried.elapsed() * PAUSE_AFTER_CHECK),
                _ => LOOK_EVERY,
            };
            if cleared == Cleared::Yes {
                self.conditions.set(Condition::Database, None);
                let seconds = began.elapsed().as_secs();
                let failures = seen.failures;
                tracing::info!(failures, seconds, "database takes work again");
                return Ended::Well;
            }
        }
    }

    fn report(&self, fault: Fault) {
        let sentence = fault.sentence();
        self.conditions
            .set(Condition::Database, Some(sentence.to_owned()));
        if fault.is_final() {
            tracing::error!(reason = sentence, "database is lost; stopping");
        } else {
            tracing::error!(
                reason = sentence,
                "database takes no work; webhooks are refused until it does"
            );
        }
    }
}

/// End of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Well,
    Never,
}

//! Keeps an eye on the database: tells its owner when it takes no more work and when it does again,
//! and stops the service when what is open is not the database any more.
//!
//! What fails is noted by the units of work themselves ([`crate::store::Outage`]). While something
//! is wrong, a real write is tried every second, so that the service finds its own way back whether
//! webhooks come or not; while nothing is, the database is left alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::time::{Instant, timeout};

use crate::shutdown::Shutdown;
use crate::store::{Cleared, Fault, Outage, Store};
use crate::telemetry::{Condition, Conditions};

/// How often the path of the file is looked at, and how often a write is tried after one failed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A damaged file is read as a whole to see whether it is well again: the pause after that is so
/// many times as long as it took, so that a large file does not keep the disk busy.
const PAUSE_AFTER_CHECK: u32 = 10;

/// The worker.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) conditions: Arc<Conditions>,
}

impl Keeper {
    /// Works until told to stop; ends by itself, which stops the service, when the file is not at
    /// its path any more.
    pub(super) async fn run(self, shutdown: Shutdown) {
        shutdown.run(self.work()).await;
    }

    async fn work(&self) {
        let mut troubles = self.store.outages();
        loop {
            if let Some(trouble) = self.store.outage() {
                if self.see_through(trouble.fault, &mut troubles).await == Ended::Never {
                    return;
                }
            } else {
                let _ = timeout(LOOK_EVERY, troubles.changed()).await;
                self.store.look();
            }
        }
    }

    /// From the beginning of a trouble to its end: one line in the log for each.
    async fn see_through(&self, mut told: Fault, troubles: &mut Receiver<Option<Outage>>) -> Ended {
        let began = Instant::now();
        let mut pause = LOOK_EVERY;
        self.tell(told);
        loop {
            if told.is_final() {
                return Ended::Never;
            }
            troubles.mark_unchanged();
            let Some(seen) = self.store.outage() else {
                return Ended::Well;
            };
            if seen.fault != told {
                told = seen.fault;
                self.tell(told);
                continue;
            }
            if timeout(pause, troubles.changed()).await.is_ok() {
                continue;
            }
            let tried = Instant::now();
            let cleared = self.store.recover(seen).await;
            pause = match told {
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

    fn tell(&self, fault: Fault) {
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

/// How a trouble ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Well,
    Never,
}

//! Maintenance of the database: notices the release of a restored copy, and checks for damage.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::telemetry::{Condition, Conditions};

/// Interval at which a held database is checked for its release.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Interval between checks for damage; an unused file may decay too.
const LOOK_EVERY: Duration = Duration::from_hours(24);

/// Worker that maintains the database.
#[derive(Debug)]
pub(super) struct Maintenance {
    pub(super) store: Store,
    pub(super) conditions: Arc<Conditions>,
    /// Wakes the outbox when sending may resume.
    pub(super) wake: Arc<Notify>,
}

impl Maintenance {
    /// Runs until either stop.
    pub(super) async fn run(self, shutdown: Shutdown) {
        // Neither of the two ends by itself.
        let work = async { tokio::join!(self.until_released(), self.check_for_damage()) };
        shutdown.run(work).await;
    }

    /// Sets the condition at the start, before the service becomes visible.
    pub(super) async fn begin(&self) -> Result<(), crate::store::StoreError> {
        let since = self.store.held_since().await?;
        let sentence = since.map(held);
        if let Some(sentence) = &sentence {
            tracing::warn!("{sentence}");
        }
        self.conditions.set(Condition::Restored, sentence);
        Ok(())
    }

    async fn until_released(&self) {
        let mut is_held = !self.store.may_send();
        while is_held {
            sleep(ASK_EVERY).await;
            match self.store.held_since().await {
                Ok(since) => is_held = since.is_some(),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot ask whether the restored database was released"
                ),
            }
        }
        if self.conditions.set(Condition::Restored, None) {
            tracing::info!("the restored database was released: replies go out again");
        }
        self.wake.notify_one();
        std::future::pending::<()>().await;
    }

    async fn check_for_damage(&self) {
        if !self.store.is_damage_check_due() {
            sleep(LOOK_EVERY).await;
        }
        loop {
            match self.store.check_for_damage().await {
                Ok(None) => tracing::debug!("the database was looked at and is sound"),
                Ok(Some(what)) => {
                    tracing::error!(
                        what,
                        "the database is damaged: nothing is written or sent any more"
                    );
                    let sentence = format!(
                        "{what}; nothing is written or sent: stop the service and run `replyd restore FILE` with a backup"
                    );
                    self.conditions.set(Condition::Damage, Some(sentence));
                    std::future::pending::<()>().await;
                }
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the database could not be looked at"
                ),
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

fn held(since: Timestamp) -> String {
    let since = since.strftime("%Y-%m-%d %H:%M UTC");
    format!("this database is a copy of {since}: nothing is sent until `replyd restore --release`")
}

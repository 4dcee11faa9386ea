//! Goes on with what had to wait: does what is due, and reports what came of actions.
//!
//! A worker of its own beside [`super::Delivery`]: both of its jobs decide, and deciding must not hold up sending. The
//! due times are in the database, so nothing is forgotten over a restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::message::{Action, Outcome};
use crate::shutdown::Shutdown;
use crate::store::{Decide, Files, ReceivePolicy, Received, Store, StoreError};
use crate::telemetry::Metrics;

/// The database is looked at this often: a burst is answered so much later at most.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// After the database failed once.
const RECOVER_FOR: Duration = Duration::from_secs(1);
/// So many conversations are gone on with in one commit.
const TOGETHER: u32 = 200;
/// After this a claimed action is anybody's again.
const LEASE: Duration = Duration::from_mins(2);

/// The worker.
pub struct Waiting {
    /// Where the due times are.
    pub store: Store,
    /// The rules.
    pub decide: Arc<Decide>,
    /// Tells the time.
    pub clock: Clock,
    /// Counts decisions.
    pub metrics: Arc<Metrics>,
    /// Told when there is something to send.
    pub wake: Arc<Notify>,
    /// How long a reply is worth sending.
    pub reply_expires_after: Duration,
}

impl Waiting {
    /// Works until told to stop.
    pub async fn run(self, shutdown: Shutdown) {
        let stop = async {
            tokio::select! {
                () = shutdown.soft.cancelled() => {}
                () = shutdown.hard.cancelled() => {}
            }
        };
        tokio::select! {
            biased;
            () = stop => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => sleep(POLL_EVERY).await,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "what waits is out of reach"
                    );
                    sleep(RECOVER_FOR).await;
                }
            }
        }
    }

    /// Does what is due; says whether there was anything.
    async fn step(&self) -> Result<bool, StoreError> {
        let policy = || ReceivePolicy {
            now: self.clock.now(),
            reply_expires_after: self.reply_expires_after,
            files: Files::Stay,
        };
        let due = self.store.due_at().await?;
        let mut worked = false;
        if due.is_some_and(|due| due <= self.clock.now()) {
            let woken = self.store.wake(TOGETHER, policy(), &*self.decide).await?;
            self.tell(&woken);
            worked = true;
        }
        if self.store.has_actions().await?
            && let Some(claimed) = self.store.claim_action(self.clock.now(), LEASE).await?
        {
            let outcome = outcome(&claimed.action);
            let done = self
                .store
                .finish_action(&claimed, &outcome, policy(), &*self.decide)
                .await?;
            self.tell(&done);
            worked = true;
        }
        Ok(worked)
    }

    fn tell(&self, received: &Received) {
        for decision in &received.decisions {
            let decisions = &self.metrics.decisions;
            decisions.get_or_create(&decision.name().into()).inc();
        }
        if received.queued > 0 {
            self.wake.notify_one();
        }
    }
}

/// No host and no model can be allowed yet, so each action takes the rule's `on_error`.
fn outcome(action: &Action) -> Outcome {
    let what = match action {
        Action::Http(_) => "calls of other services are not allowed in this version",
        Action::Model(_) => "language models are not allowed in this version",
    };
    Outcome::Failed(what.to_owned())
}

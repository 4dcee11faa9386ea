//! Goes on with what had to wait: does what is due, and reports what came of actions.
//!
//! A worker of its own beside [`super::Delivery`]: both of its jobs decide, and deciding must not hold up sending. The
//! due times are in the database, so nothing is forgotten over a restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::message::Outcome;
use crate::outside::Outside;
use crate::shutdown::Shutdown;
use crate::store::{ClaimedAction, Decide, Files, ReceivePolicy, Received, Store, StoreError};
use crate::telemetry::Metrics;

/// The database is looked at this often: a burst is answered so much later at most.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// After the database failed once.
const RECOVER_FOR: Duration = Duration::from_secs(1);
/// So many conversations are gone on with in one commit.
const TOGETHER: u32 = 200;
/// After this a claimed action is anybody's again: longer than any may take.
const LEASE: Duration = Duration::from_mins(2);
/// So many actions are under way at once.
const IN_FLIGHT: usize = 64;
/// At a soft stop, actions under way are waited for this long.
const GRACE: Duration = Duration::from_secs(10);

/// The worker.
pub struct Waiting {
    /// Where the due times are.
    pub store: Store,
    /// The rules.
    pub decide: Arc<Decide>,
    /// Carries actions out.
    pub outside: Arc<Outside>,
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
    /// Works until told to stop: softly (actions under way are finished) or hard.
    pub async fn run(self, shutdown: Shutdown) {
        let worker = Arc::new(self);
        let mut running = JoinSet::new();
        let work = async {
            tokio::select! {
                biased;
                () = shutdown.soft.cancelled() => {}
                () = worker.work(&mut running) => {}
            }
            let ending = async {
                while let Some(result) = running.join_next().await {
                    ended(result);
                }
            };
            // What does not end in time is anybody's again when its lease has ended.
            let _ = timeout(GRACE, ending).await;
        };
        tokio::select! {
            biased;
            () = shutdown.hard.cancelled() => {}
            () = work => {}
        }
    }

    async fn work(self: &Arc<Self>, running: &mut JoinSet<()>) {
        loop {
            match self.step(running).await {
                Ok(true) => {}
                Ok(false) => {
                    // Until the next look at the database, or until an action has ended.
                    tokio::select! {
                        Some(result) = running.join_next() => ended(result),
                        () = sleep(POLL_EVERY) => {}
                    }
                }
                Err(error) => {
                    report(&error);
                    sleep(RECOVER_FOR).await;
                }
            }
        }
    }

    /// Does what is due; says whether there was anything.
    async fn step(self: &Arc<Self>, running: &mut JoinSet<()>) -> Result<bool, StoreError> {
        let due = self.store.due_at().await?;
        let mut worked = false;
        if due.is_some_and(|due| due <= self.clock.now()) {
            let policy = self.policy();
            let woken = self.store.wake(TOGETHER, policy, &*self.decide).await?;
            self.tell(&woken);
            worked = true;
        }
        let now = self.clock.now();
        if running.len() < IN_FLIGHT
            && self.store.has_actions(now).await?
            && let Some(claimed) = self.store.claim_action(now, LEASE).await?
        {
            let own = Arc::clone(self);
            running.spawn(async move {
                let outcome = perform(&own.outside, &claimed).await;
                own.finish(&claimed, &outcome).await;
            });
            worked = true;
        }
        Ok(worked)
    }

    /// Goes on with the conversation of an action that has ended.
    async fn finish(&self, claimed: &ClaimedAction, outcome: &Outcome) {
        let word = match outcome {
            Outcome::Done(_) => "done",
            Outcome::Failed(_) => "failed",
        };
        self.metrics.actions.get_or_create(&word.into()).inc();
        loop {
            let policy = self.policy();
            let store = &self.store;
            let done = store.finish_action(claimed, outcome, policy, &*self.decide);
            match done.await {
                Ok(done) => return self.tell(&done),
                // An action must not be lost, and not be done twice: what came of it stays until it is written.
                Err(error) => {
                    report(&error);
                    sleep(RECOVER_FOR).await;
                }
            }
        }
    }

    fn policy(&self) -> ReceivePolicy {
        ReceivePolicy {
            now: self.clock.now(),
            reply_expires_after: self.reply_expires_after,
            files: Files::Stay,
        }
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

/// A panic in an action is one of the worker, which stops the service.
fn ended(result: Result<(), JoinError>) {
    if let Err(error) = result
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Carries an action out, unless its last worker may have done so.
async fn perform(outside: &Outside, claimed: &ClaimedAction) -> Outcome {
    if claimed.attempt > 1 && !claimed.action.is_safe_to_repeat() {
        let what =
            "the program was stopped in the middle of it, and it is not known whether it was done";
        return Outcome::Failed(what.to_owned());
    }
    outside.perform(&claimed.action).await
}

fn report(error: &StoreError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "what waits is out of reach"
    );
}

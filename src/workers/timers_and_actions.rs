//! Worker that continues conversations without an inbound message: fires due timers, hands failed
//! replies to the rules, runs actions and hands over their results.
//!
//! Separate from [`super::outbox::Delivery`]: both of its jobs decide, and deciding must not delay
//! sending.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::action_runner::ActionRunner;
use super::timers::Timers;
use crate::actions::ActionExecutor;
use crate::shutdown::Shutdown;
use crate::store::StoreError;

/// Poll interval of the database: the upper bound of the delay of a timer.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// Pause after a failed access to the database.
const RECOVER_FOR: Duration = Duration::from_secs(1);
/// At a soft stop, running actions are awaited this long.
const GRACE: Duration = Duration::from_secs(10);

/// The worker.
pub struct TimersAndActions {
    timers: Timers,
    actions: ActionRunner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Something was done; more may be due at once.
    Worked,
    /// Nothing is due.
    Idle,
}

impl TimersAndActions {
    /// Takes the parts of the worker.
    pub fn new(timers: Timers, executor: Arc<ActionExecutor>) -> Self {
        let actions = ActionRunner::new(executor, Arc::clone(&timers.metrics));
        Self { timers, actions }
    }

    /// Works until the shutdown: softly (running actions are finished) or hard.
    pub async fn run(mut self, shutdown: Shutdown) {
        let work = async {
            self.work(&shutdown.soft).await;
            // An action that does not end in time can be claimed again after its lease.
            let _ = timeout(GRACE, self.finish()).await;
        };
        shutdown.run_until_hard(work).await;
    }

    async fn work(&mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.step().await {
                Ok(Step::Worked) => {}
                Ok(Step::Idle) => {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        true = self.actions.finished() => {}
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

    /// Commits finished actions, fires due timers, replaces failed replies, and starts actions.
    async fn step(&mut self) -> Result<Step, StoreError> {
        let mut worked = self.settle().await?;
        // A timer sends a message or starts an action, so neither may run while sending is off.
        if self.timers.store.may_send() {
            worked |= self.timers.fire().await?;
            worked |= self.timers.replace_failed().await?;
            let now = self.timers.clock.now();
            worked |= self.actions.claim(&self.timers.store, now).await? > 0;
        }
        Ok(if worked { Step::Worked } else { Step::Idle })
    }

    /// Continues the conversations of all finished actions, in one commit. Returns whether there
    /// were any.
    async fn settle(&mut self) -> Result<bool, StoreError> {
        let ended = self.actions.ended();
        if ended.is_empty() {
            return Ok(false);
        }
        let (store, decide) = (&self.timers.store, &*self.timers.decide);
        // An action must neither be lost nor run twice: on an error its result is kept until it is
        // written.
        let done = store
            .finish_actions(ended, self.timers.policy(), decide)
            .await?;
        self.timers.publish(&done);
        self.actions.clear_ended();
        Ok(true)
    }

    /// Awaits the running actions and commits each as it ends.
    async fn finish(&mut self) {
        loop {
            if let Err(error) = self.settle().await {
                report(&error);
                sleep(RECOVER_FOR).await;
            } else if !self.actions.finished().await {
                break;
            }
        }
    }
}

/// Logs an error that is not a fault of the database: such a fault is logged once, when it begins.
fn report(error: &StoreError) {
    if error.fault().is_none() {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "what waits is out of reach"
        );
    }
}

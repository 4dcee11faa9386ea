//! Goes on with what had to wait: does what is due, and reports what came of actions.
//!
//! A worker of its own beside [`super::outbox::Delivery`]: both of its jobs decide, and deciding
//! must not hold up sending. The due times are in the database, so nothing is forgotten over a
//! restart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::actions::{ActionExecutor, Slot};
use crate::clock::Clock;
use crate::message::ActionResult;
use crate::shutdown::Shutdown;
use crate::store::{
    ActionClaim, ClaimedAction, Decide, EndedAction, MediaPolicy, ReceivePolicy, Received, Store,
    StoreError,
};
use crate::telemetry::Metrics;

/// The database is looked at this often: a burst is answered so much later at most.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// After the database failed once.
const RECOVER_FOR: Duration = Duration::from_secs(1);
/// So many conversations are gone on with in one commit.
const TOGETHER: u32 = 200;
/// After this a claimed action is anybody's again: longer than any may take.
const LEASE: Duration = Duration::from_mins(2);
/// At a soft stop, actions under way are waited for this long.
const GRACE: Duration = Duration::from_secs(10);

/// The worker.
pub struct Waiting {
    /// Where the due times are.
    pub store: Store,
    /// The rules.
    pub decide: Arc<Decide>,
    /// Carries actions out.
    pub executor: Arc<ActionExecutor>,
    /// Tells the time.
    pub clock: Clock,
    /// Counts decisions.
    pub metrics: Arc<Metrics>,
    /// Told when there is something to send.
    pub wake: Arc<Notify>,
    /// How long a reply is worth sending.
    pub reply_expires_after: Duration,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Something; there may be more to do at once.
    Worked,
    /// Nothing to do until something happens.
    Idle,
}

/// The worker at work.
struct Working {
    parts: Waiting,
    running: JoinSet<EndedAction>,
    /// Done, and not yet in the database.
    ended: Vec<EndedAction>,
}

impl Waiting {
    /// Works until told to stop: softly (actions under way are finished) or hard.
    pub async fn run(self, shutdown: Shutdown) {
        let mut working = Working {
            parts: self,
            running: JoinSet::new(),
            ended: Vec::new(),
        };
        let work = async {
            working.work(&shutdown.soft).await;
            // What does not end in time is anybody's again when its lease has ended.
            let _ = timeout(GRACE, working.finish()).await;
        };
        shutdown.run_until_hard(work).await;
    }

    fn policy(&self) -> ReceivePolicy {
        ReceivePolicy {
            now: self.clock.now(),
            reply_expires_after: self.reply_expires_after,
            files: MediaPolicy::Ignore,
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

impl Working {
    async fn work(&mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.step().await {
                Ok(Step::Worked) => {}
                Ok(Step::Idle) => {
                    // Until the next look at the database, or until an action has ended.
                    tokio::select! {
                        () = stop.cancelled() => {}
                        Some(result) = self.running.join_next() => self.collect(result),
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

    /// Goes on with what has ended, does what is due, and begins what there is room for.
    async fn step(&mut self) -> Result<Step, StoreError> {
        let ended = self.settle().await?;
        if !self.parts.store.may_send() {
            // What is due says something, or begins an action.
            return Ok(if ended > 0 { Step::Worked } else { Step::Idle });
        }
        let woken = self.wake().await?;
        let begun = self.claim().await?;
        Ok(if ended + woken + begun > 0 {
            Step::Worked
        } else {
            Step::Idle
        })
    }

    async fn wake(&self) -> Result<usize, StoreError> {
        let parts = &self.parts;
        let due = parts.store.next_timer().await?;
        if due.is_none_or(|due| due > parts.clock.now()) {
            return Ok(0);
        }
        let policy = parts.policy();
        let woken = parts.store.wake(TOGETHER, policy, &*parts.decide).await?;
        parts.tell(&woken);
        Ok(1)
    }

    /// Begins as many actions as their hosts have room for: one that hangs holds up only those who
    /// ask it.
    async fn claim(&mut self) -> Result<usize, StoreError> {
        let Waiting {
            store,
            clock,
            executor,
            ..
        } = &self.parts;
        let now = clock.now();
        let mut slots: HashMap<String, Vec<Slot>> = HashMap::new();
        for host in store.action_hosts(now).await? {
            let free = executor.slots(&host);
            if !free.is_empty() {
                slots.insert(host, free);
            }
        }
        if slots.is_empty() {
            return Ok(0);
        }
        let room = slots.iter().map(|(host, free)| (host.clone(), free.len()));
        let claimed = store.claim_actions(ActionClaim {
            now,
            lease: LEASE,
            room: room.collect(),
        });
        let claimed = claimed.await?;
        let begun = claimed.len();
        for one in claimed {
            let slot = slots.get_mut(&one.host).and_then(Vec::pop);
            let slot = slot.expect("no more are claimed than there is room for");
            let executor = Arc::clone(executor);
            self.running.spawn(async move {
                let outcome = perform(&executor, &one, slot, now).await;
                let claim_token = one.claim_token;
                EndedAction {
                    claim_token,
                    outcome,
                }
            });
        }
        Ok(begun)
    }

    /// A panic in an action is one of the worker, which stops the service.
    fn collect(&mut self, result: Result<EndedAction, JoinError>) {
        let ended = match result {
            Ok(ended) => ended,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let word = match ended.outcome {
            ActionResult::Done(_) => "done",
            ActionResult::Failed(_) => "failed",
        };
        let actions = &self.parts.metrics.actions;
        actions.get_or_create(&word.into()).inc();
        self.ended.push(ended);
    }

    /// Goes on with the conversations of every action that has ended, in one commit.
    async fn settle(&mut self) -> Result<usize, StoreError> {
        while let Some(result) = self.running.try_join_next() {
            self.collect(result);
        }
        if self.ended.is_empty() {
            return Ok(0);
        }
        let parts = &self.parts;
        let (policy, decide) = (parts.policy(), &*parts.decide);
        // An action must not be lost, and not be done twice: on an error what came of it stays
        // until it is written.
        let store = &parts.store;
        let done = store.finish_actions(&self.ended, policy, decide).await?;
        parts.tell(&done);
        let count = self.ended.len();
        self.ended.clear();
        Ok(count)
    }

    /// The soft stop: what is under way is awaited and written as it comes.
    async fn finish(&mut self) {
        loop {
            if let Err(error) = self.settle().await {
                report(&error);
                sleep(RECOVER_FOR).await;
                continue;
            }
            match self.running.join_next().await {
                Some(result) => self.collect(result),
                None => break,
            }
        }
    }
}

/// Carries an action out, unless its time is over or its last worker may have done so.
async fn perform(
    executor: &ActionExecutor,
    claimed: &ClaimedAction,
    slot: Slot,
    now: Timestamp,
) -> ActionResult {
    if claimed.attempt > 1 && !claimed.action.is_safe_to_repeat() {
        let what =
            "the program was stopped in the middle of it, and it is not known whether it was done";
        return ActionResult::Failed(what.to_owned());
    }
    if claimed.expires_at <= now {
        return ActionResult::Failed("it waited too long".to_owned());
    }
    executor.perform(&claimed.action, slot).await
}

/// A fault of the database itself is told once, when it begins.
fn report(error: &StoreError) {
    if error.fault().is_none() {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "what waits is out of reach"
        );
    }
}

//! Runs claimed actions of rules (HTTP calls, language models) and holds their results until they
//! are committed. Must not decide: [`super::TimersAndActions`] hands the results to the rules.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{JoinError, JoinSet};

use crate::actions::{ActionExecutor, Slot};
use crate::message::ActionResult;
use crate::store::{ActionClaim, ClaimedAction, EndedAction, Store, StoreError};
use crate::telemetry::Metrics;

/// Duration of a claim; afterwards another worker may claim the action. Longer than any action.
const LEASE: Duration = Duration::from_mins(2);

pub(super) struct ActionRunner {
    executor: Arc<ActionExecutor>,
    metrics: Arc<Metrics>,
    running: JoinSet<EndedAction>,
    /// Finished, and not yet in the database.
    ended: Vec<EndedAction>,
}

impl ActionRunner {
    pub(super) fn new(executor: Arc<ActionExecutor>, metrics: Arc<Metrics>) -> Self {
        Self {
            executor,
            metrics,
            running: JoinSet::new(),
            ended: Vec::new(),
        }
    }

    /// Claims and starts as many actions as their hosts have free slots for, so that a host that
    /// hangs delays only its own actions. Returns the number of actions started.
    pub(super) async fn claim(
        &mut self,
        store: &Store,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut slots: HashMap<String, Vec<Slot>> = HashMap::new();
        for host in store.action_hosts(now).await? {
            let free = self.executor.slots(&host);
            if !free.is_empty() {
                slots.insert(host, free);
            }
        }
        if slots.is_empty() {
            return Ok(0);
        }
        let room = slots.iter().map(|(host, free)| (host.clone(), free.len()));
        let claim = ActionClaim {
            now,
            lease: LEASE,
            room: room.collect(),
        };
        let claimed = store.claim_actions(claim).await?;
        let started = claimed.len();
        for action in claimed {
            let slot = slots.get_mut(&action.host).and_then(Vec::pop);
            let slot = slot.expect("no more are claimed than there is room for");
            let executor = Arc::clone(&self.executor);
            self.running.spawn(async move {
                EndedAction {
                    outcome: perform(&executor, &action, slot, now).await,
                    claim_token: action.claim_token,
                }
            });
        }
        Ok(started)
    }

    /// Waits until an action has finished. Returns whether one was running.
    pub(super) async fn finished(&mut self) -> bool {
        let joined = self.running.join_next().await;
        joined.map(|result| self.collect(result)).is_some()
    }

    /// Finished actions whose results are not yet in the database.
    pub(super) fn ended(&mut self) -> &[EndedAction] {
        while let Some(result) = self.running.try_join_next() {
            self.collect(result);
        }
        &self.ended
    }

    /// Forgets the results that [`Self::ended`] gave: they are in the database.
    pub(super) fn clear_ended(&mut self) {
        self.ended.clear();
    }

    /// A panic in an action is one of the worker, which stops the service.
    fn collect(&mut self, result: Result<EndedAction, JoinError>) {
        let ended = match result {
            Ok(ended) => ended,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let outcome = match ended.outcome {
            ActionResult::Done(_) => "done",
            ActionResult::Failed(_) => "failed",
        };
        self.metrics.actions.get_or_create(&outcome.into()).inc();
        self.ended.push(ended);
    }
}

/// Carries an action out, unless it has expired or an earlier attempt may have done it.
async fn perform(
    executor: &ActionExecutor,
    claimed: &ClaimedAction,
    slot: Slot,
    now: Timestamp,
) -> ActionResult {
    if claimed.attempt > 1 && !claimed.action.is_safe_to_repeat() {
        let reason =
            "the program was stopped in the middle of it, and it is not known whether it was done";
        return ActionResult::Failed(reason.to_owned());
    }
    if claimed.expires_at <= now {
        return ActionResult::Failed("it waited too long".to_owned());
    }
    executor.perform(&claimed.action, slot).await
}

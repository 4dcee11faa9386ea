//! Timers: runs the conversations whose due time has passed (debounce, flow timeouts, scheduled
//! replies), and those of which a reply failed.
//!
//! The due times are in the database, so none is lost over a restart. Must not send: what the
//! rules decide goes to the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::store::{Decide, MediaPolicy, ReceivePolicy, Received, Store, StoreError};
use crate::telemetry::Metrics;

/// Upper bound of conversations that continue in one commit.
const BATCH: u32 = 200;

/// Commits the decisions that no inbound message triggers.
pub struct Timers {
    /// Holds the due times.
    pub store: Store,
    /// Decides by the rules.
    pub decide: Arc<Decide>,
    /// Gives the server time.
    pub clock: Clock,
    /// Counts decisions.
    pub metrics: Arc<Metrics>,
    /// Notified when a message has been queued.
    pub wake: Arc<Notify>,
    /// Lifetime of a queued reply.
    pub reply_expires_after: Duration,
}

impl Timers {
    /// Fires due timers, up to one batch. Returns whether any was due.
    pub(super) async fn fire(&self) -> Result<bool, StoreError> {
        let due = self.store.next_timer().await?;
        if due.is_none_or(|due| due > self.clock.now()) {
            return Ok(false);
        }
        let policy = self.policy();
        let woken = self.store.wake(BATCH, policy, &*self.decide).await?;
        self.publish(&woken);
        Ok(true)
    }

    /// Gives failed replies to the rules, up to one batch. Returns whether there were any.
    pub(super) async fn replace_failed(&self) -> Result<bool, StoreError> {
        if !self.store.has_failed_replies().await? {
            return Ok(false);
        }
        let (policy, decide) = (self.policy(), &*self.decide);
        let replaced = self.store.replace_failed_replies(BATCH, policy, decide);
        self.publish(&replaced.await?);
        Ok(true)
    }

    pub(super) fn policy(&self) -> ReceivePolicy {
        ReceivePolicy {
            now: self.clock.now(),
            reply_expires_after: self.reply_expires_after,
            files: MediaPolicy::Ignore,
        }
    }

    /// Counts committed decisions and wakes the outbox if they queued messages.
    pub(super) fn publish(&self, received: &Received) {
        for decision in &received.decisions {
            let decisions = &self.metrics.decisions;
            decisions.get_or_create(&decision.name().into()).inc();
        }
        if received.queued > 0 {
            self.wake.notify_one();
        }
    }
}

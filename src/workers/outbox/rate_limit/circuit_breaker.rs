//! A stop with a time, after which one send at a time is let through until one succeeds.

use std::time::Duration;

use tokio::time::Instant;

use crate::workers::outbox::backoff;

/// How long a brake holds: longer each time it is put on again without a success between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// The first time.
    pub(crate) first: Duration,
    /// At the longest.
    pub(crate) longest: Duration,
    /// What the gateway asked for, within reason; counts when longer.
    pub(crate) retry_after: Option<Duration>,
}

/// What putting a brake on came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tripped {
    /// Until something may be sent again.
    pub(crate) wait: Duration,
    /// Whether this was the one to put it on; it may have been on already.
    pub(crate) is_new: bool,
}

#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    times: u32,
    tripped_at: Instant,
    until: Instant,
    is_half_open: bool,
}

impl CircuitBreaker {
    pub(crate) fn trip(breaker: &mut Option<Self>, pause: Pause, now: Instant) -> Tripped {
        let retry_after = pause.retry_after.unwrap_or_default();
        if let Some(breaker) = breaker.as_mut().filter(|breaker| now < breaker.until) {
            // Others that were under way come back with the same news.
            breaker.until = breaker.until.max(now + retry_after);
            return Tripped {
                wait: breaker.until - now,
                is_new: false,
            };
        }
        let times = breaker.as_ref().map_or(0, |breaker| breaker.times) + 1;
        let wait = backoff::doubled(pause.first, pause.longest, times).max(retry_after);
        *breaker = Some(Self {
            times,
            tripped_at: now,
            until: now + wait,
            is_half_open: false,
        });
        Tripped { wait, is_new: true }
    }

    pub(crate) fn room(&self, now: Instant) -> u32 {
        u32::from(now >= self.until && !self.is_half_open)
    }

    pub(crate) fn opens_at(&self, now: Instant) -> Option<Instant> {
        (now < self.until).then_some(self.until)
    }

    pub(crate) fn concerns(&self, started: Instant) -> bool {
        started >= self.tripped_at
    }

    pub(crate) fn half_open(&mut self) {
        self.is_half_open = true;
    }

    pub(crate) fn end_trial(&mut self) {
        self.is_half_open = false;
    }
}

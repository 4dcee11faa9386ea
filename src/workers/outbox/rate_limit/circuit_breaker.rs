//! Circuit breaker: a timed stop, after which one send at a time is tried until one succeeds.

use std::time::Duration;

use tokio::time::Instant;

use crate::workers::outbox::backoff;

/// Duration of a stop: longer each time the breaker is tripped again without a success between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// First duration.
    pub(crate) first: Duration,
    /// Upper bound of the duration.
    pub(crate) longest: Duration,
    /// Wait that the gateway asked for, within bounds; counts if it is longer.
    pub(crate) retry_after: Option<Duration>,
}

/// Result of tripping a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tripped {
    /// Time until the next send.
    pub(crate) wait: Duration,
    /// Whether the breaker was not tripped before.
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
            // Other running sends report the same error.
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

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
    pub(crate) asked: Option<Duration>,
}

/// What putting a brake on came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Engaged {
    /// Until something may be sent again.
    pub(crate) wait: Duration,
    /// Whether this was the one to put it on; it may have been on already.
    pub(crate) is_new: bool,
}

#[derive(Debug)]
pub(crate) struct Brake {
    times: u32,
    engaged_at: Instant,
    until: Instant,
    on_trial: bool,
}

impl Brake {
    pub(crate) fn engage(brake: &mut Option<Self>, pause: Pause, now: Instant) -> Engaged {
        let asked = pause.asked.unwrap_or_default();
        if let Some(brake) = brake.as_mut().filter(|brake| now < brake.until) {
            // Others that were under way come back with the same news.
            brake.until = brake.until.max(now + asked);
            return Engaged {
                wait: brake.until - now,
                is_new: false,
            };
        }
        let times = brake.as_ref().map_or(0, |brake| brake.times) + 1;
        let wait = backoff::doubled(pause.first, pause.longest, times).max(asked);
        *brake = Some(Self {
            times,
            engaged_at: now,
            until: now + wait,
            on_trial: false,
        });
        Engaged { wait, is_new: true }
    }

    pub(crate) fn room(&self, now: Instant) -> u32 {
        u32::from(now >= self.until && !self.on_trial)
    }

    pub(crate) fn opens_at(&self, now: Instant) -> Option<Instant> {
        (now < self.until).then_some(self.until)
    }

    pub(crate) fn concerns(&self, started: Instant) -> bool {
        started >= self.engaged_at
    }

    pub(crate) fn begin_trial(&mut self) {
        self.on_trial = true;
    }

    pub(crate) fn end_trial(&mut self) {
        self.on_trial = false;
    }
}

//! Rate limits: how many sends may start now, by the rate of each number and of the gateway, and by
//! circuit breakers after errors.
//!
//! A rate is a sequence of evenly spaced slots: no second ever has more sends than allowed, not
//! even the first. A [`CircuitBreaker`] stops a number or everything for a while; then one send is
//! tried. State is in memory only: after a restart everything is open.

mod circuit_breaker;

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::message::PhoneNumberId;
use circuit_breaker::CircuitBreaker;
pub(crate) use circuit_breaker::{Pause, Tripped};

/// Slots this far ahead may be taken, so that one claim takes several rows; the rows wait in memory
/// for their slots.
const HORIZON: Duration = Duration::from_millis(250);
/// Number of sends in a row without a readable response after which the gateway counts as down.
const UNKNOWN_IN_A_ROW: u32 = 3;
/// Pause of a gateway that cannot be reached: it is tried at least every 10 s.
pub(crate) const OUTAGE: Pause = Pause {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(10),
    retry_after: None,
};

/// Slots that a send takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A message: a slot of its number and one of the gateway.
    Message,
    /// A read mark: a slot of the gateway.
    ReadMark,
}

/// Conclusion from the end of a send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Feedback {
    /// The send was not started.
    NotStarted,
    /// The gateway responded (so it is up), but the response tells nothing about this number's
    /// limits (read marks).
    Answered,
    /// The response, good or bad, concerns that message only: the number may send.
    Works,
    /// This number must pause.
    StopNumber(Pause),
    /// Everything must pause.
    StopGateway(Pause),
    /// There was no readable response.
    Unknown,
}

/// Rate limits and circuit breakers of the gateway and all numbers.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    gateway: Limiter,
    numbers: HashMap<PhoneNumberId, Limiter>,
    number_interval: Duration,
    unknown_in_a_row: u32,
    last_answer: Instant,
}

#[derive(Debug)]
struct Limiter {
    /// Time between two slots; zero for no limit.
    interval: Duration,
    next_slot: Instant,
    breaker: Option<CircuitBreaker>,
}

impl RateLimiter {
    /// Creates a limiter with rates per second; 0 for no limit.
    pub(crate) fn new(messages_per_second: u32, requests_per_second: u32, now: Instant) -> Self {
        Self {
            gateway: Limiter::new(interval(requests_per_second), now),
            numbers: HashMap::new(),
            number_interval: interval(messages_per_second),
            unknown_in_a_row: 0,
            last_answer: now,
        }
    }

    /// Number of sends that the gateway's limit allows now.
    pub(crate) fn gateway_room(&self, now: Instant) -> u32 {
        self.gateway.room(now)
    }

    /// Number of sends that the number's own limit allows now.
    pub(crate) fn number_room(&mut self, number: &PhoneNumberId, now: Instant) -> u32 {
        self.number(number, now).room(now)
    }

    /// Lists the numbers whose own limit allows no further send now.
    pub(crate) fn numbers_without_room(&self, now: Instant) -> Vec<&PhoneNumberId> {
        let numbers = self.numbers.iter();
        let full = numbers.filter(|(_, limiter)| limiter.room(now) == 0);
        full.map(|(number, _)| number).collect()
    }

    /// Takes the slots of one send and returns its earliest start.
    pub(crate) fn take(&mut self, number: &PhoneNumberId, weight: Weight, now: Instant) -> Instant {
        let slot = self.gateway.take(now);
        match weight {
            Weight::Message => self.number(number, now).take(now).max(slot),
            Weight::ReadMark => slot,
        }
    }

    /// Next time after `now` at which a closed limit opens.
    pub(crate) fn next_room(&self, now: Instant) -> Option<Instant> {
        let limiters = self.numbers.values().chain([&self.gateway]);
        limiters.filter_map(|limiter| limiter.opens_at(now)).min()
    }

    /// Learns from the end of a send that began at `started`; returns the pause if a circuit
    /// breaker is tripped.
    pub(crate) fn learn(
        &mut self,
        number: &PhoneNumberId,
        started: Instant,
        feedback: Feedback,
        now: Instant,
    ) -> Option<Tripped> {
        if !matches!(
            feedback,
            Feedback::Unknown | Feedback::NotStarted | Feedback::StopGateway(_)
        ) {
            self.unknown_in_a_row = 0;
            self.last_answer = now;
            self.gateway.reset(started);
        }
        self.gateway.end_trial(started);
        if !matches!(feedback, Feedback::Answered) {
            self.number(number, now).end_trial(started);
        }
        match feedback {
            Feedback::NotStarted | Feedback::Answered => None,
            Feedback::Works => {
                self.number(number, now).reset(started);
                None
            }
            Feedback::StopNumber(pause) => Some(self.number(number, now).trip(pause, now)),
            Feedback::StopGateway(pause) => Some(self.gateway.trip(pause, now)),
            // The gateway has responded to others since this send began, so it is up.
            Feedback::Unknown if started < self.last_answer => None,
            Feedback::Unknown => {
                self.unknown_in_a_row += 1;
                (self.unknown_in_a_row >= UNKNOWN_IN_A_ROW).then(|| self.gateway.trip(OUTAGE, now))
            }
        }
    }

    fn number(&mut self, number: &PhoneNumberId, now: Instant) -> &mut Limiter {
        if !self.numbers.contains_key(number) {
            let limiter = Limiter::new(self.number_interval, now);
            self.numbers.insert(number.clone(), limiter);
        }
        self.numbers
            .get_mut(number)
            .expect("it was put there above")
    }
}

impl Limiter {
    fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            next_slot: now,
            breaker: None,
        }
    }

    fn room(&self, now: Instant) -> u32 {
        let by_breaker = self
            .breaker
            .as_ref()
            .map_or(u32::MAX, |breaker| breaker.room(now));
        let horizon = now + HORIZON;
        let first = self.next_slot.max(now);
        let by_rate = if first > horizon {
            0
        } else if self.interval.is_zero() {
            u32::MAX
        } else {
            let further = (horizon - first).as_nanos() / self.interval.as_nanos();
            u32::try_from(further).map_or(u32::MAX, |further| further.saturating_add(1))
        };
        by_rate.min(by_breaker)
    }

    fn take(&mut self, now: Instant) -> Instant {
        if let Some(breaker) = &mut self.breaker {
            breaker.half_open();
        }
        let slot = self.next_slot.max(now);
        self.next_slot = slot + self.interval;
        slot
    }

    fn opens_at(&self, now: Instant) -> Option<Instant> {
        let by_rate = (self.next_slot > now + HORIZON).then(|| self.next_slot - HORIZON);
        let by_breaker = self
            .breaker
            .as_ref()
            .and_then(|breaker| breaker.opens_at(now));
        // Both must be open, so the later time counts.
        by_rate.max(by_breaker)
    }

    fn trip(&mut self, pause: Pause, now: Instant) -> Tripped {
        CircuitBreaker::trip(&mut self.breaker, pause, now)
    }

    /// Resets the circuit breaker, unless the send began before it was tripped and so proves
    /// nothing.
    fn reset(&mut self, started: Instant) {
        self.breaker.take_if(|breaker| breaker.concerns(started));
    }

    fn end_trial(&mut self, started: Instant) {
        if let Some(breaker) = &mut self.breaker
            && breaker.concerns(started)
        {
            breaker.end_trial();
        }
    }
}

fn interval(per_second: u32) -> Duration {
    Duration::from_secs(1)
        .checked_div(per_second)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;

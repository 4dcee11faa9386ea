//! What the end of a send means for its row and for what may be sent next. Pure.
//!
//! No fault that may pass ends a message here, however often it was met: the time in which it is worth sending does
//! (`outbox.expires_at_ms`, see [`super::sweep`]).

use std::time::Duration;

use super::backoff;
use super::rate_limit::{Lesson, OUTAGE, Pause};
use crate::gateway::{NotSent, Rejection, SendError, Source};
use crate::message::Wamid;
use crate::whatsapp::error_codes::Class;

/// A number that sends too fast.
const THROTTLED: Pause = pause(1, 60);
/// An account that has made too many calls.
const EXHAUSTED: Pause = pause(60, 600);
/// An account or configuration that a person must repair: looked at again every 30 s.
const BROKEN: Pause = pause(30, 30);

const fn pause(first_seconds: u64, longest_seconds: u64) -> Pause {
    Pause {
        first: Duration::from_secs(first_seconds),
        longest: Duration::from_secs(longest_seconds),
        asked: None,
    }
}

/// What becomes of the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is done.
    Accepted(Option<Wamid>),
    /// It was not sent; try again so much later.
    Again(Duration),
    /// It was not sent and will not be before the brake is off.
    AgainAfterPause,
    /// It may have been sent.
    Unknown,
    /// It will not be sent.
    Dead,
}

/// Judges the send of a message.
pub(crate) fn of_message(
    result: &Result<Option<Wamid>, SendError>,
    attempt: u32,
    fence: &str,
) -> (Verdict, Lesson) {
    match result {
        Ok(wamid) => (Verdict::Accepted(wamid.clone()), Lesson::Works),
        Err(error) => of_failure(error, attempt, fence),
    }
}

/// Judges a read mark: never worth a second try, and what it is refused for need not hold for messages.
pub(crate) fn of_read_mark(result: &Result<Option<Wamid>, SendError>) -> (Verdict, Lesson) {
    match result {
        Ok(_) => (Verdict::Accepted(None), Lesson::Answered),
        Err(SendError::Unknown(_)) => (Verdict::Accepted(None), Lesson::Unknown),
        Err(error) => match of_failure(error, 1, "").1 {
            lesson @ Lesson::StopGateway(_) => (Verdict::Dead, lesson),
            Lesson::NotStarted => (Verdict::Dead, Lesson::NotStarted),
            _ => (Verdict::Dead, Lesson::Answered),
        },
    }
}

fn of_failure(error: &SendError, attempt: u32, fence: &str) -> (Verdict, Lesson) {
    match error {
        SendError::NotSent(NotSent::Request | NotSent::Id) => (Verdict::Dead, Lesson::NotStarted),
        SendError::NotSent(_) => (Verdict::AgainAfterPause, Lesson::StopGateway(OUTAGE)),
        SendError::Unknown(_) => (Verdict::Unknown, Lesson::Unknown),
        SendError::Rejected(rejection) => of_rejection(rejection, attempt, fence),
    }
}

fn of_rejection(rejection: &Rejection, attempt: u32, fence: &str) -> (Verdict, Lesson) {
    let asked = rejection.retry_after.map(backoff::asked);
    let stop = |pause: Pause| {
        let pause = Pause { asked, ..pause };
        let lesson = match rejection.source() {
            Source::Meta => Lesson::StopNumber(pause),
            Source::Gateway => Lesson::StopGateway(pause),
        };
        (Verdict::AgainAfterPause, lesson)
    };
    let least = asked.unwrap_or_default();
    let again = |wait: Duration| (Verdict::Again(wait.max(least)), Lesson::Works);
    let spaced = |spacing| again(backoff::jittered(spacing, attempt, fence));
    match rejection.class() {
        // Only the gateway's own rate is answered by status: Meta gives a code.
        Class::Retry if rejection.source() == Source::Gateway => stop(THROTTLED),
        Class::Retry => spaced(backoff::CLOSE),
        Class::RetryWide => spaced(backoff::WIDE),
        Class::RetrySlow => stop(EXHAUSTED),
        Class::SlowNumber => stop(THROTTLED),
        Class::SlowPair => again(backoff::pair(attempt)),
        Class::WindowClosed | Class::GiveUp => (Verdict::Dead, Lesson::Works),
        Class::Account => stop(BROKEN),
    }
}

#[cfg(test)]
mod tests;

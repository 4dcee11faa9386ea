//! Retry policy: what the result of a send means for its row and for further sends. Pure.
//!
//! No fault that may pass ends a message here, however often it occurs: `outbox.expires_at_ms` does
//! (see [`super::sweep`]). Only errors that are most likely the message's own are tried a few times.

use std::time::Duration;

use super::backoff;
use super::rate_limit::{Feedback, OUTAGE, Pause};
use crate::gateway::{NotSent, Rejection, SendError, Source};
use crate::message::ErrorClass;
use crate::message::Wamid;

/// Pause of a number that sends too fast.
const THROTTLED: Pause = pause(1, 60);
/// Pause of an account that has made too many calls.
const EXHAUSTED: Pause = pause(60, 600);
/// Pause for an account or configuration that the operator must fix: tried again every 30 s.
const BROKEN: Pause = pause(30, 30);

/// Attempts of a message that most likely causes its error itself; they take about a minute.
const FEW_ATTEMPTS: u32 = 4;

const fn pause(first_seconds: u64, longest_seconds: u64) -> Pause {
    Pause {
        first: Duration::from_secs(first_seconds),
        longest: Duration::from_secs(longest_seconds),
        retry_after: None,
    }
}

/// Next state of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The row leaves.
    Accepted(Wamid),
    /// The row was not sent and is tried again after this wait.
    Again(Duration),
    /// The row was not sent and is tried again after the pause.
    AgainAfterPause,
    /// The row may have been sent.
    Unknown,
    /// The row will not be sent.
    Dead,
}

/// Classifies the send of a message.
pub(crate) fn judge_message(
    result: &Result<Wamid, SendError>,
    attempt: u32,
    claim_token: &str,
) -> (Disposition, Feedback) {
    match result {
        Ok(wamid) => (Disposition::Accepted(wamid.clone()), Feedback::Works),
        Err(error) => judge_failure(error, attempt, claim_token),
    }
}

/// Concludes from a read mark, which is never tried twice: an error of it may not hold for messages.
pub(crate) fn judge_read_mark(result: &Result<(), SendError>) -> Feedback {
    let Err(error) = result else {
        return Feedback::Answered;
    };
    match judge_failure(error, 1, "").1 {
        feedback @ (Feedback::StopGateway(_) | Feedback::NotStarted | Feedback::Unknown) => {
            feedback
        }
        Feedback::Answered | Feedback::Works | Feedback::StopNumber(_) => Feedback::Answered,
    }
}

fn judge_failure(error: &SendError, attempt: u32, claim_token: &str) -> (Disposition, Feedback) {
    match error {
        SendError::NotSent(NotSent::Request | NotSent::Id) => {
            (Disposition::Dead, Feedback::NotStarted)
        }
        SendError::NotSent(_) => (Disposition::AgainAfterPause, Feedback::StopGateway(OUTAGE)),
        SendError::Unknown(_) => (Disposition::Unknown, Feedback::Unknown),
        SendError::Rejected(rejection) => judge_rejection(rejection, attempt, claim_token),
    }
}

fn judge_rejection(
    rejection: &Rejection,
    attempt: u32,
    claim_token: &str,
) -> (Disposition, Feedback) {
    let retry_after = rejection.retry_after.map(backoff::clamp_retry_after);
    let stop = |pause: Pause| {
        let pause = Pause {
            retry_after,
            ..pause
        };
        let feedback = match rejection.source() {
            Source::Meta => Feedback::StopNumber(pause),
            Source::Gateway => Feedback::StopGateway(pause),
        };
        (Disposition::AgainAfterPause, feedback)
    };
    let least = retry_after.unwrap_or_default();
    let again = |wait: Duration| (Disposition::Again(wait.max(least)), Feedback::Works);
    let spaced = |spacing| again(backoff::jittered(spacing, attempt, claim_token));
    match rejection.class() {
        // Only the gateway's own rate limit comes as a status: Meta sends a code.
        ErrorClass::Retry if rejection.source() == Source::Gateway => stop(THROTTLED),
        ErrorClass::Retry => spaced(backoff::CLOSE),
        ErrorClass::RetryWide => spaced(backoff::WIDE),
        ErrorClass::RetrySlow => stop(EXHAUSTED),
        ErrorClass::SlowNumber => stop(THROTTLED),
        ErrorClass::SlowPair => again(backoff::pair(attempt)),
        ErrorClass::RetryFew if attempt < FEW_ATTEMPTS => spaced(backoff::WIDE),
        ErrorClass::RetryFew
        | ErrorClass::WindowClosed
        | ErrorClass::GiveUp
        | ErrorClass::Undeliverable
        | ErrorClass::Marketing
        | ErrorClass::Contact => (Disposition::Dead, Feedback::Works),
        ErrorClass::Account => stop(BROKEN),
    }
}

#[cfg(test)]
mod tests;

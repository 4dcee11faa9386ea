//! The result of a send: its settlement, log line and counters.
//!
//! A failure is logged here once, by row id, code and class; never with text, numbers or wamids.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Delivery;
use super::rate_limit::{Feedback, Tripped};
use super::retry_policy;
use super::retry_policy::Disposition;
use super::sender::Finished;
use crate::gateway::SendError;
use crate::message::PhoneNumberId;
use crate::store::{Reason, SendResult, Settlement};
use crate::telemetry::SendFailure;
use crate::whatsapp::error_codes;

/// Number of failed attempts after which a message is logged before its end: about a minute, or
/// three where attempts are wide apart.
const TRIES_BEFORE_A_LINE: u32 = 5;

impl Delivery {
    /// Classifies the result of a row, passes it to the rate limiter, and returns the settlement.
    pub(crate) fn judge(&mut self, row: Finished) -> Settlement {
        let outcome = self.outcome(&row);
        Settlement {
            id: row.id,
            claim_token: row.claim_token,
            phone_number_id: row.phone_number_id,
            outcome,
            report: row.report,
        }
    }

    fn outcome(&mut self, row: &Finished) -> SendResult {
        let Some(result) = &row.result else {
            self.learn(
                &row.phone_number_id,
                row.started,
                Feedback::NotStarted,
                None,
            );
            return SendResult::Released;
        };
        self.count_request(row.ended.duration_since(row.started));
        let (disposition, feedback) =
            retry_policy::judge_message(result, row.attempt, &row.claim_token);
        let tripped = self.learn(&row.phone_number_id, row.started, feedback, failure(row));
        log_end(row, &disposition);
        let outcome = self.write(row, disposition, tripped);
        let word = match &outcome {
            SendResult::Accepted(_) => "accepted",
            SendResult::Retry { .. } => "retry",
            SendResult::Unknown { .. } => "unknown",
            SendResult::Dead { .. } => "dead",
            SendResult::Released => "released",
        };
        self.count_end(word, failure(row));
        outcome
    }

    /// Passes the end of a send to the rate limiter, and logs the pause that it causes.
    pub(crate) fn learn(
        &mut self,
        number: &PhoneNumberId,
        started: Instant,
        feedback: Feedback,
        error: Option<&SendError>,
    ) -> Option<Tripped> {
        let limiter = &mut self.shared.capacity().limiter;
        let tripped = limiter.learn(number, started, feedback, Instant::now());
        if let Some(tripped) = tripped.filter(|tripped| tripped.is_new) {
            log_trip(number, feedback, error, tripped.wait);
        }
        tripped
    }

    /// Counts a request to the gateway by its time.
    pub(crate) fn count_request(&self, took: Duration) {
        let seconds = &self.parts.metrics.gateway_seconds;
        seconds.observe(took.as_secs_f64());
    }

    /// Counts the end of a send, and its failure if it was one.
    pub(crate) fn count_end(&self, word: &'static str, error: Option<&SendError>) {
        let metrics = &self.parts.metrics;
        metrics.sends.get_or_create(&word.into()).inc();
        if let Some(error) = error {
            let (class, code) = (class_name(error), error_codes::label(error.code()));
            let label = SendFailure { class, code };
            metrics.send_failures.get_or_create(&label).inc();
        }
    }

    fn write(
        &self,
        row: &Finished,
        disposition: Disposition,
        tripped: Option<Tripped>,
    ) -> SendResult {
        let text = || match &row.result {
            Some(Err(SendError::Rejected(rejection))) => rejection.reason_and_remedy(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(_)) | None => String::new(),
        };
        let reason = || Reason {
            code: failure(row).and_then(SendError::code),
            class: failure(row).and_then(SendError::class),
            text: text(),
        };
        let again = |wait: Duration| SendResult::Retry {
            at: self.later(wait, row.expires_at),
            reason: reason(),
        };
        match disposition {
            Disposition::Accepted(wamid) => SendResult::Accepted(wamid),
            Disposition::Again(wait) => again(wait),
            Disposition::AgainAfterPause => again(tripped.map(|e| e.wait).unwrap_or_default()),
            Disposition::Unknown => SendResult::Unknown { reason: text() },
            Disposition::Dead => SendResult::Dead { reason: reason() },
        }
    }

    /// Time after a wait, but not after the row expires: then the sweep ends it without another
    /// attempt.
    fn later(&self, wait: Duration, expires_at: Timestamp) -> Timestamp {
        let at = self.parts.clock.now().checked_add(wait);
        at.map_or(expires_at, |at| at.min(expires_at))
    }
}

fn log_trip(number: &PhoneNumberId, feedback: Feedback, error: Option<&SendError>, wait: Duration) {
    let wait_seconds = wait.as_secs_f64();
    let code = error.and_then(SendError::code);
    let class = error.map(class_name);
    let advice = error.map(SendError::advice);
    let number = matches!(feedback, Feedback::StopNumber(_)).then_some(number);
    let paused = number.map_or("sending", |_| "number");
    tracing::error!(
        phone_number_id = number.map(tracing::field::display),
        code,
        class,
        advice,
        wait_seconds,
        error = error.map(|error| error as &dyn std::error::Error),
        "{paused} is paused"
    );
}

fn log_end(row: &Finished, disposition: &Disposition) {
    let Some(error) = failure(row) else {
        return;
    };
    let code = error.code();
    let class = class_name(error);
    let cause: &dyn std::error::Error = error;
    match disposition {
        Disposition::Dead => tracing::warn!(
            outbox.id = row.id,
            attempt = row.attempt,
            code,
            class,
            error = cause,
            "message was not sent"
        ),
        Disposition::Unknown => tracing::warn!(
            outbox.id = row.id,
            attempt = row.attempt,
            error = cause,
            "message may have been sent: waiting for a receipt"
        ),
        Disposition::Again(_) if row.attempt == TRIES_BEFORE_A_LINE => tracing::warn!(
            outbox.id = row.id,
            attempt = row.attempt,
            code,
            class,
            error = cause,
            "message is still not sent and is tried again; later ones of its conversation wait for it"
        ),
        Disposition::Again(_) | Disposition::AgainAfterPause => tracing::debug!(
            outbox.id = row.id,
            attempt = row.attempt,
            code,
            class,
            error = cause,
            "message is tried again"
        ),
        Disposition::Accepted(_) => {}
    }
}

fn failure(row: &Finished) -> Option<&SendError> {
    row.result.as_ref()?.as_ref().err()
}

/// Name of the class, for logs and metrics.
fn class_name(error: &SendError) -> &'static str {
    match error {
        SendError::Rejected(rejection) => rejection.class().name(),
        SendError::NotSent(_) => "not_sent",
        SendError::Unknown(_) => "unknown",
    }
}

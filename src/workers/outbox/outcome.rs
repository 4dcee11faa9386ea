//! From the end of a send to what is written down: the settlement, the log line and the counters.
//!
//! A failure is logged here once, by row id, code and class; never with text, numbers or message ids.

use jiff::Timestamp;
use tokio::time::Instant;

use super::Delivery;
use super::rate_limit::{Engaged, Lesson};
use super::retry_policy;
use super::retry_policy::Verdict;
use super::sender::Finished;
use crate::gateway::SendError;
use crate::store::{Outcome, Reason, Settlement};
use crate::telemetry::SendFailure;
use crate::whatsapp::error_codes;

/// A message that failed so often is worth a line before its end: about a minute, or three where tries are wide apart.
const TRIES_BEFORE_A_LINE: u32 = 5;

impl Delivery {
    /// Judges one row, teaches the pacer, and says what to write.
    pub(crate) fn judge(&mut self, row: Finished) -> Settlement {
        let outcome = self.outcome(&row);
        Settlement {
            id: row.id,
            fence: row.fence,
            phone_number_id: row.phone_number_id,
            outcome,
        }
    }

    fn outcome(&mut self, row: &Finished) -> Outcome {
        let now = Instant::now();
        let Some(result) = &row.result else {
            self.pacer
                .learn(&row.phone_number_id, row.started, Lesson::NotStarted, now);
            return Outcome::Released;
        };
        let took = row.ended.duration_since(row.started);
        self.metrics.gateway_seconds.observe(took.as_secs_f64());
        let (verdict, lesson) = if row.is_read_mark {
            retry_policy::of_read_mark(result)
        } else {
            retry_policy::of_message(result, row.attempt, &row.fence)
        };
        let engaged = self
            .pacer
            .learn(&row.phone_number_id, row.started, lesson, now);
        log_brake(row, lesson, engaged);
        if !row.is_read_mark {
            log_end(row, &verdict);
        }
        let outcome = self.write(row, verdict, engaged);
        let word = match &outcome {
            Outcome::Accepted(_) => "accepted",
            Outcome::Retry { .. } => "retry",
            Outcome::Unknown { .. } => "unknown",
            Outcome::Dead { .. } => "dead",
            Outcome::Released => "released",
        };
        self.metrics.sends.get_or_create(&word.into()).inc();
        if let Some(error) = failure(row) {
            let (class, code) = (class_name(error), known_code(error));
            let label = SendFailure { class, code };
            self.metrics.send_failures.get_or_create(&label).inc();
        }
        outcome
    }

    fn write(&self, row: &Finished, verdict: Verdict, engaged: Option<Engaged>) -> Outcome {
        let reason = || match &row.result {
            Some(Err(SendError::Rejected(rejection))) => rejection.reason(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(_)) | None => String::new(),
        };
        let again = |wait: std::time::Duration| Outcome::Retry {
            at: self.later(wait, row.expires_at),
            reason: Reason {
                code: failure(row).and_then(SendError::code),
                text: reason(),
            },
        };
        match verdict {
            Verdict::Accepted(wamid) => Outcome::Accepted(wamid),
            Verdict::Again(wait) => again(wait),
            Verdict::AgainAfterPause => again(engaged.map(|e| e.wait).unwrap_or_default()),
            Verdict::Unknown => Outcome::Unknown { reason: reason() },
            Verdict::Dead => Outcome::Dead { reason: reason() },
        }
    }

    /// Never after the row expires: then it is found and marked expired without another try.
    fn later(&self, wait: std::time::Duration, expires_at: Timestamp) -> Timestamp {
        let at = self.clock.now().checked_add(wait);
        at.map_or(expires_at, |at| at.min(expires_at))
    }
}

fn log_brake(row: &Finished, lesson: Lesson, engaged: Option<Engaged>) {
    let Some(engaged) = engaged.filter(|engaged| engaged.is_new) else {
        return;
    };
    let error = failure(row);
    let wait_seconds = engaged.wait.as_secs_f64();
    let code = error.and_then(SendError::code);
    let class = error.map(class_name);
    let advice = code.and_then(error_codes::lookup).map(|code| code.advice);
    match lesson {
        Lesson::StopNumber(_) => tracing::error!(
            phone_number_id = %row.phone_number_id,
            code,
            class,
            advice,
            wait_seconds,
            error = error.map(|error| error as &dyn std::error::Error),
            "number is paused"
        ),
        Lesson::StopGateway(_)
        | Lesson::Unknown
        | Lesson::Works
        | Lesson::Answered
        | Lesson::NotStarted => tracing::error!(
            code,
            class,
            advice,
            wait_seconds,
            error = error.map(|error| error as &dyn std::error::Error),
            "sending is paused"
        ),
    }
}

fn log_end(row: &Finished, verdict: &Verdict) {
    let Some(error) = failure(row) else {
        return;
    };
    let code = error.code();
    let class = class_name(error);
    let cause: &dyn std::error::Error = error;
    match verdict {
        Verdict::Dead => tracing::warn!(
            outbox.id = row.id,
            attempt = row.attempt,
            code,
            class,
            error = cause,
            "message was not sent"
        ),
        Verdict::Unknown => tracing::warn!(
            outbox.id = row.id,
            attempt = row.attempt,
            error = cause,
            "message may have been sent: waiting for a receipt"
        ),
        Verdict::Again(_) if row.attempt == TRIES_BEFORE_A_LINE => tracing::warn!(
            outbox.id = row.id,
            attempt = row.attempt,
            code,
            class,
            error = cause,
            "message is still not sent and is tried again; later ones of its conversation wait for it"
        ),
        Verdict::Again(_) | Verdict::AgainAfterPause => tracing::debug!(
            outbox.id = row.id,
            attempt = row.attempt,
            code,
            class,
            error = cause,
            "message is tried again"
        ),
        Verdict::Accepted(_) => {}
    }
}

fn failure(row: &Finished) -> Option<&SendError> {
    row.result.as_ref()?.as_ref().err()
}

/// In one word, for logs and metrics.
fn class_name(error: &SendError) -> &'static str {
    match error {
        SendError::Rejected(rejection) => rejection.class().name(),
        SendError::NotSent(_) => "not_sent",
        SendError::Unknown(_) => "unknown",
    }
}

/// Codes that Meta has documented, so that nobody can make up labels without end; `none` where there is no code.
fn known_code(error: &SendError) -> String {
    match error.code() {
        None => "none".to_owned(),
        Some(code) if error_codes::lookup(code).is_some() => code.to_string(),
        Some(_) => "other".to_owned(),
    }
}

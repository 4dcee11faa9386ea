//! Group commit: all waiting requests share one transaction.
//!
//! A full sync for each request would be the most expensive work of the service. One task takes all
//! waiting submissions and all results of sends, stores them together, responds to each request,
//! and hands the replies that the transaction has claimed over to the outbox worker. Next on the
//! way of a message: [`crate::store::Store::receive`].

use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::clock::Clock;
use crate::engine::Decision;
use crate::message::{Event, Failure};
use crate::store::{
    Arrivals, Decide, MediaPolicy, ReadMark, ReceivePolicy, Received, SendResult, Settlement,
    Store, StoreError,
};
use crate::telemetry::{HealthSignals, Metrics, RateLimitedLog, SendFailure};
use crate::whatsapp::error_codes;
use crate::workers::outbox::{DirectSends, SendEnd};

/// Upper bound of updates in a commit, unless one request alone has more.
const COMMIT_UPDATES: usize = 2_000;
/// Number of requests that may wait; further ones wait in their connections.
const WAITING: usize = 4_096;
/// Wait of the next commit for further submissions if the last one had several; the shortest time
/// that the timer knows. An idle intake does not wait.
const COMPANY_WAIT: Duration = Duration::from_millis(1);
/// Wait of results of sends for a request that shares their commit.
const SETTLEMENT_WAIT: Duration = Duration::from_millis(5);
/// Number of times that a stop tries to record the last results of sends.
const LAST_TRIES: u32 = 3;
/// Wait of results of sends after a commit that failed.
const RECOVER_FOR: Duration = Duration::from_secs(1);

/// Entrance to the store. Clones share one task, which ends when the last of them is dropped.
#[derive(Clone, Debug)]
pub struct Intake {
    submissions: mpsc::Sender<Submission>,
    clock: Clock,
}

/// Reason why a submission is not known to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// The store failed; the submission should be sent again later.
    #[error("the database did not take it")]
    Unavailable,
    /// The service is stopping.
    #[error("the service is stopping")]
    Closed,
}

/// Parts of the intake task.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Decides by the rules.
    pub decide: Arc<Decide>,
    /// Gives the server time.
    pub clock: Clock,
    /// Counts updates and decisions.
    pub metrics: Arc<Metrics>,
    /// Collects signs about the account and the clock.
    pub health_signals: Arc<HealthSignals>,
    /// Wakes the outbox worker.
    pub wake: Arc<Notify>,
    /// Lifetime of a queued reply.
    pub reply_expires_after: Duration,
    /// Treatment of contacts' media.
    pub files: MediaPolicy,
    /// Line about messages that did not arrive.
    pub undelivered: RateLimitedLog,
    /// Takes the replies that are claimed, and gives the results of sends.
    pub direct: DirectSends,
}

struct Submission {
    events: Vec<Event>,
    answer: oneshot::Sender<Result<(), IntakeError>>,
}

impl Intake {
    /// Starts the task.
    #[must_use]
    pub fn start(parts: Parts) -> (Self, JoinHandle<()>) {
        let (submissions, waiting) = mpsc::channel(WAITING);
        let clock = parts.clock.clone();
        let task = tokio::spawn(parts.run(waiting));
        (Self { submissions, clock }, task)
    }

    /// An intake that stores nothing, because its task has ended.
    #[cfg(test)]
    pub(crate) fn closed() -> Self {
        let (submissions, _) = mpsc::channel(1);
        let clock = Clock::System;
        Self { submissions, clock }
    }

    /// Time of arrival of events that are submitted now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Submits events and waits until they are on disk.
    ///
    /// # Errors
    /// [`IntakeError`]: the events may or may not be stored; sending them again is harmless.
    pub async fn submit(&self, events: Vec<Event>) -> Result<(), IntakeError> {
        let (answer, answered) = oneshot::channel();
        let submission = Submission { events, answer };
        self.submissions
            .send(submission)
            .await
            .map_err(|_| IntakeError::Closed)?;
        answered.await.map_err(|_| IntakeError::Closed)?
    }
}

/// Ends of sends that are not in the database yet.
#[derive(Default)]
struct Unsettled {
    settlements: Vec<Settlement>,
    /// Read marks that were tried.
    marks: Vec<ReadMark>,
    /// Time at which they no longer wait for a request.
    due: Option<Instant>,
    /// Whether a transaction with them failed, and not by a fault of the database: then they are
    /// tried without events, which may be innocent.
    is_suspect: bool,
}

impl Unsettled {
    fn push(&mut self, end: SendEnd) {
        match end {
            SendEnd::Message(settlement) => self.settlements.push(settlement),
            SendEnd::Mark(mark) => self.marks.push(mark),
        }
        self.due
            .get_or_insert_with(|| Instant::now() + SETTLEMENT_WAIT);
    }

    /// Whether they were to be tried without events by now.
    fn is_suspect_and_due(&self) -> bool {
        self.is_suspect && self.due.is_some_and(|due| due <= Instant::now())
    }

    fn each_alone(self) -> impl Iterator<Item = Self> {
        let settlements = self.settlements.into_iter().map(|settlement| Self {
            settlements: vec![settlement],
            ..Self::default()
        });
        let marks = self.marks.into_iter().map(|mark| Self {
            marks: vec![mark],
            ..Self::default()
        });
        settlements.chain(marks)
    }

    fn extend(&mut self, other: Self) {
        self.settlements.extend(other.settlements);
        self.marks.extend(other.marks);
        self.due = self.due.max(other.due);
    }

    fn is_empty(&self) -> bool {
        self.settlements.is_empty() && self.marks.is_empty()
    }

    /// Waits until they are due, for ever if there are none.
    async fn until_due(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

impl Parts {
    /// Runs until the last [`Intake`] is dropped and the outbox worker has ended.
    async fn run(mut self, mut waiting: mpsc::Receiver<Submission>) {
        let mut unsettled = Unsettled::default();
        let (mut has_requests, mut has_sends) = (true, true);
        let mut had_company = false;
        while has_requests || has_sends {
            let first = tokio::select! {
                biased;
                first = waiting.recv(), if has_requests => {
                    has_requests = first.is_some();
                    first
                }
                // The first end is enough: the commit takes all others along.
                end = self.direct.ends.recv(), if has_sends && unsettled.due.is_none() => {
                    match end {
                        Some(end) => unsettled.push(end),
                        None => has_sends = false,
                    }
                    continue;
                }
                () = unsettled.until_due() => None,
            };
            if had_company && first.is_some() {
                // Under load this wait halves the number of commits.
                sleep(COMPANY_WAIT).await;
            }
            let group = first.map(|first| gather(first, &mut waiting));
            self.take_ends(&mut unsettled);
            had_company = group.as_ref().is_some_and(|group| group.len() > 1);
            if group.is_none() || unsettled.is_suspect_and_due() {
                self.settle(&mut unsettled).await;
            }
            if let Some(group) = group {
                self.store_group(group, &mut unsettled).await;
            }
            has_sends &= !self.direct.ends.is_closed();
        }
        self.take_ends(&mut unsettled);
        for _ in 0..LAST_TRIES {
            self.settle(&mut unsettled).await;
            if unsettled.is_empty() {
                break;
            }
            sleep(RECOVER_FOR).await;
        }
    }

    fn take_ends(&mut self, unsettled: &mut Unsettled) {
        while let Ok(end) = self.direct.ends.try_recv() {
            unsettled.push(end);
        }
    }

    /// Records ends of sends without events. After a fault of the database they are tried again
    /// later. If they are to blame themselves, each is recorded alone, and one that still fails is
    /// given up: its lease ends, and it becomes unknown.
    async fn settle(&self, unsettled: &mut Unsettled) {
        if unsettled.is_empty() {
            return;
        }
        unsettled.is_suspect = false;
        let settled = self.receive(Vec::new(), unsettled).await;
        if settled.is_ok() || settled.is_err_and(|error| error.fault().is_some()) {
            return;
        }
        for mut alone in take(unsettled).each_alone() {
            match self.receive(Vec::new(), &mut alone).await {
                Err(error) if error.fault().is_some() => unsettled.extend(alone),
                Err(_) => self.direct.marks_settled(&alone.marks),
                Ok(()) => {}
            }
        }
    }

    async fn store_group(&self, group: Vec<Submission>, unsettled: &mut Unsettled) {
        let (mut batches, answers): (Vec<Vec<Event>>, Vec<_>) = group
            .into_iter()
            .map(|submission| (submission.events, submission.answer))
            .unzip();
        let result = if batches.len() == 1 {
            let events = batches.pop().unwrap_or_default();
            self.receive(events, unsettled).await
        } else {
            let joined = batches.iter().flatten().cloned().collect();
            self.receive(joined, unsettled).await
        };
        match result {
            Ok(()) => answer_all(answers, Ok(())),
            Err(error) if error.fault().is_none() && !batches.is_empty() => {
                // One submission is to blame: the others are stored one by one.
                for (events, answer) in batches.into_iter().zip(answers) {
                    let result = self
                        .receive(events, unsettled)
                        .await
                        .map_err(|_| IntakeError::Unavailable);
                    answer_all(vec![answer], result);
                }
            }
            Err(_) => answer_all(answers, Err(IntakeError::Unavailable)),
        }
    }

    /// Stores events together with the results of sends. The results stay in `unsettled` until a
    /// commit has succeeded: a claim that is settled twice has ended.
    async fn receive(
        &self,
        events: Vec<Event>,
        unsettled: &mut Unsettled,
    ) -> Result<(), StoreError> {
        let policy = ReceivePolicy {
            now: self.clock.now(),
            reply_expires_after: self.reply_expires_after,
            files: self.files,
        };
        let count = events.len();
        let ahead = ahead_of(&events, policy.now);
        let mut reservation = self.direct.reservation();
        let nothing = Unsettled::default();
        let ends = if unsettled.is_suspect {
            &nothing
        } else {
            &*unsettled
        };
        let arrivals = Arrivals {
            events,
            settlements: &ends.settlements,
            tried_marks: &ends.marks,
            direct: Some(reservation.claims()),
        };
        match self.store.receive(arrivals, policy, &*self.decide).await {
            Ok(mut received) => {
                let (claimed, marks) = (take(&mut received.claimed), take(&mut received.marks));
                let left = reservation.hand_over(claimed, marks);
                if count > 0 {
                    let arrival = &self.metrics.last_webhook_seconds;
                    arrival.set(policy.now.as_second());
                }
                self.count(&received);
                self.health_signals.timed(&ahead);
                self.direct.marks_settled(&ends.marks);
                self.wake_outbox(&received, ends);
                if !unsettled.is_suspect {
                    *unsettled = Unsettled::default();
                }
                for settlement in left {
                    unsettled.push(SendEnd::Message(settlement));
                }
                Ok(())
            }
            Err(error) => {
                if matches!(error, StoreError::CommitUnknown(_)) {
                    unsettled.settlements.extend(reservation.release());
                }
                if !unsettled.is_empty() {
                    unsettled.due = Some(Instant::now() + RECOVER_FOR);
                    unsettled.is_suspect = error.fault().is_none();
                }
                // A fault of the database is logged once, when it begins, and not for each batch.
                if error.fault().is_none() {
                    let reason: &dyn std::error::Error = &error;
                    if count > 0 {
                        tracing::error!(error = reason, "updates could not be stored");
                    } else {
                        tracing::error!(error = reason, "results of sends could not be recorded");
                    }
                }
                Err(error)
            }
        }
    }

    /// Wakes the outbox worker if a commit left rows for it, or made room for rows that wait.
    fn wake_outbox(&self, received: &Received, ends: &Unsettled) {
        let is_left = |settlement: &Settlement| {
            matches!(
                settlement.outcome,
                SendResult::Retry { .. } | SendResult::Released
            )
        };
        if received.queued > 0 || ends.settlements.iter().any(is_left) {
            self.direct.queued();
            self.wake.notify_one();
        } else if !ends.is_empty() && self.direct.has_queue() {
            self.wake.notify_one();
        }
    }

    fn count(&self, received: &Received) {
        let kinds = [
            ("message", received.messages),
            ("duplicate", received.duplicates),
            ("receipt", received.receipts),
            ("account", received.account),
            ("quarantined", received.quarantined),
        ];
        let mut total = 0;
        for (kind, count) in kinds.into_iter().filter(|(_, count)| *count > 0) {
            self.metrics
                .updates
                .get_or_create(&kind.into())
                .inc_by(count as u64);
            total += u32::try_from(count).unwrap_or(u32::MAX);
        }
        self.metrics.commit_updates.observe(f64::from(total));
        if received.status_events > 0 {
            self.health_signals.account_status_event();
        }
        self.report_failures(&received.failures);
        let too_old = |decision: &Decision| *decision == Decision::TooOld;
        self.health_signals
            .decided(received.decisions.iter().map(too_old));
        for decision in &received.decisions {
            self.metrics
                .decisions
                .get_or_create(&decision.name().into())
                .inc();
            if *decision == Decision::Failed {
                tracing::error!("the rules failed on a message; `replyd history` shows why");
            }
        }
        if received.quarantined > 0 {
            tracing::warn!(
                updates = received.quarantined,
                "updates were put into quarantine"
            );
        }
    }
}

impl Parts {
    /// Counts accepted messages that did not arrive; logs at most one line a minute for all.
    fn report_failures(&self, failures: &[Failure]) {
        for failure in failures {
            let class = failure.class.name();
            let code = error_codes::label(failure.code);
            let label = SendFailure {
                class,
                code: code.clone(),
            };
            let failures = &self.metrics.delivery_failures;
            failures.get_or_create(&label).inc();
            self.undelivered.log(|left_out| {
                tracing::warn!(
                    code,
                    class,
                    left_out,
                    "WhatsApp did not deliver a message that it had accepted: `replyd history` shows why"
                );
            });
        }
    }
}

/// Differences by which the times of new messages are ahead of server time.
fn ahead_of(events: &[Event], now: Timestamp) -> Vec<SignedDuration> {
    let times = events.iter().filter_map(|event| match event {
        Event::Message(message) => Some(message.sent_at.duration_since(now)),
        Event::Echo(_) | Event::Receipt(_) | Event::Account(_) | Event::Unreadable(_) => None,
    });
    times.collect()
}

/// Takes the waiting submissions behind the first one, without waiting for more.
fn gather(first: Submission, waiting: &mut mpsc::Receiver<Submission>) -> Vec<Submission> {
    let mut updates = first.events.len();
    let mut group = vec![first];
    while updates < COMMIT_UPDATES
        && let Ok(next) = waiting.try_recv()
    {
        updates += next.events.len();
        group.push(next);
    }
    group
}

fn answer_all(
    answers: Vec<oneshot::Sender<Result<(), IntakeError>>>,
    result: Result<(), IntakeError>,
) {
    for answer in answers {
        // A client that disconnected no longer waits.
        let _ = answer.send(result);
    }
}

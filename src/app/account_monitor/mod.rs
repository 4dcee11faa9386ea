//! Reports what only the owner can fix: restrictions of the account, and a wrong clock.
//!
//! The account's standing is read from the account events in the database, so that a restart
//! forgets nothing. Server time is compared with the `Date` of the gateway's responses; old
//! messages prove nothing, because a service that was down for an hour gets old messages.

mod clock_check;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use self::clock_check::{ClockCheck, Verdict};
use crate::clock::Clock;
use crate::gateway::{Gateway, GatewayTime};
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::telemetry::{Condition, Conditions, HealthSignals, Metrics};
use crate::whatsapp::account_status;

/// Interval between reads of the account's standing: a restriction ends without an account event.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Age of the last known gateway time after which the gateway is asked: with a wrong clock nothing
/// is sent, so that no response brings it.
const ASK_EVERY: Duration = Duration::from_mins(10);
/// Number of questions in a row: a single response may come from a cache or a wrong proxy.
const QUESTIONS: u32 = clock_check::NEEDED;

/// Worker that watches the account's standing and server time.
pub(super) struct AccountMonitor {
    pub(super) store: Store,
    pub(super) gateway: Gateway,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) conditions: Arc<Conditions>,
    pub(super) health_signals: Arc<HealthSignals>,
    pub(super) reported: Reported,
}

/// Conditions that were logged already, so that each is logged once.
#[derive(Default)]
pub(super) struct Reported {
    issues: Vec<String>,
    /// Number of too old messages in a row at which the next line is logged.
    too_old: u64,
}

impl AccountMonitor {
    /// Reads the state at the start, before the first webhook.
    pub(super) async fn begin(&mut self) {
        self.account().await;
        if let Ok(Some(at)) = self.store.last_webhook().await {
            self.metrics.last_webhook_seconds.set(at.as_second());
        }
    }

    /// Reads the account's standing; logs changes.
    async fn account(&mut self) {
        let events = match self.store.account_status_events().await {
            Ok(events) => events,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the account events cannot be read");
                return;
            }
        };
        let issues = account_status::issues(&events, self.clock.now()).into_iter();
        let issues: Vec<String> = issues.map(|issue| issue.message).collect();
        let reported = &mut self.reported.issues;
        for issue in issues.iter().filter(|new| !reported.contains(new)) {
            tracing::warn!(issue, "WhatsApp hinders the account or a number");
        }
        for issue in reported.iter().filter(|old| !issues.contains(old)) {
            tracing::info!(issue, "WhatsApp hinders no longer");
        }
        let count = i64::try_from(issues.len()).unwrap_or(i64::MAX);
        self.metrics.account_alerts.set(count);
        let sentence = (!issues.is_empty()).then(|| issues.join("; "));
        self.conditions.set(Condition::Account, sentence);
        *reported = issues;
    }

    /// Runs until either stop.
    pub(super) async fn run(self, shutdown: Shutdown) {
        shutdown.run(self.work()).await;
    }

    async fn work(mut self) {
        let mut times = self.gateway.reported_times();
        let mut check = ClockCheck::default();
        let mut next_look = Instant::now() + LOOK_EVERY;
        // At once: a clock that is wrong from the start would otherwise show only by silence.
        let mut next_question = Instant::now();
        loop {
            tokio::select! {
                () = self.health_signals.changed() => {
                    self.account().await;
                    if self.is_suspicious() && !check.is_fresh() {
                        self.ask(&mut check).await;
                    }
                    self.report_clock(&check);
                    self.report_too_old(&check);
                }
                () = sleep_until(next_look) => {
                    self.account().await;
                    next_look = Instant::now() + LOOK_EVERY;
                }
                () = sleep_until(next_question) => {
                    self.ask(&mut check).await;
                    self.report_clock(&check);
                    next_question = Instant::now() + ASK_EVERY;
                }
                Some(time) = next_time(&mut times) => {
                    self.compare(&mut check, time);
                    self.report_clock(&check);
                    next_question = Instant::now() + ASK_EVERY;
                }
            }
        }
    }

    fn compare(&self, check: &mut ClockCheck, time: GatewayTime) {
        let since = jiff::SignedDuration::try_from(time.at.elapsed()).unwrap_or_default();
        let offset = self.clock.now().duration_since(time.reported) - since;
        self.metrics.clock_offset_seconds.set(offset.as_secs_f64());
        check.add(offset, Instant::now());
    }

    /// Whether messages suggest that the clock is wrong.
    fn is_suspicious(&self) -> bool {
        let health_signals = &self.health_signals;
        health_signals.ahead().is_some()
            || health_signals.too_old_in_a_row() >= self.reported.too_old.max(1)
    }

    /// Asks the gateway for its time; several times when the first response differs from server
    /// time.
    async fn ask(&self, check: &mut ClockCheck) {
        for _ in 0..QUESTIONS {
            match self.gateway.date().await {
                Ok(Some(reported)) => {
                    let at = Instant::now();
                    self.compare(check, GatewayTime { reported, at });
                }
                // The outbox reports an unreachable gateway.
                Ok(None) | Err(_) => return,
            }
            if matches!(check.verdict(), Verdict::Agrees) {
                return;
            }
        }
    }

    fn report_clock(&self, check: &ClockCheck) {
        let sentence = match check.verdict() {
            Verdict::Differs(offset) => Some(clock_check::sentence(offset)),
            // Messages are weaker evidence, used only without any gateway time.
            Verdict::Unknown => self
                .health_signals
                .ahead()
                .map(|ahead| clock_check::sentence(-ahead)),
            Verdict::Agrees => None,
            Verdict::Doubtful => return,
        };
        let is_wrong = sentence.is_some();
        let held = self.conditions.list();
        let was_wrong = held.iter().any(|(issue, _)| *issue == Condition::Clock);
        match (&sentence, was_wrong) {
            (Some(sentence), false) => tracing::warn!("{sentence}"),
            (None, true) => tracing::info!("the clock agrees with WhatsApp's again"),
            (Some(_), true) | (None, false) => {}
        }
        if is_wrong || was_wrong {
            self.conditions.set(Condition::Clock, sentence);
        }
    }

    /// Logs once for ten, a hundred, a thousand too old messages in a row.
    fn report_too_old(&mut self, check: &ClockCheck) {
        const FIRST: u64 = HealthSignals::TOO_OLD_IN_A_ROW;
        let messages = self.health_signals.too_old_in_a_row();
        if messages < FIRST {
            self.reported.too_old = FIRST;
            return;
        }
        if messages < self.reported.too_old {
            return;
        }
        self.reported.too_old = FIRST;
        while self.reported.too_old <= messages {
            self.reported.too_old = self.reported.too_old.saturating_mul(10);
        }
        let advice = match check.verdict() {
            Verdict::Agrees => {
                "the clock is right: they waited at Meta while this service or the proxy was down, or max_age is too short"
            }
            Verdict::Differs(_) => "the clock is wrong: set it",
            Verdict::Doubtful | Verdict::Unknown => "look at this machine's clock",
        };
        tracing::warn!(
            messages,
            advice,
            "messages in a row were too old to be answered"
        );
    }
}

async fn next_time(times: &mut Receiver<Option<GatewayTime>>) -> Option<GatewayTime> {
    match times.changed().await {
        Ok(()) => *times.borrow_and_update(),
        // The gateway is gone: the service is stopping.
        Err(_) => std::future::pending().await,
    }
}

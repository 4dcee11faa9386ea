//! The numbers behind `/metrics`. One registry per application, so that tests in one process do not share counters.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Every counter, gauge and histogram.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Webhook requests by how they were answered (`accepted`, `unsigned`, `too_large`, `unavailable`, …).
    pub webhooks: Family<Outcome, Counter>,
    /// From the last byte of a webhook's body to its answer.
    pub webhook_seconds: Histogram,
    /// Updates stored by kind (`message`, `duplicate`, `receipt`, `account`, `quarantined`).
    pub updates: Family<Outcome, Counter>,
    /// Decisions by word.
    pub decisions: Family<Outcome, Counter>,
    /// Updates that shared one commit.
    pub commit_updates: Histogram,
    /// Requests to the gateway by what came of them (`accepted`, `retry`, `unknown`, `dead`).
    pub sends: Family<Outcome, Counter>,
    /// How long the gateway took to answer.
    pub gateway_seconds: Histogram,
    /// Actions by what came of them (`done`, `failed`).
    pub actions: Family<Outcome, Counter>,
    /// Rows in the outbox.
    pub outbox_rows: Gauge,
    /// 1 while the rules on the disk do not pass the check and older ones answer.
    pub rules_stale: Gauge,
    /// What hinders the account or its numbers.
    pub account_troubles: Gauge,
    /// How far our clock is ahead of WhatsApp's; negative behind it.
    pub clock_offset_seconds: Gauge<f64, AtomicU64>,
    /// When an update came last, in seconds since 1970; 0 when none ever did.
    pub last_webhook_seconds: Gauge,
    /// Updates nobody understood.
    pub quarantine_rows: Gauge,
}

/// One label named `outcome`, taken from a fixed set of words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    outcome: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Word(&'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

impl From<&'static str> for Outcome {
    fn from(word: &'static str) -> Self {
        Self {
            outcome: Word(word),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("replyd"),
            webhooks: Family::default(),
            webhook_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            updates: Family::default(),
            decisions: Family::default(),
            commit_updates: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            sends: Family::default(),
            gateway_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 13)),
            actions: Family::default(),
            outbox_rows: Gauge::default(),
            rules_stale: Gauge::default(),
            account_troubles: Gauge::default(),
            clock_offset_seconds: Gauge::default(),
            last_webhook_seconds: Gauge::default(),
            quarantine_rows: Gauge::default(),
        };
        metrics.register().register_watched()
    }
}

impl Metrics {
    fn register(mut self) -> Self {
        let all = &mut self.registry;
        all.register(
            "webhooks",
            "Webhook requests by answer",
            self.webhooks.clone(),
        );
        all.register_with_unit(
            "webhook_duration",
            "From the last byte of a webhook to its answer",
            Unit::Seconds,
            self.webhook_seconds.clone(),
        );
        all.register("updates", "Updates stored by kind", self.updates.clone());
        all.register(
            "decisions",
            "Decisions on messages by word",
            self.decisions.clone(),
        );
        all.register(
            "commit_updates",
            "Updates per commit",
            self.commit_updates.clone(),
        );
        all.register("sends", "Gateway requests by result", self.sends.clone());
        all.register_with_unit(
            "gateway_duration",
            "From a gateway request to its answer",
            Unit::Seconds,
            self.gateway_seconds.clone(),
        );
        all.register(
            "actions",
            "Calls and questions to models by result",
            self.actions.clone(),
        );
        all.register(
            "outbox_rows",
            "Rows waiting to reach the gateway",
            self.outbox_rows.clone(),
        );
        all.register(
            "rules_stale",
            "1 while the rules on the disk do not pass the check",
            self.rules_stale.clone(),
        );
        self
    }

    /// What an owner is told about the account, the clock and the webhook.
    fn register_watched(mut self) -> Self {
        let all = &mut self.registry;
        all.register(
            "account_troubles",
            "Bans, restrictions, flags and lowered limits that stand against the account or a number",
            self.account_troubles.clone(),
        );
        all.register_with_unit(
            "clock_offset",
            "How far this machine's clock is ahead of WhatsApp's",
            Unit::Seconds,
            self.clock_offset_seconds.clone(),
        );
        all.register_with_unit(
            "last_webhook_timestamp",
            "When an update came last, since 1970; 0 when none ever did",
            Unit::Seconds,
            self.last_webhook_seconds.clone(),
        );
        all.register(
            "quarantine_rows",
            "Updates that nobody understood",
            self.quarantine_rows.clone(),
        );
        self
    }

    /// Everything in the `OpenMetrics` text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

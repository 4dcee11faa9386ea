//! The numbers behind `/metrics`. One registry per application, so that tests in one process do not share counters.

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
    /// Connections by what became of them (`accepted`, `closed_idle`, `refused`, `malformed`, `not_accepted`).
    pub connections: Family<Outcome, Counter>,
    /// Requests that found nothing here (`not_found`, `wrong_method`, `wrong_host`).
    pub strays: Family<Outcome, Counter>,
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
            connections: Family::default(),
            strays: Family::default(),
            webhook_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            updates: Family::default(),
            decisions: Family::default(),
            commit_updates: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            sends: Family::default(),
            gateway_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 13)),
            actions: Family::default(),
            outbox_rows: Gauge::default(),
            rules_stale: Gauge::default(),
        };
        metrics.register()
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
        all.register(
            "connections",
            "Connections of both listeners by what became of them",
            self.connections.clone(),
        );
        all.register(
            "strays",
            "Requests that found nothing here by reason",
            self.strays.clone(),
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

    /// Everything in the `OpenMetrics` text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

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
    /// Requests to the gateway that did not end in "accepted", by what that means and Graph's code.
    pub send_failures: Family<SendFailure, Counter>,
    /// Rows in the outbox by state and kind; those of which there is none are 0.
    pub outbox_rows: Family<OutboxLabels, Gauge>,
    /// How long the oldest message of each state has been waiting; 0 when there is none.
    pub outbox_oldest_seconds: Family<StateLabel, Gauge>,
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

/// A failed request: what it means, and Graph's code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SendFailure {
    /// A class of Graph's codes, `not_sent` or `unknown`.
    pub class: &'static str,
    /// A documented code, `other` or `none`.
    pub code: String,
}

/// Which rows of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutboxLabels {
    /// As in `outbox.state`.
    pub state: &'static str,
    /// As in `outbox.kind`.
    pub kind: &'static str,
}

/// Which messages of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabel {
    /// As in `outbox.state`.
    pub state: &'static str,
}

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
            send_failures: Family::default(),
            outbox_rows: Family::default(),
            outbox_oldest_seconds: Family::default(),
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
            "send_failures",
            "Gateway requests that were not accepted by class and code",
            self.send_failures.clone(),
        );
        all.register(
            "outbox_rows",
            "Rows in the outbox by state and kind",
            self.outbox_rows.clone(),
        );
        all.register_with_unit(
            "outbox_oldest",
            "How long the oldest message of a state has been waiting",
            Unit::Seconds,
            self.outbox_oldest_seconds.clone(),
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

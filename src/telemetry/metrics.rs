//! The numbers behind `/metrics`. One registry per application, so that tests in one process do not
//! share counters.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::exposition;
use super::exposition::Format;
use super::process::{LostLines, Process};

/// Every counter, gauge and histogram.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Webhook requests by how they were answered (`accepted`, `unsigned`, `too_large`,
    /// `unavailable`, …).
    pub webhooks: Family<OutcomeLabel, Counter>,
    /// Connections by what became of them (`accepted`, `closed_idle`, `refused`, `malformed`,
    /// `not_accepted`).
    pub connections: Family<OutcomeLabel, Counter>,
    /// Requests that found nothing here (`not_found`, `wrong_method`, `wrong_host`).
    pub strays: Family<OutcomeLabel, Counter>,
    /// From the last byte of a webhook's body to its answer.
    pub webhook_seconds: Histogram,
    /// Updates stored by kind (`message`, `duplicate`, `receipt`, `account`, `quarantined`).
    pub updates: Family<OutcomeLabel, Counter>,
    /// Decisions by word.
    pub decisions: Family<OutcomeLabel, Counter>,
    /// Updates that shared one commit.
    pub commit_updates: Histogram,
    /// Requests to the gateway by what came of them (`accepted`, `retry`, `unknown`, `dead`).
    pub sends: Family<OutcomeLabel, Counter>,
    /// How long the gateway took to answer.
    pub gateway_seconds: Histogram,
    /// Actions by what came of them (`done`, `failed`).
    pub actions: Family<OutcomeLabel, Counter>,
    /// Requests to the gateway that did not end in "accepted", by what that means and Graph's code.
    pub send_failures: Family<SendFailure, Counter>,
    /// Rows in the outbox by state and kind; those of which there is none are 0.
    pub outbox_rows: Family<OutboxLabels, Gauge>,
    /// How long the oldest message of each state has been waiting; 0 when there is none.
    pub outbox_oldest_seconds: Family<StateLabel, Gauge>,
    /// 1 while the rules on the disk do not pass the check and older ones answer.
    pub rules_stale: Gauge,
    /// Size of the database file.
    pub database_bytes: Gauge,
    /// Size of the log that SQLite writes ahead of it.
    pub database_wal_bytes: Gauge,
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
pub struct OutcomeLabel {
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

impl From<&'static str> for OutcomeLabel {
    fn from(word: &'static str) -> Self {
        Self {
            outcome: Word(word),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::default(),
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
            send_failures: Family::default(),
            outbox_rows: Family::default(),
            outbox_oldest_seconds: Family::default(),
            rules_stale: Gauge::default(),
            database_bytes: Gauge::default(),
            database_wal_bytes: Gauge::default(),
            account_troubles: Gauge::default(),
            clock_offset_seconds: Gauge::default(),
            last_webhook_seconds: Gauge::default(),
            quarantine_rows: Gauge::default(),
        };
        metrics
            .register_intake()
            .register_delivery()
            .register_watched()
    }
}

impl Metrics {
    /// The process, and what comes in.
    fn register_intake(mut self) -> Self {
        // Under the names that all programs share, so without our prefix.
        self.registry.register_collector(Box::new(Process));
        let registry = self.registry.sub_registry_with_prefix("replyd");
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register_collector(Box::new(LostLines));
        registry.register(
            "webhooks",
            "Webhook requests by answer",
            self.webhooks.clone(),
        );
        registry.register(
            "connections",
            "Connections of both listeners by what became of them",
            self.connections.clone(),
        );
        registry.register(
            "strays",
            "Requests that found nothing here by reason",
            self.strays.clone(),
        );
        registry.register_with_unit(
            "webhook_duration",
            "From the last byte of a webhook to its answer",
            Unit::Seconds,
            self.webhook_seconds.clone(),
        );
        registry.register("updates", "Updates stored by kind", self.updates.clone());
        registry.register(
            "decisions",
            "Decisions on messages by word",
            self.decisions.clone(),
        );
        registry.register(
            "commit_updates",
            "Updates per commit",
            self.commit_updates.clone(),
        );
        self
    }

    /// What goes out, and what waits for that.
    fn register_delivery(mut self) -> Self {
        let registry = self.registry.sub_registry_with_prefix("replyd");
        registry.register("sends", "Gateway requests by result", self.sends.clone());
        registry.register_with_unit(
            "gateway_duration",
            "From a gateway request to its answer",
            Unit::Seconds,
            self.gateway_seconds.clone(),
        );
        registry.register(
            "actions",
            "Calls and questions to models by result",
            self.actions.clone(),
        );
        registry.register(
            "send_failures",
            "Gateway requests that were not accepted by class and code",
            self.send_failures.clone(),
        );
        registry.register(
            "outbox_rows",
            "Rows in the outbox by state and kind",
            self.outbox_rows.clone(),
        );
        registry.register_with_unit(
            "outbox_oldest",
            "How long the oldest message of a state has been waiting",
            Unit::Seconds,
            self.outbox_oldest_seconds.clone(),
        );
        self
    }

    /// What an owner is told about the rules, the database, the account, the clock and the webhook.
    fn register_watched(mut self) -> Self {
        let registry = self.registry.sub_registry_with_prefix("replyd");
        registry.register(
            "rules_stale",
            "1 while the rules on the disk do not pass the check",
            self.rules_stale.clone(),
        );
        registry.register_with_unit(
            "database",
            "Size of the database file",
            Unit::Bytes,
            self.database_bytes.clone(),
        );
        registry.register_with_unit(
            "database_wal",
            "Size of the write-ahead log beside the database file",
            Unit::Bytes,
            self.database_wal_bytes.clone(),
        );
        registry.register(
            "account_troubles",
            "Bans, restrictions, flags and lowered limits that stand against the account or a number",
            self.account_troubles.clone(),
        );
        registry.register_with_unit(
            "clock_offset",
            "How far this machine's clock is ahead of WhatsApp's",
            Unit::Seconds,
            self.clock_offset_seconds.clone(),
        );
        registry.register_with_unit(
            "last_webhook_timestamp",
            "When an update came last, since 1970; 0 when none ever did",
            Unit::Seconds,
            self.last_webhook_seconds.clone(),
        );
        registry.register(
            "quarantine_rows",
            "Updates that nobody understood",
            self.quarantine_rows.clone(),
        );
        self
    }

    /// Everything, as a scraper wants it.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        match format {
            Format::OpenMetrics => text,
            Format::Text => exposition::as_text(&text),
        }
    }
}

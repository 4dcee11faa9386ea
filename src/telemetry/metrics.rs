//! Metrics behind `/metrics`. Each application has its own registry, so that tests in one process
//! do not share counters.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::exposition;
use super::exposition::Format;
use super::process::{LostLines, Process};

/// Declares [`Metrics`]: of each metric the field, the initial value, the name after `replyd_`, the
/// help text, and the unit where there is one.
macro_rules! metrics {
    ($(
        $(#[$doc:meta])*
        $field:ident: $type:ty = $initial:expr => $name:literal, $help:literal $(, $unit:ident)?;
    )*) => {
        /// Every counter, gauge and histogram.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            $(#[doc = $help] $(#[$doc])* pub $field: $type,)*
        }

        impl Default for Metrics {
            fn default() -> Self {
                let mut registry = Registry::default();
                // These names are the same in every program, so they have no prefix.
                registry.register_collector(Box::new(Process));
                let prefixed = registry.sub_registry_with_prefix("replyd");
                let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
                prefixed.register("build", "Version of the program", version);
                prefixed.register_collector(Box::new(LostLines));
                $(
                    let $field: $type = $initial;
                    metrics!(@register prefixed, $name, $help, $field $(, $unit)?);
                )*
                Self { registry, $($field),* }
            }
        }
    };
    (@register $registry:ident, $name:literal, $help:literal, $field:ident) => {
        $registry.register($name, $help, $field.clone());
    };
    (@register $registry:ident, $name:literal, $help:literal, $field:ident, $unit:ident) => {
        $registry.register_with_unit($name, $help, Unit::$unit, $field.clone());
    };
}

metrics! {
    /// (`accepted`, `unsigned`, `too_large`, `unavailable`, …).
    webhooks: Family<OutcomeLabel, Counter> = Family::default()
        => "webhooks", "Webhook requests by answer";
    /// (`accepted`, `closed_idle`, `refused`, `malformed`, `not_accepted`).
    connections: Family<OutcomeLabel, Counter> = Family::default()
        => "connections", "Connections of both listeners by outcome";
    /// (`not_found`, `wrong_method`, `wrong_host`).
    unmatched_requests: Family<OutcomeLabel, Counter> = Family::default()
        => "unmatched_requests", "Requests for a path, method or host that is not served, by reason";
    webhook_seconds: Histogram = Histogram::new(exponential_buckets(0.000_25, 2.0, 14))
        => "webhook_duration", "Time from the last byte of a webhook to its answer", Seconds;
    /// (`message`, `duplicate`, `receipt`, `account`, `quarantined`).
    updates: Family<OutcomeLabel, Counter> = Family::default()
        => "updates", "Updates stored by kind";
    decisions: Family<OutcomeLabel, Counter> = Family::default()
        => "decisions", "Decisions on messages by name";
    commit_updates: Histogram = Histogram::new(exponential_buckets(1.0, 2.0, 12))
        => "commit_updates", "Updates per commit";
    /// (`accepted`, `retry`, `unknown`, `dead`).
    sends: Family<OutcomeLabel, Counter> = Family::default()
        => "sends", "Gateway requests by result";
    gateway_seconds: Histogram = Histogram::new(exponential_buckets(0.005, 2.0, 13))
        => "gateway_duration", "Time from a gateway request to its answer", Seconds;
    /// (`done`, `failed`).
    actions: Family<OutcomeLabel, Counter> = Family::default()
        => "actions", "HTTP calls and model requests of rules by result";
    send_failures: Family<SendFailure, Counter> = Family::default()
        => "send_failures", "Gateway requests that were not accepted by class and code";
    delivery_failures: Family<SendFailure, Counter> = Family::default()
        => "delivery_failures", "Accepted messages that WhatsApp did not deliver by class and code";
    /// (0 where there are none).
    outbox_rows: Family<OutboxLabels, Gauge> = Family::default()
        => "outbox_rows", "Rows in the outbox by state and kind";
    /// (0 where there is none).
    outbox_oldest_seconds: Family<StateLabel, Gauge> = Family::default()
        => "outbox_oldest", "Age of the oldest message of a state", Seconds;
    rules_stale: Gauge = Gauge::default()
        => "rules_stale", "1 while the rules on the disk do not pass the check and older ones answer";
    database_bytes: Gauge = Gauge::default()
        => "database", "Size of the database file", Bytes;
    database_wal_bytes: Gauge = Gauge::default()
        => "database_wal", "Size of the write-ahead log beside the database file", Bytes;
    account_alerts: Gauge = Gauge::default()
        => "account_alerts", "Bans, restrictions, flags and lowered limits in force on the account or a number";
    clock_offset_seconds: Gauge<f64, AtomicU64> = Gauge::default()
        => "clock_offset", "Time by which server time is ahead of WhatsApp's; negative behind it", Seconds;
    last_webhook_seconds: Gauge = Gauge::default()
        => "last_webhook_timestamp", "Arrival of the last update, since 1970; 0 before the first one", Seconds;
    quarantine_rows: Gauge = Gauge::default()
        => "quarantine_rows", "Updates that could not be read";
}

/// Label `outcome` with a value from a fixed set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    outcome: &'static str,
}

/// Labels of a failed request, or of a message that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SendFailure {
    /// Class of Graph's error codes, `not_sent` or `unknown`.
    pub class: &'static str,
    /// Documented Graph error code, `other` or `none`.
    pub code: String,
}

/// Labels of outbox rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutboxLabels {
    /// As in `outbox.state`.
    pub state: &'static str,
    /// As in `outbox.kind`.
    pub kind: &'static str,
}

/// Label of outbox messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabel {
    /// As in `outbox.state`.
    pub state: &'static str,
}

impl From<&'static str> for OutcomeLabel {
    fn from(outcome: &'static str) -> Self {
        Self { outcome }
    }
}

impl Metrics {
    /// Renders every metric for a scraper.
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

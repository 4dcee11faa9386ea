//! Liveness, readiness and metrics.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{OutboxCount, Store};
use crate::telemetry::{Condition, Conditions, Format, Metrics, OutboxLabels, StateLabel};

/// Values of `outbox.state`: each is always shown, so that an alert can be written in advance.
const STATES: [&str; 4] = ["queued", "sending", "unknown", "held"];
/// Values of `outbox.kind`, and read marks, which only ever wait.
const KINDS: [&str; 4] = ["message", "read_mark", "download", "action"];

/// Sources of health.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) conditions: Arc<Conditions>,
    /// Cancelled when the stop begins: from then on no new requests should come.
    pub(crate) stopping: CancellationToken,
}

/// `/livez` and `/readyz` for the public, in one word.
pub(super) fn public_routes(health: Health) -> Router {
    Router::new()
        .route("/livez", get("live\n"))
        .route("/readyz", get(ready_in_a_word))
        .with_state(health)
}

/// `/livez`, `/readyz` with a line for each condition, and `/metrics`.
pub(super) fn admin_routes(health: Health) -> Router {
    Router::new()
        .route("/livez", get("live\n"))
        .route("/readyz", get(ready_in_detail))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Readiness for webhooks, and the conditions for the operator.
struct Readiness {
    is_ready: bool,
    /// One condition each: `database: …`.
    lines: Vec<String>,
}

impl Readiness {
    fn status(&self) -> StatusCode {
        if self.is_ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }

    fn word(&self) -> &'static str {
        if self.is_ready {
            "ready\n"
        } else {
            "not ready\n"
        }
    }
}

async fn ready_in_a_word(State(health): State<Health>) -> (StatusCode, &'static str) {
    let readiness = health.readiness();
    (readiness.status(), readiness.word())
}

async fn ready_in_detail(State(health): State<Health>) -> (StatusCode, String) {
    let readiness = health.readiness();
    let mut text = readiness.word().to_owned();
    for line in &readiness.lines {
        let _ = writeln!(text, "{line}");
    }
    (readiness.status(), text)
}

impl Health {
    fn readiness(&self) -> Readiness {
        let conditions = self.conditions.list();
        let mut is_ready = !conditions.iter().any(|(condition, _)| condition.blocks());
        let mut lines: Vec<String> = conditions
            .iter()
            .map(|(condition, sentence)| format!("{}: {sentence}", condition.name()))
            .collect();
        if self.stopping.is_cancelled() {
            is_ready = false;
            lines.push("stopping".to_owned());
        }
        // Known before the condition is set; nothing here asks the database, so that clients cannot
        // keep it busy.
        if let Some(outage) = self.store.outage() {
            is_ready = false;
            let is_listed = conditions
                .iter()
                .any(|(condition, _)| *condition == Condition::Database);
            if !is_listed {
                lines.push(format!("database: {}", outage.fault.sentence()));
            }
        }
        Readiness { is_ready, lines }
    }
}

impl Health {
    /// Sets the gauges of every state and kind, with or without rows.
    fn show(&self, counts: &[OutboxCount]) {
        let now = self.clock.now();
        let count_for = |state, kind| {
            let mut matching = counts.iter();
            matching.find(|count| count.state == state && count.kind == kind)
        };
        for state in STATES {
            for kind in KINDS {
                let rows = count_for(state, kind).map_or(0, |count| count.rows);
                let labels = OutboxLabels { state, kind };
                self.metrics.outbox_rows.get_or_create(&labels).set(rows);
            }
            let oldest = count_for(state, "message").and_then(|count| count.oldest);
            let seconds = oldest.map_or(0, |since| now.duration_since(since).as_secs().max(0));
            let gauge = &self.metrics.outbox_oldest_seconds;
            gauge.get_or_create(&StateLabel { state }).set(seconds);
        }
    }
}

async fn metrics(State(health): State<Health>, headers: HeaderMap) -> impl IntoResponse {
    let metrics = &health.metrics;
    let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    // Read at each scrape: a counter kept by hand drifts. `/readyz` reports a database that does
    // not respond.
    if let Ok(counts) = health.store.outbox_counts().await {
        health.show(&counts);
    }
    if let Ok(sizes) = health.store.file_sizes().await {
        metrics.database_bytes.set(gauge(sizes.database_bytes));
        metrics.database_wal_bytes.set(gauge(sizes.wal_bytes));
    }
    if let Ok(quarantine) = health.store.quarantine().await {
        metrics.quarantine_rows.set(gauge(quarantine.rows));
    }
    let accepted: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .collect();
    let format = Format::accepted(&accepted.join(","));
    (
        [(header::CONTENT_TYPE, format.content_type())],
        metrics.render(format),
    )
}

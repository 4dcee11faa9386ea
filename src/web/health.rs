//! Whether we live, whether we are ready, and the metrics.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{OutboxCount, Store};
use crate::telemetry::{Conditions, Metrics, OutboxLabels, StateLabel};

/// A database that needs longer to answer is as good as gone.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// `outbox.state`: each is always shown, so that an alert can be written before there is anything to see.
const STATES: [&str; 4] = ["queued", "sending", "unknown", "held"];
/// `outbox.kind`.
const KINDS: [&str; 4] = ["message", "read_mark", "download", "action"];
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What health is read from.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) conditions: Arc<Conditions>,
    /// Cancelled when we begin to stop: from then on nothing new should be sent to us.
    pub(crate) stopping: CancellationToken,
}

/// `/livez` and `/readyz` for strangers: two words.
pub(super) fn public_routes(health: Health) -> Router {
    Router::new()
        .route("/livez", get("live\n"))
        .route("/readyz", get(ready_in_a_word))
        .with_state(health)
}

/// `/livez`, `/readyz` with every condition in a line of its own, and `/metrics`.
pub(super) fn admin_routes(health: Health) -> Router {
    Router::new()
        .route("/livez", get("live\n"))
        .route("/readyz", get(ready_in_detail))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Whether webhooks can be taken, and everything that an owner should know about that.
struct Readiness {
    is_ready: bool,
    /// `database: …`, one condition each.
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
    let readiness = health.readiness().await;
    (readiness.status(), readiness.word())
}

async fn ready_in_detail(State(health): State<Health>) -> (StatusCode, String) {
    let readiness = health.readiness().await;
    let mut text = readiness.word().to_owned();
    for line in &readiness.lines {
        let _ = writeln!(text, "{line}");
    }
    (readiness.status(), text)
}

impl Health {
    async fn readiness(&self) -> Readiness {
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
        match tokio::time::timeout(CHECK_TIMEOUT, self.store.check()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "not ready: the database does not answer");
                is_ready = false;
                lines.push("database: it does not answer".to_owned());
            }
            Err(_) => {
                let seconds = CHECK_TIMEOUT.as_secs();
                tracing::error!(seconds, "not ready: the database does not answer in time");
                is_ready = false;
                lines.push(format!("database: it does not answer within {seconds} s"));
            }
        }
        Readiness { is_ready, lines }
    }
}

impl Health {
    /// Every state and kind, whether there are rows of it or not.
    fn show(&self, counts: &[OutboxCount]) {
        let now = self.clock.now();
        let of = |state, kind| {
            let mut all = counts.iter();
            all.find(|count| count.state == state && count.kind == kind)
        };
        for state in STATES {
            for kind in KINDS {
                let rows = of(state, kind).map_or(0, |count| count.rows);
                let labels = OutboxLabels { state, kind };
                self.metrics.outbox_rows.get_or_create(&labels).set(rows);
            }
            let oldest = of(state, "message").and_then(|count| count.oldest);
            let seconds = oldest.map_or(0, |since| now.duration_since(since).as_secs().max(0));
            let gauge = &self.metrics.outbox_oldest_seconds;
            gauge.get_or_create(&StateLabel { state }).set(seconds);
        }
    }
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    // Counted when asked for: a gauge kept by hand drifts. A database that does not answer is told by /readyz.
    if let Ok(counts) = health.store.outbox_counts().await {
        health.show(&counts);
    }
    (
        [(header::CONTENT_TYPE, OPENMETRICS)],
        health.metrics.render(),
    )
}

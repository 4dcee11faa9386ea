//! Whether we live, whether we are ready, and the metrics.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use crate::telemetry::{Condition, Conditions, Metrics};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What health is read from.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) store: Store,
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
        // Known before the part that sets the condition has woken; nothing is asked of the database here, so strangers
        // cannot keep it busy.
        if let Some(trouble) = self.store.trouble() {
            is_ready = false;
            let is_told = conditions
                .iter()
                .any(|(condition, _)| *condition == Condition::Database);
            if !is_told {
                lines.push(format!("database: {}", trouble.fault.sentence()));
            }
        }
        Readiness { is_ready, lines }
    }
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    // Counted when asked for: a gauge kept by hand drifts. A database that does not answer is told by /readyz.
    if let Ok(rows) = health.store.outbox_rows().await {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        health.metrics.outbox_rows.set(rows);
    }
    (
        [(header::CONTENT_TYPE, OPENMETRICS)],
        health.metrics.render(),
    )
}

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

use crate::store::Store;
use crate::telemetry::{Conditions, Metrics};

/// A database that needs longer to answer is as good as gone.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
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

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    // Counted when asked for: a gauge kept by hand drifts. A database that does not answer is told by /readyz.
    if let Ok(rows) = health.store.outbox_rows().await {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        health.metrics.outbox_rows.set(rows);
    }
    if let Ok(quarantine) = health.store.quarantine().await {
        let rows = i64::try_from(quarantine.rows).unwrap_or(i64::MAX);
        health.metrics.quarantine_rows.set(rows);
    }
    (
        [(header::CONTENT_TYPE, OPENMETRICS)],
        health.metrics.render(),
    )
}

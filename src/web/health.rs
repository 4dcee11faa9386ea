//! Whether we live, whether we are ready, and the metrics.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use crate::telemetry::Metrics;

/// A database that needs longer to answer is as good as gone.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What health is read from.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) store: Store,
    pub(crate) metrics: Arc<Metrics>,
    /// Cancelled when we begin to stop: from then on nothing new should be sent to us.
    pub(crate) stopping: CancellationToken,
}

/// `/livez` and `/readyz`.
pub(super) fn routes(health: Health) -> Router {
    Router::new()
        .route("/livez", get("live\n"))
        .route("/readyz", get(ready))
        .with_state(health)
}

/// `/metrics`.
pub(super) fn metrics_route(health: Health) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match tokio::time::timeout(CHECK_TIMEOUT, health.store.check()).await {
        // The last good rules answer, so webhooks may come; but somebody should look.
        Ok(Ok(())) if health.metrics.rules_stale.get() != 0 => (
            StatusCode::OK,
            "ready, with older rules: those on the disk do not pass the check\n",
        ),
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready: the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "database does not answer\n",
            )
        }
        Err(_) => {
            let seconds = CHECK_TIMEOUT.as_secs();
            tracing::error!(seconds, "not ready: the database does not answer in time");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "database does not answer\n",
            )
        }
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

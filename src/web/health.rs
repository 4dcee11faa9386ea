//! Whether we live, whether we are ready, and the metrics.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
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

/// Why the rules on the disk are not in use, when they are not.
#[derive(Debug, Default)]
pub(crate) struct RulesNews(Mutex<Option<String>>);

impl RulesNews {
    pub(crate) fn set(&self, why: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn get(&self) -> Option<String> {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        why.clone()
    }
}

/// What health is read from.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) store: Store,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) rules: Arc<RulesNews>,
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

async fn ready(State(health): State<Health>) -> (StatusCode, Cow<'static, str>) {
    if health.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into());
    }
    match tokio::time::timeout(CHECK_TIMEOUT, health.store.check()).await {
        // The last good rules answer, so webhooks may come; but somebody should look.
        Ok(Ok(())) => match health.rules.get() {
            Some(why) => (
                StatusCode::OK,
                format!("ready, with older rules: {why}\n").into(),
            ),
            None => (StatusCode::OK, "ready\n".into()),
        },
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready: the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "database does not answer\n".into(),
            )
        }
        Err(_) => {
            let seconds = CHECK_TIMEOUT.as_secs();
            tracing::error!(seconds, "not ready: the database does not answer in time");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "database does not answer\n".into(),
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

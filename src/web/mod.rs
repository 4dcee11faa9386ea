//! The two listeners: the public one receives Meta's webhooks, the admin one shows metrics. Both
//! report health.
//!
//! Nothing here decides or stores: `webhook` checks the signature and hands updates to
//! [`crate::intake`], which is next on the way of a message. Nothing here logs or returns content
//! of a request.

mod body_budget;
mod connection;
mod connection_slots;
mod health;
mod host_check;
mod open_file_limit;
mod peer;
pub mod server;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::Response;

use crate::telemetry::Metrics;

pub(crate) use health::Health;
pub(crate) use open_file_limit::{connections_within_limit, raise_open_file_limit};
pub(crate) use peer::TrustedProxies;
pub(crate) use server::{Limits, Server};
pub(crate) use webhook::Webhook;

/// Routes of the public listener: the webhook at its path, and health.
pub(crate) fn public(path: &str, webhook: Webhook, health: Health) -> Router {
    let metrics = Arc::clone(&health.metrics);
    webhook::routes(path, webhook)
        .merge(health::public_routes(health))
        .layer(map_response_with_state(metrics, count_unmatched))
}

/// Routes of the admin listener: health and metrics, under loopback addresses, `localhost` and
/// `names`.
pub(crate) fn admin(health: Health, names: Vec<String>) -> Router {
    let host_check = host_check::AllowedHosts::new(names, Arc::clone(&health.metrics));
    health::admin_routes(health).layer(from_fn_with_state(
        Arc::new(host_check),
        host_check::require_known_host,
    ))
}

/// Counts requests without a route. They are not logged, so that a scan of paths cannot fill the
/// log.
async fn count_unmatched(State(metrics): State<Arc<Metrics>>, answer: Response) -> Response {
    let reason = match answer.status() {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "wrong_method",
        _ => return answer,
    };
    metrics
        .unmatched_requests
        .get_or_create(&reason.into())
        .inc();
    answer
}

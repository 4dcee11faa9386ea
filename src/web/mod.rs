//! The two listeners: the public one takes Meta's webhooks, the owner's one shows metrics. Both tell health.
//!
//! Nothing here decides or stores: `webhook` checks who speaks and hands updates to [`crate::intake`], which
//! is next on the way of a message. Nothing here logs or answers with content of a request.

mod connection;
mod health;
mod server;
mod webhook;

use axum::Router;

pub(crate) use health::Health;
pub(crate) use server::{Limits, serve};
pub(crate) use webhook::Webhook;

/// What strangers may reach: the webhook at its path, and health.
pub(crate) fn public(path: &str, webhook: Webhook, health: Health) -> Router {
    webhook::routes(path, webhook).merge(health::public_routes(health))
}

/// What only the owner may reach: health and metrics.
pub(crate) fn admin(health: Health) -> Router {
    health::admin_routes(health)
}

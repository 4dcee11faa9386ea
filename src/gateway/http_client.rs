//! The only place that builds HTTP clients, so that each has limits; beside it only
//! [`super::message_client`], which has the same.

use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, retry};

/// A gateway that accepts no connection within this time is down.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than servers usually keep idle connections: if one were closed under a request, it would
/// be unknown whether the request arrived.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Name that each request tells.
pub(super) const AGENT: &str = concat!("replyd/", env!("CARGO_PKG_VERSION"));

/// Builds a client whose requests, with their responses, take at most `timeout`.
///
/// It follows no redirects (they would carry the API key elsewhere), uses no proxy of the
/// environment, and repeats nothing (a repeated send is a second message).
///
/// # Errors
/// When the TLS library finds no trusted certificates.
pub(crate) fn http_client(timeout: Duration) -> reqwest::Result<Client> {
    http_client_builder(timeout).build()
}

/// Builder of [`http_client`], for callers that add limits.
pub(crate) fn http_client_builder(timeout: Duration) -> ClientBuilder {
    install_crypto();
    Client::builder()
        .user_agent(AGENT)
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
}

/// Installs the cryptography of all TLS clients.
pub(super) fn install_crypto() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails if a provider is installed already; then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

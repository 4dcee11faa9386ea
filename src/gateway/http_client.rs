//! The only place that builds HTTP clients, so that each has limits.

use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, retry};

/// A gateway that accepts no connection within this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than servers usually keep idle connections: if one were closed under a request, it would
/// be unknown whether the request arrived.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

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
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails if a provider is installed already; then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder()
        .user_agent(concat!("replyd/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
}

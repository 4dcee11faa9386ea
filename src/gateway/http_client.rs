//! The one place that builds an HTTP client, so that none is without limits.

use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, retry};

/// A gateway that takes no connection within this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than usual servers keep idle connections: one closed under our request would leave it
/// unclear whether the request arrived.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Builds a client whose requests take `timeout` at most, answer included.
///
/// It follows no redirects (they would carry the API key elsewhere), asks no proxy of the
/// environment, and repeats nothing by itself (a repeated send is a message twice).
///
/// # Errors
/// When the TLS library finds no certificates to trust.
pub(crate) fn http_client(timeout: Duration) -> reqwest::Result<Client> {
    http_client_builder(timeout).build()
}

/// The same before it is built: for whoever must add to its limits.
pub(crate) fn http_client_builder(timeout: Duration) -> ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Refused when somebody has installed one before; then that one serves us too.
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

//! HTTP client of the request that is sent most: `POST` of a message or a read mark.
//!
//! It is the client and the TLS beneath reqwest, with the limits of [`super::http_client()`] and the
//! same errors. reqwest parses each URL several times and keeps a copy of each request, which costs
//! more than the request itself; the rare calls go through it nevertheless.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt as _};

use super::http_client::{AGENT, CONNECT_TIMEOUT, IDLE_TIMEOUT, install_crypto};

/// Silence after which a connection is probed, and pause between probes; reqwest's default.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Probes without an answer after which a connection is given up; reqwest's default.
const KEEPALIVE_PROBES: u32 = 3;
/// Time that sent bytes may stay without an acknowledgement; reqwest's default.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(30);

type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// The host name has no address.
#[derive(Debug, thiserror::Error)]
#[error("its name was not resolved")]
pub(super) struct UnknownName(#[source] io::Error);

/// Posts JSON. Follows no redirects, uses no proxy, and repeats nothing that was begun.
#[derive(Clone, Debug)]
pub(super) struct MessageClient {
    client: Client<Connector, Full<Bytes>>,
    headers: HeaderMap,
}

impl MessageClient {
    /// Creates a client that sends these headers with each request.
    pub(super) fn new(mut headers: HeaderMap) -> Result<Self, rustls::Error> {
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector()?);
        Ok(Self { client, headers })
    }

    /// Sends a body, and returns the head of the response. The caller limits the time.
    pub(super) async fn post(&self, uri: Uri, body: Vec<u8>) -> Result<Response<Incoming>, Error> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        self.client.request(request).await
    }
}

fn connector() -> Result<Connector, rustls::Error> {
    install_crypto();
    let tls = ClientConfig::builder()
        .try_with_platform_verifier()?
        .with_no_client_auth();
    let mut http = HttpConnector::new_with_resolver(GaiResolver::new().map_err(UnknownName));
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_keepalive(Some(KEEPALIVE));
    http.set_keepalive_interval(Some(KEEPALIVE));
    http.set_keepalive_retries(Some(KEEPALIVE_PROBES));
    #[cfg(target_os = "linux")]
    http.set_tcp_user_timeout(Some(ACKNOWLEDGED_WITHIN));
    let https = HttpsConnector::from((http, tls));
    // The limit holds for name, TCP and TLS together. Boxed, because the client moves its future.
    Ok(BoxCloneSyncService::new(Timeout::new(
        https,
        CONNECT_TIMEOUT,
    )))
}

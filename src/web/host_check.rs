//! Host check of the admin listener: it answers only under names of this machine.
//!
//! A page in the operator's browser may point its own host name to 127.0.0.1 and read the responses
//! (DNS rebinding). The browser sends that name along, by which it is detected.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::telemetry::{Metrics, RateLimitedLog};

const REFUSED: &str = "this host name is not known here: ask 127.0.0.1 or localhost, \
    or list the name in admin.hosts\n";

/// Host names that are answered.
#[derive(Debug)]
pub(super) struct AllowedHosts {
    names: Vec<String>,
    metrics: Arc<Metrics>,
    refused: RateLimitedLog,
}

impl AllowedHosts {
    /// Allows `names` (lower case, without ports) beside loopback addresses and `localhost`.
    pub(super) fn new(names: Vec<String>, metrics: Arc<Metrics>) -> Self {
        let refused = RateLimitedLog::default();
        Self {
            names,
            metrics,
            refused,
        }
    }

    /// Whether a request names exactly one host, an allowed one.
    fn is_known(&self, request: &Request) -> bool {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return false;
        };
        // A target such as `http://name/metrics` names a host too, and takes precedence.
        let target_authority = request.uri().authority();
        let header_authority = Authority::try_from(host.as_bytes());
        header_authority.is_ok_and(|authority| self.knows(&authority))
            && target_authority.is_none_or(|authority| self.knows(authority))
    }

    /// Whether a host is allowed. The port does not matter: a forwarded port has another number.
    fn knows(&self, authority: &Authority) -> bool {
        let host = authority.host().to_ascii_lowercase();
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        !authority.as_str().contains('@')
            && (address.is_some_and(|address| address.to_canonical().is_loopback())
                || host == "localhost"
                || self.names.contains(&host))
    }
}

/// Rejects a request to an unknown host before any other handling.
pub(super) async fn require_known_host(
    State(hosts): State<Arc<AllowedHosts>>,
    request: Request,
    next: Next,
) -> Response {
    if hosts.is_known(&request) {
        return next.run(request).await;
    }
    let unmatched_requests = &hosts.metrics.unmatched_requests;
    unmatched_requests.get_or_create(&"wrong_host".into()).inc();
    hosts.refused.log(|left_out| {
        tracing::warn!(
            left_out,
            "request to the admin listener refused: its host name is not known; if it is one of yours, \
             list it in admin.hosts (logged at most once a minute)"
        );
    });
    (StatusCode::MISDIRECTED_REQUEST, REFUSED).into_response()
}

//! Accepts connections and serves HTTP/1.1, within limits that no client can stretch.
//!
//! Not `axum::serve`, which has no timeouts and no bound of connections. Next on the way of a
//! message: `super::webhook`.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::connection::Connection;
use super::connection_slots::{Admission, ConnectionSlot, ConnectionSlots};
use super::peer::TrustedProxies;
use crate::telemetry::{Metrics, RateLimitedLog};

/// Limits of a listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Time from the first byte of a request (or the connection) to the end of its header.
    pub(crate) header: Duration,
    /// Time between two requests on one connection.
    pub(crate) idle: Duration,
    /// Time that a response may wait for a client that does not read it.
    pub(crate) write: Duration,
    /// Time that open requests may take at a stop.
    pub(crate) drain: Duration,
    /// Upper bound of connections; for another one, the one that has been idle for longest is
    /// closed.
    pub(crate) connections: usize,
    /// Upper bound of connections of one peer; those of trusted proxies are not counted.
    pub(crate) connections_per_peer: usize,
    /// Bytes of a request line and its headers; hyper bounds their number to 100.
    pub(crate) header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(5),
            idle: Duration::from_secs(30),
            write: Duration::from_secs(15),
            drain: Duration::from_secs(5),
            connections: 1_024,
            connections_per_peer: 256,
            header_bytes: 16 * 1_024,
        }
    }
}

impl Limits {
    /// Sets the number of connections, a quarter of them for one peer.
    pub(crate) fn with_connections(self, connections: usize) -> Self {
        Self {
            connections,
            connections_per_peer: connections.div_ceil(4),
            ..self
        }
    }
}

/// Upper bound of hyper's input buffer per connection; above the header's bound, so that bodies
/// flow.
const BUFFER_BYTES: usize = 64 * 1_024;
/// Pause when the system has no file descriptor left and no connection can be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Response when every slot is taken. Meta tries again.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A listener and its handling of connections.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) proxies: TrustedProxies,
    pub(crate) metrics: Arc<Metrics>,
}

/// State shared by all connections of a listener.
struct Shared {
    router: Router,
    limits: Limits,
    proxies: TrustedProxies,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl Server {
    /// Admin listener, which has few clients, all on this machine.
    pub(crate) fn for_the_owner(
        listener: TcpListener,
        router: Router,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        let connections = limits.connections.min(64);
        Self {
            listener,
            router,
            limits: Limits {
                connections,
                connections_per_peer: connections,
                ..limits
            },
            proxies: TrustedProxies::default(),
            metrics,
        }
    }

    /// Serves until `stop` is cancelled, then finishes the open requests.
    pub(crate) async fn serve(self, stop: CancellationToken) {
        let limits = self.limits;
        let mut door = Door {
            listener: self.listener,
            slots: ConnectionSlots::new(limits.connections, limits.connections_per_peer),
            proxies: self.proxies.clone(),
            metrics: Arc::clone(&self.metrics),
            short_of_slots: RateLimitedLog::default(),
            short_of_files: RateLimitedLog::default(),
        };
        let shared = Arc::new(Shared {
            router: self.router,
            limits,
            proxies: self.proxies,
            metrics: self.metrics,
            stop: stop.clone(),
        });
        let connections = TaskTracker::new();
        let give_up = CancellationToken::new();
        // Dropping this future (a hard stop) drops its connections.
        let _all = give_up.clone().drop_guard();
        while let Some((stream, slot)) = stop.run_until_cancelled(door.next()).await {
            let connection = Arc::clone(&shared).serve(stream, slot);
            let give_up = give_up.clone();
            connections.spawn(async move {
                give_up.run_until_cancelled(connection).await;
            });
        }
        drop(door);
        connections.close();
        if tokio::time::timeout(limits.drain, connections.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = connections.len(),
                "requests did not finish in time"
            );
            give_up.cancel();
            connections.wait().await;
        }
    }
}

/// Admits connections one after the other.
struct Door {
    listener: TcpListener,
    slots: Arc<ConnectionSlots>,
    proxies: TrustedProxies,
    metrics: Arc<Metrics>,
    short_of_slots: RateLimitedLog,
    short_of_files: RateLimitedLog,
}

impl Door {
    /// Waits for the next connection with a slot.
    async fn next(&mut self) -> (TcpStream, Arc<ConnectionSlot>) {
        loop {
            // Bounded, because a connection may have begun a request at the same moment.
            let _ = tokio::time::timeout(ACCEPT_PAUSE, self.slots.settled()).await;
            let (stream, address) = self.accept().await;
            let (slot, outcome) = match self.slots.admit(self.proxies.peer(address.ip())) {
                Admission::Free(slot) => (Some(slot), "accepted"),
                Admission::Instead(slot) => {
                    self.count("closed_idle");
                    (Some(slot), "accepted")
                }
                Admission::Full => (None, "refused"),
            };
            self.count(outcome);
            match slot {
                Some(slot) => return (stream, slot),
                None => self.refuse(stream),
            }
        }
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.count("not_accepted");
                    self.short_of_files.log(|left_out| {
                        tracing::error!(
                            %error,
                            left_out,
                            "could not accept a connection (logged at most once a minute)"
                        );
                    });
                    // Most likely no file descriptor is left: idle connections are closed first.
                    if self.slots.close_one() {
                        self.count("closed_idle");
                    }
                    let _ = tokio::time::timeout(ACCEPT_PAUSE, self.slots.freed()).await;
                }
            }
        }
    }

    /// Rejects a connection at once, so that an honest client can try again.
    fn refuse(&self, stream: TcpStream) {
        self.short_of_slots.log(|left_out| {
            tracing::warn!(
                left_out,
                "connection refused: every place, or every one for its address, is taken by a request \
                 that is being answered (logged at most once a minute)"
            );
        });
        if let Ok(mut stream) = stream.into_std() {
            // This does not block, because the send buffer of a new connection is empty.
            let _ = stream.write_all(FULL);
        }
    }

    fn count(&self, outcome: &'static str) {
        self.metrics
            .connections
            .get_or_create(&outcome.into())
            .inc();
    }
}

/// Whether a client disconnected before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: TcpStream, slot: Arc<ConnectionSlot>) {
        // A response is one small segment: a wait to fill it would only delay Meta.
        let _ = stream.set_nodelay(true);
        let limits = self.limits;
        let stream = Connection::new(stream, Arc::clone(&slot), limits.header, limits.write);
        let service = service_fn(|mut request: hyper::Request<Incoming>| {
            slot.begin();
            let client = self.proxies.client(slot.peer(), request.headers());
            request.extensions_mut().insert(client);
            let answer = self.router.clone().oneshot(request);
            let slot = Arc::clone(&slot);
            async move {
                let answer: Result<_, Infallible> = answer.await;
                slot.answered();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.idle + limits.header)
            .max_header_size(limits.header_bytes)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // The end of a connection is the client's business: errors do not matter.
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = slot.closed() => {
                if !slot.has_request() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if ended.is_err_and(|error| error.is_parse()) {
            let metrics = &self.metrics.connections;
            metrics.get_or_create(&"malformed".into()).inc();
        }
    }
}

#[cfg(test)]
mod tests;

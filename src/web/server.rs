//! Accepts connections and serves HTTP/1.1 on them, within limits that a stranger cannot stretch.
//!
//! Not `axum::serve`: that one has no timeouts and no bound on connections. Next on the way of a
//! message: [`super::webhook`].

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::connection::{Connection, Requests};

/// What one listener allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the first byte of a request (or the connection) to the end of its header.
    pub(crate) header: Duration,
    /// From one request to the next on the same connection.
    pub(crate) idle: Duration,
    /// How long an answer may wait for a client that does not read it.
    pub(crate) write: Duration,
    /// How long open requests may take to finish when we stop.
    pub(crate) drain: Duration,
    /// Connections at the same time; more wait in the system's queue.
    pub(crate) connections: usize,
    /// Bytes of a request line and its headers. Their number is bounded by hyper, to 100.
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
            header_bytes: 16 * 1_024,
        }
    }
}

/// What hyper may hold of one connection's input; above the header's bound, so that bodies flow.
const BUFFER_BYTES: usize = 64 * 1_024;
/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is cancelled, then finishes what was begun.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let give_up = CancellationToken::new();
    // Who drops this future (a hard stop) drops its connections.
    let _all = give_up.clone().drop_guard();
    while let Some(accepted) = stop
        .run_until_cancelled(async {
            let place = Arc::clone(&places).acquire_owned().await;
            let place = place.expect("the semaphore is never closed");
            (place, accept(&listener).await)
        })
        .await
    {
        let (place, stream) = accepted;
        let connection = serve_connection(stream, router.clone(), limits, stop.clone());
        let give_up = give_up.clone();
        connections.spawn(async move {
            give_up.run_until_cancelled(connection).await;
            drop(place);
        });
    }
    drop(listener);
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

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A client that went away while it waited to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    // Answers are one small segment: waiting to fill it would only cost Meta time.
    let _ = stream.set_nodelay(true);
    let requests = Requests::default();
    let stream = Connection::new(stream, requests.clone(), limits.header, limits.write);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        requests.turn();
        let requests = requests.clone();
        let answer = router.clone().oneshot(request);
        async move {
            let answer: Result<_, Infallible> = answer.await;
            requests.turn();
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
    // How a connection ends is the client's business: a broken one costs us nothing and tells us nothing.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests;

//! Tests with real sockets and short limits: they wait for actions of the server, never for time to
//! pass.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Limits, Server};
use crate::telemetry::{Format, Metrics};
use crate::web::TrustedProxies;

const SHORT: Duration = Duration::from_millis(200);
/// Longer than any test.
const LONG: Duration = Duration::from_hours(1);
/// Time after which a server will not act any more.
const PATIENCE: Duration = Duration::from_secs(20);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Limits that no test reaches; a test shortens its own.
fn limits() -> Limits {
    Limits {
        header: LONG,
        idle: LONG,
        write: LONG,
        drain: LONG,
        connections: 8,
        connections_per_peer: 8,
        ..Limits::default()
    }
}

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
    metrics: Arc<Metrics>,
}

async fn start(limits: Limits, router: Router) -> Running {
    start_behind(&[], limits, router).await
}

async fn start_behind(proxies: &[&str], limits: Limits, router: Router) -> Running {
    let proxies: Vec<ipnet::IpNet> = proxies
        .iter()
        .map(|network| network.parse().unwrap())
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let metrics = Arc::new(Metrics::default());
    let server = Server {
        listener,
        router,
        limits,
        proxies: TrustedProxies::new(&proxies),
        metrics: Arc::clone(&metrics),
    };
    let ended = tokio::spawn(server.serve(stop.clone()));
    Running {
        address,
        stop,
        ended,
        metrics,
    }
}

fn hello() -> Router {
    Router::new().route("/", get("hello"))
}

async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(bytes).await.unwrap();
    client
}

/// Reads everything until the server closes.
async fn rest(mut client: TcpStream) -> String {
    let mut text = String::new();
    // A reset is a close too.
    let _ = timeout(PATIENCE, client.read_to_string(&mut text))
        .await
        .expect("the server closes");
    text
}

async fn read_hello(client: &mut TcpStream) {
    let mut text = Vec::new();
    while !text.ends_with(b"hello") {
        let read = timeout(PATIENCE, client.read_buf(&mut text)).await;
        assert_ne!(read.expect("the server answers").unwrap(), 0);
    }
}

/// Connects and has a request answered.
async fn greeted(address: SocketAddr) -> TcpStream {
    let mut client = send(address, REQUEST).await;
    read_hello(&mut client).await;
    client
}

/// Has another request answered.
async fn ask(client: &mut TcpStream) {
    client.write_all(REQUEST).await.unwrap();
    read_hello(client).await;
}

#[tokio::test]
async fn a_client_that_sends_no_whole_header_in_time_is_closed() {
    for (case, idle, first, then) in [
        (
            "half a header",
            LONG,
            &b""[..],
            &b"GET / HTTP/1.1\r\nhost: "[..],
        ),
        ("nothing", LONG, b"", b""),
        ("half a second header", LONG, REQUEST, b"GET / HT"),
        ("idle", SHORT, REQUEST, b""),
    ] {
        let header = SHORT;
        let limits = Limits {
            header,
            idle,
            ..limits()
        };
        let server = start(limits, hello()).await;
        let mut client = send(server.address, first).await;
        if !first.is_empty() {
            read_hello(&mut client).await;
        }

        client.write_all(then).await.unwrap();

        assert_eq!(rest(client).await, "", "{case}");
    }
}

/// Body that notifies when it is dropped.
struct Large(Vec<u8>, Arc<Notify>);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.1.notify_one();
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_gives_its_place_up() {
    let dropped = Arc::new(Notify::new());
    let signal = Arc::clone(&dropped);
    let large = move || async move { Bytes::from_owner(Large(vec![b'x'; 64 << 20], signal)) };
    let router = hello().route("/large", get(large));
    let limits = Limits {
        write: SHORT,
        connections: 1,
        ..limits()
    };
    let server = start(limits, router).await;

    let deaf = send(server.address, b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let gone = timeout(PATIENCE, dropped.notified()).await;
    gone.expect("the answer is given up");
    let mut client = send(server.address, REQUEST).await;

    read_hello(&mut client).await;
    drop(deaf);
}

/// Router that answers `/` at once and `/slow` when notified; it notifies at each slow request.
fn slow() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (signal, waits) = (Arc::clone(&begun), Arc::clone(&go_on));
    let answer = move || async move {
        signal.notify_one();
        waits.notified().await;
        "slow hello"
    };
    (hello().route("/slow", get(answer)), begun, go_on)
}

const SLOW_REQUEST: &[u8] = b"GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// Connects from another address of this machine.
async fn send_from(from: [u8; 4], address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut client = socket.connect(address).await.unwrap();
    client.write_all(bytes).await.unwrap();
    client
}

#[tokio::test]
async fn the_connection_that_was_idle_for_longest_is_closed_for_a_new_one() {
    let connections = 3;
    let limits = Limits {
        connections,
        ..limits()
    };
    let server = start(limits, hello()).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(greeted(server.address).await);
    }
    // The first one was idle last.
    ask(&mut clients[0]).await;

    let _new = greeted(server.address).await;

    assert_eq!(rest(clients.remove(1)).await, "");
    for mut client in clients {
        ask(&mut client).await;
    }
    let metrics = server.metrics.render(Format::OpenMetrics);
    let line = "replyd_connections_total{outcome=\"closed_idle\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn a_new_connection_gets_in_at_once_among_those_that_hold_on() {
    for held in [&b""[..], b"GET / HTTP/1.1\r\nhost: ", REQUEST] {
        let server = start(limits(), hello()).await;
        let mut strangers = Vec::new();
        for _ in 0..50 {
            strangers.push(send(server.address, held).await);
        }

        let mut client = send(server.address, REQUEST).await;

        read_hello(&mut client).await;
    }
}

#[tokio::test]
async fn a_request_in_flight_is_never_closed_for_a_new_connection() {
    let (router, begun, go_on) = slow();
    let connections = 2;
    let limits = Limits {
        connections,
        ..limits()
    };
    let server = start(limits, router).await;
    let first = send(server.address, SLOW_REQUEST).await;
    begun.notified().await;
    // Each closes the one before it.
    for _ in 0..20 {
        greeted(server.address).await;
    }
    let second = send(server.address, SLOW_REQUEST).await;
    begun.notified().await;

    let third = send(server.address, b"").await;
    assert!(rest(third).await.starts_with("HTTP/1.1 503 "), "at once");
    go_on.notify_one();
    go_on.notify_one();
    go_on.notify_waiters();

    for client in [first, second] {
        assert!(rest(client).await.ends_with("slow hello"));
    }
}

#[tokio::test]
async fn one_peer_cannot_take_the_places_of_others() {
    let (router, begun, go_on) = slow();
    let connections_per_peer = 2;
    let limits = Limits {
        connections_per_peer,
        ..limits()
    };
    let server = start(limits, router).await;
    let mut other = greeted(server.address).await;
    let greedy = [127, 0, 0, 2];

    let idle = send_from(greedy, server.address, b"").await;
    let mut slow = Vec::new();
    for _ in 0..2 {
        slow.push(send_from(greedy, server.address, SLOW_REQUEST).await);
        begun.notified().await;
    }
    assert_eq!(rest(idle).await, "", "its own idle connection made room");
    let third = send_from(greedy, server.address, b"").await;
    assert!(rest(third).await.starts_with("HTTP/1.1 503 "));

    ask(&mut other).await;
    for client in slow {
        go_on.notify_one();
        assert!(rest(client).await.ends_with("slow hello"));
    }
}

#[tokio::test]
async fn a_trusted_proxy_may_have_as_many_connections_as_there_are() {
    let connections_per_peer = 1;
    let limits = Limits {
        connections_per_peer,
        ..limits()
    };
    let server = start_behind(&["127.0.0.1/32"], limits, hello()).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(send(server.address, REQUEST).await);
    }

    for mut client in clients {
        read_hello(&mut client).await;
        ask(&mut client).await;
    }
}

#[tokio::test]
async fn large_headers_are_refused() {
    let server = start(limits(), hello()).await;
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101));
    let long = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(16 * 1_024));
    let fits = format!(
        "GET / HTTP/1.1\r\nconnection: close\r\n{}a: {}\r\n\r\n",
        "a: b\r\n".repeat(98),
        "b".repeat(12 * 1_024)
    );

    for (request, status) in [(many, "431"), (long, "431"), (fits, "200")] {
        let answer = rest(send(server.address, request.as_bytes()).await).await;
        assert_eq!(answer.split(' ').nth(1), Some(status));
    }
}

#[tokio::test]
async fn a_stop_finishes_open_requests_and_closes_idle_connections() {
    let (router, begun, go_on) = slow();
    let server = start(limits(), router).await;
    let idle = greeted(server.address).await;
    let open = send(server.address, SLOW_REQUEST).await;
    begun.notified().await;

    server.stop.cancel();
    assert_eq!(rest(idle).await, "");
    go_on.notify_one();

    assert!(rest(open).await.ends_with("slow hello"));
    server.ended.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let begun = Arc::new(Notify::new());
    let signal = begun.clone();
    let router = Router::new().route(
        "/",
        get(move || async move {
            signal.notify_one();
            std::future::pending::<()>().await;
        }),
    );
    let drain = SHORT;
    let server = start(Limits { drain, ..limits() }, router).await;
    let client = send(server.address, REQUEST).await;
    begun.notified().await;

    server.stop.cancel();

    server.ended.await.unwrap();
    assert_eq!(rest(client).await, "");
}

#[tokio::test]
async fn a_panicking_handler_costs_only_its_own_connection() {
    async fn broken() {
        panic!("on purpose");
    }
    let server = start(limits(), hello().route("/broken", get(broken))).await;

    let broken = send(server.address, b"GET /broken HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(rest(broken).await, "");
    let mut client = send(server.address, REQUEST).await;

    read_hello(&mut client).await;
}

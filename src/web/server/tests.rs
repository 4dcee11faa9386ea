//! Real sockets and short limits: a test waits for what the server does, never for time to pass.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Limits, serve};

const SHORT: Duration = Duration::from_millis(200);
/// Longer than any test.
const LONG: Duration = Duration::from_hours(1);
/// A server that has not acted by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Every limit out of the way; a test shortens the one it is about.
fn limits() -> Limits {
    Limits {
        header: LONG,
        idle: LONG,
        write: LONG,
        drain: LONG,
        connections: 8,
        ..Limits::default()
    }
}

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

async fn start(limits: Limits, router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, router, limits, stop.clone()));
    Server {
        address,
        stop,
        ended,
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

/// Everything until the server closes.
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

#[tokio::test]
async fn half_a_header_is_closed_when_its_time_is_over() {
    let header = SHORT;
    let server = start(Limits { header, ..limits() }, hello()).await;

    let client = send(server.address, b"GET / HTTP/1.1\r\nhost: ").await;

    assert_eq!(rest(client).await, "");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_closed() {
    let header = SHORT;
    let server = start(Limits { header, ..limits() }, hello()).await;

    let client = send(server.address, b"").await;

    assert_eq!(rest(client).await, "");
}

#[tokio::test]
async fn half_a_second_header_is_closed_too() {
    let header = SHORT;
    let server = start(Limits { header, ..limits() }, hello()).await;
    let mut client = send(server.address, REQUEST).await;
    read_hello(&mut client).await;

    client.write_all(b"GET / HT").await.unwrap();

    assert_eq!(rest(client).await, "");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let short = Limits {
        header: SHORT,
        idle: SHORT,
        ..limits()
    };
    let server = start(short, hello()).await;
    let mut client = send(server.address, REQUEST).await;
    read_hello(&mut client).await;

    assert_eq!(rest(client).await, "");
}

#[tokio::test]
async fn a_client_that_does_not_read_gives_its_place_up() {
    let large = Bytes::from(vec![b'x'; 64 << 20]);
    let router = hello().route("/large", get(move || async { large }));
    let limits = Limits {
        write: SHORT,
        connections: 1,
        ..limits()
    };
    let server = start(limits, router).await;

    let deaf = send(server.address, b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut client = send(server.address, REQUEST).await;

    read_hello(&mut client).await;
    drop(deaf);
}

#[tokio::test]
async fn no_more_connections_are_served_than_allowed() {
    let connections = 1;
    let limits = Limits {
        connections,
        ..limits()
    };
    let server = start(limits, hello()).await;
    let mut first = send(server.address, REQUEST).await;
    read_hello(&mut first).await;

    let mut second = send(server.address, REQUEST).await;
    first.write_all(REQUEST).await.unwrap();
    read_hello(&mut first).await;
    let early = second.try_read(&mut [0; 16]).map_err(|error| error.kind());
    drop(first);
    read_hello(&mut second).await;

    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock));
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
    let (begun, go_on) = (
        std::sync::Arc::new(Notify::new()),
        std::sync::Arc::new(Notify::new()),
    );
    let (told, waits) = (begun.clone(), go_on.clone());
    let router = hello().route(
        "/slow",
        get(move || async move {
            told.notify_one();
            waits.notified().await;
            "slow hello"
        }),
    );
    let server = start(limits(), router).await;
    let mut idle = send(server.address, REQUEST).await;
    read_hello(&mut idle).await;
    let open = send(server.address, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
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
    let begun = std::sync::Arc::new(Notify::new());
    let told = begun.clone();
    let router = Router::new().route(
        "/",
        get(move || async move {
            told.notify_one();
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

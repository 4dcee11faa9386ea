//! The public listener under attack: honest webhooks are served while strangers hold connections
//! and memory.

use std::net::SocketAddr;

use replyd::whatsapp::signature::sign;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::raw_http::{Answer, exchange, get, request, until_continue};
use crate::support::assert_contains;
use crate::webhook_http::{FORGED, SECRET, Service, start, start_with};

/// Connections that the listener serves at the same time.
const PLACES: usize = 1_024;
/// The longest body, and how many of them one address may have at the same time.
const LARGEST_BODY: usize = 4 * 1_024 * 1_024;
const BODIES_OF_A_SHARE: usize = 4;

/// A connection from another address of this machine that has sent `bytes`.
async fn stranger(from: [u8; 4], address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// The head of a forged webhook whose body the server asks for.
fn forged_head(headers: &str, length: usize) -> String {
    format!(
        "POST /hooks/meta HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\
         X-Hub-Signature-256: {FORGED}\r\n{headers}\r\n"
    )
}

/// A forged webhook whose body has begun to be waited for.
async fn waited_for(from: [u8; 4], address: SocketAddr, headers: &str, length: usize) -> TcpStream {
    let mut stream = stranger(from, address, forged_head(headers, length).as_bytes()).await;
    until_continue(&mut stream).await;
    stream
}

async fn status(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    // A reset behind the answer is no matter.
    let _ = stream.read_to_string(&mut answer).await;
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

async fn honest(service: &Service, bytes: usize) -> Answer {
    let mut body = br#"{"object":"whatsapp_business_account","entry":[]}"#.to_vec();
    body.resize(bytes, b' ');
    let signature = format!("X-Hub-Signature-256: {}\r\n", sign(&SECRET.into(), &body));
    request(service.webhook, "POST", "/hooks/meta", &signature, &body).await
}

#[tokio::test]
async fn an_honest_webhook_gets_through_whatever_holds_the_connections() {
    let idle = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let attacks: [(&str, &[u8]); 3] = [
        ("half-open", b""),
        ("half a head", b"POST /hooks/meta HTTP/1.1\r\nHost: "),
        ("idle between requests", idle),
    ];

    for (what, bytes) in attacks {
        let service = start().await;
        let mut held = Vec::new();
        for number in 0..PLACES + 76 {
            // Enough addresses that none of them meets a limit of its own.
            let last = u8::try_from(number % 8).unwrap() + 1;
            held.push(stranger([127, 0, 1, last], service.webhook, bytes).await);
        }

        assert_eq!(honest(&service, 1_000).await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn a_large_honest_webhook_does_not_wait_for_silent_ones() {
    let service = start().await;
    let mut silent = forged_head("", 70_000).into_bytes();
    silent.resize(silent.len() + 69_999, b' ');
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(stranger([127, 0, 1, 1], service.webhook, &silent).await);
    }
    let mut first = [0; 512];
    // What it is asked to do, before the body.
    held[0].read_exact(&mut first[..25]).await.unwrap();

    tokio::select! {
        biased;
        answer = honest(&service, 147_000) => assert_eq!(answer.status, 200),
        _ = held[0].read(&mut first) => panic!("a silent one had to be given up first"),
    }
}

/// Forged webhooks that nearly fill the share of one address and more, each but for its last byte.
async fn fill_a_share(
    service: &Service,
    from: [u8; 4],
    headers: impl Fn(usize) -> String,
) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for number in 0..=BODIES_OF_A_SHARE {
        let headers = headers(number);
        let mut stream = waited_for(from, service.webhook, &headers, LARGEST_BODY).await;
        stream
            .write_all(&vec![b' '; LARGEST_BODY - 1])
            .await
            .unwrap();
        held.push(stream);
    }
    held
}

#[tokio::test]
async fn strangers_behind_a_proxy_have_shares_of_their_own() {
    let service = start().await;
    let proxy = [127, 0, 0, 1];
    let honest = "X-Forwarded-For: 203.0.113.5\r\n";
    let mut other = waited_for(proxy, service.webhook, honest, 3).await;
    other.write_all(b"{").await.unwrap();

    let mut held = fill_a_share(&service, proxy, |_| {
        "X-Forwarded-For: 203.0.113.5, 198.51.100.1\r\n".to_owned()
    })
    .await;

    assert_eq!(status(held.remove(0)).await, "503", "its own made room");
    other.write_all(b"}").await.unwrap();
    assert_ne!(status(other).await, "503", "though it came before them all");
}

#[tokio::test]
async fn only_a_trusted_proxy_can_name_the_sender() {
    let service = start_with(r#"server.trusted_proxies = ["127.0.0.1"]"#).await;

    let mut held = fill_a_share(&service, [127, 0, 1, 1], |number| {
        format!("X-Forwarded-For: 198.51.100.{number}\r\n")
    })
    .await;

    assert_eq!(status(held.remove(0)).await, "503", "they are all from one");
}

#[tokio::test]
async fn refusals_of_strangers_are_counted() {
    let service = start().await;
    get(service.webhook, "/hooks/meta").await;
    get(service.webhook, "/admin.php").await;
    request(service.webhook, "PUT", "/hooks/meta", "", b"").await;
    exchange(service.webhook, b"nonsense\r\n\r\n").await;

    let metrics = get(service.admin, "/metrics").await.body;

    for line in [
        "replyd_webhooks_total{outcome=\"challenge_refused\"} 1",
        "replyd_unmatched_requests_total{outcome=\"not_found\"} 1",
        "replyd_unmatched_requests_total{outcome=\"wrong_method\"} 1",
        "replyd_connections_total{outcome=\"malformed\"} 1",
    ] {
        assert_contains(&metrics, line);
    }
}

#[tokio::test]
async fn the_admin_listener_answers_only_under_names_that_lead_here() {
    let service = start_with(r#"admin.hosts = ["replyd", "Metrics.Internal"]"#).await;
    let address = service.admin.to_string();
    let port = service.admin.port();
    let hosts = [
        (address.as_str(), 200),
        ("localhost", 200),
        ("LocalHost:9999", 200),
        ("127.0.0.1", 200),
        ("127.8.8.8:1", 200),
        ("[::1]:8081", 200),
        ("replyd:8081", 200),
        ("metrics.internal", 200),
        (&format!("rebound.example:{port}"), 421),
        ("rebound.example", 421),
        ("localhost.rebound.example", 421),
        ("127.0.0.1.rebound.example", 421),
        ("127.0.0.1@rebound.example", 421),
        ("localhost, rebound.example", 421),
        ("192.0.2.1", 421),
        ("0.0.0.0", 421),
        ("[::]", 421),
        ("", 421),
    ];

    for (host, status) in hosts {
        for path in ["/livez", "/readyz", "/metrics"] {
            let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let answer = exchange(service.admin, text.as_bytes()).await;
            assert_eq!(answer.status, status, "{host:?} {path}");
        }
    }
}

#[tokio::test]
async fn the_admin_listener_wants_exactly_one_host() {
    let service = start().await;
    let requests = [
        "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.0\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: a.example\r\nConnection: close\r\n\r\n",
        "GET http://a.example/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET http://localhost/metrics HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    ];

    for text in requests {
        let answer = exchange(service.admin, text.as_bytes()).await;
        let sentence = "this host name is not known here: ask 127.0.0.1 or localhost, or list the name in admin.hosts\n";
        assert_eq!(answer.result(), (421, sentence), "{text}");
    }
    let metrics = get(service.admin, "/metrics").await.body;
    let line = "replyd_unmatched_requests_total{outcome=\"wrong_host\"} 7";
    assert_contains(&metrics, line);
}

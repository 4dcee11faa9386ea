//! The webhook over a socket, signed and unsigned.

use std::net::SocketAddr;

use replyd::app::App;
use replyd::clock::Clock;
use replyd::config;
use replyd::config::Sources;
use replyd::shutdown::Shutdown;
use replyd::whatsapp::signature::sign;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::raw_http::{Answer, exchange, get, request};
use crate::support::{assert_contains, folder_with};

pub(crate) const SECRET: &str = "current secret";
const OLD_SECRET: &str = "old secret";
const EMPTY_BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
/// Of the right form and wrong.
pub(crate) const FORGED: &str =
    "sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A running service without a gateway; stopped at once when it is dropped.
pub(crate) struct Service {
    pub(crate) webhook: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) ended: tokio::task::JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn start() -> Service {
    start_with("").await
}

/// With more lines of configuration.
pub(crate) async fn start_with(extra: &str) -> Service {
    let rules = "version = 1\n[[rule]]\nid = \"any\"\nreply = \"hello\"\n";
    let folder = folder_with(&[("rules.toml", rules)]);
    let text = format!(
        r#"
server.listen = "127.0.0.1:0"
admin.listen = "127.0.0.1:0"
webhook = {{ path = "/hooks/meta", app_secrets = ["{SECRET}", "{OLD_SECRET}"], verify_token = "t0ken&" }}
gateway = {{ base_url = "http://127.0.0.1:1", api_key = "key" }}
{extra}
"#
    );
    let file = Some((folder.path().join("replyd.toml"), text));
    let environment = Vec::new();
    let config = config::load(&Sources { file, environment }).unwrap();
    let app = App::build(config, Clock::System).await.unwrap();
    let shutdown = Shutdown::default();
    Service {
        webhook: app.webhook_address(),
        admin: app.admin_address(),
        stop: shutdown.hard.clone(),
        ended: tokio::spawn(app.run(shutdown.clone())),
        shutdown,
        _folder: folder,
    }
}

async fn post(service: &Service, headers: &str, body: &[u8]) -> Answer {
    request(service.webhook, "POST", "/hooks/meta", headers, body).await
}

fn signed(secret: &str, body: &[u8]) -> String {
    format!("X-Hub-Signature-256: {}\r\n", sign(&secret.into(), body))
}

#[tokio::test]
async fn the_challenge_is_echoed_as_plain_text_for_the_right_token() {
    let service = start().await;

    let answer = get(
        service.webhook,
        "/hooks/meta?hub.mode=subscribe&hub.challenge=%3Cb%3E0042&hub.verify_token=t0ken%26",
    )
    .await;

    assert_eq!(answer.result(), (200, "<b>0042"));
    assert_contains(&answer.head, "content-type: text/plain");
    assert_contains(&answer.head, "x-content-type-options: nosniff");
}

#[tokio::test]
async fn any_other_challenge_is_forbidden() {
    let service = start().await;
    let right = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=t0ken%26";
    let long =
        format!("{right}1").replace("challenge=1", &format!("challenge={}", "1".repeat(257)));
    let queries = [
        "",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=T0KEN%26",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=t0ken%26",
        "hub.challenge=1&hub.verify_token=t0ken%26",
        "hub.mode=subscribe&hub.verify_token=t0ken%26",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=x&hub.verify_token=t0ken%26",
        "hub.mode=subscribe&hub.challenge=%FF%00&hub.verify_token=%FF",
        &long,
    ];

    for query in queries {
        let answer = get(service.webhook, &format!("/hooks/meta?{query}")).await;
        assert_eq!(answer.result(), (403, "forbidden\n"), "{query}");
    }
    let answer = get(service.webhook, &format!("/hooks/meta?{right}")).await;
    assert_eq!(answer.status, 200, "the one they were made from is right");
}

#[tokio::test]
async fn a_webhook_signed_with_either_secret_is_accepted_with_an_empty_200() {
    let service = start().await;

    for secret in [SECRET, OLD_SECRET] {
        let answer = post(&service, &signed(secret, EMPTY_BODY), EMPTY_BODY).await;
        assert_eq!(answer.result(), (200, ""));
    }
}

#[tokio::test]
async fn a_webhook_without_a_valid_signature_gets_one_fixed_response() {
    let service = start().await;
    let right = signed(SECRET, EMPTY_BODY);
    let value = right.trim_end().trim_start_matches("X-Hub-Signature-256: ");
    let header = |value: &str| format!("X-Hub-Signature-256: {value}\r\n");
    let cases = [
        ("missing", String::new()),
        ("another body", signed(SECRET, b"{}")),
        ("another secret", signed("another", EMPTY_BODY)),
        ("doubled", format!("{right}{right}")),
        ("two values in one", header(&format!("{value}, {value}"))),
        (
            "upper case",
            header(&value.to_uppercase().replace("SHA", "sha")),
        ),
        ("upper case algorithm", header(&value.replace("sha", "SHA"))),
        ("sha1", header(&value.replace("sha256", "sha1"))),
        ("no algorithm", header(&value.replace("sha256=", ""))),
        ("short", header(&value[..value.len() - 1])),
        ("long", header(&format!("{value}0"))),
        ("empty", header("")),
        ("the legacy header", right.replace("-256", "")),
    ];

    for (what, headers) in cases {
        let answer = post(&service, &headers, EMPTY_BODY).await;
        let refusal = (401, "not signed by the app\n");
        assert_eq!(answer.result(), refusal, "{what}");
    }
}

#[tokio::test]
async fn an_unsigned_request_is_refused_before_its_body_comes() {
    let service = start().await;
    let head = "POST /hooks/meta HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";

    let answer = exchange(service.webhook, head.as_bytes()).await;

    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn compressed_bodies_are_refused_and_identity_is_none() {
    let service = start().await;
    let right = signed(SECRET, EMPTY_BODY);

    for (encoding, status) in [
        ("gzip", 415),
        ("identity, br", 415),
        ("", 415),
        ("Identity", 200),
    ] {
        let headers = format!("Content-Encoding: {encoding}\r\n{right}");
        let answer = post(&service, &headers, EMPTY_BODY).await;
        assert_eq!(answer.status, status, "{encoding}");
    }
}

#[tokio::test]
async fn a_body_of_4_mib_is_accepted_and_one_byte_more_is_not() {
    let service = start().await;
    let mut body = EMPTY_BODY.to_vec();
    body.resize(4 * 1_024 * 1_024, b' ');

    let largest = post(&service, &signed(SECRET, &body), &body).await;
    body.push(b' ');
    let head = format!(
        "POST /hooks/meta HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n",
        body.len(),
        signed(SECRET, &body)
    );
    let too_large = exchange(service.webhook, head.as_bytes()).await;

    assert_eq!(largest.status, 200);
    assert_eq!(too_large.status, 413, "and its body is not waited for");
}

#[tokio::test]
async fn a_client_that_keeps_writing_sees_why_its_body_is_refused() {
    let service = start().await;
    let body = vec![b' '; 8 * 1_024 * 1_024];
    let head = format!(
        "POST /hooks/meta HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n",
        body.len(),
        signed(SECRET, &body)
    );
    let mut stream = TcpStream::connect(service.webhook).await.unwrap();

    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();

    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let service = start().await;

    for (method, path, status) in [
        ("PUT", "/hooks/meta", 405),
        ("DELETE", "/hooks/meta", 405),
        ("POST", "/webhook", 404),
        ("POST", "/hooks/meta/", 404),
        ("GET", "/metrics", 404),
        ("GET", "/", 404),
    ] {
        let headers = signed(SECRET, EMPTY_BODY);
        let answer = request(service.webhook, method, path, &headers, EMPTY_BODY).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_their_answers() {
    let service = start().await;
    let right = signed(SECRET, EMPTY_BODY);
    let gzip = format!("Content-Encoding: gzip\r\n{right}");
    for headers in [
        "",
        &format!("X-Hub-Signature-256: {FORGED}\r\n"),
        &gzip,
        &right,
    ] {
        post(&service, headers, EMPTY_BODY).await;
    }

    let metrics = get(service.admin, "/metrics").await;

    for word in ["unsigned", "forged", "compressed", "accepted"] {
        let line = format!("replyd_webhooks_total{{outcome=\"{word}\"}} 1");
        assert_contains(&metrics.body, &line);
    }
    assert_contains(&metrics.body, "replyd_webhook_duration_seconds_count 1");
}

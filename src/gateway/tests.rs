use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::test_server::{Fake, Script, client_of, read};
use super::*;
use crate::message::{ErrorClass, Wamid};

async fn send(gateway: &Gateway) -> Result<Wamid, SendError> {
    let number = PhoneNumberId::parse("1065").unwrap();
    let sent = gateway.send_message(&number, &json!({ "a": 1 })).await;
    sent.map(|accepted| accepted.wamid)
}

async fn answer_to(script: Script) -> Result<Wamid, SendError> {
    let fake = Fake::start([script]).await;
    send(&fake.client()).await
}

#[track_caller]
fn rejection(result: Result<Wamid, SendError>) -> Rejection {
    match result {
        Err(SendError::Rejected(rejection)) => *rejection,
        other => panic!("a rejection is expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_send_is_one_post_with_key_and_connection() {
    let fake = Fake::start([Script::accepted("wamid.A=")]).await;

    let wamid = send(&fake.client()).await.unwrap();

    assert_eq!(wamid.as_str(), "wamid.A=");
    let [request] = fake.requests().try_into().unwrap();
    let head = request.head.to_lowercase();
    let is_send = head.starts_with("post /base/v23.0/1065/messages http/1.1");
    assert!(is_send, "{head}");
    for header in [
        "authorization: bearer key-canary",
        "maton-connection: connection-1",
        "content-type: application/json",
    ] {
        let has_header = head.lines().any(|line| line == header);
        assert!(has_header, "{header} in {head}");
    }
    assert_eq!(request.body, json!({ "a": 1 }));
}

#[tokio::test]
async fn sends_one_after_the_other_share_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        // Another connection would never be accepted.
        let (mut stream, _) = listener.accept().await.unwrap();
        let body = r#"{"messages":[{"id":"wamid.A="}]}"#;
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        while read(&mut stream).await.is_some() {
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let gateway = client_of(&format!("http://{address}"));

    for _ in 0..10 {
        let sent = send(&gateway).await;

        assert!(sent.is_ok(), "{sent:?}");
    }
}

#[tokio::test]
async fn a_read_mark_needs_no_wamid_in_the_answer() {
    let fake = Fake::start([Script::answer(200, "", r#"{"success":true}"#)]).await;
    let number = PhoneNumberId::parse("1065").unwrap();

    let result = fake.client().mark_read(&number, &json!({})).await;

    assert!(result.is_ok(), "{result:?}");
}

#[tokio::test]
async fn an_answer_nobody_can_read_leaves_it_unclear_whether_the_message_went() {
    let html = "<html>Bad Gateway</html>";
    let foreign_code = r#"{"error":{"code":500}}"#;
    let big = "x".repeat(300 * 1024);
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let answer = |status, body: &str| Script::answer(status, "", body);
    let cases = [
        ("502 of a proxy", answer(502, html)),
        ("503 without a body", answer(503, "")),
        (
            "504 with foreign JSON",
            answer(504, r#"{"error":"timeout"}"#),
        ),
        ("500 with foreign code", answer(500, foreign_code)),
        ("408", answer(408, "")),
        ("200 with junk", answer(200, html)),
        ("200 with nothing", answer(200, "")),
        ("200 without a message", answer(200, r#"{"messages":[]}"#)),
        ("200 too large", answer(200, &big)),
        ("reset before the answer", Script::Bytes(Vec::new())),
        ("cut in the middle", Script::Bytes(cut.to_vec())),
        ("no HTTP", Script::Bytes(b"hello\r\n\r\n".to_vec())),
        ("no answer in time", Script::Stall(Vec::new())),
    ];
    for (name, script) in cases {
        let result = answer_to(script).await;
        assert!(
            matches!(result, Err(SendError::Unknown(_))),
            "{name}: {result:?}"
        );
    }
}

#[tokio::test]
async fn a_graph_error_is_a_rejection_by_its_code_whatever_the_status() {
    let cases = [
        (400, 131_047, ErrorClass::WindowClosed),
        (400, 130_429, ErrorClass::SlowNumber),
        (400, 131_056, ErrorClass::SlowPair),
        (400, 4, ErrorClass::RetrySlow),
        (401, 190, ErrorClass::Account),
        (403, 200, ErrorClass::Account),
        (500, 131_000, ErrorClass::RetryWide),
        (503, 2, ErrorClass::Retry),
        (200, 131_026, ErrorClass::Undeliverable),
        (500, 999_999, ErrorClass::Retry),
        (400, 999_999, ErrorClass::GiveUp),
    ];
    for (status, code, class) in cases {
        let rejection = rejection(answer_to(Script::graph_error(status, code)).await);

        assert_eq!(rejection.class(), class, "{status} {code}");
        assert_eq!(rejection.source(), Source::Meta);
    }
}

#[tokio::test]
async fn a_transient_error_nobody_documented_is_tried_again() {
    let body = r#"{"error":{"code":999999,"is_transient":true,"fbtrace_id":"A"}}"#;

    let rejection = rejection(answer_to(Script::answer(400, "", body)).await);

    assert_eq!(rejection.class(), ErrorClass::Retry);
}

#[tokio::test]
async fn the_gateways_own_refusals_are_told_from_metas() {
    let bad_key = r#"{"error":{"code":401,"message":"bad key"}}"#;
    let cases = [
        (400, r#"{"error":"no connection"}"#, ErrorClass::Account),
        (401, bad_key, ErrorClass::Account),
        (404, "<html>", ErrorClass::Account),
        (302, "", ErrorClass::Account),
        (413, "", ErrorClass::GiveUp),
        (429, "", ErrorClass::Retry),
    ];
    for (status, body, class) in cases {
        let script = Script::answer(status, "location: http://127.0.0.1:9/\r\n", body);

        let rejection = rejection(answer_to(script).await);

        assert_eq!(rejection.class(), class, "{status}");
        assert_eq!(rejection.source(), Source::Gateway, "{status}");
        assert_eq!(rejection.status, status);
    }
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_and_as_a_date() {
    let date = "date: Mon, 23 Nov 2026 15:00:00 GMT\r\n";
    let at = |time| format!("{date}retry-after: Mon, 23 Nov 2026 {time} GMT\r\n");
    let cases = [
        ("retry-after: 7\r\n".to_owned(), Some(7)),
        (at("15:01:30"), Some(90)),
        (at("14:00:00"), None),
        ("retry-after: soon\r\n".to_owned(), None),
        (String::new(), None),
    ];
    for (headers, seconds) in cases {
        let rejection = rejection(answer_to(Script::answer(429, &headers, "")).await);

        let retry_after = rejection.retry_after.map(|wait| wait.as_secs());
        assert_eq!(retry_after, seconds, "{headers}");
    }
}

#[tokio::test]
async fn a_gateway_that_cannot_be_reached_was_certainly_sent_nothing() {
    // Bound and dropped, so that no process listens at the address.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();

    let no_tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let without_tls = no_tls.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = no_tls.accept().await.unwrap();
        let mut hello = [0; 4_096];
        let _ = stream.read(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 no TLS here\r\n\r\n").await
    });

    let refused = send(&client_of(&format!("http://{closed}"))).await;
    let insecure = send(&client_of(&format!("https://{without_tls}"))).await;

    assert!(
        matches!(refused, Err(SendError::NotSent(NotSent::Refused))),
        "{refused:?}"
    );
    assert!(
        matches!(insecure, Err(SendError::NotSent(NotSent::Tls(_)))),
        "{insecure:?}"
    );
}

#[tokio::test]
async fn nothing_secret_is_shown_by_debug_or_display() {
    let fake = Fake::start([Script::graph_error(400, 131_047)]).await;
    let gateway = fake.client();

    let error = send(&gateway).await.unwrap_err();

    let shown = format!("{gateway:?} {error:?} {error}");
    assert!(!shown.contains("key-canary"), "{shown}");
    assert!(!shown.contains("why"), "{shown}");
    assert_eq!(
        error.to_string(),
        "error 131047: more than 24 hours have passed since the contact's last message"
    );
    let SendError::Rejected(rejection) = error else {
        panic!("a rejection is expected");
    };
    assert!(rejection.reason().ends_with("(why)"));
}

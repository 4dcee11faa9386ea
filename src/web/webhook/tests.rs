//! Bodies whose reading can be observed: amount and time. `tests/it/webhook_http.rs` tests the rest
//! of the webhook over sockets.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use futures_util::stream::{self, Stream, StreamExt as _};
use tower::ServiceExt as _;

use super::{BODY_GRACE, BODY_TIMEOUT, MAX_BODY_BYTES, Webhook, routes};
use crate::config;
use crate::intake::Intake;
use crate::web::server::Limits;

/// Well-formed and wrong signature: it is rejected only after the whole body was read.
const FORGED: &str = "sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Nothing here is signed, so nothing is stored.
fn webhook() -> Router {
    let settings = config::Webhook {
        path: "/webhook".to_owned(),
        app_secrets: vec!["secret".into()],
        verify_token: "token".into(),
    };
    routes(
        "/webhook",
        Webhook::new(
            &settings,
            Limits::default(),
            Intake::closed(),
            Arc::default(),
        ),
    )
}

fn post(signature: &str, body: impl Stream<Item = Bytes> + Send + 'static) -> Request<Body> {
    Request::post("/webhook")
        .header("x-hub-signature-256", signature)
        .body(Body::from_stream(body.map(Ok::<_, Infallible>)))
        .unwrap()
}

/// Endless body in parts of 64 KiB, with the number of parts taken.
fn endless() -> (Arc<AtomicUsize>, impl Stream<Item = Bytes> + Send + 'static) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let part = Bytes::from(vec![b' '; 64 * 1_024]);
    let parts = stream::repeat_with(move || {
        count.fetch_add(1, Ordering::SeqCst);
        part.clone()
    });
    (taken, parts)
}

#[tokio::test]
async fn nothing_of_a_body_is_read_when_the_signature_has_no_form() {
    let webhook = webhook();

    for signature in ["", "sha256=", &FORGED.to_uppercase(), &format!("{FORGED} ")] {
        let (taken, body) = endless();
        let answer = webhook
            .clone()
            .oneshot(post(signature, body))
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{signature}");
        assert_eq!(taken.load(Ordering::SeqCst), 0, "{signature}");
    }
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit() {
    let (taken, body) = endless();

    let answer = webhook().oneshot(post(FORGED, body)).await.unwrap();

    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        taken.load(Ordering::SeqCst),
        MAX_BODY_BYTES / (64 * 1_024) + 1
    );
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let webhook = webhook();
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    let body = stream::iter([Bytes::from_static(b"{")]).chain(stream::pending());

    let answer = webhook.oneshot(post(FORGED, body)).await.unwrap();

    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    assert!((BODY_GRACE..BODY_TIMEOUT).contains(&before.elapsed()));
}

/// Body in parts, each after a pause.
fn paced(parts: usize, bytes: usize, pause: Duration) -> impl Stream<Item = Bytes> + Send {
    let part = Bytes::from(vec![b' '; bytes]);
    stream::iter(0..parts).then(move |_| {
        let part = part.clone();
        async move {
            tokio::time::sleep(pause).await;
            part
        }
    })
}

#[tokio::test]
async fn a_body_that_drips_is_cut_off_and_one_over_a_slow_line_is_not() {
    let webhook = webhook();
    tokio::time::pause();
    let second = Duration::from_secs(1);

    for (case, body, status) in [
        (
            "one byte a second",
            paced(60, 1, second),
            StatusCode::REQUEST_TIMEOUT,
        ),
        // Rejected by its signature, so it was read to its end.
        (
            "16 kB a second",
            paced(9, 16_384, second),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "4 s of silence",
            paced(1, 100, 4 * second),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        let before = tokio::time::Instant::now();
        let answer = webhook.clone().oneshot(post(FORGED, body)).await.unwrap();
        assert_eq!(answer.status(), status, "{case}");
        assert!(before.elapsed() < BODY_TIMEOUT, "{case}");
    }
}

#[tokio::test]
async fn silent_bodies_with_false_signatures_do_not_hold_up_others() {
    let webhook = webhook();
    tokio::time::pause();
    let (taken, _) = endless();
    // More than fit: sixteen of them would take all memory.
    let mut held = Vec::new();
    for _ in 0..20 {
        let count = Arc::clone(&taken);
        let largest = stream::iter([Bytes::from(vec![b' '; MAX_BODY_BYTES - 1])])
            .inspect(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
            })
            .chain(stream::pending());
        held.push(tokio::spawn(webhook.clone().oneshot(post(FORGED, largest))));
    }
    while taken.load(Ordering::SeqCst) < held.len() {
        tokio::task::yield_now().await;
    }
    let before = tokio::time::Instant::now();

    // Forged too, so that no time passes in the database: the signature check takes its last byte.
    let body = stream::iter([Bytes::from(vec![b' '; 147_000])]);
    let answer = webhook.oneshot(post(FORGED, body)).await.unwrap();

    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(before.elapsed(), Duration::ZERO, "nothing was waited for");
    let mut answers = Vec::new();
    for request in held {
        answers.push(request.await.unwrap().unwrap().status());
    }
    let crowded = [StatusCode::SERVICE_UNAVAILABLE; 5];
    assert_eq!(answers[..5], crowded, "the slowest made room, at once");
    assert_eq!(answers[5..], [StatusCode::REQUEST_TIMEOUT; 15]);
}

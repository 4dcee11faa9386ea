//! Meta's door: the challenge, and updates that are truly signed.
//!
//! Every check runs before the next dearer one: headers, size, signature over the raw bytes, and only then is
//! anything decoded. 200 means stored; strangers get fixed words. Nothing of a request is logged.
//! Next on the way of a message: [`crate::intake`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use secrecy::SecretString;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::config;
use crate::intake::Intake;
use crate::telemetry::Metrics;
use crate::whatsapp::signature::{self, SignatureError};
use crate::whatsapp::webhook;

/// Meta's bodies reach 3 MB.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
const MAX_BODY_BYTES: usize = 4 * 1_024 * 1_024;
/// Nearly every body is smaller; larger ones share [`LARGE_BODIES`] places, which bounds our memory.
const SMALL_BODY_BYTES: usize = 64 * 1_024;
const LARGE_BODIES: usize = 16;
/// For the whole body, from its first byte.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Meta's challenges are a few digits.
const MAX_CHALLENGE_CHARACTERS: usize = 256;
/// A wrong app secret makes every webhook fail: one line a minute is enough to find it.
const COMPLAINT_PAUSE: Duration = Duration::from_mins(1);
/// The header that carries the signature.
/// See <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads>.
const SIGNATURE: &str = "x-hub-signature-256";

/// What the webhook's handlers work with.
#[derive(Debug)]
pub(crate) struct Webhook {
    intake: Intake,
    app_secrets: Vec<SecretString>,
    verify_token: SecretString,
    metrics: Arc<Metrics>,
    large_bodies: Semaphore,
    complained: Mutex<Option<Instant>>,
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Compressed,
    Unsigned,
    Forged,
    TooLarge,
    Slow,
    CutOff,
    Unavailable,
}

impl Refusal {
    /// The answer, its fixed text, and the word it is counted under.
    fn answer(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Compressed => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "compressed bodies are not accepted\n",
                "compressed",
            ),
            // One text for both: a stranger learns nothing from trying.
            Self::Unsigned => (
                StatusCode::UNAUTHORIZED,
                "not signed by the app\n",
                "unsigned",
            ),
            Self::Forged => (
                StatusCode::UNAUTHORIZED,
                "not signed by the app\n",
                "forged",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body too large\n",
                "too_large",
            ),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "body too slow\n", "slow"),
            Self::CutOff => (StatusCode::BAD_REQUEST, "body incomplete\n", "cut_off"),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "try again later\n",
                "unavailable",
            ),
        }
    }
}

impl Webhook {
    /// Hands what is truly signed by one of the app secrets to `intake`.
    pub(crate) fn new(settings: &config::Webhook, intake: Intake, metrics: Arc<Metrics>) -> Self {
        Self {
            intake,
            app_secrets: settings.app_secrets.clone(),
            verify_token: settings.verify_token.clone(),
            metrics,
            large_bodies: Semaphore::new(LARGE_BODIES),
            complained: Mutex::new(None),
        }
    }

    async fn take(&self, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        if is_compressed(headers) {
            return Err(Refusal::Compressed);
        }
        let signatures: Vec<&[u8]> = headers
            .get_all(SIGNATURE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        // With no secret to try, only the header's form is judged; that needs no body.
        match signature::verify(&[], &signatures, b"") {
            Ok(()) | Err(SignatureError::Mismatch) => {}
            Err(_) => return Err(Refusal::Unsigned),
        }
        let (body, _place) = tokio::time::timeout(BODY_TIMEOUT, self.read(body))
            .await
            .map_err(|_| Refusal::Slow)??;
        let started = Instant::now();
        signature::verify(&self.app_secrets, &signatures, &body).map_err(|_| Refusal::Forged)?;
        let stored = self.intake.submit(webhook::read(&body)).await;
        self.metrics
            .webhook_seconds
            .observe(started.elapsed().as_secs_f64());
        stored.map_err(|_| Refusal::Unavailable)
    }

    /// Reads a body to its end, with its place among the large ones when it is one.
    async fn read(&self, mut body: Body) -> Result<(Bytes, Option<SemaphorePermit<'_>>), Refusal> {
        if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
            return Err(Refusal::TooLarge);
        }
        let mut bytes = BytesMut::new();
        let mut place = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::CutOff)?;
            let Ok(part) = frame.into_data() else {
                continue;
            };
            let length = bytes.len() + part.len();
            if length > MAX_BODY_BYTES {
                return Err(Refusal::TooLarge);
            }
            if length > SMALL_BODY_BYTES && place.is_none() {
                let free = self.large_bodies.acquire().await;
                place = Some(free.expect("the semaphore is never closed"));
            }
            bytes.extend_from_slice(&part);
        }
        Ok((bytes.freeze(), place))
    }

    fn count(&self, word: &'static str) {
        self.metrics.webhooks.get_or_create(&word.into()).inc();
    }

    /// Tells the owner, once in a while, that signatures do not fit.
    fn complain(&self) {
        let now = Instant::now();
        let mut complained = self
            .complained
            .lock()
            .expect("no holder of this lock panics");
        if complained.is_none_or(|last| now - last >= COMPLAINT_PAUSE) {
            *complained = Some(now);
            tracing::warn!(
                "webhook refused: signed with none of webhook.app_secrets; is it your Meta app's secret? \
                 (told once a minute at most)"
            );
        }
    }
}

/// The routes of the webhook.
pub(super) fn routes(path: &str, webhook: Webhook) -> Router {
    Router::new()
        .route(path, get(answer_challenge).post(receive))
        .with_state(Arc::new(webhook))
}

/// Answers Meta's check of the callback URL.
/// See <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests>.
async fn answer_challenge(
    State(webhook): State<Arc<Webhook>>,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let pairs = query.map(|Query(pairs)| pairs).unwrap_or_default();
    let token_fits = only(&pairs, "hub.verify_token")
        .is_some_and(|token| signature::token_matches(&webhook.verify_token, token));
    let challenge = only(&pairs, "hub.challenge")
        .filter(|challenge| challenge.chars().count() <= MAX_CHALLENGE_CHARACTERS);
    match challenge {
        Some(challenge) if token_fits && only(&pairs, "hub.mode") == Some("subscribe") => {
            tracing::info!("webhook challenge answered");
            let plain = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (plain, challenge.to_owned()).into_response()
        }
        _ => {
            tracing::warn!("webhook challenge refused: the verify token or the request is wrong");
            (StatusCode::FORBIDDEN, "forbidden\n").into_response()
        }
    }
}

/// The value of a key that is given exactly once.
fn only<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let mut values = pairs.iter().filter(|(name, _)| name == key);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

async fn receive(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    match webhook.take(&head.headers, body).await {
        Ok(()) => {
            webhook.count("accepted");
            StatusCode::OK.into_response()
        }
        Err(refusal) => {
            let (status, text, word) = refusal.answer();
            webhook.count(word);
            if matches!(refusal, Refusal::Forged) {
                webhook.complain();
            }
            (status, text).into_response()
        }
    }
}

/// Meta sends bodies as they are; a compressed one could grow without bound, and its bytes are not what was signed.
fn is_compressed(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests;

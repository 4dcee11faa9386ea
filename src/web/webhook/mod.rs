//! The webhook: Meta's challenge, and updates with a valid signature.
//!
//! Cheap checks run before expensive ones: headers, size, signature over the raw bytes, and only
//! then decoding. 200 means stored; invalid requests get fixed texts. Nothing of a request is
//! logged. Next on the way of a message: [`crate::intake`].

use std::sync::Arc;
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
use tokio::time::Instant;

use super::body_budget::{BodyBudget, BodyLimits, BodyReservation, Crowded};
use super::peer::{Client, Peer};
use super::server::Limits;
use crate::config;
use crate::intake::Intake;
use crate::telemetry::{Metrics, RateLimitedLog};
use crate::whatsapp::inbound;
use crate::whatsapp::signature;
use crate::whatsapp::signature::SignatureError;

/// Upper bound of a body; Meta's reach 3 MB. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
const MAX_BODY_BYTES: usize = 4 * 1_024 * 1_024;
/// Memory for the bodies of all requests; nearly all have a few kilobytes.
const BODIES_BYTES: usize = 16 * MAX_BODY_BYTES;
/// Time for which a body may stall, and its least rate: a bad phone line is faster.
const BODY_GRACE: Duration = Duration::from_secs(5);
const BODY_BYTES_PER_SECOND: u64 = 8 * 1_024;
/// Time for the whole body, from its first byte.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Upper bound of a challenge; Meta's have a few digits.
const MAX_CHALLENGE_CHARACTERS: usize = 256;
/// Header with the signature. See
/// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads>.
const SIGNATURE: &str = "x-hub-signature-256";

/// State of the webhook's handlers.
#[derive(Debug)]
pub(crate) struct Webhook {
    intake: Intake,
    app_secrets: Vec<SecretString>,
    verify_token: SecretString,
    metrics: Arc<Metrics>,
    body_budget: Arc<BodyBudget>,
    /// Limited, because a wrong app secret makes every webhook fail.
    forged: RateLimitedLog,
    challenge_refused: RateLimitedLog,
    crowded: RateLimitedLog,
}

/// Reason of a rejection.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Compressed,
    Unsigned,
    Forged,
    TooLarge,
    Slow,
    CutOff,
    Crowded,
    Unavailable,
}

impl Refusal {
    /// Status, fixed text, and name for counting.
    fn answer(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Compressed => (415, "compressed bodies are not accepted\n", "compressed"),
            // One text for both, so that clients learn nothing from trying.
            Self::Unsigned => (401, "not signed by the app\n", "unsigned"),
            Self::Forged => (401, "not signed by the app\n", "forged"),
            Self::TooLarge => (413, "body too large\n", "too_large"),
            Self::Slow => (408, "body too slow\n", "slow"),
            Self::CutOff => (400, "body incomplete\n", "cut_off"),
            // At once, and Meta sends it again: a wait would only make more bodies wait.
            Self::Crowded => (503, "try again later\n", "crowded"),
            Self::Unavailable => (503, "try again later\n", "unavailable"),
        }
    }
}

impl From<Crowded> for Refusal {
    fn from(_: Crowded) -> Self {
        Self::Crowded
    }
}

impl Webhook {
    /// Creates the webhook, which hands signed updates to `intake`.
    pub(crate) fn new(
        settings: &config::Webhook,
        limits: Limits,
        intake: Intake,
        metrics: Arc<Metrics>,
    ) -> Self {
        let body_budget = BodyBudget::new(BodyLimits {
            bytes: BODIES_BYTES,
            // Incoming bodies keep their connections; half of the slots stay for others.
            coming: limits.connections.div_ceil(2),
            grace: BODY_GRACE,
            bytes_per_second: BODY_BYTES_PER_SECOND,
        });
        Self {
            intake,
            app_secrets: settings.app_secrets.clone(),
            verify_token: settings.verify_token.clone(),
            metrics,
            body_budget,
            forged: RateLimitedLog::default(),
            challenge_refused: RateLimitedLog::default(),
            crowded: RateLimitedLog::default(),
        }
    }

    async fn take(
        &self,
        headers: &HeaderMap,
        peer: Option<Peer>,
        body: Body,
    ) -> Result<(), Refusal> {
        if is_compressed(headers) {
            return Err(Refusal::Compressed);
        }
        let signatures: Vec<&[u8]> = headers
            .get_all(SIGNATURE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        // Without a secret only the header's form is checked, which needs no body.
        match signature::verify(&[], &signatures, b"") {
            Ok(()) | Err(SignatureError::Mismatch) => {}
            Err(_) => return Err(Refusal::Unsigned),
        }
        // The reservation is kept until the updates are stored.
        let (body, _room) = tokio::time::timeout(BODY_TIMEOUT, self.read(peer, body))
            .await
            .map_err(|_| Refusal::Slow)??;
        let started = Instant::now();
        signature::verify(&self.app_secrets, &signatures, &body).map_err(|_| Refusal::Forged)?;
        let stored = self
            .intake
            .submit(inbound::read(&body, self.intake.now()))
            .await;
        self.metrics
            .webhook_seconds
            .observe(started.elapsed().as_secs_f64());
        stored.map_err(|_| Refusal::Unavailable)
    }

    /// Reads a body to its end, with its reservation.
    async fn read(
        &self,
        peer: Option<Peer>,
        mut body: Body,
    ) -> Result<(Bytes, BodyReservation), Refusal> {
        if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
            return Err(Refusal::TooLarge);
        }
        let mut room = self.body_budget.begin(peer)?;
        let mut bytes = BytesMut::new();
        while let Some(frame) = tokio::select! {
            // Nearly every body is there with its head: then no timer is set.
            biased;
            frame = body.frame() => frame,
            () = room.taken_away() => return Err(Refusal::Crowded),
            () = tokio::time::sleep_until(room.due()) => return Err(Refusal::Slow),
        } {
            let frame = frame.map_err(|_| Refusal::CutOff)?;
            let Ok(part) = frame.into_data() else {
                continue;
            };
            if bytes.len() + part.len() > MAX_BODY_BYTES {
                return Err(Refusal::TooLarge);
            }
            room.grow(part.len())?;
            bytes.extend_from_slice(&part);
        }
        room.complete()?;
        Ok((bytes.freeze(), room))
    }

    fn count(&self, word: &'static str) {
        self.metrics.webhooks.get_or_create(&word.into()).inc();
    }

    /// Logs a rejection that may be caused by this service rather than the client.
    fn complain(&self, refusal: Refusal) {
        match refusal {
            Refusal::Forged => self.forged.log(|left_out| {
                tracing::warn!(
                    left_out,
                    "webhook refused: signed with none of webhook.app_secrets; is it your Meta app's secret? \
                     (logged at most once a minute)"
                );
            }),
            Refusal::Crowded => self.crowded.log(|left_out| {
                tracing::warn!(
                    left_out,
                    "webhook refused: too many bodies are coming in, or too many from its address \
                     (logged at most once a minute)"
                );
            }),
            Refusal::Compressed
            | Refusal::Unsigned
            | Refusal::TooLarge
            | Refusal::Slow
            | Refusal::CutOff
            | Refusal::Unavailable => {}
        }
    }
}

/// Routes of the webhook.
pub(super) fn routes(path: &str, webhook: Webhook) -> Router {
    Router::new()
        .route(path, get(answer_challenge).post(receive))
        .with_state(Arc::new(webhook))
}

/// Answers Meta's check of the callback URL. See
/// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests>.
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
            webhook.count("challenge");
            tracing::info!("webhook challenge answered");
            let plain = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (plain, challenge.to_owned()).into_response()
        }
        _ => {
            webhook.count("challenge_refused");
            webhook.challenge_refused.log(|left_out| {
                tracing::warn!(
                    left_out,
                    "webhook challenge refused: the verify token or the request is wrong \
                     (logged at most once a minute)"
                );
            });
            (StatusCode::FORBIDDEN, "forbidden\n").into_response()
        }
    }
}

/// Value of a key that occurs exactly once.
fn only<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let mut values = pairs.iter().filter(|(name, _)| name == key);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

async fn receive(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let client = head.extensions.get::<Client>();
    let peer = client.and_then(|Client(peer)| *peer);
    match webhook.take(&head.headers, peer, body).await {
        Ok(()) => {
            webhook.count("accepted");
            StatusCode::OK.into_response()
        }
        Err(refusal) => {
            let (status, text, word) = refusal.answer();
            webhook.count(word);
            webhook.complain(refusal);
            let status = StatusCode::from_u16(status).expect("each is a status");
            (status, text).into_response()
        }
    }
}

/// Whether a body is compressed. Meta's are not; one could grow without bound, and its bytes are
/// not the signed ones.
fn is_compressed(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests;

//! Graph's side: takes sends and read marks, refuses what Graph refuses, and sends receipts.
//!
//! Answers and errors have the shape of
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages> and
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fault::Fault;
use super::state::{Bubble, Option as ScreenOption, Request, Side, Verdict};
use super::{Inner, Receipts, webhooks};

/// Why Graph refuses a request.
struct Refusal {
    status: StatusCode,
    code: i64,
    subcode: Option<i64>,
    details: String,
}

impl Refusal {
    fn new(code: i64, details: impl Into<String>) -> Self {
        let status = match code {
            190 => StatusCode::UNAUTHORIZED,
            131_000 | 131_016 => StatusCode::INTERNAL_SERVER_ERROR,
            133_004 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            code,
            subcode: None,
            details: details.into(),
        }
    }

    fn answer(&self) -> Response {
        let mut error = json!({
            "message": format!("(#{}) refused by the sandbox", self.code),
            "type": "OAuthException",
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.details },
            "fbtrace_id": Uuid::new_v4().simple().to_string(),
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

/// `POST /{version}/{number}/messages`.
pub(super) async fn messages(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, number)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if let Err(refusal) = inner.admit(&number, &headers, &body) {
        inner.note(&number, &body, Verdict::Refused(refusal.code));
        return refusal.answer();
    }
    if body["status"] == "read" {
        return inner.read_mark(&number, &body);
    }
    if let Err(refusal) = acceptable(&body) {
        inner.note(&number, &body, Verdict::Refused(refusal.code));
        return refusal.answer();
    }
    let fault = inner.change(|state| state.faults.pop_front());
    match fault {
        None => inner.accept(&number, &body).await,
        Some(Fault::Graph(code)) => {
            inner.note(&number, &body, Verdict::Refused(code));
            Refusal::new(code, "a scripted fault").answer()
        }
        Some(Fault::BadGateway) => {
            inner.note(&number, &body, Verdict::Refused(0));
            (StatusCode::BAD_GATEWAY, "<html>502 Bad Gateway</html>").into_response()
        }
        Some(Fault::TooMany(seconds)) => {
            inner.note(&number, &body, Verdict::Refused(0));
            let retry_after = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, retry_after, "slow down").into_response()
        }
        Some(Fault::LostAnswer) => {
            inner.accept(&number, &body).await;
            broken()
        }
        Some(Fault::Stall) => {
            inner.stall().await;
            inner.accept(&number, &body).await
        }
    }
}

/// An answer whose connection breaks in the middle of it.
fn broken() -> Response {
    let parts = [
        Ok(Bytes::from_static(b"{\"messaging")),
        Err(std::io::Error::other("broken")),
    ];
    let body = Body::from_stream(stream::iter(parts));
    ([(header::CONTENT_LENGTH, "4096")], body).into_response()
}

/// What Graph checks of a message before it takes it.
fn acceptable(body: &Value) -> Result<(), Refusal> {
    if body["messaging_product"] != "whatsapp" {
        return Err(Refusal::new(
            100,
            "The parameter messaging_product is required.",
        ));
    }
    if recipient(body).is_none_or(str::is_empty) {
        return Err(Refusal::new(131_008, "The parameter to is required."));
    }
    let kind = body["type"].as_str().unwrap_or("text");
    let content = &body[kind];
    if !content.is_object() {
        return Err(Refusal::new(
            131_008,
            format!("The parameter {kind} is required."),
        ));
    }
    let within = |text: &Value, most: usize, name: &str| match text.as_str() {
        Some(text) if (1..=most).contains(&text.encode_utf16().count()) => Ok(()),
        _ => Err(Refusal::new(
            131_009,
            format!("{name} must have 1 to {most} characters."),
        )),
    };
    match kind {
        "text" => within(&content["body"], 4096, "text.body"),
        "interactive" => {
            within(&content["body"]["text"], 1024, "body.text")?;
            for option in options(content, "") {
                let most = if option.kind == "button_reply" {
                    20
                } else {
                    24
                };
                within(&json!(option.title), most, "title")?;
            }
            let (shown, most) = (options(content, "").len(), 10);
            let most = if content["type"] == "button" { 3 } else { most };
            if shown == 0 || shown > most {
                return Err(Refusal::new(
                    131_009,
                    format!("There must be 1 to {most} options."),
                ));
            }
            Ok(())
        }
        "image" | "video" | "audio" | "document" if content["link"].is_string() => Ok(()),
        "image" | "video" | "audio" | "document" => Err(Refusal::new(
            131_008,
            format!("{kind}.link or {kind}.id is required."),
        )),
        _ => Err(Refusal::new(
            131_051,
            "The sandbox does not know this type.",
        )),
    }
}

/// The address without its plus.
fn recipient(body: &Value) -> Option<&str> {
    let to = body["to"].as_str().map(|to| to.trim_start_matches('+'));
    to.or_else(|| body["recipient"].as_str())
}

/// What can be tapped in an interactive message.
fn options(content: &Value, of: &str) -> Vec<ScreenOption> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let option = |kind: &str, value: &Value| ScreenOption {
        id: text(&value["id"]),
        title: text(&value["title"]),
        description: value["description"].as_str().map(str::to_owned),
        kind: kind.to_owned(),
        of: of.to_owned(),
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let action = &content["action"];
    let buttons = list(&action["buttons"]);
    let buttons = buttons
        .iter()
        .map(|button| option("button_reply", &button["reply"]));
    let rows = list(&action["sections"])
        .into_iter()
        .flat_map(|section| list(&section["rows"]));
    buttons
        .chain(rows.map(|row| option("list_reply", &row)))
        .collect()
}

/// What a phone shows of a message.
fn shown(body: &Value) -> String {
    let kind = body["type"].as_str().unwrap_or("text");
    let content = &body[kind];
    let text = match kind {
        "text" => &content["body"],
        "interactive" => &content["body"]["text"],
        _ => &content["caption"],
    };
    let text = text.as_str().unwrap_or_default();
    match content["link"].as_str() {
        Some(link) => format!("[{kind}] {link} {text}").trim_end().to_owned(),
        None => text.to_owned(),
    }
}

impl Inner {
    /// Checks what Graph checks of every request: the token and the number.
    fn admit(&self, number: &str, headers: &HeaderMap, body: &Value) -> Result<(), Refusal> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let expected = format!("Bearer {}", self.settings.api_key.expose_secret());
        if bearer != Some(expected.as_str()) {
            return Err(Refusal::new(190, "Error validating access token."));
        }
        if !self
            .settings
            .numbers
            .iter()
            .any(|known| known.as_str() == number)
        {
            let refusal = Refusal::new(100, "Object with this id does not exist.");
            return Err(Refusal {
                subcode: Some(33),
                ..refusal
            });
        }
        if !body.is_object() {
            return Err(Refusal::new(100, "The body is not a JSON object."));
        }
        Ok(())
    }

    fn note(&self, number: &str, body: &Value, verdict: Verdict) {
        self.change(|state| {
            state.requests.push(Request {
                phone_number_id: number.to_owned(),
                recipient: recipient(body).map(str::to_owned),
                tag: body["biz_opaque_callback_data"].as_str().map(str::to_owned),
                body: body.clone(),
                verdict,
            });
        });
    }

    fn read_mark(&self, number: &str, body: &Value) -> Response {
        let wamid = body["message_id"].as_str().unwrap_or_default();
        if !super::lock(&self.state).knows(wamid) {
            self.note(number, body, Verdict::Refused(131_009));
            return Refusal::new(131_009, "There is no such message.").answer();
        }
        self.change(|state| state.mark_read(wamid));
        self.note(number, body, Verdict::Marked);
        Json(json!({ "success": true })).into_response()
    }

    /// Takes a message: the phone shows it, and its receipts are on their way.
    async fn accept(self: &Arc<Self>, number: &str, body: &Value) -> Response {
        let wamid = format!("wamid.BUSINESS{}", Uuid::new_v4().simple());
        let to = recipient(body).unwrap_or_default().to_owned();
        self.change(|state| {
            state.screens.entry(to.clone()).or_default().push(Bubble {
                side: Side::Business,
                text: shown(body),
                options: options(&body["interactive"], &wamid),
                wamid: wamid.clone(),
                read: false,
            });
        });
        self.note(number, body, Verdict::Accepted(wamid.clone()));

        let receipts = self.receipts(number, body, &wamid);
        let send = {
            let inner = Arc::clone(self);
            async move {
                for body in receipts {
                    // A service that is down misses them, as it would miss Meta's after a week.
                    let _ = inner.deliver(&body).await;
                }
            }
        };
        if self.settings.receipts == Receipts::Early {
            send.await;
        } else {
            tokio::spawn(send);
        }
        Json(json!({
            "messaging_product": "whatsapp",
            "contacts": [{ "input": body["to"], "wa_id": to }],
            "messages": [{ "id": wamid }],
        }))
        .into_response()
    }

    /// The receipt webhooks of a message, one body each.
    fn receipts(&self, number: &str, body: &Value, wamid: &str) -> Vec<String> {
        let steps: &[&str] = match self.settings.receipts {
            Receipts::Normal | Receipts::Early => &["sent", "delivered", "read"],
            Receipts::Doubled => &["sent", "sent", "delivered", "delivered", "read", "read"],
            Receipts::Reversed => &["read", "delivered", "sent"],
            Receipts::Never => &[],
        };
        let now = self.settings.clock.now().as_second().to_string();
        let receipt = |step: &&str| {
            let mut status = json!({
                "id": wamid,
                "status": step,
                "timestamp": now,
                "recipient_id": recipient(body),
            });
            if let Some(tag) = body.get("biz_opaque_callback_data") {
                status["biz_opaque_callback_data"] = tag.clone();
            }
            let value = webhooks::messages_value(number, json!({ "statuses": [status] }));
            webhooks::body("messages", &value)
        };
        steps.iter().map(receipt).collect()
    }

    /// Waits for the next release.
    async fn stall(&self) {
        let mut changes = self.changes.subscribe();
        let before = self.change(|state| {
            state.stalling += 1;
            state.released
        });
        let released = changes.wait_for(|_| super::lock(&self.state).released > before);
        let _ = released.await;
        self.change(|state| state.stalling -= 1);
    }
}

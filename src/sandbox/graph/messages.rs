//! Takes sends and read marks, refuses what Graph refuses, and sends receipts.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Refusal;
use super::validate::acceptable;
use crate::sandbox::faults::Fault;
use crate::sandbox::state::{Bubble, Option as ScreenOption, Request, Side, Verdict};
use crate::sandbox::{Inner, Receipts, lock, webhooks};

/// `POST /{version}/{number}/messages`.
pub(crate) async fn messages(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, number)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let admitted = inner
        .admit(&headers)
        .and_then(|()| inner.knows_number(&number))
        .and_then(|()| {
            body.is_object()
                .then_some(())
                .ok_or_else(|| Refusal::new(100, "The body is not a JSON object."))
        });
    if let Err(refusal) = admitted {
        inner.note(&number, &body, Verdict::Refused(refusal.code));
        return refusal.answer();
    }
    if body["status"] == "read" {
        return inner.read_mark(&number, &body);
    }
    let checked = acceptable(&body, &number, &lock(&inner.state));
    if let Err(refusal) = checked {
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

/// The address without its plus.
pub(super) fn recipient(body: &Value) -> Option<&str> {
    let to = body["to"].as_str().map(|to| to.trim_start_matches('+'));
    to.or_else(|| body["recipient"].as_str())
}

/// What can be tapped in an interactive message.
pub(super) fn options(content: &Value, of: &str) -> Vec<ScreenOption> {
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
    let cards = list(&action["cards"]);
    let on_cards = cards
        .iter()
        .flat_map(|card| list(&card["action"]["buttons"]));
    let on_cards: Vec<ScreenOption> = on_cards
        .map(|button| option("button_reply", &button["quick_reply"]))
        .collect();
    let rows = list(&action["sections"])
        .into_iter()
        .flat_map(|section| list(&section["rows"]));
    buttons
        .chain(on_cards)
        .chain(rows.map(|row| option("list_reply", &row)))
        .collect()
}

/// What a phone shows of a message.
fn shown(body: &Value) -> String {
    let kind = body["type"].as_str().unwrap_or("text");
    let content = &body[kind];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match kind {
        "text" => text(&content["body"]),
        "interactive" => interactive(content),
        "location" => {
            let parts = [&content["name"], &content["address"]];
            let parts: Vec<&str> = parts.into_iter().filter_map(Value::as_str).collect();
            format!("[location] {}", parts.join(", "))
                .trim_end()
                .to_owned()
        }
        "contacts" => {
            let cards = content.as_array().into_iter().flatten();
            let names: Vec<String> = cards
                .map(|card| text(&card["name"]["formatted_name"]))
                .collect();
            format!("[contacts] {}", names.join(", "))
        }
        "reaction" => format!("[reaction] {}", text(&content["emoji"])),
        "template" => format!("[template] {}", text(&content["name"])),
        _ => {
            let source = content["link"].as_str().or(content["id"].as_str());
            let caption = text(&content["caption"]);
            let line = format!("[{kind}] {} {caption}", source.unwrap_or_default());
            line.trim_end().to_owned()
        }
    }
}

/// Text and action of an interactive message; what can be tapped stands beside it.
fn interactive(content: &Value) -> String {
    let parameters = &content["action"]["parameters"];
    let more = match content["type"].as_str().unwrap_or_default() {
        "cta_url" => format!(
            "[{}] {}",
            plain(&parameters["display_text"]),
            plain(&parameters["url"])
        ),
        "location_request_message" => "[Send location]".to_owned(),
        "request_contact_info" => "[Share contact info]".to_owned(),
        "flow" => format!("[{}]", plain(&parameters["flow_cta"])),
        "product" => format!(
            "[product] {}",
            plain(&content["action"]["product_retailer_id"])
        ),
        "product_list" => "[View items]".to_owned(),
        "catalog_message" => "[View catalog]".to_owned(),
        _ => String::new(),
    };
    let lines = [plain(&content["body"]["text"]).to_owned(), more];
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Inner {
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
        if !lock(&self.state).knows(wamid) {
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
        let released = changes.wait_for(|_| lock(&self.state).released > before);
        let _ = released.await;
        self.change(|state| state.stalling -= 1);
    }
}

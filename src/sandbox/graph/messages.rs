//! Accepts sends and read marks, shows them on the phone, and delivers receipts.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::request::{admit_call, knows_number, options, recipient};
use super::response::{Refusal, success};
use super::validate::validate;
use crate::sandbox::context::{Context, Receipts};
use crate::sandbox::faults::Fault;
use crate::sandbox::state::{Bubble, Request, Side, Verdict};
use crate::sandbox::webhooks;

/// `POST /{version}/{number}/messages`.
pub(crate) async fn messages(
    Shared(context): Shared<Arc<Context>>,
    Path((_version, number)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let is_read_mark = body["status"] == "read";
    let checked = || {
        admit_call(&context, &headers, &uri)?;
        knows_number(&context, &number)?;
        if !body.is_object() {
            return Err(Refusal::new(100, "The body is not a JSON object."));
        }
        if is_read_mark {
            return Ok(());
        }
        validate(&body, &number, &context.state())
    };
    if let Err(refusal) = checked() {
        context.record(&number, &body, Verdict::Refused(refusal.code));
        return refusal.into_response();
    }
    if is_read_mark {
        return context.read_mark(&number, &body);
    }
    let fault = context.change(|state| state.faults.pop_front());
    match fault {
        None => context.accept(&number, &body).await,
        Some(Fault::Graph(code)) => {
            context.record(&number, &body, Verdict::Refused(code));
            Refusal::new(code, "a scripted fault").into_response()
        }
        Some(Fault::BadGateway) => {
            context.record(&number, &body, Verdict::Refused(0));
            (StatusCode::BAD_GATEWAY, "<html>502 Bad Gateway</html>").into_response()
        }
        Some(Fault::TooMany(seconds)) => {
            context.record(&number, &body, Verdict::Refused(0));
            let retry_after = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, retry_after, "slow down").into_response()
        }
        Some(Fault::LostAnswer) => {
            context.accept(&number, &body).await;
            broken()
        }
        Some(Fault::Stall) => {
            context.stall().await;
            context.accept(&number, &body).await
        }
    }
}

/// Response whose connection breaks in the middle of the body.
fn broken() -> Response {
    let parts = [
        Ok(Bytes::from_static(b"{\"messaging")),
        Err(std::io::Error::other("broken")),
    ];
    let body = Body::from_stream(stream::iter(parts));
    ([(header::CONTENT_LENGTH, "4096")], body).into_response()
}

/// Text that a phone shows of a message.
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

/// Text and action of an interactive message, without its buttons and rows.
fn interactive(content: &Value) -> String {
    let parameters = &content["action"]["parameters"];
    let action = match content["type"].as_str().unwrap_or_default() {
        "cta_url" => {
            let title = plain(&parameters["display_text"]);
            format!("[{title}] {}", plain(&parameters["url"]))
        }
        "location_request_message" => "[Send location]".to_owned(),
        "request_contact_info" => "[Share contact info]".to_owned(),
        "flow" => format!("[{}]", plain(&parameters["flow_cta"])),
        "product" => {
            let product = plain(&content["action"]["product_retailer_id"]);
            format!("[product] {product}")
        }
        "product_list" => "[View items]".to_owned(),
        "catalog_message" => "[View catalog]".to_owned(),
        _ => String::new(),
    };
    let lines = [plain(&content["body"]["text"]).to_owned(), action];
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Context {
    fn record(&self, number: &str, body: &Value, verdict: Verdict) {
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
        if !self.state().knows(wamid) {
            self.record(number, body, Verdict::Refused(131_009));
            return Refusal::new(131_009, "There is no such message.").into_response();
        }
        self.change(|state| state.mark_read(wamid));
        self.record(number, body, Verdict::Marked);
        success().into_response()
    }

    /// Accepts a message: shows it on the phone and starts its receipts.
    async fn accept(self: &Arc<Self>, number: &str, body: &Value) -> Response {
        let wamid = format!("wamid.BUSINESS{}", Uuid::new_v4().simple());
        let dialled = recipient(body).unwrap_or_default();
        let to = self.change(|state| {
            let to = state.written.get(dialled).cloned();
            let to = to.unwrap_or_else(|| dialled.to_owned());
            state.screens.entry(to.clone()).or_default().push(Bubble {
                side: Side::Business,
                text: shown(body),
                options: options(&body["interactive"], &wamid),
                wamid: wamid.clone(),
                read: false,
            });
            to
        });
        self.record(number, body, Verdict::Accepted(wamid.clone()));

        let receipts = self.receipts(number, body, &wamid);
        let send = {
            let context = Arc::clone(self);
            async move {
                for body in receipts {
                    // A service that is down misses receipts, as it misses Meta's after a week.
                    let _ = context.deliver(&body).await;
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

    /// Builds the receipt webhooks of a message, one body each.
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

    /// Waits for the next [`Sandbox::release`](crate::sandbox::Sandbox::release).
    async fn stall(&self) {
        let mut changes = self.changes.subscribe();
        let before = self.change(|state| {
            state.stalling += 1;
            state.released
        });
        let released = changes.wait_for(|_| self.state().released > before);
        let _ = released.await;
        self.change(|state| state.stalling -= 1);
    }
}

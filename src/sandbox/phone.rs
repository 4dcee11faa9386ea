//! The phone's side of the sandbox: contacts write, tap, and read their screens.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::context::Context;
use super::state::{Bubble, Side};
use super::webhooks;
use crate::message::{PhoneNumberId, Wamid};

/// Longest time that a request for a screen waits for a new message.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Contact who writes, and the business number written to.
pub(super) struct Writer<'a> {
    pub(super) from: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) number: &'a PhoneNumberId,
}

/// Action of a contact: exactly one of `text` and `tap`.
#[derive(Debug, Deserialize)]
pub(super) struct WriteRequest {
    from: String,
    name: Option<String>,
    text: Option<String>,
    /// Id, title or number of a button or row on the screen.
    tap: Option<String>,
}

/// Acknowledged message.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    wamid: String,
    /// Number of messages on the screen, up to this one.
    bubbles: usize,
}

/// Accepts a text or a tap, and posts its webhook.
pub(super) async fn say(
    Shared(context): Shared<Arc<Context>>,
    Json(request): Json<WriteRequest>,
) -> Result<Json<Written>, (StatusCode, Json<Value>)> {
    let refuse = |status, message: String| (status, Json(json!({ "error": message })));
    let (message, text) = match (&request.text, &request.tap) {
        (Some(text), None) => {
            let message = json!({ "type": "text", "text": { "body": text } });
            (message, text.clone())
        }
        (None, Some(name)) => {
            let option = context.state().option(&request.from, name).cloned();
            let option = option.ok_or_else(|| {
                let message = format!("nothing on the screen can be tapped by the name `{name}`");
                refuse(StatusCode::NOT_FOUND, message)
            })?;
            (option.tapped(), format!("[{}]", option.title))
        }
        _ => {
            let message = "say `text` or `tap`, one of them".to_owned();
            return Err(refuse(StatusCode::BAD_REQUEST, message));
        }
    };
    let number = context.settings.numbers[0].clone();
    let writer = Writer {
        from: &request.from,
        name: request.name.as_deref(),
        number: &number,
    };
    let wamid = context
        .write(&writer, message, &text)
        .await
        .map_err(|status| {
            let message = format!("the service did not take the webhook: it answered {status}");
            refuse(StatusCode::BAD_GATEWAY, message)
        })?;
    let wamid = wamid.as_str().to_owned();
    let bubbles = context
        .state()
        .screens
        .get(&request.from)
        .map_or(0, |screen| {
            let at = screen.iter().position(|bubble| bubble.wamid == wamid);
            at.map_or(screen.len(), |at| at + 1)
        });
    Ok(Json(Written { wamid, bubbles }))
}

/// Requested part of a screen.
#[derive(Debug, Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: usize,
    #[serde(default)]
    wait_ms: u64,
}

/// Returns the messages of a screen behind the first `after`, waiting up to `wait_ms` for one.
pub(super) async fn screen(
    Shared(context): Shared<Arc<Context>>,
    Path(phone): Path<String>,
    Query(part): Query<After>,
) -> Json<Vec<Bubble>> {
    let wait = Duration::from_millis(part.wait_ms).min(LONGEST_WAIT);
    let mut changes = context.changes.subscribe();
    let look = || -> Vec<Bubble> {
        let state = context.state();
        let bubbles = state.screens.get(&phone);
        let new = bubbles.and_then(|bubbles| bubbles.get(part.after..));
        new.unwrap_or_default().to_vec()
    };
    let new_bubbles = async {
        loop {
            changes.borrow_and_update();
            let shown = look();
            if !shown.is_empty() || changes.changed().await.is_err() {
                break shown;
            }
        }
    };
    let shown = tokio::time::timeout(wait, new_bubbles).await;
    Json(shown.unwrap_or_default())
}

impl Context {
    /// Shows a message on the contact's screen and posts its webhook, with retries as Meta's.
    ///
    /// # Errors
    /// The last HTTP status, when every try was refused.
    pub(super) async fn write(
        &self,
        writer: &Writer<'_>,
        content: Value,
        shown: &str,
    ) -> Result<Wamid, u16> {
        let wamid = format!("wamid.PERSON{}", Uuid::new_v4().simple());
        self.change(|state| {
            let screen = state.screens.entry(writer.from.to_owned()).or_default();
            screen.push(Bubble {
                side: Side::Contact,
                text: shown.to_owned(),
                options: Vec::new(),
                wamid: wamid.clone(),
                read: false,
            });
        });
        let mut message = content;
        message["from"] = json!(writer.from);
        message["id"] = json!(wamid);
        message["timestamp"] = json!(self.settings.clock.now().as_second().to_string());
        let mut contact = json!({ "wa_id": writer.from });
        contact["profile"] = json!({ "name": writer.name.unwrap_or("Ana Lima") });
        let parts = json!({ "contacts": [contact], "messages": [message] });
        let value = webhooks::messages_value(writer.number.as_str(), parts);
        self.deliver(&webhooks::body("messages", &value)).await?;
        self.change(|state| state.acknowledged.insert(wamid.clone()));
        Ok(Wamid::parse(wamid).expect("it is not empty"))
    }

    /// Posts a body until it is acknowledged or no retries are left.
    ///
    /// # Errors
    /// The last HTTP status.
    pub(super) async fn deliver(&self, body: &str) -> Result<(), u16> {
        let mut waits = webhooks::RETRIES_MS.iter();
        loop {
            let status = self.post(body.as_bytes().to_vec()).await;
            if status == 200 {
                return Ok(());
            }
            self.change(|state| state.refused_webhooks += 1);
            match waits.next() {
                Some(wait) => tokio::time::sleep(Duration::from_millis(*wait)).await,
                None => return Err(status),
            }
        }
    }
}

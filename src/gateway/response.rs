//! Reading of responses: at most 2 MiB, classified by Graph's error code before HTTP status.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::Value;

use super::error::{Rejection, SendError, Unknown, from_transport};
use crate::message::{GraphError, Identity, UserId, WaId, Wamid};
use crate::whatsapp::error_codes;

/// Upper bound of a response: one to a send is below 1 KiB, and a page of templates in a language
/// that JSON escapes has some hundred.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// Upper bound of phone numbers, by E.164.
const PHONE_DIGITS_MAX: usize = 15;
/// Upper bound of user ids: a country, a dot and up to 128 characters; parent ids are slightly
/// longer.
const USER_ID_MAX_BYTES: usize = 256;

/// Returns the body of a success.
pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, SendError> {
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| from_transport(&e))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(SendError::Unknown(Unknown::Answer {
                status: status.as_u16(),
            }));
        }
        body.extend_from_slice(&chunk);
    }
    judge(status.as_u16(), retry_after, body)
}

fn judge(status: u16, retry_after: Option<Duration>, body: Vec<u8>) -> Result<Vec<u8>, SendError> {
    let rejected = |error: Option<GraphError>, is_transient| {
        Err(SendError::Rejected(Box::new(Rejection {
            status,
            error,
            is_transient,
            retry_after,
        })))
    };
    if let Some((error, is_transient)) = graph_error(&body) {
        return rejected(Some(error), is_transient);
    }
    match status {
        200..=299 => Ok(body),
        // The sender of this status may have passed the request on before.
        408 | 500.. => Err(SendError::Unknown(Unknown::Answer { status })),
        _ => rejected(None, false),
    }
}

/// A message that WhatsApp has accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Id of the message.
    pub wamid: Wamid,
    /// Ids of the recipient as WhatsApp knows it; the phone number may be written in another way
    /// than it was dialled.
    pub recipient: Option<Identity>,
}

/// Reads the accepted message, of which only the id has to be there. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
pub(super) fn accepted(body: &[u8]) -> Option<Accepted> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let wamid = body.pointer("/messages/0/id")?.as_str()?;
    let contact = body.pointer("/contacts/0");
    let text = |name: &str| contact?.get(name)?.as_str();
    let digits = text("wa_id").map(|id| id.trim_start_matches('+'));
    let digits = digits
        .filter(|id| id.len() <= PHONE_DIGITS_MAX && id.bytes().all(|byte| byte.is_ascii_digit()));
    let user_id = text("user_id").filter(|id| id.len() <= USER_ID_MAX_BYTES);
    Some(Accepted {
        wamid: Wamid::parse(wamid)?,
        recipient: Identity::from_parts(
            digits.and_then(WaId::parse),
            user_id.and_then(UserId::parse),
        ),
    })
}

/// Reads Graph's error and whether it is transient; `None` if the body is not a Graph error.
fn graph_error(body: &[u8]) -> Option<(GraphError, bool)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    let code = error.get("code")?.as_i64()?;
    // The gateway's own errors may have numbers too; only Meta's have these fields.
    let marked = ["fbtrace_id", "type"]
        .iter()
        .any(|mark| error.get(mark).is_some());
    if !marked && !error_codes::is_documented(code) {
        return None;
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let details = error.get("error_data").and_then(|data| data.get("details"));
    // Calls about templates have their details here.
    let details = details.or_else(|| error.get("error_user_msg"));
    let graph_error = GraphError {
        code,
        subcode: error.get("error_subcode").and_then(Value::as_i64),
        title: text(error.get("message")),
        details: text(details),
    };
    let is_transient = error.get("is_transient").and_then(Value::as_bool);
    Some((graph_error, is_transient.unwrap_or(false)))
}

/// Reads `Retry-After`, in seconds or as a date relative to the `Date` of the same response.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let wait = text(RETRY_AFTER)?;
    if let Ok(seconds) = wait.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(wait).ok()?;
    Duration::try_from(at.timestamp().duration_since(date(headers)?)).ok()
}

/// Time at which a response was created.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let written = headers.get(DATE)?.to_str().ok()?;
    Some(rfc2822::parse(written).ok()?.timestamp())
}

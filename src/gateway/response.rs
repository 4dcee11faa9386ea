//! Reading of responses: at most 2 MiB, classified by Graph's error code before HTTP status.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::Value;

use super::error::{Rejection, SendError, Unknown, from_transport};
use crate::message::{GraphError, Identity, UserId, WaId, Wamid};
use crate::whatsapp::error_codes;
use crate::whatsapp::raw_json::{Object, elements};

/// Upper bound of a response: one to a send is below 1 KiB, and a page of templates in a language
/// that JSON escapes has some hundred.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// Upper bound of phone numbers, by E.164.
const PHONE_DIGITS_MAX: usize = 15;
/// Upper bound of user ids: a country, a dot and up to 128 characters; parent ids are slightly
/// longer.
const USER_ID_MAX_BYTES: usize = 256;

/// A response, read to its end.
pub(super) struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// Reads a response to its end.
pub(super) async fn read(mut response: Response) -> Result<Answer, SendError> {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| from_transport(&e))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(SendError::Unknown(Unknown::Answer { status }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

impl Answer {
    /// Returns the JSON object of a success; `None` if the body is not one.
    pub(super) fn success(&self) -> Result<Option<Object<'_>>, SendError> {
        let status = self.status;
        let rejected = |error: Option<GraphError>, is_transient| {
            Err(SendError::Rejected(Box::new(Rejection {
                status,
                error,
                is_transient,
                retry_after: self.retry_after,
            })))
        };
        let object = Object::from_bytes(&self.body);
        if let Some((error, is_transient)) = object.as_ref().and_then(graph_error) {
            return rejected(Some(error), is_transient);
        }
        match status {
            200..=299 => Ok(object),
            // The sender of this status may have passed the request on before.
            408 | 500.. => Err(SendError::Unknown(Unknown::Answer { status })),
            _ => rejected(None, false),
        }
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
pub(super) fn accepted(answer: &Object<'_>) -> Option<Accepted> {
    let message = first(answer, "messages")?;
    let contact = first(answer, "contacts");
    let text = |name: &str| string(contact.as_ref()?, name);
    let wa_id = text("wa_id");
    let digits = wa_id.as_ref().map(|id| id.trim_start_matches('+'));
    let digits = digits
        .filter(|id| id.len() <= PHONE_DIGITS_MAX && id.bytes().all(|byte| byte.is_ascii_digit()));
    let user_id = text("user_id").filter(|id| id.len() <= USER_ID_MAX_BYTES);
    Some(Accepted {
        wamid: Wamid::parse(string(&message, "id")?)?,
        recipient: Identity::from_parts(
            digits.and_then(WaId::parse),
            user_id.and_then(UserId::parse),
        ),
    })
}

/// Returns the first object of a list.
fn first<'a>(answer: &Object<'a>, name: &str) -> Option<Object<'a>> {
    let list = answer.get(name).and_then(elements)?;
    list.first().and_then(|raw| Object::from_raw(raw))
}

/// Returns the string of this name.
fn string<'a>(object: &Object<'a>, name: &str) -> Option<Cow<'a, str>> {
    let raw = object.get(name)?.get();
    match raw.strip_prefix('"')?.strip_suffix('"')? {
        plain if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(raw).ok().map(Cow::Owned),
    }
}

/// Reads Graph's error and whether it is transient; `None` if the answer has none.
fn graph_error(answer: &Object<'_>) -> Option<(GraphError, bool)> {
    let error: Value = serde_json::from_str(answer.get("error")?.get()).ok()?;
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

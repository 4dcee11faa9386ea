//! Graph's side, one file per edge: what it takes, answers and refuses.
//!
//! Errors have the shape of
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.

pub(super) mod connections;
pub(super) mod media;
pub(super) mod messages;
pub(super) mod numbers;
pub(super) mod object;
pub(super) mod profile;
pub(super) mod templates;
mod validate;

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret as _;
use serde_json::json;
use uuid::Uuid;

use super::{Inner, WABA};

/// Query parameters by name.
type Named = BTreeMap<String, String>;

/// Why Graph refuses a request.
pub(super) struct Refusal {
    status: StatusCode,
    pub(super) code: i64,
    subcode: Option<i64>,
    details: String,
    /// What the people of the business may read: a title and a text.
    user: Option<(&'static str, &'static str)>,
}

impl Refusal {
    pub(super) fn new(code: i64, details: impl Into<String>) -> Self {
        let status = match code {
            190 => StatusCode::UNAUTHORIZED,
            132_001 => StatusCode::NOT_FOUND,
            131_000 | 131_016 => StatusCode::INTERNAL_SERVER_ERROR,
            133_004 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            code,
            subcode: None,
            details: details.into(),
            user: None,
        }
    }

    /// What Graph says of an object that is not there, or not the token's.
    pub(super) fn no_object() -> Self {
        Self {
            subcode: Some(33),
            ..Self::new(100, "Object with this id does not exist.")
        }
    }

    /// Says it the way Graph does for templates: by a subcode and texts for people, without
    /// details.
    fn explained(self, subcode: i64, title: &'static str, text: &'static str) -> Self {
        Self {
            subcode: Some(subcode),
            user: Some((title, text)),
            ..self
        }
    }

    pub(super) fn answer(&self) -> Response {
        let mut error = json!({
            "message": format!("(#{}) refused by the sandbox", self.code),
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": Uuid::new_v4().simple().to_string(),
        });
        if let Some((title, text)) = self.user {
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(text);
        } else {
            let details = json!({ "messaging_product": "whatsapp", "details": self.details });
            error["error_data"] = details;
        }
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.answer()
    }
}

impl Inner {
    /// Checks what Graph checks of every request: the token.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let expected = format!("Bearer {}", self.settings.api_key.expose_secret());
        if bearer == Some(expected.as_str()) {
            return Ok(());
        }
        Err(Refusal::new(190, "Error validating access token."))
    }

    fn knows_number(&self, number: &str) -> Result<(), Refusal> {
        let mut numbers = self.settings.numbers.iter();
        let known = numbers.any(|known| known.as_str() == number);
        known.then_some(()).ok_or_else(Refusal::no_object)
    }

    fn note_call(&self, method: &str, uri: &Uri) {
        self.change(|state| state.account.calls.push(format!("{method} {uri}")));
    }
}

fn knows_account(waba: &str) -> Result<(), Refusal> {
    (waba == WABA).then_some(()).ok_or_else(Refusal::no_object)
}

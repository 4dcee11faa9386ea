//! Responses as Graph writes them: selected fields, pages of rows, and errors.
//!
//! Errors have the shape of
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// Query parameters by name; they select fields and pages.
pub(super) type QueryParameters = BTreeMap<String, String>;

/// JSON of a response, or an error.
pub(super) type Answer = Result<Json<Value>, Refusal>;

/// Error that Graph answers with.
pub(crate) struct Refusal {
    status: StatusCode,
    pub(super) code: i64,
    subcode: Option<i64>,
    details: String,
    /// Title and text for the business's users.
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

    /// Refuses a request without a required parameter.
    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(100, format!("The parameter {parameter} is required."))
    }

    /// Refuses the id of an object that does not exist, or that the token cannot see.
    pub(super) fn no_object() -> Self {
        Self {
            subcode: Some(33),
            ..Self::new(100, "Object with this id does not exist.")
        }
    }

    /// Refuses in Graph's form for templates: a subcode and texts for users, no details.
    pub(super) fn explained(subcode: i64, title: &'static str, text: &'static str) -> Self {
        Self {
            subcode: Some(subcode),
            user: Some((title, text)),
            ..Self::new(100, "")
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
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

/// Answers that a change was made.
pub(super) fn success() -> Json<Value> {
    Json(json!({ "success": true }))
}

/// Selects the requested fields and the id of an object; all fields when none is requested.
pub(super) fn picked(object: &Value, fields: Option<&String>) -> Value {
    let (Some(fields), Some(object)) = (fields, object.as_object()) else {
        return object.clone();
    };
    let is_requested = |key: &str| key == "id" || fields.split(',').any(|field| field == key);
    let mut selected = object.clone();
    selected.retain(|key, _| is_requested(key));
    Value::Object(selected)
}

/// Answers with one page of rows. `next` names a host that must not be called, with a token in the
/// URL, as Graph's does.
pub(super) fn page<'a>(
    rows: impl IntoIterator<Item = &'a Value>,
    query: &QueryParameters,
) -> Answer {
    const DEFAULT_LIMIT: usize = 25;
    let rows: Vec<&Value> = rows.into_iter().collect();
    let limit = query.get("limit").and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(DEFAULT_LIMIT).max(1);
    let start = match query.get("after").map(|after| after.strip_prefix("row")) {
        None => 0,
        Some(cursor) => cursor
            .and_then(|row| row.parse().ok())
            .ok_or_else(|| Refusal::new(100, "Invalid cursor."))?,
    };
    let end = rows.len().min(start + limit);
    let page = rows.get(start..end).unwrap_or_default();
    if page.is_empty() {
        return Ok(Json(json!({ "data": [] })));
    }
    let fields = query.get("fields");
    let data: Vec<Value> = page.iter().map(|row| picked(row, fields)).collect();
    let cursors = json!({ "before": format!("row{start}"), "after": format!("row{end}") });
    let mut paging = json!({ "cursors": cursors });
    if end < rows.len() {
        paging["next"] = json!("https://graph.facebook.com/v23.0/next?access_token=sandbox-token");
    }
    Ok(Json(json!({ "data": data, "paging": paging })))
}

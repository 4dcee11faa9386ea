//! The account's templates.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management>.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::object::picked;
use super::{Named, Refusal, knows_account};
use crate::sandbox::{Inner, lock};

type Answer = Result<Json<Value>, Refusal>;

/// `GET /{version}/{waba}/message_templates`.
pub(crate) async fn list(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, waba)): Path<(String, String)>,
    Query(query): Query<Named>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    inner.note_call("GET", &uri);
    inner.admit(&headers)?;
    knows_account(&waba)?;
    let account = &lock(&inner.state).account;
    let found = account.templates.iter().filter(|template| {
        let same = |key: &str| {
            let wanted = query.get(key);
            wanted.is_none_or(|wanted| template[key] == wanted.as_str())
        };
        let name = template["name"].as_str().unwrap_or_default();
        let holds = query
            .get("name")
            .is_none_or(|part| name.contains(part.as_str()));
        holds && same("status") && same("category") && same("language")
    });
    page(&found.collect::<Vec<_>>(), &query)
}

/// One page of rows. `next` leads to a host that nobody may call, with a token in it, as Graph's
/// does.
pub(super) fn page(rows: &[&Value], query: &Named) -> Answer {
    const USUAL: usize = 25;
    let limit = query.get("limit").and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(USUAL).max(1);
    let start = match query.get("after").map(|after| after.strip_prefix("row")) {
        None => 0,
        Some(cursor) => cursor
            .and_then(|row| row.parse().ok())
            .ok_or_else(|| Refusal::new(100, "Invalid cursor."))?,
    };
    let end = rows.len().min(start + limit);
    let shown = rows.get(start..end).unwrap_or_default();
    let fields = query.get("fields");
    let shown: Vec<Value> = shown.iter().map(|row| picked(row, fields)).collect();
    if shown.is_empty() {
        return Ok(Json(json!({ "data": [] })));
    }
    let cursors = json!({ "before": format!("row{start}"), "after": format!("row{end}") });
    let mut paging = json!({ "cursors": cursors });
    if end < rows.len() {
        paging["next"] = json!("https://graph.facebook.com/v23.0/next?access_token=sandbox-token");
    }
    Ok(Json(json!({ "data": shown, "paging": paging })))
}

/// `POST /{version}/{waba}/message_templates`.
pub(crate) async fn create(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, waba)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Answer {
    inner.note_call("POST", &uri);
    inner.admit(&headers)?;
    knows_account(&waba)?;
    let mut template: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    for key in ["name", "language", "category"] {
        if !template[key].is_string() {
            return Err(Refusal::new(
                100,
                format!("The parameter {key} is required."),
            ));
        }
    }
    if !template["components"].is_array() {
        return Err(Refusal::new(100, "The parameter components is required."));
    }
    let category = template["category"]
        .as_str()
        .unwrap_or_default()
        .to_uppercase();
    inner.change(|state| {
        let same = |other: &&Value| {
            other["name"] == template["name"] && other["language"] == template["language"]
        };
        if state.account.templates.iter().any(|other| same(&other)) {
            return Err(Refusal::new(100, "").explained(
                2_388_024,
                "Content in This Language Already Exists",
                "There is already content in this language for this template. \
                 You can create a new template and try again.",
            ));
        }
        let id = format!("700100{}", state.account.next_number());
        template["id"] = json!(id);
        template["status"] = json!("PENDING");
        template["category"] = json!(category);
        template["rejected_reason"] = json!("NONE");
        template["quality_score"] = json!({ "score": "UNKNOWN" });
        if template["parameter_format"].is_null() {
            template["parameter_format"] = json!("POSITIONAL");
        }
        state.account.templates.push(template);
        Ok(Json(
            json!({ "id": id, "status": "PENDING", "category": category }),
        ))
    })
}

/// `DELETE /{version}/{waba}/message_templates`.
pub(crate) async fn delete(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, waba)): Path<(String, String)>,
    Query(query): Query<Named>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    inner.note_call("DELETE", &uri);
    inner.admit(&headers)?;
    knows_account(&waba)?;
    let Some(name) = query.get("name") else {
        return Err(Refusal::new(100, "The parameter name is required."));
    };
    inner.change(|state| {
        let before = state.account.templates.len();
        state.account.templates.retain(|template| {
            let id = query.get("hsm_id");
            template["name"] != name.as_str() || id.is_some_and(|id| template["id"] != id.as_str())
        });
        if state.account.templates.len() == before {
            return Err(Refusal::new(100, "").explained(
                2_593_002,
                "Message Template Not Found",
                "There is no message template with this name or id in this account.",
            ));
        }
        Ok(Json(json!({ "success": true })))
    })
}

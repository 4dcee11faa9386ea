//! The account's templates.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management>.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use serde_json::{Value, json};

use super::request::AccountEdge;
use super::response::{Answer, QueryParameters, Refusal, page, success};

/// `GET /{version}/{waba}/message_templates`.
pub(crate) async fn list(
    AccountEdge(context): AccountEdge,
    Query(query): Query<QueryParameters>,
) -> Answer {
    let account = &context.state().account;
    let matches = account.templates.iter().filter(|template| {
        let same = |key: &str| {
            let wanted = query.get(key);
            wanted.is_none_or(|wanted| template[key] == wanted.as_str())
        };
        let name = template["name"].as_str().unwrap_or_default();
        let part = query.get("name");
        let holds = part.is_none_or(|part| name.contains(part.as_str()));
        holds && same("status") && same("category") && same("language")
    });
    page(matches, &query)
}

/// `POST /{version}/{waba}/message_templates`.
pub(crate) async fn create(AccountEdge(context): AccountEdge, bytes: Bytes) -> Answer {
    let mut template: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    for key in ["name", "language", "category"] {
        if !template[key].is_string() {
            return Err(Refusal::missing(key));
        }
    }
    if !template["components"].is_array() {
        return Err(Refusal::missing("components"));
    }
    let category = template["category"].as_str().unwrap_or_default();
    let category = category.to_uppercase();
    context.change(|state| {
        let same = |other: &&Value| {
            other["name"] == template["name"] && other["language"] == template["language"]
        };
        if state.account.templates.iter().any(|other| same(&other)) {
            return Err(Refusal::explained(
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
        let created = json!({ "id": id, "status": "PENDING", "category": category });
        Ok(Json(created))
    })
}

/// `DELETE /{version}/{waba}/message_templates`.
pub(crate) async fn delete(
    AccountEdge(context): AccountEdge,
    Query(query): Query<QueryParameters>,
) -> Answer {
    let Some(name) = query.get("name") else {
        return Err(Refusal::missing("name"));
    };
    context.change(|state| {
        let before = state.account.templates.len();
        state.account.templates.retain(|template| {
            let id = query.get("hsm_id");
            template["name"] != name.as_str() || id.is_some_and(|id| template["id"] != id.as_str())
        });
        if state.account.templates.len() == before {
            return Err(Refusal::explained(
                2_593_002,
                "Message Template Not Found",
                "There is no message template with this name or id in this account.",
            ));
        }
        Ok(success())
    })
}

//! The business profile of a number.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-profiles>.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use serde_json::{Value, json};

use super::request::NumberEdge;
use super::response::{Answer, QueryParameters, Refusal, picked, success};

/// Writable texts, each with its maximum number of characters.
const TEXTS: [(&str, usize); 5] = [
    ("about", 139),
    ("address", 256),
    ("description", 512),
    ("email", 128),
    ("vertical", 32),
];

/// `GET /{version}/{number}/whatsapp_business_profile`.
pub(crate) async fn get(
    NumberEdge(context, number): NumberEdge,
    Query(query): Query<QueryParameters>,
) -> Json<Value> {
    let profile = context.state().account.profiles.get(&number).cloned();
    let mut shown = picked(&profile.unwrap_or_else(|| json!({})), query.get("fields"));
    shown["messaging_product"] = json!("whatsapp");
    Json(json!({ "data": [shown] }))
}

/// `POST /{version}/{number}/whatsapp_business_profile`.
pub(crate) async fn update(NumberEdge(context, number): NumberEdge, bytes: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if body["messaging_product"] != "whatsapp" {
        return Err(Refusal::missing("messaging_product"));
    }
    for (key, max) in TEXTS {
        let text = body[key].as_str().unwrap_or_default();
        if text.chars().count() > max {
            let details = format!("{key} must have at most {max} characters.");
            return Err(Refusal::new(100, details));
        }
    }
    context.change(|state| {
        let profiles = &mut state.account.profiles;
        let profile = profiles.entry(number).or_insert_with(|| json!({}));
        let texts = TEXTS.iter().map(|(key, _)| *key);
        for key in texts.chain(["websites"]).filter(|key| !body[key].is_null()) {
            profile[key] = body[key].clone();
        }
    });
    Ok(success())
}

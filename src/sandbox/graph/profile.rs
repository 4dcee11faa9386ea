//! The business profile of a number.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-profiles>.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::object::picked;
use super::{Named, Refusal};
use crate::sandbox::{Inner, lock};

/// What may be set, with the most characters of each.
const TEXTS: [(&str, usize); 5] = [
    ("about", 139),
    ("address", 256),
    ("description", 512),
    ("email", 128),
    ("vertical", 32),
];

/// `GET /{version}/{number}/whatsapp_business_profile`.
pub(crate) async fn get(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, number)): Path<(String, String)>,
    Query(query): Query<Named>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<Value>, Refusal> {
    inner.note_call("GET", &uri);
    inner.admit(&headers)?;
    inner.knows_number(&number)?;
    let profile = lock(&inner.state).account.profiles.get(&number).cloned();
    let mut shown = picked(&profile.unwrap_or_else(|| json!({})), query.get("fields"));
    shown["messaging_product"] = json!("whatsapp");
    Ok(Json(json!({ "data": [shown] })))
}

/// `POST /{version}/{number}/whatsapp_business_profile`.
pub(crate) async fn update(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, number)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Result<Json<Value>, Refusal> {
    inner.note_call("POST", &uri);
    inner.admit(&headers)?;
    inner.knows_number(&number)?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if body["messaging_product"] != "whatsapp" {
        return Err(Refusal::new(
            100,
            "The parameter messaging_product is required.",
        ));
    }
    for (key, max) in TEXTS {
        if body[key]
            .as_str()
            .is_some_and(|text| text.chars().count() > max)
        {
            return Err(Refusal::new(
                100,
                format!("{key} must have at most {max} characters."),
            ));
        }
    }
    inner.change(|state| {
        let profile = state
            .account
            .profiles
            .entry(number)
            .or_insert_with(|| json!({}));
        let texts = TEXTS.iter().map(|(key, _)| *key);
        for key in texts.chain(["websites"]).filter(|key| !body[key].is_null()) {
            profile[key] = body[key].clone();
        }
    });
    Ok(Json(json!({ "success": true })))
}

//! The account's business numbers.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers>.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::object::picked;
use super::templates::page;
use super::{Named, Refusal, knows_account};
use crate::sandbox::Inner;
use crate::whatsapp::signature;

/// What Graph gives of a number when no fields are asked for.
const USUAL: &str = "id,display_phone_number,verified_name,quality_rating,code_verification_status";

/// `GET /{version}/{number}`; `None` when the id is no number's.
pub(super) fn get(inner: &Inner, id: &str, query: &Named) -> Option<Response> {
    let numbers = numbers(inner);
    let number = numbers.iter().find(|number| number["id"] == id)?;
    if let Some(proof) = query.get("appsecret_proof") {
        let settings = &inner.settings;
        let key = settings.api_key.expose_secret();
        if *proof != signature::proof(&settings.app_secret, key) {
            let details = "Invalid appsecret_proof provided in the API argument";
            return Some(Refusal::new(100, details).answer());
        }
    }
    let usual = USUAL.to_owned();
    let fields = query.get("fields").unwrap_or(&usual);
    Some(Json(picked(number, Some(fields))).into_response())
}

/// `GET /{version}/{waba}/phone_numbers`.
pub(crate) async fn list(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, waba)): Path<(String, String)>,
    Query(query): Query<Named>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<Value>, Refusal> {
    inner.note_call("GET", &uri);
    inner.admit(&headers)?;
    knows_account(&waba)?;
    page(&numbers(&inner).iter().collect::<Vec<_>>(), &query)
}

/// `GET /{version}/{waba}/subscribed_apps`: the app whose secret signs the webhooks.
pub(crate) async fn subscribed_apps(
    Shared(inner): Shared<Arc<Inner>>,
    Path((_version, waba)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<Value>, Refusal> {
    inner.note_call("GET", &uri);
    inner.admit(&headers)?;
    knows_account(&waba)?;
    let app = json!({ "id": "1234567890", "name": "Luna's app", "link": "https://bakery.example" });
    Ok(Json(
        json!({ "data": [{ "whatsapp_business_api_data": app }] }),
    ))
}

fn numbers(inner: &Inner) -> Vec<Value> {
    let numbers = inner.settings.numbers.iter().enumerate();
    numbers
        .map(|(index, id)| {
            json!({
                "id": id.as_str(),
                "display_phone_number": format!("+1 555-000-{}", 1111 + index),
                "verified_name": "Luna Bakery",
                "name_status": "APPROVED",
                "quality_rating": "GREEN",
                "status": "CONNECTED",
                "code_verification_status": "VERIFIED",
                "throughput": { "level": "STANDARD" },
                "whatsapp_business_manager_messaging_limit": "TIER_2K",
                "platform_type": "CLOUD_API",
                "webhook_configuration": { "application": "https://bakery.example/webhook" },
            })
        })
        .collect()
}

//! The account's business numbers.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers>.

use axum::Json;
use axum::extract::Query;
use serde_json::{Value, json};

use super::request::AccountEdge;
use super::response::{Answer, QueryParameters, page, picked};
use crate::sandbox::context::Context;

/// Fields of a number when none is requested.
const DEFAULT_FIELDS: &str =
    "id,display_phone_number,verified_name,quality_rating,code_verification_status";

/// `GET /{version}/{number}`; `None` when the id is not a number's.
pub(super) fn get(context: &Context, id: &str, query: &QueryParameters) -> Option<Answer> {
    let numbers = numbers(context);
    let number = numbers.iter().find(|number| number["id"] == id)?;
    let default = DEFAULT_FIELDS.to_owned();
    let fields = query.get("fields").unwrap_or(&default);
    Some(Ok(Json(picked(number, Some(fields)))))
}

/// `GET /{version}/{waba}/phone_numbers`.
pub(crate) async fn list(
    AccountEdge(context): AccountEdge,
    Query(query): Query<QueryParameters>,
) -> Answer {
    page(&numbers(&context), &query)
}

/// `GET /{version}/{waba}/subscribed_apps`: the app whose secret signs the webhooks.
pub(crate) async fn subscribed_apps(_: AccountEdge) -> Json<Value> {
    let app = json!({ "id": "1234567890", "name": "Luna's app", "link": "https://bakery.example" });
    Json(json!({ "data": [{ "whatsapp_business_api_data": app }] }))
}

fn numbers(context: &Context) -> Vec<Value> {
    let numbers = context.settings.numbers.iter().enumerate();
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

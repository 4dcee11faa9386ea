//! Business phone numbers: what they are called, how they stand, how much they may send.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers>.

use serde::Deserialize;
use serde_json::Value;

use super::{PAGE_ROWS, lenient};
use crate::whatsapp::api_call::Call;

/// Graph gives few fields by itself, so each is asked for.
const FIELDS: &str = "id,display_phone_number,verified_name,name_status,quality_rating,status,\
    code_verification_status,throughput,whatsapp_business_manager_messaging_limit,platform_type,\
    webhook_configuration";

/// Asks for one number.
#[must_use]
pub fn get(phone_number_id: &str) -> Call {
    Call::get(&[phone_number_id]).with("fields", FIELDS)
}

/// Asks for a page of an account's numbers.
#[must_use]
pub fn list(waba: &str, after: Option<&str>) -> Call {
    Call::get(&[waba, "phone_numbers"])
        .with("fields", FIELDS)
        .with("limit", PAGE_ROWS)
        .with_some("after", after)
}

/// One number; a field that did not come is empty. The words are Meta's, all of them open sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BusinessNumber {
    /// Phone number id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// Formatted for people.
    #[serde(deserialize_with = "lenient::text")]
    pub display_phone_number: String,
    /// What people see as the sender.
    #[serde(deserialize_with = "lenient::text")]
    pub verified_name: String,
    /// `APPROVED`, `PENDING_REVIEW` and more.
    #[serde(deserialize_with = "lenient::text")]
    pub name_status: String,
    /// `GREEN`, `YELLOW`, `RED`, `NA`, `UNKNOWN`.
    #[serde(deserialize_with = "lenient::text")]
    pub quality_rating: String,
    /// `CONNECTED` and more.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// `VERIFIED` and more.
    #[serde(deserialize_with = "lenient::text")]
    pub code_verification_status: String,
    /// `STANDARD`, `HIGH`, `NOT_APPLICABLE`.
    #[serde(deserialize_with = "lenient::inner_text")]
    pub throughput: String,
    /// `TIER_2K` and more: how many people may be written to first in a day.
    #[serde(
        rename = "whatsapp_business_manager_messaging_limit",
        deserialize_with = "lenient::text"
    )]
    pub messaging_limit: String,
    /// `CLOUD_API` and more.
    #[serde(deserialize_with = "lenient::text")]
    pub platform_type: String,
    /// Where its webhooks go.
    #[serde(deserialize_with = "lenient::or_default")]
    pub webhook_configuration: WebhookConfiguration,
}

/// Where webhooks of a number go; the most special one that is set wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WebhookConfiguration {
    /// Set for the number.
    #[serde(deserialize_with = "lenient::text")]
    pub phone_number: String,
    /// Set for the account.
    #[serde(deserialize_with = "lenient::text")]
    pub whatsapp_business_account: String,
    /// Set for the app.
    #[serde(deserialize_with = "lenient::text")]
    pub application: String,
}

impl WebhookConfiguration {
    /// The address that is used.
    #[must_use]
    pub fn used(&self) -> &str {
        let facts = [
            &self.phone_number,
            &self.whatsapp_business_account,
            &self.application,
        ];
        facts
            .into_iter()
            .find(|address| !address.is_empty())
            .map_or("", String::as_str)
    }
}

impl BusinessNumber {
    /// Reads the answer to [`get`], or one row of the answer to [`list`].
    #[must_use]
    pub fn read(answer: &Value) -> Self {
        lenient::read(answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_read_whatever_is_missing_or_odd() {
        let full = json!({
            "id": 106_500_000_000_001_u64, "display_phone_number": "+1 555-000-1111", "verified_name": "Shop",
            "quality_rating": "GREEN", "throughput": { "level": "STANDARD" }, "status": "CONNECTED",
            "webhook_configuration": { "application": "https://bot.example/hook" }, "new": { "key": [1] },
        });
        let read = BusinessNumber::read(&full);
        assert_eq!(read.id, "106500000000001");
        assert_eq!(read.throughput, "STANDARD");
        assert_eq!(
            read.webhook_configuration.used(),
            "https://bot.example/hook"
        );

        let odd = [
            json!({}),
            json!(null),
            json!("text"),
            json!({ "id": null, "throughput": null, "webhook_configuration": null }),
            json!({ "id": [], "throughput": 5.5, "webhook_configuration": "x", "status": {} }),
        ];
        for answer in odd {
            let read = BusinessNumber::read(&answer);

            assert_eq!(
                (read.id.as_str(), read.status.as_str()),
                ("", ""),
                "{answer}"
            );
        }
    }

    #[test]
    fn the_most_special_webhook_is_the_one_that_is_used() {
        let read = BusinessNumber::read(&json!({ "webhook_configuration": {
            "application": "https://app.example", "phone_number": "https://number.example",
        } }));

        assert_eq!(read.webhook_configuration.used(), "https://number.example");
    }
}

//! Business phone numbers: name, status, quality and limits.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers>.

use serde::Deserialize;
use serde_json::Value;

use super::{PAGE_ROWS, lenient};
use crate::whatsapp::api_call::Call;

/// Requested fields; without the list, Graph returns few of them.
const FIELDS: &str = "id,display_phone_number,verified_name,name_status,quality_rating,status,\
    code_verification_status,throughput,whatsapp_business_manager_messaging_limit,platform_type,\
    webhook_configuration";

/// Builds the request for one number.
#[must_use]
pub fn get(phone_number_id: &str) -> Call {
    Call::get(&[phone_number_id]).with("fields", FIELDS)
}

/// Builds the request for one page of an account's numbers.
#[must_use]
pub fn list(waba: &str, after: Option<&str>) -> Call {
    Call::get(&[waba, "phone_numbers"])
        .with("fields", FIELDS)
        .with("limit", PAGE_ROWS)
        .with_some("after", after)
}

/// Business number; absent fields are empty. The values are Meta's, all from open sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BusinessNumber {
    /// Phone number id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// Number as displayed.
    #[serde(deserialize_with = "lenient::text")]
    pub display_phone_number: String,
    /// Name that contacts see as the sender.
    #[serde(deserialize_with = "lenient::text")]
    pub verified_name: String,
    /// `APPROVED`, `PENDING_REVIEW`, …
    #[serde(deserialize_with = "lenient::text")]
    pub name_status: String,
    /// `GREEN`, `YELLOW`, `RED`, `NA`, `UNKNOWN`.
    #[serde(deserialize_with = "lenient::text")]
    pub quality_rating: String,
    /// `CONNECTED`, …
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// `VERIFIED`, …
    #[serde(deserialize_with = "lenient::text")]
    pub code_verification_status: String,
    /// `STANDARD`, `HIGH`, `NOT_APPLICABLE`.
    #[serde(deserialize_with = "lenient::inner_text")]
    pub throughput: String,
    /// `TIER_2K`, …: number of contacts to whom the business may write first per day.
    #[serde(
        rename = "whatsapp_business_manager_messaging_limit",
        deserialize_with = "lenient::text"
    )]
    pub messaging_limit: String,
    /// `CLOUD_API`, …
    #[serde(deserialize_with = "lenient::text")]
    pub platform_type: String,
    /// Addresses of the webhooks.
    #[serde(deserialize_with = "lenient::or_default")]
    pub webhook_configuration: WebhookConfiguration,
}

/// Webhook addresses of a number; the most specific one that is set applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WebhookConfiguration {
    /// Address set for the number.
    #[serde(deserialize_with = "lenient::text")]
    pub phone_number: String,
    /// Address set for the account.
    #[serde(deserialize_with = "lenient::text")]
    pub whatsapp_business_account: String,
    /// Address set for the app.
    #[serde(deserialize_with = "lenient::text")]
    pub application: String,
}

impl WebhookConfiguration {
    /// Returns the address that applies; empty when none is set.
    #[must_use]
    pub fn effective_url(&self) -> &str {
        let number_or_account = [&self.phone_number, &self.whatsapp_business_account];
        let mut set = number_or_account.into_iter().filter(|url| !url.is_empty());
        set.next().unwrap_or(&self.application)
    }
}

impl BusinessNumber {
    /// Reads the response to [`get`], or one row of the response to [`list`].
    #[must_use]
    pub fn read(response: &Value) -> Self {
        lenient::read(response)
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
        let url = read.webhook_configuration.effective_url();
        assert_eq!(url, "https://bot.example/hook");

        let odd = [
            json!({}),
            json!(null),
            json!("text"),
            json!({ "id": null, "throughput": null, "webhook_configuration": null }),
            json!({ "id": [], "throughput": 5.5, "webhook_configuration": "x", "status": {} }),
        ];
        for answer in odd {
            let read = BusinessNumber::read(&answer);

            assert_eq!((&*read.id, &*read.status), ("", ""), "{answer}");
        }
    }

    #[test]
    fn the_most_specific_webhook_applies() {
        let read = BusinessNumber::read(&json!({ "webhook_configuration": {
            "application": "https://app.example", "phone_number": "https://number.example",
        } }));

        let url = read.webhook_configuration.effective_url();
        assert_eq!(url, "https://number.example");
    }
}

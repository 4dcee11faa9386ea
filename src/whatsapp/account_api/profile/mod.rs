//! Business profile, which contacts see behind the business's name.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-profiles>.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{Checked, Problem, lenient};
use crate::message::limits::length;
use crate::whatsapp::api_call::Call;

/// Maximum number of characters of `about`, which cannot be empty.
pub const ABOUT_MAX: usize = 139;
/// Maximum number of characters of `address`.
pub const ADDRESS_MAX: usize = 256;
/// Maximum number of characters of `description` by Meta's guide.
pub const DESCRIPTION_MAX: usize = 512;
/// Maximum number of characters of `description` by Meta's `OpenAPI` file.
pub const DESCRIPTION_SURE: usize = 256;
/// Maximum number of characters of `email`.
pub const EMAIL_MAX: usize = 128;
/// Maximum number of websites of one profile.
pub const WEBSITES_MAX: usize = 2;
/// Maximum number of characters of one website.
pub const WEBSITE_MAX: usize = 256;
/// Values of `vertical`.
pub const VERTICALS: [&str; 22] = [
    "OTHER",
    "AUTO",
    "BEAUTY",
    "APPAREL",
    "EDU",
    "ENTERTAIN",
    "EVENT_PLAN",
    "FINANCE",
    "GROCERY",
    "GOVT",
    "HOTEL",
    "HEALTH",
    "NONPROFIT",
    "PROF_SERVICES",
    "RETAIL",
    "TRAVEL",
    "RESTAURANT",
    "ALCOHOL",
    "ONLINE_GAMBLING",
    "PHYSICAL_GAMBLING",
    "OTC_DRUGS",
    "NOT_A_BIZ",
];

const FIELDS: &str = "about,address,description,email,profile_picture_url,websites,vertical";

/// Builds the request for the profile of a number.
#[must_use]
pub fn get(phone_number_id: &str) -> Call {
    Call::get(&[phone_number_id, "whatsapp_business_profile"]).with("fields", FIELDS)
}

/// Changed keys; the others keep their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Line under the name.
    pub about: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// Description of the business.
    pub description: Option<String>,
    /// Email address.
    pub email: Option<String>,
    /// All websites; they replace the former ones unless empty.
    pub websites: Vec<String>,
    /// One of [`VERTICALS`], in either case.
    pub vertical: Option<String>,
}

/// Builds the request that changes the profile of a number.
///
/// # Errors
/// Every [`Problem`] of the changes.
pub fn update(phone_number_id: &str, changes: &Changes) -> Result<Checked, Vec<Problem>> {
    let mut problems = changes.problems();
    let mut body = Map::new();
    let texts = [
        ("about", &changes.about),
        ("address", &changes.address),
        ("description", &changes.description),
        ("email", &changes.email),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            body.insert(key.to_owned(), json!(text));
        }
    }
    if !changes.websites.is_empty() {
        body.insert("websites".to_owned(), json!(changes.websites));
    }
    if let Some(vertical) = &changes.vertical {
        body.insert("vertical".to_owned(), json!(vertical.to_uppercase()));
    }
    if body.is_empty() {
        let message = "nothing is named that is to change";
        problems.push(Problem::new("profile", message));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    body.insert("messaging_product".to_owned(), json!("whatsapp"));
    Ok(Checked {
        call: Call::post(
            &[phone_number_id, "whatsapp_business_profile"],
            Value::Object(body),
        ),
        warnings: changes.warnings(),
    })
}

impl Changes {
    fn problems(&self) -> Vec<Problem> {
        let texts = [
            ("about", &self.about, ABOUT_MAX),
            ("address", &self.address, ADDRESS_MAX),
            ("description", &self.description, DESCRIPTION_MAX),
            ("email", &self.email, EMAIL_MAX),
        ];
        let texts = texts.into_iter().filter_map(|(part, text, max)| {
            Problem::too_long(part, text.as_deref().unwrap_or_default(), max)
        });
        let websites = self.websites.iter().enumerate();
        let long_websites = websites.clone().filter_map(|(index, website)| {
            Problem::too_long(&format!("websites[{index}]"), website, WEBSITE_MAX)
        });
        let mut problems: Vec<Problem> = texts.chain(long_websites).collect();
        let about = self.about.as_deref().map(str::trim);
        if about.is_some_and(str::is_empty) {
            problems.push(Problem::new("about", "cannot be empty"));
        }
        if let Some(email) = self.email.as_ref().filter(|email| !email.is_empty()) {
            let parts = email.split_once('@');
            if parts.is_none_or(|(user, host)| user.is_empty() || host.is_empty()) {
                let message = "is no address: it needs a name, an @ and a host";
                problems.push(Problem::new("email", message));
            }
        }
        if self.websites.len() > WEBSITES_MAX {
            let count = self.websites.len();
            let message =
                format!("has {count} addresses, but WhatsApp takes at most {WEBSITES_MAX}");
            problems.push(Problem::new("websites", message));
        }
        for (index, website) in websites {
            let rest = ["https://", "http://"].map(|scheme| website.strip_prefix(scheme));
            if rest.into_iter().flatten().all(str::is_empty) {
                let message = "must begin with https:// or http://";
                problems.push(Problem::new(format!("websites[{index}]"), message));
            }
        }
        if let Some(vertical) = &self.vertical
            && !VERTICALS.contains(&vertical.to_uppercase().as_str())
        {
            let message = format!("is none of {}", VERTICALS.join(", "));
            problems.push(Problem::new("vertical", message));
        }
        problems
    }

    fn warnings(&self) -> Vec<Problem> {
        let description = self.description.as_deref().unwrap_or_default();
        let length = length(description);
        let message = format!(
            "has {length} characters; Meta's pages differ, and WhatsApp may take only {DESCRIPTION_SURE}"
        );
        let long = (length > DESCRIPTION_SURE).then(|| Problem::new("description", message));
        long.into_iter().collect()
    }
}

/// Business profile; absent keys are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Line under the name.
    #[serde(deserialize_with = "lenient::text")]
    pub about: String,
    /// Street address.
    #[serde(deserialize_with = "lenient::text")]
    pub address: String,
    /// Description of the business.
    #[serde(deserialize_with = "lenient::text")]
    pub description: String,
    /// Email address.
    #[serde(deserialize_with = "lenient::text")]
    pub email: String,
    /// Address of the picture at Meta.
    #[serde(deserialize_with = "lenient::text")]
    pub profile_picture_url: String,
    /// At most two websites.
    #[serde(deserialize_with = "websites")]
    pub websites: Vec<String>,
    /// One of [`VERTICALS`], or `UNDEFINED`.
    #[serde(deserialize_with = "lenient::text")]
    pub vertical: String,
}

impl Profile {
    /// Reads the response to [`get`].
    #[must_use]
    pub fn read(response: &Value) -> Self {
        lenient::read(&profile_object(response))
    }
}

/// Returns the profile inside the response to [`get`], unchanged: Meta's guide shows it at the top,
/// its `OpenAPI` file below `business_profile`.
#[must_use]
pub fn profile_object(response: &Value) -> Value {
    let row = response["data"].get(0).unwrap_or(&response["data"]);
    let nested = row
        .get("business_profile")
        .filter(|inner| inner.is_object());
    nested.unwrap_or(row).clone()
}

/// Deserializes an array of texts, or one text, which an old page of Meta's shows with an array
/// encoded inside.
fn websites<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let encoded = value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    let value: Value = encoded.unwrap_or(value);
    let elements = value
        .as_array()
        .map_or(std::slice::from_ref(&value), Vec::as_slice);
    let texts = elements.iter().filter_map(Value::as_str);
    let texts = texts.filter(|text| !text.is_empty());
    Ok(texts.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;

//! The business profile: what people read when they tap a business's name.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-profiles>.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{Checked, Problem, lenient};
use crate::message::limits::length;
use crate::whatsapp::api_call::Call;

/// Characters of `about`; it cannot be empty.
pub const ABOUT_MAX: usize = 139;
/// Characters of `address`.
pub const ADDRESS_MAX: usize = 256;
/// Characters of `description` by Meta's guide.
pub const DESCRIPTION_MAX: usize = 512;
/// Characters of `description` by Meta's `OpenAPI` file.
pub const DESCRIPTION_SURE: usize = 256;
/// Characters of `email`.
pub const EMAIL_MAX: usize = 128;
/// Websites of one profile.
pub const WEBSITES_MAX: usize = 2;
/// Characters of one website.
pub const WEBSITE_MAX: usize = 256;
/// What `vertical` may be.
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

/// Asks for the profile of a number.
#[must_use]
pub fn get(phone_number_id: &str) -> Call {
    Call::get(&[phone_number_id, "whatsapp_business_profile"]).with("fields", FIELDS)
}

/// What is to change; the rest stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The line under the name.
    pub about: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Whom to write to.
    pub email: Option<String>,
    /// All of them: they replace the ones that are there.
    pub websites: Vec<String>,
    /// One of [`VERTICALS`], in any case.
    pub vertical: Option<String>,
}

/// Changes the profile of a number.
///
/// # Errors
/// Every [`Problem`] there is.
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
        problems.push(Problem::new(
            "profile",
            "nothing is named that is to change",
        ));
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
        let mut problems = Vec::new();
        let mut at_most = |part: &str, text: &str, max: usize| {
            let length = length(text);
            if length > max {
                let message = format!("has {length} characters, but WhatsApp takes at most {max}");
                problems.push(Problem::new(part, message));
            }
        };
        let limits = [
            ("about", &self.about, ABOUT_MAX),
            ("address", &self.address, ADDRESS_MAX),
            ("description", &self.description, DESCRIPTION_MAX),
            ("email", &self.email, EMAIL_MAX),
        ];
        for (part, text, max) in limits {
            if let Some(text) = text {
                at_most(part, text, max);
            }
        }
        for (index, website) in self.websites.iter().enumerate() {
            at_most(&format!("websites[{index}]"), website, WEBSITE_MAX);
        }
        if self
            .about
            .as_ref()
            .is_some_and(|text| text.trim().is_empty())
        {
            problems.push(Problem::new("about", "cannot be empty"));
        }
        if let Some(email) = self.email.as_ref().filter(|email| !email.is_empty()) {
            let parts = email.split_once('@');
            if parts.is_none_or(|(user, host)| user.is_empty() || host.is_empty()) {
                problems.push(Problem::new(
                    "email",
                    "is no address: it needs a name, an @ and a host",
                ));
            }
        }
        if self.websites.len() > WEBSITES_MAX {
            let message = format!(
                "has {} addresses, but WhatsApp takes at most {WEBSITES_MAX}",
                self.websites.len()
            );
            problems.push(Problem::new("websites", message));
        }
        for (index, website) in self.websites.iter().enumerate() {
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

/// A profile; what is not set is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The line under the name.
    #[serde(deserialize_with = "lenient::text")]
    pub about: String,
    /// Where it is.
    #[serde(deserialize_with = "lenient::text")]
    pub address: String,
    /// What it does.
    #[serde(deserialize_with = "lenient::text")]
    pub description: String,
    /// Whom to write to.
    #[serde(deserialize_with = "lenient::text")]
    pub email: String,
    /// Its picture, at Meta.
    #[serde(deserialize_with = "lenient::text")]
    pub profile_picture_url: String,
    /// At most two.
    #[serde(deserialize_with = "websites")]
    pub websites: Vec<String>,
    /// One of [`VERTICALS`], or `UNDEFINED`.
    #[serde(deserialize_with = "lenient::text")]
    pub vertical: String,
}

impl Profile {
    /// Reads the answer to [`get`].
    #[must_use]
    pub fn read(answer: &Value) -> Self {
        lenient::read(&found(answer))
    }
}

/// The profile inside the answer to [`get`], as it came: Meta's guide shows it plain, its `OpenAPI`
/// file below `business_profile`.
#[must_use]
pub fn found(answer: &Value) -> Value {
    let row = answer["data"].get(0).unwrap_or(&answer["data"]);
    let nested = row
        .get("business_profile")
        .filter(|inner| inner.is_object());
    nested.unwrap_or(row).clone()
}

/// An array of texts; or one text, which an old page of Meta's shows with an array written inside.
fn websites<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let written = value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    let value: Value = written.unwrap_or(value);
    let texts: Vec<String> = match &value {
        Value::Array(elements) => elements
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    Ok(texts.into_iter().filter(|text| !text.is_empty()).collect())
}

#[cfg(test)]
mod tests;

//! Message templates: listing, reading, creation and deletion.
//!
//! See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management>.

mod create;

use serde::Deserialize;
use serde_json::Value;

pub use create::create;

use super::{PAGE_ROWS, lenient};
use crate::message::{ButtonShape, HeaderShape, TemplateShape};
use crate::whatsapp::api_call::Call;

/// Requested fields; without the list, Graph returns few of them.
const FIELDS: &str = "id,name,language,status,category,parameter_format,components,quality_score,\
    rejected_reason";

/// Selection of templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Meta's word for a status, in either case.
    pub status: Option<String>,
    /// Name, or a part of it: Meta does not document which.
    pub name: Option<String>,
}

/// Builds the request for one page of an account's templates.
#[must_use]
pub fn list(waba: &str, filter: &Filter, after: Option<&str>) -> Call {
    Call::get(&[waba, "message_templates"])
        .with("fields", FIELDS)
        .with("limit", PAGE_ROWS)
        .with_some(
            "status",
            filter.status.as_ref().map(|word| word.to_uppercase()),
        )
        .with_some("name", filter.name.as_ref())
        .with_some("after", after)
}

/// Builds the request that deletes a template: one language by its id, or all languages.
#[must_use]
pub fn delete(waba: &str, name: &str, id: Option<&str>) -> Call {
    Call::delete(&[waba, "message_templates"])
        .with_some("hsm_id", id)
        .with("name", name)
}

/// Template in one language; absent fields are empty.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Template {
    /// Meta's id of the template in this language.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// Name of `[a-z0-9_]`.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// Language like `en_US`.
    #[serde(deserialize_with = "lenient::text")]
    pub language: String,
    /// `APPROVED`, `PAUSED`; an open set.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// `UTILITY`, `MARKETING`, `AUTHENTICATION`; an open set.
    #[serde(deserialize_with = "lenient::text")]
    pub category: String,
    /// `POSITIONAL` or `NAMED`.
    #[serde(deserialize_with = "lenient::text")]
    pub parameter_format: String,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    #[serde(rename = "quality_score", deserialize_with = "lenient::inner_text")]
    pub quality: String,
    /// Reason of the rejection, or `NONE`.
    #[serde(deserialize_with = "lenient::text")]
    pub rejected_reason: String,
    /// Header, body, footer, buttons and others.
    #[serde(deserialize_with = "lenient::list")]
    pub components: Vec<Component>,
}

/// Part of a template.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Component {
    /// `HEADER`, `BODY`, `FOOTER`, `BUTTONS`, `CAROUSEL`; an open set.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: String,
    /// Format of a header: `TEXT`, `IMAGE`, `VIDEO`, `DOCUMENT`, `LOCATION`.
    #[serde(deserialize_with = "lenient::text")]
    pub format: String,
    /// Text with its variables: `Hi {{1}}`.
    #[serde(deserialize_with = "lenient::text")]
    pub text: String,
    /// Buttons of a `BUTTONS` part.
    #[serde(deserialize_with = "lenient::list")]
    pub buttons: Vec<TemplateButton>,
    /// Cards of a `CAROUSEL` part.
    #[serde(deserialize_with = "lenient::list")]
    pub cards: Vec<Card>,
    /// `has_expiration` of a `LIMITED_TIME_OFFER` part.
    #[serde(deserialize_with = "lenient::or_default")]
    pub limited_time_offer: Value,
    /// Example values of the variables, in one of several shapes.
    #[serde(deserialize_with = "lenient::or_default")]
    pub example: Value,
}

/// Button of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TemplateButton {
    /// `QUICK_REPLY`, `URL`, `PHONE_NUMBER`, `COPY_CODE`, `OTP`, `FLOW`, `CATALOG`, `MPM`; an open
    /// set.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: String,
    /// Label.
    #[serde(deserialize_with = "lenient::text")]
    pub text: String,
    /// Address that the button opens; may end with a variable.
    #[serde(deserialize_with = "lenient::text")]
    pub url: String,
    /// Number that the button calls.
    #[serde(deserialize_with = "lenient::text")]
    pub phone_number: String,
}

/// Card of a carousel.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Card {
    /// Header, body and buttons.
    #[serde(deserialize_with = "lenient::list")]
    pub components: Vec<Component>,
}

impl Template {
    /// Reads one row of the response to [`list`].
    #[must_use]
    pub fn read(row: &Value) -> Self {
        lenient::read(row)
    }

    /// Returns the part of this kind, if present.
    #[must_use]
    pub fn part(&self, kind: &str) -> Option<&Component> {
        let mut parts = self.components.iter();
        parts.find(|part| part.kind.eq_ignore_ascii_case(kind))
    }

    /// Returns the buttons; their indexes are the numbers that sends refer to.
    #[must_use]
    pub fn buttons(&self) -> &[TemplateButton] {
        self.part("BUTTONS").map_or(&[], |part| &part.buttons)
    }
}

impl Component {
    /// Returns the examples of the variables, in the order of [`variables`]; fewer when Meta gave
    /// fewer.
    #[must_use]
    pub fn examples(&self) -> Vec<String> {
        let kind = self.kind.to_lowercase();
        let named = &self.example[format!("{kind}_text_named_params")];
        if let Some(named) = named.as_array() {
            let example_for = |variable: &String| {
                let mut params = named.iter();
                let param = params.find(|param| param["param_name"] == variable.as_str());
                param.map(|param| lenient::text_of(&param["example"]))
            };
            let variables = variables(&self.text);
            return variables.iter().map_while(example_for).collect();
        }
        // A header has a list of examples, a body has a list of lists.
        let examples = &self.example[format!("{kind}_text")];
        let nested = examples.get(0).filter(|first| first.is_array());
        let texts = nested.unwrap_or(examples).as_array().into_iter().flatten();
        texts.map(lenient::text_of).collect()
    }
}

impl TemplateButton {
    /// Whether a send must give the button a value: the end of its address, the code to copy, or
    /// the products to show.
    /// See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
    #[must_use]
    pub fn needs_value(&self) -> bool {
        match self.kind.to_ascii_uppercase().as_str() {
            "URL" => !variables(&self.url).is_empty(),
            "COPY_CODE" | "OTP" | "MPM" => true,
            _ => false,
        }
    }
}

/// Returns the distinct variables of a text in the order they must be sent: numbers ascending,
/// names by appearance.
#[must_use]
pub fn variables(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in text.split("{{").skip(1) {
        let name = part.split_once("}}").map_or("", |(name, _)| name.trim());
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    // The first value sent replaces {{1}}, wherever it stands in the text.
    if names.iter().all(|name| is_position(name)) {
        names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    }
    names
}

fn is_position(variable: &str) -> bool {
    !variable.is_empty() && variable.bytes().all(|byte| byte.is_ascii_digit())
}

/// Extracts the parts of a template that rules are checked against.
#[must_use]
pub fn shape(template: &Template) -> TemplateShape {
    let body = template.part("BODY").map(|part| variables(&part.text));
    let body = body.unwrap_or_default();
    let header = template.part("HEADER").and_then(header_shape);
    let mut rest = body.iter();
    let named = template.parameter_format.eq_ignore_ascii_case("NAMED")
        || rest.any(|variable| !is_position(variable))
        || matches!(&header, Some(HeaderShape::Text(names)) if !names.iter().all(|name| is_position(name)));
    let has_code = template.category.eq_ignore_ascii_case("AUTHENTICATION");
    let buttons = template.buttons().iter().map(|button| ButtonShape {
        kind: button.kind.to_lowercase(),
        text: button.text.clone(),
        needs_value: has_code || button.needs_value(),
    });
    TemplateShape {
        name: template.name.clone(),
        language: template.language.clone(),
        status: template.status.clone(),
        category: template.category.clone(),
        header,
        body,
        named,
        buttons: buttons.collect(),
        cards: template.part("CAROUSEL").map_or(0, |part| part.cards.len()),
        offer_expires: template
            .part("LIMITED_TIME_OFFER")
            .is_some_and(|part| part.limited_time_offer["has_expiration"] == true),
    }
}

fn header_shape(header: &Component) -> Option<HeaderShape> {
    match header.format.to_ascii_uppercase().as_str() {
        "TEXT" => Some(HeaderShape::Text(variables(&header.text))),
        "IMAGE" => Some(HeaderShape::Image),
        "VIDEO" => Some(HeaderShape::Video),
        "DOCUMENT" => Some(HeaderShape::Document),
        "LOCATION" => Some(HeaderShape::Location),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

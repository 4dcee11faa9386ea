//! Message templates: asking for them, reading them, making and removing them.
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

/// Graph gives few fields by itself, so each is asked for.
const FIELDS: &str = "id,name,language,status,category,parameter_format,components,quality_score,\
    rejected_reason";

/// Which templates are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Meta's word for a status, in any case.
    pub status: Option<String>,
    /// The name, or a part of it: Meta does not say which.
    pub name: Option<String>,
}

/// Asks for a page of an account's templates.
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

/// Removes a template: one language of it by its id, or all of them.
#[must_use]
pub fn delete(waba: &str, name: &str, id: Option<&str>) -> Call {
    Call::delete(&[waba, "message_templates"])
        .with_some("hsm_id", id)
        .with("name", name)
}

/// One template in one language; a field that did not come is empty.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Template {
    /// Meta's id of this language of it.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// `[a-z0-9_]`.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// `en_US`.
    #[serde(deserialize_with = "lenient::text")]
    pub language: String,
    /// `APPROVED`, `PAUSED` and more; an open set.
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
    /// Why it was rejected; `NONE` when it was not.
    #[serde(deserialize_with = "lenient::text")]
    pub rejected_reason: String,
    /// Header, body, footer, buttons and more.
    #[serde(deserialize_with = "lenient::list")]
    pub components: Vec<Component>,
}

/// One part of a template.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Component {
    /// `HEADER`, `BODY`, `FOOTER`, `BUTTONS`, `CAROUSEL` and more; an open set.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: String,
    /// Of a header: `TEXT`, `IMAGE`, `VIDEO`, `DOCUMENT`, `LOCATION`.
    #[serde(deserialize_with = "lenient::text")]
    pub format: String,
    /// With its variables: `Hi {{1}}`.
    #[serde(deserialize_with = "lenient::text")]
    pub text: String,
    /// Of the part `BUTTONS`.
    #[serde(deserialize_with = "lenient::list")]
    pub buttons: Vec<TemplateButton>,
    /// Of the part `CAROUSEL`.
    #[serde(deserialize_with = "lenient::list")]
    pub cards: Vec<Card>,
    /// A value for each variable, in one of several shapes.
    #[serde(deserialize_with = "lenient::or_default")]
    pub example: Value,
}

/// One button of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TemplateButton {
    /// `QUICK_REPLY`, `URL`, `PHONE_NUMBER`, `COPY_CODE`, `OTP`, `FLOW` and more; an open set.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: String,
    /// The label.
    #[serde(deserialize_with = "lenient::text")]
    pub text: String,
    /// May end with a variable.
    #[serde(deserialize_with = "lenient::text")]
    pub url: String,
    /// Who is called.
    #[serde(deserialize_with = "lenient::text")]
    pub phone_number: String,
}

/// One card of a carousel.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Card {
    /// Its header, body and buttons.
    #[serde(deserialize_with = "lenient::list")]
    pub components: Vec<Component>,
}

impl Template {
    /// Reads one row of the answer to [`list`].
    #[must_use]
    pub fn read(row: &Value) -> Self {
        lenient::read(row)
    }

    /// The part of this kind, when there is one.
    #[must_use]
    pub fn part(&self, kind: &str) -> Option<&Component> {
        let mut parts = self.components.iter();
        parts.find(|part| part.kind.eq_ignore_ascii_case(kind))
    }

    /// The buttons, in the order they are numbered.
    #[must_use]
    pub fn buttons(&self) -> &[TemplateButton] {
        self.part("BUTTONS").map_or(&[], |part| &part.buttons)
    }
}

impl Component {
    /// The example of each variable, in the order of [`variables`]; shorter when Meta gave fewer.
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
            return variables(&self.text)
                .iter()
                .map_while(example_for)
                .collect();
        }
        // A header has one variable and a list of examples, a body has lists of lists.
        let examples = &self.example[format!("{kind}_text")];
        let examples = if examples[0].is_array() {
            &examples[0]
        } else {
            examples
        };
        let texts = examples.as_array().into_iter().flatten();
        texts.map(lenient::text_of).collect()
    }
}

impl TemplateButton {
    /// Whether each send gives it a value: the end of its address, or the code that is copied. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
    #[must_use]
    pub fn needs_value(&self) -> bool {
        match self.kind.to_ascii_uppercase().as_str() {
            "URL" => !variables(&self.url).is_empty(),
            "COPY_CODE" | "OTP" => true,
            _ => false,
        }
    }
}

/// The variables of a text in the order they must be sent, each once: numbers ascending, names as
/// they appear.
#[must_use]
pub fn variables(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in text.split("{{").skip(1) {
        let Some((name, _)) = part.split_once("}}") else {
            continue;
        };
        let name = name.trim().to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    // Without names, the first value that is sent goes to {{1}}, wherever it stands.
    if names.iter().all(|name| is_position(name)) {
        names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    }
    names
}

fn is_position(variable: &str) -> bool {
    !variable.is_empty() && variable.bytes().all(|byte| byte.is_ascii_digit())
}

/// What rules need to know of a template.
#[must_use]
pub fn shape(template: &Template) -> TemplateShape {
    let body = template.part("BODY").map(|part| variables(&part.text));
    let body = body.unwrap_or_default();
    let header = template.part("HEADER").and_then(header_shape);
    let mut rest = body.iter();
    let named = template.parameter_format.eq_ignore_ascii_case("NAMED")
        || rest.any(|variable| !is_position(variable));
    let buttons = template.buttons().iter().map(|button| ButtonShape {
        kind: button.kind.to_lowercase(),
        text: button.text.clone(),
        needs_value: button.needs_value(),
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

//! What we know of a message template that Meta has approved: enough to check what a rule puts into
//! it.

use serde::{Deserialize, Serialize};

use super::{Header, MediaKind, TemplateButton, TemplateMessage};

/// The shape of one template in one language, as `replyd templates sync` keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateShape {
    /// `[a-z0-9_]`, up to 512 characters.
    pub name: String,
    /// As sends write it: `en_US`.
    pub language: String,
    /// Meta's word: `APPROVED`, `PAUSED` and more; an open set.
    pub status: String,
    /// Meta's word: `UTILITY`, `MARKETING`, `AUTHENTICATION`; an open set.
    pub category: String,
    /// What stands above the text, when there is something.
    pub header: Option<HeaderShape>,
    /// Variables of the text in the order they must be sent: `1`, `2`, or their names.
    pub body: Vec<String>,
    /// The variables have names, which must be sent along.
    pub named: bool,
    /// In the order they are numbered.
    pub buttons: Vec<ButtonShape>,
    /// How many cards a carousel has; 0 for a template without one.
    pub cards: usize,
}

/// What a template has above its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderShape {
    /// A line of text with its variables, at most one.
    Text(Vec<String>),
    /// A picture, given with each send.
    Image,
    /// A film, given with each send.
    Video,
    /// A file, given with each send.
    Document,
    /// A place, given with each send.
    Location,
}

/// One button of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonShape {
    /// Meta's word in lower case: `quick_reply`, `url`, `phone_number`, `copy_code`, `flow` and
    /// more; an open set.
    pub kind: String,
    /// The label.
    pub text: String,
    /// A send must give a value: the end of an address, or the code to copy.
    pub needs_value: bool,
}

/// What `replyd templates sync` writes and rules are checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateFile {
    /// When they were fetched, ISO 8601.
    pub synced_at: String,
    /// Every template of the account.
    pub templates: Vec<TemplateShape>,
}

impl TemplateShape {
    /// What a message gives beside what the template takes, each with the part of the message it is
    /// about: `header`, `body`, `buttons` or `cards`.
    #[must_use]
    pub fn differences<T>(&self, template: &TemplateMessage<T>) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        problems.extend(
            self.header_difference(template)
                .map(|message| ("header", message)),
        );
        let given: Vec<Option<&str>> = template
            .body
            .iter()
            .map(|parameter| parameter.name.as_deref())
            .collect();
        if self.named {
            let missing: Vec<&str> = self
                .body
                .iter()
                .map(String::as_str)
                .filter(|name| !given.contains(&Some(name)))
                .collect();
            let strange: Vec<&str> = given
                .iter()
                .flatten()
                .copied()
                .filter(|name| !self.body.iter().any(|known| known == name))
                .collect();
            if !missing.is_empty() {
                problems.push(("body", format!("the template needs {}", quoted(&missing))));
            }
            if !strange.is_empty() {
                problems.push(("body", format!("the template has no {}", quoted(&strange))));
            }
            if given.contains(&None) {
                let message = "the values of this template have names: `body = { name = \"…\" }`";
                problems.push(("body", message.to_owned()));
            }
        } else if self.body.len() != given.len() {
            let (takes, gets) = (self.body.len(), given.len());
            let message = format!("the text of the template takes {takes} values, and gets {gets}");
            problems.push(("body", message));
        } else if given.iter().any(Option::is_some) {
            let message = "the values of this template have no names: `body = [\"…\"]`".to_owned();
            problems.push(("body", message));
        }
        problems.extend(
            self.button_differences(template)
                .map(|message| ("buttons", message)),
        );
        if self.cards != template.cards.len() {
            let (takes, gets) = (self.cards, template.cards.len());
            let message = format!("the template has {takes} cards, and gets {gets}");
            problems.push(("cards", message));
        }
        problems
    }

    fn header_difference<T>(&self, template: &TemplateMessage<T>) -> Option<String> {
        let takes = match &self.header {
            None => "nothing",
            Some(HeaderShape::Text(names)) if names.is_empty() => "nothing",
            Some(HeaderShape::Text(_)) => "a text",
            Some(HeaderShape::Image) => "an image",
            Some(HeaderShape::Video) => "a video",
            Some(HeaderShape::Document) => "a document",
            Some(HeaderShape::Location) => "a location",
        };
        let gets = match &template.header {
            None => "nothing",
            Some(Header::Text(_)) => "a text",
            Some(Header::Place { .. }) => "a location",
            Some(Header::Media(media)) => match media.kind {
                MediaKind::Image => "an image",
                MediaKind::Video => "a video",
                MediaKind::Document => "a document",
                MediaKind::Audio | MediaKind::Sticker => "another file",
            },
        };
        (takes != gets)
            .then(|| format!("the header of the template takes {takes}, and gets {gets}"))
    }

    fn button_differences<T>(&self, template: &TemplateMessage<T>) -> impl Iterator<Item = String> {
        let given = template.buttons.iter().map(|button| match button {
            TemplateButton::Payload(index, _) => (*index, "quick_reply"),
            TemplateButton::Url(index, _) => (*index, "url"),
            TemplateButton::Code(index, _) => (*index, "copy_code"),
            TemplateButton::Form(index, _) => (*index, "flow"),
        });
        let given: Vec<(usize, &str)> = given.collect();
        let missing = self.buttons.iter().enumerate().filter({
            let given = given.clone();
            move |(index, button)| {
                button.needs_value && !given.iter().any(|(place, _)| place == index)
            }
        });
        let missing = missing.map(|(index, button)| {
            format!("button {} (\"{}\") needs a value", index + 1, button.text)
        });
        let wrong = given
            .into_iter()
            .filter_map(|(index, kind)| match self.buttons.get(index) {
                None => Some(format!("the template has no button {}", index + 1)),
                Some(button) if button.kind != kind => Some(format!(
                    "button {} (\"{}\") is of kind {}, and gets a value for {kind}",
                    index + 1,
                    button.text,
                    button.kind
                )),
                Some(_) => None,
            });
        missing.chain(wrong)
    }
}

/// Names in backticks with commas between.
fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

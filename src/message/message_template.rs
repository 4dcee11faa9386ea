//! Shape of an approved message template, against which rules are checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Header, MediaKind, TemplateButton, TemplateMessage};

use crate::message::counted;

/// Shape of one template in one language, as `replyd templates sync` stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateShape {
    /// Name of `[a-z0-9_]`, up to 512 characters.
    pub name: String,
    /// Language as in sends: `en_US`.
    pub language: String,
    /// Meta's status: `APPROVED`, `PAUSED`; an open set.
    pub status: String,
    /// Meta's category: `UTILITY`, `MARKETING`, `AUTHENTICATION`; an open set.
    pub category: String,
    /// Header above the text.
    pub header: Option<HeaderShape>,
    /// Variables of the text in the order they must be sent: `1`, `2`, or their names.
    pub body: Vec<String>,
    /// Whether the variables have names, which must be sent along.
    pub named: bool,
    /// Buttons; their indexes are the numbers that sends refer to.
    pub buttons: Vec<ButtonShape>,
    /// Number of cards of a carousel; 0 without one.
    pub cards: usize,
    /// Whether it has a limited-time offer whose end is given with each send.
    #[serde(default)]
    pub offer_expires: bool,
}

/// Header of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderShape {
    /// Line of text with at most one variable.
    Text(Vec<String>),
    /// Image, given with each send.
    Image,
    /// Video, given with each send.
    Video,
    /// Document, given with each send.
    Document,
    /// Location, given with each send.
    Location,
}

/// Button of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonShape {
    /// Meta's type in lower case: `quick_reply`, `url`, `phone_number`, `copy_code`, `flow`,
    /// `catalog`, `mpm`; an open set.
    pub kind: String,
    /// Label.
    pub text: String,
    /// Whether a send must give a value: the end of an address, the code to copy, the products.
    pub needs_value: bool,
}

/// Present state of one template in one language: whether Meta sends it, and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateState {
    /// Meta's status; empty while unknown.
    pub status: String,
    /// Meta's category; empty while unknown.
    pub category: String,
}

impl TemplateState {
    /// Statuses of templates that Meta does not send. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management>.
    const STOPPED: [&str; 9] = [
        "PENDING",
        "REJECTED",
        "PAUSED",
        "DISABLED",
        "IN_APPEAL",
        "PENDING_DELETION",
        "DELETED",
        "LIMIT_EXCEEDED",
        "ARCHIVED",
    ];

    /// Whether Meta does not send the template. With a status that this version does not know, Meta
    /// decides.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let is_it = |status: &&str| status.eq_ignore_ascii_case(&self.status);
        Self::STOPPED.iter().any(is_it)
    }

    /// Whether it may go only to contacts who accept marketing.
    #[must_use]
    pub fn is_marketing(&self) -> bool {
        self.category.eq_ignore_ascii_case("MARKETING")
    }
}

/// Present states of the templates of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateStates(BTreeMap<(String, String), TemplateState>);

impl TemplateStates {
    /// Takes the states as they were fetched.
    #[must_use]
    pub fn from_file(file: &TemplateFile) -> Self {
        let states = file.templates.iter().map(|shape| {
            let key = (shape.name.clone(), shape.language.clone());
            (key, shape.state())
        });
        Self(states.collect())
    }

    /// Finds the state of a template in a language, if it is known.
    #[must_use]
    pub fn get(&self, name: &str, language: &str) -> Option<&TemplateState> {
        self.0.get(&(name.to_owned(), language.to_owned()))
    }

    /// Changes the state of a template: in one language, which may be new, or in every known one.
    pub fn change(
        &mut self,
        name: &str,
        language: Option<&str>,
        mut change: impl FnMut(&mut TemplateState),
    ) {
        if let Some(language) = language {
            let key = (name.to_owned(), language.to_owned());
            change(self.0.entry(key).or_default());
            return;
        }
        let of_name = self.0.iter_mut().filter(|((known, _), _)| known == name);
        of_name.for_each(|(_, state)| change(state));
    }
}

/// File that `replyd templates sync` writes and rules are checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateFile {
    /// Time of the synchronization, ISO 8601.
    pub synced_at: String,
    /// All templates of the account.
    pub templates: Vec<TemplateShape>,
}

impl TemplateShape {
    /// Returns what decides whether the template is sent.
    #[must_use]
    pub fn state(&self) -> TemplateState {
        TemplateState {
            status: self.status.clone(),
            category: self.category.clone(),
        }
    }

    /// Whether it carries a one-time code.
    #[must_use]
    pub fn is_authentication(&self) -> bool {
        self.category.eq_ignore_ascii_case("AUTHENTICATION")
    }

    /// Adds what follows from the template: the name of the header's variable, and the way in which
    /// one-time codes are sent.
    ///
    /// Meta lists the button of such a template as `OTP`, `COPY_CODE` or `URL`, and takes the code
    /// as the end of an address whatever the kind. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/authentication-templates>.
    pub fn complete<T: Clone>(&self, template: &mut TemplateMessage<T>) {
        if let (true, Some(HeaderShape::Text(names)), Some(Header::Text(_))) =
            (self.named, &self.header, &template.header)
        {
            let name = template.header_name.take();
            template.header_name = name.or_else(|| names.first().cloned());
        }
        template.authentication = self.is_authentication();
        if template.authentication {
            for button in &mut template.buttons {
                if let TemplateButton::Code(index, code) = button {
                    *button = TemplateButton::Url(*index, code.clone());
                }
            }
        }
    }

    /// Lists the mismatches between a message and the template, each with the part of the message:
    /// `header`, `body`, `limited_time_offer`, `buttons` or `cards`.
    #[must_use]
    pub fn differences<T>(&self, template: &TemplateMessage<T>) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let header = self.header_difference(template);
        let header = header.or_else(|| self.header_name_difference(template));
        problems.extend(header.map(|message| ("header", message)));
        let given = template
            .body
            .iter()
            .map(|parameter| parameter.name.as_deref());
        let given: Vec<Option<&str>> = given.collect();
        if self.named {
            let needed = self.body.iter().map(String::as_str);
            let missing: Vec<&str> = needed.filter(|name| !given.contains(&Some(name))).collect();
            let names = given.iter().flatten().copied();
            let strange: Vec<&str> = names
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
            let (takes, gets) = (counted(self.body.len(), "value"), given.len());
            let message = format!("the text of the template takes {takes}, and gets {gets}");
            problems.push(("body", message));
        } else if given.iter().any(Option::is_some) {
            let message = "the values of this template have no names: `body = [\"…\"]`".to_owned();
            problems.push(("body", message));
        }
        let offer = match (self.offer_expires, template.offer_expiration_ms.is_some()) {
            (true, false) => Some("the template needs the time when its offer ends"),
            (false, true) => Some("the template has no offer that ends"),
            _ => None,
        };
        problems.extend(offer.map(|message| ("limited_time_offer", message.to_owned())));
        let buttons = self.button_differences(template);
        problems.extend(buttons.map(|message| ("buttons", message)));
        if self.cards != template.cards.len() {
            let (takes, gets) = (counted(self.cards, "card"), template.cards.len());
            let message = format!("the template has {takes}, and gets {gets}");
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

    fn header_name_difference<T>(&self, template: &TemplateMessage<T>) -> Option<String> {
        let given = template.header_name.as_ref()?;
        match &self.header {
            Some(HeaderShape::Text(names)) if self.named && !names.contains(given) => {
                Some(format!(
                    "the header of the template takes {}, and gets `{given}`",
                    quoted(&names.iter().map(String::as_str).collect::<Vec<_>>())
                ))
            }
            Some(HeaderShape::Text(_)) if !self.named => {
                let message = "the value of the header has no name: `header = \"…\"`";
                Some(message.to_owned())
            }
            _ => None,
        }
    }

    fn button_differences<T>(&self, template: &TemplateMessage<T>) -> impl Iterator<Item = String> {
        let given = template.buttons.iter().map(|button| match button {
            TemplateButton::Payload(index, _) => (*index, "quick_reply"),
            TemplateButton::Url(index, _) => (*index, "url"),
            TemplateButton::Code(index, _) => (*index, "copy_code"),
            TemplateButton::Form(index, ..) => (*index, "flow"),
            TemplateButton::Catalog(index, _) => (*index, "catalog"),
            TemplateButton::Products(index, _) => (*index, "mpm"),
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
                // Every kind that Meta lists for one-time codes takes one.
                Some(_) if self.is_authentication() && matches!(kind, "url" | "copy_code") => None,
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

/// Joins names in backticks with commas.
fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

//! What we know of a message template that Meta has approved: enough to check what a rule puts into it.

use serde::{Deserialize, Serialize};

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
    /// Meta's word in lower case: `quick_reply`, `url`, `phone_number`, `copy_code`, `flow` and more; an open set.
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

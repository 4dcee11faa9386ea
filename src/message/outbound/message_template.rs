//! Message template with its parameters.

use serde::{Deserialize, Serialize};

use super::{Header, Media};

/// Approved message template with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMessage<T = String> {
    /// Name of `[a-z0-9_]`.
    pub name: String,
    /// Language as Meta writes it: `en_US`.
    pub language: String,
    /// Header, if the template has a variable there.
    pub header: Option<Header<T>>,
    /// Name of the variable in the header, only for templates with named variables.
    pub header_name: Option<String>,
    /// Variables of the text, in order.
    pub body: Vec<TemplateParameter<T>>,
    /// Values of the buttons that take one.
    pub buttons: Vec<TemplateButton<T>>,
    /// Cards of a carousel, as many as the template has.
    pub cards: Vec<TemplateCard<T>>,
    /// Whether it carries a one-time code, which `WhatsApp` sends to phone numbers only (131062).
    #[serde(default)]
    pub authentication: bool,
}

/// Variable of a template's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateParameter<T = String> {
    /// Name, only for templates with named variables.
    pub name: Option<String>,
    /// Value.
    pub text: T,
}

/// Value of one button of a template, with the button's index in the template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateButton<T = String> {
    /// Payload of a quick reply, which a tap sends back.
    Payload(usize, T),
    /// End of the address that the button opens.
    Url(usize, T),
    /// Code that the button copies.
    Code(usize, T),
    /// Token of the form that the button opens.
    Form(usize, T),
}

/// Card of a template with a carousel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateCard<T = String> {
    /// Image or video.
    pub media: Media<T>,
    /// Variables of the card's text, in order.
    pub body: Vec<TemplateParameter<T>>,
    /// Values of the buttons that take one.
    pub buttons: Vec<TemplateButton<T>>,
}

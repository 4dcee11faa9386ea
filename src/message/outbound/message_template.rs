//! A template with its parameters filled in.

use serde::{Deserialize, Serialize};

use super::{Header, Media};

/// A message template that Meta has approved, and what goes into it.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview>.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMessage<T = String> {
    /// `[a-z0-9_]`.
    pub name: String,
    /// As Meta writes it: `en_US`.
    pub language: String,
    /// What stands above, when the template has a variable there.
    pub header: Option<Header<T>>,
    /// The variables of the text, in order.
    pub body: Vec<TemplateParameter<T>>,
    /// The buttons that take a value.
    pub buttons: Vec<TemplateButton<T>>,
    /// The cards of a carousel, as many as the template has.
    pub cards: Vec<TemplateCard<T>>,
}

/// One variable of a template's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateParameter<T = String> {
    /// Only for templates made with named variables.
    pub name: Option<String>,
    /// The value.
    pub text: T,
}

/// What one button of a template is given. The place in the list of the template's buttons comes
/// with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateButton<T = String> {
    /// A quick reply: comes back when tapped.
    Payload(usize, T),
    /// The end of the address it opens.
    Url(usize, T),
    /// The code it copies.
    Code(usize, T),
    /// The token of the form it opens.
    Form(usize, T),
}

/// One card of a template with a carousel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateCard<T = String> {
    /// An image or video.
    pub media: Media<T>,
    /// The variables of the card's text, in order.
    pub body: Vec<TemplateParameter<T>>,
    /// The buttons that take a value.
    pub buttons: Vec<TemplateButton<T>>,
}

//! Message template with its parameters.

use serde::{Deserialize, Serialize};

use super::{Header, Media, ProductSection};

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
    /// Time when a limited-time offer ends, in milliseconds since 1970. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/limited-time-offer-templates>.
    pub offer_expiration_ms: Option<T>,
    /// Whether it carries a one-time code, which `WhatsApp` sends to phone numbers only (131062).
    #[serde(default)]
    pub authentication: bool,
}

/// Variable of a template's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateParameter<T = String> {
    /// Name, only for templates with named variables.
    pub name: Option<String>,
    /// Value; of an amount or a time, the text that `WhatsApp` shows where it does not write its
    /// own.
    pub text: T,
    /// Amount or time; `None` for a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localized: Option<Localized<T>>,
}

/// Value of a template that `WhatsApp` may write in the way of the contact's language. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Localized<T = String> {
    /// Amount of money.
    Currency {
        /// Currency by ISO 4217: `USD`.
        code: T,
        /// Amount times 1000, a whole number.
        amount_1000: T,
    },
    /// Day or time; the Cloud API shows the text as it is.
    DateTime,
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
    /// Token of the form that the button opens, and the data of its first screen by name.
    Form(usize, T, Vec<(String, T)>),
    /// Product whose image represents the catalog that the button opens.
    Catalog(usize, T),
    /// Products that the button shows.
    Products(usize, ProductList<T>),
}

/// Products behind a button of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductList<T = String> {
    /// Product whose image stands above the text.
    pub thumbnail: T,
    /// Groups of products, in order.
    pub sections: Vec<ProductSection<T>>,
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

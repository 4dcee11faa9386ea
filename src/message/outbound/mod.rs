//! Outbound messages, independent of Meta's JSON.
//!
//! Every shape is defined once, over the type of its texts: `Outbound<String>` is a message, and
//! rules hold `Outbound<Template>`, which [`Outbound::try_map`] renders. `transcript` shows
//! messages as text; [`super::limits`] checks WhatsApp's limits.

mod checkout;
mod choices;
mod commerce;
mod contact_card;
mod message_template;
pub(super) mod prune;
mod raw;
pub(super) mod transcript;
mod try_map;

use serde::{Deserialize, Serialize};

pub use checkout::{Checkout, CheckoutStep, whole_number};
pub use commerce::{Commerce, ProductSection};
pub use contact_card::{Address, ContactCard, Email, Phone};
pub use message_template::{
    Localized, ProductList, TemplateButton, TemplateCard, TemplateMessage, TemplateParameter,
};
pub use raw::{Json, Raw};

/// Outbound message. Stored as JSON in `messages.raw`; [`crate::whatsapp::outbound`] builds the
/// request from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outbound<T = String> {
    /// Plain text.
    Text {
        /// Text of 1 to 4096 characters.
        body: T,
        /// Whether WhatsApp shows a preview of the first link.
        preview_url: bool,
    },
    /// Text with one to three reply buttons.
    Buttons {
        /// Header, text and footer.
        #[serde(flatten)]
        frame: Frame<T>,
        /// One to three buttons, in order.
        buttons: Vec<Button<T>>,
    },
    /// Text with a button that opens a list.
    List {
        /// Header line; a list takes text only.
        header: Option<T>,
        /// Text of 1 to 1024 characters.
        body: T,
        /// Small print below the text.
        footer: Option<T>,
        /// Label of the button that opens the list.
        button: T,
        /// Groups of rows, in order.
        sections: Vec<Section<T>>,
    },
    /// Text with a button that opens a web page.
    Link {
        /// Header, text and footer.
        #[serde(flatten)]
        frame: Frame<T>,
        /// The button.
        link: LinkButton<T>,
    },
    /// Request to share a location.
    AskLocation {
        /// Text of 1 to 1024 characters.
        body: T,
    },
    /// Request to a contact who hides the phone number to share it.
    AskContact {
        /// Text of 1 to 1024 characters.
        body: T,
    },
    /// Text with a button that opens a form (a "`WhatsApp` Flow").
    Form {
        /// Header, text and footer.
        #[serde(flatten)]
        frame: Frame<T>,
        /// The form.
        form: Form<T>,
    },
    /// Products of the catalog linked to the account.
    Commerce(Commerce<T>),
    /// Step of a purchase: the form for an address, the order to pay, its state.
    Checkout(Checkout<T>),
    /// Carousel of cards side by side, each with an image or video and buttons.
    Carousel {
        /// Text of 1 to 1024 characters.
        body: T,
        /// Two to ten cards, in order.
        cards: Vec<Card<T>>,
    },
    /// File.
    Media(Media<T>),
    /// Location.
    Location {
        /// Latitude in degrees north.
        latitude: f64,
        /// Longitude in degrees east.
        longitude: f64,
        /// Name, shown in bold.
        name: Option<T>,
        /// Address, shown only with a name.
        address: Option<T>,
    },
    /// Contact cards.
    Contacts {
        /// One to five cards.
        cards: Vec<ContactCard<T>>,
    },
    /// Emoji on the message being answered.
    Reaction {
        /// One emoji; an empty text removes the reaction.
        emoji: T,
    },
    /// Approved message template, the only message allowed outside of the 24-hour window.
    Template(TemplateMessage<T>),
    /// Message of another type, passed on as it stands.
    Raw(Raw<T>),
}

/// Texts around a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame<T = String> {
    /// Header above the text.
    pub header: Option<Header<T>>,
    /// Text of 1 to 1024 characters.
    pub body: T,
    /// Small print below the text.
    pub footer: Option<T>,
}

/// Header of a message with buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header<T = String> {
    /// Bold line.
    Text(T),
    /// Image, video or document.
    Media(Media<T>),
    /// Location; templates only.
    Place {
        /// Latitude in degrees north, as text.
        latitude: T,
        /// Longitude in degrees east, as text.
        longitude: T,
        /// Name, shown in bold.
        name: T,
        /// Address, on the second line.
        address: T,
    },
}

/// Outbound file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media<T = String> {
    /// Meta's type of the file.
    pub kind: MediaKind,
    /// Source of the file.
    #[serde(flatten)]
    pub source: MediaSource<T>,
    /// Caption; not for audio and stickers.
    pub caption: Option<T>,
    /// File name, for documents only; its extension selects the icon.
    pub filename: Option<T>,
    /// Whether audio is shown as a voice message, which requires OGG with OPUS.
    #[serde(default)]
    pub voice: bool,
}

/// Source of a file: exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource<T = String> {
    /// `https://…` address; Meta fetches it and caches it for 10 minutes.
    Link(T),
    /// Id of an upload, valid for 30 days and for the number it was uploaded for.
    Id(T),
}

/// Types of outbound files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// JPEG or PNG up to 5 MB.
    Image,
    /// MP4 or 3GPP up to 16 MB.
    Video,
    /// AAC, AMR, MP3, M4A or OGG/OPUS up to 16 MB.
    Audio,
    /// Any document up to 100 MB.
    Document,
    /// WEBP of 512 by 512 pixels, up to 100 KB, or 500 KB if animated.
    Sticker,
}

/// Reply button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button<T = String> {
    /// Id that a tap sends back. Never a template: rules refer to it.
    pub id: String,
    /// Label.
    pub title: T,
}

/// Button that opens a web page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkButton<T = String> {
    /// Label.
    pub title: T,
    /// Address of the web page.
    pub url: T,
}

/// Group of rows of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section<T = String> {
    /// Title, required when there are several sections.
    pub title: Option<T>,
    /// Rows, in order.
    pub rows: Vec<Row<T>>,
}

/// Row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row<T = String> {
    /// Id that a tap sends back. Never a template: rules refer to it.
    pub id: String,
    /// Label.
    pub title: T,
    /// Second line.
    pub description: Option<T>,
}

/// Form ("`WhatsApp` Flow") behind a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form<T = String> {
    /// Id or name of the form.
    #[serde(flatten)]
    pub form: FormName,
    /// Label of the button.
    pub button: T,
    /// Token that comes back with the answers, the only link between the two; without one, the id
    /// or name of the form.
    pub token: Option<T>,
    /// First screen; without one, the form's own server selects it.
    pub screen: Option<String>,
    /// Data of the first screen, by name.
    pub data: Vec<(String, T)>,
    /// Whether an unpublished form is sent.
    #[serde(default)]
    pub draft: bool,
}

/// Form by id or by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormName {
    /// Meta's id of the form.
    FlowId(String),
    /// Name in `WhatsApp` Manager.
    FlowName(String),
}

/// Card of a carousel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card<T = String> {
    /// Image or video; the same type on every card.
    pub media: Media<T>,
    /// Text of up to 160 characters.
    pub body: Option<T>,
    /// Buttons; the same on every card.
    pub action: CardAction<T>,
}

/// Buttons of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardAction<T = String> {
    /// Button that opens a web page.
    Link(LinkButton<T>),
    /// Reply buttons.
    Buttons(Vec<Button<T>>),
}

impl MediaKind {
    /// Every type with Meta's name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("image", Self::Image),
        ("video", Self::Video),
        ("audio", Self::Audio),
        ("document", Self::Document),
        ("sticker", Self::Sticker),
    ];

    /// Returns Meta's name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

impl<T> Media<T> {
    /// Creates a file without caption and file name.
    pub fn new(kind: MediaKind, source: MediaSource<T>) -> Self {
        Self {
            kind,
            source,
            caption: None,
            filename: None,
            voice: false,
        }
    }
}

impl<T> Outbound<T> {
    /// Returns the name stored in `messages.kind`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Buttons { .. } => "buttons",
            Self::List { .. } => "list",
            Self::Link { .. } => "link",
            Self::AskLocation { .. } => "ask_location",
            Self::AskContact { .. } => "ask_contact",
            Self::Form { .. } => "form",
            Self::Commerce(commerce) => commerce.kind_name(),
            Self::Checkout(checkout) => checkout.step.name(),
            Self::Carousel { .. } => "carousel",
            Self::Media(media) => media.kind.name(),
            Self::Location { .. } => "location",
            Self::Contacts { .. } => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Template(_) => "template",
            Self::Raw(_) => "raw",
        }
    }
}

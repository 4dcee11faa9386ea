//! A message we send: complete, ready to be put into Meta's words.
//!
//! Every shape is written once, over the type of its texts: `Outbound<String>` is a message, and
//! rules hold `Outbound<Template>`, of which [`Outbound::try_map`] makes messages. How people read
//! it is in `transcript`, what WhatsApp takes in [`super::limits`].

mod choices;
mod commerce;
mod contact_card;
mod message_template;
mod prune;
mod transcript;
mod try_map;

use serde::{Deserialize, Serialize};

pub use commerce::{Commerce, ProductSection};
pub use contact_card::{ContactCard, Email, Phone};
pub use message_template::{TemplateButton, TemplateCard, TemplateMessage, TemplateParameter};

/// One message of ours. Stored as JSON in `messages.raw`; [`crate::whatsapp::outbound`] makes the
/// request of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outbound<T = String> {
    /// Plain text.
    Text {
        /// 1 to 4096 characters.
        body: T,
        /// Ask WhatsApp to preview the first link.
        preview_url: bool,
    },
    /// Text with one to three reply buttons.
    Buttons {
        /// Header, text and footer.
        #[serde(flatten)]
        frame: Frame<T>,
        /// In order.
        buttons: Vec<Button<T>>,
    },
    /// Text with a button that opens a list.
    List {
        /// Shown above the text; a list takes text only.
        header: Option<T>,
        /// 1 to 1024 characters.
        body: T,
        /// Small print below.
        footer: Option<T>,
        /// Label of the button that opens the list.
        button: T,
        /// In order.
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
    /// Asks the person to share a place.
    AskLocation {
        /// 1 to 1024 characters.
        body: T,
    },
    /// Asks a person who hides the phone number to share it.
    AskContact {
        /// 1 to 1024 characters.
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
    /// Two to ten cards side by side, each with a picture or film and buttons.
    Carousel {
        /// 1 to 1024 characters.
        body: T,
        /// In order.
        cards: Vec<Card<T>>,
    },
    /// A file.
    Media(Media<T>),
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Shown in bold.
        name: Option<T>,
        /// Shown only with a name.
        address: Option<T>,
    },
    /// Contact cards.
    Contacts {
        /// One to five.
        cards: Vec<ContactCard<T>>,
    },
    /// An emoji on the message that is answered.
    Reaction {
        /// One emoji; empty takes the reaction back.
        emoji: T,
    },
    /// A template that Meta has approved; the only thing that may be sent after the 24 hours.
    Template(TemplateMessage<T>),
}

/// What stands around something that can be tapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame<T = String> {
    /// Shown above the text.
    pub header: Option<Header<T>>,
    /// 1 to 1024 characters.
    pub body: T,
    /// Small print below.
    pub footer: Option<T>,
}

/// What stands above the text of a message with buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header<T = String> {
    /// A bold line.
    Text(T),
    /// An image, video or document.
    Media(Media<T>),
    /// A place; templates only.
    Place {
        /// Degrees north, as text.
        latitude: T,
        /// Degrees east, as text.
        longitude: T,
        /// Shown in bold.
        name: T,
        /// Second line.
        address: T,
    },
}

/// A file we send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media<T = String> {
    /// Which of Meta's types.
    pub kind: MediaKind,
    /// Where Meta gets it from.
    #[serde(flatten)]
    pub source: MediaSource<T>,
    /// Not for audio and stickers.
    pub caption: Option<T>,
    /// Documents only: its extension picks the icon.
    pub filename: Option<T>,
    /// Audio only: shown as a voice message; needs OGG with OPUS.
    #[serde(default)]
    pub voice: bool,
}

/// Where Meta gets a file from: exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource<T = String> {
    /// `https://…`; fetched by Meta, cached 10 minutes.
    Link(T),
    /// The id of an upload, good for 30 days and for the number it was uploaded for.
    Id(T),
}

/// The types of file that can be sent.
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
    /// WEBP of 512 by 512 pixels, up to 100 KB, 500 KB when it moves.
    Sticker,
}

/// A reply button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button<T = String> {
    /// Comes back when tapped. Never a template: rules refer to it.
    pub id: String,
    /// What the person sees.
    pub title: T,
}

/// A button that opens a web page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkButton<T = String> {
    /// What the person sees.
    pub title: T,
    /// Where it leads.
    pub url: T,
}

/// A group of rows of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section<T = String> {
    /// Required when there is more than one section.
    pub title: Option<T>,
    /// In order.
    pub rows: Vec<Row<T>>,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row<T = String> {
    /// Comes back when chosen. Never a template: rules refer to it.
    pub id: String,
    /// What the person sees.
    pub title: T,
    /// The second line.
    pub description: Option<T>,
}

/// A form ("`WhatsApp` Flow") behind a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form<T = String> {
    /// Which form.
    #[serde(flatten)]
    pub form: FormName,
    /// Label of the button.
    pub button: T,
    /// Comes back with the answers: the only way to know which form they belong to.
    pub token: Option<T>,
    /// The first screen; without one the form's own server says.
    pub screen: Option<String>,
    /// What the first screen is given, by name.
    pub data: Vec<(String, T)>,
    /// Send a form that is not published yet.
    #[serde(default)]
    pub draft: bool,
}

/// A form by id or by name: exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormName {
    /// Meta's id.
    FlowId(String),
    /// The name in `WhatsApp` Manager.
    FlowName(String),
}

/// One card of a carousel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card<T = String> {
    /// An image or video; the same type on every card.
    pub media: Media<T>,
    /// Up to 160 characters.
    pub body: Option<T>,
    /// What can be tapped; the same on every card.
    pub action: CardAction<T>,
}

/// What can be tapped on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardAction<T = String> {
    /// A web page.
    Link(LinkButton<T>),
    /// Reply buttons.
    Buttons(Vec<Button<T>>),
}

impl MediaKind {
    /// Every kind with Meta's word for it.
    pub const ALL: [(&'static str, Self); 5] = [
        ("image", Self::Image),
        ("video", Self::Video),
        ("audio", Self::Audio),
        ("document", Self::Document),
        ("sticker", Self::Sticker),
    ];

    /// Meta's word for the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

impl<T> Media<T> {
    /// A file with nothing beside it.
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
    /// The name stored in `messages.kind`.
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
            Self::Carousel { .. } => "carousel",
            Self::Media(media) => media.kind.name(),
            Self::Location { .. } => "location",
            Self::Contacts { .. } => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Template(_) => "template",
        }
    }
}

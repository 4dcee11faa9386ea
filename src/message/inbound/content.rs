//! Type-dependent part of an inbound message.

use serde::{Deserialize, Serialize};

use crate::message::outbound::transcript::labelled;
use crate::message::{ContactCard, GraphError, Identity, Wamid};

/// Content of an inbound message. Serialized as part of a conversation's state, never in Meta's
/// format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// Text.
        body: String,
    },
    /// Image.
    Image(Media),
    /// Voice message or audio file.
    Audio {
        /// File.
        media: Media,
        /// Whether it was recorded in `WhatsApp`, not attached.
        voice: bool,
    },
    /// Video.
    Video(Media),
    /// Any file.
    Document {
        /// File.
        media: Media,
        /// File name on the contact's device: untrusted, for display only.
        filename: Option<String>,
    },
    /// Sticker.
    Sticker(Media),
    /// Location.
    Location {
        /// Latitude in degrees north.
        latitude: f64,
        /// Longitude in degrees east.
        longitude: f64,
        /// Name, only of a chosen place.
        name: Option<String>,
        /// Address, only of a chosen place.
        address: Option<String>,
    },
    /// Contact cards.
    Contacts {
        /// Cards in order; absent parts are empty.
        cards: Vec<ContactCard>,
    },
    /// Tap on a reply button of an outbound message.
    ButtonReply {
        /// Id of the button.
        id: String,
        /// Displayed label.
        title: String,
    },
    /// Tap on a row of an outbound list.
    ListReply {
        /// Id of the row.
        id: String,
        /// Displayed label.
        title: String,
        /// Second line of the row.
        description: Option<String>,
    },
    /// Tap on a quick-reply button of a template (`type: "button"`).
    TemplateButton {
        /// Payload given with the template; the label without one.
        payload: String,
        /// Displayed label.
        text: String,
    },
    /// Answers of a form (`nfm_reply`).
    Form {
        /// `flow` or `address_message`.
        name: Option<String>,
        /// Text that `WhatsApp` shows for the answers.
        body: Option<String>,
        /// Answers by name, including `flow_token`.
        answers: serde_json::Map<String, serde_json::Value>,
    },
    /// Order from the catalog.
    Order(Order),
    /// Reaction to a message, or its removal.
    Reaction {
        /// Message reacted to.
        message: Option<Wamid>,
        /// Emoji; `None` for a removal.
        emoji: Option<String>,
    },
    /// Edit of an earlier message; reported only for numbers shared with the phone app.
    Edit {
        /// Edited message.
        original: Option<Wamid>,
        /// Content after the edit.
        now: Box<Self>,
    },
    /// Deletion of an earlier message for everyone; reported only for numbers shared with the phone
    /// app.
    Revoke {
        /// Deleted message.
        original: Option<Wamid>,
    },
    /// First opening of the chat; retired by Meta, still accepted.
    Welcome,
    /// Change of the contact's number or id.
    System {
        /// Meta's `system.type`.
        kind: String,
        /// Meta's description of the change.
        body: Option<String>,
        /// Former identity of the contact, if given.
        previous: Option<Identity>,
    },
    /// Message of a kind that Meta does not pass on, or could not deliver.
    Unsupported {
        /// Meta's name of the kind, if given.
        kind: Option<String>,
        /// Meta's reasons.
        errors: Vec<GraphError>,
    },
    /// Message of a known kind whose essential parts are missing or unreadable; its raw JSON is
    /// kept.
    Incomplete {
        /// Kind.
        kind: Kind,
    },
    /// Message of any other type; its raw JSON is kept.
    Other {
        /// Meta's `type`.
        kind: String,
    },
}

/// File that stays at Meta until it is downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Media id, valid for 7 days.
    pub id: Option<String>,
    /// MIME type as received, with a possible `; codecs=` suffix.
    pub mime_type: Option<String>,
    /// Hash as received, in base64.
    pub sha256: Option<String>,
    /// Caption by the contact.
    pub caption: Option<String>,
}

/// Order from the catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Id of the catalog.
    pub catalog_id: Option<String>,
    /// Text that the contact added.
    pub text: Option<String>,
    /// Ordered products, in order.
    pub items: Vec<OrderItem>,
}

/// Product of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderItem {
    /// Id of the product in the shop.
    pub product_id: Option<String>,
    /// Number of pieces; `None` if it is unreadable.
    pub quantity: Option<f64>,
    /// Price per piece in `currency`, as in the catalog; to be verified against the shop's own
    /// prices.
    pub price: Option<f64>,
    /// Currency, ISO 4217.
    pub currency: Option<String>,
}

/// Kinds of messages that `when.type` of a rule can require.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Plain text.
    Text,
    /// Image.
    Image,
    /// Audio, recorded or attached.
    Audio,
    /// Voice message recorded in `WhatsApp`; it is of kind `audio` too.
    Voice,
    /// Video.
    Video,
    /// Any file.
    Document,
    /// Sticker.
    Sticker,
    /// Location.
    Location,
    /// Contact cards.
    Contacts,
    /// Tap on a reply button, a list row or a template's quick reply.
    Button,
    /// Answers of a form.
    Form,
    /// Order from the catalog.
    Order,
    /// Reaction.
    Reaction,
    /// Edit of an earlier message.
    Edit,
    /// Deletion of an earlier message.
    Revoke,
    /// First opening of the chat.
    Welcome,
    /// Change of the contact's number or id.
    System,
    /// Message of a kind that Meta does not pass on.
    Unsupported,
}

impl Kind {
    /// Every kind with its name in rules files, in the order of the documentation.
    pub const ALL: [(&'static str, Self); 18] = [
        ("text", Self::Text),
        ("image", Self::Image),
        ("audio", Self::Audio),
        ("voice", Self::Voice),
        ("video", Self::Video),
        ("document", Self::Document),
        ("sticker", Self::Sticker),
        ("location", Self::Location),
        ("contacts", Self::Contacts),
        ("button", Self::Button),
        ("form", Self::Form),
        ("order", Self::Order),
        ("reaction", Self::Reaction),
        ("edit", Self::Edit),
        ("revoke", Self::Revoke),
        ("welcome", Self::Welcome),
        ("system", Self::System),
        ("unsupported", Self::Unsupported),
    ];

    /// Returns the name in rules files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Whether only rules that name this kind match it: the contact expects no answer, or the
    /// answer could continue a loop between two bots.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        matches!(
            self,
            Self::Reaction
                | Self::Edit
                | Self::Revoke
                | Self::Welcome
                | Self::System
                | Self::Unsupported
        )
    }
}

impl Content {
    /// Returns the kind as rules name it; a recording is `Voice`. `None` for content that rules
    /// never see.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Text { .. } => Kind::Text,
            Self::Image(_) => Kind::Image,
            Self::Audio { voice: true, .. } => Kind::Voice,
            Self::Audio { voice: false, .. } => Kind::Audio,
            Self::Video(_) => Kind::Video,
            Self::Document { .. } => Kind::Document,
            Self::Sticker(_) => Kind::Sticker,
            Self::Location { .. } => Kind::Location,
            Self::Contacts { .. } => Kind::Contacts,
            Self::ButtonReply { .. } | Self::ListReply { .. } | Self::TemplateButton { .. } => {
                Kind::Button
            }
            Self::Form { .. } => Kind::Form,
            Self::Order(_) => Kind::Order,
            Self::Reaction { .. } => Kind::Reaction,
            Self::Edit { .. } => Kind::Edit,
            Self::Revoke { .. } => Kind::Revoke,
            Self::Welcome => Kind::Welcome,
            Self::System { .. } => Kind::System,
            Self::Unsupported { .. } => Kind::Unsupported,
            Self::Incomplete { kind } => *kind,
            Self::Other { .. } => return None,
        })
    }

    /// Whether `when.type` of a rule matches this content if it names `kind`.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        let actual = self.kind();
        actual == Some(kind) || (actual == Some(Kind::Voice) && kind == Kind::Audio)
    }

    /// Returns the name stored in `messages.kind`: Meta's own word, more exact than [`Kind`].
    #[must_use]
    pub fn kind_name(&self) -> &str {
        match self {
            Self::ButtonReply { .. } => "button_reply",
            Self::ListReply { .. } => "list_reply",
            Self::Other { kind } => kind,
            _ => self.kind().map_or("unknown", Kind::name),
        }
    }

    /// Returns the attached file.
    #[must_use]
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Image(media)
            | Self::Video(media)
            | Self::Sticker(media)
            | Self::Audio { media, .. }
            | Self::Document { media, .. } => Some(media),
            _ => None,
        }
    }

    /// Whether it may be one file of several that were sent together. A recording and a sticker
    /// are messages of their own.
    #[must_use]
    pub fn is_album_file(&self) -> bool {
        let alone = matches!(self, Self::Audio { voice: true, .. } | Self::Sticker(_));
        self.media().is_some() && !alone
    }

    /// Returns the content with this caption; one without a file stays as it is.
    #[must_use]
    pub fn with_caption(mut self, caption: Option<String>) -> Self {
        match &mut self {
            Self::Image(media)
            | Self::Video(media)
            | Self::Sticker(media)
            | Self::Audio { media, .. }
            | Self::Document { media, .. } => media.caption = caption,
            _ => {}
        }
        self
    }

    /// Returns the message that a reaction, an edit or a deletion is about.
    #[must_use]
    pub fn target(&self) -> Option<&Wamid> {
        match self {
            Self::Reaction { message, .. } => message.as_ref(),
            Self::Edit { original, .. } | Self::Revoke { original } => original.as_ref(),
            _ => None,
        }
    }

    /// Returns the id of the tapped button or chosen row.
    #[must_use]
    pub fn button(&self) -> Option<&str> {
        match self {
            Self::ButtonReply { id, .. } | Self::ListReply { id, .. } => {
                Some(id.as_str()).filter(|id| !id.is_empty())
            }
            Self::TemplateButton { payload, .. } => Some(payload),
            _ => None,
        }
    }

    /// Returns the text that `when.text` of a rule matches: a typed text or a caption. A tapped
    /// label does not count: a tap stands for its id.
    #[must_use]
    pub fn typed_text(&self) -> Option<&str> {
        match self {
            Self::Text { body } => Some(body.as_str()).filter(|body| !body.is_empty()),
            Self::Order(order) => order.text.as_deref(),
            Self::Edit { now, .. } => now.typed_text(),
            _ => self.media()?.caption.as_deref(),
        }
    }

    /// Returns the text for `{{ message.text }}`: the typed text, or the tapped label.
    #[must_use]
    pub fn text_or_label(&self) -> Option<&str> {
        match self {
            Self::ButtonReply { title, .. } | Self::ListReply { title, .. } => Some(title),
            Self::TemplateButton { text, .. } => Some(text),
            Self::Reaction { emoji, .. } => emoji.as_deref(),
            _ => self.typed_text(),
        }
    }

    /// Renders the message as text in a transcript (`[image] my receipt`).
    #[must_use]
    pub fn transcript_text(&self) -> String {
        match self {
            Self::Text { body } if body.is_empty() => "[text]".to_owned(),
            Self::Text { body } => body.clone(),
            Self::Incomplete { kind } => format!("[{}]", kind.name()),
            Self::ButtonReply { id, title } | Self::ListReply { id, title, .. } => {
                let label = if title.is_empty() { id } else { title };
                format!("[{label}]")
            }
            Self::TemplateButton { text, .. } => format!("[{text}]"),
            Self::Reaction {
                emoji: Some(emoji), ..
            } => format!("[reaction] {emoji}"),
            Self::Reaction { emoji: None, .. } => "[reaction removed]".to_owned(),
            Self::Contacts { cards } if cards.is_empty() => "[contacts]".to_owned(),
            Self::Contacts { cards } => lines(cards.iter().map(ContactCard::line)),
            Self::Document { media, filename } => {
                let parts = [filename.as_deref(), media.caption.as_deref()];
                labelled("document", parts.into_iter().flatten())
            }
            Self::Location {
                latitude,
                longitude,
                name,
                address,
            } => {
                let point = format!("{latitude}, {longitude}");
                let parts = [name.as_deref(), address.as_deref(), Some(point.as_str())];
                labelled("location", parts.into_iter().flatten())
            }
            Self::Form { body, answers, .. } => {
                let answers = answers.iter().filter(|(name, _)| *name != "flow_token");
                let answers = answers.map(|(name, value)| format!("  {name}: {}", plain(value)));
                let first = labelled("form", body.as_deref());
                lines(std::iter::once(first).chain(answers))
            }
            Self::Order(order) => {
                let first = labelled("order", order.text.as_deref());
                lines(std::iter::once(first).chain(order.items.iter().map(OrderItem::line)))
            }
            Self::Edit { now, .. } => format!("[edited] {}", now.transcript_text()),
            Self::Revoke { .. } => "[deleted a message]".to_owned(),
            Self::Welcome => "[opened the chat]".to_owned(),
            Self::System { kind, body, .. } => format!("[{}]", body.as_ref().unwrap_or(kind)),
            Self::Unsupported { kind, errors } => {
                let why = errors.iter().filter_map(|error| error.title.as_deref());
                labelled("unsupported", kind.as_deref().into_iter().chain(why))
            }
            Self::Other { kind } => format!("[{kind}]"),
            Self::Image(_) | Self::Video(_) | Self::Audio { .. } | Self::Sticker(_) => {
                labelled(self.kind_name(), self.typed_text())
            }
        }
    }
}

impl OrderItem {
    fn line(&self) -> String {
        let price = self.price.map(|price| {
            let currency = self.currency.as_deref().unwrap_or_default();
            format!(" at {price} {currency}").trim_end().to_owned()
        });
        let quantity = self.quantity.map(|quantity| quantity.to_string());
        let quantity = quantity.as_deref().unwrap_or("?");
        let product = self.product_id.as_deref().unwrap_or("?");
        format!("  {quantity} x {product}{}", price.unwrap_or_default())
    }
}

/// Renders a JSON value, a string without its quotes and a list with commas.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => {
            let values: Vec<String> = values.iter().map(plain).collect();
            values.join(", ")
        }
        other => other.to_string(),
    }
}

fn lines(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("\n")
}

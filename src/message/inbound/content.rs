//! What a person sent: the part of a message that depends on its type.

use serde::{Deserialize, Serialize};

use crate::message::{ContactCard, GraphError, Identity, Wamid};

/// What a person sent. Serialised it is part of what a conversation remembers, never of Meta's
/// wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// What was written.
        body: String,
    },
    /// A picture.
    Image(Media),
    /// A recording or a sound file.
    Audio {
        /// The file.
        media: Media,
        /// Recorded in `WhatsApp`, as against an attached file.
        voice: bool,
    },
    /// A film.
    Video(Media),
    /// Any file.
    Document {
        /// The file.
        media: Media,
        /// Its name as the person's device knew it: untrusted, for display only.
        filename: Option<String>,
    },
    /// A sticker.
    Sticker(Media),
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Only for a chosen place.
        name: Option<String>,
        /// Only for a chosen place.
        address: Option<String>,
    },
    /// Contact cards.
    Contacts {
        /// In order; parts that a card lacks are empty.
        cards: Vec<ContactCard>,
    },
    /// A reply button of ours was tapped.
    ButtonReply {
        /// The id we gave the button.
        id: String,
        /// The label the person saw.
        title: String,
    },
    /// A row of a list of ours was chosen.
    ListReply {
        /// The id we gave the row.
        id: String,
        /// The label the person saw.
        title: String,
        /// The second line of the row.
        description: Option<String>,
    },
    /// A quick-reply button of a template was tapped (`type: "button"`).
    TemplateButton {
        /// What the template send gave; the label when it gave nothing.
        payload: String,
        /// The label the person saw.
        text: String,
    },
    /// A form of ours was filled in (`nfm_reply`).
    Form {
        /// `flow` or `address_message`.
        name: Option<String>,
        /// What `WhatsApp` shows for it.
        body: Option<String>,
        /// The answers by name; `flow_token` is among them.
        answers: serde_json::Map<String, serde_json::Value>,
    },
    /// Products were ordered from the catalog.
    Order(Order),
    /// A reaction to a message, or its removal.
    Reaction {
        /// The message reacted to.
        message: Option<Wamid>,
        /// `None` when the reaction was taken back.
        emoji: Option<String>,
    },
    /// An earlier message was changed. Only numbers shared with the phone app are told.
    Edit {
        /// The message that was changed.
        original: Option<Wamid>,
        /// What it says now.
        now: Box<Self>,
    },
    /// An earlier message was deleted for everyone. Only numbers shared with the phone app are
    /// told.
    Revoke {
        /// The message that is gone.
        original: Option<Wamid>,
    },
    /// The person opened the chat for the first time; retired by Meta, still accepted.
    Welcome,
    /// The person's number or id changed.
    System {
        /// Meta's `system.type`.
        kind: String,
        /// Meta's sentence about it.
        body: Option<String>,
        /// Who the person was before, as far as it is told.
        previous: Option<Identity>,
    },
    /// A kind of message that Meta does not pass on, or could not deliver.
    Unsupported {
        /// What it was, in Meta's word, when it is told.
        kind: Option<String>,
        /// Why, from Meta.
        errors: Vec<GraphError>,
    },
    /// Everything else, kept as its raw JSON under the type Meta gave it.
    Other {
        /// Meta's `type`.
        kind: String,
    },
}

/// A file that stays with Meta until it is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Media id, good for 7 days.
    pub id: Option<String>,
    /// As sent, with a possible `; codecs=` suffix.
    pub mime_type: Option<String>,
    /// As sent: base64.
    pub sha256: Option<String>,
    /// What the person wrote under it.
    pub caption: Option<String>,
}

/// An order from the catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The catalog.
    pub catalog_id: Option<String>,
    /// What the person wrote with it.
    pub text: Option<String>,
    /// In order.
    pub items: Vec<OrderItem>,
}

/// One product of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderItem {
    /// The shop's own id of the product.
    pub product_id: String,
    /// How many.
    pub quantity: f64,
    /// For one, in `currency`; what the catalog said, prove it against your own prices.
    pub price: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// The kinds a rule can ask for in `when.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Plain text.
    Text,
    /// A picture.
    Image,
    /// A sound, recorded or attached.
    Audio,
    /// A recording made in `WhatsApp`; such a message is of kind `audio` too.
    Voice,
    /// A film.
    Video,
    /// Any file.
    Document,
    /// A sticker.
    Sticker,
    /// A place.
    Location,
    /// Contact cards.
    Contacts,
    /// A tap on a reply button, a list row or a template's quick reply.
    Button,
    /// A form that was filled in.
    Form,
    /// An order from the catalog.
    Order,
    /// A reaction.
    Reaction,
    /// An earlier message was changed.
    Edit,
    /// An earlier message was deleted.
    Revoke,
    /// The chat was opened for the first time.
    Welcome,
    /// The person's number or id changed.
    System,
    /// A kind of message that Meta does not pass on.
    Unsupported,
}

impl Kind {
    /// Every kind with its name in rules files, in the order documents list them.
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

    /// The name in rules files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Whether only rules that ask for this kind by name see it: nobody waits for an answer to it,
    /// or the answer could be the next step of a loop between two bots.
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
    /// The kind, as rules name it; a recording is `Voice`. `None` for what rules never see.
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
            Self::Other { .. } => return None,
        })
    }

    /// Whether a rule's `when.type` naming `kind` means this content.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        let actual = self.kind();
        actual == Some(kind) || (actual == Some(Kind::Voice) && kind == Kind::Audio)
    }

    /// The name stored in `messages.kind`: Meta's own word, finer than [`Kind`].
    #[must_use]
    pub fn kind_name(&self) -> &str {
        match self {
            Self::ButtonReply { .. } => "button_reply",
            Self::ListReply { .. } => "list_reply",
            Self::Other { kind } => kind,
            _ => self.kind().map_or("unknown", Kind::name),
        }
    }

    /// The file that came along.
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

    /// The id of the tapped button or chosen row.
    #[must_use]
    pub fn button(&self) -> Option<&str> {
        match self {
            Self::ButtonReply { id, .. } | Self::ListReply { id, .. } => Some(id),
            Self::TemplateButton { payload, .. } => Some(payload),
            _ => None,
        }
    }

    /// The words a rule's `when.text` looks at: what was typed, or a caption. A tapped label is not
    /// among them: a tap means its id, whatever words stand on the button.
    #[must_use]
    pub fn typed_text(&self) -> Option<&str> {
        match self {
            Self::Text { body } => Some(body),
            Self::Order(order) => order.text.as_deref(),
            Self::Edit { now, .. } => now.typed_text(),
            _ => self.media()?.caption.as_deref(),
        }
    }

    /// What the person said, for `{{ message.text }}`: the words, or the label that was tapped.
    #[must_use]
    pub fn text_or_label(&self) -> Option<&str> {
        match self {
            Self::ButtonReply { title, .. } | Self::ListReply { title, .. } => Some(title),
            Self::TemplateButton { text, .. } => Some(text),
            Self::Reaction { emoji, .. } => emoji.as_deref(),
            _ => self.typed_text(),
        }
    }

    /// The message as one readable line, the way the transcript shows it (`[image] my receipt`).
    #[must_use]
    pub fn transcript_text(&self) -> String {
        match self {
            Self::Text { body } => body.clone(),
            Self::ButtonReply { title, .. } | Self::ListReply { title, .. } => {
                format!("[{title}]")
            }
            Self::TemplateButton { text, .. } => format!("[{text}]"),
            Self::Reaction {
                emoji: Some(emoji), ..
            } => format!("[reaction] {emoji}"),
            Self::Reaction { emoji: None, .. } => "[reaction removed]".to_owned(),
            Self::Contacts { cards } if cards.is_empty() => "[contacts]".to_owned(),
            Self::Contacts { cards } => lines(cards.iter().map(ContactCard::line)),
            Self::Document { media, filename } => labelled(
                "document",
                [filename.as_deref(), media.caption.as_deref()]
                    .into_iter()
                    .flatten(),
            ),
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
            Self::System { kind, body, .. } => {
                format!("[{}]", body.as_ref().unwrap_or(kind))
            }
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
        let (quantity, product) = (self.quantity, &self.product_id);
        format!("  {quantity} x {product}{}", price.unwrap_or_default())
    }
}

/// A JSON value without the quotes of a text.
fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn lines(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("\n")
}

fn labelled<'a>(label: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        format!("[{label}]")
    } else {
        format!("[{label}] {}", parts.join(" · "))
    }
}

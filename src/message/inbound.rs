//! A message a person sent us.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Identity, PhoneNumberId, Wamid};

/// One element of `messages[]` under field `messages`, understood.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// The business number that was written to.
    pub phone_number_id: PhoneNumberId,
    /// Unique per business number, for ever.
    pub wamid: Wamid,
    /// Who wrote.
    pub sender: Identity,
    /// The name the person chose for their profile: untrusted text.
    pub profile_name: Option<String>,
    /// When it was sent, by WhatsApp's clock.
    pub sent_at: Timestamp,
    /// What was sent.
    pub content: Content,
    /// What it answers or where it came from.
    pub context: ContextInfo,
    /// The element of `messages[]` byte for byte.
    pub raw: String,
}

/// `context` of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextInfo {
    /// The message this one quotes or whose button was tapped; ours or theirs.
    pub quoted: Option<Wamid>,
    /// It was forwarded, once or often.
    pub forwarded: bool,
}

/// What a person sent.
#[derive(Clone, Debug, PartialEq)]
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
        /// Recorded in WhatsApp, as against an attached file.
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
    /// Contact cards; the full cards stay in the raw JSON.
    Contacts {
        /// The formatted name of each card, in order; empty where a card has none.
        names: Vec<String>,
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
    /// A reaction to a message, or its removal.
    Reaction {
        /// The message reacted to.
        message: Option<Wamid>,
        /// `None` when the reaction was taken back.
        emoji: Option<String>,
    },
    /// Everything else, kept as its raw JSON under the type Meta gave it.
    Other {
        /// Meta's `type`.
        kind: String,
    },
}

/// A file that stays with Meta until it is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Media id, good for 7 days.
    pub id: Option<String>,
    /// As sent, with a possible `; codecs=` suffix.
    pub mime_type: Option<String>,
    /// What the person wrote under it.
    pub caption: Option<String>,
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
    /// A recording made in WhatsApp; such a message is of kind `audio` too.
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
    /// A reaction.
    Reaction,
}

impl Kind {
    /// Every kind with its name in rules files, in the order documents list them.
    pub const ALL: [(&'static str, Self); 11] = [
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
        ("reaction", Self::Reaction),
    ];
}

impl Content {
    /// Whether a rule's `when.type` naming `kind` means this content.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        match self {
            Self::Text { .. } => kind == Kind::Text,
            Self::Image(_) => kind == Kind::Image,
            Self::Audio { voice, .. } => kind == Kind::Audio || (*voice && kind == Kind::Voice),
            Self::Video(_) => kind == Kind::Video,
            Self::Document { .. } => kind == Kind::Document,
            Self::Sticker(_) => kind == Kind::Sticker,
            Self::Location { .. } => kind == Kind::Location,
            Self::Contacts { .. } => kind == Kind::Contacts,
            Self::ButtonReply { .. } | Self::ListReply { .. } | Self::TemplateButton { .. } => {
                kind == Kind::Button
            }
            Self::Reaction { .. } => kind == Kind::Reaction,
            Self::Other { .. } => false,
        }
    }

    /// The name stored in `messages.kind`: Meta's own word, finer than [`Kind`].
    #[must_use]
    pub fn kind_name(&self) -> &str {
        match self {
            Self::Text { .. } => "text",
            Self::Image(_) => "image",
            Self::Audio { voice: true, .. } => "voice",
            Self::Audio { voice: false, .. } => "audio",
            Self::Video(_) => "video",
            Self::Document { .. } => "document",
            Self::Sticker(_) => "sticker",
            Self::Location { .. } => "location",
            Self::Contacts { .. } => "contacts",
            Self::ButtonReply { .. } => "button_reply",
            Self::ListReply { .. } => "list_reply",
            Self::TemplateButton { .. } => "button",
            Self::Reaction { .. } => "reaction",
            Self::Other { kind } => kind,
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

    /// The words a rule's `when.text` looks at: what was typed, or a caption. A tapped label is not among them: a tap
    /// means its id, whatever words stand on the button.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Text { body } => Some(body),
            Self::Image(media)
            | Self::Video(media)
            | Self::Audio { media, .. }
            | Self::Document { media, .. }
            | Self::Sticker(media) => media.caption.as_deref(),
            Self::ButtonReply { .. }
            | Self::ListReply { .. }
            | Self::TemplateButton { .. }
            | Self::Location { .. }
            | Self::Contacts { .. }
            | Self::Reaction { .. }
            | Self::Other { .. } => None,
        }
    }

    /// What the person said, for `{{ message.text }}`: the words, or the label that was tapped.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::ButtonReply { title, .. } | Self::ListReply { title, .. } => Some(title),
            Self::TemplateButton { text, .. } => Some(text),
            _ => self.words(),
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
            Self::Contacts { names } => format!("[contacts] {}", names.join(", ")),
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
            Self::Image(media)
            | Self::Video(media)
            | Self::Audio { media, .. }
            | Self::Sticker(media) => labelled(self.kind_name(), media.caption.as_deref()),
            Self::Other { kind } => format!("[{kind}]"),
        }
    }
}

fn labelled<'a>(label: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        format!("[{label}]")
    } else {
        format!("[{label}] {}", parts.join(" · "))
    }
}

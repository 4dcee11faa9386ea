//! Messages from contacts, and messages that colleagues sent from the phone app.

pub(crate) mod content;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Content, GraphError, Identity, PhoneNumberId, Profile, Wamid};

/// Inbound message: one parsed element of `messages[]` under field `messages`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// Business number that received the message.
    pub phone_number_id: PhoneNumberId,
    /// Id of the account (`entry[].id`), the scope of user ids; unknown to a stored message.
    #[serde(skip)]
    pub waba_id: Option<String>,
    /// Message id, unique per business number for ever.
    pub wamid: Wamid,
    /// Identity of the sender.
    pub sender: Identity,
    /// Whether a contact wrote it.
    #[serde(default, skip_serializing_if = "Author::is_contact")]
    pub author: Author,
    /// Profile of the contact.
    #[serde(default)]
    pub profile: Profile,
    /// Time of sending, by `WhatsApp`'s clock.
    pub sent_at: Timestamp,
    /// Content.
    pub content: Content,
    /// Quoted message and origin.
    #[serde(default)]
    pub context: ContextInfo,
    /// Ad or post that led the contact here; on the first message only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad: Option<Referral>,
    /// Errors that Meta reports about the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<GraphError>,
    /// The element of `messages[]`, byte for byte.
    #[serde(skip)]
    pub raw: String,
}

impl Inbound {
    /// Creates a message with content only, as the terminal chat and tests do.
    #[must_use]
    pub fn new(
        phone_number_id: PhoneNumberId,
        wamid: Wamid,
        sender: Identity,
        sent_at: Timestamp,
        content: Content,
    ) -> Self {
        Self {
            phone_number_id,
            waba_id: None,
            wamid,
            sender,
            author: Author::Contact,
            profile: Profile::default(),
            sent_at,
            content,
            context: ContextInfo::default(),
            ad: None,
            errors: Vec::new(),
            raw: String::new(),
        }
    }
}

impl Inbound {
    /// Returns the message that this one quotes, answers by a button, reacts to, edits or deletes.
    #[must_use]
    pub fn target(&self) -> Option<&Wamid> {
        self.content.target().or(self.context.quoted.as_ref())
    }
}

/// Author of an inbound message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// Somebody who writes to the business.
    #[default]
    Contact,
    /// The business number: `from` is its own `display_phone_number`. An answer would be the next
    /// such message.
    NumberItself,
}

impl Author {
    /// Whether the author is a contact.
    #[must_use]
    pub fn is_contact(&self) -> bool {
        matches!(self, Self::Contact)
    }

    /// Returns the author as `messages.origin` names it.
    #[must_use]
    pub fn origin(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::NumberItself => "number_itself",
        }
    }

    /// Parses `messages.origin` of an inbound message.
    #[must_use]
    pub fn from_origin(origin: &str) -> Self {
        if origin == Self::NumberItself.origin() {
            Self::NumberItself
        } else {
            Self::Contact
        }
    }
}

/// Field `context` of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextInfo {
    /// Message, inbound or outbound, that this one quotes or whose button was tapped.
    pub quoted: Option<Wamid>,
    /// Extent of forwarding.
    pub forwarded: Forwarded,
    /// The message that is meant, if it is stored. Meta sends only its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_message: Option<QuotedMessage>,
    /// Product whose "Message business" button was tapped.
    pub product: Option<ReferredProduct>,
}

/// Stored message that another one quotes, answers by a button or reacts to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedMessage {
    /// Transcript text.
    pub text: String,
    /// Author, as in `messages.origin`.
    pub origin: String,
}

/// Number of times a message was forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forwarded {
    /// Never, as far as Meta reports.
    #[default]
    No,
    /// Up to five times.
    Yes,
    /// More than five times.
    Often,
}

/// Product that a message is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferredProduct {
    /// Id of the catalog.
    pub catalog_id: Option<String>,
    /// Id of the product in the shop.
    pub product_id: String,
}

/// Ad or post that led a contact here.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// `ad` or `post`; an open set.
    pub source_type: Option<String>,
    /// Id of the ad or post.
    pub source_id: Option<String>,
    /// Address of the ad or post.
    pub source_url: Option<String>,
    /// Headline of the ad or post.
    pub headline: Option<String>,
    /// Text of the ad or post.
    pub body: Option<String>,
    /// `image` or `video`; an open set.
    pub media_type: Option<String>,
    /// Address of the video or image; it expires.
    pub media_url: Option<String>,
    /// Click id; ads in Status have none.
    pub ctwa_clid: Option<String>,
}

/// Message that a colleague sent from the phone app, reported by field `smb_message_echoes`.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes>.
#[derive(Clone, Debug)]
pub struct Echo {
    /// Business number that sent the message.
    pub phone_number_id: PhoneNumberId,
    /// Id of the account (`entry[].id`), the scope of user ids; unknown to a stored echo.
    pub waba_id: Option<String>,
    /// Message id, unique per business number for ever.
    pub wamid: Wamid,
    /// Identity of the recipient.
    pub recipient: Identity,
    /// Profile of the contact.
    pub profile: Profile,
    /// Time of sending, by `WhatsApp`'s clock.
    pub sent_at: Timestamp,
    /// Content.
    pub content: Content,
    /// Quoted message.
    pub context: ContextInfo,
    /// The element of `message_echoes[]`, byte for byte.
    pub raw: String,
}

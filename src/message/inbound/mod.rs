//! A message a person sent us, or one a colleague sent from the phone app.

pub(crate) mod content;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Content, GraphError, Identity, PhoneNumberId, Wamid};

/// One element of `messages[]` under field `messages`, understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// The business number that was written to.
    pub phone_number_id: PhoneNumberId,
    /// Unique per business number, for ever.
    pub wamid: Wamid,
    /// Who wrote.
    pub sender: Identity,
    /// What the person calls themselves.
    #[serde(default)]
    pub profile: Profile,
    /// When it was sent, by `WhatsApp`'s clock.
    pub sent_at: Timestamp,
    /// What was sent.
    pub content: Content,
    /// What it answers or where it came from.
    #[serde(default)]
    pub context: ContextInfo,
    /// The ad or post that led the person here; on the first message only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad: Option<Referral>,
    /// What Meta says went wrong with this message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<GraphError>,
    /// The element of `messages[]` byte for byte.
    #[serde(skip)]
    pub raw: String,
}

impl Inbound {
    /// A message with nothing but its content: how the terminal chat and tests write.
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
            wamid,
            sender,
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

/// What a person calls themselves: untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name on the profile.
    pub name: Option<String>,
    /// Only if the person has one; without the leading `@`.
    pub username: Option<String>,
}

/// `context` of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextInfo {
    /// The message this one quotes or whose button was tapped; ours or theirs.
    pub quoted: Option<Wamid>,
    /// How often it was forwarded.
    pub forwarded: Forwarded,
    /// The product whose "Message business" button was tapped.
    pub product: Option<ReferredProduct>,
}

/// How often a message was forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forwarded {
    /// Not at all, as far as Meta says.
    #[default]
    No,
    /// Up to five times.
    Yes,
    /// More than five times.
    Often,
}

/// The product a person asks about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferredProduct {
    /// The catalog.
    pub catalog_id: Option<String>,
    /// The shop's own id of the product.
    pub product_id: String,
}

/// The ad or post a person came from.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// `ad` or `post`; an open set.
    pub source_type: Option<String>,
    /// Id of the ad or post.
    pub source_id: Option<String>,
    /// A link to it.
    pub source_url: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// Click id; ads in Status have none.
    pub ctwa_clid: Option<String>,
}

/// A message that a colleague sent from the phone app, told by field `smb_message_echoes`.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes>.
#[derive(Clone, Debug)]
pub struct Echo {
    /// The business number that sent it.
    pub phone_number_id: PhoneNumberId,
    /// Unique per business number, for ever.
    pub wamid: Wamid,
    /// To whom.
    pub recipient: Identity,
    /// What the person calls themselves.
    pub profile: Profile,
    /// When, by `WhatsApp`'s clock.
    pub sent_at: Timestamp,
    /// What was sent.
    pub content: Content,
    /// What it quotes.
    pub context: ContextInfo,
    /// The element of `message_echoes[]` byte for byte.
    pub raw: String,
}

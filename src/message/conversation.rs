//! Conversation of one contact with one business number, as far as a decision needs it.

use super::{ConversationState, Identity, PhoneNumberId};

/// Contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Phone number, user id, or both.
    pub identity: Identity,
    /// Latest known profile name.
    pub name: Option<String>,
    /// Latest known username, without `@`.
    pub username: Option<String>,
    /// Whether the contact has stopped marketing messages.
    pub refuses_marketing: bool,
}

/// Conversation as [`crate::engine`] sees it before the message.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Id of the business number.
    pub phone_number_id: PhoneNumberId,
    /// Contact on the other side.
    pub contact: Contact,
    /// Number of earlier messages from the contact to this number.
    pub inbound_count: u64,
    /// State left by earlier turns.
    pub state: ConversationState,
}

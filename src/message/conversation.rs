//! One contact with one business number, as far as a decision needs it.

use super::{ConversationState, Identity, PhoneNumberId};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Phone and/or user id.
    pub identity: Identity,
    /// The latest profile name we saw.
    pub name: Option<String>,
    /// The latest username we saw, without `@`.
    pub username: Option<String>,
}

/// What [`crate::engine`] knows of the conversation before the message.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The business number.
    pub phone_number_id: PhoneNumberId,
    /// The person.
    pub contact: Contact,
    /// How many messages this person had sent to this number before this one.
    pub inbound_count: u64,
    /// What earlier turns left behind.
    pub state: ConversationState,
}

//! Identity of a contact, and the address of a reply.

use serde::{Deserialize, Serialize};

use super::{UserId, WaId};

/// Known ids of a contact: the phone number, the business-scoped user id, or both.
///
/// Since usernames (2026), a webhook may lack either, but never both. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Identity {
    /// Only the phone number is known.
    Phone(WaId),
    /// Only the user id is known: the contact hides the phone number.
    User(UserId),
    /// Both are known and belong to one contact.
    Both(WaId, UserId),
}

/// Address of a send: exactly one of two fields of Meta's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipient {
    /// Field `to`.
    Phone(WaId),
    /// Field `recipient`; Meta accepts a user id in `to` and never delivers the message.
    UserId(UserId),
}

/// Ids under which WhatsApp accepted a message, where they say more than its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    sent_to: Recipient,
    reported: Identity,
}

impl RecipientReport {
    /// Compares the address of a message with the ids in the answer; `None` if they say nothing
    /// new.
    #[must_use]
    pub fn new(sent_to: &Recipient, reported: Option<Identity>) -> Option<Self> {
        let reported = reported.filter(|reported| *reported != sent_to.identity())?;
        let sent_to = sent_to.clone();
        Some(Self { sent_to, reported })
    }

    /// Returns the address of the message.
    #[must_use]
    pub fn sent_to(&self) -> &Recipient {
        &self.sent_to
    }

    /// Returns the ids in the answer.
    #[must_use]
    pub fn reported(&self) -> &Identity {
        &self.reported
    }
}

impl Recipient {
    /// Returns the id as the identity of somebody of whom nothing else is known.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match self {
            Self::Phone(wa_id) => Identity::Phone(wa_id.clone()),
            Self::UserId(user_id) => Identity::User(user_id.clone()),
        }
    }
}

impl Identity {
    /// Combines the ids of a webhook; `None` without any.
    #[must_use]
    pub fn from_parts(wa_id: Option<WaId>, user_id: Option<UserId>) -> Option<Self> {
        match (wa_id, user_id) {
            (Some(wa_id), Some(user_id)) => Some(Self::Both(wa_id, user_id)),
            (Some(wa_id), None) => Some(Self::Phone(wa_id)),
            (None, Some(user_id)) => Some(Self::User(user_id)),
            (None, None) => None,
        }
    }

    /// Returns the phone number, if known.
    #[must_use]
    pub fn wa_id(&self) -> Option<&WaId> {
        match self {
            Self::Phone(wa_id) | Self::Both(wa_id, _) => Some(wa_id),
            Self::User(_) => None,
        }
    }

    /// Returns the business-scoped user id, if known.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User(user_id) | Self::Both(_, user_id) => Some(user_id),
            Self::Phone(_) => None,
        }
    }

    /// Returns the address of a reply: the phone number if known, since every kind of message may
    /// be sent to it.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        match self {
            Self::Phone(wa_id) | Self::Both(wa_id, _) => Recipient::Phone(wa_id.clone()),
            Self::User(user_id) => Recipient::UserId(user_id.clone()),
        }
    }
}

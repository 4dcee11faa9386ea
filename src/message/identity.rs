//! Who a person is, and where a reply to them goes.

use serde::{Deserialize, Serialize};

use super::{UserId, WaId};

/// What we know of a person: the phone number, the business-scoped user id, or both.
///
/// Since usernames (2026) either may be missing from a webhook, never both. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Identity {
    /// Only the phone number is known.
    Phone(WaId),
    /// Only the user id is known: the person hides the phone.
    User(UserId),
    /// Both are known and belong to one person.
    Both(WaId, UserId),
}

/// The address of a send: exactly one of the two fields of Meta's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipient {
    /// Goes into `to`.
    Phone(WaId),
    /// Goes into `recipient`; a user id in `to` is accepted by Meta and never arrives.
    UserId(UserId),
}

impl Identity {
    /// Joins what a webhook gave; `None` when it gave neither.
    #[must_use]
    pub fn from_parts(wa_id: Option<WaId>, user_id: Option<UserId>) -> Option<Self> {
        match (wa_id, user_id) {
            (Some(wa_id), Some(user_id)) => Some(Self::Both(wa_id, user_id)),
            (Some(wa_id), None) => Some(Self::Phone(wa_id)),
            (None, Some(user_id)) => Some(Self::User(user_id)),
            (None, None) => None,
        }
    }

    /// The phone number, when known.
    #[must_use]
    pub fn wa_id(&self) -> Option<&WaId> {
        match self {
            Self::Phone(wa_id) | Self::Both(wa_id, _) => Some(wa_id),
            Self::User(_) => None,
        }
    }

    /// The business-scoped user id, when known.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User(user_id) | Self::Both(_, user_id) => Some(user_id),
            Self::Phone(_) => None,
        }
    }

    /// Where a reply goes: to the phone when we know it, because every kind of message may go
    /// there.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        match self {
            Self::Phone(wa_id) | Self::Both(wa_id, _) => Recipient::Phone(wa_id.clone()),
            Self::User(user_id) => Recipient::UserId(user_id.clone()),
        }
    }
}

//! Contact cards, the same in both directions.

use serde::{Deserialize, Serialize};

/// A person or business as an address book has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCard<T = String> {
    /// The name as it is shown.
    pub name: T,
    /// A part of it; Meta wants at least one part beside the whole.
    pub first_name: Option<T>,
    /// Another part.
    pub last_name: Option<T>,
    /// Where the person works.
    pub company: Option<T>,
    /// In order.
    pub phones: Vec<Phone<T>>,
    /// In order.
    pub emails: Vec<Email<T>>,
    /// Web pages, in order.
    pub urls: Vec<T>,
}

/// A phone number on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone<T = String> {
    /// As it is shown.
    pub phone: T,
    /// `CELL`, `WORK` and the like.
    pub kind: Option<String>,
    /// Digits of the `WhatsApp` account: shows a "Message" button instead of "Invite".
    pub wa_id: Option<T>,
}

/// An address on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email<T = String> {
    /// As it is shown.
    pub email: T,
    /// `WORK`, `HOME` and the like.
    pub kind: Option<String>,
}

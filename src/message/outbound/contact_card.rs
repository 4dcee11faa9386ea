//! Contact cards, inbound and outbound.

use serde::{Deserialize, Serialize};

/// Entry of an address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCard<T = String> {
    /// Displayed name.
    pub name: T,
    /// First name. Meta requires at least one part of the name.
    pub first_name: Option<T>,
    /// Last name.
    pub last_name: Option<T>,
    /// Employer.
    pub company: Option<T>,
    /// Phone numbers, in order.
    pub phones: Vec<Phone<T>>,
    /// Email addresses, in order.
    pub emails: Vec<Email<T>>,
    /// Web pages, in order.
    pub urls: Vec<T>,
}

/// Phone number on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone<T = String> {
    /// Displayed number.
    pub phone: T,
    /// `CELL`, `WORK` and the like.
    pub kind: Option<String>,
    /// Digits of the `WhatsApp` account; they change the button "Invite" into "Message".
    pub wa_id: Option<T>,
}

/// Email address on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email<T = String> {
    /// Displayed address.
    pub email: T,
    /// `WORK`, `HOME` and the like.
    pub kind: Option<String>,
}

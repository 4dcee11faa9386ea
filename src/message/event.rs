//! What one update means to us.

use super::{Inbound, PhoneNumberId, Receipt};

/// One update, understood as far as it can be. Every one of them is stored; only `Message` is answered.
#[derive(Clone, Debug)]
pub enum Event {
    /// A person wrote to us.
    Message(Box<Inbound>),
    /// WhatsApp tells of a message we sent.
    Receipt(Box<Receipt>),
    /// Anything else Meta told us: echoes, history, calls, groups, account fields, value-level errors.
    Account(AccountEvent),
    /// An update we could not understand.
    Unreadable(Unreadable),
}

/// Something that is kept and never answered.
#[derive(Clone, Debug)]
pub struct AccountEvent {
    /// Meta's `field`, with `/errors` or `/groups` behind it for those parts of `messages`.
    pub field: String,
    /// The number concerned, when the update names one.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The raw JSON: the `value` of the change, or the one element of it that is meant.
    pub raw: String,
}

/// An update for the quarantine.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// The number concerned, when it could be read.
    pub phone_number_id: Option<PhoneNumberId>,
    /// What was wrong, for a person; never holds message text.
    pub reason: String,
    /// The bytes as they came.
    pub raw: Vec<u8>,
}

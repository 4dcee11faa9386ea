//! What one update means to us.

use jiff::Timestamp;

use super::{Echo, Identity, Inbound, PhoneNumberId, Receipt};

/// One update, understood as far as it can be. Every one of them is stored; only `Message` is
/// answered.
#[derive(Clone, Debug)]
pub enum Event {
    /// A person wrote to us.
    Message(Box<Inbound>),
    /// A colleague wrote to a person from the phone app: the bot goes quiet there.
    Echo(Box<Echo>),
    /// `WhatsApp` tells of a message we sent.
    Receipt(Box<Receipt>),
    /// Anything else Meta told us: history, calls, groups, account fields, value-level errors.
    Account(AccountEvent),
    /// An update we could not understand.
    Unreadable(Unreadable),
}

/// Fields that tell how the account and its numbers stand with `WhatsApp`: what is allowed, and
/// what no longer is.
pub const ACCOUNT_STATUS_FIELDS: [&str; 5] = [
    "account_update",
    "account_alerts",
    "account_review_update",
    "phone_number_quality_update",
    "business_capability_update",
];

/// Something that is kept and never answered.
#[derive(Clone, Debug)]
pub struct AccountEvent {
    /// Meta's `field`, with `/errors` or `/groups` behind it for those parts of `messages`.
    pub field: String,
    /// The number concerned, when the update names one.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The account concerned (`entry[].id`).
    pub waba_id: Option<String>,
    /// When Meta says it (`entry[].time`); only news about accounts has that.
    pub sent_at: Option<Timestamp>,
    /// What it says, as one line for people.
    pub summary: String,
    /// A wish about marketing that it tells of.
    pub consent: Option<Consent>,
    /// The raw JSON: the `value` of the change, or the one element of it that is meant.
    pub raw: String,
}

/// News about how the account stands, as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStatusEvent {
    /// One of [`ACCOUNT_STATUS_FIELDS`].
    pub field: String,
    /// The account, where it was named.
    pub waba_id: Option<String>,
    /// When Meta said it.
    pub sent_at: Timestamp,
    /// The `value` of the change.
    pub raw: String,
}

/// A person's wish about marketing messages (field `user_preferences`).
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/user_preferences>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Whose wish.
    pub contact: Identity,
    /// What is wished.
    pub marketing: Marketing,
}

/// Whether a person wants marketing messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marketing {
    /// No more of them.
    Stop,
    /// They may come again.
    Resume,
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

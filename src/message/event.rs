//! Parsed updates of a webhook.

use jiff::Timestamp;

use super::{Echo, Identity, Inbound, PhoneNumberId, Receipt};

/// One parsed update. Every update is stored; only `Message` is answered.
#[derive(Clone, Debug)]
pub enum Event {
    /// Message from a contact.
    Message(Box<Inbound>),
    /// Message of a colleague to a contact from the phone app; it silences the bot in the
    /// conversation.
    Echo(Box<Echo>),
    /// Receipt of an outbound message.
    Receipt(Box<Receipt>),
    /// Any other readable update: history, calls, groups, account fields, value-level errors.
    Account(AccountEvent),
    /// Unreadable update.
    Unreadable(Unreadable),
}

impl Event {
    /// Adds the account (`entry[].id`) under which the update came.
    #[must_use]
    pub fn with_account(mut self, account: Option<&str>) -> Self {
        let field = match &mut self {
            Self::Message(message) => &mut message.waba_id,
            Self::Echo(echo) => &mut echo.waba_id,
            Self::Receipt(receipt) => &mut receipt.waba_id,
            Self::Account(event) => &mut event.waba_id,
            Self::Unreadable(_) => return self,
        };
        *field = account.map(str::to_owned);
        self
    }
}

/// Fields that report permissions and restrictions of the account and its numbers.
pub const ACCOUNT_STATUS_FIELDS: [&str; 5] = [
    "account_update",
    "account_alerts",
    "account_review_update",
    "phone_number_quality_update",
    "business_capability_update",
];

/// Fields that report what became of message templates.
pub const TEMPLATE_STATUS_FIELDS: [&str; 2] =
    ["message_template_status_update", "template_category_update"];

/// Update that is stored and never answered.
#[derive(Clone, Debug)]
pub struct AccountEvent {
    /// Meta's `field`, with `/errors` or `/groups` appended for those parts of `messages`.
    pub field: String,
    /// Business number, if the update names one.
    pub phone_number_id: Option<PhoneNumberId>,
    /// Id of the account (`entry[].id`).
    pub waba_id: Option<String>,
    /// Time of sending (`entry[].time`), only of account fields.
    pub sent_at: Option<Timestamp>,
    /// Summary in one line, for the owner.
    pub summary: String,
    /// Marketing preference of a contact.
    pub consent: Option<Consent>,
    /// Raw JSON: the `value` of the change, or one element of it.
    pub raw: String,
}

/// Stored update of an account status field or of templates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountStatusEvent {
    /// One of [`ACCOUNT_STATUS_FIELDS`] or [`TEMPLATE_STATUS_FIELDS`].
    pub field: String,
    /// Id of the account, if named.
    pub waba_id: Option<String>,
    /// Time of sending.
    pub sent_at: Timestamp,
    /// The `value` of the change.
    pub raw: String,
}

/// Preference of a contact about marketing messages (field `user_preferences`).
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/user_preferences>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Identity of the contact.
    pub contact: Identity,
    /// Chosen preference.
    pub marketing: Marketing,
}

/// Marketing preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marketing {
    /// The contact wants no marketing messages.
    Stop,
    /// The contact wants marketing messages again.
    Resume,
}

/// Unreadable update, stored in the quarantine.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Business number, if it could be read.
    pub phone_number_id: Option<PhoneNumberId>,
    /// Reason, for the owner; never contains message text.
    pub reason: String,
    /// Bytes as received.
    pub raw: Vec<u8>,
}

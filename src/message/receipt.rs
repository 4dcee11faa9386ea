//! Delivery receipts of outbound messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Failure, Identity, PhoneNumberId, Profile, Wamid};

/// Parsed element of `statuses[]`.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Business number that sent the message.
    pub phone_number_id: PhoneNumberId,
    /// Id of the account (`entry[].id`), the scope of user ids.
    pub waba_id: Option<String>,
    /// Outbound message.
    pub wamid: Wamid,
    /// Meta's status: the name of a [`DeliveryStatus`], or another word (`deleted`, `warning`,
    /// future ones), which is stored and has no effect.
    pub status: String,
    /// Time of the status, by WhatsApp's clock.
    pub at: Timestamp,
    /// `biz_opaque_callback_data`: the claim token of the attempt that sent the message.
    pub claim_token: Option<String>,
    /// Recipient, if given; a receipt may be the first update with both ids of a contact.
    pub recipient: Option<Identity>,
    /// Profile of the recipient, where a card of it came along.
    pub profile: Profile,
    /// Member of a group that the receipt is about.
    pub participant: Option<String>,
    /// Price, as JSON: `billable`, `pricing_model`, `type`, `category`.
    pub pricing: Option<String>,
    /// Conversation that Meta bills, as JSON: `id`, `expiration_timestamp`, `origin`.
    pub conversation: Option<String>,
    /// Reasons of a failure, as Meta gives them.
    pub errors: Vec<GraphError>,
    /// The failure in words, of a receipt with the status `failed`.
    pub failure: Option<Failure>,
    /// The element of `statuses[]`, byte for byte.
    pub raw: String,
}

impl Receipt {
    /// Returns the status, if it is a known one.
    #[must_use]
    pub fn step(&self) -> Option<DeliveryStatus> {
        DeliveryStatus::parse(&self.status)
    }
}

/// Stages of delivery, in the order in which receipts merge: a later stage is never replaced by an
/// earlier one. `Failed` is last because it is final and may follow `Sent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Left WhatsApp's servers.
    Sent,
    /// Reached the device.
    Delivered,
    /// Seen.
    Read,
    /// A voice message was played.
    Played,
    /// Did not arrive.
    Failed,
}

/// Error as Graph reports it, in a webhook or a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphError {
    /// Error code; with the subcode the only part that logic uses.
    pub code: i64,
    /// `error_subcode`: what exactly is meant by a code with several meanings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
    /// Short English text by Meta.
    #[serde(default)]
    pub title: Option<String>,
    /// Longer explanation (`error_data.details`).
    #[serde(default)]
    pub details: Option<String>,
}

impl DeliveryStatus {
    /// Every status with Meta's word, lowest first.
    pub const ALL: [(&'static str, Self); 5] = [
        ("sent", Self::Sent),
        ("delivered", Self::Delivered),
        ("read", Self::Read),
        ("played", Self::Played),
        ("failed", Self::Failed),
    ];

    /// Returns Meta's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Parses Meta's word; `None` for an unknown one, since the set is open.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, status)| *status)
    }
}

//! What WhatsApp tells of a message we sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Identity, PhoneNumberId, Wamid};

/// One element of `statuses[]`.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The business number that sent.
    pub phone_number_id: PhoneNumberId,
    /// Our message.
    pub wamid: Wamid,
    /// Meta's word: one of [`DeliveryStatus`], or another (`deleted`, `warning`, ones to come),
    /// which is kept and moves nothing.
    pub status: String,
    /// When, by WhatsApp's clock.
    pub at: Timestamp,
    /// `biz_opaque_callback_data`: the tag of the attempt that sent it.
    pub claim_token: Option<String>,
    /// To whom it was sent, when it is told; a receipt may be the first to name both ids of a
    /// person.
    pub recipient: Option<Identity>,
    /// The member of a group it is about.
    pub participant: Option<String>,
    /// What it costs, as JSON: `billable`, `pricing_model`, `type`, `category`.
    pub pricing: Option<String>,
    /// The conversation that Meta counts it to, as JSON: `id`, `expiration_timestamp`, `origin`.
    pub conversation: Option<String>,
    /// Why it failed.
    pub errors: Vec<GraphError>,
    /// The element of `statuses[]` byte for byte.
    pub raw: String,
}

impl Receipt {
    /// The step, when it is one we know.
    #[must_use]
    pub fn step(&self) -> Option<DeliveryStatus> {
        DeliveryStatus::parse(&self.status)
    }
}

/// WhatsApp's own words for how far a message got, in the order they merge: a later one never
/// yields to an earlier one. `Failed` is last because it is terminal and may follow `Sent`.
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

/// An error as Graph writes it, in a webhook or in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphError {
    /// What all logic is built on.
    pub code: i64,
    /// Short English text of Meta's.
    #[serde(default)]
    pub title: Option<String>,
    /// `error_data.details`: the longer explanation.
    #[serde(default)]
    pub details: Option<String>,
}

impl DeliveryStatus {
    /// Every status with Meta's word for it, lowest first.
    pub const ALL: [(&'static str, Self); 5] = [
        ("sent", Self::Sent),
        ("delivered", Self::Delivered),
        ("read", Self::Read),
        ("played", Self::Played),
        ("failed", Self::Failed),
    ];

    /// Meta's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Reads Meta's word; the set is open, so an unknown one is `None`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, status)| *status)
    }
}

//! One contact with one business number, as far as a decision needs it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Identity, PhoneNumberId, RuleId};

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

/// What [`crate::turn::take`] knows of the conversation before the message.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The business number.
    pub phone_number_id: PhoneNumberId,
    /// The person.
    pub contact: Contact,
    /// How many messages this person had sent to this number before this one.
    pub messages_before: u64,
    /// What earlier turns left behind.
    pub state: State,
}

/// What a turn leaves behind for the next one: stored as JSON in `conversations.state`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// When each rule with `once` answered last.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub once: BTreeMap<RuleId, Timestamp>,
    /// When we replied, within the last hour; the reply budget counts these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replied_at: Vec<Timestamp>,
    /// A colleague answers by hand: the bot is quiet until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub human_until: Option<Timestamp>,
}

//! Events of a batch, sorted by kind without access to the database.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::engine::EngineEvent;
use crate::message::{
    AccountEvent, Content, Echo, Event, Identity, Inbound, PhoneNumberId, Profile, Receipt,
    Unreadable, Wamid,
};
use crate::store::keys::message_key;

/// Difference of two clocks that are set: a time ahead of ours by more is not to be trusted.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// A message that belongs to a conversation.
pub(super) enum ConversationMessage {
    Inbound(Box<Inbound>),
    Echo(Box<Echo>),
}

impl ConversationMessage {
    pub(super) fn event(&self) -> EngineEvent<'_> {
        match self {
            Self::Inbound(message) => EngineEvent::Message(message),
            Self::Echo(echo) => EngineEvent::Echo(echo),
        }
    }

    pub(super) fn phone_number_id(&self) -> &PhoneNumberId {
        match self {
            Self::Inbound(message) => &message.phone_number_id,
            Self::Echo(echo) => &echo.phone_number_id,
        }
    }

    /// Account that the message came under, if the webhook named one.
    pub(super) fn waba_id(&self) -> Option<&str> {
        match self {
            Self::Inbound(message) => message.waba_id.as_deref(),
            Self::Echo(echo) => echo.waba_id.as_deref(),
        }
    }

    pub(super) fn wamid(&self) -> &Wamid {
        match self {
            Self::Inbound(message) => &message.wamid,
            Self::Echo(echo) => &echo.wamid,
        }
    }

    /// Identity of the contact.
    pub(super) fn identity(&self) -> &Identity {
        match self {
            Self::Inbound(message) => &message.sender,
            Self::Echo(echo) => &echo.recipient,
        }
    }

    /// Identity that the contact had before, if the message reports a change.
    pub(super) fn previous_identity(&self) -> Option<&Identity> {
        match self {
            Self::Inbound(message) => match &message.content {
                Content::System { previous, .. } => previous.as_ref(),
                _ => None,
            },
            Self::Echo(_) => None,
        }
    }

    pub(super) fn profile(&self) -> &Profile {
        match self {
            Self::Inbound(message) => &message.profile,
            Self::Echo(echo) => &echo.profile,
        }
    }
}

/// A message with its [`message_key`].
pub(super) struct KeyedMessage {
    pub(super) key: String,
    pub(super) message: ConversationMessage,
}

/// Events by kind, each kind in the order of arrival.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) messages: Vec<KeyedMessage>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) account_events: Vec<AccountEvent>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Number of messages that came again within the batch.
    pub(super) repeated: usize,
}

impl Batch {
    /// Sorts events by kind. Of a message that comes twice the first one counts.
    ///
    /// A time ahead of `now` counts as `now`: it would keep a window open for ever, and a message
    /// never too old.
    pub(super) fn sort(events: Vec<Event>, now: Timestamp) -> Self {
        let mut batch = Self::default();
        let mut keys = HashSet::new();
        for event in events {
            let message = match event {
                Event::Message(mut message) => {
                    message.sent_at = past(message.sent_at, now);
                    ConversationMessage::Inbound(message)
                }
                Event::Echo(mut echo) => {
                    echo.sent_at = past(echo.sent_at, now);
                    ConversationMessage::Echo(echo)
                }
                Event::Receipt(mut receipt) => {
                    receipt.at = past(receipt.at, now);
                    batch.receipts.push(*receipt);
                    continue;
                }
                Event::Account(event) => {
                    batch.account_events.push(event);
                    continue;
                }
                Event::Unreadable(update) => {
                    batch.unreadable.push(update);
                    continue;
                }
            };
            let number = message.phone_number_id().as_str();
            let key = message_key(number, message.wamid().as_str());
            if keys.insert(key.clone()) {
                batch.messages.push(KeyedMessage { key, message });
            } else {
                batch.repeated += 1;
            }
        }
        batch
    }
}

impl Batch {
    /// Keys of the messages from the phone app.
    pub(super) fn echo_keys(&self) -> Vec<String> {
        let echoes = self.messages.iter();
        let echoes = echoes.filter(|keyed| matches!(keyed.message, ConversationMessage::Echo(_)));
        echoes.map(|keyed| keyed.key.clone()).collect()
    }
}

/// Returns a time of WhatsApp's, or `now` if it is further ahead than clocks differ.
fn past(at: Timestamp, now: Timestamp) -> Timestamp {
    if at.duration_since(now) > CLOCK_TOLERANCE {
        now
    } else {
        at
    }
}

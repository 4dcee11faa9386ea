//! The one transaction that stores what came in together with what was decided about it.
//!
//! A crash leaves nothing of a batch, and Meta sends it again, or all of it; there is no state
//! between. The phases are a file each: who wrote (`identity`, `load`), what was decided (`write`),
//! what is only kept (`receipts`).

mod action_results;
mod identity;
mod load;
mod opt_out;
mod receipts;
mod side_effects;
mod timers;
mod write;

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{Store, StoreError, message_key};
use crate::engine::{Decision, EngineEvent, Turn};
use crate::message::{
    AccountEvent, Content, Conversation, Echo, Event, Identity, Inbound, PhoneNumberId, Profile,
    Receipt, RulesVersion, STANDING_FIELDS, Unreadable, Wamid,
};
pub use action_results::{ActionClaim, ClaimedAction, EndedAction};
use load::People;
use write::Written;

/// Decides on one message; must be pure, because a transaction that is run again decides again. A
/// panic in it costs only its message.
pub type Decide =
    dyn Fn(&Conversation, EngineEvent<'_>, Timestamp) -> (Turn, RulesVersion) + Send + Sync;

/// What [`Store::receive`] needs beside the batch.
#[derive(Clone, Copy, Debug)]
pub struct ReceivePolicy {
    /// The time of receiving.
    pub now: Timestamp,
    /// How long a reply is worth sending.
    pub reply_expires_after: Duration,
    /// What becomes of files that people send.
    pub files: MediaPolicy,
}

/// What becomes of files that people send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaPolicy {
    /// They stay with Meta, who drops them after a week.
    Ignore,
    /// Each is put into the outbox to be fetched.
    Download,
}

/// What a batch was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// New messages of people; each has a decision.
    pub messages: usize,
    /// New messages of colleagues, from the phone app.
    pub echoes: usize,
    /// Messages that were there already.
    pub duplicates: usize,
    /// Receipts, new or not.
    pub receipts: usize,
    /// Account events, new or not.
    pub account: usize,
    /// Those of them that tell how the account stands.
    pub standing: usize,
    /// Updates nobody understood, new or not.
    pub quarantined: usize,
    /// One per new message, in order.
    pub decisions: Vec<Decision>,
    /// Rows put into the outbox.
    pub queued: usize,
    /// Those of them that are actions.
    pub actions: usize,
}

/// What belongs to a conversation.
enum ConversationMessage {
    Message(Box<Inbound>),
    Echo(Box<Echo>),
}

impl ConversationMessage {
    fn incoming(&self) -> EngineEvent<'_> {
        match self {
            Self::Message(message) => EngineEvent::Message(message),
            Self::Echo(echo) => EngineEvent::Echo(echo),
        }
    }

    fn number(&self) -> &PhoneNumberId {
        match self {
            Self::Message(message) => &message.phone_number_id,
            Self::Echo(echo) => &echo.phone_number_id,
        }
    }

    fn wamid(&self) -> &Wamid {
        match self {
            Self::Message(message) => &message.wamid,
            Self::Echo(echo) => &echo.wamid,
        }
    }

    /// The person at the other end.
    fn who(&self) -> &Identity {
        match self {
            Self::Message(message) => &message.sender,
            Self::Echo(echo) => &echo.recipient,
        }
    }

    /// Who the person was before, when this tells of a change.
    fn previous(&self) -> Option<&Identity> {
        match self {
            Self::Message(message) => match &message.content {
                Content::System { previous, .. } => previous.as_ref(),
                _ => None,
            },
            Self::Echo(_) => None,
        }
    }

    fn profile(&self) -> &Profile {
        match self {
            Self::Message(message) => &message.profile,
            Self::Echo(echo) => &echo.profile,
        }
    }
}

/// A batch by kind of event, each in the order it came.
#[derive(Default)]
struct Batch {
    messages: Vec<(String, ConversationMessage)>,
    receipts: Vec<Receipt>,
    account: Vec<AccountEvent>,
    unreadable: Vec<Unreadable>,
    repeated: usize,
}

impl Batch {
    /// Sorts events by kind. Of a message that comes twice in one batch the first one counts.
    fn of(events: Vec<Event>) -> Self {
        let mut batch = Self::default();
        let mut seen = HashSet::new();
        for event in events {
            let update = match event {
                Event::Message(message) => ConversationMessage::Message(message),
                Event::Echo(echo) => ConversationMessage::Echo(echo),
                Event::Receipt(receipt) => {
                    batch.receipts.push(*receipt);
                    continue;
                }
                Event::Account(event) => {
                    batch.account.push(event);
                    continue;
                }
                Event::Unreadable(update) => {
                    batch.unreadable.push(update);
                    continue;
                }
            };
            let key = message_key(update.number().as_str(), update.wamid().as_str());
            if seen.insert(key.clone()) {
                batch.messages.push((key, update));
            } else {
                batch.repeated += 1;
            }
        }
        batch
    }
}

impl Batch {
    fn about_standing(&self) -> usize {
        let fields = self.account.iter().map(|event| event.field.as_str());
        fields
            .filter(|field| STANDING_FIELDS.contains(field))
            .count()
    }
}

impl Store {
    /// Stores a batch of events and decides on its new messages, in one transaction.
    ///
    /// Messages that are there already are left alone: one message, one decision, for ever.
    ///
    /// # Errors
    /// `CommitUnknown`: ask again with the same batch, the keys absorb what is there. `Database`
    /// and `Corrupt`: nothing was stored.
    pub async fn receive(
        &self,
        events: Vec<Event>,
        policy: ReceivePolicy,
        decide: &Decide,
    ) -> Result<Received, StoreError> {
        let mut batch = Batch::of(events);
        let mut received = Received {
            receipts: batch.receipts.len(),
            account: batch.account.len(),
            standing: batch.about_standing(),
            quarantined: batch.unreadable.len(),
            duplicates: batch.repeated,
            ..Received::default()
        };
        let mut tx = self.begin().await?;

        if !batch.messages.is_empty() {
            let known = load::look(&mut tx, &batch.messages).await?;
            let came = batch.messages.len();
            batch
                .messages
                .retain(|(key, _)| !known.messages.contains(key));
            received.duplicates += came - batch.messages.len();
            let mut people = People::of(known, &batch.messages)?;
            let mut decided = write::decide_all(&batch.messages, &mut people, policy.now, decide);
            opt_out::in_batch(&mut decided);
            received.decisions = decided.iter().filter_map(write::Decided::told).collect();
            received.messages = received.decisions.len();
            received.echoes = decided.len() - received.messages;
            received.actions = decided.iter().map(|one| one.turn.actions.len()).sum();
            if !decided.is_empty() {
                let written = Written {
                    contacts: &people.contacts,
                    conversations: people.conversations(),
                    last_message: people.last_message,
                };
                received.queued = write::write(&mut tx, &decided, &written, policy).await?;
            }
        }
        receipts::write_receipts(&mut tx, &batch.receipts, policy.now).await?;
        receipts::write_account_events(&mut tx, &batch.account, policy.now).await?;
        receipts::write_quarantine(&mut tx, &batch.unreadable, policy.now).await?;
        tx.commit().await?;
        Ok(received)
    }
}

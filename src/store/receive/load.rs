//! Loads the stored contacts and conversations of a batch and makes it [`Fresh`].

use std::collections::HashMap;
use std::mem::take;

use jiff::Timestamp;
use serde::Deserialize;

use super::batch::KeyedMessage;
use crate::message::{
    ActionResult, Contact, Conversation, FailedReply, Identity, PhoneNumberId, UserId, WaId,
};
use crate::store::StoreError;
use crate::store::contacts::{
    ContactRow, Contacts, Lookup, NumberRow, Scopes, Sighting, Wanted, look_up, merge, parse_state,
};
use crate::store::transaction::Transaction;

/// Events that are new, with everything that deciding on them needs.
pub(super) struct Fresh {
    pub(super) events: Vec<FreshEvent>,
    pub(super) loaded: Loaded,
}

/// An event with the index of its conversation in [`Loaded::conversations`].
pub(super) struct FreshEvent {
    pub(super) conversation: usize,
    pub(super) trigger: Trigger,
}

/// Cause of a turn.
pub(super) enum Trigger {
    Message(KeyedMessage),
    /// Every timer of the conversation that is due.
    Timers,
    /// The end of an action.
    Action {
        number: u64,
        outcome: ActionResult,
    },
    /// A reply that did not arrive, with its id.
    FailedReply {
        id: i64,
        reply: Box<FailedReply>,
    },
}

/// Contacts and conversations of a batch.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) conversations: Vec<LoadedConversation>,
    /// New contacts, and those that changed.
    pub(super) contacts: Vec<ContactRow>,
    /// Business numbers whose account is new.
    pub(super) numbers: Vec<NumberRow>,
    /// Last message id that was given.
    pub(super) last_message: i64,
    /// Last outbox id that was given.
    pub(super) last_outbox_row: i64,
    /// Number of messages that were stored before.
    pub(super) duplicates: usize,
}

/// A conversation as its turns leave it.
pub(super) struct LoadedConversation {
    pub(super) id: i64,
    pub(super) contact_id: i64,
    pub(super) conversation: Conversation,
    /// Time of the contact's last message, by WhatsApp's clock.
    pub(super) last_inbound_ms: Option<i64>,
    /// Whether no message is to be sent, or may have been sent, before a new one.
    pub(super) is_idle: bool,
}

/// A stored conversation with its contact, for a turn without a message.
#[derive(Deserialize)]
pub(super) struct ConversationWithContact {
    contact: StoredContact,
    #[serde(flatten)]
    conversation: StoredConversation,
}

/// A row of `conversation_contacts`.
#[derive(Deserialize)]
struct StoredContact {
    wa_id: Option<WaId>,
    user_id: Option<UserId>,
    name: Option<String>,
    username: Option<String>,
    marketing_opted_out_ms: Option<i64>,
}

impl ConversationWithContact {
    /// Id and time of the contact's last message, by WhatsApp's clock.
    pub(super) fn last_inbound(&self) -> (i64, Option<i64>) {
        (self.conversation.id, self.conversation.last_inbound_ms)
    }
}

impl StoredContact {
    /// A contact as a scope knows it.
    fn new(contact: &ContactRow, scope: &str) -> Self {
        let (wa_id, user_id) = contact.ids(scope);
        Self {
            wa_id,
            user_id,
            name: contact.name.clone(),
            username: contact.username.clone(),
            marketing_opted_out_ms: contact.marketing_opted_out_ms,
        }
    }
}

/// A row of `conversations`.
#[derive(Deserialize)]
struct StoredConversation {
    id: i64,
    contact_id: i64,
    phone_number_id: String,
    state: String,
    inbound_count: u64,
    last_inbound_ms: Option<i64>,
    /// Number of messages that are to be sent, or may have been sent. Loaded only for messages: after
    /// a timer or an action nothing is claimed.
    #[serde(default)]
    unsent: u64,
}

/// Loads the stored rows of messages and their contacts. Contacts that turn out to be one are
/// merged.
pub(super) async fn load(
    tx: &mut Transaction,
    mut messages: Vec<KeyedMessage>,
) -> Result<Fresh, StoreError> {
    if messages.is_empty() {
        let (events, loaded) = (Vec::new(), Loaded::default());
        return Ok(Fresh { events, loaded });
    }
    let mut lookup: Lookup<StoredConversation> = look_up(tx, wanted(&messages)).await?;
    let count = messages.len();
    // A message that was stored before speaks of the past: its phone number may have passed to
    // another contact since.
    messages.retain(|message| !lookup.messages.contains(&message.key));
    let resolved = Resolved::new(&mut lookup, &messages);
    let merges = resolved.contacts.merges();
    if !merges.is_empty() {
        merge(tx, merges).await?;
        let after: Lookup<StoredConversation> = look_up(tx, wanted(&messages)).await?;
        lookup.conversations = after.conversations;
    }
    Fresh::from_messages(count - messages.len(), messages, lookup, resolved)
}

/// What is looked up of messages.
fn wanted(messages: &[KeyedMessage]) -> Wanted {
    let keys: Vec<&str> = messages
        .iter()
        .map(|message| message.key.as_str())
        .collect();
    let identities = messages.iter().flat_map(|KeyedMessage { message, .. }| {
        std::iter::once(message.identity()).chain(message.previous_identity())
    });
    let numbers = messages.iter();
    let numbers = numbers.map(|keyed| keyed.message.phone_number_id());
    Wanted::new(&keys, identities, numbers)
}

/// The contacts of a batch.
struct Resolved {
    contacts: Contacts,
    scopes: Scopes,
    /// Index of the contact of each message, in order.
    by_message: Vec<usize>,
}

impl Resolved {
    /// Takes the contacts and accounts of a lookup, and the ids and names of the messages.
    fn new(lookup: &mut Lookup<StoredConversation>, messages: &[KeyedMessage]) -> Self {
        let mut scopes = Scopes::new(take(&mut lookup.accounts));
        let mut contacts = Contacts::new(take(&mut lookup.contacts), lookup.last_contact);
        let see = |KeyedMessage { message, .. }: &KeyedMessage| {
            let number = message.phone_number_id();
            scopes.learn(number, message.waba_id());
            contacts.see(Sighting {
                identity: message.identity(),
                previous: message.previous_identity(),
                profile: message.profile(),
                scope: scopes.of_number(number),
            })
        };
        let by_message = messages.iter().map(see).collect();
        Self {
            contacts,
            scopes,
            by_message,
        }
    }
}

impl Fresh {
    /// Finds or makes the contact and the conversation of each new message.
    fn from_messages(
        duplicates: usize,
        messages: Vec<KeyedMessage>,
        lookup: Lookup<StoredConversation>,
        resolved: Resolved,
    ) -> Result<Self, StoreError> {
        let Resolved {
            contacts,
            scopes,
            by_message,
        } = resolved;
        let mut stored: HashMap<(i64, String), StoredConversation> = lookup
            .conversations
            .into_iter()
            .map(|row| ((row.contact_id, row.phone_number_id.clone()), row))
            .collect();
        let mut last_conversation = lookup.last_conversation;
        let mut conversations: Vec<LoadedConversation> = Vec::new();
        let mut indexes: HashMap<(i64, PhoneNumberId), usize> = HashMap::new();
        let mut events = Vec::with_capacity(messages.len());
        for (index, message) in by_message.into_iter().zip(messages) {
            let contact = contacts.get(index);
            let number = message.message.phone_number_id();
            let conversation = if let Some(index) = indexes.get(&(contact.id, number.clone())) {
                *index
            } else {
                let row = stored.remove(&(contact.id, number.as_str().to_owned()));
                let is_new = row.is_none();
                let row = row.unwrap_or_else(|| {
                    last_conversation += 1;
                    StoredConversation::new(last_conversation, contact.id, number)
                });
                let known = StoredContact::new(contact, scopes.of_number(number));
                let mut loaded = row.load(known, number.clone())?;
                if is_new {
                    let everywhere = contact.opted_out_ms.map(Timestamp::from_millisecond);
                    loaded.conversation.state.opted_out_at = everywhere.and_then(Result::ok);
                }
                conversations.push(loaded);
                indexes.insert((contact.id, number.clone()), conversations.len() - 1);
                conversations.len() - 1
            };
            let trigger = Trigger::Message(message);
            events.push(FreshEvent {
                conversation,
                trigger,
            });
        }
        let loaded = Loaded {
            conversations,
            contacts: contacts.changed(),
            numbers: scopes.into_changed(),
            last_message: lookup.last_message,
            last_outbox_row: lookup.last_outbox_row,
            duplicates,
        };
        Ok(Self { events, loaded })
    }

    /// The timers of conversations.
    pub(super) fn from_timers(
        conversations: Vec<ConversationWithContact>,
        last_message: i64,
    ) -> Result<Self, StoreError> {
        let loaded = Loaded::from_stored(conversations, last_message)?;
        let event = |conversation| FreshEvent {
            conversation,
            trigger: Trigger::Timers,
        };
        let events = (0..loaded.conversations.len()).map(event).collect();
        Ok(Self { events, loaded })
    }

    /// Events of conversations: each with the id of its conversation.
    pub(super) fn from_triggers(
        triggers: Vec<(i64, Trigger)>,
        conversations: Vec<ConversationWithContact>,
        last_message: i64,
    ) -> Result<Self, StoreError> {
        let loaded = Loaded::from_stored(conversations, last_message)?;
        let ids = loaded
            .conversations
            .iter()
            .map(|conversation| conversation.id);
        let indexes: HashMap<i64, usize> = ids.zip(0..).collect();
        let event = |(id, trigger)| FreshEvent {
            conversation: indexes[&id],
            trigger,
        };
        let events = triggers.into_iter().map(event).collect();
        Ok(Self { events, loaded })
    }
}

impl Loaded {
    fn from_stored(
        conversations: Vec<ConversationWithContact>,
        last_message: i64,
    ) -> Result<Self, StoreError> {
        let load = |ConversationWithContact {
                        contact,
                        conversation,
                    }: ConversationWithContact| {
            let number = PhoneNumberId::parse(conversation.phone_number_id.clone());
            let number = number.ok_or_else(|| corrupt(conversation.id, "its number is none"))?;
            conversation.load(contact, number)
        };
        let conversations = conversations.into_iter().map(load);
        Ok(Self {
            conversations: conversations.collect::<Result<_, StoreError>>()?,
            last_message,
            ..Self::default()
        })
    }
}

impl StoredConversation {
    fn new(id: i64, contact_id: i64, number: &PhoneNumberId) -> Self {
        Self {
            id,
            contact_id,
            phone_number_id: number.as_str().to_owned(),
            state: "{}".to_owned(),
            inbound_count: 0,
            last_inbound_ms: None,
            unsent: 0,
        }
    }

    fn load(
        self,
        contact: StoredContact,
        phone_number_id: PhoneNumberId,
    ) -> Result<LoadedConversation, StoreError> {
        let state = parse_state(self.id, &self.state)?;
        let identity = Identity::from_parts(contact.wa_id, contact.user_id)
            .ok_or_else(|| corrupt(self.id, "its contact has neither phone nor user id"))?;
        Ok(LoadedConversation {
            id: self.id,
            contact_id: self.contact_id,
            conversation: Conversation {
                phone_number_id,
                contact: Contact {
                    identity,
                    name: contact.name,
                    username: contact.username,
                    refuses_marketing: contact.marketing_opted_out_ms.is_some(),
                },
                inbound_count: self.inbound_count,
                state,
            },
            last_inbound_ms: self.last_inbound_ms,
            is_idle: self.unsent == 0,
        })
    }
}

fn corrupt(conversation: i64, what: &'static str) -> StoreError {
    StoreError::corrupt("conversations", conversation, what)
}

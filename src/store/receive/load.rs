//! Loads the stored contacts and conversations of a batch and makes it [`Fresh`].

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::KeyedMessage;
use super::identity::{ContactRow, Contacts, Merge, find_merges};
use crate::message::{
    ActionResult, Contact, Conversation, ConversationState, Identity, Newer, PhoneNumberId, UserId,
    WaId,
};
use crate::store::keys::{json, json_rows};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

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
}

/// Contacts and conversations of a batch.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) conversations: Vec<LoadedConversation>,
    /// New contacts, and those that changed.
    pub(super) contacts: Vec<ContactRow>,
    /// Last message id that was given.
    pub(super) last_message: i64,
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
}

/// A stored conversation with its contact, for a turn without a message.
#[derive(Deserialize)]
pub(super) struct ConversationWithContact {
    contact: ContactRow,
    #[serde(flatten)]
    conversation: StoredConversation,
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
}

/// The database's view of a batch.
#[derive(Deserialize)]
struct Lookup {
    /// Keys of messages that are stored already.
    messages: BTreeSet<String>,
    contacts: Vec<ContactRow>,
    conversations: Vec<StoredConversation>,
    /// The last id given, 0 in an empty table. The next ids are given here: the transaction has the
    /// write lock.
    last_message: i64,
    last_contact: i64,
    last_conversation: i64,
}

/// Loads the stored rows of messages and their contacts. Contacts that turn out to be one are
/// merged first.
pub(super) async fn load(
    tx: &mut Transaction,
    mut messages: Vec<KeyedMessage>,
) -> Result<Fresh, StoreError> {
    if messages.is_empty() {
        let (events, loaded) = (Vec::new(), Loaded::default());
        return Ok(Fresh { events, loaded });
    }
    let lookup = loop {
        let lookup = look_up(tx, &messages).await?;
        // A message that was stored before speaks of the past: its phone number may have passed to
        // another contact since.
        let new = messages
            .iter()
            .filter(|message| !lookup.messages.contains(&message.key));
        let merges = find_merges(&lookup.contacts, new.map(|new| &new.message));
        if merges.is_empty() {
            break lookup;
        }
        // Each round leaves fewer rows, so this ends.
        merge(tx, &merges).await?;
    };
    let count = messages.len();
    messages.retain(|message| !lookup.messages.contains(&message.key));
    Fresh::from_messages(count - messages.len(), messages, lookup)
}

async fn look_up(tx: &mut Transaction, messages: &[KeyedMessage]) -> Result<Lookup, StoreError> {
    let identities = || {
        messages.iter().flat_map(|KeyedMessage { message, .. }| {
            std::iter::once(message.identity()).chain(message.previous_identity())
        })
    };
    let keys: Vec<&str> = messages
        .iter()
        .map(|message| message.key.as_str())
        .collect();
    let wa_ids: Vec<&WaId> = identities().filter_map(Identity::wa_id).collect();
    let user_ids: Vec<&UserId> = identities().filter_map(Identity::user_id).collect();
    let numbers = messages
        .iter()
        .map(|KeyedMessage { message, .. }| message.phone_number_id().as_str());
    let numbers: BTreeSet<&str> = numbers.collect();
    let query = sqlx::query_scalar(sql::LOAD_BATCH)
        .bind(json_rows(&keys))
        .bind(json_rows(&wa_ids))
        .bind(json_rows(&user_ids))
        .bind(json_rows(&numbers.into_iter().collect::<Vec<_>>()));
    tx.fetch_json(query, "contacts").await
}

/// Merges contacts, and their conversations with the same number of the business.
async fn merge(tx: &mut Transaction, merges: &[Merge]) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Pair {
        from: i64,
        to: i64,
        from_state: String,
        to_state: String,
        newer: Newer,
    }
    #[derive(Serialize)]
    struct Joined {
        from: i64,
        to: i64,
        state: String,
        /// Added to the numbers of the actions of `from`.
        shift: u64,
        next_timer_ms: Option<i64>,
        opted_out_ms: Option<i64>,
    }
    let query = sqlx::query_scalar(sql::LOAD_MERGES).bind(json_rows(merges));
    let pairs: Vec<Pair> = tx.fetch_json(query, "conversations").await?;
    let join = |pair: Pair| {
        let mut state = parse_state(pair.to, &pair.to_state)?;
        let shift = state.actions;
        state.join(parse_state(pair.from, &pair.from_state)?, pair.newer);
        Ok(Joined {
            from: pair.from,
            to: pair.to,
            shift,
            next_timer_ms: state.next_timer().map(Timestamp::as_millisecond),
            opted_out_ms: state.opted_out_at.map(Timestamp::as_millisecond),
            state: json(&state),
        })
    };
    let joined = pairs.into_iter().map(join);
    let joined = joined.collect::<Result<Vec<Joined>, StoreError>>()?;
    sqlx::query(sql::MERGE_CONTACTS)
        .bind(json_rows(merges))
        .bind(json_rows(&joined))
        .execute(&mut *tx)
        .await?;
    Ok(())
}

impl Fresh {
    /// Finds or makes the contact and the conversation of each new message.
    fn from_messages(
        duplicates: usize,
        messages: Vec<KeyedMessage>,
        lookup: Lookup,
    ) -> Result<Self, StoreError> {
        let contacts = Contacts::new(lookup.contacts, lookup.last_contact, &messages);
        let mut stored: HashMap<(i64, String), StoredConversation> = lookup
            .conversations
            .into_iter()
            .map(|row| ((row.contact_id, row.phone_number_id.clone()), row))
            .collect();
        let mut last_conversation = lookup.last_conversation;
        let mut conversations: Vec<LoadedConversation> = Vec::new();
        let mut indexes: HashMap<(i64, PhoneNumberId), usize> = HashMap::new();
        let mut events = Vec::with_capacity(messages.len());
        for (contact, message) in contacts.of_messages().zip(messages) {
            let number = message.message.phone_number_id();
            let conversation = if let Some(index) = indexes.get(&(contact.id, number.clone())) {
                *index
            } else {
                let row = stored.remove(&(contact.id, number.as_str().to_owned()));
                let row = row.unwrap_or_else(|| {
                    last_conversation += 1;
                    StoredConversation::new(last_conversation, contact.id, number)
                });
                conversations.push(row.load(contact, number.clone())?);
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
            last_message: lookup.last_message,
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

    /// The ends of actions: each with the id of its conversation and its number there.
    pub(super) fn from_actions(
        actions: Vec<(i64, u64, ActionResult)>,
        conversations: Vec<ConversationWithContact>,
        last_message: i64,
    ) -> Result<Self, StoreError> {
        let loaded = Loaded::from_stored(conversations, last_message)?;
        let ids = loaded
            .conversations
            .iter()
            .map(|conversation| conversation.id);
        let indexes: HashMap<i64, usize> = ids.zip(0..).collect();
        let event = |(id, number, outcome)| FreshEvent {
            conversation: indexes[&id],
            trigger: Trigger::Action { number, outcome },
        };
        let events = actions.into_iter().map(event).collect();
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
            conversation.load(&contact, number)
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
        }
    }

    fn load(
        self,
        contact: &ContactRow,
        phone_number_id: PhoneNumberId,
    ) -> Result<LoadedConversation, StoreError> {
        let state = parse_state(self.id, &self.state)?;
        let wa_id = contact.wa_id.clone().and_then(WaId::parse);
        let user_id = contact.user_id.clone().and_then(UserId::parse);
        let identity = Identity::from_parts(wa_id, user_id)
            .ok_or_else(|| corrupt(self.id, "its contact has neither phone nor user id"))?;
        Ok(LoadedConversation {
            id: self.id,
            contact_id: self.contact_id,
            conversation: Conversation {
                phone_number_id,
                contact: Contact {
                    identity,
                    name: contact.name.clone(),
                    username: contact.username.clone(),
                },
                inbound_count: self.inbound_count,
                state,
            },
            last_inbound_ms: self.last_inbound_ms,
        })
    }
}

fn parse_state(conversation: i64, json: &str) -> Result<ConversationState, StoreError> {
    serde_json::from_str(json).map_err(|_| corrupt(conversation, "`state` is not ours"))
}

fn corrupt(conversation: i64, what: &'static str) -> StoreError {
    StoreError::corrupt("conversations", conversation, what)
}

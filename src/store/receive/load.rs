//! Who wrote: contacts and conversations of a batch, looked up, completed, ready to be written
//! back.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ConversationMessage;
use super::identity::{ContactRow, Contacts, Merge, merges};
use crate::message::{
    Contact, Conversation, ConversationState, Identity, Newer, PhoneNumberId, UserId, WaId,
};
use crate::store::{StoreError, Transaction, rows, sql};

/// What the database knows of a batch, in one row: every row of a result is a hand-off between
/// threads.
#[derive(Deserialize)]
pub(super) struct Lookup {
    /// Keys of messages that are there already.
    pub(super) messages: BTreeSet<String>,
    contacts: Vec<ContactRow>,
    conversations: Vec<ConversationRow>,
    /// The last id given, 0 in an empty table. We give the next ones: nobody else writes in this
    /// transaction.
    last_message: i64,
    last_contact: i64,
    last_conversation: i64,
}

/// A row of `conversations`.
#[derive(Deserialize)]
pub(super) struct ConversationRow {
    id: i64,
    contact_id: i64,
    pub(super) phone_number_id: String,
    state: String,
    inbound_count: u64,
    last_inbound_ms: Option<i64>,
}

/// Asks the database what it knows of these messages and their people; rows that turn out to be one
/// person are made one first.
pub(super) async fn look(
    tx: &mut Transaction,
    messages: &[(String, ConversationMessage)],
) -> Result<Lookup, StoreError> {
    loop {
        let known = look_once(tx, messages).await?;
        // What was there already tells of a past: the number in it may be somebody else's by now.
        let new = messages
            .iter()
            .filter(|(key, _)| !known.messages.contains(key));
        let same: Vec<Merge> = merges(&known.contacts, new.map(|(_, update)| update));
        if same.is_empty() {
            return Ok(known);
        }
        // Each round leaves fewer rows, so this ends.
        let joined = joined(tx, &same).await?;
        sqlx::query(sql::MERGE_CONTACTS)
            .bind(rows(&same))
            .bind(rows(&joined))
            .execute(&mut *tx)
            .await?;
    }
}

/// Two conversations that become one.
#[derive(Deserialize)]
struct ToJoin {
    from: i64,
    to: i64,
    from_state: String,
    to_state: String,
    newer: Newer,
}

/// What is left of them.
#[derive(Serialize)]
struct Joined {
    from: i64,
    to: i64,
    state: String,
    /// What the numbers of actions of `from` grow by.
    shift: u64,
    next_timer_ms: Option<i64>,
    opted_out_ms: Option<i64>,
}

/// What the conversations remember that merging people makes one.
async fn joined(tx: &mut Transaction, same: &[Merge]) -> Result<Vec<Joined>, StoreError> {
    let corrupt = |row, what| StoreError::Corrupt {
        table: "conversations",
        row,
        what,
    };
    let pairs = sqlx::query_scalar(sql::LOAD_MERGES).bind(rows(same));
    let pairs: Vec<ToJoin> = tx.fetch_json(pairs, "conversations").await?;
    let joined = pairs.into_iter().map(|pair| {
        let read = |row, state: &str| {
            serde_json::from_str::<ConversationState>(state)
                .map_err(|_| corrupt(row, "`state` is not ours"))
        };
        let mut state = read(pair.to, &pair.to_state)?;
        let shift = state.actions;
        state.join(read(pair.from, &pair.from_state)?, pair.newer);
        Ok(Joined {
            from: pair.from,
            to: pair.to,
            shift,
            next_timer_ms: state.next_timer().map(Timestamp::as_millisecond),
            opted_out_ms: state.opted_out_at.map(Timestamp::as_millisecond),
            state: serde_json::to_string(&state).expect("its keys are strings"),
        })
    });
    joined.collect()
}

async fn look_once(
    tx: &mut Transaction,
    messages: &[(String, ConversationMessage)],
) -> Result<Lookup, StoreError> {
    let people = || {
        messages
            .iter()
            .flat_map(|(_, update)| std::iter::once(update.who()).chain(update.previous()))
    };
    let keys: Vec<&str> = messages.iter().map(|(key, _)| key.as_str()).collect();
    let wa_ids: Vec<&str> = people()
        .filter_map(Identity::wa_id)
        .map(WaId::as_str)
        .collect();
    let user_ids: Vec<&str> = people()
        .filter_map(Identity::user_id)
        .map(UserId::as_str)
        .collect();
    let numbers: BTreeSet<&str> = messages
        .iter()
        .map(|(_, update)| update.number().as_str())
        .collect();
    let query = sqlx::query_scalar(sql::LOAD_BATCH)
        .bind(rows(&keys))
        .bind(rows(&wa_ids))
        .bind(rows(&user_ids))
        .bind(rows(&numbers.into_iter().collect::<Vec<_>>()));
    tx.fetch_json(query, "contacts").await
}

/// Every conversation a batch touches, and the contacts that change.
pub(super) struct People {
    conversations: Vec<LoadedConversation>,
    by_message: Vec<usize>,
    /// New, or with something new.
    pub(super) contacts: Vec<ContactRow>,
    /// The last message id given.
    pub(super) last_message: i64,
}

/// A conversation as its turns leave it.
pub(super) struct LoadedConversation {
    pub(super) id: i64,
    pub(super) contact_id: i64,
    pub(super) conversation: Conversation,
    pub(super) last_inbound_ms: Option<i64>,
}

impl People {
    /// Finds or makes the contact and the conversation of each message.
    pub(super) fn of(
        known: Lookup,
        messages: &[(String, ConversationMessage)],
    ) -> Result<Self, StoreError> {
        let contacts = Contacts::of(known.contacts, known.last_contact, messages);
        let mut stored: HashMap<(i64, String), ConversationRow> = known
            .conversations
            .into_iter()
            .map(|one| ((one.contact_id, one.phone_number_id.clone()), one))
            .collect();
        let mut last_conversation = known.last_conversation;
        let mut conversations: Vec<LoadedConversation> = Vec::new();
        let mut places: HashMap<(i64, &PhoneNumberId), usize> = HashMap::new();
        let mut by_message = Vec::with_capacity(messages.len());
        for (place, (_, message)) in contacts.of_update.iter().zip(messages) {
            let person = &contacts.persons[*place];
            let number = message.number();
            let place = if let Some(place) = places.get(&(person.id, number)) {
                *place
            } else {
                let there = stored.remove(&(person.id, number.as_str().to_owned()));
                let there = there.unwrap_or_else(|| {
                    last_conversation += 1;
                    ConversationRow::new(last_conversation, person.id, number)
                });
                conversations.push(there.loaded(person, number)?);
                places.insert((person.id, number), conversations.len() - 1);
                conversations.len() - 1
            };
            by_message.push(place);
        }
        let contacts = contacts.changed();
        Ok(Self {
            conversations,
            by_message,
            contacts,
            last_message: known.last_message,
        })
    }

    /// The conversation of the n-th message of the batch.
    pub(super) fn of_message(&mut self, index: usize) -> &mut LoadedConversation {
        &mut self.conversations[self.by_message[index]]
    }

    /// Every conversation.
    pub(super) fn conversations(&self) -> &[LoadedConversation] {
        &self.conversations
    }
}

impl ConversationRow {
    fn new(id: i64, contact_id: i64, number: &PhoneNumberId) -> Self {
        let phone_number_id = number.as_str().to_owned();
        let (state, inbound_count, last_inbound_ms) = ("{}".to_owned(), 0, None);
        Self {
            id,
            contact_id,
            phone_number_id,
            state,
            inbound_count,
            last_inbound_ms,
        }
    }

    pub(super) fn loaded(
        self,
        person: &ContactRow,
        number: &PhoneNumberId,
    ) -> Result<LoadedConversation, StoreError> {
        let corrupt = |what| StoreError::Corrupt {
            table: "conversations",
            row: self.id,
            what,
        };
        let state: ConversationState =
            serde_json::from_str(&self.state).map_err(|_| corrupt("`state` is not ours"))?;
        let wa_id = person.wa_id.clone().and_then(WaId::parse);
        let user_id = person.user_id.clone().and_then(UserId::parse);
        let identity = Identity::from_parts(wa_id, user_id)
            .ok_or_else(|| corrupt("its contact has neither phone nor user id"))?;
        Ok(LoadedConversation {
            id: self.id,
            contact_id: self.contact_id,
            conversation: Conversation {
                phone_number_id: number.clone(),
                contact: Contact {
                    identity,
                    name: person.name.clone(),
                    username: person.username.clone(),
                },
                inbound_count: self.inbound_count,
                state,
            },
            last_inbound_ms: self.last_inbound_ms,
        })
    }
}

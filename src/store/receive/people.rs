//! Who wrote: contacts and conversations of a batch, loaded, completed, written back.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Sqlite, Transaction};

use super::super::{StoreError, rows, sql};
use crate::message::{
    Contact, Conversation, Identity, Inbound, PhoneNumberId, State, UserId, WaId,
};

/// Every conversation a batch touches.
pub(super) struct People {
    conversations: Vec<Loaded>,
    by_message: Vec<usize>,
}

/// A conversation with what is written back.
pub(super) struct Loaded {
    pub(super) id: i64,
    pub(super) conversation: Conversation,
    pub(super) last_inbound_ms: Option<i64>,
}

impl People {
    /// The conversation of the n-th message of the batch.
    pub(super) fn of_message(&mut self, index: usize) -> &mut Loaded {
        &mut self.conversations[self.by_message[index]]
    }
}

type ContactRow = (i64, Option<String>, Option<String>, Option<String>);
type ConversationRow = (i64, i64, String, String, i64, Option<i64>);

/// Loads contacts and conversations of the messages; makes those that are new.
pub(super) async fn load(
    tx: &mut Transaction<'static, Sqlite>,
    messages: &[(String, Inbound)],
    now: Timestamp,
) -> Result<People, StoreError> {
    let contacts = load_contacts(tx, messages, now).await?;
    let wanted: Vec<(i64, &PhoneNumberId)> = messages
        .iter()
        .map(|(_, message)| (contacts.find(&message.sender).id, &message.phone_number_id))
        .collect();
    let found = load_conversations(tx, &wanted, now).await?;

    let mut conversations: Vec<Loaded> = Vec::new();
    let mut places: HashMap<(i64, &PhoneNumberId), usize> = HashMap::new();
    let mut by_message = Vec::with_capacity(messages.len());
    for (pair, (_, message)) in wanted.into_iter().zip(messages) {
        let place = if let Some(place) = places.get(&pair) {
            *place
        } else {
            let stored = &found[&(pair.0, pair.1.as_str().to_owned())];
            conversations.push(stored.loaded(contacts.find(&message.sender), pair.1)?);
            places.insert(pair, conversations.len() - 1);
            conversations.len() - 1
        };
        by_message.push(place);
    }
    Ok(People {
        conversations,
        by_message,
    })
}

/// Writes every conversation back as its turns left it.
pub(super) async fn write(
    tx: &mut Transaction<'static, Sqlite>,
    people: &People,
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row {
        id: i64,
        state: String,
        messages_in: u64,
        last_inbound_ms: Option<i64>,
    }
    let changed: Vec<Row> = people
        .conversations
        .iter()
        .map(|one| Row {
            id: one.id,
            state: serde_json::to_string(&one.conversation.state).expect("its keys are strings"),
            messages_in: one.conversation.messages_before,
            last_inbound_ms: one.last_inbound_ms,
        })
        .collect();
    sqlx::query(sql::UPDATE_CONVERSATIONS)
        .bind(rows(&changed))
        .bind(now.as_millisecond())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A row of `contacts`, with what the batch added to it.
#[derive(Clone, Serialize)]
struct Person {
    id: i64,
    wa_id: Option<String>,
    user_id: Option<String>,
    name: Option<String>,
}

/// The persons of a batch, found by either id.
#[derive(Default)]
struct Contacts {
    persons: Vec<Person>,
    by_wa_id: HashMap<String, usize>,
    by_user_id: HashMap<String, usize>,
}

impl Contacts {
    fn place(&self, identity: &Identity) -> Option<usize> {
        let by_user = identity
            .user_id()
            .and_then(|id| self.by_user_id.get(id.as_str()));
        let by_phone = || {
            identity
                .wa_id()
                .and_then(|id| self.by_wa_id.get(id.as_str()))
        };
        // The user id first: a phone number can pass to another person, a user id cannot.
        by_user.or_else(by_phone).copied()
    }

    fn find(&self, identity: &Identity) -> &Person {
        let place = self
            .place(identity)
            .expect("every sender was loaded or made");
        &self.persons[place]
    }

    fn add(&mut self, person: Person) {
        let place = self.persons.len();
        if let Some(wa_id) = &person.wa_id {
            self.by_wa_id.insert(wa_id.clone(), place);
        }
        if let Some(user_id) = &person.user_id {
            self.by_user_id.insert(user_id.clone(), place);
        }
        self.persons.push(person);
    }

    /// Takes over what a message tells of its sender; `true` when there was something new.
    fn learn(&mut self, place: usize, message: &Inbound) -> bool {
        let mut new = false;
        let wa_id = message.sender.wa_id().map(|id| id.as_str().to_owned());
        if let Some(wa_id) = wa_id.filter(|id| !self.by_wa_id.contains_key(id))
            && self.persons[place].wa_id.is_none()
        {
            self.by_wa_id.insert(wa_id.clone(), place);
            self.persons[place].wa_id = Some(wa_id);
            new = true;
        }
        let user_id = message.sender.user_id().map(|id| id.as_str().to_owned());
        if let Some(user_id) = user_id.filter(|id| !self.by_user_id.contains_key(id))
            && self.persons[place].user_id.is_none()
        {
            self.by_user_id.insert(user_id.clone(), place);
            self.persons[place].user_id = Some(user_id);
            new = true;
        }
        let person = &mut self.persons[place];
        if message.profile_name.is_some() && person.name != message.profile_name {
            person.name.clone_from(&message.profile_name);
            new = true;
        }
        new
    }
}

async fn load_contacts(
    tx: &mut Transaction<'static, Sqlite>,
    messages: &[(String, Inbound)],
    now: Timestamp,
) -> Result<Contacts, StoreError> {
    let senders = || messages.iter().map(|(_, message)| &message.sender);
    let wa_ids: Vec<&str> = senders()
        .filter_map(Identity::wa_id)
        .map(WaId::as_str)
        .collect();
    let user_ids: Vec<&str> = senders()
        .filter_map(Identity::user_id)
        .map(UserId::as_str)
        .collect();
    let stored: Vec<ContactRow> = sqlx::query_as(sql::LOAD_CONTACTS)
        .bind(rows(&wa_ids))
        .bind(rows(&user_ids))
        .fetch_all(&mut **tx)
        .await?;

    let mut contacts = Contacts::default();
    for (id, wa_id, user_id, name) in stored {
        contacts.add(Person {
            id,
            wa_id,
            user_id,
            name,
        });
    }
    let known = contacts.persons.len();
    let mut changed = Vec::new();
    for (_, message) in messages {
        match contacts.place(&message.sender) {
            Some(place) => {
                if contacts.learn(place, message) && place < known && !changed.contains(&place) {
                    changed.push(place);
                }
            }
            None => contacts.add(Person {
                id: 0,
                wa_id: message.sender.wa_id().map(|id| id.as_str().to_owned()),
                user_id: message.sender.user_id().map(|id| id.as_str().to_owned()),
                name: message.profile_name.clone(),
            }),
        }
    }
    insert_contacts(tx, &mut contacts, known, now).await?;
    if !changed.is_empty() {
        let changed: Vec<&Person> = changed
            .iter()
            .map(|place| &contacts.persons[*place])
            .collect();
        let update = sqlx::query(sql::UPDATE_CONTACTS).bind(rows(&changed));
        update.execute(&mut **tx).await?;
    }
    Ok(contacts)
}

/// Inserts the persons from `known` on and takes over their ids.
async fn insert_contacts(
    tx: &mut Transaction<'static, Sqlite>,
    contacts: &mut Contacts,
    known: usize,
    now: Timestamp,
) -> Result<(), StoreError> {
    if known == contacts.persons.len() {
        return Ok(());
    }
    let inserted: Vec<(i64, Option<String>, Option<String>)> = sqlx::query_as(sql::INSERT_CONTACTS)
        .bind(rows(&contacts.persons[known..]))
        .bind(now.as_millisecond())
        .fetch_all(&mut **tx)
        .await?;
    for (id, wa_id, user_id) in inserted {
        let by_phone = || contacts.by_wa_id.get(&wa_id?);
        let place = user_id
            .and_then(|user_id| contacts.by_user_id.get(&user_id))
            .or_else(by_phone);
        let place = *place.expect("the row came from these persons");
        contacts.persons[place].id = id;
    }
    Ok(())
}

/// A row of `conversations`.
struct Stored {
    id: i64,
    state: String,
    messages_in: i64,
    last_inbound_ms: Option<i64>,
}

impl Stored {
    fn loaded(&self, person: &Person, number: &PhoneNumberId) -> Result<Loaded, StoreError> {
        let corrupt = |what| StoreError::Corrupt {
            table: "conversations",
            row: self.id,
            what,
        };
        let state: State =
            serde_json::from_str(&self.state).map_err(|_| corrupt("`state` is not ours"))?;
        let wa_id = person.wa_id.clone().and_then(WaId::parse);
        let user_id = person.user_id.clone().and_then(UserId::parse);
        let identity = Identity::from_parts(wa_id, user_id)
            .ok_or_else(|| corrupt("its contact has neither phone nor user id"))?;
        Ok(Loaded {
            id: self.id,
            conversation: Conversation {
                phone_number_id: number.clone(),
                contact: Contact {
                    identity,
                    name: person.name.clone(),
                },
                messages_before: u64::try_from(self.messages_in)
                    .map_err(|_| corrupt("`messages_in` is negative"))?,
                state,
            },
            last_inbound_ms: self.last_inbound_ms,
        })
    }
}

async fn load_conversations(
    tx: &mut Transaction<'static, Sqlite>,
    wanted: &[(i64, &PhoneNumberId)],
    now: Timestamp,
) -> Result<HashMap<(i64, String), Stored>, StoreError> {
    #[derive(Serialize)]
    struct Pair<'a> {
        contact_id: i64,
        phone_number_id: &'a PhoneNumberId,
    }
    let mut pairs: Vec<(i64, &PhoneNumberId)> = wanted.to_vec();
    pairs.sort_unstable();
    pairs.dedup();
    let mut pairs: Vec<Pair<'_>> = pairs
        .into_iter()
        .map(|(contact_id, phone_number_id)| Pair {
            contact_id,
            phone_number_id,
        })
        .collect();

    let stored: Vec<ConversationRow> = sqlx::query_as(sql::LOAD_CONVERSATIONS)
        .bind(rows(&pairs))
        .fetch_all(&mut **tx)
        .await?;
    let mut found: HashMap<(i64, String), Stored> = stored
        .into_iter()
        .map(
            |(id, contact_id, number, state, messages_in, last_inbound_ms)| {
                (
                    (contact_id, number),
                    Stored {
                        id,
                        state,
                        messages_in,
                        last_inbound_ms,
                    },
                )
            },
        )
        .collect();

    pairs.retain(|pair| {
        !found.contains_key(&(pair.contact_id, pair.phone_number_id.as_str().to_owned()))
    });
    if !pairs.is_empty() {
        let inserted: Vec<(i64, i64, String)> = sqlx::query_as(sql::INSERT_CONVERSATIONS)
            .bind(rows(&pairs))
            .bind(now.as_millisecond())
            .fetch_all(&mut **tx)
            .await?;
        found.extend(inserted.into_iter().map(|(id, contact_id, number)| {
            let state = "{}".to_owned();
            (
                (contact_id, number),
                Stored {
                    id,
                    state,
                    messages_in: 0,
                    last_inbound_ms: None,
                },
            )
        }));
    }
    Ok(found)
}

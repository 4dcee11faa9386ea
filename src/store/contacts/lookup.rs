//! Reads what is stored of a batch: messages, contacts, conversations, accounts.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::identity::ContactRow;
use crate::message::{Identity, PhoneNumberId, UserId, WaId};
use crate::store::keys::{json, json_rows};
use crate::store::row::{from_row, list};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// The database's view of a batch. `C` is a row of `conversations`.
pub(in crate::store) struct Lookup<C> {
    /// Keys of messages that are stored already.
    pub(in crate::store) messages: BTreeSet<String>,
    pub(in crate::store) contacts: Vec<ContactRow>,
    pub(in crate::store) conversations: Vec<C>,
    /// Accounts of business numbers.
    pub(in crate::store) accounts: HashMap<String, String>,
    /// The last id given, 0 in an empty table. The next ids are given here: the transaction has the
    /// write lock.
    pub(in crate::store) last_message: i64,
    pub(in crate::store) last_contact: i64,
    pub(in crate::store) last_conversation: i64,
    pub(in crate::store) last_outbox_row: i64,
}

/// What the statement gives; texts are lists that [`list`] reads.
#[derive(Deserialize)]
struct LookupRow {
    messages: Option<String>,
    contacts: Option<String>,
    phones: Option<String>,
    user_ids: Option<String>,
    conversations: Option<String>,
    accounts: Option<String>,
    last_message: i64,
    last_contact: i64,
    last_conversation: i64,
    last_outbox_row: i64,
}

from_row!(LookupRow);

/// Keys of the rows to look up, as JSON arrays.
pub(in crate::store) struct Wanted {
    messages: String,
    phones: String,
    user_ids: String,
    numbers: String,
}

impl Wanted {
    /// Stored messages by their keys, contacts by their ids, and the conversations of those
    /// contacts with business numbers.
    pub(in crate::store) fn new<'a>(
        keys: &[&str],
        identities: impl Iterator<Item = &'a Identity> + Clone,
        numbers: impl Iterator<Item = &'a PhoneNumberId>,
    ) -> Self {
        let phones = identities.clone().filter_map(Identity::wa_id);
        let user_ids = identities.filter_map(Identity::user_id);
        let numbers: BTreeSet<&str> = numbers.map(PhoneNumberId::as_str).collect();
        Self {
            messages: json_rows(keys),
            phones: json_rows(&phones.collect::<Vec<&WaId>>()),
            user_ids: json_rows(&user_ids.collect::<Vec<&UserId>>()),
            numbers: json(&numbers),
        }
    }
}

/// Reads the wanted rows.
pub(in crate::store) async fn look_up<C: DeserializeOwned>(
    tx: &mut Transaction,
    wanted: Wanted,
) -> Result<Lookup<C>, StoreError> {
    let query = sqlx::query_as(sql::LOAD_BATCH)
        .bind(wanted.messages)
        .bind(wanted.phones)
        .bind(wanted.user_ids)
        .bind(wanted.numbers);
    let row: LookupRow = query.fetch_one(&mut *tx).await?;
    let messages = list(row.messages.as_deref(), "messages")?;
    let accounts = list(row.accounts.as_deref(), "business_numbers")?;
    Ok(Lookup {
        messages: messages.into_iter().collect(),
        contacts: contacts(&row)?,
        conversations: list(row.conversations.as_deref(), "conversations")?,
        accounts: accounts.into_iter().collect(),
        last_message: row.last_message,
        last_contact: row.last_contact,
        last_conversation: row.last_conversation,
        last_outbox_row: row.last_outbox_row,
    })
}

/// Puts contacts together with their phone numbers and user ids.
fn contacts(row: &LookupRow) -> Result<Vec<ContactRow>, StoreError> {
    let mut contacts: Vec<ContactRow> = list(row.contacts.as_deref(), "contacts")?;
    let ids = contacts.iter().map(|contact| contact.id);
    let indexes: HashMap<i64, usize> = ids.zip(0..).collect();
    for (id, phone) in list::<(i64, String)>(row.phones.as_deref(), "contact_phones")? {
        contacts[indexes[&id]].phones.insert(phone);
    }
    for (id, scope, user_id) in list(row.user_ids.as_deref(), "contact_user_ids")? {
        let id: i64 = id;
        contacts[indexes[&id]].user_ids.insert(scope, user_id);
    }
    Ok(contacts)
}

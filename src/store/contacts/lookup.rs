//! Reads what is stored of a batch: messages, contacts, conversations, accounts.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::identity::ContactRow;
use crate::message::{Identity, PhoneNumberId, UserId, WaId};
use crate::store::keys::{json, json_rows};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// The database's view of a batch. `C` is a row of `conversations`.
#[derive(Deserialize)]
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
    let query = sqlx::query_scalar(sql::LOAD_BATCH)
        .bind(wanted.messages)
        .bind(wanted.phones)
        .bind(wanted.user_ids)
        .bind(wanted.numbers);
    tx.fetch_json(query, "contacts").await
}

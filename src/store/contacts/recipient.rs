//! Contacts of messages sent by hand.

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::identity::Contacts;
use super::lookup::{Lookup, Wanted, look_up};
use super::scopes::Scopes;
use super::write::write;
use crate::message::{PhoneNumberId, Recipient};
use crate::store::StoreError;
use crate::store::transaction::Transaction;

/// Finds the contact of a recipient, or adds one, and returns its id.
pub(in crate::store) async fn find_or_add(
    tx: &mut Transaction,
    number: &PhoneNumberId,
    recipient: &Recipient,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let identity = recipient.identity();
    let identities = std::iter::once(&identity);
    let numbers = std::iter::once(number);
    let wanted = Wanted::new(&[], identities, numbers);
    let lookup: Lookup<IgnoredAny> = look_up(tx, wanted).await?;
    let scopes = Scopes::new(lookup.accounts);
    let mut contacts = Contacts::new(lookup.contacts, lookup.last_contact);
    let index = contacts.find_or_add(&identity, scopes.of_number(number));
    write(tx, &contacts.changed(), &[], now).await?;
    Ok(contacts.get(index).id)
}

//! Contacts of sends: those of messages sent by hand, and what WhatsApp's answers and receipts say of
//! them.

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::identity::Contacts;
use super::lookup::{Lookup, Wanted, look_up};
use super::merge::merge;
use super::scopes::Scopes;
use super::write::add;
use crate::message::{Identity, PhoneNumberId, Recipient, RecipientReport};
use crate::store::StoreError;
use crate::store::transaction::Transaction;
use crate::store::writes::Writes;

/// Finds the contact of a recipient, or adds one, takes what the answer says of it, and returns its
/// id.
pub(in crate::store) async fn find_or_add(
    tx: &mut Transaction,
    number: &PhoneNumberId,
    recipient: &Recipient,
    report: Option<&RecipientReport>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let identity = recipient.identity();
    let reported = report.map(RecipientReport::reported);
    let identities = std::iter::once(&identity).chain(reported);
    let (mut contacts, scopes) = open(tx, identities.collect(), vec![number]).await?;
    let scope = scopes.of_number(number);
    let index = contacts.find_or_add(&identity, scope);
    if let Some(report) = report {
        contacts.hear(report, scope);
    }
    close(tx, &contacts, scopes, now).await?;
    Ok(contacts.get(index).id)
}

/// Takes what WhatsApp says of the recipients of sends: the spelling of a phone number by which it
/// knows a contact, and the user id. Recipients that are no contacts are left alone.
pub(in crate::store) async fn hear(
    tx: &mut Transaction,
    reports: &[(PhoneNumberId, RecipientReport)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if reports.is_empty() {
        return Ok(());
    }
    let sent_to: Vec<Identity> = reports
        .iter()
        .map(|(_, report)| report.sent_to().identity())
        .collect();
    let reported = reports.iter().map(|(_, report)| report.reported());
    let identities = sent_to.iter().chain(reported).collect();
    let numbers = reports.iter().map(|(number, _)| number).collect();
    let (mut contacts, scopes) = open(tx, identities, numbers).await?;
    for (number, report) in reports {
        contacts.hear(report, scopes.of_number(number));
    }
    close(tx, &contacts, scopes, now).await
}

/// What a receipt says of the recipient of a message.
pub(in crate::store) struct Receiver<'a> {
    pub(in crate::store) number: &'a PhoneNumberId,
    /// Account that the receipt came under, if the webhook named one.
    pub(in crate::store) account: Option<&'a str>,
    pub(in crate::store) identity: &'a Identity,
    /// Phone number of a contact of whom nothing but this is known, and to whom the message went.
    pub(in crate::store) dialled: Option<Identity>,
}

/// Takes what receipts say of their recipients. Recipients that are no contacts are left alone.
pub(in crate::store) async fn complete(
    tx: &mut Transaction,
    receivers: &[Receiver<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let dialled = receivers.iter().filter_map(|it| it.dialled.as_ref());
    let identities = receivers.iter().map(|it| it.identity).chain(dialled);
    let numbers = receivers.iter().map(|it| it.number).collect();
    let (mut contacts, mut scopes) = open(tx, identities.collect(), numbers).await?;
    for receiver in receivers {
        scopes.learn(receiver.number, receiver.account);
        let Some(wa_id) = receiver.identity.wa_id() else {
            continue;
        };
        if let Some(dialled) = receiver.dialled.as_ref().and_then(Identity::wa_id) {
            contacts.take_spelling(dialled, wa_id);
        }
        let scope = scopes.of_number(receiver.number);
        if let Some(user_id) = receiver.identity.user_id() {
            contacts.complete(wa_id, user_id, scope);
        }
    }
    close(tx, &contacts, scopes, now).await
}

async fn open(
    tx: &mut Transaction,
    identities: Vec<&Identity>,
    numbers: Vec<&PhoneNumberId>,
) -> Result<(Contacts, Scopes), StoreError> {
    let wanted = Wanted::new(&[], identities.into_iter(), numbers.into_iter());
    let lookup: Lookup<IgnoredAny> = look_up(tx, wanted).await?;
    let contacts = Contacts::new(lookup.contacts, lookup.last_contact);
    Ok((contacts, Scopes::new(lookup.accounts)))
}

async fn close(
    tx: &mut Transaction,
    contacts: &Contacts,
    scopes: Scopes,
    now: Timestamp,
) -> Result<(), StoreError> {
    merge(tx, contacts.merges()).await?;
    let (contacts, numbers) = (contacts.changed(), scopes.into_changed());
    let mut writes = Writes::with_rows(contacts.len());
    add(&mut writes, &contacts, &numbers, now);
    writes.run(tx).await
}

//! Writes contacts with their phone numbers and user ids, and the accounts of business numbers.

use jiff::Timestamp;

use super::identity::ContactRow;
use super::scopes::NumberRow;
use crate::store::keys::json;
use crate::store::sql;
use crate::store::writes::{Row, Values, Writes};

/// A row of `contacts`.
struct NamesRow<'a>(&'a ContactRow, Timestamp);

impl Row for NamesRow<'_> {
    fn bind(self, values: &mut Values) {
        let Self(contact, now) = self;
        values.push(contact.id).push(contact.wa_id.as_deref());
        values.push(contact.name.as_deref());
        values.push(contact.username.as_deref());
        values.push(now.as_millisecond());
    }
}

/// A row of `contact_phones`.
struct PhoneRow<'a>(&'a str, i64);

impl Row for PhoneRow<'_> {
    fn bind(self, values: &mut Values) {
        values.push(self.0).push(self.1);
    }
}

/// A row of `contact_user_ids`.
struct UserIdRow<'a>(i64, &'a str, &'a str);

impl Row for UserIdRow<'_> {
    fn bind(self, values: &mut Values) {
        values.push(self.0).push(self.1).push(self.2);
    }
}

impl Row for &NumberRow {
    fn bind(self, values: &mut Values) {
        values.push(self.phone_number_id.as_str());
        values.push(self.waba_id.as_str());
    }
}

/// Adds new and changed contacts, each with all its phone numbers and user ids, and accounts.
pub(in crate::store) fn add(
    writes: &mut Writes,
    contacts: &[ContactRow],
    numbers: &[NumberRow],
    now: Timestamp,
) {
    if !contacts.is_empty() {
        let names = contacts.iter().map(|contact| NamesRow(contact, now));
        let ids: Vec<i64> = contacts.iter().map(|contact| contact.id).collect();
        let ids = json(&ids);
        let phones = contacts.iter().flat_map(|contact| {
            let phones = contact.phones.iter();
            phones.map(|phone| PhoneRow(phone, contact.id))
        });
        let user_ids = contacts.iter().flat_map(|contact| {
            let user_ids = contact.user_ids.iter();
            user_ids.map(|(scope, user_id)| UserIdRow(contact.id, scope, user_id))
        });
        writes.rows(sql::WRITE_CONTACTS, names.collect());
        writes.set(sql::DELETE_CONTACT_PHONES, ids.clone());
        writes.set(sql::DELETE_CONTACT_USER_IDS, ids);
        writes.rows(sql::INSERT_CONTACT_PHONES, phones.collect());
        writes.rows(sql::INSERT_CONTACT_USER_IDS, user_ids.collect());
    }
    writes.rows(sql::WRITE_BUSINESS_NUMBERS, numbers.iter().collect());
}

//! Identity resolution: the contact of each message, be it known, new, renamed, moved to another
//! phone number, or two stored contacts that turn out to be one.
//!
//! Pure; [`super::load()`] reads and writes the database. A phone number can pass to another
//! contact, a user id cannot, and a contact gets a new user id with a new phone number (and a
//! `system` message then reports it). See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::batch::{ConversationMessage, KeyedMessage};
use crate::message::{Identity, UserId, WaId};

/// A row of `contacts`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ContactRow {
    pub(super) id: i64,
    pub(super) wa_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) username: Option<String>,
}

/// Two rows of one contact: `from` goes into `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Merge {
    from: i64,
    to: i64,
}

/// The contacts of a batch.
pub(super) struct Contacts {
    rows: Vec<ContactRow>,
    /// Index of the contact of each message, in order.
    by_message: Vec<usize>,
    by_wa_id: HashMap<String, usize>,
    by_user_id: HashMap<String, usize>,
    /// Contacts that gave up an id, which another contact of the batch may have now.
    moved: BTreeSet<usize>,
    changed: BTreeSet<usize>,
}

/// Finds stored contacts that the messages show to be one. Each contact is in one pair at most: the
/// search is repeated after merging.
pub(super) fn find_merges<'a>(
    stored: &[ContactRow],
    messages: impl Iterator<Item = &'a ConversationMessage>,
) -> Vec<Merge> {
    let mut touched = HashSet::new();
    let mut merges = Vec::new();
    let by_user = |id: &UserId| {
        let id = Some(id.as_str());
        stored.iter().find(|row| row.user_id.as_deref() == id)
    };
    let by_phone = |id: &WaId| {
        let id = Some(id.as_str());
        stored.iter().find(|row| row.wa_id.as_deref() == id)
    };
    for message in messages {
        let identity = message.identity();
        let user = identity.user_id().and_then(by_user);
        let phone = identity.wa_id().and_then(by_phone);
        let before = message.previous_identity().and_then(|before| {
            let user = before.user_id().and_then(by_user);
            user.or_else(|| before.wa_id().and_then(by_phone))
        });
        let pair = match (before, user, phone) {
            // Known under the old ids, and has written under the new ones already.
            (Some(old), Some(new), _) | (Some(old), None, Some(new)) if old.id != new.id => {
                Some((new.id, old.id))
            }
            // Known by phone only and by id only, and now by both.
            (_, Some(user), Some(phone)) if user.id != phone.id && phone.user_id.is_none() => {
                Some((phone.id, user.id))
            }
            _ => None,
        };
        if let Some((from, to)) = pair
            && !touched.contains(&from)
            && !touched.contains(&to)
        {
            touched.extend([from, to]);
            merges.push(Merge { from, to });
        }
    }
    merges
}

impl Contacts {
    /// Resolves the contact of each message, from stored rows and the ids and names in the
    /// messages. New contacts get the ids after `last_id`.
    pub(super) fn new(
        stored: Vec<ContactRow>,
        mut last_id: i64,
        messages: &[KeyedMessage],
    ) -> Self {
        let mut contacts = Self {
            rows: Vec::new(),
            by_message: Vec::with_capacity(messages.len()),
            by_wa_id: HashMap::new(),
            by_user_id: HashMap::new(),
            moved: BTreeSet::new(),
            changed: BTreeSet::new(),
        };
        for row in stored {
            contacts.add(row);
        }
        for KeyedMessage { message, .. } in messages {
            let index = contacts.find(message).unwrap_or_else(|| {
                last_id += 1;
                contacts.changed.insert(contacts.rows.len());
                contacts.add(ContactRow {
                    id: last_id,
                    wa_id: None,
                    user_id: None,
                    name: None,
                    username: None,
                })
            });
            contacts.update(index, message);
            contacts.by_message.push(index);
        }
        contacts
    }

    /// The contact of each message, in order.
    pub(super) fn of_messages(&self) -> impl Iterator<Item = &ContactRow> {
        self.by_message.iter().map(|index| &self.rows[*index])
    }

    /// Rows to write, one after the other. A contact that gave up an id comes first without any id,
    /// so that no id stands in two rows at any time.
    pub(super) fn changed(&self) -> Vec<ContactRow> {
        let without_ids = self.moved.iter().map(|index| {
            let contact = self.rows[*index].clone();
            ContactRow {
                wa_id: None,
                // A row must have an id; this one belongs to no contact.
                user_id: Some(format!("moving {}", contact.id)),
                ..contact
            }
        });
        let changed = self.changed.union(&self.moved);
        let last = changed.map(|index| self.rows[*index].clone());
        without_ids.chain(last).collect()
    }

    /// Index of the contact of a message, if it is a known one.
    fn find(&self, message: &ConversationMessage) -> Option<usize> {
        let identity = message.identity();
        let by_user = |identity: &Identity| {
            let id = identity.user_id()?;
            self.by_user_id.get(id.as_str()).copied()
        };
        let by_phone = |identity: &Identity| {
            let index = *self.by_wa_id.get(identity.wa_id()?.as_str())?;
            // The same number with another user id is another contact: the number was given away.
            let stored = self.rows[index].user_id.as_deref();
            let reported = identity.user_id().map(UserId::as_str);
            (stored.is_none() || reported.is_none() || stored == reported).then_some(index)
        };
        let before = || {
            let before = message.previous_identity()?;
            by_user(before).or_else(|| by_phone(before))
        };
        by_user(identity)
            .or_else(|| by_phone(identity))
            .or_else(before)
    }

    /// Adds a contact and returns its index.
    fn add(&mut self, contact: ContactRow) -> usize {
        let index = self.rows.len();
        if let Some(wa_id) = &contact.wa_id {
            self.by_wa_id.insert(wa_id.clone(), index);
        }
        if let Some(user_id) = &contact.user_id {
            self.by_user_id.insert(user_id.clone(), index);
        }
        self.rows.push(contact);
        index
    }

    /// Takes ids and, if there are some, names of a contact from a message.
    fn update(&mut self, index: usize, message: &ConversationMessage) {
        let identity = message.identity();
        if let Some(user_id) = identity.user_id() {
            self.take_user_id(index, user_id.as_str());
        }
        if let Some(wa_id) = identity.wa_id() {
            self.take_wa_id(index, wa_id.as_str());
        }
        let profile = message.profile();
        let contact = &mut self.rows[index];
        for (stored, reported) in [
            (&mut contact.name, &profile.name),
            (&mut contact.username, &profile.username),
        ] {
            if reported.is_some() && stored != reported {
                stored.clone_from(reported);
                self.changed.insert(index);
            }
        }
    }

    fn take_user_id(&mut self, index: usize, user_id: &str) {
        if self.rows[index].user_id.as_deref() == Some(user_id)
            || self.by_user_id.contains_key(user_id)
        {
            return;
        }
        if let Some(old) = self.rows[index].user_id.replace(user_id.to_owned()) {
            self.by_user_id.remove(&old);
            self.moved.insert(index);
        }
        self.by_user_id.insert(user_id.to_owned(), index);
        self.changed.insert(index);
    }

    fn take_wa_id(&mut self, index: usize, wa_id: &str) {
        if self.rows[index].wa_id.as_deref() == Some(wa_id) {
            return;
        }
        if let Some(&other) = self.by_wa_id.get(wa_id) {
            if self.rows[other].user_id.is_none() {
                // The other contact would have no id left; a later message finds the two stored,
                // and merges them.
                return;
            }
            self.rows[other].wa_id = None;
            self.moved.insert(other);
        }
        if let Some(old) = self.rows[index].wa_id.replace(wa_id.to_owned()) {
            self.by_wa_id.remove(&old);
            self.moved.insert(index);
        }
        self.by_wa_id.insert(wa_id.to_owned(), index);
        self.changed.insert(index);
    }
}

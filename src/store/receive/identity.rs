//! Which person each message belongs to: known, new, renamed, moved to another number, or two that
//! turn out to be one.
//!
//! Only computes; [`super::load`] asks the database and writes. A phone number can pass to another
//! person, a user id cannot, and the same person gets a new user id with a new number (and a
//! `system` message then says so). See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::ConversationMessage;
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

/// Two rows that are one person: `from` goes into `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Merge {
    from: i64,
    to: i64,
}

/// The persons of a batch.
pub(super) struct Contacts {
    pub(super) persons: Vec<ContactRow>,
    /// The person of each update, in order.
    pub(super) of_update: Vec<usize>,
    by_wa_id: HashMap<String, usize>,
    by_user_id: HashMap<String, usize>,
    /// Gave up an id that somebody else in the batch may have now.
    moved: BTreeSet<usize>,
    changed: BTreeSet<usize>,
}

/// Finds stored persons that the updates show to be one. Each person is in one pair at most: ask
/// again after merging.
pub(super) fn merges<'a>(
    stored: &[ContactRow],
    updates: impl Iterator<Item = &'a ConversationMessage>,
) -> Vec<Merge> {
    let mut touched = HashSet::new();
    let mut merges = Vec::new();
    let by_user = |id: &UserId| {
        let wanted = Some(id.as_str());
        stored.iter().find(|one| one.user_id.as_deref() == wanted)
    };
    let by_phone = |id: &WaId| {
        let wanted = Some(id.as_str());
        stored.iter().find(|one| one.wa_id.as_deref() == wanted)
    };
    for update in updates {
        let who = update.who();
        let user = who.user_id().and_then(by_user);
        let phone = who.wa_id().and_then(by_phone);
        let before = update.previous().and_then(|before| {
            let user = before.user_id().and_then(by_user);
            user.or_else(|| before.wa_id().and_then(by_phone))
        });
        let pair = match (before, user, phone) {
            // The person was known under the old ids and has written under the new ones already.
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
    /// Takes what is stored, and what the updates tell beyond it.
    pub(super) fn of(
        stored: Vec<ContactRow>,
        mut last_id: i64,
        updates: &[(String, ConversationMessage)],
    ) -> Self {
        let mut contacts = Self {
            persons: Vec::new(),
            of_update: Vec::with_capacity(updates.len()),
            by_wa_id: HashMap::new(),
            by_user_id: HashMap::new(),
            moved: BTreeSet::new(),
            changed: BTreeSet::new(),
        };
        for person in stored {
            contacts.add(person);
        }
        for (_, update) in updates {
            let place = contacts.place(update).unwrap_or_else(|| {
                last_id += 1;
                contacts.changed.insert(contacts.persons.len());
                contacts.add(ContactRow {
                    id: last_id,
                    wa_id: None,
                    user_id: None,
                    name: None,
                    username: None,
                })
            });
            contacts.learn(place, update);
            contacts.of_update.push(place);
        }
        contacts
    }

    /// The rows to write, one after the other. Those that gave up an id come first without any, so
    /// that no id stands in two rows at any time.
    pub(super) fn changed(&self) -> Vec<ContactRow> {
        let without_ids = self.moved.iter().map(|place| {
            let person = self.persons[*place].clone();
            ContactRow {
                wa_id: None,
                // A row must have one id; this one is nobody's.
                user_id: Some(format!("moving {}", person.id)),
                ..person
            }
        });
        let changed = self.changed.union(&self.moved);
        let last = changed.map(|place| self.persons[*place].clone());
        without_ids.chain(last).collect()
    }

    /// The person an update belongs to, when it is a known one.
    fn place(&self, update: &ConversationMessage) -> Option<usize> {
        let who = update.who();
        let by_user = |who: &Identity| {
            let id = who.user_id()?;
            self.by_user_id.get(id.as_str()).copied()
        };
        let by_phone = |who: &Identity| {
            let place = *self.by_wa_id.get(who.wa_id()?.as_str())?;
            // The same number with another user id is another person: the number was given away.
            let known = self.persons[place].user_id.as_deref();
            let told = who.user_id().map(UserId::as_str);
            (known.is_none() || told.is_none() || known == told).then_some(place)
        };
        let before = || {
            let before = update.previous()?;
            by_user(before).or_else(|| by_phone(before))
        };
        by_user(who).or_else(|| by_phone(who)).or_else(before)
    }

    /// Adds a person; gives the place.
    fn add(&mut self, person: ContactRow) -> usize {
        let place = self.persons.len();
        if let Some(wa_id) = &person.wa_id {
            self.by_wa_id.insert(wa_id.clone(), place);
        }
        if let Some(user_id) = &person.user_id {
            self.by_user_id.insert(user_id.clone(), place);
        }
        self.persons.push(person);
        place
    }

    /// Takes over what an update tells of its person: ids, and the names if it has some.
    fn learn(&mut self, place: usize, update: &ConversationMessage) {
        let who = update.who();
        if let Some(user_id) = who.user_id() {
            self.take_user_id(place, user_id.as_str());
        }
        if let Some(wa_id) = who.wa_id() {
            self.take_wa_id(place, wa_id.as_str());
        }
        let profile = update.profile();
        let person = &mut self.persons[place];
        for (known, told) in [
            (&mut person.name, &profile.name),
            (&mut person.username, &profile.username),
        ] {
            if told.is_some() && known != told {
                known.clone_from(told);
                self.changed.insert(place);
            }
        }
    }

    fn take_user_id(&mut self, place: usize, user_id: &str) {
        if self.persons[place].user_id.as_deref() == Some(user_id)
            || self.by_user_id.contains_key(user_id)
        {
            return;
        }
        if let Some(old) = self.persons[place].user_id.replace(user_id.to_owned()) {
            self.by_user_id.remove(&old);
            self.moved.insert(place);
        }
        self.by_user_id.insert(user_id.to_owned(), place);
        self.changed.insert(place);
    }

    fn take_wa_id(&mut self, place: usize, wa_id: &str) {
        if self.persons[place].wa_id.as_deref() == Some(wa_id) {
            return;
        }
        if let Some(&other) = self.by_wa_id.get(wa_id) {
            if self.persons[other].user_id.is_none() {
                // Nothing would be left to know the other one by; a later message finds the two
                // stored, and merges.
                return;
            }
            self.persons[other].wa_id = None;
            self.moved.insert(other);
        }
        if let Some(old) = self.persons[place].wa_id.replace(wa_id.to_owned()) {
            self.by_wa_id.remove(&old);
            self.moved.insert(place);
        }
        self.by_wa_id.insert(wa_id.to_owned(), place);
        self.changed.insert(place);
    }
}

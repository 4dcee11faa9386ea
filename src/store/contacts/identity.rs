//! Identity resolution: the contact of each update, be it known, new, renamed, moved to another
//! phone number, or two stored contacts that turn out to be one.
//!
//! Pure; [`super::lookup`] reads the database, [`mod@super::merge`] and [`mod@super::write`] change
//! it. A contact has one phone number, in any number of spellings, and one user id in each scope. A
//! scope is a business account: each portfolio of accounts has a user id of its own for the same
//! person. Within one scope a phone number can pass to another contact, a user id cannot, and a
//! contact gets a new user id with a new phone number (and a `system` message then reports it). See
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::message::{Identity, Profile, RecipientReport, UserId, WaId};

/// A row of `contacts` with its rows of `contact_phones` and `contact_user_ids`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::store) struct ContactRow {
    pub(in crate::store) id: i64,
    /// The spelling of the phone number that WhatsApp used last.
    pub(in crate::store) wa_id: Option<String>,
    pub(in crate::store) name: Option<String>,
    pub(in crate::store) username: Option<String>,
    /// Since when the contact refuses marketing; written by its own statements.
    pub(in crate::store) marketing_opted_out_ms: Option<i64>,
    /// Time of an opt-out at all numbers.
    pub(in crate::store) opted_out_ms: Option<i64>,
    /// Every spelling of the phone number.
    #[serde(default)]
    pub(super) phones: BTreeSet<String>,
    /// User ids by scope.
    #[serde(default)]
    pub(super) user_ids: BTreeMap<String, String>,
}

impl ContactRow {
    /// Phone number, and user id in a scope; one of another scope is better than none.
    pub(in crate::store) fn ids(&self, scope: &str) -> (Option<WaId>, Option<UserId>) {
        let user_id = self.user_ids.get(scope);
        let user_id = user_id.or_else(|| self.user_ids.values().next());
        let wa_id = self.wa_id.clone().and_then(WaId::parse);
        (wa_id, user_id.cloned().and_then(UserId::parse))
    }
}

/// Ids and names of a contact in one update.
#[derive(Clone, Copy)]
pub(in crate::store) struct Sighting<'a> {
    pub(in crate::store) identity: &'a Identity,
    /// Identity that the contact had before, if the update reports a change.
    pub(in crate::store) previous: Option<&'a Identity>,
    pub(in crate::store) profile: &'a Profile,
    /// Scope of the user ids.
    pub(in crate::store) scope: &'a str,
}

/// Two stored contacts that are one: `from` goes into `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::store) struct Merge {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Contacts of a batch.
pub(in crate::store) struct Contacts {
    /// The stored ones come first.
    rows: Vec<ContactRow>,
    stored: usize,
    last_id: i64,
    by_phone: HashMap<String, usize>,
    by_user_id: HashMap<String, usize>,
    /// Contacts that went into others.
    joined: BTreeMap<usize, usize>,
    changed: BTreeSet<usize>,
}

impl Contacts {
    /// Starts from stored contacts; new ones get the ids after `last_id`.
    pub(in crate::store) fn new(stored: Vec<ContactRow>, last_id: i64) -> Self {
        let mut contacts = Self {
            stored: stored.len(),
            rows: Vec::with_capacity(stored.len()),
            last_id,
            by_phone: HashMap::new(),
            by_user_id: HashMap::new(),
            joined: BTreeMap::new(),
            changed: BTreeSet::new(),
        };
        for row in stored {
            contacts.add(row);
        }
        contacts
    }

    /// Resolves the contact of an update, takes its ids and names, and returns its index.
    pub(in crate::store) fn see(&mut self, sighting: Sighting<'_>) -> usize {
        let Sighting {
            identity, scope, ..
        } = sighting;
        let user = identity.user_id().and_then(|id| self.user(id));
        let phone = identity.wa_id().and_then(|id| self.phone(id));
        let current = match (user, phone) {
            (Some(user), Some(phone)) if user != phone && self.are_one(user, phone, scope) => {
                Some(self.join(phone, user))
            }
            (None, Some(phone)) => {
                let reported = identity.user_id();
                (!self.is_given_away(phone, reported, scope)).then_some(phone)
            }
            (user, _) => user,
        };
        let before = sighting.previous.and_then(|before| {
            let user = before.user_id().and_then(|id| self.user(id));
            user.or_else(|| before.wa_id().and_then(|id| self.phone(id)))
        });
        let index = match (current, before) {
            // Known under the old ids, and has written under the new ones already.
            (Some(new), Some(old)) if new != old => self.join(new, old),
            (Some(index), _) | (None, Some(index)) => index,
            (None, None) => self.add_new(),
        };
        if let Some(user_id) = identity.user_id() {
            self.take_user_id(index, user_id, scope);
        }
        if let Some(wa_id) = identity.wa_id() {
            self.take_phone(index, wa_id);
        }
        self.take_names(index, sighting.profile);
        index
    }

    /// Finds the contact with an id, or adds one, and returns its index. A user id of a known contact
    /// says nothing about the scope.
    pub(in crate::store) fn find_or_add(&mut self, identity: &Identity, scope: &str) -> usize {
        let user = identity.user_id().and_then(|id| self.user(id));
        let phone = || identity.wa_id().and_then(|id| self.phone(id));
        user.or_else(phone).unwrap_or_else(|| {
            self.see(Sighting {
                identity,
                previous: None,
                profile: &Profile::default(),
                scope,
            })
        })
    }

    /// Takes what WhatsApp says of the recipient of a message, if that is a known contact.
    pub(in crate::store) fn hear(&mut self, report: &RecipientReport, scope: &str) {
        let (sent_to, reported) = (report.sent_to().identity(), report.reported());
        if let (Some(dialled), Some(wa_id)) = (sent_to.wa_id(), reported.wa_id()) {
            self.take_spelling(dialled, wa_id);
        }
        let user = sent_to.user_id().and_then(|id| self.user(id));
        let phone = || sent_to.wa_id().and_then(|id| self.phone(id));
        let wa_id = reported.wa_id().or(sent_to.wa_id()).cloned();
        let user_id = sent_to.user_id().or(reported.user_id()).cloned();
        let both = Identity::from_parts(wa_id, user_id);
        if let Some(identity @ Identity::Both(..)) = &both
            && user.or_else(phone).is_some()
        {
            self.see(Sighting {
                identity,
                previous: None,
                profile: &Profile::default(),
                scope,
            });
        }
    }

    /// Takes what a receipt says of the recipient of a message: both ids of a contact of which only
    /// one is known, or two contacts that have one id each. A receipt speaks of the past, so it moves
    /// no phone number and replaces no id.
    pub(in crate::store) fn complete(&mut self, wa_id: &WaId, user_id: &UserId, scope: &str) {
        let index = match (self.user(user_id), self.phone(wa_id)) {
            (Some(user), Some(phone)) if user == phone => user,
            (Some(user), Some(phone))
                if self.rows[user].phones.is_empty() && self.are_one(user, phone, scope) =>
            {
                self.join(phone, user)
            }
            (Some(user), None) if self.rows[user].phones.is_empty() => {
                self.take_phone(user, wa_id);
                user
            }
            (None, Some(phone)) => phone,
            _ => return,
        };
        if !self.rows[index].user_ids.contains_key(scope) {
            self.take_user_id(index, user_id, scope);
        }
    }

    /// The contact with an index; one that went into another is that other.
    pub(in crate::store) fn get(&self, mut index: usize) -> &ContactRow {
        while let Some(joined) = self.joined.get(&index) {
            index = *joined;
        }
        &self.rows[index]
    }

    /// New contacts, and those that changed.
    pub(in crate::store) fn changed(&self) -> Vec<ContactRow> {
        let changed = self.changed.iter().map(|index| self.rows[*index].clone());
        changed.collect()
    }

    /// Stored contacts that turned out to be one.
    pub(in crate::store) fn merges(&self) -> Vec<Merge> {
        let stored = self.joined.keys().filter(|index| **index < self.stored);
        let merge = |index: &usize| Merge {
            from: self.rows[*index].id,
            to: self.get(*index).id,
        };
        stored.map(merge).collect()
    }

    fn user(&self, id: &UserId) -> Option<usize> {
        self.by_user_id.get(id.as_str()).copied()
    }

    fn phone(&self, id: &WaId) -> Option<usize> {
        let index = |id: WaId| self.by_phone.get(id.as_str()).copied();
        id.spellings().find_map(index)
    }

    /// Whether an update of a scope with the user id of one contact and the phone number of another
    /// one shows that they are one.
    fn are_one(&self, user: usize, phone: usize, scope: &str) -> bool {
        let (user, phone) = (&self.rows[user], &self.rows[phone]);
        let is_shared = |other: &String| other == scope || user.user_ids.contains_key(other);
        // Two user ids in one scope are two persons: the number was given away. A contact who is
        // known by another number changed it; but nobody may be left without any id.
        !phone.user_ids.keys().any(is_shared)
            && (phone.user_ids.is_empty() || user.phones.is_empty())
    }

    /// Whether the phone number of a contact comes with another user id of the same scope. One of
    /// another scope is one more user id of the same person.
    fn is_given_away(&self, phone: usize, reported: Option<&UserId>, scope: &str) -> bool {
        let stored = self.rows[phone].user_ids.get(scope).map(String::as_str);
        stored.is_some() && reported.is_some() && stored != reported.map(UserId::as_str)
    }

    /// Adds a contact without ids and returns its index.
    fn add_new(&mut self) -> usize {
        self.last_id += 1;
        let index = self.add(ContactRow {
            id: self.last_id,
            ..ContactRow::default()
        });
        self.changed.insert(index);
        index
    }

    fn add(&mut self, contact: ContactRow) -> usize {
        let index = self.rows.len();
        for phone in &contact.phones {
            self.by_phone.insert(phone.clone(), index);
        }
        for user_id in contact.user_ids.values() {
            self.by_user_id.insert(user_id.clone(), index);
        }
        self.rows.push(contact);
        index
    }

    /// Makes two contacts one, in which the ids of the newer one hold, and returns its index.
    fn join(&mut self, newer: usize, older: usize) -> usize {
        // A stored contact stays rather than a new one: its conversations name it.
        let (gone, kept) = if newer < self.stored && older >= self.stored {
            (older, newer)
        } else {
            (newer, older)
        };
        let (new, old) = (self.rows[newer].clone(), self.rows[older].clone());
        let mut user_ids = old.user_ids;
        user_ids.extend(new.user_ids);
        let (phones, wa_id) = if new.phones.is_empty() {
            (old.phones, old.wa_id)
        } else {
            (new.phones, new.wa_id)
        };
        self.by_phone
            .retain(|_, index| *index != gone && *index != kept);
        self.by_user_id
            .retain(|_, index| *index != gone && *index != kept);
        self.by_phone
            .extend(phones.iter().map(|phone| (phone.clone(), kept)));
        self.by_user_id
            .extend(user_ids.values().map(|id| (id.clone(), kept)));
        let row = &mut self.rows[kept];
        *row = ContactRow {
            id: row.id,
            wa_id,
            name: old.name.or(new.name),
            username: old.username.or(new.username),
            marketing_opted_out_ms: old.marketing_opted_out_ms.or(new.marketing_opted_out_ms),
            opted_out_ms: old.opted_out_ms.or(new.opted_out_ms),
            phones,
            user_ids,
        };
        self.joined.insert(gone, kept);
        self.changed.remove(&gone);
        self.changed.insert(kept);
        kept
    }

    fn take_user_id(&mut self, index: usize, user_id: &UserId, scope: &str) {
        let id = user_id.as_str();
        let user_ids = &mut self.rows[index].user_ids;
        if user_ids.get(scope).is_some_and(|stored| stored == id) {
            return;
        }
        let replaced = user_ids.insert(scope.to_owned(), id.to_owned());
        if let Some(replaced) = replaced {
            // The id that is no longer valid leaves every account of its portfolio.
            user_ids.retain(|_, stored| *stored != replaced);
            self.by_user_id.remove(&replaced);
        }
        self.by_user_id.insert(id.to_owned(), index);
        self.changed.insert(index);
    }

    /// Gives a contact the phone number, which another contact may have had.
    fn take_phone(&mut self, index: usize, wa_id: &WaId) {
        let spelling = Some(wa_id.as_str());
        let current = self.phone(wa_id);
        if current == Some(index) {
            if self.rows[index].wa_id.as_deref() != spelling {
                self.rows[index].wa_id = spelling.map(str::to_owned);
                self.changed.insert(index);
            }
            return;
        }
        let mut phones: BTreeSet<String> = match current {
            // The number goes with every spelling of it; a contact that loses it has a user id.
            Some(holder) => {
                self.changed.insert(holder);
                self.rows[holder].wa_id = None;
                std::mem::take(&mut self.rows[holder].phones)
            }
            None => BTreeSet::new(),
        };
        phones.extend(wa_id.spellings().map(|id| id.as_str().to_owned()));
        for old in &self.rows[index].phones {
            self.by_phone.remove(old);
        }
        for new in &phones {
            self.by_phone.insert(new.clone(), index);
        }
        self.rows[index].phones = phones;
        self.rows[index].wa_id = spelling.map(str::to_owned);
        self.changed.insert(index);
    }

    /// Takes the spelling by which WhatsApp knows a number that was dialled in another one. Who is
    /// known by one of the two is from then on known by both.
    pub(in crate::store) fn take_spelling(&mut self, dialled: &WaId, wa_id: &WaId) {
        let spellings = dialled.spellings().chain(wa_id.spellings());
        let mut phones: BTreeSet<String> = spellings.map(|id| id.as_str().to_owned()).collect();
        let index = match (self.phone(dialled), self.phone(wa_id)) {
            (None, None) => return,
            (Some(first), Some(second)) if first != second => {
                phones.extend(self.rows[first].phones.iter().cloned());
                phones.extend(self.rows[second].phones.iter().cloned());
                self.join(second, first)
            }
            (Some(index), _) | (None, Some(index)) => index,
        };
        let row = &mut self.rows[index];
        phones.extend(row.phones.iter().cloned());
        if row.phones == phones && row.wa_id.as_deref() == Some(wa_id.as_str()) {
            return;
        }
        for phone in &phones {
            self.by_phone.insert(phone.clone(), index);
        }
        row.phones = phones;
        row.wa_id = Some(wa_id.as_str().to_owned());
        self.changed.insert(index);
    }

    fn take_names(&mut self, index: usize, profile: &Profile) {
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
}

//! A webhook's body, taken apart into updates before any of them is understood.
//!
//! [`read`] never fails and never looks at the whole: each update is cut out as raw JSON first, so
//! that a bad one becomes [`Event::Unreadable`] and its neighbours go on. Only a body that holds
//! far more than Meta sends (`bounds.rs`) becomes one such event in one piece. It does not check
//! who sent the body ([`super::signature`] has) and does not know what was seen before (the store
//! does). Next on the way of a message: `self::update`.

mod account_summary;
mod content;
mod raw_json;
mod sender;
mod update;

use std::fmt;

use jiff::Timestamp;
use serde_json::value::RawValue;

use self::raw_json::{Object, Wrong, elements};
use self::sender::{Card, identity};
use super::bounds::{MOST_CARDS, MOST_UPDATES, MOST_VALUES, has_more_values};
use crate::message::{
    AccountEvent, Consent, Echo, Event, Inbound, Marketing, PhoneNumberId, Unreadable, is_id,
};

/// Ids of numbers are about 16 digits.
const LONGEST_PHONE_NUMBER_ID_BYTES: usize = 64;
/// So are ids of accounts.
const LONGEST_ACCOUNT_ID_BYTES: usize = 64;
/// Names of fields are words joined by underscores.
const LONGEST_FIELD_BYTES: usize = 128;

/// Reads one body into events, in the order they stand in it.
///
/// Only elements of `messages[]` under field `messages` become [`Event::Message`], and only those
/// of `message_echoes[]` under `smb_message_echoes` an [`Event::Echo`]. The same id may come twice.
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
#[must_use]
pub fn read(body: &[u8]) -> Vec<Event> {
    let mut reader = Reader::default();
    let whole = |reason: &str| vec![Event::Unreadable(unreadable(body, None, reason.to_owned()))];
    if has_more_values(body, MOST_VALUES) {
        return whole(&format!(
            "the body holds more than {MOST_VALUES} JSON values"
        ));
    }
    let Some(envelope) = Object::from_bytes(body) else {
        return whole("the body is not a JSON object");
    };
    if envelope.get("entry").is_none() {
        return whole("`entry` is missing");
    }
    for (index, entry) in reader.elements_of(&envelope, "entry", Place::Body, None) {
        reader.entry(entry, index);
    }
    match reader.excess {
        // What was read of it is dropped: half a body is not decided.
        Some(excess) => whole(&excess.to_string()),
        None => reader.events,
    }
}

/// What a body holds too much of.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Excess {
    #[error("the body holds more than {MOST_UPDATES} updates")]
    Updates,
    #[error("the body holds more than {MOST_CARDS} contacts for one number")]
    Cards,
}

/// Reads again what was kept of a message: one element of `messages[]` as it came. Who the person
/// is called stands beside it and is not there.
#[must_use]
pub fn read_message(raw: &str, number: &PhoneNumberId) -> Option<Box<Inbound>> {
    let raw: &RawValue = serde_json::from_str(raw).ok()?;
    match update::message(raw, number, &[]).ok()? {
        Event::Message(message) => Some(message),
        _ => None,
    }
}

/// The same for a message that a colleague wrote: one element of `message_echoes[]`.
#[must_use]
pub fn read_echo(raw: &str, number: &PhoneNumberId) -> Option<Box<Echo>> {
    let raw: &RawValue = serde_json::from_str(raw).ok()?;
    match update::echo(raw, number, &[]).ok()? {
        Event::Echo(echo) => Some(echo),
        _ => None,
    }
}

#[derive(Default)]
struct Reader {
    events: Vec<Event>,
    /// Set once the body has turned out to hold too much; from then on nothing more is read.
    excess: Option<Excess>,
    /// Of the entry that is read.
    head: Head,
}

/// What an entry says about all its changes.
#[derive(Default)]
struct Head {
    waba_id: Option<String>,
    told_at: Option<Timestamp>,
}

impl Head {
    fn new(entry: &Object<'_>) -> Self {
        let time: Option<i64> = entry.number("time").ok();
        Self {
            waba_id: entry.id("id", LONGEST_ACCOUNT_ID_BYTES).ok().flatten(),
            told_at: time.and_then(update::time),
        }
    }
}

/// Where in the body something is, for the reason in the quarantine.
#[derive(Clone, Copy)]
enum Place {
    Body,
    Entry(usize),
    Change(usize, usize),
    Value(usize, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("body"),
            Self::Entry(entry) => write!(f, "entry[{entry}]"),
            Self::Change(entry, change) => write!(f, "entry[{entry}].changes[{change}]"),
            Self::Value(entry, change) => write!(f, "entry[{entry}].changes[{change}].value"),
        }
    }
}

/// What all updates of one `value` share.
struct Shared {
    place: Place,
    number: PhoneNumberId,
    cards: Vec<Card>,
}

impl Reader {
    fn entry(&mut self, raw: &RawValue, index: usize) {
        let place = Place::Entry(index);
        let Some(entry) = Object::from_raw(raw) else {
            return self.refuse(raw, None, format!("{place} is not an object"));
        };
        if entry.get("changes").is_none() {
            return self.refuse(raw, None, format!("{place}: `changes` is missing"));
        }
        self.head = Head::new(&entry);
        for (change, raw) in self.elements_of(&entry, "changes", place, None) {
            if let Err(wrong) = self.change(raw, index, change) {
                let place = Place::Change(index, change);
                self.refuse(raw, None, format!("{place}: {wrong}"));
            }
        }
    }

    fn change(&mut self, raw: &RawValue, entry: usize, change: usize) -> Result<(), Wrong> {
        let object =
            Object::from_raw(raw).ok_or_else(|| Wrong::new("change", "is not an object"))?;
        let field = object
            .id("field", LONGEST_FIELD_BYTES)?
            .ok_or_else(|| Wrong::new("field", "is missing"))?;
        let raw_value = object
            .get("value")
            .ok_or_else(|| Wrong::new("value", "is missing"))?;
        let value = Object::from_raw(raw_value);
        let place = Place::Value(entry, change);
        match (field.as_str(), value) {
            ("messages", Some(value)) => self.messages(&value, raw_value, place),
            ("messages", None) => return Err(Wrong::new("value", "is not an object")),
            ("smb_message_echoes", Some(value)) if value.get("message_echoes").is_some() => {
                self.echoes(&value, raw_value, place);
            }
            ("user_preferences", Some(value)) if value.get("user_preferences").is_some() => {
                self.preferences(&value, place);
            }
            (_, value) => {
                let number = value.and_then(|value| phone_number_id(&value).ok());
                self.account(&field, number, raw_value);
            }
        }
        Ok(())
    }

    /// Field `messages`: messages, receipts and errors, all of one number.
    fn messages(&mut self, value: &Object<'_>, raw: &RawValue, place: Place) {
        let number = phone_number_id(value);
        let has = |name| value.get(name).is_some();
        if !has("messages") && !has("statuses") && !has("errors") {
            return self.account("messages", number.ok(), raw);
        }
        for (_, error) in self.elements_of(value, "errors", place, number.as_ref().ok()) {
            self.account("messages/errors", number.as_ref().ok().cloned(), error);
        }
        if !has("messages") && !has("statuses") {
            return;
        }
        let number = match number {
            Ok(number) => number,
            Err(wrong) => return self.refuse(raw, None, format!("{place}: {wrong}")),
        };
        let Some(shared) = self.shared(value, place, number) else {
            return;
        };
        self.updates(value, "messages", &shared, |raw| {
            update::message(raw, &shared.number, &shared.cards)
        });
        self.updates(value, "statuses", &shared, |raw| {
            update::receipt(raw, &shared.number)
        });
    }

    /// Field `smb_message_echoes`: what colleagues wrote from the phone app.
    fn echoes(&mut self, value: &Object<'_>, raw: &RawValue, place: Place) {
        let number = match phone_number_id(value) {
            Ok(number) => number,
            Err(wrong) => return self.refuse(raw, None, format!("{place}: {wrong}")),
        };
        let Some(shared) = self.shared(value, place, number) else {
            return;
        };
        self.updates(value, "message_echoes", &shared, |raw| {
            update::echo(raw, &shared.number, &shared.cards)
        });
    }

    /// Field `user_preferences`: who wants no marketing any more, or wants it again.
    fn preferences(&mut self, value: &Object<'_>, place: Place) {
        const FIELD: &str = "user_preferences";
        let number = phone_number_id(value).ok();
        for (_, raw) in self.elements_of(value, FIELD, place, number.as_ref()) {
            let consent = Object::from_raw(raw).and_then(|object| {
                let who = identity(
                    object.optional_text("wa_id"),
                    object.optional_text("user_id"),
                )?;
                let marketing = match object.optional_text("value")?.as_str() {
                    "stop" => Marketing::Stop,
                    "resume" => Marketing::Resume,
                    _ => return None,
                };
                Some(Consent { who, marketing })
            });
            self.push(Event::Account(AccountEvent {
                consent,
                ..self.account_event(FIELD, number.clone(), raw)
            }));
        }
    }

    fn updates(
        &mut self,
        value: &Object<'_>,
        name: &str,
        shared: &Shared,
        read: impl Fn(&RawValue) -> Result<Event, Wrong>,
    ) {
        let Shared { place, number, .. } = shared;
        for (index, raw) in self.elements_of(value, name, *place, Some(number)) {
            match read(raw) {
                Ok(event) => self.push(event),
                Err(wrong) => {
                    let reason = format!("{place}.{name}[{index}]: {wrong}");
                    self.refuse(raw, Some(number), reason);
                }
            }
        }
    }

    /// The elements of every array of that name; what is not an array goes to the quarantine. None
    /// when they are too many for one body, or the body was too much already.
    fn elements_of<'a>(
        &mut self,
        object: &Object<'a>,
        name: &str,
        place: Place,
        number: Option<&PhoneNumberId>,
    ) -> Vec<(usize, &'a RawValue)> {
        let mut listed = Vec::new();
        if self.excess.is_some() {
            return listed;
        }
        for raw in object.get_all(name) {
            if let Some(elements) = elements(raw) {
                let first = listed.len();
                listed.extend((first..).zip(elements));
            } else {
                let reason = format!("{place}: `{name}` is not an array");
                self.refuse(raw, number, reason);
            }
        }
        if listed.len() > MOST_UPDATES {
            self.excess.get_or_insert(Excess::Updates);
            listed.clear();
        }
        listed
    }

    /// What the updates of one `value` share; `None` when its cards are too many.
    fn shared(
        &mut self,
        value: &Object<'_>,
        place: Place,
        number: PhoneNumberId,
    ) -> Option<Shared> {
        let cards: Vec<&RawValue> = value
            .get_all("contacts")
            .filter_map(elements)
            .flatten()
            .collect();
        if cards.len() > MOST_CARDS {
            self.excess.get_or_insert(Excess::Cards);
            return None;
        }
        Some(Shared {
            place,
            number,
            cards: cards.into_iter().filter_map(Card::read).collect(),
        })
    }

    /// Every event comes by here, so that there are never more than a body may hold.
    fn push(&mut self, event: Event) {
        if self.events.len() < MOST_UPDATES {
            self.events.push(event);
        } else {
            self.excess.get_or_insert(Excess::Updates);
        }
    }

    fn account(&mut self, field: &str, number: Option<PhoneNumberId>, raw: &RawValue) {
        let event = self.account_event(field, number, raw);
        self.push(Event::Account(event));
    }

    fn account_event(
        &self,
        field: &str,
        number: Option<PhoneNumberId>,
        raw: &RawValue,
    ) -> AccountEvent {
        AccountEvent {
            summary: account_summary::summary(field, raw.get()),
            field: field.to_owned(),
            phone_number_id: number,
            waba_id: self.head.waba_id.clone(),
            told_at: self.head.told_at,
            consent: None,
            raw: raw.get().to_owned(),
        }
    }

    fn refuse(&mut self, raw: &RawValue, number: Option<&PhoneNumberId>, reason: String) {
        let bytes = raw.get().as_bytes();
        self.push(Event::Unreadable(unreadable(bytes, number, reason)));
    }
}

fn unreadable(raw: &[u8], number: Option<&PhoneNumberId>, reason: String) -> Unreadable {
    Unreadable {
        phone_number_id: number.cloned(),
        reason,
        raw: raw.to_owned(),
    }
}

fn phone_number_id(value: &Object<'_>) -> Result<PhoneNumberId, Wrong> {
    let metadata = value.object("metadata")?;
    metadata
        .id("phone_number_id", LONGEST_PHONE_NUMBER_ID_BYTES)
        .and_then(|id| {
            let id = id.ok_or_else(|| Wrong::new("phone_number_id", "is missing"))?;
            // It becomes a part of the address that replies are sent to.
            Some(id)
                .filter(|id| is_id(id))
                .and_then(PhoneNumberId::parse)
                .ok_or_else(|| Wrong::new("phone_number_id", "holds characters that no id has"))
        })
        .map_err(|wrong| wrong.within("metadata"))
}

#[cfg(test)]
mod tests;

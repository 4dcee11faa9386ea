//! Splits a webhook's body into updates before any of them is interpreted.
//!
//! [`read`] never fails: each update is cut out as raw JSON first, so that a malformed one becomes
//! [`Event::Unreadable`] and the others are read. Only a body that exceeds the bounds in
//! `bounds.rs` becomes one such event as a whole. The sender is authenticated before
//! ([`super::signature`]), duplicates are found later (by the store). Next on the way of a message:
//! `self::update`.

mod account_summary;
mod content;
mod raw_json;
mod sender;
mod update;

use std::fmt;

use jiff::Timestamp;
use serde_json::value::RawValue;

use self::raw_json::{FieldError, Object, elements};
use self::sender::{Card, identity};
use super::bounds::{CARDS_MAX, UPDATES_MAX, VALUES_MAX, has_more_values};
use crate::message::{
    AccountEvent, Consent, Echo, Event, Inbound, Marketing, PhoneNumberId, Unreadable, is_id,
};

/// Upper bound of the ids of numbers and accounts, which have about 16 digits.
const ID_MAX_BYTES: usize = 64;
/// Upper bound of the names of fields, which are words joined by underscores.
const FIELD_MAX_BYTES: usize = 128;

/// Reads one body into events, in the order of their updates.
///
/// Only elements of `messages[]` under field `messages` become [`Event::Message`], and only those
/// of `message_echoes[]` under `smb_message_echoes` become [`Event::Echo`]. The same id may occur
/// twice. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
#[must_use]
pub fn read(body: &[u8]) -> Vec<Event> {
    let mut reader = Reader::default();
    let whole = |reason: &str| vec![Event::Unreadable(unreadable(body, None, reason.to_owned()))];
    if has_more_values(body, VALUES_MAX) {
        return whole(&format!(
            "the body holds more than {VALUES_MAX} JSON values"
        ));
    }
    let Some(envelope) = Object::from_bytes(body) else {
        return whole("the body is not a JSON object");
    };
    if envelope.get("entry").is_none() {
        return whole("`entry` is missing");
    }
    for (index, entry) in reader.elements_of(&envelope, "entry", JsonPath::Body, None) {
        reader.entry(entry, index);
    }
    match reader.excess {
        // Drops the events read so far: no part of a body is decided without the rest.
        Some(excess) => whole(&excess.to_string()),
        None => reader.events,
    }
}

/// Contents of which a body has too many.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Excess {
    #[error("the body holds more than {UPDATES_MAX} updates")]
    Updates,
    #[error("the body holds more than {CARDS_MAX} contacts for one number")]
    Cards,
}

/// Reads a stored message again: one element of `messages[]`, as received. It lacks the contact's
/// profile, which Meta sends beside it.
#[must_use]
pub fn read_message(raw: &str, number: &PhoneNumberId) -> Option<Box<Inbound>> {
    let raw: &RawValue = serde_json::from_str(raw).ok()?;
    match update::message(raw, number, &[], None).ok()? {
        Event::Message(message) => Some(message),
        _ => None,
    }
}

/// Reads a stored echo again: one element of `message_echoes[]`, as received.
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
    /// Set as soon as the body turns out to exceed a bound; nothing more is read then.
    excess: Option<Excess>,
    /// Common data of the current entry.
    head: EntryHead,
}

/// Data of an entry that applies to all its changes.
#[derive(Default)]
struct EntryHead {
    waba_id: Option<String>,
    sent_at: Option<Timestamp>,
}

impl EntryHead {
    fn new(entry: &Object<'_>) -> Self {
        let time: Option<i64> = entry.number("time").ok();
        Self {
            waba_id: entry.id("id", ID_MAX_BYTES).ok().flatten(),
            sent_at: time.and_then(update::time),
        }
    }
}

/// Position in the body, for the reason in the quarantine.
#[derive(Clone, Copy)]
enum JsonPath {
    Body,
    Entry(usize),
    Change(usize, usize),
    Value(usize, usize),
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("body"),
            Self::Entry(entry) => write!(f, "entry[{entry}]"),
            Self::Change(entry, change) => write!(f, "entry[{entry}].changes[{change}]"),
            Self::Value(entry, change) => write!(f, "entry[{entry}].changes[{change}].value"),
        }
    }
}

/// Data that all updates of one `value` share.
struct Shared {
    path: JsonPath,
    number: PhoneNumberId,
    /// The number itself, as `metadata` shows it.
    display_phone_number: Option<String>,
    cards: Vec<Card>,
}

impl Reader {
    fn entry(&mut self, raw: &RawValue, index: usize) {
        let path = JsonPath::Entry(index);
        let Some(entry) = Object::from_raw(raw) else {
            return self.refuse(raw, None, format!("{path} is not an object"));
        };
        if entry.get("changes").is_none() {
            return self.refuse(raw, None, format!("{path}: `changes` is missing"));
        }
        self.head = EntryHead::new(&entry);
        for (change, raw) in self.elements_of(&entry, "changes", path, None) {
            if let Err(error) = self.change(raw, index, change) {
                let path = JsonPath::Change(index, change);
                self.refuse(raw, None, format!("{path}: {error}"));
            }
        }
    }

    fn change(&mut self, raw: &RawValue, entry: usize, change: usize) -> Result<(), FieldError> {
        let object =
            Object::from_raw(raw).ok_or_else(|| FieldError::new("change", "is not an object"))?;
        let field = object
            .id("field", FIELD_MAX_BYTES)?
            .ok_or_else(|| FieldError::new("field", "is missing"))?;
        let raw_value = object
            .get("value")
            .ok_or_else(|| FieldError::new("value", "is missing"))?;
        let value = Object::from_raw(raw_value);
        let path = JsonPath::Value(entry, change);
        match (field.as_str(), value) {
            ("messages", Some(value)) => self.messages(&value, raw_value, path),
            ("messages", None) => return Err(FieldError::new("value", "is not an object")),
            ("smb_message_echoes", Some(value)) if value.get("message_echoes").is_some() => {
                self.echoes(&value, raw_value, path);
            }
            ("user_preferences", Some(value)) if value.get("user_preferences").is_some() => {
                self.preferences(&value, path);
            }
            (_, value) => {
                let number = value.and_then(|value| phone_number_id(&value).ok());
                self.account(&field, number, raw_value);
            }
        }
        Ok(())
    }

    /// Reads field `messages`: messages, receipts and errors of one number.
    fn messages(&mut self, value: &Object<'_>, raw: &RawValue, path: JsonPath) {
        let number = phone_number_id(value);
        let has = |name| value.get(name).is_some();
        if !has("messages") && !has("statuses") && !has("errors") {
            return self.account("messages", number.ok(), raw);
        }
        for (_, error) in self.elements_of(value, "errors", path, number.as_ref().ok()) {
            self.account("messages/errors", number.as_ref().ok().cloned(), error);
        }
        if !has("messages") && !has("statuses") {
            return;
        }
        let number = match number {
            Ok(number) => number,
            Err(error) => return self.refuse(raw, None, format!("{path}: {error}")),
        };
        let Some(shared) = self.shared(value, path, number) else {
            return;
        };
        self.updates(value, "messages", &shared, |raw| {
            let display = shared.display_phone_number.as_deref();
            update::message(raw, &shared.number, &shared.cards, display)
        });
        self.updates(value, "statuses", &shared, |raw| {
            update::receipt(raw, &shared.number)
        });
    }

    /// Reads field `smb_message_echoes`: messages that colleagues sent from the phone app.
    fn echoes(&mut self, value: &Object<'_>, raw: &RawValue, path: JsonPath) {
        let number = match phone_number_id(value) {
            Ok(number) => number,
            Err(error) => return self.refuse(raw, None, format!("{path}: {error}")),
        };
        let Some(shared) = self.shared(value, path, number) else {
            return;
        };
        self.updates(value, "message_echoes", &shared, |raw| {
            update::echo(raw, &shared.number, &shared.cards)
        });
    }

    /// Reads field `user_preferences`: contacts that stop or resume marketing messages.
    fn preferences(&mut self, value: &Object<'_>, path: JsonPath) {
        const FIELD: &str = "user_preferences";
        let number = phone_number_id(value).ok();
        for (_, raw) in self.elements_of(value, FIELD, path, number.as_ref()) {
            let consent = Object::from_raw(raw).and_then(|object| {
                let contact = identity(
                    object.optional_text("wa_id"),
                    object.optional_text("user_id"),
                )?;
                let marketing = match object.optional_text("value")?.as_str() {
                    "stop" => Marketing::Stop,
                    "resume" => Marketing::Resume,
                    _ => return None,
                };
                Some(Consent { contact, marketing })
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
        read: impl Fn(&RawValue) -> Result<Event, FieldError>,
    ) {
        let Shared { path, number, .. } = shared;
        for (index, raw) in self.elements_of(value, name, *path, Some(number)) {
            match read(raw) {
                Ok(event) => self.push(event),
                Err(error) => {
                    let reason = format!("{path}.{name}[{index}]: {error}");
                    self.refuse(raw, Some(number), reason);
                }
            }
        }
    }

    /// Returns the elements of every array of this name; values that are not arrays are
    /// quarantined. Empty when the elements are too many for one body, or the body already exceeds
    /// a bound.
    fn elements_of<'a>(
        &mut self,
        object: &Object<'a>,
        name: &str,
        path: JsonPath,
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
                let reason = format!("{path}: `{name}` is not an array");
                self.refuse(raw, number, reason);
            }
        }
        if listed.len() > UPDATES_MAX {
            self.excess.get_or_insert(Excess::Updates);
            listed.clear();
        }
        listed
    }

    /// Reads the data that the updates of one `value` share; `None` when it has too many cards.
    fn shared(
        &mut self,
        value: &Object<'_>,
        path: JsonPath,
        number: PhoneNumberId,
    ) -> Option<Shared> {
        let cards: Vec<&RawValue> = value
            .get_all("contacts")
            .filter_map(elements)
            .flatten()
            .collect();
        if cards.len() > CARDS_MAX {
            self.excess.get_or_insert(Excess::Cards);
            return None;
        }
        let metadata = value.optional_object("metadata");
        Some(Shared {
            path,
            number,
            display_phone_number: metadata.and_then(|it| it.optional_text("display_phone_number")),
            cards: cards.into_iter().filter_map(Card::read).collect(),
        })
    }

    /// Adds an event, unless the body would exceed its bound of updates.
    fn push(&mut self, event: Event) {
        if self.events.len() < UPDATES_MAX {
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
            sent_at: self.head.sent_at,
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

fn phone_number_id(value: &Object<'_>) -> Result<PhoneNumberId, FieldError> {
    let metadata = value.object("metadata")?;
    metadata
        .id("phone_number_id", ID_MAX_BYTES)
        .and_then(|id| {
            let id = id.ok_or_else(|| FieldError::new("phone_number_id", "is missing"))?;
            // The id becomes part of the address that replies are sent to.
            Some(id)
                .filter(|id| is_id(id))
                .and_then(PhoneNumberId::parse)
                .ok_or_else(|| {
                    FieldError::new("phone_number_id", "holds characters that no id has")
                })
        })
        .map_err(|error| error.within("metadata"))
}

#[cfg(test)]
mod tests;

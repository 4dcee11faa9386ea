//! Splits a webhook's body into updates before any of them is interpreted.
//!
//! [`read`] never fails: each update is cut out as raw JSON first, so that a malformed one becomes
//! [`Event::Unreadable`] and the others are read. Only a body that exceeds the bounds in
//! `bounds.rs` becomes one such event as a whole. The sender is authenticated before
//! ([`super::signature`]), duplicates are found later (by the store). Next on the way of a message:
//! `self::update`.

mod account_summary;
mod content;
mod leftovers;
mod sender;
mod update;

use std::fmt;

use jiff::Timestamp;
use serde_json::value::RawValue;

use self::leftovers::{Leftover, Names, leftovers};
use self::sender::{Card, identity};
use super::bounds::{CARDS_MAX, UPDATES_MAX, VALUES_MAX, has_more_values};
use super::raw_json::{FIELD_MAX_BYTES, FieldError, ID_MAX_BYTES, Object, elements};
use crate::message::{
    AccountEvent, Consent, Echo, Event, Inbound, Marketing, PhoneNumberId, Unreadable, is_id,
};

/// Reads one body into events, in the order of their updates.
///
/// Only elements of `messages[]` under field `messages` become [`Event::Message`], and only those
/// of `message_echoes[]` there and under `smb_message_echoes` become [`Event::Echo`]. Whatever else
/// the body holds becomes an [`Event::Account`]. The same id may occur twice. Updates without a
/// readable time have that of arrival. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
#[must_use]
pub fn read(body: &[u8], received_at: Timestamp) -> Vec<Event> {
    let mut reader = Reader {
        received_at,
        events: Vec::new(),
        excess: None,
        head: EntryHead::default(),
    };
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
    reader.head = EntryHead::default();
    reader.keep("webhook", leftovers(&envelope, &leftovers::BODY), None);
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

/// Reads a stored message again: one element of `messages[]`, as received, with the time that was
/// stored for it. It lacks the contact's profile, which Meta sends beside it.
#[must_use]
pub fn read_message(raw: &str, number: &PhoneNumberId, sent_at: Timestamp) -> Option<Box<Inbound>> {
    let raw: &RawValue = serde_json::from_str(raw).ok()?;
    match update::message(raw, number, &[], None, sent_at).ok()? {
        Event::Message(message) => Some(message),
        _ => None,
    }
}

/// Reads a stored echo again: one element of `message_echoes[]`, as received, with the time that was
/// stored for it.
#[must_use]
pub fn read_echo(raw: &str, number: &PhoneNumberId, sent_at: Timestamp) -> Option<Box<Echo>> {
    let raw: &RawValue = serde_json::from_str(raw).ok()?;
    match update::echo(raw, number, &[], sent_at).ok()? {
        Event::Echo(echo) => Some(echo),
        _ => None,
    }
}

struct Reader {
    /// Stands in for unreadable times of updates.
    received_at: Timestamp,
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
struct Shared<'a> {
    path: JsonPath,
    number: PhoneNumberId,
    /// The number itself, as `metadata` shows it.
    display_phone_number: Option<String>,
    cards: Vec<Card<'a>>,
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
        self.keep("entry", leftovers(&entry, &leftovers::ENTRY), None);
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
        let raw_value = object
            .get("value")
            .ok_or_else(|| FieldError::new("value", "is missing"))?;
        let value = Object::from_raw(raw_value);
        let field = field(&object, value.as_ref())?;
        self.keep("change", leftovers(&object, &leftovers::CHANGE), None);
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

    /// Reads field `messages`: messages, receipts and errors of one number, and echoes, which Meta
    /// documents only in a field of their own.
    fn messages(&mut self, value: &Object<'_>, raw: &RawValue, path: JsonPath) {
        const FIELD: &str = "messages";
        let number = phone_number_id(value);
        let has = |name: &&str| value.get(name).is_some();
        let has_updates = ["messages", "statuses", "message_echoes"].iter().any(has);
        if !has_updates && !has(&"errors") {
            return self.account(FIELD, number.ok(), raw);
        }
        for (_, error) in self.elements_of(value, "errors", path, number.as_ref().ok()) {
            self.account("messages/errors", number.as_ref().ok().cloned(), error);
        }
        if !has_updates {
            return self.keep_value(FIELD, value, &leftovers::ERRORS, number.ok().as_ref());
        }
        let number = match number {
            Ok(number) => number,
            Err(error) => return self.refuse(raw, None, format!("{path}: {error}")),
        };
        let Some(shared) = self.shared(value, path, number) else {
            return;
        };
        let received_at = self.received_at;
        self.updates(value, "messages", &shared, |raw| {
            let display = shared.display_phone_number.as_deref();
            update::message(raw, &shared.number, &shared.cards, display, received_at)
        });
        self.updates(value, "statuses", &shared, |raw| {
            update::receipt(raw, &shared.number, &shared.cards, received_at)
        });
        self.updates(value, "message_echoes", &shared, |raw| {
            update::echo(raw, &shared.number, &shared.cards, received_at)
        });
        self.keep_cards(FIELD, &shared);
        self.keep_value(FIELD, value, &leftovers::MESSAGES, Some(&shared.number));
    }

    /// Reads field `smb_message_echoes`: messages that colleagues sent from the phone app.
    fn echoes(&mut self, value: &Object<'_>, raw: &RawValue, path: JsonPath) {
        const FIELD: &str = "smb_message_echoes";
        let number = match phone_number_id(value) {
            Ok(number) => number,
            Err(error) => return self.refuse(raw, None, format!("{path}: {error}")),
        };
        let Some(shared) = self.shared(value, path, number) else {
            return;
        };
        let received_at = self.received_at;
        self.updates(value, "message_echoes", &shared, |raw| {
            update::echo(raw, &shared.number, &shared.cards, received_at)
        });
        self.keep_cards(FIELD, &shared);
        self.keep_value(FIELD, value, &leftovers::ECHOES, Some(&shared.number));
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
        self.keep_value(FIELD, value, &leftovers::PREFERENCES, number.as_ref());
    }

    /// Keeps the parts of a value that nothing reads.
    fn keep_value(
        &mut self,
        field: &str,
        value: &Object<'_>,
        names: &Names,
        number: Option<&PhoneNumberId>,
    ) {
        self.keep(field, leftovers(value, names), number);
        self.keep(field, leftovers::metadata(value), number);
    }

    /// Keeps the cards that hold more than ids and a profile, and those of nobody in the updates.
    fn keep_cards(&mut self, field: &str, shared: &Shared<'_>) {
        let rest = leftovers::cards(&shared.cards);
        self.keep(field, rest, Some(&shared.number));
    }

    /// Makes an account event of each part that nothing reads.
    fn keep(
        &mut self,
        place: &str,
        leftovers: impl IntoIterator<Item = Leftover>,
        number: Option<&PhoneNumberId>,
    ) {
        for Leftover { name, raw } in leftovers {
            self.push(Event::Account(AccountEvent {
                summary: account_summary::leftover(&name, &raw),
                field: format!("{place}/{name}"),
                raw,
                phone_number_id: number.cloned(),
                waba_id: self.head.waba_id.clone(),
                sent_at: self.head.sent_at,
                consent: None,
            }));
        }
    }

    fn updates(
        &mut self,
        value: &Object<'_>,
        name: &str,
        shared: &Shared<'_>,
        read: impl Fn(&RawValue) -> Result<Event, FieldError>,
    ) {
        let Shared { path, number, .. } = shared;
        for (index, raw) in self.elements_of(value, name, *path, Some(number)) {
            match read(raw) {
                Ok(event) => {
                    let event = event.with_account(self.head.waba_id.as_deref());
                    self.push(event);
                }
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
    fn shared<'a>(
        &mut self,
        value: &Object<'a>,
        path: JsonPath,
        number: PhoneNumberId,
    ) -> Option<Shared<'a>> {
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
            cards: cards.into_iter().map(Card::read).collect(),
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

/// Returns the field of a change. Without one, messages and receipts tell it.
fn field(change: &Object<'_>, value: Option<&Object<'_>>) -> Result<String, FieldError> {
    let field = change.word("field", FIELD_MAX_BYTES);
    let has = |name: &str| value.is_some_and(|value| value.get(name).is_some());
    match field {
        Ok(Some(field)) => Ok(field),
        _ if has("messages") || has("statuses") => Ok("messages".to_owned()),
        _ if has("message_echoes") => Ok("smb_message_echoes".to_owned()),
        Ok(None) => Err(FieldError::new("field", "is missing")),
        Err(error) => Err(error),
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

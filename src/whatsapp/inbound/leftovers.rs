//! Parts of a body around its updates that nothing reads, so that they are kept.
//!
//! Updates are stored as received; the objects around them are not. A name that Meta adds to one of
//! those objects, and a known name with a value of another kind, would leave no trace.
//! [`super::read`] makes an account event of each.

use serde_json::value::RawValue;

use super::sender::{Card, USER_ID_MAX_BYTES, phone_digits};
use crate::message::{UserId, is_id};
use crate::whatsapp::raw_json::{FIELD_MAX_BYTES, ID_MAX_BYTES, KIND_MAX_BYTES, Object, elements};

/// Reading of a name: which of its values leave no rest.
#[derive(Clone, Copy)]
enum Reading {
    /// The value that every body has.
    Constant(&'static str),
    /// The last value, if it is an identifier of at most so many bytes.
    Id(usize),
    /// The last value, if it is the id of a business number.
    NumberId,
    /// The last value, if it is a phone number, or the user id that the card has or lacks.
    Phone,
    /// The last value, if it is a word of at most so many bytes.
    Word(usize),
    /// The last value, if it is a text.
    Text,
    /// The last value, if it is a number.
    Number,
    /// The last value, whatever it is.
    Last,
    /// None: only an empty value leaves no rest.
    Nothing,
    /// Every array.
    Arrays,
    /// Every value: those that are not arrays are quarantined.
    Updates,
}

/// Names of one kind of object with their readings.
pub(crate) struct Names(&'static [(&'static str, Reading)]);

/// Names of a body.
pub(crate) const BODY: Names = Names(&[
    ("object", Reading::Constant("\"whatsapp_business_account\"")),
    ("entry", Reading::Updates),
]);
/// Names of an element of `entry[]`.
pub(crate) const ENTRY: Names = Names(&[
    ("id", Reading::Id(ID_MAX_BYTES)),
    ("time", Reading::Number),
    ("changes", Reading::Updates),
]);
/// Names of an element of `changes[]`.
pub(crate) const CHANGE: Names = Names(&[
    ("field", Reading::Word(FIELD_MAX_BYTES)),
    ("value", Reading::Last),
]);
/// Names of the value of field `messages`.
pub(crate) const MESSAGES: Names = Names(&[
    PRODUCT,
    METADATA_OF_VALUE,
    ("contacts", Reading::Arrays),
    ("messages", Reading::Updates),
    ("statuses", Reading::Updates),
    ("message_echoes", Reading::Updates),
    ("errors", Reading::Updates),
]);
/// Names of the value of field `messages` when it holds errors alone: nothing reads its contacts.
pub(crate) const ERRORS: Names = Names(&[
    PRODUCT,
    METADATA_OF_VALUE,
    ("contacts", Reading::Nothing),
    ("errors", Reading::Updates),
]);
/// Names of the value of field `smb_message_echoes`.
pub(crate) const ECHOES: Names = Names(&[
    PRODUCT,
    METADATA_OF_VALUE,
    ("contacts", Reading::Arrays),
    ("message_echoes", Reading::Updates),
]);
/// Names of the value of field `user_preferences`.
pub(crate) const PREFERENCES: Names = Names(&[
    PRODUCT,
    METADATA_OF_VALUE,
    ("contacts", Reading::Nothing),
    ("user_preferences", Reading::Updates),
]);
const PRODUCT: (&str, Reading) = ("messaging_product", Reading::Constant("\"whatsapp\""));
const METADATA_OF_VALUE: (&str, Reading) = ("metadata", Reading::Last);
const METADATA: Names = Names(&[
    ("display_phone_number", Reading::Text),
    ("phone_number_id", Reading::NumberId),
]);
const CARD: Names = Names(&[
    ("profile", Reading::Last),
    ("wa_id", Reading::Phone),
    ("user_id", Reading::Id(USER_ID_MAX_BYTES)),
]);
const PROFILE: Names = Names(&[("name", Reading::Text), ("username", Reading::Text)]);

/// A part that nothing reads.
pub(crate) struct Leftover {
    /// Its name, fit for a column: bounded, and free of control characters.
    pub(crate) name: String,
    /// `{"name": value}` with the value byte for byte; of cards, those that are left.
    pub(crate) raw: String,
}

impl Leftover {
    fn new(name: &[u8], value: &RawValue) -> Self {
        let name = String::from_utf8_lossy(name);
        let quoted = serde_json::Value::from(name.as_ref());
        let shown = name.chars().filter(|letter| !letter.is_control());
        Self {
            raw: format!("{{{quoted}:{}}}", value.get()),
            name: shown.take(KIND_MAX_BYTES).collect(),
        }
    }
}

/// Returns the parts of an object that a reader of these names leaves.
pub(crate) fn leftovers(object: &Object<'_>, names: &Names) -> Vec<Leftover> {
    let rest = object.pairs().filter(|(name, value)| {
        let known = names.0.iter().find(|(known, _)| known.as_bytes() == *name);
        // Of a known name, an empty value says nothing; an unknown name is news itself.
        known.is_none_or(|(known, reading)| {
            !matches!(value.get(), "null" | "[]") && !is_read(object, known, value, *reading)
        })
    });
    rest.map(|(name, value)| Leftover::new(name, value))
        .collect()
}

/// Returns the metadata of a value, if it holds more than the number.
pub(crate) fn metadata(value: &Object<'_>) -> Option<Leftover> {
    let raw = value.get("metadata")?;
    let is_whole = Object::from_raw(raw).is_some_and(|object| is_whole(&object, &METADATA));
    (!is_whole).then(|| Leftover::new(b"metadata", raw))
}

/// Returns the cards of a value that hold more than ids and a profile, or name nobody in its
/// updates. They are one part, because there may be thousands, and no message is to wait for them.
pub(crate) fn cards(cards: &[Card<'_>]) -> Option<Leftover> {
    let is_card_whole = |raw: &RawValue| {
        Object::from_raw(raw).is_some_and(|card| {
            let profile = card.get("profile");
            let is_profile_whole = profile.is_none_or(|raw| {
                Object::from_raw(raw).is_some_and(|profile| is_whole(&profile, &PROFILE))
            });
            is_whole(&card, &CARD) && is_profile_whole
        })
    };
    let rest = cards
        .iter()
        .filter(|card| !card.is_used() || !is_card_whole(card.raw));
    let rest = rest.map(|card| card.raw.get());
    // An empty card says nothing.
    let rest: Vec<&str> = rest.filter(|raw| !matches!(*raw, "null" | "{}")).collect();
    (!rest.is_empty()).then(|| Leftover {
        name: "contacts".to_owned(),
        raw: format!("{{\"contacts\":[{}]}}", rest.join(",")),
    })
}

fn is_whole(object: &Object<'_>, names: &Names) -> bool {
    leftovers(object, names).is_empty()
}

/// Whether the reader of a card takes a text in the place of the phone number.
fn names_contact(card: &Object<'_>, text: &str) -> bool {
    let user_id = || card.id("user_id", USER_ID_MAX_BYTES).ok().flatten();
    phone_digits(text).is_some()
        || UserId::is_one(text) && user_id().is_none_or(|user_id| user_id == text)
}

fn is_read(object: &Object<'_>, name: &str, value: &RawValue, reading: Reading) -> bool {
    let is_last = || {
        object
            .get(name)
            .is_some_and(|last| std::ptr::eq(last, value))
    };
    match reading {
        Reading::Constant(constant) => value.get() == constant,
        Reading::Id(longest_bytes) => is_last() && object.id(name, longest_bytes).is_ok(),
        Reading::NumberId => {
            let id = object.id(name, ID_MAX_BYTES);
            is_last() && id.is_ok_and(|id| id.is_none_or(|id| is_id(&id)))
        }
        Reading::Phone => {
            let id = object.id(name, USER_ID_MAX_BYTES);
            is_last() && id.is_ok_and(|id| id.is_none_or(|id| names_contact(object, &id)))
        }
        Reading::Word(longest_bytes) => is_last() && object.word(name, longest_bytes).is_ok(),
        Reading::Text => is_last() && object.text(name).is_ok(),
        Reading::Number => is_last() && object.number::<i64>(name).is_ok(),
        Reading::Last => is_last(),
        Reading::Nothing => false,
        Reading::Arrays => elements(value).is_some(),
        Reading::Updates => true,
    }
}

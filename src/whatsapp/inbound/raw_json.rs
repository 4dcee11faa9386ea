//! Reading JSON piece by piece, so that a wrong piece costs nothing but itself.
//!
//! An [`Object`] knows where each of its values begins and ends and has looked inside none of them:
//! a lone surrogate, a number too large or a thousand brackets do harm only when that very value is
//! asked for. Nothing here knows what the fields mean; [`crate::whatsapp::inbound`] and
//! [`super::update`] do.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Upper bound of the length of `type`: types are short words.
pub(crate) const LONGEST_KIND_BYTES: usize = 64;

/// A JSON object as names and raw values, in order, repeated names included.
pub(crate) struct Object<'a>(Vec<(Cow<'a, [u8]>, &'a RawValue)>);

/// What is wrong with a field: its path below the update and what was expected; never its content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    path: String,
    fault: &'static str,
}

impl Wrong {
    pub(crate) fn new(path: &str, fault: &'static str) -> Self {
        Self {
            path: path.to_owned(),
            fault,
        }
    }

    /// Says that the field belongs to the object in field `outer`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.path = format!("{outer}.{}", self.path);
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.fault)
    }
}

impl<'a> Object<'a> {
    /// Splits a body; `None` when it is not one JSON object in UTF-8.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Splits a value; `None` when it is something else than an object.
    pub(crate) fn from_raw(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// Every value of that name that is not null.
    pub(crate) fn get_all(&self, name: &str) -> impl Iterator<Item = &'a RawValue> {
        self.0
            .iter()
            .filter(move |(key, value)| key.as_ref() == name.as_bytes() && value.get() != "null")
            .map(|(_, value)| *value)
    }

    /// The last value of that name, as every usual JSON reader takes it.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.get_all(name).last()
    }

    pub(crate) fn object(&self, name: &str) -> Result<Self, Wrong> {
        let raw = self
            .get(name)
            .ok_or_else(|| Wrong::new(name, "is missing"))?;
        Self::from_raw(raw).ok_or_else(|| Wrong::new(name, "is not an object"))
    }

    /// The object of that name, when there is one and it is readable.
    pub(crate) fn optional_object(&self, name: &str) -> Option<Self> {
        self.get(name).and_then(Self::from_raw)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, Wrong> {
        let raw = self
            .get(name)
            .ok_or_else(|| Wrong::new(name, "is missing"))?;
        text(raw).ok_or_else(|| Wrong::new(name, "is not a text"))
    }

    /// The text of that name, when there is one, it is readable and not empty.
    pub(crate) fn optional_text(&self, name: &str) -> Option<String> {
        self.get(name)
            .and_then(text)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|raw| raw.get() == "true")
    }

    /// A number, which Meta writes now as a number and now as a text.
    pub(crate) fn number<T>(&self, name: &str) -> Result<T, Wrong>
    where
        T: std::str::FromStr + for<'de> Deserialize<'de>,
    {
        let raw = self
            .get(name)
            .ok_or_else(|| Wrong::new(name, "is missing"))?;
        number(raw).ok_or_else(|| Wrong::new(name, "is not a number"))
    }

    /// An identifier: short, and free of control characters. Empty is missing, because Meta sends
    /// `""` too.
    pub(crate) fn id(&self, name: &str, longest_bytes: usize) -> Result<Option<String>, Wrong> {
        let Some(raw) = self.get(name) else {
            return Ok(None);
        };
        // Strictly read: two different ids must not become one by repairing them.
        let id: String =
            serde_json::from_str(raw.get()).map_err(|_| Wrong::new(name, "is not a text"))?;
        if id.len() > longest_bytes {
            return Err(Wrong::new(name, "is too long"));
        }
        if id.chars().any(char::is_control) {
            return Err(Wrong::new(name, "holds control characters"));
        }
        Ok((!id.is_empty()).then_some(id))
    }
}

/// The elements of an array, unread; `None` when it is something else.
pub(crate) fn elements(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// A text as a person may read it: half emoji (lone surrogates) become U+FFFD, and U+0000, which
/// databases take for an end or refuse, is left out. The raw JSON beside it keeps both.
pub(crate) fn text(raw: &RawValue) -> Option<String> {
    let Text(bytes) = serde_json::from_str(raw.get()).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.replace('\0', ""))
}

fn number<T>(raw: &RawValue) -> Option<T>
where
    T: std::str::FromStr + for<'de> Deserialize<'de>,
{
    match text(raw) {
        Some(written) => written.trim().parse().ok(),
        None => serde_json::from_str(raw.get()).ok(),
    }
}

/// The bytes of a JSON string; a lone surrogate stays in them as three bytes that are not UTF-8.
struct Text<'a>(Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(bytes.to_owned())))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    pairs.push((key, value));
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

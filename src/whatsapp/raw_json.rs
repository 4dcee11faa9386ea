//! Reads JSON piece by piece, so that a malformed piece does not affect the others.
//!
//! An [`Object`] knows where each of its values begins and ends, and parses none of them: a lone
//! surrogate, a number out of range or a thousand brackets matter only when that value is read. The
//! meaning of the fields is with those who read them: [`super::inbound`] and [`crate::gateway`].

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Upper bound of the length of `type`, which is a short word.
pub(crate) const KIND_MAX_BYTES: usize = 64;
/// Upper bound of the ids of numbers and accounts, which have about 16 digits.
pub(crate) const ID_MAX_BYTES: usize = 64;
/// Upper bound of the names of fields, which are words joined by underscores.
pub(crate) const FIELD_MAX_BYTES: usize = 128;

/// JSON object as names and raw values, in order, including repeated names.
pub(crate) struct Object<'a>(Vec<(Cow<'a, [u8]>, &'a RawValue)>);

/// Defect of a field: its path below the update, and the expectation; never its content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldError {
    path: String,
    fault: &'static str,
}

impl FieldError {
    pub(crate) fn new(path: &str, fault: &'static str) -> Self {
        Self {
            path: path.to_owned(),
            fault,
        }
    }

    /// Prefixes the path with the field `outer`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.path = format!("{outer}.{}", self.path);
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.fault)
    }
}

impl<'a> Object<'a> {
    /// Splits a body; `None` unless it is one JSON object in UTF-8.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Splits a value; `None` unless it is an object.
    pub(crate) fn from_raw(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// Returns every name with its value, in order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// Returns every value of this name that is not null.
    pub(crate) fn get_all(&self, name: &str) -> impl Iterator<Item = &'a RawValue> {
        self.0
            .iter()
            .filter(move |(key, value)| key.as_ref() == name.as_bytes() && value.get() != "null")
            .map(|(_, value)| *value)
    }

    /// Returns the last value of this name, as JSON readers usually do.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.get_all(name).last()
    }

    pub(crate) fn object(&self, name: &str) -> Result<Self, FieldError> {
        let raw = self
            .get(name)
            .ok_or_else(|| FieldError::new(name, "is missing"))?;
        Self::from_raw(raw).ok_or_else(|| FieldError::new(name, "is not an object"))
    }

    /// Returns the object of this name, if it is present and readable.
    pub(crate) fn optional_object(&self, name: &str) -> Option<Self> {
        self.get(name).and_then(Self::from_raw)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, FieldError> {
        let raw = self
            .get(name)
            .ok_or_else(|| FieldError::new(name, "is missing"))?;
        text(raw).ok_or_else(|| FieldError::new(name, "is not a text"))
    }

    /// Whether there is a list or an object of this name.
    pub(crate) fn has_part(&self, name: &str) -> bool {
        let part = self.get(name);
        part.is_some_and(|raw| raw.get().starts_with(['{', '[']))
    }

    /// Returns the text of this name, if it is present, readable and not empty.
    pub(crate) fn optional_text(&self, name: &str) -> Option<String> {
        self.get(name)
            .and_then(text)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|raw| raw.get() == "true")
    }

    /// Reads a number, which Meta writes as a JSON number or as a string.
    pub(crate) fn number<T>(&self, name: &str) -> Result<T, FieldError>
    where
        T: std::str::FromStr,
    {
        let raw = self
            .get(name)
            .ok_or_else(|| FieldError::new(name, "is missing"))?;
        number(raw).ok_or_else(|| FieldError::new(name, "is not a number"))
    }

    /// Reads an identifier: a word, or digits that are a JSON number, as some services send phone
    /// numbers.
    pub(crate) fn id(
        &self,
        name: &str,
        longest_bytes: usize,
    ) -> Result<Option<String>, FieldError> {
        let digits = self.get(name).map(RawValue::get);
        let digits = digits.filter(|raw| raw.bytes().all(|byte| byte.is_ascii_digit()));
        match digits {
            Some(digits) if digits.len() <= longest_bytes => Ok(Some(digits.to_owned())),
            _ => self.word(name, longest_bytes),
        }
    }

    /// Reads a text that is short and free of control characters. An empty one counts as missing,
    /// because Meta sends `""` too.
    pub(crate) fn word(
        &self,
        name: &str,
        longest_bytes: usize,
    ) -> Result<Option<String>, FieldError> {
        let Some(raw) = self.get(name) else {
            return Ok(None);
        };
        // Strict: a lossy repair could turn two different ids into one.
        let word: String =
            serde_json::from_str(raw.get()).map_err(|_| FieldError::new(name, "is not a text"))?;
        if word.len() > longest_bytes {
            return Err(FieldError::new(name, "is too long"));
        }
        if word.chars().any(char::is_control) {
            return Err(FieldError::new(name, "holds control characters"));
        }
        Ok((!word.is_empty()).then_some(word))
    }
}

/// Returns the elements of an array, unparsed. An object is its only element: some services write
/// an array of one that way. `None` for another value.
pub(crate) fn elements(raw: &RawValue) -> Option<Vec<&RawValue>> {
    if raw.get().starts_with('{') {
        return Some(vec![raw]);
    }
    serde_json::from_str(raw.get()).ok()
}

/// Decodes a text for display: lone surrogates become U+FFFD, and U+0000, which databases truncate
/// at or refuse, is dropped. The raw JSON beside it keeps both. A number is the text of its digits.
pub(crate) fn text(raw: &RawValue) -> Option<String> {
    if raw
        .get()
        .starts_with(|first: char| first == '-' || first.is_ascii_digit())
    {
        return Some(raw.get().to_owned());
    }
    let Text(bytes) = serde_json::from_str(raw.get()).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.replace('\0', ""))
}

fn number<T>(raw: &RawValue) -> Option<T>
where
    T: std::str::FromStr,
{
    text(raw)?.trim().parse().ok()
}

/// Bytes of a JSON string; a lone surrogate stays as three bytes that are not UTF-8.
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

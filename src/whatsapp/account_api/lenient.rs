//! Reading answers so that no key of theirs can make the rest unreadable.

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

/// An object as a model; what is no object gives an empty one.
pub(crate) fn read<T: DeserializeOwned + Default>(answer: &Value) -> T {
    T::deserialize(answer).unwrap_or_default()
}

/// Every object of an array as a model.
pub(crate) fn read_all<T: DeserializeOwned + Default>(answer: &Value) -> Vec<T> {
    let elements = answer.as_array().into_iter().flatten();
    elements
        .filter(|element| element.is_object())
        .map(read)
        .collect()
}

/// A text, or a number or truth value as one; empty for anything else.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text_of(&Value::deserialize(deserializer)?))
}

/// As [`text`], for a value that is read already.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// An array of objects; empty for anything else.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(read_all(&Value::deserialize(deserializer)?))
}

/// Anything; its default where it is something else.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(read(&Value::deserialize(deserializer)?))
}

/// A text that stands alone in an object: `{"level": "HIGH"}`, `{"score": "GREEN"}`; or a bare one.
pub(crate) fn inner_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let inner = value.get("level").or_else(|| value.get("score"));
    Ok(text_of(inner.unwrap_or(&value)))
}

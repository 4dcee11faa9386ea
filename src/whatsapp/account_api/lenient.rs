//! Lenient deserialization: a key of another type does not make the rest of a response unreadable.

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

/// Deserializes an object; the default for any other value.
pub(crate) fn read<T: DeserializeOwned + Default>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_default()
}

/// Deserializes every object of an array.
pub(crate) fn read_all<T: DeserializeOwned + Default>(value: &Value) -> Vec<T> {
    let elements = value.as_array().into_iter().flatten();
    let objects = elements.filter(|element| element.is_object());
    objects.map(read).collect()
}

/// Deserializes a string, number or truth value as text; empty for any other value.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text_of(&Value::deserialize(deserializer)?))
}

/// Converts a value as [`text`] does.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// Deserializes an array of objects; empty for any other value.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(read_all(&Value::deserialize(deserializer)?))
}

/// Deserializes any type; the default for a value of another one.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(read(&Value::deserialize(deserializer)?))
}

/// Deserializes the text inside an object (`{"level": "HIGH"}`, `{"score": "GREEN"}`), or a bare
/// one.
pub(crate) fn inner_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let inner = value.get("level").or_else(|| value.get("score"));
    Ok(text_of(inner.unwrap_or(&value)))
}

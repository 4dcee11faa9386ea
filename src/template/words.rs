//! Values in words: what a text shows of a number, a switch, a list or a table.

use minijinja::Value;
use minijinja::value::ValueKind;

/// Writes a value for a person: missing values and `null` as nothing, `true` and `false` as in JSON,
/// the elements of a list with commas, the entries of a table as `name: value`.
pub(crate) fn words(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Seq | ValueKind::Iterable => {
            let elements = value.try_iter().into_iter().flatten();
            joined(elements.map(|element| words(&element)))
        }
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            joined(keys.map(|key| {
                let value = value.get_item(&key).unwrap_or_default();
                let (key, value) = (words(&key), words(&value));
                if value.is_empty() {
                    value
                } else {
                    format!("{key}: {value}")
                }
            }))
        }
        _ => value.to_string(),
    }
}

/// Joins the parts that are not empty.
fn joined(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

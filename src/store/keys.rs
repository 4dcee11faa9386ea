//! Keys of rows and sets of rows, as parameters of statements.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::message::hex;

/// Key of a message: see `messages.message_key` in the first migration.
pub(super) fn message_key(phone_number_id: &str, wamid: &str) -> String {
    digest(&[phone_number_id.as_bytes(), wamid.as_bytes()])
}

/// The first 96 bits of SHA-256 over the parts with a zero byte between them, as 24 hex digits.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update([0]);
        }
        hash.update(part);
    }
    hex(&hash.finalize()[..12])
}

/// Formats a set of rows as the JSON array that `json_each` unfolds.
pub(super) fn json_rows<T: Serialize>(rows: &[T]) -> String {
    json(rows)
}

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("every value has string keys and finite numbers")
}

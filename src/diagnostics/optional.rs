//! Values that may be left out: absent, read, or present and wrong.
//!
//! Keeps "left out" (`Ok(None)`) apart from "wrong and reported" (`Err`). Used by readers of
//! [`super::toml_reader`].

use super::toml_reader::Field;

/// A value that was read, or the mark that a diagnostic tells why it was not.
pub(crate) type Read<T> = Result<T, Reported>;

/// Marks a value that is present and wrong; a diagnostic tells why.
pub(crate) struct Reported;

/// Reads a value that may be left out.
pub(crate) fn optional<'d, T>(
    field: Option<Field<'d>>,
    read: impl FnOnce(Field<'d>) -> Option<T>,
) -> Read<Option<T>> {
    match field {
        Some(field) => read(field).map(Some).ok_or(Reported),
        None => Ok(None),
    }
}

//! Values that may be left out, and lists of values that are all read although one is wrong.
//!
//! Keeps "left out" (`Ok(None)`) apart from "wrong and reported" (`Err`). Used by
//! [`super::toml_reader`] and by readers of its fields.

/// A value that was read, or the mark that a diagnostic tells why it was not.
pub(crate) type Read<T> = Result<T, Reported>;

/// Marks a value that is present and wrong; a diagnostic tells why.
pub(crate) struct Reported;

/// Reads a value that may be left out.
pub(crate) fn optional<F, T>(
    field: Option<F>,
    read: impl FnOnce(F) -> Option<T>,
) -> Read<Option<T>> {
    match field {
        Some(field) => read(field).map(Some).ok_or(Reported),
        None => Ok(None),
    }
}

/// Reads a value that may be left out; its default stands for an absent one.
pub(crate) fn or_default<F, T: Default>(
    field: Option<F>,
    read: impl FnOnce(F) -> Option<T>,
) -> Option<T> {
    field.map_or_else(|| Some(T::default()), read)
}

/// Reads every item, so that one wrong item does not hide the problem of the next; `None` when one
/// is wrong.
pub(crate) fn read_each<I: IntoIterator, T>(
    items: I,
    read: impl FnMut(I::Item) -> Option<T>,
) -> Option<Vec<T>> {
    let values: Vec<Option<T>> = items.into_iter().map(read).collect();
    values.into_iter().collect()
}

//! Rows of a result as structs: columns are matched with fields by name, through serde.

pub(super) use jiff::fmt::serde::timestamp::millisecond::{optional, required};

use serde::de::value::MapDeserializer;
use serde::{Deserialize as _, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use super::StoreError;

/// Reads a row. Timestamps are columns of milliseconds, read with [`required`] and [`optional`].
pub(super) fn read<T: DeserializeOwned>(row: &SqliteRow) -> sqlx::Result<T> {
    let columns = row.columns().iter();
    let columns = columns.map(|column| Ok((column.name(), value(row, column.ordinal())?)));
    let columns = columns.collect::<sqlx::Result<Vec<_>>>()?;
    let columns = MapDeserializer::<_, serde_json::Error>::new(columns.into_iter());
    T::deserialize(columns).map_err(|error| {
        let row = std::any::type_name::<T>();
        sqlx::Error::Decode(format!("a row of `{row}`: {error}").into())
    })
}

fn value(row: &SqliteRow, index: usize) -> sqlx::Result<Value> {
    let raw = row.try_get_raw(index)?;
    match raw.type_info().name() {
        _ if raw.is_null() => Ok(Value::Null),
        "INTEGER" => row.try_get::<i64, _>(index).map(Value::from),
        _ => row.try_get::<String, _>(index).map(Value::from),
    }
}

/// Reads a text of JSON values with commas between them, as `group_concat` puts it together; NULL is an
/// empty list. `table` is named in the error for unexpected JSON.
pub(super) fn list<T: DeserializeOwned>(
    text: Option<&str>,
    table: &'static str,
) -> Result<Vec<T>, StoreError> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let corrupt = |_| StoreError::corrupt(table, 0, "what was looked up is not what we wrote");
    serde_json::from_str(&format!("[{text}]")).map_err(corrupt)
}

/// Reads a column that is 0 or 1.
pub(super) fn flag<'de, D: Deserializer<'de>>(column: D) -> Result<bool, D::Error> {
    i64::deserialize(column).map(|number| number != 0)
}

/// Lets queries return structs that [`read`] reads.
macro_rules! from_row {
    ($($type:ty),+) => {
        $(impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $type {
            fn from_row(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                $crate::store::row::read(row)
            }
        })+
    };
}
pub(super) use from_row;

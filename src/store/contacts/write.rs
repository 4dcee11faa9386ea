//! Writes contacts with their phone numbers and user ids, and the accounts of business numbers.

use jiff::Timestamp;

use super::identity::ContactRow;
use super::scopes::NumberRow;
use crate::store::keys::json_rows;
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Writes new and changed contacts and accounts; without any, no statement runs.
pub(in crate::store) async fn write(
    tx: &mut Transaction,
    contacts: &[ContactRow],
    numbers: &[NumberRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    if contacts.is_empty() && numbers.is_empty() {
        return Ok(());
    }
    sqlx::query(sql::WRITE_CONTACTS)
        .bind(json_rows(contacts))
        .bind(json_rows(numbers))
        .bind(now.as_millisecond())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

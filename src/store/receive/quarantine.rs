//! Quarantine: updates that could not be read.

use jiff::Timestamp;
use serde::Serialize;

use crate::message::{PhoneNumberId, Unreadable};
use crate::store::keys::{digest, json_rows};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Stores unreadable updates, byte for byte.
pub(super) async fn write(
    tx: &mut Transaction,
    updates: &[Unreadable],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        raw_key: String,
        phone_number_id: Option<&'a PhoneNumberId>,
        reason: &'a str,
        /// Position of the first byte among those of all updates, from 1 as in SQL.
        raw_from: usize,
        raw_bytes: usize,
    }
    if updates.is_empty() {
        return Ok(());
    }
    // All bytes are one parameter beside the rows: as hex in their JSON a body of megabytes would
    // take ten times its size.
    let mut raw = Vec::with_capacity(updates.iter().map(|update| update.raw.len()).sum());
    let mut new = Vec::with_capacity(updates.len());
    for update in updates {
        new.push(Row {
            raw_key: digest(&[&update.raw]),
            phone_number_id: update.phone_number_id.as_ref(),
            reason: &update.reason,
            raw_from: raw.len() + 1,
            raw_bytes: update.raw.len(),
        });
        raw.extend_from_slice(&update.raw);
    }
    let insert = sqlx::query(sql::INSERT_QUARANTINE).bind(json_rows(&new));
    let insert = insert.bind(now.as_millisecond()).bind(raw);
    insert.execute(&mut *tx).await?;
    Ok(())
}

//! What is only kept: receipts (which also move our messages on), account news, and the quarantine.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Sqlite, Transaction};

use super::super::{StoreError, digest, message_key, rows, sql};
use crate::message::{AccountEvent, PhoneNumberId, Receipt, Unreadable, Wamid, hex};

/// Stores receipts, takes a returned tag as proof of a send, and moves each message to its furthest step.
pub(super) async fn write_receipts(
    tx: &mut Transaction<'static, Sqlite>,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        receipt_key: String,
        message_key: String,
        phone_number_id: &'a PhoneNumberId,
        wamid: &'a Wamid,
        status: &'static str,
        at_ms: i64,
        tag: Option<&'a str>,
        errors: Option<String>,
        raw: &'a str,
    }
    if receipts.is_empty() {
        return Ok(());
    }
    let told: Vec<Row<'_>> = receipts
        .iter()
        .map(|receipt| {
            let (number, wamid) = (receipt.phone_number_id.as_str(), receipt.wamid.as_str());
            let status = receipt.status.name();
            Row {
                receipt_key: digest(&[number.as_bytes(), wamid.as_bytes(), status.as_bytes()]),
                message_key: message_key(number, wamid),
                phone_number_id: &receipt.phone_number_id,
                wamid: &receipt.wamid,
                status,
                at_ms: receipt.at.as_millisecond(),
                tag: receipt.tag.as_deref(),
                errors: (!receipt.errors.is_empty()).then(|| {
                    serde_json::to_string(&receipt.errors).expect("errors have string keys")
                }),
                raw: &receipt.raw,
            }
        })
        .collect();
    sqlx::query(sql::WRITE_RECEIPTS)
        .bind(rows(&told))
        .bind(now.as_millisecond())
        .execute(&mut **tx)
        .await?;
    let keys: Vec<&str> = told.iter().map(|row| row.message_key.as_str()).collect();
    sqlx::query(sql::MERGE_RECEIPTS)
        .bind(rows(&keys))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Stores what Meta told us beside messages and receipts.
pub(super) async fn write_account_events(
    tx: &mut Transaction<'static, Sqlite>,
    events: &[AccountEvent],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        event_key: String,
        field: &'a str,
        phone_number_id: Option<&'a PhoneNumberId>,
        raw: &'a str,
    }
    if events.is_empty() {
        return Ok(());
    }
    let new: Vec<Row<'_>> = events
        .iter()
        .map(|event| Row {
            event_key: digest(&[event.field.as_bytes(), event.raw.as_bytes()]),
            field: &event.field,
            phone_number_id: event.phone_number_id.as_ref(),
            raw: &event.raw,
        })
        .collect();
    let insert = sqlx::query(sql::INSERT_ACCOUNT_EVENTS).bind(rows(&new));
    insert.bind(now.as_millisecond()).execute(&mut **tx).await?;
    Ok(())
}

/// Stores what nobody understood, byte for byte.
pub(super) async fn write_quarantine(
    tx: &mut Transaction<'static, Sqlite>,
    updates: &[Unreadable],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        raw_key: String,
        phone_number_id: Option<&'a PhoneNumberId>,
        reason: &'a str,
        raw: String,
    }
    if updates.is_empty() {
        return Ok(());
    }
    let new: Vec<Row<'_>> = updates
        .iter()
        .map(|update| Row {
            raw_key: digest(&[&update.raw]),
            phone_number_id: update.phone_number_id.as_ref(),
            reason: &update.reason,
            raw: hex(&update.raw),
        })
        .collect();
    let insert = sqlx::query(sql::INSERT_QUARANTINE).bind(rows(&new));
    insert.bind(now.as_millisecond()).execute(&mut **tx).await?;
    Ok(())
}

//! What is only kept: receipts (which also move our messages on), account news, and the quarantine.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::message::{
    AccountEvent, Marketing, PhoneNumberId, Receipt, Unreadable, UserId, WaId, Wamid,
};
use crate::store::{StoreError, Transaction, digest, message_key, rows, sql};

/// Stores receipts, takes a returned tag as proof of a send, and moves each message to its furthest
/// step.
pub(super) async fn write_receipts(
    tx: &mut Transaction,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        receipt_key: String,
        message_key: String,
        phone_number_id: &'a PhoneNumberId,
        wamid: &'a Wamid,
        status: &'a str,
        participant: Option<&'a str>,
        at_ms: i64,
        claim_token: Option<&'a str>,
        pricing: Option<&'a str>,
        conversation: Option<&'a str>,
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
            let status = receipt.status.as_str();
            let participant = receipt.participant.as_deref();
            let mut parts = vec![number.as_bytes(), wamid.as_bytes(), status.as_bytes()];
            parts.extend(participant.map(str::as_bytes));
            Row {
                receipt_key: digest(&parts),
                message_key: message_key(number, wamid),
                phone_number_id: &receipt.phone_number_id,
                wamid: &receipt.wamid,
                status,
                participant,
                at_ms: receipt.at.as_millisecond(),
                claim_token: receipt.claim_token.as_deref(),
                pricing: receipt.pricing.as_deref(),
                conversation: receipt.conversation.as_deref(),
                errors: (!receipt.errors.is_empty()).then(|| {
                    serde_json::to_string(&receipt.errors).expect("errors have string keys")
                }),
                raw: &receipt.raw,
            }
        })
        .collect();
    sqlx::query(sql::INSERT_RECEIPTS)
        .bind(rows(&told))
        .bind(now.as_millisecond())
        .execute(&mut *tx)
        .await?;
    let keys: Vec<&str> = told.iter().map(|row| row.message_key.as_str()).collect();
    sqlx::query(sql::UPDATE_DELIVERY_STATUS)
        .bind(rows(&keys))
        .execute(&mut *tx)
        .await?;
    learn_user_ids(tx, receipts).await
}

/// A receipt may be the first to name both ids of a person.
async fn learn_user_ids(tx: &mut Transaction, receipts: &[Receipt]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        wa_id: &'a WaId,
        user_id: &'a UserId,
    }
    let both = receipts.iter().filter_map(|receipt| {
        let who = receipt.recipient.as_ref()?;
        Some(Row {
            wa_id: who.wa_id()?,
            user_id: who.user_id()?,
        })
    });
    // One user id for two phones (one of them in another spelling) must not stop the batch at the
    // unique key.
    let mut given = HashSet::new();
    let both: Vec<Row<'_>> = both.filter(|row| given.insert(row.user_id)).collect();
    if both.is_empty() {
        return Ok(());
    }
    let learn = sqlx::query(sql::COMPLETE_USER_IDS).bind(rows(&both));
    learn.execute(&mut *tx).await?;
    Ok(())
}

/// Stores what Meta told us beside messages and receipts.
pub(super) async fn write_account_events(
    tx: &mut Transaction,
    events: &[AccountEvent],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        event_key: String,
        field: &'a str,
        phone_number_id: Option<&'a PhoneNumberId>,
        waba_id: Option<&'a str>,
        occurred_at_ms: i64,
        summary: &'a str,
        raw: &'a str,
    }
    if events.is_empty() {
        return Ok(());
    }
    let new: Vec<Row<'_>> = events
        .iter()
        .map(|event| Row {
            event_key: event_key(event),
            field: &event.field,
            phone_number_id: event.phone_number_id.as_ref(),
            waba_id: event.waba_id.as_deref(),
            // A time ahead of us would win over all later news.
            occurred_at_ms: event.told_at.unwrap_or(now).min(now).as_millisecond(),
            summary: &event.summary,
            raw: &event.raw,
        })
        .collect();
    let insert = sqlx::query(sql::INSERT_ACCOUNT_EVENTS).bind(rows(&new));
    insert.bind(now.as_millisecond()).execute(&mut *tx).await?;
    write_consent(tx, events, now).await
}

/// The same news told twice is one row; an account that is disabled again, in the same words, is
/// news again.
fn event_key(event: &AccountEvent) -> String {
    let mut parts = vec![event.field.as_bytes(), event.raw.as_bytes()];
    let told = event.told_at.map(|at| at.as_millisecond().to_string());
    if let Some(told) = &told {
        parts.push(event.waba_id.as_deref().unwrap_or_default().as_bytes());
        parts.push(told.as_bytes());
    }
    digest(&parts)
}

/// Keeps what people wish about marketing; of several wishes of one person in a batch the last one
/// counts.
async fn write_consent(
    tx: &mut Transaction,
    events: &[AccountEvent],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        wa_id: Option<&'a WaId>,
        user_id: Option<&'a UserId>,
        marketing: &'static str,
    }
    let mut wishes: Vec<Row<'_>> = Vec::new();
    for consent in events.iter().filter_map(|event| event.consent.as_ref()) {
        let (wa_id, user_id) = (consent.who.wa_id(), consent.who.user_id());
        wishes.retain(|earlier| {
            let same_phone = wa_id.is_some() && earlier.wa_id == wa_id;
            let same_user = user_id.is_some() && earlier.user_id == user_id;
            !same_phone && !same_user
        });
        wishes.push(Row {
            wa_id,
            user_id,
            marketing: match consent.marketing {
                Marketing::Stop => "stop",
                Marketing::Resume => "resume",
            },
        });
    }
    if wishes.is_empty() {
        return Ok(());
    }
    let write = sqlx::query(sql::UPDATE_MARKETING_CONSENT).bind(rows(&wishes));
    write.bind(now.as_millisecond()).execute(&mut *tx).await?;
    Ok(())
}

/// Stores what nobody understood, byte for byte.
pub(super) async fn write_quarantine(
    tx: &mut Transaction,
    updates: &[Unreadable],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        raw_key: String,
        phone_number_id: Option<&'a PhoneNumberId>,
        reason: &'a str,
        /// Where its bytes begin among all of them, from 1 as SQL counts.
        raw_from: usize,
        raw_bytes: usize,
    }
    if updates.is_empty() {
        return Ok(());
    }
    // All bytes in one piece beside the rows: as hex in their JSON a body of megabytes would be
    // held ten times over.
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
    let insert = sqlx::query(sql::INSERT_QUARANTINE).bind(rows(&new));
    let insert = insert.bind(now.as_millisecond()).bind(raw);
    insert.execute(&mut *tx).await?;
    Ok(())
}

//! Receipts: stored, and taken into the outbound messages that they report on.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::message::{Failure, PhoneNumberId, Profile, Receipt, UserId, WaId, Wamid};
use crate::store::keys::{digest, json, json_rows, message_key};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Stores receipts, takes a returned claim token as proof of a send, and moves each message to its
/// furthest step. Returns the failures that were not reported before.
pub(super) async fn write(
    tx: &mut Transaction,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<Vec<Failure>, StoreError> {
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
        error_code: Option<i64>,
        reason: Option<&'a str>,
        raw: &'a str,
    }
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    let receipt_rows: Vec<Row<'_>> = receipts
        .iter()
        .map(|receipt| {
            let (number, wamid) = (receipt.phone_number_id.as_str(), receipt.wamid.as_str());
            let status = receipt.status.as_str();
            let participant = receipt.participant.as_deref();
            let mut parts = vec![number.as_bytes(), wamid.as_bytes(), status.as_bytes()];
            parts.extend(participant.map(str::as_bytes));
            let failure = receipt.failure.as_ref();
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
                errors: (!receipt.errors.is_empty()).then(|| json(&receipt.errors)),
                error_code: failure.and_then(|failure| failure.code),
                reason: failure.map(|failure| failure.reason.as_str()),
                raw: &receipt.raw,
            }
        })
        .collect();
    let keys = receipt_rows.iter().map(|row| row.receipt_key.as_str());
    let failures = new_failures(tx, receipts, keys).await?;
    sqlx::query(sql::INSERT_RECEIPTS)
        .bind(json_rows(&receipt_rows))
        .bind(now.as_millisecond())
        .execute(&mut *tx)
        .await?;
    let keys: Vec<&str> = receipt_rows
        .iter()
        .map(|row| row.message_key.as_str())
        .collect();
    sqlx::query(sql::UPDATE_DELIVERY_STATUS)
        .bind(json_rows(&keys))
        .execute(&mut *tx)
        .await?;
    complete_user_ids(tx, receipts).await?;
    update_profiles(tx, receipts).await?;
    Ok(failures)
}

/// Finds the failures that are reported for the first time, each once.
async fn new_failures(
    tx: &mut Transaction,
    receipts: &[Receipt],
    keys: impl Iterator<Item = &str>,
) -> Result<Vec<Failure>, StoreError> {
    let reported = receipts.iter().zip(keys).filter_map(|(receipt, key)| {
        let failure = receipt.failure.as_ref()?;
        Some((key, failure))
    });
    let reported: BTreeMap<&str, &Failure> = reported.collect();
    if reported.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<&str> = reported.keys().copied().collect();
    let known = sqlx::query_scalar(sql::KNOWN_RECEIPTS).bind(json_rows(&keys));
    let known: Vec<String> = known.fetch_all(&mut *tx).await?;
    let known: HashSet<&str> = known.iter().map(String::as_str).collect();
    let new = reported.into_iter().filter(|(key, _)| !known.contains(key));
    Ok(new.map(|(_, failure)| failure.clone()).collect())
}

/// Takes over the profiles beside receipts: a contact who never writes has no other.
async fn update_profiles(tx: &mut Transaction, receipts: &[Receipt]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        wa_id: Option<&'a WaId>,
        user_id: Option<&'a UserId>,
        name: Option<&'a str>,
        username: Option<&'a str>,
    }
    let with_profile = receipts
        .iter()
        .filter(|receipt| receipt.profile != Profile::default());
    let profiles = with_profile.filter_map(|receipt| {
        let recipient = receipt.recipient.as_ref()?;
        Some(Row {
            wa_id: recipient.wa_id(),
            user_id: recipient.user_id(),
            name: receipt.profile.name.as_deref(),
            username: receipt.profile.username.as_deref(),
        })
    });
    let profiles: Vec<Row<'_>> = profiles.collect();
    if profiles.is_empty() {
        return Ok(());
    }
    let update = sqlx::query(sql::UPDATE_PROFILES).bind(json_rows(&profiles));
    update.execute(&mut *tx).await?;
    Ok(())
}

/// Completes contacts: a receipt may be the first to name both ids of one.
async fn complete_user_ids(tx: &mut Transaction, receipts: &[Receipt]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        wa_id: &'a WaId,
        user_id: &'a UserId,
        account: Option<&'a str>,
        number: &'a PhoneNumberId,
    }
    let pairs = receipts.iter().filter_map(|receipt| {
        let recipient = receipt.recipient.as_ref()?;
        Some(Row {
            wa_id: recipient.wa_id()?,
            user_id: recipient.user_id()?,
            account: receipt.waba_id.as_deref(),
            number: &receipt.phone_number_id,
        })
    });
    // One user id for two phones (one of them in another spelling) must not stop the batch at the
    // unique key.
    let mut given = HashSet::new();
    let pairs: Vec<Row<'_>> = pairs.filter(|row| given.insert(row.user_id)).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let complete = sqlx::query(sql::COMPLETE_USER_IDS).bind(json_rows(&pairs));
    complete.execute(&mut *tx).await?;
    Ok(())
}

//! Receipts: stored, and taken into the outbound messages that they report on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::{
    Failure, Identity, MARKETING_STOPPED, PhoneNumberId, Profile, Receipt, UserId, WaId, Wamid,
};
use crate::store::contacts::{self, Receiver};
use crate::store::keys::{digest, json, json_rows, message_key};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// A row of `receipts`.
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
    error_class: Option<&'static str>,
    reason: Option<&'a str>,
    raw: &'a str,
}

impl<'a> Row<'a> {
    fn new(receipt: &'a Receipt) -> Self {
        let (number, wamid) = (receipt.phone_number_id.as_str(), receipt.wamid.as_str());
        let status = receipt.status.as_str();
        let participant = receipt.participant.as_deref();
        let mut parts = vec![number.as_bytes(), wamid.as_bytes(), status.as_bytes()];
        parts.extend(participant.map(str::as_bytes));
        let failure = receipt.failure.as_ref();
        Self {
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
            error_class: failure.map(|failure| failure.class.name()),
            reason: failure.map(|failure| failure.reason.as_str()),
            raw: &receipt.raw,
        }
    }
}

/// Stores receipts, takes a returned claim token as proof of a send, and moves each message to its
/// furthest step. Returns the failures that were not reported before.
pub(super) async fn write(
    tx: &mut Transaction,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<Vec<Failure>, StoreError> {
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    let receipt_rows: Vec<Row<'_>> = receipts.iter().map(Row::new).collect();
    let new = new_failures(tx, receipts, |index| &receipt_rows[index].receipt_key).await?;
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
    let of_marketing = new
        .iter()
        .filter(|(_, failure)| failure.code == Some(MARKETING_STOPPED));
    let of_marketing = of_marketing.map(|(index, _)| receipt_rows[*index].message_key.as_str());
    let of_marketing: Vec<&str> = of_marketing.collect();
    if !of_marketing.is_empty() {
        sqlx::query(sql::STOP_MARKETING)
            .bind(json_rows(&of_marketing))
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
    }
    complete_contacts(tx, receipts, now).await?;
    update_profiles(tx, receipts).await?;
    Ok(new
        .into_iter()
        .map(|(_, failure)| failure.clone())
        .collect())
}

/// Finds the failures that are reported for the first time, each once, with the index of its receipt.
async fn new_failures<'a>(
    tx: &mut Transaction,
    receipts: &'a [Receipt],
    key_of: impl Fn(usize) -> &'a str,
) -> Result<Vec<(usize, &'a Failure)>, StoreError> {
    let reported = receipts.iter().enumerate().filter_map(|(index, receipt)| {
        let failure = receipt.failure.as_ref()?;
        Some((key_of(index), (index, failure)))
    });
    let mut reported: BTreeMap<&str, (usize, &Failure)> = reported.collect();
    if reported.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<&str> = reported.keys().copied().collect();
    let known = sqlx::query_scalar(sql::KNOWN_RECEIPTS).bind(json_rows(&keys));
    let known: Vec<String> = known.fetch_all(&mut *tx).await?;
    for key in &known {
        reported.remove(key.as_str());
    }
    Ok(reported.into_values().collect())
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

/// Completes contacts: a receipt may be the first to name both ids of one, or to write its phone
/// number as WhatsApp does. Receipts that say nothing new cost one statement.
async fn complete_contacts(
    tx: &mut Transaction,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        message_key: String,
        wa_id: &'a WaId,
        user_id: Option<&'a UserId>,
        account: Option<&'a str>,
        number: &'a PhoneNumberId,
    }
    /// A receipt with news.
    #[derive(Deserialize)]
    struct News {
        position: usize,
        dialled: Option<WaId>,
    }
    let named = receipts.iter().filter_map(|receipt| {
        let identity = receipt.recipient.as_ref()?;
        Some((receipt, identity, identity.wa_id()?))
    });
    let named: Vec<(&Receipt, &Identity, &WaId)> = named.collect();
    if named.is_empty() {
        return Ok(());
    }
    let rows = named.iter().map(|(receipt, identity, wa_id)| Row {
        message_key: message_key(receipt.phone_number_id.as_str(), receipt.wamid.as_str()),
        wa_id,
        user_id: identity.user_id(),
        account: receipt.waba_id.as_deref(),
        number: &receipt.phone_number_id,
    });
    let query = sqlx::query_scalar(sql::NEW_RECIPIENT_IDS);
    let query = query.bind(json_rows(&rows.collect::<Vec<_>>()));
    let news: Vec<News> = tx.fetch_json(query, "contacts").await?;
    if news.is_empty() {
        return Ok(());
    }
    let receivers = news.into_iter().map(|News { position, dialled }| {
        let (receipt, identity, _) = named[position];
        Receiver {
            number: &receipt.phone_number_id,
            account: receipt.waba_id.as_deref(),
            identity,
            dialled: dialled.map(Identity::Phone),
        }
    });
    contacts::complete(tx, &receivers.collect::<Vec<_>>(), now).await
}

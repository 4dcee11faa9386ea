//! Account events: news of the account beside messages and receipts, and marketing preferences.

use jiff::Timestamp;
use serde::Serialize;

use crate::message::{ACCOUNT_STATUS_FIELDS, AccountEvent, Marketing, PhoneNumberId, UserId, WaId};
use crate::store::keys::{digest, json_rows};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// Number of events about how the account stands.
pub(super) fn count_status_events(events: &[AccountEvent]) -> usize {
    let fields = events.iter().map(|event| event.field.as_str());
    fields
        .filter(|field| ACCOUNT_STATUS_FIELDS.contains(field))
        .count()
}

/// Stores account events and takes over marketing preferences.
pub(super) async fn write(
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
            // A time ahead of server time would win over all later news.
            occurred_at_ms: event.sent_at.unwrap_or(now).min(now).as_millisecond(),
            summary: &event.summary,
            raw: &event.raw,
        })
        .collect();
    let insert = sqlx::query(sql::INSERT_ACCOUNT_EVENTS).bind(json_rows(&new));
    insert.bind(now.as_millisecond()).execute(&mut *tx).await?;
    write_preferences(tx, events, now).await
}

/// Key of an event: one that comes twice is one row, but an account that is disabled again, in the
/// same words at another time, is a new event.
fn event_key(event: &AccountEvent) -> String {
    let mut parts = vec![event.field.as_bytes(), event.raw.as_bytes()];
    let occurred_at = event.sent_at.map(|at| at.as_millisecond().to_string());
    if let Some(occurred_at) = &occurred_at {
        parts.push(event.waba_id.as_deref().unwrap_or_default().as_bytes());
        parts.push(occurred_at.as_bytes());
    }
    digest(&parts)
}

/// Records marketing preferences.
async fn write_preferences(
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
    let consents = events.iter().filter_map(|event| event.consent.as_ref());
    let preferences = consents.map(|consent| Row {
        wa_id: consent.contact.wa_id(),
        user_id: consent.contact.user_id(),
        marketing: match consent.marketing {
            Marketing::Stop => "stop",
            Marketing::Resume => "resume",
        },
    });
    let preferences: Vec<Row<'_>> = preferences.collect();
    if preferences.is_empty() {
        return Ok(());
    }
    let write = sqlx::query(sql::UPDATE_MARKETING_CONSENT).bind(json_rows(&preferences));
    write.bind(now.as_millisecond()).execute(&mut *tx).await?;
    Ok(())
}

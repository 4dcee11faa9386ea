//! What commands do in the database beside a running service: short writes, each one transaction.
//!
//! The service holds the file for itself as the only one that decides and delivers
//! ([`super::process_lock`]); SQLite itself keeps single writes of others apart. Nothing here
//! touches the outbox.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use super::keys::message_key;
use super::{Store, StoreError, sql};
use crate::message::{Identity, Outbound, PhoneNumberId, Recipient, UserId, WaId, Wamid};

/// How a person stands to us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendEligibility {
    /// When the person wrote last to this number.
    pub last_inbound: Option<Timestamp>,
    /// The person wants no marketing messages.
    pub no_marketing: bool,
    /// The person wants nothing from us.
    pub opted_out: bool,
}

/// A message that was sent by hand.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    /// From this number.
    pub number: &'a PhoneNumberId,
    /// To this person.
    pub recipient: &'a Recipient,
    /// What.
    pub content: &'a Outbound,
    /// What it quotes or reacts to.
    pub about: Option<&'a Wamid>,
    /// What the gateway gave it.
    pub wamid: &'a Wamid,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// How a person stands to us; `None` when we do not know the person.
    ///
    /// # Errors
    /// `Database`.
    pub async fn standing(
        &self,
        number: &PhoneNumberId,
        recipient: &Recipient,
    ) -> Result<Option<SendEligibility>, StoreError> {
        let who = identity(recipient);
        let row = sqlx::query(sql::SEND_ELIGIBILITY)
            .bind(number.as_str())
            .bind(who.wa_id().map(WaId::as_str))
            .bind(who.user_id().map(UserId::as_str))
            .fetch_optional(&self.read)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let last: Option<i64> = row.try_get("last_inbound_ms")?;
        Ok(Some(SendEligibility {
            last_inbound: last.and_then(|at| Timestamp::from_millisecond(at).ok()),
            no_marketing: row.try_get("no_marketing")?,
            opted_out: row.try_get("opted_out")?,
        }))
    }

    /// Puts a message that was sent by hand into the history.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`. The message is sent all the same.
    pub async fn record_sent(&self, sent: &Sent<'_>) -> Result<(), StoreError> {
        #[derive(Serialize)]
        struct Row<'a> {
            phone_number_id: &'a PhoneNumberId,
            wa_id: Option<&'a WaId>,
            user_id: Option<&'a UserId>,
            wamid: &'a Wamid,
            message_key: &'a str,
            kind: &'static str,
            text: String,
            quoted_wamid: Option<&'a Wamid>,
            raw: String,
        }
        let who = identity(sent.recipient);
        let key = message_key(sent.number.as_str(), sent.wamid.as_str());
        let row = Row {
            phone_number_id: sent.number,
            wa_id: who.wa_id(),
            user_id: who.user_id(),
            wamid: sent.wamid,
            message_key: &key,
            kind: sent.content.kind_name(),
            text: sent.content.transcript_text(),
            quoted_wamid: sent.about,
            raw: serde_json::to_string(sent.content).expect("its keys are strings"),
        };
        let mut tx = self.begin().await?;
        sqlx::query(sql::INSERT_SENT)
            .bind(super::keys::json_rows(&[row]))
            .bind(sent.at.as_millisecond())
            .execute(&mut tx)
            .await?;
        // Receipts may have come before us.
        sqlx::query(sql::UPDATE_DELIVERY_STATUS)
            .bind(super::keys::json_rows(&[&key]))
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }
}

fn identity(recipient: &Recipient) -> Identity {
    match recipient {
        Recipient::Phone(wa_id) => Identity::Phone(wa_id.clone()),
        Recipient::UserId(user_id) => Identity::User(user_id.clone()),
    }
}

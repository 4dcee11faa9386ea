//! Sends by `replyd send`, recorded beside a running service: short writes, one transaction each.
//!
//! Only the service decides and delivers ([`super::process_lock`]); SQLite separates the single
//! writes of other processes from its own. Nothing here touches the outbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys::{json, json_rows, message_key};
use super::row::{flag, from_row, optional};
use super::{Store, StoreError, sql};
use crate::message::{Identity, Outbound, PhoneNumberId, Recipient, UserId, WaId, Wamid};

/// Facts that decide whether a message may be sent to a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SendEligibility {
    /// Time of the contact's last message to the number.
    #[serde(rename = "last_inbound_ms", with = "optional")]
    pub last_inbound: Option<Timestamp>,
    /// Time at which WhatsApp refused a free message; `None` since the contact has written again.
    #[serde(rename = "window_closed_ms", with = "optional")]
    pub window_closed: Option<Timestamp>,
    /// Whether the contact opted out of marketing messages.
    #[serde(deserialize_with = "flag")]
    pub no_marketing: bool,
    /// Whether the contact opted out of all messages.
    #[serde(deserialize_with = "flag")]
    pub opted_out: bool,
}

from_row!(SendEligibility);

/// A message sent by `replyd send`.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    /// Business number.
    pub number: &'a PhoneNumberId,
    /// Contact.
    pub recipient: &'a Recipient,
    /// Content.
    pub content: &'a Outbound,
    /// Message that it quotes or reacts to.
    pub about: Option<&'a Wamid>,
    /// Id given by the gateway.
    pub wamid: &'a Wamid,
    /// Time of sending.
    pub at: Timestamp,
}

impl Store {
    /// Reads the eligibility of a contact; `None` if the contact is unknown.
    ///
    /// # Errors
    /// `Database`.
    pub async fn send_eligibility(
        &self,
        number: &PhoneNumberId,
        recipient: &Recipient,
    ) -> Result<Option<SendEligibility>, StoreError> {
        let contact = identity(recipient);
        let eligibility = sqlx::query_as(sql::SEND_ELIGIBILITY)
            .bind(number.as_str())
            .bind(contact.wa_id().map(WaId::as_str))
            .bind(contact.user_id().map(UserId::as_str));
        Ok(eligibility.fetch_optional(&self.read).await?)
    }

    /// Records that WhatsApp refused a free message, because the contact has not written for 24
    /// hours.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn close_window(
        &self,
        number: &PhoneNumberId,
        recipient: &Recipient,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let contact = identity(recipient);
        let row = serde_json::json!({
            "phone_number_id": number,
            "wa_id": contact.wa_id(),
            "user_id": contact.user_id(),
        });
        let mut tx = self.begin().await?;
        sqlx::query(sql::CLOSE_WINDOW)
            .bind(json_rows(&[row]))
            .bind(at.as_millisecond())
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Records a sent message in the history.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
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
        let contact = identity(sent.recipient);
        let key = message_key(sent.number.as_str(), sent.wamid.as_str());
        let row = Row {
            phone_number_id: sent.number,
            wa_id: contact.wa_id(),
            user_id: contact.user_id(),
            wamid: sent.wamid,
            message_key: &key,
            kind: sent.content.kind_name(),
            text: sent.content.transcript_text(),
            quoted_wamid: sent.about,
            raw: json(sent.content),
        };
        let mut tx = self.begin().await?;
        sqlx::query(sql::INSERT_SENT)
            .bind(json_rows(&[row]))
            .bind(sent.at.as_millisecond())
            .execute(&mut tx)
            .await?;
        // Receipts may have arrived before.
        sqlx::query(sql::UPDATE_DELIVERY_STATUS)
            .bind(json_rows(&[&key]))
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

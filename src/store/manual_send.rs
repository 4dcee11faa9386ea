//! Sends by `replyd send`, recorded beside a running service: short writes, one transaction each.
//!
//! Only the service decides and delivers ([`super::process_lock`]); SQLite separates the single
//! writes of other processes from its own. Nothing here touches the outbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::contacts::find_or_add;
use super::keys::{json, json_rows, message_key};
use super::row::{flag, from_row, optional};
use super::{Store, StoreError, sql};
use crate::message::{
    Identity, Outbound, PhoneNumberId, Recipient, RecipientReport, UserId, WaId, Wamid,
};

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
    /// Phone number, if known.
    pub wa_id: Option<WaId>,
    /// User id that holds for the account of the number, if known.
    pub user_id: Option<UserId>,
}

impl SendEligibility {
    /// Address of the contact for a recipient as an operator gave it: a user id of another account
    /// would lead to nobody.
    #[must_use]
    pub fn address(&self, given: &Recipient) -> Recipient {
        let Recipient::UserId(_) = given else {
            return given.clone();
        };
        let user_id = self.user_id.clone().map(Recipient::UserId);
        let phone = || self.wa_id.clone().map(Recipient::Phone);
        user_id.or_else(phone).unwrap_or_else(|| given.clone())
    }
}

from_row!(SendEligibility);

/// A message sent by `replyd send`.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    /// Business number.
    pub number: &'a PhoneNumberId,
    /// Contact.
    pub recipient: &'a Recipient,
    /// Ids of the contact in the gateway's answer.
    pub reported: Option<&'a Identity>,
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
        let contact = recipient.identity();
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
        let mut tx = self.begin().await?;
        let contact_id = find_or_add(&mut tx, number, recipient, None, at).await?;
        sqlx::query(sql::CLOSE_WINDOW)
            .bind(contact_id)
            .bind(number.as_str())
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
            contact_id: i64,
            phone_number_id: &'a PhoneNumberId,
            wamid: &'a Wamid,
            message_key: &'a str,
            kind: &'static str,
            text: String,
            quoted_wamid: Option<&'a Wamid>,
            raw: String,
        }
        let mut tx = self.begin().await?;
        let report = RecipientReport::new(sent.recipient, sent.reported.cloned());
        let contact_id = find_or_add(
            &mut tx,
            sent.number,
            sent.recipient,
            report.as_ref(),
            sent.at,
        )
        .await?;
        let key = message_key(sent.number.as_str(), sent.wamid.as_str());
        let row = Row {
            contact_id,
            phone_number_id: sent.number,
            wamid: sent.wamid,
            message_key: &key,
            kind: sent.content.kind_name(),
            text: sent.content.transcript_text(),
            quoted_wamid: sent.about,
            raw: json(sent.content),
        };
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

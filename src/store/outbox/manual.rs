//! Outbox rows under the hand of an operator, beside a running service or without one: list, send
//! again, drop.
//!
//! Each command is one transaction, and decides by the row as the transaction reads it: a row that
//! is being sent is never touched, and one that may have been sent is sent again only with
//! [`Repeat::Accepted`].

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use sqlx::Sqlite;
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::SqliteArguments;

use crate::store::keys::json_rows;
use crate::store::row::{flag, from_row, optional, required};
use crate::store::{Store, StoreError, sql};

/// Free messages are accepted for 24 hours after the contact's last one. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
const SERVICE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OutboxRow {
    /// `outbox.id`.
    pub id: i64,
    /// `conversations.id`.
    pub conversation_id: i64,
    /// `message`, `download` or `action`.
    pub kind: String,
    /// `queued`, `sending`, `unknown` or `held`.
    pub state: String,
    /// Meta's id of the business number.
    pub phone_number_id: String,
    /// Host that an action calls.
    pub host: Option<String>,
    /// Name, else phone number with a plus, else user id.
    pub contact: String,
    /// Phone number in digits, if known.
    pub phone: Option<String>,
    /// `messages.kind`.
    pub message_kind: Option<String>,
    /// Text of the outbound message, or of the inbound one with the file to download.
    pub text: Option<String>,
    /// Rule that gave the row.
    #[serde(rename = "rule_id")]
    pub rule: Option<String>,
    /// Time since which the row has been waiting.
    #[serde(rename = "since_ms", with = "optional")]
    pub since: Option<Timestamp>,
    /// Earliest time of the next attempt.
    #[serde(rename = "due_at_ms", with = "required")]
    pub due_at: Timestamp,
    /// Latest time of an attempt.
    #[serde(rename = "expires_at_ms", with = "required")]
    pub expires_at: Timestamp,
    /// End of the sender's lease; of an unknown row, the time since which a receipt is awaited.
    #[serde(rename = "lease_until_ms", with = "optional")]
    pub lease_until: Option<Timestamp>,
    /// Number of attempts.
    pub attempts: u32,
    /// Error of the last attempt.
    pub reason: Option<String>,
    /// Errors of the attempts, as far as they are recorded.
    #[serde(deserialize_with = "tries")]
    pub tries: Vec<Try>,
    /// Row of the same conversation that must be sent first.
    pub behind: Option<i64>,
    /// Time of the contact's last message to this number.
    #[serde(rename = "last_inbound_ms", with = "optional")]
    pub last_inbound: Option<Timestamp>,
    /// Time at which WhatsApp refused a free message; `None` since the contact has written again.
    #[serde(rename = "window_closed_ms", with = "optional")]
    pub window_closed: Option<Timestamp>,
    /// Whether the contact opted out.
    #[serde(deserialize_with = "flag")]
    pub opted_out: bool,
}

from_row!(OutboxRow);

/// Reads tries from JSON text; unreadable ones are left out, because operators only look at them.
fn tries<'de, D: Deserializer<'de>>(column: D) -> Result<Vec<Try>, D::Error> {
    let json = String::deserialize(column)?;
    Ok(serde_json::from_str(&json).unwrap_or_default())
}

/// An attempt that did not end in "accepted".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// End of the attempt in milliseconds since 1970.
    pub at_ms: i64,
    /// Graph's error code, if there was one.
    pub code: Option<i64>,
    /// Error of the attempt.
    pub reason: String,
}

/// Consent to sending again a message that may have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The operator accepts that the message may arrive twice.
    Accepted,
    /// The operator was not asked.
    Refused,
}

/// Change of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The row is due now.
    Queued {
        /// New end of the attempts.
        expires_at: Timestamp,
    },
    /// The row has left the outbox.
    Dropped,
}

/// Reason why a row was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// There is no such row.
    #[error("it is not in the outbox: it was sent, or given up before")]
    Gone,
    /// The lease of a sender has not ended.
    #[error("it is being sent right now")]
    BeingSent,
    /// Only the service ends actions.
    #[error(
        "it is an action: a conversation waits for what comes of it, and the service ends it by itself"
    )]
    Action,
    /// The customer service window is closed, and the message is not a template.
    #[error(
        "more than 24 hours have passed since the contact's last message: only a template may be sent now"
    )]
    WindowClosed,
    /// The contact opted out.
    #[error("the contact has opted out of all messages")]
    OptedOut,
    /// The message may have been sent, and the request has [`Repeat::Refused`].
    #[error("it may have been sent already, and a second copy needs your consent")]
    MayArriveTwice,
}

/// Parameters of [`Store::retry_by_hand`].
#[derive(Clone, Debug)]
pub struct RetryByHand {
    /// `outbox.id` of each row.
    pub ids: Vec<i64>,
    /// Consent to retrying messages that may have been sent.
    pub repeat: Repeat,
    /// Duration of further attempts.
    pub give_up_after: Duration,
    /// Time of the command.
    pub now: Timestamp,
}

/// Ids of rows, each with its change or the reason why it was not changed.
type Changes = Vec<(i64, Result<Done, NotDone>)>;

impl OutboxRow {
    /// Whether the contact may have received this message.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.kind == "message" && matches!(self.state.as_str(), "sending" | "unknown" | "held")
    }

    fn is_being_sent(&self, now: Timestamp) -> bool {
        self.state == "sending" && self.lease_until.is_none_or(|until| until > now)
    }

    /// Change that a retry would make.
    ///
    /// # Errors
    /// [`NotDone`] if a retry would not change the row.
    pub fn check_retry(&self, request: &RetryByHand) -> Result<Done, NotDone> {
        let now = request.now;
        if self.is_being_sent(now) {
            return Err(NotDone::BeingSent);
        }
        match self.kind.as_str() {
            "action" => return Err(NotDone::Action),
            // Meta deletes the file at this time.
            "download" => {
                let expires_at = self.expires_at;
                return Ok(Done::Queued { expires_at });
            }
            _ => {}
        }
        if self.opted_out {
            return Err(NotDone::OptedOut);
        }
        if self.may_have_been_sent() && request.repeat == Repeat::Refused {
            return Err(NotDone::MayArriveTwice);
        }
        let wanted = now.saturating_add(request.give_up_after);
        let wanted = wanted.unwrap_or(Timestamp::MAX);
        if self.message_kind.as_deref() == Some("template") {
            return Ok(Done::Queued { expires_at: wanted });
        }
        if self.window_closed.is_some() {
            return Err(NotDone::WindowClosed);
        }
        // A contact who has never written may still have the window open: WhatsApp decides.
        let Some(last) = self.last_inbound else {
            return Ok(Done::Queued { expires_at: wanted });
        };
        let window = last.saturating_add(SERVICE_WINDOW).ok();
        let window = window.filter(|closes| *closes > now);
        let expires_at = wanted.min(window.ok_or(NotDone::WindowClosed)?);
        Ok(Done::Queued { expires_at })
    }

    /// Change that dropping the row would make.
    ///
    /// # Errors
    /// [`NotDone`] if the row would not be dropped.
    pub fn check_drop(&self, now: Timestamp) -> Result<Done, NotDone> {
        if self.is_being_sent(now) {
            return Err(NotDone::BeingSent);
        }
        if self.kind == "action" {
            return Err(NotDone::Action);
        }
        Ok(Done::Dropped)
    }

    /// Reason recorded with the message of a dropped row.
    fn dropped_reason(&self) -> &'static str {
        if self.may_have_been_sent() {
            "dropped by hand; it may have been sent"
        } else {
            "dropped by hand"
        }
    }
}

impl Store {
    /// Lists rows of one state or of all, the oldest first.
    ///
    /// # Errors
    /// `Database`.
    pub async fn list_outbox(
        &self,
        state: Option<&str>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = select(state.unwrap_or_default(), None, limit.into());
        Ok(rows.fetch_all(&self.read).await?)
    }

    /// Finds rows by id; missing ones are left out.
    ///
    /// # Errors
    /// `Database`.
    pub async fn find_outbox_rows(&self, ids: &[i64]) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(select_ids(ids).fetch_all(&self.read).await?)
    }

    /// Puts rows to the front of the outbox, due now.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn retry_by_hand(&self, request: &RetryByHand) -> Result<Changes, StoreError> {
        let check = |row: &OutboxRow| row.check_retry(request);
        let retry = |rows| {
            let retry = sqlx::query(sql::RETRY_BY_HAND).bind(rows);
            retry.bind(request.now.as_millisecond())
        };
        self.change_by_hand(&request.ids, check, retry).await
    }

    /// Ends rows for good.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn drop_by_hand(&self, ids: &[i64], now: Timestamp) -> Result<Changes, StoreError> {
        let check = |row: &OutboxRow| row.check_drop(now);
        let end = |rows| sqlx::query(sql::END_BY_HAND).bind(rows);
        self.change_by_hand(ids, check, end).await
    }

    /// Runs a statement on the rows that `check` admits, in one transaction.
    async fn change_by_hand(
        &self,
        ids: &[i64],
        check: impl Fn(&OutboxRow) -> Result<Done, NotDone>,
        statement: impl FnOnce(String) -> Query<'static, Sqlite, SqliteArguments>,
    ) -> Result<Changes, StoreError> {
        #[derive(Serialize)]
        struct Update {
            id: i64,
            expires_at_ms: Option<i64>,
            reason: &'static str,
        }
        let mut tx = self.begin().await?;
        let rows = select_ids(ids).fetch_all(&mut tx).await?;
        let rows: HashMap<i64, OutboxRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut changes = Vec::with_capacity(ids.len());
        let mut updates = Vec::new();
        for id in ids {
            let change = rows.get(id).ok_or(NotDone::Gone);
            let change = change.and_then(|row| Ok((row, check(row)?)));
            updates.extend(change.iter().map(|(row, done)| Update {
                id: row.id,
                expires_at_ms: match done {
                    Done::Queued { expires_at } => Some(expires_at.as_millisecond()),
                    Done::Dropped => None,
                },
                reason: row.dropped_reason(),
            }));
            changes.push((*id, change.map(|(_, done)| done)));
        }
        if updates.is_empty() {
            tx.roll_back().await;
        } else {
            statement(json_rows(&updates)).execute(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(changes)
    }
}

fn select_ids(ids: &[i64]) -> QueryAs<'static, Sqlite, OutboxRow, SqliteArguments> {
    select("", Some(json_rows(ids)), -1)
}

fn select(
    state: &str,
    ids: Option<String>,
    limit: i64,
) -> QueryAs<'_, Sqlite, OutboxRow, SqliteArguments> {
    let rows = sqlx::query_as(sql::LIST_OUTBOX).bind(state);
    rows.bind(ids).bind(limit)
}

//! What a person does with rows of the outbox, beside a running service or without one: look, send
//! again, end.
//!
//! Each command is one transaction. What may be done with a row is judged inside it, by the row as
//! it is then: a row that is being sent is never touched, and one that may have been sent is sent
//! again only for somebody who knows that.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use crate::store::conversations::time;
use crate::store::keys::json_rows;
use crate::store::{Store, StoreError, sql};

/// Free messages are taken for 24 hours after the person's last one. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
const SERVICE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A row as a person looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// `outbox.id`.
    pub id: i64,
    /// Whose conversation.
    pub conversation_id: i64,
    /// `message`, `read_mark`, `download` or `action`.
    pub kind: String,
    /// `queued`, `sending`, `unknown` or `held`.
    pub state: String,
    /// Our number, by Meta's id.
    pub phone_number_id: String,
    /// Of an action: whom it asks.
    pub host: Option<String>,
    /// Name, else phone with a plus, else user id.
    pub contact: String,
    /// Digits, when known.
    pub phone: Option<String>,
    /// As in `messages.kind`.
    pub message_kind: Option<String>,
    /// The text of the message that it is about: ours to send, or theirs to mark read or fetch the
    /// file of.
    pub text: Option<String>,
    /// The rule that gave it.
    pub rule: Option<String>,
    /// Since when it waits.
    pub since: Option<Timestamp>,
    /// Not tried before.
    pub due_at: Timestamp,
    /// Not tried after.
    pub expires_at: Timestamp,
    /// Being sent: until when it is the sender's alone; unknown: since when a receipt is waited
    /// for.
    pub lease_until: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last try met.
    pub reason: Option<String>,
    /// What each try met, as far as it is known.
    pub tries: Vec<Try>,
    /// The row of the same conversation that must go before it.
    pub behind: Option<i64>,
    /// When the person wrote last to this number.
    pub last_inbound: Option<Timestamp>,
    /// The person wants nothing from us.
    pub opted_out: bool,
}

/// One try that did not end in "accepted".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// Which one, from 1.
    pub attempt: u32,
    /// When it ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// Graph's error code, when there was one.
    pub code: Option<i64>,
    /// What it met.
    pub reason: String,
}

/// Whether what may have been sent may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The person knows that it may arrive twice.
    Accepted,
    /// Nobody was asked.
    Refused,
}

/// What was done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is due now, and is tried until then.
    Queued {
        /// Its new end.
        expires_at: Timestamp,
    },
    /// It has left the outbox.
    Dropped,
}

/// Why nothing was done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// No such row.
    #[error("it is not in the outbox: it was sent, or given up before")]
    Gone,
    /// Its lease holds.
    #[error("it is being sent right now")]
    BeingSent,
    /// An action is the service's own.
    #[error(
        "it is an action: a conversation waits for what comes of it, and the service ends it by itself"
    )]
    Action,
    /// A read mark is not worth it.
    #[error("it is a read mark, which is sent once or not at all")]
    ReadMark,
    /// Meta takes no free message any more.
    #[error(
        "more than 24 hours have passed since the contact's last message: only a template may be sent now"
    )]
    WindowClosed,
    /// The person wants nothing from us.
    #[error("the person wants nothing from us any more")]
    OptedOut,
    /// It may have been sent, and [`Repeat::Refused`].
    #[error("it may have been sent already, and nobody was asked whether it may arrive twice")]
    MayArriveTwice,
}

/// What [`Store::retry_by_hand`] does.
#[derive(Clone, Debug)]
pub struct RetryByHand {
    /// `outbox.id` of each.
    pub ids: Vec<i64>,
    /// Whether those that may have been sent are meant too.
    pub repeat: Repeat,
    /// How long each is tried from now on.
    pub give_up_after: Duration,
    /// The time of the command.
    pub now: Timestamp,
}

impl OutboxRow {
    /// Whether the person may have this message already.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.kind == "message" && matches!(self.state.as_str(), "sending" | "unknown" | "held")
    }

    fn is_being_sent(&self, now: Timestamp) -> bool {
        self.state == "sending" && self.lease_until.is_none_or(|until| until > now)
    }

    /// What a retry would do.
    ///
    /// # Errors
    /// [`NotDone`] says why it would do nothing.
    pub fn retried(&self, asked: &RetryByHand) -> Result<Done, NotDone> {
        let now = asked.now;
        if self.is_being_sent(now) {
            return Err(NotDone::BeingSent);
        }
        match self.kind.as_str() {
            "action" => return Err(NotDone::Action),
            "read_mark" => return Err(NotDone::ReadMark),
            // Meta's own time, which nobody here can make longer.
            "download" => {
                let expires_at = self.expires_at;
                return Ok(Done::Queued { expires_at });
            }
            _ => {}
        }
        if self.opted_out {
            return Err(NotDone::OptedOut);
        }
        if self.may_have_been_sent() && asked.repeat == Repeat::Refused {
            return Err(NotDone::MayArriveTwice);
        }
        let wait = SignedDuration::try_from(asked.give_up_after).unwrap_or(SignedDuration::MAX);
        let worth = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        if self.message_kind.as_deref() == Some("template") {
            return Ok(Done::Queued { expires_at: worth });
        }
        let window = self
            .last_inbound
            .and_then(|last| last.saturating_add(SERVICE_WINDOW).ok())
            .filter(|closes| *closes > now)
            .ok_or(NotDone::WindowClosed)?;
        let expires_at = worth.min(window);
        Ok(Done::Queued { expires_at })
    }

    /// What dropping it would do.
    ///
    /// # Errors
    /// [`NotDone`] says why it would do nothing.
    pub fn dropped(&self, now: Timestamp) -> Result<Done, NotDone> {
        if self.is_being_sent(now) {
            return Err(NotDone::BeingSent);
        }
        if self.kind == "action" {
            return Err(NotDone::Action);
        }
        Ok(Done::Dropped)
    }

    /// What the history says of it then.
    fn dropped_reason(&self) -> &'static str {
        if self.may_have_been_sent() {
            "dropped by hand; it may have been sent"
        } else {
            "dropped by hand"
        }
    }
}

impl Store {
    /// Rows of the outbox, oldest first; only those of a state when one is named.
    ///
    /// # Errors
    /// `Database`.
    pub async fn look_at_outbox(
        &self,
        state: Option<&str>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let look = sqlx::query_as(sql::LIST_OUTBOX)
            .bind(state.unwrap_or_default())
            .bind(None::<String>)
            .bind(i64::from(limit));
        Ok(look.fetch_all(&self.read).await?)
    }

    /// Those of these rows that are there.
    ///
    /// # Errors
    /// `Database`.
    pub async fn look_at_rows(&self, ids: &[i64]) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(of_ids(ids).fetch_all(&self.read).await?)
    }

    /// Puts rows to the front of the outbox, due now; says for each what was done, or why nothing
    /// was.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn retry_by_hand(
        &self,
        asked: &RetryByHand,
    ) -> Result<Vec<(i64, Result<Done, NotDone>)>, StoreError> {
        #[derive(Serialize)]
        struct Retried {
            id: i64,
            expires_at_ms: i64,
        }
        let mut tx = self.begin().await?;
        let there = by_id(of_ids(&asked.ids).fetch_all(&mut tx).await?);
        let ends = judged(&asked.ids, &there, |row| row.retried(asked));
        let retried: Vec<Retried> = ends
            .iter()
            .filter_map(|(id, end)| match end {
                Ok(Done::Queued { expires_at }) => Some(Retried {
                    id: *id,
                    expires_at_ms: expires_at.as_millisecond(),
                }),
                Ok(Done::Dropped) | Err(_) => None,
            })
            .collect();
        if retried.is_empty() {
            tx.roll_back().await;
        } else {
            let retry = sqlx::query(sql::RETRY_BY_HAND).bind(json_rows(&retried));
            retry
                .bind(asked.now.as_millisecond())
                .execute(&mut tx)
                .await?;
            tx.commit().await?;
        }
        Ok(ends)
    }

    /// Ends rows for good; says for each what was done, or why nothing was.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`.
    pub async fn drop_by_hand(
        &self,
        ids: &[i64],
        now: Timestamp,
    ) -> Result<Vec<(i64, Result<Done, NotDone>)>, StoreError> {
        #[derive(Serialize)]
        struct Dropped {
            id: i64,
            reason: &'static str,
        }
        let mut tx = self.begin().await?;
        let there = by_id(of_ids(ids).fetch_all(&mut tx).await?);
        let ends = judged(ids, &there, |row| row.dropped(now));
        let dropped: Vec<Dropped> = ends
            .iter()
            .filter(|(_, end)| end.is_ok())
            .filter_map(|(id, _)| there.get(id))
            .map(|row| Dropped {
                id: row.id,
                reason: row.dropped_reason(),
            })
            .collect();
        if dropped.is_empty() {
            tx.roll_back().await;
        } else {
            let drop = sqlx::query(sql::END_BY_HAND).bind(json_rows(&dropped));
            drop.execute(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(ends)
    }
}

type Look<'q> = sqlx::query::QueryAs<'q, sqlx::Sqlite, OutboxRow, sqlx::sqlite::SqliteArguments>;

fn of_ids(ids: &[i64]) -> Look<'static> {
    sqlx::query_as(sql::LIST_OUTBOX)
        .bind("")
        .bind(json_rows(ids))
        .bind(-1_i64)
}

fn by_id(found: Vec<OutboxRow>) -> HashMap<i64, OutboxRow> {
    found.into_iter().map(|row| (row.id, row)).collect()
}

fn judged(
    ids: &[i64],
    there: &HashMap<i64, OutboxRow>,
    judge: impl Fn(&OutboxRow) -> Result<Done, NotDone>,
) -> Vec<(i64, Result<Done, NotDone>)> {
    ids.iter()
        .map(|id| (*id, there.get(id).ok_or(NotDone::Gone).and_then(&judge)))
        .collect()
}

impl<'r> FromRow<'r, SqliteRow> for OutboxRow {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        let must = |column| Ok::<_, sqlx::Error>(time(row, column)?.unwrap_or(Timestamp::MAX));
        let tries: String = row.try_get("tries")?;
        Ok(Self {
            id: row.try_get("id")?,
            conversation_id: row.try_get("conversation_id")?,
            kind: row.try_get("kind")?,
            state: row.try_get("state")?,
            phone_number_id: row.try_get("phone_number_id")?,
            host: row.try_get("host")?,
            contact: row.try_get("contact")?,
            phone: row.try_get("phone")?,
            message_kind: row.try_get("message_kind")?,
            text: row.try_get("text")?,
            rule: row.try_get("rule_id")?,
            since: time(row, "since_ms")?,
            due_at: must("due_at_ms")?,
            expires_at: must("expires_at_ms")?,
            lease_until: time(row, "lease_until_ms")?,
            attempts: row.try_get("attempts")?,
            reason: row.try_get("reason")?,
            // For people: what cannot be read is not worth an error.
            tries: serde_json::from_str(&tries).unwrap_or_default(),
            behind: row.try_get("behind")?,
            last_inbound: time(row, "last_inbound_ms")?,
            opted_out: row.try_get("opted_out")?,
        })
    }
}

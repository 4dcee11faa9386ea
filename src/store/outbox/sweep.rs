//! Moves on what nobody settles: rows whose sender is gone, rows of unknown fate, and rows past
//! their time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::keys::json_rows;
use crate::store::{Store, StoreError, sql};

/// Why a row is unknown whose sender is gone.
const SENDER_GONE: &str = "the sender stopped before the answer came";

/// What [`Store::sweep`] did with messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows that were being sent by somebody who is gone.
    pub unknown: Vec<i64>,
    /// Messages that waited past their time.
    pub expired: Vec<ExpiredMessage>,
    /// Rows unknown for too long, and why they are: a person decides.
    pub held: Vec<(i64, String)>,
}

/// A message that was not sent in its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredMessage {
    /// `outbox.id`, which is free now.
    pub id: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// How long it was worth trying.
    pub waited: Duration,
    /// Graph's error code of the last try, when there was one.
    pub code: Option<i64>,
}

/// What the statement finds.
#[derive(Deserialize)]
struct Unsettled {
    held: Vec<HeldRow>,
    lost: Vec<LostRow>,
    expired: Vec<ExpiredRow>,
}

#[derive(Deserialize)]
struct HeldRow {
    id: i64,
    message_id: i64,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct LostRow {
    id: i64,
    message_id: i64,
}

#[derive(Deserialize)]
struct ExpiredRow {
    id: i64,
    message_id: i64,
    attempts: u32,
    reason: Option<String>,
    code: Option<i64>,
    stored_at_ms: i64,
    expires_at_ms: i64,
}

impl ExpiredRow {
    fn waited(&self) -> Duration {
        let milliseconds = self.expires_at_ms.saturating_sub(self.stored_at_ms);
        Duration::from_millis(milliseconds.try_into().unwrap_or_default())
    }

    /// `tried 14 times for 15m, last: error 2: Meta's API is down for a moment`.
    fn told(&self) -> String {
        let waited = readable(self.waited());
        match (self.attempts, &self.reason) {
            (0, _) => format!("waited {waited} and never had its turn"),
            (1, Some(last)) => format!("tried once in {waited}: {last}"),
            (attempts, Some(last)) => format!("tried {attempts} times for {waited}, last: {last}"),
            (attempts, None) => format!("tried {attempts} times for {waited}"),
        }
    }
}

/// The largest unit in which it is two or more.
fn readable(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7_199 => format!("{}m", seconds / 60),
        seconds => format!("{}h", seconds / 3_600),
    }
}

/// A row on its way to another state.
#[derive(Serialize)]
struct Moved {
    id: i64,
    message_id: i64,
    state: &'static str,
    /// `None` keeps the reason that is there.
    reason: Option<String>,
}

impl Unsettled {
    fn moved(&self) -> Vec<Moved> {
        let held = self.held.iter().map(|row| Moved {
            id: row.id,
            message_id: row.message_id,
            state: "held",
            reason: None,
        });
        let lost = self.lost.iter().map(|row| Moved {
            id: row.id,
            message_id: row.message_id,
            state: "unknown",
            reason: Some(SENDER_GONE.to_owned()),
        });
        let expired = self.expired.iter().map(|row| Moved {
            id: row.id,
            message_id: row.message_id,
            state: "expired",
            reason: Some(row.told()),
        });
        held.chain(lost).chain(expired).collect()
    }

    fn freed(self) -> Swept {
        let expired = self.expired.iter().map(|row| ExpiredMessage {
            id: row.id,
            attempts: row.attempts,
            waited: row.waited(),
            code: row.code,
        });
        Swept {
            unknown: self.lost.iter().map(|row| row.id).collect(),
            expired: expired.collect(),
            held: self
                .held
                .into_iter()
                .map(|row| (row.id, row.reason.unwrap_or_default()))
                .collect(),
        }
    }
}

impl Store {
    /// Moves on what nobody settles: rows whose sender is gone become unknown, rows past their time
    /// expire, rows unknown for longer than `unknown_wait` are held. Files that Meta has dropped
    /// leave too, whether or not anybody fetches files.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`, `Corrupt`.
    pub async fn sweep(&self, now: Timestamp, unknown_wait: Duration) -> Result<Swept, StoreError> {
        let wait = SignedDuration::try_from(unknown_wait).unwrap_or(SignedDuration::MAX);
        let since = now.saturating_sub(wait).unwrap_or(Timestamp::MIN);
        let now = now.as_millisecond();
        let mut tx = self.begin().await?;
        let unsettled = sqlx::query_scalar(sql::LOAD_UNSETTLED)
            .bind(now)
            .bind(since.as_millisecond());
        let unsettled: Unsettled = tx.fetch_json(unsettled, "outbox").await?;
        let moved = unsettled.moved();
        if !moved.is_empty() {
            let move_on = sqlx::query(sql::SWEEP_MESSAGES)
                .bind(json_rows(&moved))
                .bind(now);
            move_on.execute(&mut tx).await?;
        }
        let mut gone = 0;
        for text in [sql::SWEEP_READ_MARKS, sql::EXPIRE_DOWNLOADS] {
            let drop = sqlx::query(text).bind(now).execute(&mut tx).await?;
            gone += drop.rows_affected();
        }
        if moved.is_empty() && gone == 0 {
            tx.roll_back().await;
            return Ok(Swept::default());
        }
        tx.commit().await?;
        Ok(unsettled.freed())
    }
}

//! Sweep of rows without a settlement: those whose sender is gone, unknown ones, and expired ones.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::counted;
use crate::store::keys::json_rows;
use crate::store::{Store, StoreError, sql};

/// Reason of a row that is unknown because its sender is gone.
const SENDER_GONE: &str = "the sender stopped before the answer came";

/// Messages that [`Store::sweep`] moved to another state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows whose sender is gone, by `outbox.id`.
    pub unknown: Vec<i64>,
    /// Messages that expired.
    pub expired: Vec<ExpiredMessage>,
    /// Rows that were unknown for too long and now wait for an operator, with their reason.
    pub held: Vec<(i64, String)>,
}

/// A message that expired before it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredMessage {
    /// Former `outbox.id`.
    pub id: i64,
    /// Number of attempts.
    pub attempts: u32,
    /// Time from storage to expiry.
    pub waited: Duration,
    /// Graph's error code of the last attempt, if there was one.
    pub code: Option<i64>,
}

/// Result of the statement.
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

    /// Formats the reason: `tried 14 times for 15m, last: error 2: Meta's API is down for a
    /// moment`.
    fn reason(&self) -> String {
        let waited = readable(self.waited());
        match (self.attempts, &self.reason) {
            (0, _) => format!("waited {waited} and never had its turn"),
            (1, Some(last)) => format!("tried once in {waited}: {last}"),
            (attempts, Some(last)) => {
                format!(
                    "tried {} for {waited}, last: {last}",
                    counted(attempts, "time")
                )
            }
            (attempts, None) => format!("tried {} for {waited}", counted(attempts, "time")),
        }
    }
}

/// Formats a duration in the largest unit of which it has at least two.
fn readable(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7_199 => format!("{}m", seconds / 60),
        seconds => format!("{}h", seconds / 3_600),
    }
}

/// A row with its new state.
#[derive(Serialize)]
struct Move {
    id: i64,
    message_id: i64,
    state: &'static str,
    /// `None` keeps the stored reason.
    reason: Option<String>,
}

impl Unsettled {
    fn moves(&self) -> Vec<Move> {
        let moved = |id, message_id, state, reason| Move {
            id,
            message_id,
            state,
            reason,
        };
        let gone = || Some(SENDER_GONE.to_owned());
        let held = self.held.iter();
        let held = held.map(|row| moved(row.id, row.message_id, "held", None));
        let lost = self.lost.iter();
        let lost = lost.map(|row| moved(row.id, row.message_id, "unknown", gone()));
        let expired = self.expired.iter();
        let expired =
            expired.map(|row| moved(row.id, row.message_id, "expired", Some(row.reason())));
        held.chain(lost).chain(expired).collect()
    }

    fn into_swept(self) -> Swept {
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
    /// Moves rows without a settlement to their next state: rows whose sender is gone become
    /// unknown, rows past their time expire, and rows unknown for longer than `unknown_wait` are
    /// held. Downloads of files that Meta has deleted end, whether or not downloads are on.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`, `Corrupt`.
    pub async fn sweep(&self, now: Timestamp, unknown_wait: Duration) -> Result<Swept, StoreError> {
        let since = now.saturating_sub(unknown_wait);
        let since = since.unwrap_or(Timestamp::MIN);
        let now = now.as_millisecond();
        let mut tx = self.begin().await?;
        let unsettled = sqlx::query_scalar(sql::LOAD_UNSETTLED)
            .bind(now)
            .bind(since.as_millisecond());
        let unsettled: Unsettled = tx.fetch_json(unsettled, "outbox").await?;
        let moves = unsettled.moves();
        if !moves.is_empty() {
            let move_on = sqlx::query(sql::SWEEP_MESSAGES)
                .bind(json_rows(&moves))
                .bind(now);
            move_on.execute(&mut tx).await?;
        }
        let mut deleted = 0;
        for text in [sql::SWEEP_READ_MARKS, sql::EXPIRE_DOWNLOADS] {
            let drop = sqlx::query(text).bind(now).execute(&mut tx).await?;
            deleted += drop.rows_affected();
        }
        if moves.is_empty() && deleted == 0 {
            tx.roll_back().await;
            return Ok(Swept::default());
        }
        tx.commit().await?;
        Ok(unsettled.into_swept())
    }
}

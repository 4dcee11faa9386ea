//! Timers: runs everything whose time has come (debounce, flow timeouts, scheduled replies).

use jiff::Timestamp;
use serde::Deserialize;

use super::load::{ConversationWithContact, Fresh};
use super::policy::{Decide, ReceivePolicy, Received};
use crate::store::{Store, StoreError, sql};

/// Conversations with a timer that is due.
#[derive(Deserialize)]
struct Due {
    conversations: Vec<ConversationWithContact>,
    last_message: i64,
}

impl Store {
    /// Time of the next timer.
    ///
    /// # Errors
    /// `Database`.
    pub async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(sql::NEXT_TIMER)
            .fetch_one(&self.read)
            .await?;
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    /// Runs the timers that are due, in at most `limit` conversations, in one transaction.
    ///
    /// # Errors
    /// As [`Store::receive`].
    pub async fn wake(
        &self,
        limit: u32,
        policy: ReceivePolicy,
        decide: &Decide,
    ) -> Result<Received, StoreError> {
        let mut tx = self.begin().await?;
        let due = sqlx::query_scalar(sql::LOAD_DUE)
            .bind(policy.now.as_millisecond())
            .bind(limit);
        let due: Due = tx.fetch_json(due, "conversations").await?;
        let fresh = Fresh::from_timers(due.conversations, due.last_message)?;
        if fresh.events.is_empty() {
            tx.roll_back().await;
            return Ok(Received::default());
        }
        let rows = fresh.decide(decide, policy.now).into_rows(policy, None);
        let received = rows.write(&mut tx).await?;
        tx.commit().await?;
        Ok(received)
    }
}

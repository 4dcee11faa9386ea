//! Records what came of sending.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use super::{SendResult, Settled, Settlement};
use crate::message::PhoneNumberId;
use crate::store::keys::{json_rows, message_key};
use crate::store::{Store, StoreError, sql};

/// A settlement as the statements read it.
#[derive(Serialize)]
struct End {
    id: i64,
    claim_token: String,
    /// Of the outbox row and its message; `None` when the message's own state stays as it is.
    state: Option<&'static str>,
    reason: Option<String>,
    code: Option<i64>,
    wamid: Option<String>,
    message_key: Option<String>,
    due_at_ms: Option<i64>,
    attempts_back: u32,
    #[serde(skip)]
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The row stays; the message is as before.
    Stays,
    /// The row stays; the message tells that it is unknown.
    StaysTold,
    /// The row leaves; the message tells how it ended.
    Leaves,
}

impl End {
    fn of(settlement: Settlement) -> Self {
        let mut end = Self {
            id: settlement.id,
            claim_token: settlement.claim_token,
            state: Some("queued"),
            reason: None,
            code: None,
            wamid: None,
            message_key: None,
            due_at_ms: None,
            attempts_back: 0,
            fate: Fate::Stays,
        };
        match settlement.outcome {
            SendResult::Accepted(wamid) => {
                end.state = Some("accepted");
                end.fate = Fate::Leaves;
                let number = settlement.phone_number_id.as_str();
                end.message_key = wamid
                    .as_ref()
                    .map(|wamid| message_key(number, wamid.as_str()));
                end.wamid = wamid.map(|wamid| wamid.as_str().to_owned());
            }
            SendResult::Retry { at, reason } => {
                end.due_at_ms = Some(at.as_millisecond());
                end.code = reason.code;
                end.reason = Some(reason.text);
            }
            SendResult::Unknown { reason } => {
                end.state = Some("unknown");
                end.reason = Some(reason);
                end.fate = Fate::StaysTold;
            }
            SendResult::Dead { reason } => {
                end.state = Some("dead");
                end.reason = Some(reason);
                end.fate = Fate::Leaves;
            }
            SendResult::Released => end.attempts_back = 1,
        }
        end
    }
}

impl Store {
    /// Records what came of claims, all in one transaction. A claim that is not ours any more is
    /// left alone.
    ///
    /// # Errors
    /// `CommitUnknown`, `Database`. After either nothing may be sent again: the rows become unknown
    /// when their lease ends.
    pub async fn settle_outbox(
        &self,
        settlements: Vec<Settlement>,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let came = settlements.len() as u64;
        let mut ends: Vec<End> = settlements.into_iter().map(End::of).collect();
        // A gateway that gives one id to two messages must not stop the whole batch at the unique
        // key.
        let mut keys: HashSet<String> = HashSet::new();
        for end in &mut ends {
            end.message_key = end
                .message_key
                .take()
                .filter(|key| keys.insert(key.clone()));
        }
        let of = |fates: &[Fate]| -> Vec<&End> {
            ends.iter()
                .filter(|end| fates.contains(&end.fate))
                .collect()
        };

        let mut tx = self.begin().await?;
        let told = of(&[Fate::StaysTold, Fate::Leaves]);
        if !told.is_empty() {
            sqlx::query(sql::SETTLE_MESSAGES)
                .bind(json_rows(&told))
                .execute(&mut tx)
                .await?;
        }
        let mut settled = 0;
        let kept = of(&[Fate::Stays, Fate::StaysTold]);
        if !kept.is_empty() {
            let keep = sqlx::query(sql::SETTLE_ROWS)
                .bind(json_rows(&kept))
                .bind(now.as_millisecond());
            settled += keep.execute(&mut tx).await?.rows_affected();
        }
        let gone = of(&[Fate::Leaves]);
        if !gone.is_empty() {
            let drop = sqlx::query(sql::DELETE_ROWS).bind(json_rows(&gone));
            settled += drop.execute(&mut tx).await?.rows_affected();
        }
        if !keys.is_empty() {
            // Receipts may have come before the gateway's answer.
            let keys: Vec<&String> = keys.iter().collect();
            sqlx::query(sql::UPDATE_DELIVERY_STATUS)
                .bind(json_rows(&keys))
                .execute(&mut tx)
                .await?;
        }
        tx.commit().await?;
        Ok(Settled {
            settled,
            stale: came.saturating_sub(settled),
        })
    }

    /// When the next row becomes due; `None` when none waits for a time. What expires or outlives
    /// its lease is found by [`Self::sweep`].
    ///
    /// # Errors
    /// `Database`.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(sql::NEXT_DUE)
            .bind(now.as_millisecond())
            .fetch_one(&self.read)
            .await?;
        Ok(at.map(|at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)))
    }

    /// The numbers that have something queued.
    ///
    /// # Errors
    /// `Database`.
    pub async fn outbox_numbers(&self) -> Result<Vec<PhoneNumberId>, StoreError> {
        let numbers: Vec<String> = sqlx::query_scalar(sql::OUTBOX_NUMBERS)
            .fetch_all(&self.read)
            .await?;
        Ok(numbers
            .into_iter()
            .filter_map(PhoneNumberId::parse)
            .collect())
    }
}

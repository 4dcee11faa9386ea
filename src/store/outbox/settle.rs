//! Records the results of sends.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use super::read_marks::settle_read_marks;
use super::{ReadMark, SendResult, Settled, Settlement};
use crate::message::{ErrorClass, MARKETING_STOPPED, PhoneNumberId, WINDOW_CLOSED};
use crate::store::keys::{json, json_rows, message_key};
use crate::store::transaction::Transaction;
use crate::store::writes::{Row, Values, Writes};
use crate::store::{Store, StoreError, contacts, early_receipts, sql};

/// A settlement as a row of the statements.
#[derive(Serialize)]
struct End<'a> {
    id: i64,
    claim_token: &'a str,
    /// State of the outbox row, and of its message unless the fate is [`Fate::Stays`].
    state: &'static str,
    reason: Option<&'a str>,
    code: Option<i64>,
    /// Of a message that will never be sent.
    class: Option<&'static str>,
    wamid: Option<&'a str>,
    message_key: Option<String>,
    due_at_ms: Option<i64>,
    attempts_back: u32,
    #[serde(skip)]
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The row stays; its message is unchanged.
    Stays,
    /// The row stays; its message becomes unknown.
    StaysUnknown,
    /// The row leaves; its message gets its final state.
    Leaves,
}

impl<'a> End<'a> {
    fn new(settlement: &'a Settlement) -> Self {
        let mut end = Self {
            id: settlement.id,
            claim_token: &settlement.claim_token,
            state: "queued",
            reason: None,
            code: None,
            class: None,
            wamid: None,
            message_key: None,
            due_at_ms: None,
            attempts_back: 0,
            fate: Fate::Stays,
        };
        match &settlement.outcome {
            SendResult::Accepted(wamid) => {
                end.state = "accepted";
                end.fate = Fate::Leaves;
                let number = settlement.phone_number_id.as_str();
                end.message_key = Some(message_key(number, wamid.as_str()));
                end.wamid = Some(wamid.as_str());
            }
            SendResult::Retry { at, reason } => {
                end.due_at_ms = Some(at.as_millisecond());
                end.code = reason.code;
                end.reason = Some(&reason.text);
            }
            SendResult::Unknown { reason } => {
                end.state = "unknown";
                end.reason = Some(reason);
                end.fate = Fate::StaysUnknown;
            }
            SendResult::Dead { reason } => {
                end.state = "dead";
                end.code = reason.code;
                end.class = reason.class.map(ErrorClass::name);
                end.reason = Some(&reason.text);
                end.fate = Fate::Leaves;
            }
            SendResult::Released => end.attempts_back = 1,
        }
        end
    }
}

impl Row for &End<'_> {
    fn bind(self, values: &mut Values) {
        values.push(self.claim_token).push(self.state);
        values.push(self.reason).push(self.code).push(self.class);
        values.push(self.wamid).push(self.message_key.as_deref());
    }
}

/// Records the results of claims and deletes the read marks that were tried. A claim that has ended
/// is ignored.
pub(in crate::store) async fn settle(
    tx: &mut Transaction,
    settlements: &[Settlement],
    tried: &[ReadMark],
    now: Timestamp,
) -> Result<Settled, StoreError> {
    settle_read_marks(tx, tried).await?;
    if settlements.is_empty() {
        return Ok(Settled::default());
    }
    let count = settlements.len() as u64;
    let reports = settlements.iter().filter_map(|settlement| {
        let number = settlement.phone_number_id.clone();
        Some((number, settlement.report.clone()?))
    });
    let reports: Vec<_> = reports.collect();
    let mut ends: Vec<End<'_>> = settlements.iter().map(End::new).collect();
    // A gateway that gives one id to two messages must not fail the whole batch by the unique key.
    let mut keys: HashSet<String> = HashSet::new();
    for end in &mut ends {
        end.message_key.take_if(|key| !keys.insert(key.clone()));
    }
    let select = |fates: &[Fate]| -> Vec<&End<'_>> {
        let matching = ends.iter().filter(|end| fates.contains(&end.fate));
        matching.collect()
    };

    let reported = select(&[Fate::StaysUnknown, Fate::Leaves]);
    let mut writes = Writes::with_rows(reported.len());
    writes.rows(sql::SETTLE_MESSAGES, reported);
    writes.run(tx).await?;
    let is_lasting = |end: &&End<'_>| matches!(end.code, Some(WINDOW_CLOSED | MARKETING_STOPPED));
    let lasting: Vec<&End<'_>> = ends.iter().filter(is_lasting).collect();
    if !lasting.is_empty() {
        let remember = sqlx::query(sql::REMEMBER_REFUSALS).bind(json_rows(&lasting));
        let remember = remember.bind(now.as_millisecond());
        remember.execute(&mut *tx).await?;
    }
    let mut settled = 0;
    let staying = select(&[Fate::Stays, Fate::StaysUnknown]);
    if !staying.is_empty() {
        let settle = sqlx::query(sql::SETTLE_ROWS).bind(json_rows(&staying));
        let settle = settle.bind(now.as_millisecond());
        settled += settle.execute(&mut *tx).await?.rows_affected();
    }
    let leaving = select(&[Fate::Leaves]);
    if !leaving.is_empty() {
        let delete = sqlx::query(sql::DELETE_ROWS).bind(json_rows(&leaving));
        settled += delete.execute(&mut *tx).await?.rows_affected();
    }
    if !keys.is_empty() {
        early_receipts::take_into_messages(tx, &json(&keys)).await?;
    }
    contacts::hear(tx, &reports, now).await?;
    Ok(Settled {
        settled,
        stale: count.saturating_sub(settled),
    })
}

impl Store {
    /// Reads the time at which the next row becomes due; `None` if none waits for a time.
    /// [`Self::sweep`] finds rows that expire or outlive their lease.
    ///
    /// # Errors
    /// `Database`.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let at = sqlx::query_scalar(sql::NEXT_DUE).bind(now.as_millisecond());
        let at: Option<i64> = at.fetch_one(&self.read).await?;
        Ok(at.map(|at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)))
    }

    /// Reads the business numbers with queued rows.
    ///
    /// # Errors
    /// `Database`.
    pub async fn outbox_numbers(&self) -> Result<Vec<PhoneNumberId>, StoreError> {
        let numbers = sqlx::query_scalar(sql::OUTBOX_NUMBERS).fetch_all(&self.read);
        let numbers: Vec<String> = numbers.await?;
        let numbers = numbers.into_iter().filter_map(PhoneNumberId::parse);
        Ok(numbers.collect())
    }
}

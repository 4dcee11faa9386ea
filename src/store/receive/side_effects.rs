//! Rows that only some batches leave: late decisions, conversation events, actions.

use jiff::Timestamp;
use serde::Serialize;

use super::decide::DecidedTurn;
use super::opt_out::{self, Spread};
use crate::engine::Decision;
use crate::message::{RulesVersion, Wamid};
use crate::store::keys::{json, json_rows, message_key};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// The rows as JSON arrays.
pub(super) struct SideEffects {
    /// `None` if there are none: then no statement runs.
    sets: Option<[String; 3]>,
    /// Conversations whose contact opted out.
    pub(super) opted_out: Vec<i64>,
    /// Contacts who opted out at all numbers, perhaps to opt in again.
    pub(super) silenced: Vec<i64>,
    /// Contacts who opted out or in at all numbers, as they are in the end.
    pub(super) spread: Vec<Spread>,
}

#[derive(Serialize)]
struct LateDecisionRow<'a> {
    message_key: String,
    decision: Decision,
    explanation: String,
    rules_version: Option<&'a RulesVersion>,
}

#[derive(Serialize)]
struct ConversationEventRow<'a> {
    conversation_id: i64,
    kind: &'static str,
    text: &'a str,
    message_id: Option<i64>,
}

#[derive(Serialize)]
struct ActionRow {
    conversation_id: i64,
    number: u64,
    message_key: Option<String>,
    request: String,
}

impl SideEffects {
    /// Gathers the rows; new messages have the ids after `last_message`.
    pub(super) fn new(turns: &[DecidedTurn], last_message: i64) -> Self {
        let mut late_decisions = Vec::new();
        let mut events = Vec::new();
        let mut actions = Vec::new();
        let mut opted_out = Vec::new();
        let mut silenced = Vec::new();
        let mut spread: Vec<Spread> = Vec::new();
        let mut next_id = last_message + 1;
        for decided in turns {
            let message_id = decided.message.is_some().then_some(next_id);
            next_id += i64::from(message_id.is_some());
            let conversation_id = decided.conversation_id;
            let number = decided.phone_number_id.as_str();
            let key = |wamid: &Wamid| message_key(number, wamid.as_str());
            let turn = &decided.turn;
            late_decisions.extend(turn.late_decisions.iter().map(|late| LateDecisionRow {
                message_key: key(&late.message),
                decision: late.decision,
                explanation: json(&late.explanation),
                rules_version: decided.version.as_ref(),
            }));
            events.extend(
                turn.conversation_events
                    .iter()
                    .map(|event| ConversationEventRow {
                        conversation_id,
                        kind: event.kind.name(),
                        text: &event.text,
                        message_id: message_id.or(decided.replaces),
                    }),
            );
            actions.extend(turn.actions.iter().map(|requested| ActionRow {
                conversation_id,
                number: requested.number,
                message_key: requested.answers.as_ref().map(key),
                request: json(&requested.action),
            }));
            if opt_out::is_opt_out(turn) {
                opted_out.push(conversation_id);
            }
            if turn.is_for_all_numbers {
                if opt_out::is_opt_out(turn) {
                    silenced.push(decided.contact_id);
                }
                let at = turn.state.opted_out_at.map(Timestamp::as_millisecond);
                spread.retain(|row: &Spread| row.contact_id != decided.contact_id);
                spread.push(Spread {
                    contact_id: decided.contact_id,
                    opted_out_ms: at,
                });
            }
        }
        let is_empty = late_decisions.is_empty() && events.is_empty() && actions.is_empty();
        let sets = (!is_empty).then(|| {
            [
                json_rows(&late_decisions),
                json_rows(&events),
                json_rows(&actions),
            ]
        });
        Self {
            sets,
            opted_out,
            silenced,
            spread,
        }
    }

    /// Writes the rows, if there are some.
    pub(super) async fn write(
        &self,
        tx: &mut Transaction,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some([late_decisions, events, actions]) = &self.sets else {
            return Ok(());
        };
        sqlx::query(sql::INSERT_SIDE_EFFECTS)
            .bind(late_decisions)
            .bind(events)
            .bind(actions)
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        Ok(())
    }
}

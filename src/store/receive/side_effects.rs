//! What only some batches leave behind: decisions on messages that had waited, notes, actions,
//! replies that are called off.

use jiff::Timestamp;
use serde::Serialize;

use super::write::Decided;
use crate::engine::{ConversationEventKind, Decision};
use crate::message::RulesVersion;
use crate::store::{StoreError, Transaction, message_key, rows, sql};

/// The rows; mostly none.
pub(super) struct Rows<'a> {
    late_decisions: Vec<Concluded<'a>>,
    conversation_events: Vec<ConversationEventRow<'a>>,
    actions: Vec<ActionRow>,
    /// Conversations whose person opted out.
    pub(super) called_off: Vec<i64>,
}

#[derive(Serialize)]
struct Concluded<'a> {
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

impl<'a> Rows<'a> {
    /// Gathers them; new messages have the ids behind `last_id`.
    pub(super) fn of(decided: &'a [Decided<'a>], last_id: i64) -> Self {
        let mut all = Self {
            late_decisions: Vec::new(),
            conversation_events: Vec::new(),
            actions: Vec::new(),
            called_off: Vec::new(),
        };
        let mut next_id = last_id + 1;
        for one in decided {
            let message_id = one.is_on_a_message().then_some(next_id);
            next_id += i64::from(message_id.is_some());
            all.add(one, message_id);
        }
        all
    }

    fn add(&mut self, one: &'a Decided<'a>, message_id: Option<i64>) {
        let key = |wamid: &crate::message::Wamid| message_key(one.number.as_str(), wamid.as_str());
        for late_decisions in &one.turn.late_decisions {
            let explanation = serde_json::to_string(&late_decisions.explanation);
            self.late_decisions.push(Concluded {
                message_key: key(&late_decisions.message),
                decision: late_decisions.decision,
                explanation: explanation.expect("its keys are strings"),
                rules_version: one.version.as_ref(),
            });
        }
        for event in &one.turn.conversation_events {
            self.conversation_events.push(ConversationEventRow {
                conversation_id: one.conversation_id,
                kind: event.kind.name(),
                text: &event.text,
                message_id,
            });
            if event.kind == ConversationEventKind::OptedOut {
                self.called_off.push(one.conversation_id);
            }
        }
        for asked in &one.turn.actions {
            let request = serde_json::to_string(&asked.action);
            self.actions.push(ActionRow {
                conversation_id: one.conversation_id,
                number: asked.number,
                message_key: asked.answers.as_ref().map(key),
                request: request.expect("its keys are strings"),
            });
        }
    }

    /// Writes them, when there are some.
    pub(super) async fn write(
        &self,
        tx: &mut Transaction,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.late_decisions.is_empty()
            && self.conversation_events.is_empty()
            && self.actions.is_empty()
        {
            return Ok(());
        }
        sqlx::query(sql::INSERT_SIDE_EFFECTS)
            .bind(rows(&self.late_decisions))
            .bind(rows(&self.conversation_events))
            .bind(rows(&self.actions))
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        Ok(())
    }
}

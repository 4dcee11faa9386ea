//! What was decided: each new message in order, then everything written in sets.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::{Sqlite, Transaction};

use super::super::{StoreError, rows, sql};
use super::people::People;
use super::{Decide, ReceivePolicy};
use crate::message::{Inbound, Outbound, PhoneNumberId, RuleId, RulesVersion, Wamid};
use crate::turn::{Decision, Explanation, Turn};

/// Free replies are taken for 24 hours after the person's last message; two minutes stay unused, because
/// Meta's clock decides. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
const SERVICE_WINDOW: Duration = Duration::from_mins(1438);

/// A new message with its decision.
pub(super) struct Decided<'a> {
    key: &'a str,
    message: &'a Inbound,
    conversation_id: i64,
    pub(super) turn: Turn,
    /// `None` when the rules failed to give one.
    version: Option<RulesVersion>,
}

/// Decides on every message in order; each conversation's state flows from one to the next.
pub(super) fn decide_all<'a>(
    messages: &'a [(String, Inbound)],
    people: &mut People,
    now: Timestamp,
    decide: &Decide,
) -> Vec<Decided<'a>> {
    messages
        .iter()
        .enumerate()
        .map(|(index, (key, message))| {
            let loaded = people.of_message(index);
            let conversation = &mut loaded.conversation;
            // A rule that panics must not take its neighbours, or the process, with it.
            let decision = catch_unwind(AssertUnwindSafe(|| decide(conversation, message, now)));
            let (turn, version) = match decision {
                Ok((turn, version)) => (turn, Some(version)),
                Err(_) => (panicked(conversation.state.clone()), None),
            };
            conversation.state.clone_from(&turn.state);
            conversation.messages_before += 1;
            let sent_at = message.sent_at.as_millisecond();
            loaded.last_inbound_ms = loaded.last_inbound_ms.max(Some(sent_at));
            Decided {
                key,
                message,
                conversation_id: loaded.id,
                turn,
                version,
            }
        })
        .collect()
}

fn panicked(state: crate::message::State) -> Turn {
    Turn {
        decision: Decision::Failed,
        replies: Vec::new(),
        state,
        mark_read: false,
        explanation: Explanation {
            note: Some("the rules panicked on this message; please report it".to_owned()),
            ..Explanation::default()
        },
    }
}

/// Writes messages, replies and outbox rows; gives the number of outbox rows.
pub(super) async fn write(
    tx: &mut Transaction<'static, Sqlite>,
    decided: &[Decided<'_>],
    policy: ReceivePolicy,
) -> Result<usize, StoreError> {
    let ids = write_inbound(tx, decided, policy.now).await?;
    let mut outbox = write_replies(tx, decided, &ids, policy).await?;
    let marks = read_marks(decided, &ids, policy);
    if !marks.is_empty() {
        let conversations: Vec<i64> = marks.iter().map(|mark| mark.conversation_id).collect();
        let drop = sqlx::query(sql::DROP_OLDER_READ_MARKS).bind(rows(&conversations));
        drop.execute(&mut **tx).await?;
        outbox.extend(marks);
    }
    if !outbox.is_empty() {
        sqlx::query(sql::INSERT_OUTBOX)
            .bind(rows(&outbox))
            .bind(policy.now.as_millisecond())
            .execute(&mut **tx)
            .await?;
    }
    Ok(outbox.len())
}

#[derive(Serialize)]
struct OutboxRow<'a> {
    conversation_id: i64,
    phone_number_id: &'a PhoneNumberId,
    kind: &'static str,
    message_id: i64,
    expires_at_ms: i64,
}

async fn write_inbound(
    tx: &mut Transaction<'static, Sqlite>,
    decided: &[Decided<'_>],
    now: Timestamp,
) -> Result<HashMap<String, i64>, StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        conversation_id: i64,
        phone_number_id: &'a PhoneNumberId,
        wamid: &'a Wamid,
        message_key: &'a str,
        kind: &'a str,
        text: String,
        sent_at_ms: i64,
        raw: &'a str,
        decision: Decision,
        explanation: String,
        rules_version: Option<&'a RulesVersion>,
    }
    let new: Vec<Row<'_>> = decided
        .iter()
        .map(|one| Row {
            conversation_id: one.conversation_id,
            phone_number_id: &one.message.phone_number_id,
            wamid: &one.message.wamid,
            message_key: one.key,
            kind: one.message.content.kind_name(),
            text: one.message.content.transcript_text(),
            sent_at_ms: one.message.sent_at.as_millisecond(),
            raw: &one.message.raw,
            decision: one.turn.decision,
            explanation: serde_json::to_string(&one.turn.explanation)
                .expect("an explanation has string keys"),
            rules_version: one.version.as_ref(),
        })
        .collect();
    let inserted: Vec<(i64, String)> = sqlx::query_as(sql::INSERT_INBOUND)
        .bind(rows(&new))
        .bind(now.as_millisecond())
        .fetch_all(&mut **tx)
        .await?;
    Ok(inserted.into_iter().map(|(id, key)| (key, id)).collect())
}

async fn write_replies<'a>(
    tx: &mut Transaction<'static, Sqlite>,
    decided: &'a [Decided<'a>],
    ids: &HashMap<String, i64>,
    policy: ReceivePolicy,
) -> Result<Vec<OutboxRow<'a>>, StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        conversation_id: i64,
        phone_number_id: &'a PhoneNumberId,
        kind: &'static str,
        text: String,
        content: String,
        rules_version: Option<&'a RulesVersion>,
        rule_id: &'a RuleId,
        reply_to_id: i64,
        part: usize,
    }
    let content = |content: &Outbound| serde_json::to_string(content).expect("keys are strings");
    let new: Vec<Row<'_>> = decided
        .iter()
        .flat_map(|one| {
            one.turn
                .replies
                .iter()
                .enumerate()
                .map(move |(part, reply)| (one, part, reply))
        })
        .map(|(one, part, reply)| Row {
            conversation_id: one.conversation_id,
            phone_number_id: &one.message.phone_number_id,
            kind: reply.content.kind_name(),
            text: reply.content.transcript_text(),
            content: content(&reply.content),
            rules_version: one.version.as_ref(),
            rule_id: &reply.rule,
            reply_to_id: ids[one.key],
            part,
        })
        .collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let inserted: Vec<(i64, i64, i64)> = sqlx::query_as(sql::INSERT_OUTBOUND)
        .bind(rows(&new))
        .bind(policy.now.as_millisecond())
        .fetch_all(&mut **tx)
        .await?;
    let answered: HashMap<i64, &Decided<'_>> =
        decided.iter().map(|one| (ids[one.key], one)).collect();
    // RETURNING promises no order, and the order of these rows is the order of sending.
    let mut inserted = inserted;
    inserted.sort_unstable();
    Ok(inserted
        .into_iter()
        .map(|(message_id, reply_to_id, _)| {
            let one = answered[&reply_to_id];
            OutboxRow {
                conversation_id: one.conversation_id,
                phone_number_id: &one.message.phone_number_id,
                kind: "message",
                message_id,
                expires_at_ms: expires_at(one.message, policy),
            }
        })
        .collect())
}

/// One mark per conversation: the newest message stands for all before it.
fn read_marks<'a>(
    decided: &'a [Decided<'a>],
    ids: &HashMap<String, i64>,
    policy: ReceivePolicy,
) -> Vec<OutboxRow<'a>> {
    let mut newest: HashMap<i64, &Decided<'_>> = HashMap::new();
    for one in decided.iter().filter(|one| one.turn.mark_read) {
        newest.insert(one.conversation_id, one);
    }
    let mut marks: Vec<OutboxRow<'_>> = newest
        .into_values()
        .map(|one| OutboxRow {
            conversation_id: one.conversation_id,
            phone_number_id: &one.message.phone_number_id,
            kind: "read_mark",
            message_id: ids[one.key],
            expires_at_ms: expires_at(one.message, policy),
        })
        .collect();
    marks.sort_unstable_by_key(|mark| mark.message_id);
    marks
}

/// The earlier of "no longer useful" and "WhatsApp takes no free reply any more".
fn expires_at(message: &Inbound, policy: ReceivePolicy) -> i64 {
    let after = |start: Timestamp, by: Duration| {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        start
            .saturating_add(by)
            .unwrap_or(Timestamp::MAX)
            .as_millisecond()
    };
    let useful = after(policy.now, policy.reply_expires_after);
    useful.min(after(message.sent_at, SERVICE_WINDOW))
}

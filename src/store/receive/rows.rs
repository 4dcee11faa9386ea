//! Rows of a batch as the statements take them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::batch::{ConversationMessage, KeyedMessage};
use super::decide::DecidedTurn;
use super::load::LoadedConversation;
use super::policy::{MediaPolicy, ReceivePolicy};
use crate::engine::{Decision, Reply};
use crate::message::{Content, Outbound, PhoneNumberId, RulesVersion, Wamid};
use crate::store::ReadMark;
use crate::store::keys::{json, message_key};
use crate::store::writes::{Row, Values};

/// Free replies are accepted for 24 hours after the contact's last message; two minutes stay
/// unused, because Meta's clock decides. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
const SERVICE_WINDOW: Duration = Duration::from_mins(1438);

/// Files from webhooks stay with Meta for 7 days. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
const MEDIA_LIFE: Duration = Duration::from_hours(7 * 24);

pub(super) struct ConversationRow<'a> {
    id: i64,
    contact_id: i64,
    phone_number_id: &'a PhoneNumberId,
    state: String,
    inbound_count: u64,
    last_inbound_ms: Option<i64>,
    last_message_ms: i64,
    next_timer_ms: Option<i64>,
    opted_out_ms: Option<i64>,
}

impl<'a> ConversationRow<'a> {
    pub(super) fn new(loaded: &'a LoadedConversation, now: Timestamp) -> Self {
        let conversation = &loaded.conversation;
        let state = &conversation.state;
        Self {
            id: loaded.id,
            contact_id: loaded.contact_id,
            phone_number_id: &conversation.phone_number_id,
            state: json(state),
            inbound_count: conversation.inbound_count,
            last_inbound_ms: loaded.last_inbound_ms,
            last_message_ms: now.as_millisecond(),
            next_timer_ms: state.next_timer().map(Timestamp::as_millisecond),
            opted_out_ms: state.opted_out_at.map(Timestamp::as_millisecond),
        }
    }
}

impl Row for ConversationRow<'_> {
    fn bind(self, values: &mut Values) {
        values.push(self.id).push(self.contact_id);
        values.push(self.phone_number_id.as_str()).push(self.state);
        values.push(self.inbound_count.cast_signed());
        values.push(self.last_inbound_ms).push(self.last_message_ms);
        values.push(self.next_timer_ms).push(self.opted_out_ms);
    }
}

/// An inbound or outbound message; columns of the other direction stay NULL.
pub(super) struct MessageRow<'a> {
    id: i64,
    conversation_id: i64,
    direction: &'static str,
    phone_number_id: &'a PhoneNumberId,
    wamid: Option<&'a str>,
    message_key: Option<&'a str>,
    kind: &'a str,
    text: String,
    origin: &'static str,
    quoted_wamid: Option<&'a str>,
    sent_at_ms: i64,
    stored_at_ms: i64,
    raw: Cow<'a, str>,
    decision: Option<Decision>,
    explanation: Option<String>,
    rules_version: Option<&'a RulesVersion>,
    rule_id: Option<&'a str>,
    reply_to_id: Option<i64>,
    part: Option<usize>,
    variant: Option<usize>,
    outbox_state: Option<&'static str>,
    instead: Option<String>,
}

impl Row for MessageRow<'_> {
    fn bind(self, values: &mut Values) {
        let index = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
        values.push(self.id).push(self.conversation_id);
        values
            .push(self.direction)
            .push(self.phone_number_id.as_str());
        values.push(self.wamid).push(self.message_key);
        values.push(self.kind).push(self.text).push(self.origin);
        values.push(self.quoted_wamid);
        values.push(self.sent_at_ms).push(self.stored_at_ms);
        values.push(&*self.raw);
        values.push(self.decision.map(Decision::name));
        values.push(self.explanation);
        values.push(self.rules_version.map(RulesVersion::as_str));
        values.push(self.rule_id).push(self.reply_to_id);
        values
            .push(self.part.map(index))
            .push(self.variant.map(index));
        values.push(self.outbox_state).push(self.instead);
    }
}

/// A reply to a message that came in an earlier batch.
#[derive(Serialize)]
pub(super) struct LateReply {
    id: i64,
    message_key: String,
}

pub(super) struct OutboxRow<'a> {
    /// `None`: the database gives the next one.
    pub(super) id: Option<i64>,
    pub(super) conversation_id: i64,
    phone_number_id: &'a PhoneNumberId,
    kind: &'static str,
    message_id: Option<i64>,
    action_number: Option<u64>,
    host: Option<String>,
    due_at_ms: i64,
    expires_at_ms: i64,
    state: &'static str,
    attempts: u32,
    claim_token: Option<String>,
    lease_until_ms: Option<i64>,
}

impl OutboxRow<'_> {
    /// Claims the row for its first attempt.
    pub(super) fn claim(&mut self, claim_token: String, lease_until: Timestamp) {
        self.state = "sending";
        self.attempts = 1;
        self.claim_token = Some(claim_token);
        self.lease_until_ms = Some(lease_until.as_millisecond());
    }

    /// Time after which the row is not sent.
    pub(super) fn expires_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.expires_at_ms).unwrap_or(Timestamp::MAX)
    }
}

impl Row for OutboxRow<'_> {
    fn bind(self, values: &mut Values) {
        values.push(self.conversation_id);
        values.push(self.phone_number_id.as_str()).push(self.kind);
        values.push(self.message_id);
        values.push(self.action_number.map(u64::cast_signed));
        values.push(self.host).push(self.state);
        values.push(self.due_at_ms).push(self.expires_at_ms);
        values.push(self.attempts).push(self.claim_token);
        values.push(self.lease_until_ms).push(self.id);
    }
}

/// A file to download.
pub(super) struct MediaRow<'a> {
    message_id: i64,
    media_id: &'a str,
    mime_type: Option<&'a str>,
    sha256: Option<&'a str>,
}

impl Row for MediaRow<'_> {
    fn bind(self, values: &mut Values) {
        values.push(self.message_id).push(self.media_id);
        values.push(self.mime_type).push(self.sha256);
    }
}

/// Files of the batch, each with the outbox row that downloads it.
pub(super) fn media_rows<'a>(
    turns: &'a [DecidedTurn],
    last_id: i64,
    policy: ReceivePolicy,
) -> impl Iterator<Item = (OutboxRow<'a>, MediaRow<'a>)> {
    let row = move |(message_id, decided): (i64, &'a DecidedTurn)| {
        let message = decided.inbound()?;
        let media = message.content.media()?;
        let download = OutboxRow {
            expires_at_ms: after(message.sent_at, MEDIA_LIFE),
            ..decided.outbox_row("download", Some(message_id), policy)
        };
        let media = MediaRow {
            message_id,
            media_id: media.id.as_deref()?,
            mime_type: media.mime_type.as_deref(),
            sha256: media.sha256.as_deref(),
        };
        Some((download, media))
    };
    let turns = match policy.files {
        MediaPolicy::Ignore => &[],
        MediaPolicy::Download => turns,
    };
    new_messages(turns, last_id).filter_map(row)
}

/// New messages of the batch with their ids.
fn new_messages(turns: &[DecidedTurn], last_id: i64) -> impl Iterator<Item = (i64, &DecidedTurn)> {
    (last_id + 1..).zip(turns.iter().filter(|decided| decided.message.is_some()))
}

/// Rows of the messages of a batch.
pub(super) struct MessageRows<'a> {
    /// All new ones before all replies.
    pub(super) messages: Vec<MessageRow<'a>>,
    pub(super) late_replies: Vec<LateReply>,
    /// The rows of the replies.
    pub(super) outbox: Vec<OutboxRow<'a>>,
}

pub(super) fn message_rows(
    turns: &[DecidedTurn],
    last_id: i64,
    policy: ReceivePolicy,
) -> MessageRows<'_> {
    let mut messages = Vec::with_capacity(turns.len() * 2);
    let (mut late_replies, mut outbox) = (Vec::new(), Vec::new());
    let mut ids = HashMap::new();
    let mut next_id = last_id + 1;
    for decided in turns {
        if let Some(message) = &decided.message {
            messages.push(decided.message_row(next_id, message, policy.now));
            ids.insert(message.key.as_str(), next_id);
            next_id += 1;
        }
    }
    for decided in turns {
        for (part, reply) in decided.turn.replies.iter().enumerate() {
            let key = decided.answered_key(reply);
            let reply_to_id = key.as_ref().and_then(|key| ids.get(key.as_str()).copied());
            messages.push(decided.reply_row(next_id, reply_to_id, (part, reply), policy.now));
            late_replies.extend(key.filter(|_| reply_to_id.is_none()).map(|message_key| {
                let id = next_id;
                LateReply { id, message_key }
            }));
            outbox.push(decided.outbox_row("message", Some(next_id), policy));
            next_id += 1;
        }
    }
    MessageRows {
        messages,
        late_replies,
        outbox,
    }
}

/// Actions that turns request.
pub(super) fn action_rows(
    turns: &[DecidedTurn],
    policy: ReceivePolicy,
) -> impl Iterator<Item = OutboxRow<'_>> {
    turns.iter().flat_map(move |decided| {
        let requested = decided.turn.actions.iter();
        requested.map(move |requested| OutboxRow {
            action_number: Some(requested.number),
            host: Some(requested.action.host()),
            ..decided.outbox_row("action", None, policy)
        })
    })
}

/// One read mark per conversation: that of the newest message marks all before it.
pub(super) fn read_marks(turns: &[DecidedTurn], policy: ReceivePolicy) -> Vec<ReadMark> {
    let expires_at = policy.now.saturating_add(policy.reply_expires_after);
    let expires_at = expires_at.unwrap_or(Timestamp::MAX);
    let mut newest = HashMap::new();
    for decided in turns.iter().filter(|decided| decided.turn.mark_read) {
        if let Some(message) = &decided.message {
            let mark = ReadMark {
                conversation_id: decided.conversation_id,
                phone_number_id: decided.phone_number_id.clone(),
                wamid: message.message.wamid().clone(),
                expires_at,
            };
            newest.insert(mark.conversation_id, mark);
        }
    }
    newest.into_values().collect()
}

impl DecidedTurn {
    fn message_row<'r>(
        &'r self,
        id: i64,
        keyed: &'r KeyedMessage,
        now: Timestamp,
    ) -> MessageRow<'r> {
        let (content, sent_at, raw, answered) = match &keyed.message {
            ConversationMessage::Inbound(message) => (
                &message.content,
                message.sent_at,
                &message.raw,
                message.context.quoted.as_ref(),
            ),
            ConversationMessage::Echo(echo) => (
                &echo.content,
                echo.sent_at,
                &echo.raw,
                echo.context.quoted.as_ref(),
            ),
        };
        let row = MessageRow {
            id,
            conversation_id: self.conversation_id,
            direction: "in",
            phone_number_id: &self.phone_number_id,
            wamid: Some(keyed.message.wamid().as_str()),
            message_key: Some(&keyed.key),
            kind: content.kind_name(),
            text: content.transcript_text(),
            origin: "contact",
            quoted_wamid: quoted(content, answered),
            sent_at_ms: sent_at.as_millisecond(),
            stored_at_ms: now.as_millisecond(),
            raw: Cow::Borrowed(raw),
            decision: None,
            explanation: None,
            rules_version: None,
            rule_id: None,
            reply_to_id: None,
            part: None,
            variant: None,
            outbox_state: None,
            instead: None,
        };
        let Some(inbound) = self.inbound() else {
            return MessageRow {
                direction: "out",
                origin: "phone_app",
                outbox_state: Some("accepted"),
                ..row
            };
        };
        MessageRow {
            origin: inbound.author.origin(),
            decision: Some(self.turn.decision),
            explanation: Some(json(&self.turn.explanation)),
            rules_version: self.version.as_ref(),
            ..row
        }
    }

    /// Key of the message that a reply answers.
    fn answered_key(&self, reply: &Reply) -> Option<String> {
        let wamid = reply.answers.as_ref()?;
        Some(message_key(self.phone_number_id.as_str(), wamid.as_str()))
    }

    fn reply_row<'r>(
        &'r self,
        id: i64,
        reply_to_id: Option<i64>,
        (part, reply): (usize, &'r Reply),
        now: Timestamp,
    ) -> MessageRow<'r> {
        // A reply of a timer has no inbound message that could carry the explanation.
        let is_of_timer = self.message.is_none() && self.turn.late_decisions.is_empty();
        MessageRow {
            id,
            conversation_id: self.conversation_id,
            direction: "out",
            phone_number_id: &self.phone_number_id,
            wamid: None,
            message_key: None,
            kind: reply.content.kind_name(),
            text: reply.content.transcript_text(),
            origin: "bot",
            quoted_wamid: about(reply).map(Wamid::as_str),
            sent_at_ms: now.as_millisecond(),
            stored_at_ms: now.as_millisecond(),
            raw: Cow::Owned(json(&reply.content)),
            decision: None,
            explanation: is_of_timer.then(|| json(&self.turn.explanation)),
            rules_version: self.version.as_ref(),
            rule_id: Some(reply.rule.as_str()),
            reply_to_id,
            part: self.replaces.is_none().then_some(part),
            variant: reply.variant,
            outbox_state: Some("queued"),
            instead: (!reply.instead.is_empty()).then(|| json(&reply.instead)),
        }
    }

    fn outbox_row(
        &self,
        kind: &'static str,
        message_id: Option<i64>,
        policy: ReceivePolicy,
    ) -> OutboxRow<'_> {
        // The earlier of "no longer useful" and "WhatsApp accepts no free reply any more".
        let useful = after(policy.now, policy.reply_expires_after);
        let window = match self.inbound() {
            Some(message) => Some(after(message.sent_at, SERVICE_WINDOW)),
            None => self.last_inbound_ms.map(window_end),
        };
        OutboxRow {
            id: None,
            conversation_id: self.conversation_id,
            phone_number_id: &self.phone_number_id,
            kind,
            message_id,
            action_number: None,
            host: None,
            due_at_ms: policy.now.as_millisecond(),
            expires_at_ms: window.map_or(useful, |window| useful.min(window)),
            state: "queued",
            attempts: 0,
            claim_token: None,
            lease_until_ms: None,
        }
    }
}

/// Message that a reply quotes or reacts to.
pub(super) fn about(reply: &Reply) -> Option<&Wamid> {
    let is_about = reply.quote || matches!(reply.content, Outbound::Reaction { .. });
    reply.answers.as_ref().filter(|_| is_about)
}

/// End of the service window after a message of this time, in milliseconds.
pub(super) fn window_end(sent_at_ms: i64) -> i64 {
    let sent_at = Timestamp::from_millisecond(sent_at_ms).unwrap_or(Timestamp::MIN);
    after(sent_at, SERVICE_WINDOW)
}

/// The message that another one quotes, answers by a button, reacts to, edits or deletes.
fn quoted<'a>(content: &'a Content, answered: Option<&'a Wamid>) -> Option<&'a str> {
    content.target().or(answered).map(Wamid::as_str)
}

/// A time after another, in milliseconds.
fn after(start: Timestamp, by: Duration) -> i64 {
    let end = start.saturating_add(by).unwrap_or(Timestamp::MAX);
    end.as_millisecond()
}

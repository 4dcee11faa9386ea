//! What was decided: each new message in order, then everything written at once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::identity::ContactRow;
use super::load::{LoadedConversation, People};
use super::{ConversationMessage, Decide, MediaPolicy, ReceivePolicy, side_effects};
use crate::engine::discard;
use crate::engine::{Decision, EngineEvent, Reply, Turn};
use crate::message::{
    Content, ConversationState, Inbound, Kind, Outbound, PhoneNumberId, RulesVersion, Wamid,
};
use crate::store::{StoreError, Transaction, message_key, rows, sql};

/// Free replies are taken for 24 hours after the person's last message; two minutes stay unused,
/// because Meta's clock decides. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
const SERVICE_WINDOW: Duration = Duration::from_mins(1438);

/// Files from webhooks stay with Meta for 7 days. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media>.
const MEDIA_LIFE: Duration = Duration::from_hours(7 * 24);

/// A turn with what it was taken on.
pub(super) struct Decided<'a> {
    /// The new message with its key; `None` when something was due.
    message: Option<(&'a str, &'a ConversationMessage)>,
    pub(super) conversation_id: i64,
    pub(super) number: PhoneNumberId,
    /// The person's last message, by WhatsApp's clock.
    last_inbound_ms: Option<i64>,
    pub(super) turn: Turn,
    /// `None` when the rules failed to give one.
    pub(super) version: Option<RulesVersion>,
}

/// Everything that is written back.
pub(super) struct Written<'a> {
    pub(super) contacts: &'a [ContactRow],
    pub(super) conversations: &'a [LoadedConversation],
    /// The last message id given.
    pub(super) last_message: i64,
}

/// Decides on every message in order; each conversation's state flows from one to the next.
pub(super) fn decide_all<'a>(
    messages: &'a [(String, ConversationMessage)],
    people: &mut People,
    now: Timestamp,
    decide: &Decide,
) -> Vec<Decided<'a>> {
    messages
        .iter()
        .enumerate()
        .map(|(index, (key, update))| {
            let loaded = people.of_message(index);
            let (turn, version) = decide_one(loaded, update.incoming(), now, decide);
            if let ConversationMessage::Message(message) = update
                && message.content.kind() != Some(Kind::System)
            {
                loaded.conversation.inbound_count += 1;
                let sent_at = message.sent_at.as_millisecond();
                loaded.last_inbound_ms = loaded.last_inbound_ms.max(Some(sent_at));
            }
            Decided::of(loaded, Some((key, update)), turn, version)
        })
        .collect()
}

/// Decides once; the conversation's state is then what the turn leaves.
pub(super) fn decide_one(
    loaded: &mut LoadedConversation,
    incoming: EngineEvent<'_>,
    now: Timestamp,
    decide: &Decide,
) -> (Turn, Option<RulesVersion>) {
    let conversation = &mut loaded.conversation;
    // A rule that panics must not take its neighbours, or the process, with it.
    let decision = catch_unwind(AssertUnwindSafe(|| decide(conversation, incoming, now)));
    let (mut turn, version) = match decision {
        Ok((turn, version)) => (turn, Some(version)),
        Err(_) => (panicked(conversation.state.clone()), None),
    };
    discard::drop_stuck(&mut turn, &conversation.state, incoming, now);
    conversation.state.clone_from(&turn.state);
    (turn, version)
}

fn panicked(state: ConversationState) -> Turn {
    let note = "the rules panicked on this message; please report it";
    Turn::nothing(Decision::Failed, state, note)
}

/// Writes contacts, conversations, messages, replies and outbox rows; gives the number of outbox
/// rows.
pub(super) async fn write(
    tx: &mut Transaction,
    decided: &[Decided<'_>],
    written: &Written<'_>,
    policy: ReceivePolicy,
) -> Result<usize, StoreError> {
    let extra = side_effects::Rows::of(decided, written.last_message);
    if !extra.called_off.is_empty() {
        // Before the new rows: the word that says so is still sent.
        sqlx::query(sql::CANCEL_REPLIES)
            .bind(rows(&extra.called_off))
            .execute(&mut *tx)
            .await?;
    }
    let (messages, mut outbox) = message_rows(decided, written.last_message, policy);
    let files = files(decided, written.last_message, policy);
    outbox.extend(files.iter().map(|(row, _)| row.clone()));
    let marks = read_marks(decided, written.last_message, policy);
    let marked: Vec<i64> = marks.iter().map(|mark| mark.conversation_id).collect();
    outbox.extend(marks);
    outbox.extend(action_rows(decided, policy));
    let conversations: Vec<ConversationRow<'_>> = written
        .conversations
        .iter()
        .map(ConversationRow::of)
        .collect();
    sqlx::query(sql::INSERT_BATCH)
        .bind(rows(written.contacts))
        .bind(rows(&conversations))
        .bind(rows(&messages))
        .bind(rows(&marked))
        .bind(rows(&outbox))
        .bind(policy.now.as_millisecond())
        .bind(rows(
            &files.iter().map(|(_, file)| file).collect::<Vec<_>>(),
        ))
        .execute(&mut *tx)
        .await?;
    extra.write(tx, policy.now).await?;
    if !extra.called_off.is_empty() {
        // After the new rows: a person who says stop asks for no action in the same breath.
        sqlx::query(sql::CANCEL_ACTIONS)
            .bind(rows(&extra.called_off))
            .bind(policy.now.as_millisecond())
            .execute(&mut *tx)
            .await?;
    }
    Ok(outbox.len())
}

#[derive(Serialize)]
struct ConversationRow<'a> {
    id: i64,
    contact_id: i64,
    phone_number_id: &'a PhoneNumberId,
    state: String,
    inbound_count: u64,
    last_inbound_ms: Option<i64>,
    next_timer_ms: Option<i64>,
    opted_out_ms: Option<i64>,
}

impl<'a> ConversationRow<'a> {
    fn of(loaded: &'a LoadedConversation) -> Self {
        let conversation = &loaded.conversation;
        Self {
            id: loaded.id,
            contact_id: loaded.contact_id,
            phone_number_id: &conversation.phone_number_id,
            state: serde_json::to_string(&conversation.state).expect("its keys are strings"),
            inbound_count: conversation.inbound_count,
            last_inbound_ms: loaded.last_inbound_ms,
            next_timer_ms: conversation
                .state
                .next_timer()
                .map(Timestamp::as_millisecond),
            opted_out_ms: conversation
                .state
                .opted_out_at
                .map(Timestamp::as_millisecond),
        }
    }
}

/// A message of either side; what the other side has stays NULL.
#[derive(Serialize)]
struct MessageRow<'a> {
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
    raw: Cow<'a, str>,
    decision: Option<Decision>,
    explanation: Option<String>,
    rules_version: Option<&'a RulesVersion>,
    rule_id: Option<&'a str>,
    reply_to_id: Option<i64>,
    reply_to_key: Option<String>,
    part: Option<usize>,
    variant: Option<usize>,
    outbox_state: Option<&'static str>,
}

#[derive(Clone, Serialize)]
struct OutboxRow<'a> {
    conversation_id: i64,
    phone_number_id: &'a PhoneNumberId,
    kind: &'static str,
    message_id: Option<i64>,
    action_number: Option<u64>,
    host: Option<String>,
    expires_at_ms: i64,
}

/// A file to fetch.
#[derive(Serialize)]
struct FileRow<'a> {
    message_id: i64,
    media_id: &'a str,
    mime_type: Option<&'a str>,
    sha256: Option<&'a str>,
}

/// The files of the batch, each with the outbox row that fetches it.
fn files<'a>(
    decided: &'a [Decided<'a>],
    last_id: i64,
    policy: ReceivePolicy,
) -> Vec<(OutboxRow<'a>, FileRow<'a>)> {
    if policy.files == MediaPolicy::Ignore {
        return Vec::new();
    }
    let file = |(message_id, one): (i64, &'a Decided<'a>)| {
        let message = one.message()?;
        let media = message.content.media()?;
        let row = OutboxRow {
            expires_at_ms: after(message.sent_at, MEDIA_LIFE),
            ..one.outbox_row("download", Some(message_id), policy)
        };
        let file = FileRow {
            message_id,
            media_id: media.id.as_deref()?,
            mime_type: media.mime_type.as_deref(),
            sha256: media.sha256.as_deref(),
        };
        Some((row, file))
    };
    new_messages(decided, last_id).filter_map(file).collect()
}

/// The new messages of the batch with their ids.
fn new_messages<'a>(
    decided: &'a [Decided<'a>],
    last_id: i64,
) -> impl Iterator<Item = (i64, &'a Decided<'a>)> {
    (last_id + 1..).zip(decided.iter().filter(|one| one.message.is_some()))
}

/// The messages of the batch, first all of theirs, then all of ours, and the outbox rows of ours.
fn message_rows<'a>(
    decided: &'a [Decided<'a>],
    last_id: i64,
    policy: ReceivePolicy,
) -> (Vec<MessageRow<'a>>, Vec<OutboxRow<'a>>) {
    let mut messages: Vec<MessageRow<'_>> = Vec::with_capacity(decided.len() * 2);
    let mut outbox = Vec::new();
    let mut ids = HashMap::new();
    let mut next_id = last_id + 1;
    for (one, (key, update)) in decided.iter().filter_map(|one| Some((one, one.message?))) {
        messages.push(one.update_row(next_id, key, update));
        ids.insert(key, next_id);
        next_id += 1;
    }
    for one in decided {
        for (part, reply) in one.turn.replies.iter().enumerate() {
            messages.push(one.outbound_row(next_id, &ids, (part, reply), policy.now));
            outbox.push(one.outbox_row("message", Some(next_id), policy));
            next_id += 1;
        }
    }
    (messages, outbox)
}

/// The actions that turns ask for.
fn action_rows<'a>(
    decided: &'a [Decided<'a>],
    policy: ReceivePolicy,
) -> impl Iterator<Item = OutboxRow<'a>> {
    decided.iter().flat_map(move |one| {
        one.turn.actions.iter().map(move |asked| OutboxRow {
            action_number: Some(asked.number),
            host: Some(asked.action.host()),
            ..one.outbox_row("action", None, policy)
        })
    })
}

/// One mark per conversation: the newest message stands for all before it.
fn read_marks<'a>(
    decided: &'a [Decided<'a>],
    last_id: i64,
    policy: ReceivePolicy,
) -> Vec<OutboxRow<'a>> {
    let mut newest: HashMap<i64, (i64, &Decided<'_>)> = HashMap::new();
    for (id, one) in new_messages(decided, last_id).filter(|(_, one)| one.turn.mark_read) {
        newest.insert(one.conversation_id, (id, one));
    }
    let mut marks: Vec<OutboxRow<'_>> = newest
        .into_values()
        .map(|(id, one)| one.outbox_row("read_mark", Some(id), policy))
        .collect();
    marks.sort_unstable_by_key(|mark| mark.message_id);
    marks
}

impl<'a> Decided<'a> {
    pub(super) fn of(
        loaded: &LoadedConversation,
        message: Option<(&'a str, &'a ConversationMessage)>,
        turn: Turn,
        version: Option<RulesVersion>,
    ) -> Self {
        Self {
            message,
            conversation_id: loaded.id,
            number: loaded.conversation.phone_number_id.clone(),
            last_inbound_ms: loaded.last_inbound_ms,
            turn,
            version,
        }
    }

    /// Whether a new message is stored with it.
    pub(super) fn is_on_a_message(&self) -> bool {
        self.message.is_some()
    }

    /// The decision, unless it is a colleague's message, on which nothing is decided.
    pub(super) fn told(&self) -> Option<Decision> {
        self.message().map(|_| self.turn.decision)
    }

    fn message(&self) -> Option<&Inbound> {
        match self.message? {
            (_, ConversationMessage::Message(message)) => Some(message),
            (_, ConversationMessage::Echo(_)) => None,
        }
    }

    fn update_row<'r>(
        &'r self,
        id: i64,
        key: &'r str,
        update: &'r ConversationMessage,
    ) -> MessageRow<'r> {
        let content = match update {
            ConversationMessage::Message(message) => &message.content,
            ConversationMessage::Echo(echo) => &echo.content,
        };
        let (sent_at, raw, about) = match update {
            ConversationMessage::Message(message) => {
                (message.sent_at, &message.raw, &message.context)
            }
            ConversationMessage::Echo(echo) => (echo.sent_at, &echo.raw, &echo.context),
        };
        let row = MessageRow {
            id,
            conversation_id: self.conversation_id,
            direction: "in",
            phone_number_id: &self.number,
            wamid: Some(update.wamid().as_str()),
            message_key: Some(key),
            kind: content.kind_name(),
            text: content.transcript_text(),
            origin: "contact",
            quoted_wamid: quoted(content, about.quoted.as_ref()),
            sent_at_ms: sent_at.as_millisecond(),
            raw: Cow::Borrowed(raw),
            decision: None,
            explanation: None,
            rules_version: None,
            rule_id: None,
            reply_to_id: None,
            reply_to_key: None,
            part: None,
            variant: None,
            outbox_state: None,
        };
        if self.message().is_none() {
            return MessageRow {
                direction: "out",
                origin: "phone_app",
                outbox_state: Some("accepted"),
                ..row
            };
        }
        let explanation = serde_json::to_string(&self.turn.explanation);
        MessageRow {
            decision: Some(self.turn.decision),
            explanation: Some(explanation.expect("its keys are strings")),
            rules_version: self.version.as_ref(),
            ..row
        }
    }

    fn outbound_row<'r>(
        &'r self,
        id: i64,
        ids: &HashMap<&str, i64>,
        (part, reply): (usize, &'r Reply),
        now: Timestamp,
    ) -> MessageRow<'r> {
        let content = serde_json::to_string(&reply.content);
        let about = reply.quote || matches!(reply.content, Outbound::Reaction { .. });
        let answers = reply.answers.as_ref();
        let key = answers.map(|wamid| message_key(self.number.as_str(), wamid.as_str()));
        let reply_to_id = key.as_ref().and_then(|key| ids.get(key.as_str()).copied());
        // What a timer says has no message that could carry the reason.
        let reason = self.message.is_none() && self.turn.late_decisions.is_empty();
        let explanation = reason.then(|| serde_json::to_string(&self.turn.explanation));
        MessageRow {
            id,
            conversation_id: self.conversation_id,
            direction: "out",
            phone_number_id: &self.number,
            wamid: None,
            message_key: None,
            kind: reply.content.kind_name(),
            text: reply.content.transcript_text(),
            origin: "bot",
            quoted_wamid: answers.filter(|_| about).map(Wamid::as_str),
            sent_at_ms: now.as_millisecond(),
            raw: Cow::Owned(content.expect("its keys are strings")),
            decision: None,
            explanation: explanation.map(|text| text.expect("its keys are strings")),
            rules_version: self.version.as_ref(),
            rule_id: Some(reply.rule.as_str()),
            reply_to_id,
            reply_to_key: key.filter(|_| reply_to_id.is_none()),
            part: Some(part),
            variant: reply.variant,
            outbox_state: Some("queued"),
        }
    }

    fn outbox_row(
        &self,
        kind: &'static str,
        message_id: Option<i64>,
        policy: ReceivePolicy,
    ) -> OutboxRow<'_> {
        // The earlier of "no longer useful" and "WhatsApp takes no free reply any more".
        let useful = after(policy.now, policy.reply_expires_after);
        let window = match self.message {
            Some((_, ConversationMessage::Message(message))) => {
                Some(after(message.sent_at, SERVICE_WINDOW))
            }
            _ => self.last_inbound_ms.map(window_of),
        };
        OutboxRow {
            conversation_id: self.conversation_id,
            phone_number_id: &self.number,
            kind,
            message_id,
            action_number: None,
            host: None,
            expires_at_ms: window.map_or(useful, |window| useful.min(window)),
        }
    }
}

/// Until when WhatsApp takes free replies after a message of this time, in milliseconds.
fn window_of(sent_at_ms: i64) -> i64 {
    let sent_at = Timestamp::from_millisecond(sent_at_ms).unwrap_or(Timestamp::MIN);
    after(sent_at, SERVICE_WINDOW)
}

/// What a message is about: it quotes, answers by a button, reacts to, changes or deletes that one.
fn quoted<'a>(content: &'a Content, answered: Option<&'a Wamid>) -> Option<&'a str> {
    let named = match content {
        Content::Reaction { message, .. } => message.as_ref(),
        Content::Edit { original, .. } | Content::Revoke { original } => original.as_ref(),
        _ => None,
    };
    named.or(answered).map(Wamid::as_str)
}

/// A time after another, in milliseconds.
fn after(start: Timestamp, by: Duration) -> i64 {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    start
        .saturating_add(by)
        .unwrap_or(Timestamp::MAX)
        .as_millisecond()
}

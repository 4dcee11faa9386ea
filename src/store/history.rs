//! Recorded history in a form that can be decided again: each conversation with its inbound
//! messages and the replies to them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::Row as _;

use super::keys::{json_rows, message_key};
use super::row::{flag, from_row, required};
use super::{Store, StoreError, sql};
use crate::message::{
    Contact, Conversation, ConversationState, Identity, PhoneNumberId, UserId, WaId,
};

/// A conversation with its messages and actions.
#[derive(Clone, Debug)]
pub struct RecordedConversation {
    /// `conversations.id`.
    pub id: i64,
    /// Conversation before its first message, with the contact's current names.
    pub conversation: Conversation,
    /// Inbound and outbound messages, in the order of storage.
    pub messages: Vec<RecordedMessage>,
    /// Finished actions: request and outcome as JSON, and the time of the end.
    pub actions: Vec<(String, String, Timestamp)>,
}

/// An inbound or outbound message.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedMessage {
    /// `messages.id`.
    pub id: i64,
    /// `conversations.id`.
    pub conversation_id: i64,
    /// Whether the contact sent the message.
    #[serde(deserialize_with = "flag")]
    pub is_inbound: bool,
    /// `contact`, `number_itself`, `bot` or `phone_app`.
    pub origin: String,
    /// Transcript text.
    pub text: String,
    /// Meta's JSON of an inbound message, the reply as JSON of an outbound one.
    pub raw: String,
    /// WhatsApp's id of the message, if it was accepted.
    pub wamid: Option<String>,
    /// Time of the decision.
    #[serde(rename = "stored_at_ms", with = "required")]
    pub at: Timestamp,
    /// Name of the decision on an inbound message.
    pub decision: Option<String>,
    /// Rule that gave an outbound message.
    #[serde(rename = "rule_id")]
    pub rule: Option<String>,
    /// `messages.id` of the message that an outbound one answers.
    #[serde(rename = "reply_to_id")]
    pub reply_to: Option<i64>,
}

/// Text of an inbound message, with the decision on it.
#[derive(Clone, Debug, Deserialize)]
pub struct InboundText {
    /// `messages.id`.
    pub id: i64,
    /// Transcript text.
    pub text: String,
    /// Name of the decision.
    pub decision: String,
    /// Explanation of the decision as JSON.
    pub explanation: Option<String>,
}

from_row!(RecordedMessage, InboundText);

impl Store {
    /// Reads up to `count` conversations with an id above `after`, of one number or (`""`) of all.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub async fn recorded_conversations(
        &self,
        after: i64,
        count: u32,
        number: &str,
    ) -> Result<Vec<RecordedConversation>, StoreError> {
        let rows = sqlx::query(sql::RECORDED_CONVERSATIONS);
        let rows = rows.bind(after).bind(count).bind(number);
        let mut recorded = BTreeMap::new();
        for row in rows.fetch_all(&self.read).await? {
            let mut conversation = conversation(&row)?;
            conversation.state = ConversationState::default();
            conversation.inbound_count = 0;
            let id: i64 = row.try_get("id")?;
            let (messages, actions) = (Vec::new(), Vec::new());
            let conversation = RecordedConversation {
                id,
                conversation,
                messages,
                actions,
            };
            recorded.insert(id, conversation);
        }
        let (Some(&first), Some(&last)) = (recorded.keys().next(), recorded.keys().next_back())
        else {
            return Ok(Vec::new());
        };
        let messages = sqlx::query_as(sql::RECORDED_MESSAGES)
            .bind(first)
            .bind(last);
        let messages: Vec<RecordedMessage> = messages.fetch_all(&self.read).await?;
        for message in messages {
            if let Some(conversation) = recorded.get_mut(&message.conversation_id) {
                conversation.messages.push(message);
            }
        }
        let actions = sqlx::query_as(sql::RECORDED_ACTIONS).bind(first).bind(last);
        let actions: Vec<(i64, String, String, i64)> = actions.fetch_all(&self.read).await?;
        for (conversation, request, outcome, ended_at_ms) in actions {
            if let Some(conversation) = recorded.get_mut(&conversation) {
                let action = (request, outcome, time(ended_at_ms));
                conversation.actions.push(action);
            }
        }
        Ok(recorded.into_values().collect())
    }

    /// Counts the inbound messages to one number or (`""`) to all.
    ///
    /// # Errors
    /// `Database`.
    pub async fn count_inbound(&self, number: &str) -> Result<u64, StoreError> {
        let count = sqlx::query_scalar(sql::COUNT_INBOUND).bind(number);
        let count: i64 = count.fetch_one(&self.read).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Reads the time at which the last message, inbound or outbound, was stored.
    ///
    /// # Errors
    /// `Database`.
    pub async fn last_stored(&self) -> Result<Timestamp, StoreError> {
        let last = sqlx::query_scalar(sql::LAST_STORED).fetch_optional(&self.read);
        Ok(last.await?.map_or(Timestamp::UNIX_EPOCH, time))
    }

    /// Reads a conversation in its current state.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub async fn conversation(&self, id: i64) -> Result<Option<Conversation>, StoreError> {
        let next = sqlx::query(sql::RECORDED_CONVERSATIONS);
        let next = next.bind(id - 1).bind(1).bind("");
        let row = next.fetch_optional(&self.read).await?;
        let row = row.filter(|row| row.try_get("id").is_ok_and(|next: i64| next == id));
        row.map(|row| conversation(&row)).transpose()
    }

    /// Reads up to `count` inbound texts stored after `since` with an id below `before`, the latest
    /// first.
    ///
    /// # Errors
    /// `Database`.
    pub async fn inbound_texts(
        &self,
        before: i64,
        since: Timestamp,
        count: u32,
    ) -> Result<Vec<InboundText>, StoreError> {
        let texts = sqlx::query_as(sql::INBOUND_TEXTS);
        let texts = texts.bind(before).bind(since.as_millisecond()).bind(count);
        Ok(texts.fetch_all(&self.read).await?)
    }

    /// Finds an inbound message by its wamid, or by the wamid of a reply to it; an outbound message
    /// that answers none is found itself. Returns the ids of the message and its conversation.
    ///
    /// # Errors
    /// `Database`.
    pub async fn find_message(&self, wamid: &str) -> Result<Option<(i64, i64)>, StoreError> {
        let numbers = sqlx::query_scalar(sql::PHONE_NUMBERS).fetch_all(&self.read);
        let numbers: Vec<String> = numbers.await?;
        let keys = numbers.iter().map(|number| message_key(number, wamid));
        let message = sqlx::query_as(sql::FIND_MESSAGE).bind(json_rows(&keys.collect::<Vec<_>>()));
        Ok(message.fetch_optional(&self.read).await?)
    }
}

fn conversation(row: &sqlx::sqlite::SqliteRow) -> Result<Conversation, StoreError> {
    let id: i64 = row.try_get("id")?;
    let corrupt = |what| StoreError::corrupt("conversations", id, what);
    let state: String = row.try_get("state")?;
    let wa_id: Option<String> = row.try_get("wa_id")?;
    let user_id: Option<String> = row.try_get("user_id")?;
    let identity =
        Identity::from_parts(wa_id.and_then(WaId::parse), user_id.and_then(UserId::parse));
    let inbound_count: i64 = row.try_get("inbound_count")?;
    Ok(Conversation {
        phone_number_id: PhoneNumberId::parse(row.try_get::<String, _>("phone_number_id")?)
            .ok_or_else(|| corrupt("its number is none"))?,
        contact: Contact {
            identity: identity
                .ok_or_else(|| corrupt("its contact has neither phone nor user id"))?,
            name: row.try_get("name")?,
            username: row.try_get("username")?,
            refuses_marketing: row.try_get("refuses_marketing")?,
        },
        inbound_count: u64::try_from(inbound_count).unwrap_or_default(),
        state: serde_json::from_str(&state).map_err(|_| corrupt("`state` is not ours"))?,
    })
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

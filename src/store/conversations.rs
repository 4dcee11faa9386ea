//! Lists for operators: conversations, the transcript of one of them, account events.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::keys::{json_rows, message_key};
use super::receive::quoted::StoredQuote;
use super::row::{from_row, optional, required};
use super::{Store, StoreError, sql};

/// A conversation in the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConversationSummary {
    /// `conversations.id`.
    pub id: i64,
    /// Name, else phone number with a plus, else user id.
    pub contact: String,
    /// Phone number in digits, if known.
    pub phone: Option<String>,
    /// Meta's id of the business number.
    pub phone_number_id: String,
    /// Transcript text of the last message, inbound or outbound.
    pub last_message: Option<String>,
    /// Time of the last message.
    #[serde(rename = "last_message_ms", with = "required")]
    pub last_at: Timestamp,
    /// Number of inbound messages.
    pub inbound_count: i64,
    /// Time of the oldest inbound message without an answer.
    #[serde(rename = "unanswered_since_ms", with = "optional")]
    pub unanswered_since: Option<Timestamp>,
    /// End of the customer service window.
    #[serde(rename = "window_open_until_ms", with = "optional")]
    pub window_open_until: Option<Timestamp>,
}

/// A message of a transcript.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TranscriptMessage {
    /// `messages.id`.
    pub id: i64,
    /// `in` or `out`.
    pub direction: String,
    /// Time of an inbound message by WhatsApp's clock, time of the decision on an outbound one.
    #[serde(rename = "sent_at_ms", with = "required")]
    pub sent_at: Timestamp,
    /// Time of storage.
    #[serde(rename = "stored_at_ms", with = "required")]
    pub stored_at: Timestamp,
    /// `messages.kind`.
    pub kind: String,
    /// Transcript text.
    pub text: String,
    /// WhatsApp's id of the message.
    pub wamid: Option<String>,
    /// Name of the decision on an inbound message.
    pub decision: Option<String>,
    /// Explanation of the decision as JSON.
    pub explanation: Option<String>,
    /// `contact`, `number_itself`, `bot`, `phone_app` or `operator`.
    pub origin: String,
    /// Path of the media file below the media folder, once it is downloaded.
    #[serde(rename = "path")]
    pub file: Option<String>,
    /// Reason why the media file was not downloaded.
    #[serde(rename = "error")]
    pub file_error: Option<String>,
    /// Rule that gave an outbound message.
    #[serde(rename = "rule_id")]
    pub rule: Option<String>,
    /// `messages.id` of the inbound message that an outbound one answers.
    #[serde(rename = "reply_to_id")]
    pub reply_to: Option<i64>,
    /// Version of the rules that decided.
    pub rules_version: Option<String>,
    /// State of an outbound message in the outbox.
    pub outbox_state: Option<String>,
    /// Furthest receipt of an outbound message.
    pub delivery_status: Option<String>,
    /// Reason why an outbound message was not sent or did not arrive, or of the last failed attempt:
    /// code, meaning and remedy.
    pub send_error: Option<String>,
    /// Meta's error code in `send_error`, if there is one.
    pub error_code: Option<i64>,
    /// `messages.id` of what was sent in place of the failed answer that this is a part of.
    #[serde(rename = "replaced_by_id")]
    pub replaced_by: Option<i64>,
    /// `outbox.id` of an outbound message that is still in the outbox.
    pub outbox_id: Option<i64>,
    /// Business number.
    pub phone_number_id: String,
    /// WhatsApp's id of the message that this one quotes, answers by a button or reacts to.
    pub quoted_wamid: Option<String>,
    /// Transcript text of that message, if it is stored.
    #[serde(skip)]
    pub quoted_text: Option<String>,
    /// Meta's JSON of an inbound message that names the ad or post which led the contact here.
    pub raw_with_ad: Option<String>,
}

/// An event that Meta reported about the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountEventRow {
    /// `account_events.id`.
    pub id: i64,
    /// Meta's name of the webhook field.
    pub field: String,
    /// Business number concerned.
    pub phone_number_id: Option<String>,
    /// Summary for operators.
    pub summary: String,
    /// Time of arrival.
    #[serde(rename = "received_at_ms", with = "required")]
    pub received_at: Timestamp,
    /// Meta's JSON.
    pub raw: String,
}

/// An event of a conversation beside its messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredConversationEvent {
    /// Time of the event.
    #[serde(rename = "at_ms", with = "required")]
    pub at: Timestamp,
    /// Name of the kind.
    pub kind: String,
    /// Description for operators.
    pub text: String,
    /// `messages.id` of the inbound message that caused the event.
    pub message_id: Option<i64>,
}

from_row!(
    ConversationSummary,
    TranscriptMessage,
    AccountEventRow,
    StoredConversationEvent
);

impl Store {
    /// Checks the file for damage and describes it; `None` if the file is sound.
    ///
    /// # Errors
    /// `Database`.
    pub async fn damage(&self) -> Result<Option<String>, StoreError> {
        let check = sqlx::query_scalar(sql::QUICK_CHECK).fetch_one(&self.read);
        let report: String = check.await?;
        Ok((report != "ok").then_some(report))
    }

    /// Reads the latest account events, of one field or of all, the oldest first.
    ///
    /// # Errors
    /// `Database`.
    pub async fn account_events(
        &self,
        field: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AccountEventRow>, StoreError> {
        let events = sqlx::query_as(sql::ACCOUNT_EVENTS);
        let events = events.bind(field.unwrap_or("")).bind(limit);
        Ok(events.fetch_all(&self.read).await?)
    }

    /// Reads the conversations with the latest messages, the latest first. `like` restricts them to
    /// contacts whose name or phone number contains it (a phone number from six digits on: fewer
    /// are the id of a conversation). A conversation with exactly this id, else those with exactly
    /// this phone number or user id, replace all other matches.
    ///
    /// # Errors
    /// `Database`.
    pub async fn conversations(
        &self,
        like: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ConversationSummary>, StoreError> {
        let conversations = sqlx::query_as(sql::CONVERSATION_SUMMARIES);
        let conversations = conversations.bind(like.unwrap_or("")).bind(limit);
        let conversations = conversations.bind(like.map(digits).unwrap_or_default());
        Ok(conversations.fetch_all(&self.read).await?)
    }

    /// Reads the events of a conversation beside its messages, the oldest first.
    ///
    /// # Errors
    /// `Database`.
    pub async fn conversation_events(
        &self,
        conversation: i64,
    ) -> Result<Vec<StoredConversationEvent>, StoreError> {
        let events = sqlx::query_as(sql::CONVERSATION_EVENTS).bind(conversation);
        Ok(events.fetch_all(&self.read).await?)
    }

    /// Reads the latest messages of a conversation, the oldest first.
    ///
    /// # Errors
    /// `Database`.
    pub async fn transcript(
        &self,
        conversation: i64,
        limit: u32,
    ) -> Result<Vec<TranscriptMessage>, StoreError> {
        let messages = sqlx::query_as(sql::TRANSCRIPT);
        let messages = messages.bind(conversation).bind(limit);
        let mut messages: Vec<TranscriptMessage> = messages.fetch_all(&self.read).await?;
        let keys: Vec<String> = messages.iter().filter_map(quoted_key).collect();
        let quoted = sqlx::query_scalar(sql::QUOTED_MESSAGES).bind(json_rows(&keys));
        let quoted: String = quoted.fetch_one(&self.read).await?;
        let quoted: Vec<StoredQuote> = serde_json::from_str(&quoted).unwrap_or_default();
        let quoted: HashMap<String, String> = quoted
            .into_iter()
            .map(|StoredQuote { key, text, .. }| (key, text))
            .collect();
        for message in &mut messages {
            message.quoted_text = quoted_key(message).and_then(|key| quoted.get(&key).cloned());
        }
        Ok(messages)
    }
}

fn quoted_key(message: &TranscriptMessage) -> Option<String> {
    let wamid = message.quoted_wamid.as_deref()?;
    Some(message_key(&message.phone_number_id, wamid))
}

/// Extracts the digits of a phone number in any usual spelling; empty for any other text.
fn digits(text: &str) -> String {
    let is_phone = |letter: char| letter.is_ascii_digit() || "+ -().".contains(letter);
    if !text.chars().all(is_phone) {
        return String::new();
    }
    text.chars().filter(char::is_ascii_digit).collect()
}

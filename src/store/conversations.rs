//! For people who look: the list of conversations, and one of them as a transcript.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use super::{Store, StoreError, sql};

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationSummary {
    /// `conversations.id`.
    pub id: i64,
    /// Name, else phone with a plus, else user id.
    pub contact: String,
    /// Digits, when known.
    pub phone: Option<String>,
    /// Our number, by Meta's id.
    pub phone_number_id: String,
    /// Of either side, as the person saw it.
    pub last_message: Option<String>,
    /// When that was.
    pub last_at: Timestamp,
    /// How many the person sent.
    pub inbound_count: i64,
    /// The time of the oldest message of theirs that we have not answered.
    pub unanswered_since: Option<Timestamp>,
    /// Free replies are taken until then.
    pub window_open_until: Option<Timestamp>,
}

/// One message of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptMessage {
    /// `messages.id`.
    pub id: i64,
    /// `in` or `out`.
    pub direction: String,
    /// Theirs by WhatsApp's clock, ours when it was decided.
    pub sent_at: Timestamp,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// As stored in `messages.kind`.
    pub kind: String,
    /// As the person saw it.
    pub text: String,
    /// WhatsApp's id.
    pub wamid: Option<String>,
    /// Theirs: the decision in one word.
    pub decision: Option<String>,
    /// Theirs: why, as JSON.
    pub explanation: Option<String>,
    /// Who wrote it: `contact`, `bot`, `phone_app` or `operator`.
    pub origin: String,
    /// The file that came along, below the media folder, once it is fetched.
    pub file: Option<String>,
    /// Why the file is not here.
    pub file_error: Option<String>,
    /// Ours: the rule that gave it.
    pub rule: Option<String>,
    /// Ours: the message of theirs that it answers.
    pub reply_to: Option<i64>,
    /// Which rules decided.
    pub rules_version: Option<String>,
    /// Ours: how far it got in our outbox.
    pub outbox_state: Option<String>,
    /// Ours: how far it got in WhatsApp.
    pub delivery_status: Option<String>,
    /// Ours: why it was not sent, or what the last try met.
    pub send_error: Option<String>,
    /// Ours: the row of the outbox, while it is there.
    pub outbox_id: Option<i64>,
}

/// Something Meta told us about the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEventRow {
    /// `account_events.id`.
    pub id: i64,
    /// Meta's word for what it is about.
    pub field: String,
    /// The number concerned.
    pub phone_number_id: Option<String>,
    /// What it says, for people.
    pub summary: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Meta's JSON.
    pub raw: String,
}

impl Store {
    /// What is damaged in the file; `None` when nothing is.
    ///
    /// # Errors
    /// `Database`.
    pub async fn damage(&self) -> Result<Option<String>, StoreError> {
        let found: String = sqlx::query_scalar(sql::QUICK_CHECK)
            .fetch_one(&self.read)
            .await?;
        Ok((found != "ok").then_some(found))
    }

    /// The latest news of the account, oldest first; only those of a field when one is named.
    ///
    /// # Errors
    /// `Database`.
    pub async fn news(
        &self,
        field: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AccountEventRow>, StoreError> {
        let news = sqlx::query_as(sql::ACCOUNT_EVENTS);
        let news = news.bind(field.unwrap_or("")).bind(limit);
        Ok(news.fetch_all(&self.read).await?)
    }

    /// The conversations with the latest messages, latest first. `like` keeps those whose name
    /// contains it, or whose phone does (six digits at least: fewer are a conversation's id). What
    /// names one exactly goes before: the one of that id, else those of that whole phone number or
    /// user id.
    ///
    /// # Errors
    /// `Database`.
    pub async fn conversations(
        &self,
        like: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ConversationSummary>, StoreError> {
        let conversations = sqlx::query_as(sql::CONVERSATION_SUMMARIES);
        Ok(conversations
            .bind(like.unwrap_or(""))
            .bind(limit)
            .bind(like.map(digits).unwrap_or_default())
            .fetch_all(&self.read)
            .await?)
    }

    /// What happened in a conversation beside what was said, oldest first.
    ///
    /// # Errors
    /// `Database`.
    pub async fn conversation_events(
        &self,
        conversation: i64,
    ) -> Result<Vec<StoredConversationEvent>, StoreError> {
        let conversation_events = sqlx::query_as(sql::CONVERSATION_EVENTS).bind(conversation);
        Ok(conversation_events.fetch_all(&self.read).await?)
    }

    /// The latest messages of a conversation, oldest first.
    ///
    /// # Errors
    /// `Database`.
    pub async fn transcript(
        &self,
        conversation: i64,
        limit: u32,
    ) -> Result<Vec<TranscriptMessage>, StoreError> {
        let entries = sqlx::query_as(sql::TRANSCRIPT)
            .bind(conversation)
            .bind(limit);
        Ok(entries.fetch_all(&self.read).await?)
    }
}

/// The digits of a phone number as people write it; nothing when it is none.
fn digits(written: &str) -> String {
    let is_phone = |one: char| one.is_ascii_digit() || "+ -().".contains(one);
    if !written.chars().all(is_phone) {
        return String::new();
    }
    written.chars().filter(char::is_ascii_digit).collect()
}

/// Something that happened in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConversationEvent {
    /// When.
    pub at: Timestamp,
    /// What, in one word.
    pub kind: String,
    /// For people.
    pub text: String,
    /// The message of theirs that it came with.
    pub message_id: Option<i64>,
}

impl<'r> FromRow<'r, SqliteRow> for StoredConversationEvent {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            at: time(row, "at_ms")?.unwrap_or(Timestamp::UNIX_EPOCH),
            kind: row.try_get("kind")?,
            text: row.try_get("text")?,
            message_id: row.try_get("message_id")?,
        })
    }
}

impl<'r> FromRow<'r, SqliteRow> for AccountEventRow {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            field: row.try_get("field")?,
            phone_number_id: row.try_get("phone_number_id")?,
            summary: row.try_get("summary")?,
            received_at: time(row, "received_at_ms")?.unwrap_or(Timestamp::UNIX_EPOCH),
            raw: row.try_get("raw")?,
        })
    }
}

/// A column of milliseconds.
pub(super) fn time(row: &SqliteRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    let at: Option<i64> = row.try_get(column)?;
    at.map(Timestamp::from_millisecond)
        .transpose()
        .map_err(|source| sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source: Box::new(source),
        })
}

impl<'r> FromRow<'r, SqliteRow> for ConversationSummary {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            contact: row.try_get("contact")?,
            phone: row.try_get("phone")?,
            phone_number_id: row.try_get("phone_number_id")?,
            last_message: row.try_get("last_message")?,
            last_at: time(row, "last_message_ms")?.unwrap_or(Timestamp::UNIX_EPOCH),
            inbound_count: row.try_get("inbound_count")?,
            unanswered_since: time(row, "unanswered_since_ms")?,
            window_open_until: time(row, "window_open_until_ms")?,
        })
    }
}

impl<'r> FromRow<'r, SqliteRow> for TranscriptMessage {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            direction: row.try_get("direction")?,
            sent_at: time(row, "sent_at_ms")?.unwrap_or(Timestamp::UNIX_EPOCH),
            stored_at: time(row, "stored_at_ms")?.unwrap_or(Timestamp::UNIX_EPOCH),
            kind: row.try_get("kind")?,
            text: row.try_get("text")?,
            wamid: row.try_get("wamid")?,
            decision: row.try_get("decision")?,
            explanation: row.try_get("explanation")?,
            origin: row.try_get("origin")?,
            file: row.try_get("path")?,
            file_error: row.try_get("error")?,
            rule: row.try_get("rule_id")?,
            reply_to: row.try_get("reply_to_id")?,
            rules_version: row.try_get("rules_version")?,
            outbox_state: row.try_get("outbox_state")?,
            delivery_status: row.try_get("delivery_status")?,
            send_error: row.try_get("send_error")?,
            outbox_id: row.try_get("outbox_id")?,
        })
    }
}

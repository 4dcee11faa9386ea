//! The past as it can be decided again: each conversation with everything that came in and what was
//! answered.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row as _;

use super::keys::{json_rows, message_key};
use super::{Store, StoreError, sql};
use crate::message::{
    Contact, Conversation, ConversationState, Identity, PhoneNumberId, UserId, WaId,
};

/// A conversation and everything in it.
#[derive(Clone, Debug)]
pub struct RecordedConversation {
    /// `conversations.id`.
    pub id: i64,
    /// As it was before the first message; the person as we know them today.
    pub conversation: Conversation,
    /// Of both sides, in the order they were stored.
    pub messages: Vec<PastMessage>,
    /// What was asked of the world outside, as JSON, with what came of it and when.
    pub actions: Vec<(String, String, Timestamp)>,
}

/// One message of either side.
#[derive(Clone, Debug)]
pub struct PastMessage {
    /// `messages.id`.
    pub id: i64,
    /// Whether it is the person's.
    pub theirs: bool,
    /// `contact`, `bot` or `phone_app`.
    pub origin: String,
    /// As it was shown.
    pub text: String,
    /// Theirs: Meta's JSON. Ours: the reply as JSON.
    pub raw: String,
    /// When it was decided on.
    pub at: Timestamp,
    /// Theirs: the decision in one word.
    pub decision: Option<String>,
    /// Ours: the rule.
    pub rule: Option<String>,
    /// Ours: what it answers.
    pub reply_to: Option<i64>,
}

/// A text that somebody wrote, with what was decided on it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `messages.id`.
    pub id: i64,
    /// As it was shown.
    pub text: String,
    /// The decision in one word.
    pub decision: String,
    /// Why, as JSON.
    pub explanation: Option<String>,
}

impl Store {
    /// Up to `count` conversations behind the one of this id, with all that is in them.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub async fn past(
        &self,
        after: i64,
        count: u32,
        number: &str,
    ) -> Result<Vec<RecordedConversation>, StoreError> {
        let found = sqlx::query(sql::RECORDED_CONVERSATIONS);
        let found = found.bind(after).bind(count).bind(number);
        let mut all = Vec::new();
        for row in found.fetch_all(&self.read).await? {
            let mut conversation = conversation(&row)?;
            conversation.state = ConversationState::default();
            conversation.inbound_count = 0;
            all.push(RecordedConversation {
                id: row.try_get("id")?,
                conversation,
                messages: Vec::new(),
                actions: Vec::new(),
            });
        }
        let (Some(first), Some(last)) = (all.first(), all.last()) else {
            return Ok(all);
        };
        let (first, last) = (first.id, last.id);
        let places: HashMap<i64, usize> = all
            .iter()
            .enumerate()
            .map(|(at, one)| (one.id, at))
            .collect();
        let messages = sqlx::query(sql::RECORDED_MESSAGES).bind(first).bind(last);
        for row in messages.fetch_all(&self.read).await? {
            let conversation: i64 = row.try_get("conversation_id")?;
            let Some(place) = places.get(&conversation) else {
                continue;
            };
            let direction: String = row.try_get("direction")?;
            all[*place].messages.push(PastMessage {
                id: row.try_get("id")?,
                theirs: direction == "in",
                origin: row.try_get("origin")?,
                text: row.try_get("text")?,
                raw: row.try_get::<Option<String>, _>("raw")?.unwrap_or_default(),
                at: time(row.try_get("stored_at_ms")?),
                decision: row.try_get("decision")?,
                rule: row.try_get("rule_id")?,
                reply_to: row.try_get("reply_to_id")?,
            });
        }
        let actions = sqlx::query(sql::RECORDED_ACTIONS).bind(first).bind(last);
        for row in actions.fetch_all(&self.read).await? {
            let conversation: i64 = row.try_get("conversation_id")?;
            if let Some(place) = places.get(&conversation) {
                let (request, outcome) = (row.try_get("request")?, row.try_get("outcome")?);
                let ended = time(row.try_get("ended_at_ms")?);
                all[*place].actions.push((request, outcome, ended));
            }
        }
        Ok(all)
    }

    /// How many messages people have sent, to one number or ('') to all.
    ///
    /// # Errors
    /// `Database`.
    pub async fn messages_in(&self, number: &str) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(sql::COUNT_INBOUND)
            .bind(number)
            .fetch_one(&self.read)
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// When the last message of either side was stored.
    ///
    /// # Errors
    /// `Database`.
    pub async fn last_stored(&self) -> Result<Timestamp, StoreError> {
        let last = sqlx::query_scalar(sql::LAST_STORED).fetch_optional(&self.read);
        Ok(last.await?.map_or(Timestamp::UNIX_EPOCH, time))
    }

    /// A conversation as the next message would find it.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub async fn conversation(&self, id: i64) -> Result<Option<Conversation>, StoreError> {
        let found = sqlx::query(sql::RECORDED_CONVERSATIONS)
            .bind(id - 1)
            .bind(1)
            .bind("");
        let row = found.fetch_optional(&self.read).await?;
        let row = row.filter(|row| row.try_get::<i64, _>("id").is_ok_and(|found| found == id));
        row.map(|row| conversation(&row)).transpose()
    }

    /// Up to `count` texts that people wrote since then, the latest first, from before the one of
    /// this id.
    ///
    /// # Errors
    /// `Database`.
    pub async fn inbound_texts(
        &self,
        before: i64,
        since: Timestamp,
        count: u32,
    ) -> Result<Vec<Asked>, StoreError> {
        let found = sqlx::query(sql::INBOUND_TEXTS);
        let found = found.bind(before).bind(since.as_millisecond()).bind(count);
        let mut all = Vec::new();
        for row in found.fetch_all(&self.read).await? {
            all.push(Asked {
                id: row.try_get("id")?,
                text: row.try_get("text")?,
                decision: row.try_get("decision")?,
                explanation: row.try_get("explanation")?,
            });
        }
        Ok(all)
    }

    /// The message of theirs and its conversation, by its id or by that of an answer to it; one of
    /// ours that answers nothing is meant itself.
    ///
    /// # Errors
    /// `Database`.
    pub async fn find_message(&self, wamid: &str) -> Result<Option<(i64, i64)>, StoreError> {
        let numbers: Vec<String> = sqlx::query_scalar(sql::PHONE_NUMBERS)
            .fetch_all(&self.read)
            .await?;
        let keys: Vec<String> = numbers
            .iter()
            .map(|number| message_key(number, wamid))
            .collect();
        let row = sqlx::query(sql::FIND_MESSAGE).bind(json_rows(&keys));
        match row.fetch_optional(&self.read).await? {
            Some(row) => Ok(Some((row.try_get("id")?, row.try_get("conversation_id")?))),
            None => Ok(None),
        }
    }
}

fn conversation(row: &sqlx::sqlite::SqliteRow) -> Result<Conversation, StoreError> {
    let id: i64 = row.try_get("id")?;
    let corrupt = |what| StoreError::Corrupt {
        table: "conversations",
        row: id,
        what,
    };
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
        },
        inbound_count: u64::try_from(inbound_count).unwrap_or_default(),
        state: serde_json::from_str(&state).map_err(|_| corrupt("`state` is not ours"))?,
    })
}

fn time(at: i64) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

//! Quoted messages: Meta sends only their ids, the database has their texts.

use std::collections::HashMap;

use serde::Deserialize;

use super::batch::{ConversationMessage, KeyedMessage};
use super::load::{Fresh, Trigger};
use crate::message::QuotedMessage;
use crate::store::keys::{json_rows, message_key};
use crate::store::transaction::Transaction;
use crate::store::{StoreError, sql};

/// A stored message that another one quotes.
#[derive(Deserialize)]
pub(in crate::store) struct StoredQuote {
    pub(in crate::store) key: String,
    pub(in crate::store) text: String,
    pub(in crate::store) origin: String,
}

/// Adds the quoted messages to those that quote them. A quoted message may have come in the same
/// batch. Runs no statement when nothing is quoted.
pub(super) async fn load(tx: &mut Transaction, fresh: &mut Fresh) -> Result<(), StoreError> {
    let keys: Vec<String> = messages(fresh).filter_map(quoted_key).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let query = sqlx::query_scalar(sql::QUOTED_MESSAGES).bind(json_rows(&keys));
    let stored: Vec<StoredQuote> = tx.fetch_json(query, "messages").await?;
    let stored = stored.into_iter().map(|StoredQuote { key, text, origin }| {
        let quoted = QuotedMessage { text, origin };
        (key, quoted)
    });
    let new = messages(fresh).map(|keyed| (keyed.key.clone(), as_quoted(&keyed.message)));
    let known: HashMap<String, QuotedMessage> = new.chain(stored).collect();
    for event in &mut fresh.events {
        if let Trigger::Message(keyed) = &mut event.trigger
            && let Some(quoted) = quoted_key(keyed).and_then(|key| known.get(&key))
            && let ConversationMessage::Inbound(message) = &mut keyed.message
        {
            message.context.quoted_message = Some(quoted.clone());
        }
    }
    Ok(())
}

fn messages(fresh: &Fresh) -> impl Iterator<Item = &KeyedMessage> {
    fresh
        .events
        .iter()
        .filter_map(|event| match &event.trigger {
            Trigger::Message(keyed) => Some(keyed),
            Trigger::Timers | Trigger::Action { .. } | Trigger::FailedReply { .. } => None,
        })
}

/// Returns the key of the message that an inbound one quotes.
fn quoted_key(keyed: &KeyedMessage) -> Option<String> {
    let ConversationMessage::Inbound(message) = &keyed.message else {
        return None;
    };
    let number = message.phone_number_id.as_str();
    Some(message_key(number, message.target()?.as_str()))
}

fn as_quoted(message: &ConversationMessage) -> QuotedMessage {
    let (content, origin) = match message {
        ConversationMessage::Inbound(message) => (&message.content, message.author.origin()),
        ConversationMessage::Echo(echo) => (&echo.content, "phone_app"),
    };
    QuotedMessage {
        text: content.transcript_text(),
        origin: origin.to_owned(),
    }
}

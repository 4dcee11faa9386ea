//! One update of field `messages` at a time: who, when and what.
//!
//! Fails alone: an error here sends this update to the quarantine and no other. Next on the way of a message:
//! `crate::intake`, with the events of the whole body.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::content::{self, LONGEST_WAMID_BYTES};
use super::fields::{Object, Wrong, elements};
use crate::message::{
    AccountEvent, ContextInfo, DeliveryStatus, Event, GraphError, Identity, Inbound, PhoneNumberId,
    Receipt, UserId, WaId, Wamid,
};

/// Meta's user ids are a country, a dot and up to 128 characters; parent ids a little more.
const LONGEST_USER_ID_BYTES: usize = 256;
/// E.164 ends at 15 digits; some extra for what is not a phone but written like one.
const LONGEST_WA_ID_BYTES: usize = 32;
/// Types are short words.
const LONGEST_KIND_BYTES: usize = 64;
/// Meta's own limit of `biz_opaque_callback_data`.
const LONGEST_TAG_BYTES: usize = 512;
/// Seconds beyond this are milliseconds: as seconds they would be after the year 5100.
const LARGEST_SECONDS: i64 = 100_000_000_000;

/// A card of `contacts[]`: who the senders of this body are.
pub(super) struct Card {
    wa_id: Option<String>,
    user_id: Option<String>,
    name: Option<String>,
}

impl Card {
    /// Reads what can be read; a wrong card only leaves a message without a name.
    pub(super) fn read(raw: &RawValue) -> Option<Self> {
        let card = Object::of(raw)?;
        let profile = card.optional_object("profile");
        Some(Self {
            wa_id: card.id("wa_id", LONGEST_WA_ID_BYTES).ok().flatten(),
            user_id: card.id("user_id", LONGEST_USER_ID_BYTES).ok().flatten(),
            name: profile.and_then(|profile| profile.optional_text("name")),
        })
    }
}

/// Reads an element of `messages[]`.
pub(super) fn message(
    raw: &RawValue,
    number: &PhoneNumberId,
    cards: &[Card],
) -> Result<Event, Wrong> {
    let message = object(raw)?;
    if message
        .get("group_id")
        .is_some_and(|id| id.get() != r#""""#)
    {
        return Ok(Event::Account(AccountEvent {
            field: "messages/groups".to_owned(),
            phone_number_id: Some(number.clone()),
            raw: raw.get().to_owned(),
        }));
    }
    let wamid = wamid(&message)?;
    let (sender, profile_name) = sender(&message, cards)?;
    let sent_at = timestamp(&message)?;
    let kind = message
        .id("type", LONGEST_KIND_BYTES)?
        .ok_or_else(|| Wrong::new("type", "is missing"))?;
    Ok(Event::Message(Box::new(Inbound {
        phone_number_id: number.clone(),
        wamid,
        sender,
        profile_name,
        sent_at,
        content: content::read(kind, &message)?,
        context: context(&message),
        raw: raw.get().to_owned(),
    })))
}

/// Reads an element of `statuses[]`.
///
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>.
pub(super) fn receipt(raw: &RawValue, number: &PhoneNumberId) -> Result<Event, Wrong> {
    let receipt = object(raw)?;
    let word = receipt.text("status")?;
    Ok(Event::Receipt(Box::new(Receipt {
        phone_number_id: number.clone(),
        wamid: wamid(&receipt)?,
        status: DeliveryStatus::parse(&word)
            .ok_or_else(|| Wrong::new("status", "is an unknown status"))?,
        at: timestamp(&receipt)?,
        tag: receipt
            .id("biz_opaque_callback_data", LONGEST_TAG_BYTES)
            .ok()
            .flatten(),
        errors: errors(&receipt),
        raw: raw.get().to_owned(),
    })))
}

fn object(raw: &RawValue) -> Result<Object<'_>, Wrong> {
    Object::of(raw).ok_or_else(|| Wrong::new("update", "is not an object"))
}

fn wamid(update: &Object<'_>) -> Result<Wamid, Wrong> {
    update
        .id("id", LONGEST_WAMID_BYTES)?
        .and_then(Wamid::parse)
        .ok_or_else(|| Wrong::new("id", "is missing"))
}

/// Who wrote. The message's own ids count; the card that shares one of them fills in the other.
fn sender(message: &Object<'_>, cards: &[Card]) -> Result<(Identity, Option<String>), Wrong> {
    let from = message.id("from", LONGEST_WA_ID_BYTES)?;
    let user_id = message.id("from_user_id", LONGEST_USER_ID_BYTES)?;
    let card = card_of(from.as_deref(), user_id.as_deref(), cards);
    let wa_id = from.or_else(|| card?.wa_id.clone());
    let user_id = user_id.or_else(|| card?.user_id.clone());
    if wa_id.as_deref().is_some_and(|digits| !is_digits(digits)) {
        return Err(Wrong::new("from", "is not a phone number"));
    }
    let identity =
        Identity::from_parts(wa_id.and_then(WaId::parse), user_id.and_then(UserId::parse))
            .ok_or_else(|| Wrong::new("from", "is missing, and `from_user_id` too"))?;
    Ok((identity, card.and_then(|card| card.name.clone())))
}

fn card_of<'a>(from: Option<&str>, user_id: Option<&str>, cards: &'a [Card]) -> Option<&'a Card> {
    let by_user_id = || {
        let wanted = user_id?;
        let is = |card: &&Card| card.user_id.as_deref() == Some(wanted);
        cards.iter().find(is)
    };
    let by_wa_id = || {
        let wanted = from?;
        // A card of another user id is another person, whatever its number.
        let is = |card: &&Card| {
            card.wa_id.as_deref() == Some(wanted)
                && (user_id.is_none()
                    || card.user_id.is_none()
                    || card.user_id.as_deref() == user_id)
        };
        cards.iter().find(is)
    };
    match (from, user_id, cards) {
        // Nothing to match by, and nobody else it could be.
        (None, None, [only]) => Some(only),
        _ => by_user_id().or_else(by_wa_id),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn timestamp(update: &Object<'_>) -> Result<Timestamp, Wrong> {
    let number: i64 = update.number("timestamp")?;
    let read = match number {
        ..0 => None,
        0..=LARGEST_SECONDS => Timestamp::from_second(number).ok(),
        _ => Timestamp::from_millisecond(number).ok(),
    };
    read.ok_or_else(|| Wrong::new("timestamp", "is not a time"))
}

/// What the message quotes; a wrong context is no reason to lose the message.
fn context(message: &Object<'_>) -> ContextInfo {
    let Some(context) = message.optional_object("context") else {
        return ContextInfo::default();
    };
    ContextInfo {
        quoted: context
            .id("id", LONGEST_WAMID_BYTES)
            .ok()
            .flatten()
            .and_then(Wamid::parse),
        forwarded: context.is_true("forwarded") || context.is_true("frequently_forwarded"),
    }
}

fn errors(receipt: &Object<'_>) -> Vec<GraphError> {
    let listed = receipt.get("errors").and_then(elements).unwrap_or_default();
    listed.into_iter().filter_map(graph_error).collect()
}

fn graph_error(raw: &RawValue) -> Option<GraphError> {
    let error = Object::of(raw)?;
    Some(GraphError {
        code: error.number("code").ok()?,
        title: error
            .optional_text("title")
            .or_else(|| error.optional_text("message")),
        details: error
            .optional_object("error_data")
            .and_then(|extra| extra.optional_text("details")),
    })
}

//! Reads one update: sender, time and content.
//!
//! An error here quarantines this update and no other; for messages that is a missing sender or id.
//! Next on the way of a message:
//! `crate::intake`, with the events of the whole body.

use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use super::content;
use super::sender::{
    Card, WAMID_MAX_BYTES, errors, identity, is_number_itself, sender_or_recipient,
};
use crate::message::{
    AccountEvent, Author, Content, ContextInfo, DeliveryStatus, Echo, Event, Forwarded, Identity,
    Inbound, PhoneNumberId, Profile, Receipt, Referral, ReferredProduct, Wamid,
};
use crate::whatsapp::error_codes;
use crate::whatsapp::raw_json::{FieldError, Object};

/// Smallest number read as seconds, at the start of 2009: `WhatsApp` has no older messages.
const SMALLEST_SECONDS: i64 = 1_230_768_000;
/// Upper bound of the length of `status`, which is a short word.
const STATUS_MAX_BYTES: usize = 64;
/// Upper bound of `biz_opaque_callback_data`, by Meta.
const CLAIM_TOKEN_MAX_BYTES: usize = 512;
/// Greatest number read as seconds, in the year 5138; greater ones are milliseconds.
const LARGEST_SECONDS: i64 = 100_000_000_000;

/// Reads an element of `messages[]`; `display_phone_number` is the business number itself. Only a
/// message without a sender or an id is unreadable; the time of arrival stands in for an unreadable
/// time.
pub(crate) fn message(
    raw: &RawValue,
    number: &PhoneNumberId,
    cards: &[Card<'_>],
    display_phone_number: Option<&str>,
    received_at: Timestamp,
) -> Result<Event, FieldError> {
    let message = object(raw)?;
    if let Some(group) = message.get("group_id").filter(|id| id.get() != r#""""#) {
        let kind = message.optional_text("type").unwrap_or_default();
        let summary = format!("a message ({kind}) in group {}", group.get());
        return Ok(account_event("messages/groups", number, summary, raw));
    }
    let wamid = wamid(&message)?;
    let sent_at = timestamp(&message).unwrap_or(received_at);
    let content = content::read(&message);
    let (sender, profile) = sender(&message, &content, cards)?;
    let author = if is_number_itself(&sender, display_phone_number) {
        Author::NumberItself
    } else {
        Author::Contact
    };
    Ok(Event::Message(Box::new(Inbound {
        phone_number_id: number.clone(),
        waba_id: None,
        wamid,
        sender,
        author,
        profile,
        sent_at,
        context: context(&message),
        ad: message
            .optional_object("referral")
            .map(|ad| referral(&ad))
            .filter(|ad| *ad != Referral::default()),
        errors: errors(&message),
        content,
        raw: raw.get().to_owned(),
    })))
}

/// Reads the sender. A system message about a changed id belongs to the contact's new id.
fn sender(
    message: &Object<'_>,
    content: &Content,
    cards: &[Card<'_>],
) -> Result<(Identity, Profile), FieldError> {
    if matches!(content, Content::System { .. })
        && let Some(part) = message.optional_object("system")
    {
        let phone = part.optional_text("wa_id");
        let phone = phone.or_else(|| part.optional_text("new_wa_id"));
        if let Some(now) = identity(phone, part.optional_text("user_id")) {
            return Ok((now, Profile::default()));
        }
    }
    sender_or_recipient(message, "from", "from_user_id", cards)
}

/// Reads an element of `message_echoes[]`; one without a recipient belongs to no conversation.
pub(crate) fn echo(
    raw: &RawValue,
    number: &PhoneNumberId,
    cards: &[Card<'_>],
    received_at: Timestamp,
) -> Result<Event, FieldError> {
    let echo = object(raw)?;
    let content = content::read(&echo);
    let Ok((recipient, profile)) = sender_or_recipient(&echo, "to", "to_user_id", cards) else {
        let summary = "a message from the phone app, without a recipient".to_owned();
        return Ok(account_event("smb_message_echoes", number, summary, raw));
    };
    Ok(Event::Echo(Box::new(Echo {
        phone_number_id: number.clone(),
        waba_id: None,
        wamid: wamid(&echo)?,
        recipient,
        profile,
        sent_at: timestamp(&echo).unwrap_or(received_at),
        content,
        context: context(&echo),
        raw: raw.get().to_owned(),
    })))
}

/// Reads an element of `statuses[]`.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>.
pub(crate) fn receipt(
    raw: &RawValue,
    number: &PhoneNumberId,
    cards: &[Card<'_>],
    received_at: Timestamp,
) -> Result<Event, FieldError> {
    let receipt = object(raw)?;
    let status = receipt
        .word("status", STATUS_MAX_BYTES)?
        .ok_or_else(|| FieldError::new("status", "is missing"))?;
    let part = |name: &str| {
        let raw = receipt.get(name)?;
        Object::from_raw(raw).map(|_| raw.get().to_owned())
    };
    let is_group = receipt.optional_text("recipient_type").as_deref() == Some("group");
    let participant =
        "recipient_participant_user_id recipient_participant_id participant_recipient_id";
    let mut participant = participant.split(' ');
    // A receipt is matched by its message's id alone, so that an unreadable recipient is no error.
    let is_named = !is_group
        && ["recipient_id", "recipient_user_id"]
            .iter()
            .any(|name| receipt.get(name).is_some());
    let recipient = is_named
        .then(|| sender_or_recipient(&receipt, "recipient_id", "recipient_user_id", cards).ok());
    let (recipient, profile) = recipient.flatten().unzip();
    let errors = errors(&receipt);
    let has_failed = DeliveryStatus::parse(&status) == Some(DeliveryStatus::Failed);
    let claim_token = receipt.word("biz_opaque_callback_data", CLAIM_TOKEN_MAX_BYTES);
    Ok(Event::Receipt(Box::new(Receipt {
        phone_number_id: number.clone(),
        waba_id: None,
        wamid: wamid(&receipt)?,
        status,
        at: timestamp(&receipt).unwrap_or(received_at),
        claim_token: claim_token.ok().flatten(),
        recipient,
        profile: profile.unwrap_or_default(),
        participant: participant.find_map(|name| receipt.optional_text(name)),
        pricing: part("pricing"),
        conversation: part("conversation"),
        failure: has_failed.then(|| error_codes::failure(&errors)),
        errors,
        raw: raw.get().to_owned(),
    })))
}

/// Builds an event for a message that belongs to no conversation.
fn account_event(field: &str, number: &PhoneNumberId, summary: String, raw: &RawValue) -> Event {
    Event::Account(AccountEvent {
        field: field.to_owned(),
        phone_number_id: Some(number.clone()),
        waba_id: None,
        sent_at: None,
        summary,
        consent: None,
        raw: raw.get().to_owned(),
    })
}

fn object(raw: &RawValue) -> Result<Object<'_>, FieldError> {
    Object::from_raw(raw).ok_or_else(|| FieldError::new("update", "is not an object"))
}

fn wamid(update: &Object<'_>) -> Result<Wamid, FieldError> {
    update
        .id("id", WAMID_MAX_BYTES)?
        .and_then(Wamid::parse)
        .ok_or_else(|| FieldError::new("id", "is missing"))
}

/// Reads the time of an update; a fraction of a second is dropped.
fn timestamp(update: &Object<'_>) -> Option<Timestamp> {
    let whole = update.number("timestamp").ok();
    let number = whole.or_else(|| {
        let fractional: f64 = update.number("timestamp").ok()?;
        let since_1970 = SignedDuration::try_from_secs_f64(fractional).ok()?;
        Some(since_1970.as_secs())
    });
    number
        .filter(|number| *number >= SMALLEST_SECONDS)
        .and_then(time)
}

/// Parses a time as Meta writes it: seconds since 1970, in some fields milliseconds.
pub(crate) fn time(number: i64) -> Option<Timestamp> {
    match number {
        ..0 => None,
        0..=LARGEST_SECONDS => Timestamp::from_second(number).ok(),
        _ => Timestamp::from_millisecond(number).ok(),
    }
}

/// Reads the quoted message; a malformed context does not reject the message.
fn context(message: &Object<'_>) -> ContextInfo {
    let Some(context) = message.optional_object("context") else {
        return ContextInfo::default();
    };
    let forwarded = if context.is_true("frequently_forwarded") {
        Forwarded::Often
    } else if context.is_true("forwarded") {
        Forwarded::Yes
    } else {
        Forwarded::No
    };
    let quoted = context.id("id", WAMID_MAX_BYTES);
    let product = context.optional_object("referred_product");
    ContextInfo {
        quoted: quoted.ok().flatten().and_then(Wamid::parse),
        forwarded,
        // The store has it.
        quoted_message: None,
        product: product.and_then(|product| {
            Some(ReferredProduct {
                catalog_id: product.optional_text("catalog_id"),
                product_id: product.optional_text("product_retailer_id")?,
            })
        }),
    }
}

fn referral(ad: &Object<'_>) -> Referral {
    Referral {
        source_type: ad.optional_text("source_type"),
        source_id: ad.optional_text("source_id"),
        source_url: ad.optional_text("source_url"),
        headline: ad.optional_text("headline"),
        body: ad.optional_text("body"),
        media_type: ad.optional_text("media_type"),
        media_url: ["video_url", "image_url", "thumbnail_url"]
            .iter()
            .find_map(|name| ad.optional_text(name)),
        ctwa_clid: ad.optional_text("ctwa_clid"),
    }
}

//! Request bodies for `POST /{version}/{phone_number_id}/messages`, exactly as Meta documents them.
//!
//! Lengths are checked before, by [`crate::message::limits`]. Interactive messages and templates
//! have a file each. Next on the way of a reply: [`crate::gateway`].

mod interactive;
mod media;
mod message_template;

use serde_json::{Map, Value, json};

use self::media::put;
use crate::message::{Address, ContactCard, Outbound, Raw, Recipient, Wamid};

/// Visibility of "typing…" to the contact before the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// Shown until the next outbound message, for at most 25 seconds; only when a reply follows.
    Shown,
    /// Not shown.
    No,
}

/// Builds the body of a send.
///
/// `about` is the quoted message or, for a reaction, the message reacted to. Receipts return
/// `claim_token` as `biz_opaque_callback_data`; all apps of the business account can read it, so it
/// must not identify a contact.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
#[must_use]
pub fn message_body(
    to: &Recipient,
    content: &Outbound,
    about: Option<&Wamid>,
    claim_token: Option<&str>,
) -> Value {
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), json!("whatsapp"));
    body.insert("recipient_type".to_owned(), json!("individual"));
    let (field, address) = match to {
        // Without the plus, Meta may prefix the business number's own country code.
        Recipient::Phone(wa_id) => ("to", format!("+{}", wa_id.as_str())),
        Recipient::UserId(user_id) => ("recipient", user_id.as_str().to_owned()),
    };
    body.insert(field.to_owned(), Value::String(address));
    if let Outbound::Raw(raw) = content {
        body.extend(raw_keys(raw));
    } else {
        let (kind, part) = part(content, about);
        body.insert("type".to_owned(), json!(kind));
        body.insert(kind.to_owned(), part);
    }
    if let Some(about) = about
        && !matches!(content, Outbound::Reaction { .. })
    {
        let quoted = json!({ "message_id": about.as_str() });
        body.insert("context".to_owned(), quoted);
    }
    if let Some(claim_token) = claim_token {
        body.insert("biz_opaque_callback_data".to_owned(), json!(claim_token));
    }
    Value::Object(body)
}

/// Builds the body of a read mark, which also marks all earlier messages of the contact.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators>.
#[must_use]
pub fn read_mark_body(message: &Wamid, typing: Typing) -> Value {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": message.as_str(),
    });
    if typing == Typing::Shown {
        body["typing_indicator"] = json!({ "type": "text" });
    }
    body
}

/// Returns Meta's type and the object named after it.
fn part(content: &Outbound, about: Option<&Wamid>) -> (&'static str, Value) {
    match content {
        Outbound::Text { body, preview_url } => {
            ("text", json!({ "body": body, "preview_url": preview_url }))
        }
        Outbound::Media(file) => (file.kind.name(), media::whole(file)),
        Outbound::Location {
            latitude,
            longitude,
            name,
            address,
        } => {
            let mut part = json!({ "latitude": latitude, "longitude": longitude });
            put(&mut part, "name", name.as_deref());
            put(&mut part, "address", address.as_deref());
            ("location", part)
        }
        Outbound::Contacts { cards } => (
            "contacts",
            Value::Array(cards.iter().map(contact).collect()),
        ),
        Outbound::Reaction { emoji } => {
            let message = about.map(Wamid::as_str).unwrap_or_default();
            ("reaction", json!({ "message_id": message, "emoji": emoji }))
        }
        Outbound::Template(content) => ("template", message_template::part(content)),
        Outbound::Raw(_) => ("raw", Value::Null),
        Outbound::Buttons { .. }
        | Outbound::List { .. }
        | Outbound::Link { .. }
        | Outbound::AskLocation { .. }
        | Outbound::AskContact { .. }
        | Outbound::Form { .. }
        | Outbound::Commerce(_)
        | Outbound::Checkout(_)
        | Outbound::Carousel { .. } => ("interactive", interactive::part(content)),
    }
}

/// Returns the keys of a message that is passed on as it stands.
fn raw_keys(raw: &Raw) -> Map<String, Value> {
    let mut keys = match json!(raw.keys) {
        Value::Object(keys) => keys,
        _ => Map::new(),
    };
    keys.insert("type".to_owned(), json!(raw.kind));
    keys
}

/// Builds a contact card. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/contacts-messages>.
fn contact(card: &ContactCard) -> Value {
    let mut name = json!({ "formatted_name": card.name });
    // Meta requires a part of the name beside the formatted one.
    let parts = [
        ("first_name", &card.first_name),
        ("last_name", &card.last_name),
        ("middle_name", &card.middle_name),
        ("prefix", &card.prefix),
        ("suffix", &card.suffix),
    ];
    for (field, text) in parts {
        put(&mut name, field, text.as_deref());
    }
    if parts.iter().all(|(_, text)| text.is_none()) {
        name["first_name"] = json!(card.name);
    }
    let mut part = json!({ "name": name });
    put(&mut part, "birthday", card.birthday.as_deref());
    for (field, text) in [
        ("company", &card.company),
        ("department", &card.department),
        ("title", &card.title),
    ] {
        // Left out when empty, as all lists are.
        if let Some(text) = text {
            part["org"][field] = json!(text);
        }
    }
    let phones = card.phones.iter().map(|phone| {
        let mut entry = json!({ "phone": phone.phone });
        put(&mut entry, "type", phone.kind.as_deref());
        put(&mut entry, "wa_id", phone.wa_id.as_deref());
        entry
    });
    let emails = card.emails.iter().map(|email| {
        let mut entry = json!({ "email": email.email });
        put(&mut entry, "type", email.kind.as_deref());
        entry
    });
    let urls = card.urls.iter().map(|url| json!({ "url": url }));
    let lists: [(&str, Vec<Value>); 4] = [
        ("addresses", card.addresses.iter().map(address).collect()),
        ("phones", phones.collect()),
        ("emails", emails.collect()),
        ("urls", urls.collect()),
    ];
    for (field, list) in lists {
        if !list.is_empty() {
            part[field] = Value::Array(list);
        }
    }
    part
}

fn address(address: &Address) -> Value {
    let mut entry = json!({});
    for (field, text) in [
        ("street", &address.street),
        ("city", &address.city),
        ("state", &address.state),
        ("zip", &address.zip),
        ("country", &address.country),
        ("country_code", &address.country_code),
        ("type", &address.kind),
    ] {
        put(&mut entry, field, text.as_deref());
    }
    entry
}

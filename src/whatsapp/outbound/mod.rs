//! Request bodies for `POST /{version}/{phone_number_id}/messages`, exactly as Meta documents them.
//!
//! Lengths are checked before, by [`crate::message::limits`]. Interactive messages and templates
//! have a file each. Next on the way of a reply: [`crate::gateway`].

mod interactive;
mod media;
mod message_template;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use self::interactive::Interactive;
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

/// Body of a send, which is serialized without intermediate values.
#[derive(Clone, Copy, Debug)]
pub struct MessageBody<'a> {
    /// Recipient.
    pub to: &'a Recipient,
    /// The message itself.
    pub content: &'a Outbound,
    /// The quoted message or, for a reaction, the message reacted to.
    pub about: Option<&'a Wamid>,
    /// Returned in receipts as `biz_opaque_callback_data`; all apps of the business account can
    /// read it, so it must not identify a contact.
    pub claim_token: Option<&'a str>,
}

/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
impl Serialize for MessageBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("messaging_product", "whatsapp")?;
        body.serialize_entry("recipient_type", "individual")?;
        match self.to {
            // Without the plus, Meta may prefix the business number's own country code.
            Recipient::Phone(wa_id) => {
                body.serialize_entry("to", &format_args!("+{}", wa_id.as_str()))?;
            }
            Recipient::UserId(user_id) => body.serialize_entry("recipient", user_id.as_str())?,
        }
        if let Outbound::Raw(raw) = self.content {
            for (key, value) in raw_keys(raw) {
                body.serialize_entry(&key, &value)?;
            }
        } else {
            let (kind, part) = part(self.content, self.about);
            body.serialize_entry("type", kind)?;
            body.serialize_entry(kind, &part)?;
        }
        if let Some(about) = self.about
            && !matches!(self.content, Outbound::Reaction { .. })
        {
            let message_id = about.as_str();
            body.serialize_entry("context", &Quoted { message_id })?;
        }
        if let Some(claim_token) = self.claim_token {
            body.serialize_entry("biz_opaque_callback_data", claim_token)?;
        }
        body.end()
    }
}

#[derive(Serialize)]
struct Quoted<'a> {
    message_id: &'a str,
}

/// Body of a read mark, which also marks all earlier messages of the contact.
///
/// See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators>.
#[derive(Debug, Serialize)]
pub struct ReadMarkBody<'a> {
    messaging_product: &'static str,
    status: &'static str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typing_indicator: Option<TypingIndicator>,
}

#[derive(Debug, Serialize)]
struct TypingIndicator {
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'a> ReadMarkBody<'a> {
    /// Creates the body that marks `message`.
    #[must_use]
    pub fn new(message: &'a Wamid, typing: Typing) -> Self {
        let typing_indicator = match typing {
            Typing::Shown => Some(TypingIndicator { kind: "text" }),
            Typing::No => None,
        };
        Self {
            messaging_product: "whatsapp",
            status: "read",
            message_id: message.as_str(),
            typing_indicator,
        }
    }
}

/// Object named after the type of a message; the kinds that are sent most borrow their texts.
#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Text { body: &'a str, preview_url: bool },
    Interactive(Interactive<'a>),
    Other(Value),
}

/// Returns Meta's type and the object named after it.
fn part<'a>(content: &'a Outbound, about: Option<&Wamid>) -> (&'static str, Part<'a>) {
    if let Outbound::Text { body, preview_url } = content {
        let preview_url = *preview_url;
        return ("text", Part::Text { body, preview_url });
    }
    if let Some(part) = Interactive::new(content) {
        return ("interactive", Part::Interactive(part));
    }
    let (kind, part) = other_part(content, about);
    (kind, Part::Other(part))
}

/// Returns type and object of a message that is neither a text nor interactive.
fn other_part(content: &Outbound, about: Option<&Wamid>) -> (&'static str, Value) {
    match content {
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
        Outbound::Text { .. }
        | Outbound::Buttons { .. }
        | Outbound::List { .. }
        | Outbound::Link { .. }
        | Outbound::AskLocation { .. }
        | Outbound::AskContact { .. }
        | Outbound::Form { .. }
        | Outbound::Commerce(_)
        | Outbound::Checkout(_)
        | Outbound::Carousel { .. } => ("interactive", Value::Null),
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

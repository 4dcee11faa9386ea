//! Reads the type-dependent part of a message.
//!
//! Nothing here is an error. The set of types is open: an unknown one is [`Content::Other`]. A known
//! type without its essential parts is [`Content::Incomplete`]. Next on the way of a message: back to
//! [`super::update`].

use serde_json::value::RawValue;

use super::sender::{WAMID_MAX_BYTES, errors, identity};
use crate::message::{
    Address, ContactCard, Content, Email, Kind, Media, Order, OrderItem, Phone, Wamid,
};
use crate::whatsapp::bounds::{FORM_VALUES_MAX, has_more_values};
use crate::whatsapp::raw_json::{KIND_MAX_BYTES, Object, elements};

/// Types of `system` messages about a contact's new number or id, current and former. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system>.
const CHANGES: [&str; 3] = [
    "user_changed_number",
    "user_changed_user_id",
    "customer_changed_number",
];
/// Maximum nesting of edits; Meta nests once.
const EDIT_DEPTH_MAX: usize = 4;

/// Types of messages whose content stands in a part of the same name.
const TYPES: &str = "text image audio voice video document sticker location contacts button \
    interactive order reaction edit revoke system";
/// Types of messages without a part of their own.
const TYPES_WITHOUT_PART: &str = "unsupported unknown request_welcome";
/// Type of a message that has no readable one, and no part that tells it.
const UNTYPED: &str = "untyped";

/// Reads the type of a message and the part that is named after it. Nothing here fails: of a part
/// that is missing or unreadable the type stays, and the raw message keeps the rest.
pub(crate) fn read(message: &Object<'_>) -> Content {
    read_nested(message, EDIT_DEPTH_MAX)
}

/// Reads as [`read`] does, with up to `depth` nested edits.
fn read_nested(message: &Object<'_>, depth: usize) -> Content {
    let kind = kind(message);
    let part = message.optional_object(&kind);
    // A recording may stand under either name.
    let part = part.or_else(|| match kind.as_str() {
        "voice" => message.optional_object("audio"),
        _ => None,
    });
    let part = part.as_ref();
    match kind.as_str() {
        "text" => Content::Text {
            body: text_body(message),
        },
        "image" => Content::Image(media(part)),
        "video" => Content::Video(media(part)),
        "sticker" => Content::Sticker(media(part)),
        "audio" => Content::Audio {
            voice: part.is_some_and(|audio| audio.is_true("voice")),
            media: media(part),
        },
        // Seen in bodies of other services for a recording.
        "voice" => Content::Audio {
            voice: true,
            media: media(part),
        },
        "document" => Content::Document {
            filename: part.and_then(|document| document.optional_text("filename")),
            media: media(part),
        },
        "location" => or_incomplete(part.and_then(location), Kind::Location),
        "contacts" => contacts(message),
        "button" => or_incomplete(part.and_then(template_button), Kind::Button),
        "reaction" => or_incomplete(part.map(reaction), Kind::Reaction),
        "order" => Content::Order(part.map(order).unwrap_or_default()),
        "revoke" => Content::Revoke {
            original: part.and_then(original),
        },
        "edit" => edit(part, depth),
        "system" => system(part, message),
        "request_welcome" => Content::Welcome,
        "unsupported" | "unknown" => unsupported(message),
        "interactive" => interactive(kind, part),
        _ => Content::Other { kind },
    }
}

fn or_incomplete(content: Option<Content>, kind: Kind) -> Content {
    content.unwrap_or(Content::Incomplete { kind })
}

/// Reads the type. Where it is missing, or its part is, the only known part that there is tells it.
fn kind(message: &Object<'_>) -> String {
    let named = message.word("type", KIND_MAX_BYTES).ok().flatten();
    let is_usable = |kind: &str| {
        message.get(kind).is_some()
            || kind == "voice" && message.has_part("audio")
            || TYPES_WITHOUT_PART.split(' ').any(|known| known == kind)
    };
    if let Some(kind) = named.as_ref().filter(|kind| is_usable(kind)) {
        return kind.clone();
    }
    let has_part = |known: &&str| {
        message.has_part(known) || *known == "text" && message.optional_text("text").is_some()
    };
    let mut parts = TYPES.split_whitespace().filter(has_part);
    match (parts.next(), parts.next()) {
        (Some(only), None) => only.to_owned(),
        _ => named.unwrap_or_else(|| UNTYPED.to_owned()),
    }
}

/// Reads a text, which some services send without the object around it; empty if unreadable.
fn text_body(message: &Object<'_>) -> String {
    let part = message.optional_object("text");
    let body = part.map_or_else(
        || message.optional_text("text"),
        |part| part.optional_text("body"),
    );
    body.unwrap_or_default()
}

fn media(part: Option<&Object<'_>>) -> Media {
    let Some(part) = part else {
        return Media::default();
    };
    Media {
        id: part.optional_text("id"),
        mime_type: part.optional_text("mime_type"),
        sha256: part.optional_text("sha256"),
        caption: part.optional_text("caption"),
    }
}

fn location(part: &Object<'_>) -> Option<Content> {
    let degrees = |name: &str| {
        let degrees: f64 = part.number(name).ok()?;
        degrees.is_finite().then_some(degrees)
    };
    Some(Content::Location {
        latitude: degrees("latitude")?,
        longitude: degrees("longitude")?,
        name: part.optional_text("name"),
        address: part.optional_text("address"),
    })
}

fn contacts(message: &Object<'_>) -> Content {
    let cards = message.get("contacts").and_then(elements);
    let cards = cards.unwrap_or_default().into_iter();
    Content::Contacts {
        cards: cards.map(card).collect(),
    }
}

/// Reads a card; missing and unreadable parts are left out.
fn card(raw: &RawValue) -> ContactCard {
    let Some(card) = Object::from_raw(raw) else {
        return ContactCard::default();
    };
    let name = card.optional_object("name");
    let name = |part: &str| name.as_ref()?.optional_text(part);
    let list = |field: &str| -> Vec<Object<'_>> {
        let items = card.get(field).and_then(elements).unwrap_or_default();
        items.into_iter().filter_map(Object::from_raw).collect()
    };
    let phones = list("phones").into_iter().filter_map(|phone| {
        Some(Phone {
            phone: phone
                .optional_text("phone")
                .or_else(|| phone.optional_text("wa_id"))?,
            kind: phone.optional_text("type"),
            wa_id: phone.optional_text("wa_id"),
        })
    });
    let emails = list("emails").into_iter().filter_map(|email| {
        Some(Email {
            email: email.optional_text("email")?,
            kind: email.optional_text("type"),
        })
    });
    let urls = list("urls").into_iter();
    let org = card.optional_object("org");
    let org = |part: &str| org.as_ref()?.optional_text(part);
    let addresses = list("addresses").into_iter().map(|address| Address {
        street: address.optional_text("street"),
        city: address.optional_text("city"),
        state: address.optional_text("state"),
        zip: address.optional_text("zip"),
        country: address.optional_text("country"),
        country_code: address.optional_text("country_code"),
        kind: address.optional_text("type"),
    });
    let card = ContactCard {
        name: name("formatted_name").unwrap_or_default(),
        first_name: name("first_name"),
        last_name: name("last_name"),
        middle_name: name("middle_name"),
        prefix: name("prefix"),
        suffix: name("suffix"),
        company: org("company"),
        department: org("department"),
        title: org("title"),
        birthday: card.optional_text("birthday"),
        phones: phones.collect(),
        emails: emails.collect(),
        urls: urls.filter_map(|url| url.optional_text("url")).collect(),
        addresses: addresses.collect(),
    };
    card.with_name()
}

/// Reads a tap; label and payload stand in for each other.
fn template_button(part: &Object<'_>) -> Option<Content> {
    let (label, payload) = (part.optional_text("text"), part.optional_text("payload"));
    Some(Content::TemplateButton {
        payload: payload.clone().or_else(|| label.clone())?,
        text: label.or(payload)?,
    })
}

fn reaction(part: &Object<'_>) -> Content {
    let message = part.id("message_id", WAMID_MAX_BYTES).ok().flatten();
    Content::Reaction {
        message: message.and_then(Wamid::parse),
        // Missing and "" both mean that the reaction was removed.
        emoji: part.optional_text("emoji"),
    }
}

fn order(part: &Object<'_>) -> Order {
    let listed = part.get("product_items").and_then(elements);
    let listed = listed.unwrap_or_default();
    // An unreadable product stays in the list: without it the total would be that of another order.
    let item = |raw| {
        let Some(item) = Object::from_raw(raw) else {
            return OrderItem::default();
        };
        let number = |name: &str| {
            item.number(name)
                .ok()
                .filter(|number: &f64| number.is_finite())
        };
        OrderItem {
            product_id: item.optional_text("product_retailer_id"),
            quantity: match item.get("quantity") {
                Some(_) => number("quantity"),
                None => Some(1.0),
            },
            price: number("item_price"),
            currency: item.optional_text("currency"),
        }
    };
    Order {
        catalog_id: part.optional_text("catalog_id"),
        text: part.optional_text("text"),
        items: listed.into_iter().map(item).collect(),
    }
}

fn original(part: &Object<'_>) -> Option<Wamid> {
    let id = part.id("original_message_id", WAMID_MAX_BYTES);
    id.ok().flatten().and_then(Wamid::parse)
}

/// Reads an edit, which wraps the message as edited.
fn edit(part: Option<&Object<'_>>, depth: usize) -> Content {
    let message = part.and_then(|part| part.optional_object("message"));
    let now = match message {
        Some(message) if depth > 0 => read_nested(&message, depth - 1),
        message => Content::Other {
            kind: message.map_or_else(|| UNTYPED.to_owned(), |message| kind(&message)),
        },
    };
    Content::Edit {
        original: part.and_then(original),
        now: Box::new(now),
    }
}

/// Reads a system message, with the current names of its fields and the former ones (`customer`,
/// `new_wa_id`).
fn system(part: Option<&Object<'_>>, message: &Object<'_>) -> Content {
    let text = |name: &str| part?.optional_text(name);
    let kind = text("type");
    let before = text("customer");
    let before = before.or_else(|| message.optional_text("from"));
    let kind = kind.unwrap_or_else(|| "system".to_owned());
    let is_change = CHANGES.contains(&kind.as_str());
    Content::System {
        body: text("body"),
        // Other system messages (a new device, say) repeat the current id.
        previous: is_change
            .then(|| identity(before, text("previous_user_id")))
            .flatten(),
        kind,
    }
}

fn unsupported(message: &Object<'_>) -> Content {
    let named = message.optional_object("unsupported");
    Content::Unsupported {
        kind: named.and_then(|named| named.optional_text("type")),
        errors: errors(message),
    }
}

fn interactive(kind: String, part: Option<&Object<'_>>) -> Content {
    let answered = part.and_then(|part| {
        let known = ["button_reply", "list_reply", "nfm_reply"];
        let only = known.into_iter().find(|name| part.has_part(name));
        let named = part.optional_text("type");
        // A type without its part says less than the part of another.
        match (&named, only) {
            (Some(named), _) if part.has_part(named) => Some(named.clone()),
            (_, only) => only.map(str::to_owned).or(named),
        }
    });
    let (Some(part), Some(answered)) = (part, answered) else {
        return Content::Other { kind };
    };
    let answer = part.optional_object(&answered);
    let text = |name: &str| answer.as_ref()?.optional_text(name);
    // Without its id a tap still has its label.
    let tapped = || {
        let (id, title) = (text("id"), text("title"));
        (id.is_some() || title.is_some())
            .then(|| (id.unwrap_or_default(), title.unwrap_or_default()))
    };
    match answered.as_str() {
        "button_reply" => {
            let tapped = tapped().map(|(id, title)| Content::ButtonReply { id, title });
            or_incomplete(tapped, Kind::Button)
        }
        "list_reply" => {
            let tapped = tapped().map(|(id, title)| Content::ListReply {
                id,
                title,
                description: text("description"),
            });
            or_incomplete(tapped, Kind::Button)
        }
        "nfm_reply" => or_incomplete(answer.as_ref().map(form_reply), Kind::Form),
        // More exact than "interactive", and bounded like a type.
        _ if answered.len() <= KIND_MAX_BYTES && !answered.chars().any(char::is_control) => {
            Content::Other { kind: answered }
        }
        _ => Content::Other { kind },
    }
}

/// Reads a form's answers, which are JSON inside a text; some services send the object itself. They
/// stay empty when they are malformed or too many; the raw message still has them.
fn form_reply(form: &Object<'_>) -> Content {
    let raw = form.get("response_json").map(RawValue::get);
    let object = raw.filter(|raw| raw.starts_with('{')).map(str::to_owned);
    let answers = object.or_else(|| form.optional_text("response_json"));
    let answers = answers
        .filter(|json| !has_more_values(json.as_bytes(), FORM_VALUES_MAX))
        .and_then(|json| serde_json::from_str(&json).ok());
    Content::Form {
        name: form.optional_text("name"),
        body: form.optional_text("body"),
        answers: answers.unwrap_or_default(),
    }
}

//! Reads the type-dependent part of a message.
//!
//! The set of types is open: an unknown one is [`Content::Other`], never an error. A known type
//! without its essential parts is an error. Next on the way of a message: back to
//! [`super::update`].

use serde_json::value::RawValue;

use super::raw_json::{FieldError, KIND_MAX_BYTES, Object, elements};
use super::sender::{WAMID_MAX_BYTES, errors, identity};
use crate::message::{ContactCard, Content, Email, Media, Order, OrderItem, Phone, Wamid};
use crate::whatsapp::bounds::{FORM_VALUES_MAX, has_more_values};

/// Types of `system` messages about a contact's new number or id, current and former. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system>.
const CHANGES: [&str; 3] = [
    "user_changed_number",
    "user_changed_user_id",
    "customer_changed_number",
];
/// Maximum nesting of edits; Meta nests once.
const EDIT_DEPTH_MAX: usize = 4;

/// Reads the object that is named after the message's type.
pub(crate) fn read(kind: String, message: &Object<'_>) -> Result<Content, FieldError> {
    read_nested(kind, message, EDIT_DEPTH_MAX)
}

/// Reads as [`read`] does, with up to `depth` nested edits.
fn read_nested(kind: String, message: &Object<'_>, depth: usize) -> Result<Content, FieldError> {
    let part = || message.object(&kind);
    let content = match kind.as_str() {
        "text" => part()?.text("body").map(|body| Content::Text { body }),
        "image" => Ok(Content::Image(media(&part()?))),
        "video" => Ok(Content::Video(media(&part()?))),
        "sticker" => Ok(Content::Sticker(media(&part()?))),
        "audio" => part().map(|audio| Content::Audio {
            voice: audio.is_true("voice"),
            media: media(&audio),
        }),
        // Seen in bodies of other services for a recording.
        "voice" => part().map(|voice| Content::Audio {
            voice: true,
            media: media(&voice),
        }),
        "document" => part().map(|document| Content::Document {
            filename: document.optional_text("filename"),
            media: media(&document),
        }),
        "location" => location(&part()?),
        "contacts" => Ok(contacts(message)),
        "button" => template_button(&part()?),
        "reaction" => reaction(&part()?),
        "order" => order(&part()?),
        "revoke" => part().map(|revoke| Content::Revoke {
            original: original(&revoke),
        }),
        "edit" => edit(&part()?, depth),
        "system" => Ok(system(&part()?, message)),
        "request_welcome" => Ok(Content::Welcome),
        "unsupported" | "unknown" => Ok(unsupported(message)),
        "interactive" => return interactive(kind, message),
        _ => return Ok(Content::Other { kind }),
    };
    content.map_err(|error| error.within(&kind))
}

fn media(part: &Object<'_>) -> Media {
    Media {
        id: part.optional_text("id"),
        mime_type: part.optional_text("mime_type"),
        sha256: part.optional_text("sha256"),
        caption: part.optional_text("caption"),
    }
}

fn location(part: &Object<'_>) -> Result<Content, FieldError> {
    let degrees = |name: &str| {
        let degrees: f64 = part.number(name)?;
        if degrees.is_finite() {
            Ok(degrees)
        } else {
            Err(FieldError::new(name, "is not a number"))
        }
    };
    Ok(Content::Location {
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
    ContactCard {
        name: name("formatted_name").unwrap_or_default(),
        first_name: name("first_name"),
        last_name: name("last_name"),
        company: card
            .optional_object("org")
            .and_then(|org| org.optional_text("company")),
        phones: phones.collect(),
        emails: emails.collect(),
        urls: urls.filter_map(|url| url.optional_text("url")).collect(),
    }
}

fn template_button(part: &Object<'_>) -> Result<Content, FieldError> {
    let label = part.text("text")?;
    Ok(Content::TemplateButton {
        payload: part
            .optional_text("payload")
            .unwrap_or_else(|| label.clone()),
        text: label,
    })
}

fn reaction(part: &Object<'_>) -> Result<Content, FieldError> {
    Ok(Content::Reaction {
        message: part
            .id("message_id", WAMID_MAX_BYTES)?
            .and_then(Wamid::parse),
        // Missing and "" both mean that the reaction was removed.
        emoji: part.optional_text("emoji"),
    })
}

fn order(part: &Object<'_>) -> Result<Content, FieldError> {
    let listed = part
        .get("product_items")
        .and_then(elements)
        .ok_or_else(|| FieldError::new("product_items", "is missing"))?;
    let item = |raw| {
        let item = Object::from_raw(raw)?;
        let number = |name: &str| {
            item.number(name)
                .ok()
                .filter(|number: &f64| number.is_finite())
        };
        Some(OrderItem {
            product_id: item.optional_text("product_retailer_id")?,
            quantity: number("quantity").unwrap_or(1.0),
            price: number("item_price"),
            currency: item.optional_text("currency"),
        })
    };
    Ok(Content::Order(Order {
        catalog_id: part.optional_text("catalog_id"),
        text: part.optional_text("text"),
        items: listed.into_iter().filter_map(item).collect(),
    }))
}

fn original(part: &Object<'_>) -> Option<Wamid> {
    let id = part.id("original_message_id", WAMID_MAX_BYTES);
    id.ok().flatten().and_then(Wamid::parse)
}

/// Reads an edit, which wraps the message as edited.
fn edit(part: &Object<'_>, depth: usize) -> Result<Content, FieldError> {
    let message = part.object("message")?;
    let kind = message
        .id("type", KIND_MAX_BYTES)?
        .ok_or_else(|| FieldError::new("message.type", "is missing"))?;
    let now = if depth == 0 {
        Content::Other { kind }
    } else {
        read_nested(kind, &message, depth - 1).map_err(|error| error.within("message"))?
    };
    Ok(Content::Edit {
        original: original(part),
        now: Box::new(now),
    })
}

/// Reads a system message, with the current names of its fields and the former ones (`customer`,
/// `new_wa_id`).
fn system(part: &Object<'_>, message: &Object<'_>) -> Content {
    let kind = part.optional_text("type");
    let before = part.optional_text("customer");
    let before = before.or_else(|| message.optional_text("from"));
    let kind = kind.unwrap_or_else(|| "system".to_owned());
    let is_change = CHANGES.contains(&kind.as_str());
    Content::System {
        body: part.optional_text("body"),
        // Other system messages (a new device, say) repeat the current id.
        previous: is_change
            .then(|| identity(before, part.optional_text("previous_user_id")))
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

fn interactive(kind: String, message: &Object<'_>) -> Result<Content, FieldError> {
    let Some(part) = message.optional_object("interactive") else {
        return Ok(Content::Other { kind });
    };
    let Some(answered) = part.optional_text("type") else {
        return Ok(Content::Other { kind });
    };
    let answer = || part.object(&answered);
    let content = match answered.as_str() {
        "button_reply" => answer().and_then(|button| {
            Ok(Content::ButtonReply {
                id: button.text("id").map_err(|w| w.within("button_reply"))?,
                title: button.optional_text("title").unwrap_or_default(),
            })
        }),
        "list_reply" => answer().and_then(|row| {
            Ok(Content::ListReply {
                id: row.text("id").map_err(|w| w.within("list_reply"))?,
                title: row.optional_text("title").unwrap_or_default(),
                description: row.optional_text("description"),
            })
        }),
        "nfm_reply" => answer().map(|form| form_reply(&form)),
        // More exact than "interactive", and bounded like a type.
        _ if answered.len() <= KIND_MAX_BYTES && !answered.chars().any(char::is_control) => {
            return Ok(Content::Other { kind: answered });
        }
        _ => return Ok(Content::Other { kind }),
    };
    content.map_err(|error| error.within("interactive"))
}

/// Reads a form's answers, which are JSON inside a text. They stay empty when they are malformed or
/// too many; the raw message still has them.
fn form_reply(form: &Object<'_>) -> Content {
    let answers = form.optional_text("response_json");
    let answers = answers
        .filter(|json| !has_more_values(json.as_bytes(), FORM_VALUES_MAX))
        .and_then(|json| serde_json::from_str(&json).ok());
    Content::Form {
        name: form.optional_text("name"),
        body: form.optional_text("body"),
        answers: answers.unwrap_or_default(),
    }
}

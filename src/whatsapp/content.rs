//! What a person sent: the part of a message that depends on its type.
//!
//! The set of types is open: one we do not know is [`Content::Other`], never an error. A known type that lacks
//! what makes it that type is one. Next on the way of a message: back to [`super::events`].

use super::fields::{Object, Wrong, elements, text};
use crate::message::{Content, Media, Wamid};

/// Longest id WhatsApp is known to use is a few hundred bytes; more is not an id.
pub(super) const LONGEST_WAMID_BYTES: usize = 512;

/// Reads the object named like the message's type.
///
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>.
pub(super) fn read(kind: String, message: &Object<'_>) -> Result<Content, Wrong> {
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
        "document" => part().map(|document| Content::Document {
            filename: document.optional_text("filename"),
            media: media(&document),
        }),
        "location" => location(&part()?),
        "contacts" => Ok(contacts(message)),
        "button" => template_button(&part()?),
        "reaction" => reaction(&part()?),
        "interactive" => return interactive(kind, message),
        _ => return Ok(Content::Other { kind }),
    };
    content.map_err(|wrong| wrong.within(&kind))
}

fn media(part: &Object<'_>) -> Media {
    Media {
        id: part.optional_text("id"),
        mime_type: part.optional_text("mime_type"),
        caption: part.optional_text("caption"),
    }
}

fn location(part: &Object<'_>) -> Result<Content, Wrong> {
    let degrees = |name: &str| {
        let degrees: f64 = part.number(name)?;
        if degrees.is_finite() {
            Ok(degrees)
        } else {
            Err(Wrong::new(name, "is not a number"))
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
    let name = |card| {
        let name = Object::of(card)?.optional_object("name")?;
        name.optional_text("formatted_name")
    };
    let names = cards.unwrap_or_default().into_iter().map(name);
    Content::Contacts {
        names: names.map(Option::unwrap_or_default).collect(),
    }
}

fn template_button(part: &Object<'_>) -> Result<Content, Wrong> {
    let label = part.text("text")?;
    Ok(Content::TemplateButton {
        payload: part
            .optional_text("payload")
            .unwrap_or_else(|| label.clone()),
        text: label,
    })
}

fn reaction(part: &Object<'_>) -> Result<Content, Wrong> {
    Ok(Content::Reaction {
        message: part
            .id("message_id", LONGEST_WAMID_BYTES)?
            .and_then(Wamid::parse),
        // Missing and "" both mean that the reaction was taken back.
        emoji: part
            .get("emoji")
            .and_then(text)
            .filter(|emoji| !emoji.is_empty()),
    })
}

fn interactive(kind: String, message: &Object<'_>) -> Result<Content, Wrong> {
    let Some(part) = message.optional_object("interactive") else {
        return Ok(Content::Other { kind });
    };
    let answer = |name: &str| part.object(name);
    let content = match part.optional_text("type").as_deref() {
        Some("button_reply") => answer("button_reply").and_then(|button| {
            let reply = Content::ButtonReply {
                id: button.text("id").map_err(|w| w.within("button_reply"))?,
                title: button.optional_text("title").unwrap_or_default(),
            };
            Ok(reply)
        }),
        Some("list_reply") => answer("list_reply").and_then(|row| {
            let reply = Content::ListReply {
                id: row.text("id").map_err(|w| w.within("list_reply"))?,
                title: row.optional_text("title").unwrap_or_default(),
                description: row.optional_text("description"),
            };
            Ok(reply)
        }),
        _ => return Ok(Content::Other { kind }),
    };
    content.map_err(|wrong| wrong.within("interactive"))
}

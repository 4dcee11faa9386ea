//! Request bodies for `POST /{version}/{phone_number_id}/messages`, exactly as Meta documents them.
//!
//! It checks no lengths ([`crate::message::limits`] has, when the rules were loaded) and sends nothing.
//! Next on the way of a reply: [`crate::gateway`].

use serde_json::{Map, Value, json};

use crate::message::{Button, Header, Outbound, OutboundMedia, Recipient, Row, Section, Wamid};

/// Whether the person sees "typing…" while the reply is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// Shown until our next message, 25 seconds at most. Only when a reply follows.
    Shown,
    /// Not shown.
    No,
}

/// Writes the body of a send. `tag` comes back in every receipt as `biz_opaque_callback_data`; all apps of the
/// business account can read it, so it must name no person.
///
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
#[must_use]
pub fn message_body(to: &Recipient, content: &Outbound, tag: &str) -> Value {
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), json!("whatsapp"));
    body.insert("recipient_type".to_owned(), json!("individual"));
    let (field, address) = match to {
        // Without the plus Meta may put the business number's own country code in front.
        Recipient::To(wa_id) => ("to", format!("+{}", wa_id.as_str())),
        Recipient::Recipient(user_id) => ("recipient", user_id.as_str().to_owned()),
    };
    body.insert(field.to_owned(), Value::String(address));
    let (kind, part) = match content {
        Outbound::Text { body, preview_url } => {
            ("text", json!({ "body": body, "preview_url": preview_url }))
        }
        Outbound::Buttons {
            header,
            body,
            footer,
            buttons,
        } => {
            let header = header.as_ref().map(header_part);
            let mut part = interactive("button", header, body, footer.as_deref());
            part["action"] = json!({ "buttons": buttons.iter().map(button).collect::<Vec<_>>() });
            ("interactive", part)
        }
        Outbound::List {
            header,
            body,
            footer,
            button,
            sections,
        } => {
            let sections: Vec<Value> = sections.iter().map(section).collect();
            let header = header.as_deref().map(header_text);
            let mut part = interactive("list", header, body, footer.as_deref());
            part["action"] = json!({ "button": button, "sections": sections });
            ("interactive", part)
        }
        Outbound::Media(media) => (media.kind.name(), media_part(media)),
    };
    body.insert("type".to_owned(), json!(kind));
    body.insert(kind.to_owned(), part);
    body.insert("biz_opaque_callback_data".to_owned(), json!(tag));
    Value::Object(body)
}

/// Writes the body of a read mark, which marks all earlier messages of the person too.
///
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators>.
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

/// An `interactive` object without its action.
fn interactive(kind: &str, header: Option<Value>, body: &str, footer: Option<&str>) -> Value {
    let mut part = json!({ "type": kind, "body": { "text": body } });
    if let Some(header) = header {
        part["header"] = header;
    }
    if let Some(footer) = footer {
        part["footer"] = json!({ "text": footer });
    }
    part
}

fn header_part(header: &Header) -> Value {
    match header {
        Header::Text(text) => header_text(text),
        Header::Media(media) => {
            let kind = media.kind.name();
            // A caption belongs to a message, not to a header.
            let mut part = json!({ "link": media.link });
            if let Some(filename) = &media.filename {
                part["filename"] = json!(filename);
            }
            json!({ "type": kind, kind: part })
        }
    }
}

fn header_text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn button(button: &Button) -> Value {
    json!({ "type": "reply", "reply": { "id": button.id, "title": button.title } })
}

fn section(section: &Section) -> Value {
    let rows: Vec<Value> = section.rows.iter().map(row).collect();
    match &section.title {
        Some(title) => json!({ "title": title, "rows": rows }),
        None => json!({ "rows": rows }),
    }
}

fn row(row: &Row) -> Value {
    let mut part = json!({ "id": row.id, "title": row.title });
    if let Some(description) = &row.description {
        part["description"] = json!(description);
    }
    part
}

fn media_part(media: &OutboundMedia) -> Value {
    let mut part = json!({ "link": media.link });
    if let Some(caption) = &media.caption {
        part["caption"] = json!(caption);
    }
    if let Some(filename) = &media.filename {
        part["filename"] = json!(filename);
    }
    part
}

#[cfg(test)]
mod tests;

//! Files in request bodies: as messages, and as parts of headers and cards. A file is a link or the
//! id of an upload; nothing is uploaded here.

use serde_json::{Value, json};

use crate::message::{MediaSource, OutboundMedia as Media};

/// Adds a field if it has a text.
pub(super) fn put(part: &mut Value, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        part[name] = json!(text);
    }
}

/// Builds the object of a message that is a file. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages>.
pub(super) fn whole(file: &Media) -> Value {
    let mut part = file_source(file);
    put(&mut part, "caption", file.caption.as_deref());
    put(&mut part, "filename", file.filename.as_deref());
    if file.voice {
        part["voice"] = json!(true);
    }
    part
}

/// Builds an object with `link` or `id`.
fn file_source(file: &Media) -> Value {
    match &file.source {
        MediaSource::Link(link) => json!({ "link": link }),
        MediaSource::Id(id) => json!({ "id": id }),
    }
}

/// Builds the object of a file inside a header or card, under its type; it has no caption.
pub(super) fn typed(file: &Media) -> Value {
    let kind = file.kind.name();
    let mut part = file_source(file);
    put(&mut part, "filename", file.filename.as_deref());
    json!({ "type": kind, kind: part })
}

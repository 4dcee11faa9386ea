//! Files in request bodies: as a message, or as a part of a header or card. Must not upload
//! anything: a file is a link or the id of an upload.

use serde_json::{Value, json};

use crate::message::{MediaSource, OutboundMedia as Media};

/// Adds a field if its text is present.
pub(super) fn put(part: &mut Value, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        part[name] = json!(text);
    }
}

/// A file as a message of its own. See
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

/// `link` or `id`.
fn file_source(file: &Media) -> Value {
    match &file.source {
        MediaSource::Link(link) => json!({ "link": link }),
        MediaSource::Id(id) => json!({ "id": id }),
    }
}

/// A file as a part of something else, under its type: a caption has no place there.
pub(super) fn typed(file: &Media) -> Value {
    let kind = file.kind.name();
    let mut part = file_source(file);
    put(&mut part, "filename", file.filename.as_deref());
    json!({ "type": kind, kind: part })
}

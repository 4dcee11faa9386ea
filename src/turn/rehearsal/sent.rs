//! The messages that people of a `[[test]]` send without writing.

use crate::message::{Content, Kind, Media};

/// The least that a message of a type has.
pub(super) fn content_of(kind: Kind) -> Content {
    match kind {
        Kind::Image => Content::Image(Media::default()),
        Kind::Video => Content::Video(Media::default()),
        Kind::Sticker => Content::Sticker(Media::default()),
        Kind::Audio | Kind::Voice => Content::Audio {
            media: Media::default(),
            voice: kind == Kind::Voice,
        },
        Kind::Document => Content::Document {
            media: Media::default(),
            filename: None,
        },
        Kind::Location => Content::Location {
            latitude: 40.71,
            longitude: -74.0,
            name: None,
            address: None,
        },
        Kind::Contacts => Content::Contacts { cards: Vec::new() },
        Kind::Order => Content::Order(crate::message::Order::default()),
        Kind::Reaction => Content::Reaction {
            message: None,
            emoji: Some("👍".to_owned()),
        },
        Kind::Welcome => Content::Welcome,
        other => Content::Other {
            kind: other.name().to_owned(),
        },
    }
}

//! Messages of a `[[test]]` that are neither texts nor taps.

use crate::message::{ContactCard, Content, Kind, Media, Order, OrderItem};
use crate::rules::Sent;

/// Makes a message of a type, with the least that the type requires.
pub(crate) fn content_of(sent: &Sent) -> Content {
    match sent.kind {
        Kind::Image => Content::Image(Media::default()),
        Kind::Video => Content::Video(Media::default()),
        Kind::Sticker => Content::Sticker(Media::default()),
        Kind::Audio | Kind::Voice => Content::Audio {
            media: Media::default(),
            voice: sent.kind == Kind::Voice,
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
        Kind::Contacts => Content::Contacts {
            cards: vec![ContactCard {
                name: "Bo Lima".to_owned(),
                ..ContactCard::default()
            }],
        },
        Kind::Form => Content::Form {
            name: Some("flow".to_owned()),
            body: None,
            answers: sent.with.clone(),
        },
        Kind::Order => Content::Order(Order {
            catalog_id: None,
            text: None,
            items: vec![OrderItem {
                product_id: Some("product-1".to_owned()),
                quantity: Some(1.0),
                price: Some(10.0),
                currency: Some("USD".to_owned()),
            }],
        }),
        Kind::Reaction => Content::Reaction {
            message: None,
            emoji: Some("👍".to_owned()),
        },
        Kind::Edit => Content::Edit {
            original: None,
            now: Box::new(Content::Text {
                body: "what it says now".to_owned(),
            }),
        },
        Kind::Revoke => Content::Revoke { original: None },
        Kind::Welcome => Content::Welcome,
        Kind::System => Content::System {
            kind: "user_changed_number".to_owned(),
            body: None,
            previous: None,
        },
        Kind::Unsupported => Content::Unsupported {
            kind: None,
            errors: Vec::new(),
        },
        // The compiler refuses these types here: they are written and tapped.
        Kind::Text | Kind::Button => Content::Other {
            kind: sent.kind.name().to_owned(),
        },
    }
}

//! Removal of optional parts that rendering left empty.

use super::{Commerce, ContactCard, Header, Media, Outbound};

impl Outbound {
    /// Removes empty optional parts: `WhatsApp` refuses an empty footer, header or caption.
    #[must_use]
    pub fn without_empty_parts(mut self) -> Self {
        match &mut self {
            Self::Buttons { frame, .. } | Self::Link { frame, .. } | Self::Form { frame, .. } => {
                let is_empty =
                    |header: &mut Header| matches!(header, Header::Text(text) if text.is_empty());
                frame.header.take_if(is_empty);
                prune([&mut frame.footer]);
            }
            Self::List {
                header,
                footer,
                sections,
                ..
            } => {
                prune([header, footer]);
                prune(sections.iter_mut().map(|section| &mut section.title));
                let rows = sections.iter_mut().flat_map(|section| &mut section.rows);
                prune(rows.map(|row| &mut row.description));
            }
            Self::Commerce(Commerce::Product { body, footer, .. }) => prune([body, footer]),
            Self::Commerce(Commerce::Products {
                footer, sections, ..
            }) => {
                prune([footer]);
                prune(sections.iter_mut().map(|section| &mut section.title));
            }
            Self::Commerce(Commerce::Catalog {
                footer, thumbnail, ..
            }) => prune([footer, thumbnail]),
            Self::Carousel { cards, .. } => {
                for card in cards {
                    prune([&mut card.body]);
                    prune_media(&mut card.media);
                }
            }
            Self::Media(media) => prune_media(media),
            Self::Location { name, address, .. } => prune([name, address]),
            Self::Contacts { cards } => cards.iter_mut().for_each(prune_contact),
            Self::Text { .. }
            | Self::AskLocation { .. }
            | Self::AskContact { .. }
            | Self::Reaction { .. }
            | Self::Template(_) => {}
        }
        self
    }
}

fn prune<'a>(parts: impl IntoIterator<Item = &'a mut Option<String>>) {
    for part in parts {
        part.take_if(|text| text.is_empty());
    }
}

fn prune_media(media: &mut Media) {
    prune([&mut media.caption, &mut media.filename]);
}

fn prune_contact(card: &mut ContactCard) {
    prune([&mut card.first_name, &mut card.last_name, &mut card.company]);
    card.phones.retain(|phone| !phone.phone.is_empty());
    card.emails.retain(|email| !email.email.is_empty());
    card.urls.retain(|url| !url.is_empty());
}

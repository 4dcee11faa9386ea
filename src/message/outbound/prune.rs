//! Leaving out what came out empty.

use super::{Card, Commerce, ContactCard, Header, Media, Outbound, ProductSection, Section};

impl Outbound {
    /// The message without optional parts that say nothing: `WhatsApp` refuses an empty footer,
    /// header or caption.
    #[must_use]
    pub fn without_empty_parts(mut self) -> Self {
        match &mut self {
            Self::Buttons { frame, .. } | Self::Link { frame, .. } | Self::Form { frame, .. } => {
                prune_header(&mut frame.header);
                prune(&mut frame.footer);
            }
            Self::List {
                header,
                footer,
                sections,
                ..
            } => {
                prune(header);
                prune(footer);
                sections.iter_mut().for_each(Section::prune);
            }
            Self::Commerce(commerce) => commerce.prune(),
            Self::Carousel { cards, .. } => cards.iter_mut().for_each(Card::prune),
            Self::Media(media) => media.prune(),
            Self::Location { name, address, .. } => {
                prune(name);
                prune(address);
            }
            Self::Contacts { cards } => cards.iter_mut().for_each(ContactCard::prune),
            Self::Text { .. }
            | Self::AskLocation { .. }
            | Self::AskContact { .. }
            | Self::Reaction { .. }
            | Self::Template(_) => {}
        }
        self
    }
}

fn prune(part: &mut Option<String>) {
    part.take_if(|text| text.is_empty());
}

fn prune_header(header: &mut Option<Header>) {
    header.take_if(|header| matches!(header, Header::Text(text) if text.is_empty()));
}

impl Section {
    fn prune(&mut self) {
        prune(&mut self.title);
        for row in &mut self.rows {
            prune(&mut row.description);
        }
    }
}

impl Commerce {
    fn prune(&mut self) {
        match self {
            Self::Product { body, footer, .. } => {
                prune(body);
                prune(footer);
            }
            Self::Products {
                footer, sections, ..
            } => {
                prune(footer);
                sections.iter_mut().for_each(ProductSection::prune);
            }
            Self::Catalog {
                footer, thumbnail, ..
            } => {
                prune(footer);
                prune(thumbnail);
            }
        }
    }
}

impl ProductSection {
    fn prune(&mut self) {
        prune(&mut self.title);
    }
}

impl Card {
    fn prune(&mut self) {
        prune(&mut self.body);
        self.media.prune();
    }
}

impl Media {
    fn prune(&mut self) {
        prune(&mut self.caption);
        prune(&mut self.filename);
    }
}

impl ContactCard {
    fn prune(&mut self) {
        prune(&mut self.first_name);
        prune(&mut self.last_name);
        prune(&mut self.company);
        self.phones.retain(|phone| !phone.phone.is_empty());
        self.emails.retain(|email| !email.email.is_empty());
        self.urls.retain(|url| !url.is_empty());
    }
}

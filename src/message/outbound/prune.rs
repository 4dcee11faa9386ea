//! Texts as rendering left them, made fit for `WhatsApp`: blank optional parts are left out, and the
//! values of a template have single spaces.

use super::{
    Address, Commerce, ContactCard, Header, Media, MediaSource, Outbound, TemplateMessage,
    TemplateParameter,
};

impl Outbound {
    /// Removes blank optional parts: `WhatsApp` refuses a footer, header or caption without a
    /// visible character.
    #[must_use]
    pub fn without_blank_parts(mut self) -> Self {
        match &mut self {
            Self::Buttons { frame, .. } | Self::Link { frame, .. } | Self::Form { frame, .. } => {
                frame.header.take_if(|header| header.is_blank());
                if let Some(Header::Media(media)) = &mut frame.header {
                    prune_media(media);
                }
                prune([&mut frame.footer]);
                if let Self::Form { form, .. } = &mut self {
                    prune([&mut form.token]);
                }
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
            Self::Template(template) => {
                if let Some(Header::Media(media)) = &mut template.header {
                    prune_media(media);
                }
            }
            Self::Reaction { emoji } if is_blank(emoji) => emoji.clear(),
            Self::Text { .. }
            | Self::AskLocation { .. }
            | Self::AskContact { .. }
            | Self::Reaction { .. }
            | Self::Raw(_) => {}
        }
        self
    }

    /// Makes one space of all line breaks, tabs and runs of spaces in the values of a template,
    /// because Meta refuses them. See
    /// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
    #[must_use]
    pub fn with_single_spaces(mut self) -> Self {
        if let Self::Template(template) = &mut self {
            template.values(|text| {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            });
        }
        self
    }
}

impl Header {
    fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => is_blank(text),
            Self::Media(media) => {
                let (MediaSource::Link(source) | MediaSource::Id(source)) = &media.source;
                is_blank(source)
            }
            Self::Place { .. } => false,
        }
    }
}

impl TemplateMessage {
    /// Changes each value of the header and of the texts.
    fn values(&mut self, mut change: impl FnMut(&mut String)) {
        match &mut self.header {
            Some(Header::Text(text)) => change(text),
            Some(Header::Place { name, address, .. }) => {
                change(name);
                change(address);
            }
            Some(Header::Media(_)) | None => {}
        }
        let cards = self.cards.iter_mut().flat_map(|card| &mut card.body);
        let parameters = self.body.iter_mut().chain(cards);
        parameters.for_each(|TemplateParameter { text, .. }| change(text));
    }
}

/// Whether a text shows nothing: it has only spaces and characters without a width.
pub(crate) fn is_blank(text: &str) -> bool {
    let has_no_width = |character| {
        matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        )
    };
    let mut characters = text.chars();
    characters.all(|character| character.is_whitespace() || has_no_width(character))
}

fn prune<'a>(parts: impl IntoIterator<Item = &'a mut Option<String>>) {
    for part in parts {
        part.take_if(|text| is_blank(text));
    }
}

fn prune_media(media: &mut Media) {
    prune([&mut media.caption, &mut media.filename]);
}

fn prune_contact(card: &mut ContactCard) {
    prune([
        &mut card.first_name,
        &mut card.last_name,
        &mut card.middle_name,
    ]);
    prune([&mut card.prefix, &mut card.suffix, &mut card.birthday]);
    prune([&mut card.company, &mut card.department, &mut card.title]);
    for address in &mut card.addresses {
        prune([
            &mut address.street,
            &mut address.city,
            &mut address.state,
            &mut address.zip,
        ]);
        prune([&mut address.country, &mut address.country_code]);
    }
    card.addresses.retain(|address| {
        let Address { kind, .. } = address;
        *address
            != Address {
                kind: kind.clone(),
                ..Address::default()
            }
    });
    card.phones.retain(|phone| !is_blank(&phone.phone));
    card.emails.retain(|email| !is_blank(&email.email));
    card.urls.retain(|url| !is_blank(url));
}

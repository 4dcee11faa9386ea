//! Texts as rendering left them, made fit for `WhatsApp`: blank optional parts are left out, and the
//! values of a template have single spaces.

use super::{
    Address, Commerce, ContactCard, Frame, Header, Json, Localized, Media, MediaSource, Outbound,
    TemplateButton, TemplateMessage, TemplateParameter,
};

impl Outbound {
    /// Removes blank optional parts: `WhatsApp` refuses a footer, header or caption without a
    /// visible character.
    #[must_use]
    pub fn without_blank_parts(mut self) -> Self {
        match &mut self {
            Self::Buttons { frame, .. } | Self::Link { frame, .. } => prune_frame(frame),
            Self::Form { frame, form } => {
                prune_frame(frame);
                prune([&mut form.token]);
            }
            Self::Checkout(checkout) => {
                prune_frame(&mut checkout.frame);
                prune_json(&mut checkout.parameters);
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
                prune([&mut template.offer_expiration_ms]);
                let cards = template.cards.iter_mut();
                let buttons = cards.flat_map(|card| &mut card.buttons);
                for button in template.buttons.iter_mut().chain(buttons) {
                    if let TemplateButton::Products(_, list) = button {
                        prune(list.sections.iter_mut().map(|section| &mut section.title));
                    }
                }
            }
            Self::Reaction { emoji } if is_blank(emoji) => emoji.clear(),
            Self::Text { .. }
            | Self::AskLocation { .. }
            | Self::Commerce(Commerce::ProductCarousel { .. })
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
    /// Changes each value of the header, of the texts and of the buttons, but for the data of forms,
    /// which may have lines.
    fn values(&mut self, mut change: impl FnMut(&mut String)) {
        match &mut self.header {
            Some(Header::Text(text)) => change(text),
            Some(Header::Place {
                latitude,
                longitude,
                name,
                address,
            }) => {
                [latitude, longitude, name, address]
                    .into_iter()
                    .for_each(&mut change);
            }
            Some(Header::Media(_)) | None => {}
        }
        for parameter in &mut self.body {
            parameter.values(&mut change);
        }
        for button in &mut self.buttons {
            button.values(&mut change);
        }
        for card in &mut self.cards {
            for parameter in &mut card.body {
                parameter.values(&mut change);
            }
            for button in &mut card.buttons {
                button.values(&mut change);
            }
        }
    }
}

impl TemplateParameter {
    fn values(&mut self, change: &mut impl FnMut(&mut String)) {
        change(&mut self.text);
        if let Some(Localized::Currency { code, amount_1000 }) = &mut self.localized {
            change(code);
            change(amount_1000);
        }
    }
}

impl TemplateButton {
    fn values(&mut self, change: &mut impl FnMut(&mut String)) {
        match self {
            Self::Payload(_, text)
            | Self::Url(_, text)
            | Self::Code(_, text)
            | Self::Form(_, text, _)
            | Self::Catalog(_, text) => change(text),
            Self::Products(_, list) => {
                change(&mut list.thumbnail);
                for section in &mut list.sections {
                    section.title.as_mut().map(&mut *change);
                    section.products.iter_mut().for_each(&mut *change);
                }
            }
        }
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

fn prune_frame(frame: &mut Frame) {
    frame.header.take_if(|header| header.is_blank());
    if let Some(Header::Media(media)) = &mut frame.header {
        prune_media(media);
    }
    prune([&mut frame.footer]);
}

fn prune_json(json: &mut Json) {
    match json {
        Json::Object(keys) => {
            keys.retain(|_, value| !matches!(value, Json::Text(text) if is_blank(text)));
            keys.values_mut().for_each(prune_json);
        }
        Json::List(elements) => elements.iter_mut().for_each(prune_json),
        Json::Text(_) | Json::Plain(_) => {}
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

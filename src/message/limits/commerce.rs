//! Limits of forms, products, carousels, locations, contact cards and reactions.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation as _;

use super::ViolationKind::{Misplaced, Missing, TooMuch};
use super::{
    BODY_MAX, CARD_BODY_MAX, CARD_LINE_BREAKS_MAX, CARDS_MAX, CONTACTS_MAX, Checker, FOOTER_MAX,
    FORM_BUTTON_MAX, HEADER_MAX, PRODUCTS_MAX, ROW_ID_MAX, SECTIONS_MAX,
};
use crate::message::{
    Card, CardAction, Commerce, ContactCard, Form, FormName, MediaKind, ProductSection,
};

/// Maximum number of characters of a line on a contact card or beside a location; Meta documents
/// none.
const LINE_MAX: usize = 1000;

impl Checker {
    pub(super) fn form(&mut self, form: &Form) {
        self.text("form.button", "form button", &form.button, FORM_BUTTON_MAX);
        if form.button.chars().any(is_emoji) {
            let message = "the button of a form cannot have an emoji";
            self.report(Misplaced, "form.button", message);
        }
        let (FormName::FlowId(name) | FormName::FlowName(name)) = &form.form;
        if name.trim().is_empty() {
            self.report(Missing, "form", "the form is not named");
        }
        if form.screen.is_none() && !form.data.is_empty() {
            let message = "the data of a form needs a `screen` that gets it";
            self.report(Missing, "form.data", message);
        }
    }

    pub(super) fn commerce(&mut self, commerce: &Commerce) {
        if let Commerce::Product { footer, .. }
        | Commerce::Products { footer, .. }
        | Commerce::Catalog { footer, .. } = commerce
            && let Some(text) = footer
        {
            self.text("footer", "footer", text, FOOTER_MAX);
        }
        match commerce {
            Commerce::Product {
                body,
                catalog_id,
                product_id,
                ..
            } => {
                if let Some(text) = body {
                    self.text("text", "text above a product", text, BODY_MAX);
                }
                self.text("product.catalog", "catalog id", catalog_id, ROW_ID_MAX);
                self.text("product.id", "product id", product_id, ROW_ID_MAX);
            }
            Commerce::Products {
                header,
                body,
                catalog_id,
                sections,
                ..
            } => {
                self.text("header", "header", header, HEADER_MAX);
                self.text("text", "text above products", body, BODY_MAX);
                self.text("products.catalog", "catalog id", catalog_id, ROW_ID_MAX);
                self.product_sections("products.sections", sections);
            }
            Commerce::ProductCarousel {
                body,
                catalog_id,
                products,
            } => {
                self.text("text", "text above products", body, BODY_MAX);
                self.product_cards(catalog_id, products);
            }
            Commerce::Catalog {
                body, thumbnail, ..
            } => {
                self.text("text", "text above a catalog", body, BODY_MAX);
                if let Some(product) = thumbnail {
                    self.text("catalog.thumbnail", "product id", product, ROW_ID_MAX);
                }
            }
        }
    }

    fn product_cards(&mut self, catalog_id: &str, products: &[String]) {
        const PART: &str = "product_carousel";
        let catalog = format!("{PART}.catalog");
        self.text(catalog, "catalog id", catalog_id, ROW_ID_MAX);
        let ids = format!("{PART}.ids");
        if products.len() < 2 {
            self.report(Missing, &*ids, "a carousel needs at least two products");
        }
        self.at_most(&ids, "products", products.len(), CARDS_MAX);
        for (index, product) in products.iter().enumerate() {
            self.text(format!("{ids}[{index}]"), "product id", product, ROW_ID_MAX);
        }
    }

    pub(super) fn product_sections(&mut self, part: &str, sections: &[ProductSection]) {
        let products: usize = sections.iter().map(|section| section.products.len()).sum();
        if products == 0 {
            self.report(Missing, part, "there are no products");
        }
        self.at_most(part, "products", products, PRODUCTS_MAX);
        self.at_most(part, "sections", sections.len(), SECTIONS_MAX);
        for (index, section) in sections.iter().enumerate() {
            let part = format!("{part}[{index}]");
            self.section_title(&part, section.title.as_deref(), sections.len());
            for (index, product) in section.products.iter().enumerate() {
                let part = format!("{part}.ids[{index}]");
                self.text(part, "product id", product, ROW_ID_MAX);
            }
        }
    }

    pub(super) fn carousel(&mut self, cards: &[Card]) {
        if cards.len() < 2 {
            self.report(Missing, "carousel", "a carousel needs at least two cards");
        }
        self.at_most("carousel", "cards", cards.len(), CARDS_MAX);
        for (index, card) in cards.iter().enumerate() {
            self.card(&format!("carousel[{index}]"), card);
        }
        let kinds: BTreeSet<&str> = cards.iter().map(|card| card.media.kind.name()).collect();
        if kinds.len() > 1 {
            let message = "the cards must all have images, or all have videos";
            self.report(Misplaced, "carousel", message);
        }
        let shapes = cards.iter().map(|card| match &card.action {
            CardAction::Link(_) => (true, 1),
            CardAction::Buttons(buttons) => (false, buttons.len()),
        });
        if shapes.collect::<BTreeSet<_>>().len() > 1 {
            let message = "the cards must all have the same buttons";
            self.report(Misplaced, "carousel", message);
        }
    }

    fn card(&mut self, part: &str, card: &Card) {
        if !matches!(card.media.kind, MediaKind::Image | MediaKind::Video) {
            self.report(Misplaced, part, "a card has an image or a video");
        }
        self.header_media(&card.media);
        if let Some(text) = &card.body {
            let part = format!("{part}.text");
            self.text(part.clone(), "text on a card", text, CARD_BODY_MAX);
            if text.matches('\n').count() > CARD_LINE_BREAKS_MAX {
                let message =
                    format!("the text on a card has more than {CARD_LINE_BREAKS_MAX} line breaks");
                self.report(TooMuch, part, message);
            }
        }
        match &card.action {
            CardAction::Link(link) => self.link_button(&format!("{part}.link"), link),
            CardAction::Buttons(buttons) => self.buttons(&format!("{part}.buttons"), buttons),
        }
    }

    pub(super) fn place(
        &mut self,
        latitude: f64,
        longitude: f64,
        name: Option<&str>,
        address: Option<&str>,
    ) {
        for (part, value, most) in [
            ("location.latitude", latitude, 90.0),
            ("location.longitude", longitude, 180.0),
        ] {
            if !(-most..=most).contains(&value) {
                let message = format!("there is no such place: it takes -{most} to {most}");
                self.report(Misplaced, part, message);
            }
        }
        if let Some(name) = name {
            self.text("location.name", "name of the place", name, LINE_MAX);
        }
        if let Some(address) = address {
            self.text("location.address", "address", address, LINE_MAX);
            if name.is_none() {
                let message = "the address is only shown with a name";
                let help = Some("give the place a `name` too");
                self.report_with_help(Missing, "location.address", message, help);
            }
        }
    }

    pub(super) fn contacts(&mut self, cards: &[ContactCard]) {
        if cards.is_empty() {
            self.report(Missing, "contacts", "there are no contact cards");
        }
        self.at_most("contacts", "contact cards", cards.len(), CONTACTS_MAX);
        for (index, card) in cards.iter().enumerate() {
            let part = format!("contacts[{index}].name");
            self.text(part, "name on the card", &card.name, LINE_MAX);
            if card.birthday.as_deref().is_some_and(|day| !is_day(day)) {
                let part = format!("contacts[{index}].birthday");
                let help = Some("write it like `1990-12-31`");
                self.report_with_help(Misplaced, part, "this is no birthday", help);
            }
        }
    }

    pub(super) fn reaction(&mut self, emoji: &str) {
        let is_single = emoji.graphemes(true).count() == 1 && emoji.chars().any(is_emoji);
        if !emoji.is_empty() && !is_single {
            self.report(Misplaced, "reaction", "a reaction is one emoji");
        }
    }

    pub(super) fn at_most(&mut self, part: &str, name: &str, count: usize, max: usize) {
        if count > max {
            let message = format!("there are {count} {name}, but WhatsApp takes at most {max}");
            self.report(TooMuch, part, message);
        }
    }
}

/// Whether a text has the form of a day, `1990-12-31`.
fn is_day(text: &str) -> bool {
    let is_place = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(is_place)
}

/// Whether a character is an emoji, approximately; letters, digits and common signs are not.
fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{20e3}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{21aa}' | '\u{231a}'..='\u{23ff}' | '\u{24c2}' | '\u{25aa}'..='\u{27bf}'
        | '\u{2934}'..='\u{2935}' | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}'
        | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

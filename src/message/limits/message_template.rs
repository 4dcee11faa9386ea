//! Limits of message templates and their values.

use std::collections::BTreeSet;

use super::ViolationKind::{Duplicate, Misplaced, TooMuch};
use super::{
    BUTTON_ID_MAX, CARDS_MAX, COPY_CODE_MAX, Checker, LINK_MAX, ROW_ID_MAX, TAG_MAX,
    TEMPLATE_BUTTONS_MAX, TEMPLATE_NAME_MAX, TEMPLATE_VALUE_MAX,
};
use crate::message::{
    Header, Localized, TemplateButton, TemplateMessage, TemplateParameter, whole_number,
};

/// Smallest number that can be a time in milliseconds since 1970: smaller ones are seconds.
const MILLISECONDS_MIN: i64 = 100_000_000_000;
/// Maximum number of consecutive spaces in a value.
const SPACES_MAX: usize = 4;

impl Checker {
    pub(super) fn template(&mut self, template: &TemplateMessage) {
        let (name, language) = (&template.name, &template.language);
        self.text("template.name", "template name", name, TEMPLATE_NAME_MAX);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.bytes().all(plain) {
            let message = "a template name has only a-z, 0-9 and _";
            self.report(Misplaced, "template.name", message);
        }
        let shape = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
        if !language.split('_').all(shape) {
            let message = "this is not a language as Meta writes it";
            let help = Some("write it like `en` or `en_US`, exactly as the template has it");
            self.report_with_help(Misplaced, "template.language", message, help);
        }
        match &template.header {
            Some(Header::Text(text)) => self.value("template.header", text),
            Some(Header::Media(media)) => self.header_media(media),
            Some(Header::Place { name, address, .. }) => {
                self.value("template.header", name);
                self.value("template.header", address);
            }
            None => {}
        }
        self.parameters("template.body", &template.body);
        if let Some(end) = &template.offer_expiration_ms
            && whole_number(end).is_none_or(|end| end < MILLISECONDS_MIN)
        {
            let message = "this is no time in milliseconds since 1970";
            let help = Some("a limited-time offer ends at a time like 1767225600000");
            self.report_with_help(Misplaced, "template.limited_time_offer", message, help);
        }
        self.template_buttons("template.buttons", &template.buttons);
        self.at_most("template.cards", "cards", template.cards.len(), CARDS_MAX);
        for (index, card) in template.cards.iter().enumerate() {
            let part = format!("template.cards[{index}]");
            self.header_media(&card.media);
            self.parameters(&format!("{part}.body"), &card.body);
            self.template_buttons(&format!("{part}.buttons"), &card.buttons);
        }
    }

    fn parameters(&mut self, part: &str, parameters: &[TemplateParameter]) {
        for (index, parameter) in parameters.iter().enumerate() {
            let part = format!("{part}[{index}]");
            self.value(&part, &parameter.text);
            if let Some(Localized::Currency { code, amount_1000 }) = &parameter.localized {
                if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                    let message = "the code of a currency has three capital letters";
                    self.report(Misplaced, format!("{part}.code"), message);
                }
                if whole_number(amount_1000).is_none() {
                    let message = "`amount_1000` is the amount times 1000, a whole number";
                    self.report(Misplaced, format!("{part}.amount_1000"), message);
                }
            }
        }
        let named = parameters
            .iter()
            .filter(|parameter| parameter.name.is_some());
        let named = named.count();
        if named != 0 && named != parameters.len() {
            self.report(Misplaced, part, "either all values have names, or none");
        }
    }

    fn template_buttons(&mut self, part: &str, buttons: &[TemplateButton]) {
        let mut seen = BTreeSet::new();
        for (index, button) in buttons.iter().enumerate() {
            let part = format!("{part}[{index}]");
            if let TemplateButton::Products(_, list) = button {
                self.product_sections(&format!("{part}.sections"), &list.sections);
            }
            let (place, name, text, max) = match button {
                TemplateButton::Payload(place, text) => (place, "payload", text, BUTTON_ID_MAX),
                TemplateButton::Url(place, text) => (place, "end of the address", text, LINK_MAX),
                TemplateButton::Code(place, text) => (place, "code to copy", text, COPY_CODE_MAX),
                TemplateButton::Form(place, text, _) => (place, "token of the form", text, TAG_MAX),
                TemplateButton::Catalog(place, text) => (place, "product id", text, ROW_ID_MAX),
                TemplateButton::Products(place, list) => {
                    (place, "product id", &list.thumbnail, ROW_ID_MAX)
                }
            };
            self.text(&*part, name, text, max);
            if *place >= TEMPLATE_BUTTONS_MAX {
                let message = format!("a template has at most {TEMPLATE_BUTTONS_MAX} buttons");
                self.report(TooMuch, &*part, message);
            }
            if !seen.insert(*place) {
                self.report(Duplicate, part, "the same button is given two values");
            }
        }
    }

    /// Checks the value of one variable.
    fn value(&mut self, part: &str, text: &str) {
        self.text(part, "value", text, TEMPLATE_VALUE_MAX);
        let long_gap = " ".repeat(SPACES_MAX + 1);
        if text.contains(['\n', '\r', '\t']) || text.contains(&long_gap) {
            let message = "the value has a line break, a tab or more than four spaces in a row";
            let help = Some("Meta takes none of them in the variables of a template");
            self.report_with_help(Misplaced, part, message, help);
        }
    }
}

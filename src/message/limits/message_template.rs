//! Templates and what is filled into them.

use std::collections::BTreeSet;

use super::{
    CARDS_MAX, COPY_CODE_MAX, Checker, LINK_MAX, TAG_MAX, TEMPLATE_BUTTONS_MAX, TEMPLATE_NAME_MAX,
    TEMPLATE_VALUE_MAX, ViolationKind,
};
use crate::message::{Header, TemplateButton, TemplateMessage, TemplateParameter};

/// Spaces in a row that Meta still takes in a value.
const SPACES_MAX: usize = 4;

impl Checker {
    pub(super) fn template(&mut self, template: &TemplateMessage) {
        let (name, language) = (&template.name, &template.language);
        self.text("template.name", "template name", name, TEMPLATE_NAME_MAX);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.bytes().all(plain) {
            let message = "a template name has only a-z, 0-9 and _".to_owned();
            self.report(ViolationKind::Misplaced, "template.name", message);
        }
        let shape = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
        if !language.split('_').all(shape) {
            self.report_with_help(
                ViolationKind::Misplaced,
                "template.language",
                "this is not a language as Meta writes it".to_owned(),
                Some("write it like `en` or `en_US`, exactly as the template has it"),
            );
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
            self.value(&format!("{part}[{index}]"), &parameter.text);
        }
        let named = parameters
            .iter()
            .filter(|parameter| parameter.name.is_some())
            .count();
        if named != 0 && named != parameters.len() {
            let message = "either all values have names, or none".to_owned();
            self.report(ViolationKind::Misplaced, part, message);
        }
    }

    fn template_buttons(&mut self, part: &str, buttons: &[TemplateButton]) {
        let mut seen = BTreeSet::new();
        for (index, button) in buttons.iter().enumerate() {
            let part = format!("{part}[{index}]");
            let place = match button {
                TemplateButton::Payload(place, text) => {
                    self.text(&*part, "payload", text, super::BUTTON_ID_MAX);
                    place
                }
                TemplateButton::Url(place, text) => {
                    self.text(&*part, "end of the address", text, LINK_MAX);
                    place
                }
                TemplateButton::Code(place, text) => {
                    self.text(&*part, "code to copy", text, COPY_CODE_MAX);
                    place
                }
                TemplateButton::Form(place, text) => {
                    self.text(&*part, "token of the form", text, TAG_MAX);
                    place
                }
            };
            if *place >= TEMPLATE_BUTTONS_MAX {
                let message = format!("a template has at most {TEMPLATE_BUTTONS_MAX} buttons");
                self.report(ViolationKind::TooMuch, &*part, message);
            }
            if !seen.insert(*place) {
                let message = "the same button is given two values".to_owned();
                self.report(ViolationKind::Duplicate, part, message);
            }
        }
    }

    /// A value for one variable.
    fn value(&mut self, part: &str, text: &str) {
        self.text(part, "value", text, TEMPLATE_VALUE_MAX);
        let long_gap = " ".repeat(SPACES_MAX + 1);
        if text.contains(['\n', '\r', '\t']) || text.contains(&long_gap) {
            self.report_with_help(
                ViolationKind::Misplaced,
                part,
                "the value has a line break, a tab or more than four spaces in a row".to_owned(),
                Some("Meta takes none of them in the variables of a template"),
            );
        }
    }
}

//! Limits of buttons, lists and links.

use std::collections::HashMap;

use super::ViolationKind::{Duplicate, Misplaced, Missing, TooMuch};
use super::{
    BUTTON_ID_MAX, BUTTON_TITLE_MAX, BUTTONS_MAX, Checker, LINK_TITLE_MAX, ROW_DESCRIPTION_MAX,
    ROW_ID_MAX, ROW_TITLE_MAX, ROWS_MAX, SECTION_TITLE_MAX, SECTIONS_MAX,
};
use crate::message::{Button, LinkButton, Section};

impl Checker {
    /// Checks reply buttons; `at` is their part of the message.
    pub(super) fn buttons(&mut self, at: &str, buttons: &[Button]) {
        if buttons.is_empty() {
            self.report(Missing, at, "the message has an empty list of buttons");
        }
        if buttons.len() > BUTTONS_MAX {
            let count = buttons.len();
            let message = format!(
                "the message has {count} buttons, but WhatsApp takes at most {BUTTONS_MAX}"
            );
            let help = Some("a `list` holds up to 10 choices");
            self.report_with_help(TooMuch, at, message, help);
        }
        let ids = buttons.iter().map(|button| button.id.as_str());
        let titles = buttons.iter().map(|button| button.title.as_str());
        let parts: Vec<String> = (0..buttons.len())
            .map(|index| format!("{at}[{index}]"))
            .collect();
        for (part, button) in parts.iter().zip(buttons) {
            self.id(part, "button", &button.id, BUTTON_ID_MAX);
            let title = format!("{part}.title");
            self.text(title, "button title", &button.title, BUTTON_TITLE_MAX);
        }
        self.unique(&parts, "id", "button id", ids);
        self.unique(&parts, "title", "button title", titles);
    }

    pub(super) fn sections(&mut self, sections: &[Section]) {
        if sections.is_empty() {
            self.report(Missing, "list.sections", "the list has no sections");
        }
        if sections.len() > SECTIONS_MAX {
            let count = sections.len();
            let message =
                format!("the list has {count} sections, but WhatsApp takes at most {SECTIONS_MAX}");
            self.report(TooMuch, "list.sections", message);
        }
        let rows: usize = sections.iter().map(|section| section.rows.len()).sum();
        if rows > ROWS_MAX {
            let message =
                format!("the list has {rows} rows, but WhatsApp takes at most {ROWS_MAX}");
            let help = Some("the rows of all sections count together");
            self.report_with_help(TooMuch, "list.sections", message, help);
        }
        for (index, section) in sections.iter().enumerate() {
            self.section(index, section, sections.len());
        }
        let rows = sections.iter().enumerate().flat_map(|(section, content)| {
            let rows = content.rows.iter().enumerate();
            rows.map(move |(row, content)| (row_part(section, row), content.id.as_str()))
        });
        let (parts, ids): (Vec<String>, Vec<&str>) = rows.unzip();
        self.unique(&parts, "id", "row id", ids.into_iter());
    }

    fn section(&mut self, index: usize, section: &Section, section_count: usize) {
        let part = format!("list.sections[{index}]");
        self.section_title(&part, section.title.as_deref(), section_count);
        if section.rows.is_empty() {
            self.report(Missing, format!("{part}.rows"), "the section has no rows");
        }
        for (row, content) in section.rows.iter().enumerate() {
            let part = row_part(index, row);
            self.id(&part, "row", &content.id, ROW_ID_MAX);
            let title = format!("{part}.title");
            self.text(title, "row title", &content.title, ROW_TITLE_MAX);
            if let Some(text) = &content.description {
                let part = format!("{part}.description");
                self.text(part, "row description", text, ROW_DESCRIPTION_MAX);
            }
        }
    }

    pub(super) fn section_title(&mut self, part: &str, title: Option<&str>, section_count: usize) {
        if let Some(title) = title {
            let part = format!("{part}.title");
            self.text(part, "section title", title, SECTION_TITLE_MAX);
        } else if section_count > 1 {
            let message = "the section has no title";
            let help = Some("with more than one section, each needs a `title`");
            self.report_with_help(Missing, part, message, help);
        }
    }

    pub(super) fn id(&mut self, part: &str, name: &str, id: &str, max: usize) {
        let part = format!("{part}.id");
        if !id.is_empty() && id.trim() != id {
            let message = format!("the {name} id begins or ends with a space");
            self.report(Misplaced, part.clone(), message);
        }
        self.text(part, &format!("{name} id"), id, max);
    }

    pub(super) fn unique<'a>(
        &mut self,
        parts: &[String],
        key: &str,
        name: &str,
        values: impl Iterator<Item = &'a str>,
    ) {
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (index, value) in values.enumerate() {
            // Empty values are reported as empty.
            if !value.is_empty() && *first.entry(value).or_insert(index) != index {
                let message = format!("the {name} stands twice in one message");
                self.report(Duplicate, format!("{}.{key}", parts[index]), message);
            }
        }
    }

    /// Checks a button that opens a web page.
    pub(super) fn link_button(&mut self, at: &str, link: &LinkButton) {
        let title = format!("{at}.title");
        self.text(title, "link title", &link.title, LINK_TITLE_MAX);
        self.web_address(&format!("{at}.url"), &link.url);
    }
}

fn row_part(section: usize, row: usize) -> String {
    format!("list.sections[{section}].rows[{row}]")
}

//! WhatsApp's limits for what we send, each with its source.
//!
//! The only home of these numbers: [`crate::rules`] checks the owner's texts with [`breaches`] before the service
//! starts, [`crate::turn`] checks again what came out once the variables are filled in. Nothing is cut here; a
//! caller decides what becomes of a message that breaks a limit.
//!
//! Meta does not say what a character is. We count UTF-16 units, the larger of the two usual counts.

use std::collections::HashMap;

use super::{Button, Header, MediaKind, Outbound, OutboundMedia as Media, Section};

/// Characters of a text message.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/text-messages>.
pub const TEXT_MAX: usize = 4096;
/// Characters of the text of a message with buttons or a list. Meta's guide says 4096 for lists, its `OpenAPI` file
/// 1024: we stay with the smaller one.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BODY_MAX: usize = 1024;
/// Characters of a header line.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const HEADER_MAX: usize = 60;
/// Characters of a footer.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const FOOTER_MAX: usize = 60;
/// Reply buttons of one message.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BUTTONS_MAX: usize = 3;
/// Characters of a button's id.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BUTTON_ID_MAX: usize = 256;
/// Characters of a button's title.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BUTTON_TITLE_MAX: usize = 20;
/// Characters on the button that opens a list.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const LIST_BUTTON_MAX: usize = 20;
/// Sections of a list.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const SECTIONS_MAX: usize = 10;
/// Characters of a section's title, which is needed as soon as there are two sections.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const SECTION_TITLE_MAX: usize = 24;
/// Rows of a list, over all its sections.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROWS_MAX: usize = 10;
/// Characters of a row's id.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROW_ID_MAX: usize = 200;
/// Characters of a row's title.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROW_TITLE_MAX: usize = 24;
/// Characters of a row's second line.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROW_DESCRIPTION_MAX: usize = 72;
/// Characters under an image, video or document.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages>.
pub const CAPTION_MAX: usize = 1024;
/// Characters of a document's file name. Meta names no limit; this is what common file systems take.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/document-messages>.
pub const FILENAME_MAX: usize = 240;
/// Characters of a link. Meta names no limit; this is what browsers and servers commonly take.
/// See <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages>.
pub const LINK_MAX: usize = 2048;

/// One way in which a message is not what WhatsApp takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which sort of limit.
    pub kind: BreachKind,
    /// The part of the message, in the words of the rules file: `text`, `buttons[1].title`.
    pub part: String,
    /// What is wrong, lower case, no full stop, without the text itself.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The sorts of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreachKind {
    /// Something that must be there is missing or empty.
    Missing,
    /// Longer or more than WhatsApp takes.
    TooMuch,
    /// The same id or title twice in one message.
    Duplicate,
    /// A link that does not begin with `https://`.
    Link,
    /// WhatsApp does not take it in this place.
    Misplaced,
}

/// Finds every limit of WhatsApp that a message breaks; none means that it can be sent.
#[must_use]
pub fn breaches(content: &Outbound) -> Vec<Breach> {
    let mut checker = Checker::default();
    match content {
        Outbound::Text { body, .. } => checker.text("text", "text message", body, TEXT_MAX),
        Outbound::Buttons {
            header,
            body,
            footer,
            buttons,
        } => {
            match header {
                Some(Header::Text(text)) => checker.text("header", "header", text, HEADER_MAX),
                Some(Header::Media(media)) => checker.header_media(media),
                None => {}
            }
            checker.text("text", "text above buttons", body, BODY_MAX);
            checker.footer(footer.as_deref());
            checker.buttons(buttons);
        }
        Outbound::List {
            header,
            body,
            footer,
            button,
            sections,
        } => {
            if let Some(text) = header {
                checker.text("header", "header", text, HEADER_MAX);
            }
            checker.text("text", "text above a list", body, BODY_MAX);
            checker.footer(footer.as_deref());
            checker.text("list.button", "list button", button, LIST_BUTTON_MAX);
            checker.sections(sections);
        }
        Outbound::Media(media) => checker.media(media),
    }
    checker.breaches
}

/// The length of a text as WhatsApp may count it: UTF-16 units.
#[must_use]
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[derive(Default)]
struct Checker {
    breaches: Vec<Breach>,
}

impl Checker {
    fn report(&mut self, kind: BreachKind, part: impl Into<String>, message: String) {
        self.report_with_help(kind, part, message, None);
    }

    fn report_with_help(
        &mut self,
        kind: BreachKind,
        part: impl Into<String>,
        message: String,
        help: Option<&str>,
    ) {
        self.breaches.push(Breach {
            kind,
            part: part.into(),
            message,
            help: help.map(str::to_owned),
        });
    }

    fn text(&mut self, part: impl Into<String>, name: &str, text: &str, max: usize) {
        let length = length(text);
        if text.trim().is_empty() {
            self.report(BreachKind::Missing, part, format!("the {name} is empty"));
        } else if length > max {
            let help = (length > text.chars().count())
                .then_some("an emoji counts as two characters or more");
            let message =
                format!("the {name} has {length} characters, but WhatsApp takes at most {max}");
            self.report_with_help(BreachKind::TooMuch, part, message, help);
        }
    }

    fn footer(&mut self, footer: Option<&str>) {
        if let Some(text) = footer {
            self.text("footer", "footer", text, FOOTER_MAX);
        }
    }

    fn buttons(&mut self, buttons: &[Button]) {
        if buttons.is_empty() {
            let message = "the message has an empty list of buttons".to_owned();
            self.report(BreachKind::Missing, "buttons", message);
        }
        if buttons.len() > BUTTONS_MAX {
            self.report_with_help(
                BreachKind::TooMuch,
                "buttons",
                format!(
                    "the message has {} buttons, but WhatsApp takes at most {BUTTONS_MAX}",
                    buttons.len()
                ),
                Some("a `list` holds up to 10 choices"),
            );
        }
        let ids = buttons.iter().map(|button| button.id.as_str());
        let titles = buttons.iter().map(|button| button.title.as_str());
        let parts: Vec<String> = (0..buttons.len())
            .map(|index| format!("buttons[{index}]"))
            .collect();
        for (part, button) in parts.iter().zip(buttons) {
            self.id(part, "button", &button.id, BUTTON_ID_MAX);
            let title = format!("{part}.title");
            self.text(title, "button title", &button.title, BUTTON_TITLE_MAX);
        }
        self.unique(&parts, "id", "button id", ids);
        self.unique(&parts, "title", "button title", titles);
    }

    fn sections(&mut self, sections: &[Section]) {
        if sections.is_empty() {
            let message = "the list has no sections".to_owned();
            self.report(BreachKind::Missing, "list.sections", message);
        }
        if sections.len() > SECTIONS_MAX {
            let message = format!(
                "the list has {} sections, but WhatsApp takes at most {SECTIONS_MAX}",
                sections.len()
            );
            self.report(BreachKind::TooMuch, "list.sections", message);
        }
        let rows: usize = sections.iter().map(|section| section.rows.len()).sum();
        if rows > ROWS_MAX {
            self.report_with_help(
                BreachKind::TooMuch,
                "list.sections",
                format!("the list has {rows} rows, but WhatsApp takes at most {ROWS_MAX}"),
                Some("the rows of all sections count together"),
            );
        }
        for (index, section) in sections.iter().enumerate() {
            self.section(index, section, sections.len());
        }
        let (parts, ids): (Vec<String>, Vec<&str>) = sections
            .iter()
            .enumerate()
            .flat_map(|(section, content)| {
                let rows = content.rows.iter().enumerate();
                rows.map(move |(row, content)| (row_part(section, row), content.id.as_str()))
            })
            .unzip();
        self.unique(&parts, "id", "row id", ids.into_iter());
    }

    fn section(&mut self, index: usize, section: &Section, of: usize) {
        let part = format!("list.sections[{index}]");
        match &section.title {
            Some(title) => {
                let part = format!("{part}.title");
                self.text(part, "section title", title, SECTION_TITLE_MAX);
            }
            None if of > 1 => {
                let message = "the section has no title".to_owned();
                let help = Some("with more than one section, each needs a `title`");
                self.report_with_help(BreachKind::Missing, part.clone(), message, help);
            }
            None => {}
        }
        if section.rows.is_empty() {
            let message = "the section has no rows".to_owned();
            self.report(BreachKind::Missing, format!("{part}.rows"), message);
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

    fn id(&mut self, part: &str, name: &str, id: &str, max: usize) {
        let part = format!("{part}.id");
        if !id.is_empty() && id.trim() != id {
            let message = format!("the {name} id begins or ends with a space");
            self.report(BreachKind::Misplaced, part.clone(), message);
        }
        self.text(part, &format!("{name} id"), id, max);
    }

    fn unique<'a>(
        &mut self,
        parts: &[String],
        key: &str,
        name: &str,
        values: impl Iterator<Item = &'a str>,
    ) {
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (index, value) in values.enumerate() {
            // An empty one is reported as empty already.
            if !value.is_empty() && *first.entry(value).or_insert(index) != index {
                self.report(
                    BreachKind::Duplicate,
                    format!("{}.{key}", parts[index]),
                    format!("the {name} stands twice in one message"),
                );
            }
        }
    }

    fn header_media(&mut self, media: &Media) {
        self.link("header", &media.link);
        if media.kind == MediaKind::Audio {
            let message = "a header cannot be a sound".to_owned();
            self.report(BreachKind::Misplaced, "header", message);
        }
    }

    fn media(&mut self, media: &Media) {
        self.link("link", &media.link);
        if let Some(caption) = &media.caption {
            if media.kind == MediaKind::Audio {
                self.report_with_help(
                    BreachKind::Misplaced,
                    "caption",
                    "a sound cannot have a text below it".to_owned(),
                    Some(
                        "send two messages: `reply = [ { audio = \"https://…\" }, \"the text\" ]`",
                    ),
                );
            } else {
                self.text("caption", "caption", caption, CAPTION_MAX);
            }
        }
        if let Some(filename) = &media.filename {
            if media.kind == MediaKind::Document {
                self.text("filename", "file name", filename, FILENAME_MAX);
            } else {
                let message = "only a document has a file name".to_owned();
                self.report(BreachKind::Misplaced, "filename", message);
            }
        }
    }

    fn link(&mut self, part: &str, link: &str) {
        self.text(part, "link", link, LINK_MAX);
        let host = link.strip_prefix("https://").map(|rest| rest.split('/'));
        let host = host.and_then(|mut parts| parts.next()).unwrap_or("");
        if !link.trim().is_empty() && (host.is_empty() || link.contains(char::is_whitespace)) {
            self.report_with_help(
                BreachKind::Link,
                part,
                "the link is not a complete `https://` address".to_owned(),
                Some("WhatsApp fetches files only from https servers, without a password"),
            );
        }
    }
}

fn row_part(section: usize, row: usize) -> String {
    format!("list.sections[{section}].rows[{row}]")
}

#[cfg(test)]
mod tests;

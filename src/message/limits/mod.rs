//! WhatsApp's limits for what we send, each with its source.
//!
//! The only home of these numbers: [`crate::rules`] checks the owner's texts with [`violations`]
//! before the service starts, [`crate::engine`] checks again what came out once the variables are
//! filled in, and `replyd send` before anything leaves. Nothing is cut here; a caller decides what
//! becomes of a message that breaks a limit, and [`split()`] helps with long texts.
//!
//! Meta does not say what a character is. We count UTF-16 units, the larger of the two usual
//! counts.

mod choices;
mod commerce;
mod constants;
mod files;
mod message_template;
mod split;

use super::{Frame, Header, Outbound};

pub use constants::*;
pub use split::split;

/// One way in which a message is not what WhatsApp takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which sort of limit.
    pub kind: ViolationKind,
    /// The part of the message, in the words of the rules file: `text`, `buttons[1].title`.
    pub part: String,
    /// What is wrong, lower case, no full stop, without the text itself.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The sorts of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
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
pub fn violations(content: &Outbound) -> Vec<Violation> {
    let mut checker = Checker::default();
    match content {
        Outbound::Text { body, .. } => checker.text("text", "text message", body, TEXT_MAX),
        Outbound::Buttons { frame, buttons } => {
            checker.frame(frame, "text above buttons");
            checker.buttons("buttons", buttons);
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
            checker.around(None, body, footer.as_deref(), "text above a list");
            checker.text("list.button", "list button", button, LIST_BUTTON_MAX);
            checker.sections(sections);
        }
        Outbound::Link { frame, link } => {
            checker.frame(frame, "text above a link");
            checker.link_button("link", link);
        }
        Outbound::AskLocation { body } | Outbound::AskContact { body } => {
            checker.around(None, body, None, "text above a question");
        }
        Outbound::Form { frame, form } => {
            checker.frame(frame, "text above a form");
            checker.form(form);
        }
        Outbound::Commerce(commerce) => checker.commerce(commerce),
        Outbound::Carousel { body, cards } => {
            checker.around(None, body, None, "text above a carousel");
            checker.carousel(cards);
        }
        Outbound::Media(media) => checker.media(media),
        Outbound::Location {
            latitude,
            longitude,
            name,
            address,
        } => checker.place(*latitude, *longitude, name.as_deref(), address.as_deref()),
        Outbound::Contacts { cards } => checker.contacts(cards),
        Outbound::Reaction { emoji } => checker.reaction(emoji),
        Outbound::Template(template) => checker.template(template),
    }
    checker.violations
}

/// The length of a text as WhatsApp may count it: UTF-16 units.
#[must_use]
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[derive(Default)]
struct Checker {
    violations: Vec<Violation>,
}

impl Checker {
    fn report(&mut self, kind: ViolationKind, part: impl Into<String>, message: String) {
        self.report_with_help(kind, part, message, None);
    }

    fn report_with_help(
        &mut self,
        kind: ViolationKind,
        part: impl Into<String>,
        message: String,
        help: Option<&str>,
    ) {
        self.violations.push(Violation {
            kind,
            part: part.into(),
            message,
            help: help.map(str::to_owned),
        });
    }

    fn text(&mut self, part: impl Into<String>, name: &str, text: &str, max: usize) {
        let length = length(text);
        if text.trim().is_empty() {
            self.report(ViolationKind::Missing, part, format!("the {name} is empty"));
        } else if length > max {
            let help = (length > text.chars().count())
                .then_some("an emoji counts as two characters or more");
            let message =
                format!("the {name} has {length} characters, but WhatsApp takes at most {max}");
            self.report_with_help(ViolationKind::TooMuch, part, message, help);
        }
    }

    fn frame(&mut self, frame: &Frame, name: &str) {
        let footer = frame.footer.as_deref();
        self.around(frame.header.as_ref(), &frame.body, footer, name);
    }

    /// Header, text and footer of an interactive message.
    fn around(&mut self, header: Option<&Header>, body: &str, footer: Option<&str>, name: &str) {
        match header {
            Some(Header::Text(text)) => self.text("header", "header", text, HEADER_MAX),
            Some(Header::Media(media)) => self.header_media(media),
            Some(Header::Place { .. }) => {
                let message = "only a template can have a place above its text".to_owned();
                self.report(ViolationKind::Misplaced, "header", message);
            }
            None => {}
        }
        self.text("text", name, body, BODY_MAX);
        if let Some(text) = footer {
            self.text("footer", "footer", text, FOOTER_MAX);
        }
    }
}

#[cfg(test)]
mod tests;

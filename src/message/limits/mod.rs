//! WhatsApp's limits of outbound messages, each with its source.
//!
//! The only home of these numbers: [`crate::rules`] checks the owner's texts with [`violations`]
//! before the service starts, [`crate::engine`] checks the rendered messages, and `replyd send`
//! checks before it sends. Nothing is truncated here: the caller decides about a message that
//! violates a limit, and [`split()`] divides long texts.
//!
//! Meta does not define a character. Lengths are counted in UTF-16 units, the larger of the two
//! usual counts.

mod checkout;
mod choices;
mod commerce;
mod constants;
mod files;
mod message_template;
mod split;

use super::outbound::prune::is_blank;
use super::{Frame, Header, Json, Outbound, Raw};
use ViolationKind::{Misplaced, Missing, TooMuch};

pub use constants::*;
pub use split::split;

/// Reason why WhatsApp does not accept a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Kind of the limit.
    pub kind: ViolationKind,
    /// Part of the message, in the notation of the rules file: `text`, `buttons[1].title`.
    pub part: String,
    /// Description in lower case, without a full stop and without the text itself.
    pub message: String,
    /// Remedy.
    pub help: Option<String>,
}

/// Kinds of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// A required part is missing or empty.
    Missing,
    /// A text is longer, or a list has more elements, than WhatsApp accepts.
    TooMuch,
    /// An id or title occurs twice in one message.
    Duplicate,
    /// A link does not begin with `https://`.
    Link,
    /// WhatsApp does not accept a part in this place.
    Misplaced,
}

/// Lists every limit of WhatsApp that a message violates; an empty list means that it can be sent.
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
        Outbound::Checkout(checkout) => checker.checkout(checkout),
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
        Outbound::Raw(raw) => checker.raw(raw),
    }
    checker.violations
}

/// Returns the length of a text as WhatsApp may count it, in UTF-16 units.
#[must_use]
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[derive(Default)]
struct Checker {
    violations: Vec<Violation>,
}

impl Checker {
    fn report(&mut self, kind: ViolationKind, part: impl Into<String>, message: impl Into<String>) {
        self.report_with_help(kind, part, message, None);
    }

    fn report_with_help(
        &mut self,
        kind: ViolationKind,
        part: impl Into<String>,
        message: impl Into<String>,
        help: Option<&str>,
    ) {
        self.violations.push(Violation {
            kind,
            part: part.into(),
            message: message.into(),
            help: help.map(str::to_owned),
        });
    }

    fn text(&mut self, part: impl Into<String>, name: &str, text: &str, max: usize) {
        let length = length(text);
        if is_blank(text) {
            self.report(Missing, part, format!("the {name} is empty"));
        } else if length > max {
            let help = (length > text.chars().count())
                .then_some("an emoji counts as two characters or more");
            let message =
                format!("the {name} has {length} characters, but WhatsApp takes at most {max}");
            self.report_with_help(TooMuch, part, message, help);
        }
    }

    /// Checks the keys that every type has: nothing else is known of it.
    fn raw(&mut self, raw: &Raw) {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if raw.kind.is_empty() || !raw.kind.bytes().all(plain) {
            let message = "a type has only a-z and _, as Meta writes it";
            self.report(Misplaced, "raw.type", message);
        } else if !matches!(&raw.keys, Json::Object(keys) if keys.contains_key(&raw.kind)) {
            let message = format!(
                "the message has no object `{}`, which its type names",
                raw.kind
            );
            self.report(Missing, "raw", message);
        }
    }

    fn frame(&mut self, frame: &Frame, name: &str) {
        let footer = frame.footer.as_deref();
        self.around(frame.header.as_ref(), &frame.body, footer, name);
    }

    /// Checks header, text and footer of an interactive message.
    fn around(&mut self, header: Option<&Header>, body: &str, footer: Option<&str>, name: &str) {
        match header {
            Some(Header::Text(text)) => self.text("header", "header", text, HEADER_MAX),
            Some(Header::Media(media)) => self.header_media(media),
            Some(Header::Place { .. }) => {
                let message = "only a template can have a place above its text";
                self.report(Misplaced, "header", message);
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

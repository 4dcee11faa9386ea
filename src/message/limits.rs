//! WhatsApp's limits for what we send, and the one place that checks them.
//!
//! Lengths are counted in UTF-16 units: Meta does not say which characters it counts, and this count is never the smaller one.
//! Sources, all below <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/> (checked
//! 2026-11): `text-messages`, `interactive-reply-buttons-messages`, `interactive-list-messages`,
//! `image-messages`, `video-messages`, `audio-messages`, `document-messages`.

use std::collections::HashSet;

use super::{Header, Outbound, OutboundMedia, Section};

/// `text.body` of a text message.
pub const TEXT_BODY: usize = 4096;
/// `interactive.body.text`. The list page says 4096 and the schema 1024: the smaller one is safe.
pub const INTERACTIVE_BODY: usize = 1024;
/// `interactive.header.text`.
pub const HEADER: usize = 60;
/// `interactive.footer.text`.
pub const FOOTER: usize = 60;
/// `caption` of an image, video or document.
pub const CAPTION: usize = 1024;
/// Reply buttons of a message.
pub const BUTTONS: usize = 3;
/// `reply.id` of a button.
pub const BUTTON_ID: usize = 256;
/// `reply.title` of a button.
pub const BUTTON_TITLE: usize = 20;
/// `action.button`, the label that opens a list.
pub const LIST_BUTTON: usize = 20;
/// Sections of a list.
pub const SECTIONS: usize = 10;
/// Rows of a list, over all sections.
pub const ROWS: usize = 10;
/// `title` of a section.
pub const SECTION_TITLE: usize = 24;
/// `id` of a row.
pub const ROW_ID: usize = 200;
/// `title` of a row.
pub const ROW_TITLE: usize = 24;
/// `description` of a row.
pub const ROW_DESCRIPTION: usize = 72;
/// `filename` of a document. Meta names no limit; this is what file systems take.
pub const FILENAME: usize = 240;
/// A link. Meta names no limit; browsers take this much.
pub const LINK: usize = 2000;

/// One limit that a message breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which part, in the words of the rules file: `text`, `buttons[1].title`, `list.sections[0].rows[2].id`.
    pub part: String,
    /// What is wrong with it, with both numbers and without the text.
    pub message: String,
}

/// Every limit that a message breaks, in reading order.
#[must_use]
pub fn breaches(content: &Outbound) -> Vec<Breach> {
    let mut found = Breaches::default();
    match content {
        Outbound::Text {
            body,
            preview_url: _,
        } => found.required("text", body, TEXT_BODY),
        Outbound::Buttons {
            header,
            body,
            footer,
            buttons,
        } => {
            match header {
                Some(Header::Text(text)) => found.required("header", text, HEADER),
                Some(Header::Media(media)) => found.media("header.", media),
                None => {}
            }
            found.required("text", body, INTERACTIVE_BODY);
            found.optional("footer", footer.as_ref(), FOOTER);
            found.count("buttons", buttons.len(), BUTTONS);
            found.unique(
                buttons
                    .iter()
                    .enumerate()
                    .map(|(n, b)| (format!("buttons[{n}].id"), &b.id)),
            );
            found.unique(
                buttons
                    .iter()
                    .enumerate()
                    .map(|(n, b)| (format!("buttons[{n}].title"), &b.title)),
            );
            for (n, button) in buttons.iter().enumerate() {
                found.id(&format!("buttons[{n}].id"), &button.id, BUTTON_ID);
                found.required(&format!("buttons[{n}].title"), &button.title, BUTTON_TITLE);
            }
        }
        Outbound::List {
            header,
            body,
            footer,
            button,
            sections,
        } => {
            found.optional("header", header.as_ref(), HEADER);
            found.required("text", body, INTERACTIVE_BODY);
            found.optional("footer", footer.as_ref(), FOOTER);
            found.required("list.button", button, LIST_BUTTON);
            found.sections(sections);
        }
        Outbound::Media(media) => found.media("", media),
    }
    found.0
}

/// Length as WhatsApp may count it.
#[must_use]
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[derive(Default)]
struct Breaches(Vec<Breach>);

impl Breaches {
    fn add(&mut self, part: impl Into<String>, message: impl Into<String>) {
        self.0.push(Breach {
            part: part.into(),
            message: message.into(),
        });
    }

    fn required(&mut self, part: &str, text: &str, most: usize) {
        let length = length(text);
        if text.trim().is_empty() {
            self.add(part, "this is empty, and WhatsApp refuses it");
        } else if length > most {
            self.add(
                part,
                format!("this has {length} characters, and WhatsApp takes {most}"),
            );
        }
    }

    fn optional(&mut self, part: &str, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.required(part, text, most);
        }
    }

    fn id(&mut self, part: &str, id: &str, most: usize) {
        self.required(part, id, most);
        if !id.is_empty() && id.trim() != id {
            self.add(part, "an id must not begin or end with a space");
        }
    }

    fn count(&mut self, part: &str, count: usize, most: usize) {
        if count == 0 {
            self.add(part, "there must be at least one");
        } else if count > most {
            self.add(
                part,
                format!("there are {count}, and WhatsApp takes {most}"),
            );
        }
    }

    fn unique<'a>(&mut self, parts: impl Iterator<Item = (String, &'a String)>) {
        let mut seen = HashSet::new();
        for (part, text) in parts {
            if !seen.insert(text) {
                self.add(part, "another one in this message is the same");
            }
        }
    }

    fn sections(&mut self, sections: &[Section]) {
        self.count("list.sections", sections.len(), SECTIONS);
        let rows: usize = sections.iter().map(|section| section.rows.len()).sum();
        if rows > ROWS {
            let message = format!("there are {rows} rows in all, and WhatsApp takes {ROWS}");
            self.add("list.sections", message);
        }
        let named = sections.iter().enumerate().flat_map(|(s, section)| {
            let rows = section.rows.iter().enumerate();
            rows.map(move |(r, row)| (format!("list.sections[{s}].rows[{r}].id"), &row.id))
        });
        self.unique(named);
        for (s, section) in sections.iter().enumerate() {
            let part = format!("list.sections[{s}]");
            match &section.title {
                Some(title) => self.required(&format!("{part}.title"), title, SECTION_TITLE),
                None if sections.len() > 1 => {
                    self.add(
                        format!("{part}.title"),
                        "with more than one section each needs a title",
                    );
                }
                None => {}
            }
            if section.rows.is_empty() {
                self.add(format!("{part}.rows"), "there must be at least one");
            }
            for (r, row) in section.rows.iter().enumerate() {
                let part = format!("{part}.rows[{r}]");
                self.id(&format!("{part}.id"), &row.id, ROW_ID);
                self.required(&format!("{part}.title"), &row.title, ROW_TITLE);
                self.optional(
                    &format!("{part}.description"),
                    row.description.as_ref(),
                    ROW_DESCRIPTION,
                );
            }
        }
    }

    fn media(&mut self, before: &str, media: &OutboundMedia) {
        let part = format!("{before}{}", media.kind.name());
        self.required(&part, &media.link, LINK);
        if !media.link.is_empty() && !media.link.starts_with("https://") {
            self.add(
                &part,
                "WhatsApp fetches files from `https://` addresses only",
            );
        }
        self.optional(&format!("{part}.caption"), media.caption.as_ref(), CAPTION);
        self.optional(
            &format!("{part}.filename"),
            media.filename.as_ref(),
            FILENAME,
        );
        if media.kind == super::MediaKind::Audio && media.caption.is_some() {
            self.add(
                format!("{part}.caption"),
                "WhatsApp shows no text with audio",
            );
        }
    }
}

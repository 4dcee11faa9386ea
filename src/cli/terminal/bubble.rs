//! Messages as a phone shows them, for the terminal: `chat` and `sandbox` share it.

use super::{DIM, LITERAL, STRONG, paint};
use crate::cli::terminal;
use crate::message::{Button, CardAction, Content, Header, Outbound};

/// Button or row that can be tapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tappable {
    id: String,
    title: String,
    description: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Button,
    Row,
}

impl Tappable {
    fn button(button: &Button) -> Self {
        Self {
            id: button.id.clone(),
            title: button.title.clone(),
            description: None,
            kind: Kind::Button,
        }
    }

    /// Message that a tap sends.
    pub(crate) fn content(&self) -> Content {
        let (id, title) = (self.id.clone(), self.title.clone());
        match self.kind {
            Kind::Button => Content::ButtonReply { id, title },
            Kind::Row => Content::ListReply {
                id,
                title,
                description: self.description.clone(),
            },
        }
    }
}

/// Lists the buttons and rows of a message, in the order of their numbers.
pub(crate) fn tappable(content: &Outbound) -> Vec<Tappable> {
    match content {
        Outbound::Buttons { buttons, .. } => buttons.iter().map(Tappable::button).collect(),
        Outbound::List { sections, .. } => sections
            .iter()
            .flat_map(|section| &section.rows)
            .map(|row| Tappable {
                id: row.id.clone(),
                title: row.title.clone(),
                description: row.description.clone(),
                kind: Kind::Row,
            })
            .collect(),
        Outbound::Carousel { cards, .. } => cards
            .iter()
            .flat_map(|card| match &card.action {
                CardAction::Buttons(buttons) => buttons.as_slice(),
                CardAction::Link(_) => &[],
            })
            .map(Tappable::button)
            .collect(),
        _ => Vec::new(),
    }
}

/// A message of the business, with its buttons and rows numbered.
pub(crate) fn bubble(content: &Outbound) -> String {
    let strong = |text: &String| paint(STRONG, terminal::visible(text));
    let dim = |text: &String| paint(DIM, terminal::visible(text));
    let mut lines = Vec::new();
    match content {
        Outbound::Buttons { frame, .. } => {
            match &frame.header {
                Some(Header::Text(text)) => lines.push(strong(text)),
                Some(Header::Media(media)) => {
                    lines.push(dim(&Outbound::Media(media.clone()).transcript_text()));
                }
                Some(Header::Place { .. }) | None => {}
            }
            lines.push(terminal::visible(&frame.body));
            lines.extend(frame.footer.as_ref().map(dim));
            lines.push(numbered(&tappable(content)).join("  "));
        }
        Outbound::List {
            header,
            body,
            footer,
            button,
            sections,
        } => {
            lines.extend(header.as_ref().map(strong));
            lines.push(terminal::visible(body));
            lines.extend(footer.as_ref().map(dim));
            lines.push(paint!(DIM, "≡ {}", terminal::visible(button)));
            let mut rows = numbered(&tappable(content)).into_iter();
            for section in sections {
                lines.extend(section.title.as_ref().map(strong));
                lines.extend(rows.by_ref().take(section.rows.len()));
            }
        }
        _ => {
            lines.push(terminal::visible(&content.transcript_text()));
            let options = numbered(&tappable(content));
            if !options.is_empty() {
                lines.push(options.join("  "));
            }
        }
    }
    framed(&lines.join("\n"))
}

/// Prefixes each line with a bar, so that its author shows without colours.
pub(crate) fn framed(text: &str) -> String {
    text.lines()
        .map(|line| format!("  │ {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// `[1] Order a cake`, with the second line of a row behind it.
fn numbered(options: &[Tappable]) -> Vec<String> {
    let lines = options.iter().enumerate().map(|(index, option)| {
        option_line(index + 1, &option.title, option.description.as_deref())
    });
    lines.collect()
}

/// One numbered button or row.
pub(crate) fn option_line(number: usize, title: &str, description: Option<&str>) -> String {
    let second = description.map(|text| paint!(DIM, " · {}", terminal::visible(text)));
    format!(
        "{} {}{}",
        paint!(LITERAL, "[{number}]"),
        terminal::visible(title),
        second.unwrap_or_default()
    )
}

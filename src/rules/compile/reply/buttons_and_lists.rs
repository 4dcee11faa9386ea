//! Reads everything that can be tapped: buttons, lists, links, carousels.

use super::media::HEADERS;
use super::{Fixed, Offer, ReplyReader};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::{optional, or_default};
use crate::diagnostics::toml_reader::{Field, Table};
use crate::message::{Button, Card, CardAction, Frame, LinkButton, Outbound, Row, Section};
use crate::rules::button_id;
use crate::rules::compile::text::{self, Buttons};
use crate::rules::compile::words;
use crate::template::Template;

impl<'d> ReplyReader<'_, '_, 'd> {
    pub(crate) fn choices(
        &mut self,
        table: &Table<'d>,
        content: &Field<'d>,
    ) -> Option<Outbound<Template>> {
        match content.name {
            "buttons" => {
                let (frame, buttons) = (self.frame(table), self.buttons("buttons", content));
                Some(Outbound::Buttons {
                    frame: frame?,
                    buttons: buttons?,
                })
            }
            "list" => self.list(table, content),
            "link" => {
                let (frame, link) = (self.frame(table), self.link("link", content));
                Some(Outbound::Link {
                    frame: frame?,
                    link: link?,
                })
            }
            _ => {
                let body = self.body(table);
                let cards = self.each("carousel", content, Self::card);
                Some(Outbound::Carousel {
                    body: body?,
                    cards: cards?,
                })
            }
        }
    }

    /// Header, text and footer.
    pub(crate) fn frame(&mut self, table: &Table<'d>) -> Option<Frame<Template>> {
        let header = optional(table.get("header"), |field| self.header(&field));
        let body = self.body(table);
        let footer = self.optional_template(table, "footer", "footer");
        Some(Frame {
            header: header.ok()?,
            body: body?,
            footer: footer.ok()?,
        })
    }

    fn buttons(&mut self, part: &str, content: &Field<'d>) -> Option<Vec<Button<Template>>> {
        self.each(part, content, |reader, part, field| {
            let table = reader.choice_table(field, &["id", "title"])?;
            let (id, title) = reader.choice(part, &table)?;
            Some(Button { id, title })
        })
    }

    /// Reads the table of a button or row; those of a step may have `go` and `words` too.
    fn choice_table(&mut self, field: &Field<'d>, keys: &[&'static str]) -> Option<Table<'d>> {
        let go: &[&str] = match self.known.buttons {
            Buttons::OfRule => &[],
            Buttons::OfStep => &["go", "words"],
        };
        self.reader.table(field, &[keys, go].concat())
    }

    fn choice(&mut self, part: &str, table: &Table<'d>) -> Option<(String, Template)> {
        let id = self.reader.required_string(table, "id");
        let title = self.required_template(table, "title", &format!("{part}.title"));
        let go = table.get("go");
        let go = go.and_then(|field| self.reader.string(&field));
        let words = or_default(table.get("words"), |field| words::read(self.reader, &field));
        let (id, title, words) = (id?, title?, words?);
        if id.value.starts_with(button_id::MARK) {
            let message = format!("an id cannot begin with `{}`", button_id::MARK);
            let error = Diagnostic::error(codes::ODD_ID, id.span.clone(), message);
            self.reader
                .report(error.label("kept for the buttons of flows"));
        }
        self.part(&format!("{part}.id"), &id.span, Fixed::Yes);
        let value = id.value.to_owned();
        self.offered.push(Offer { id, go, words });
        Some((value, title))
    }

    fn list(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<Outbound<Template>> {
        let header = table.get("header");
        let is_text =
            |field: &Field<'_>| field.is_string() || text::is_in_languages(field, &HEADERS);
        if let Some(field) = header.as_ref().filter(|field| !is_text(field)) {
            let message = "the header of a list is a text";
            let help = "files can stand above `buttons`, or be a message of their own before";
            return self
                .reader
                .refuse(codes::MIXED_REPLY, &field.span, message, help);
        }
        let header = optional(header, |field| self.template("header", &field));
        let body = self.body(table);
        let footer = self.optional_template(table, "footer", "footer");
        let list = self.reader.table(content, &["button", "sections"])?;
        let button = self.required_template(&list, "button", "list.button");
        let sections = self.reader.required(&list, "sections")?;
        let sections = self.each("list.sections", &sections, Self::section);
        Some(Outbound::List {
            header: header.ok()?,
            body: body?,
            footer: footer.ok()?,
            button: button?,
            sections: sections?,
        })
    }

    fn section(&mut self, part: &str, field: &Field<'d>) -> Option<Section<Template>> {
        let table = self.reader.table(field, &["title", "rows"])?;
        self.part(part, &table.span, Fixed::Yes);
        let title = self.optional_template(&table, "title", &format!("{part}.title"));
        let rows = self.reader.required(&table, "rows")?;
        let rows = self.each(&format!("{part}.rows"), &rows, Self::row);
        Some(Section {
            title: title.ok()?,
            rows: rows?,
        })
    }

    fn row(&mut self, part: &str, field: &Field<'d>) -> Option<Row<Template>> {
        let table = self.choice_table(field, &["id", "title", "description"])?;
        let choice = self.choice(part, &table);
        let description =
            self.optional_template(&table, "description", &format!("{part}.description"));
        let (id, title) = choice?;
        Some(Row {
            id,
            title,
            description: description.ok()?,
        })
    }

    fn link(&mut self, part: &str, field: &Field<'d>) -> Option<LinkButton<Template>> {
        let table = self.reader.table(field, &["title", "url"])?;
        let title = self.required_template(&table, "title", &format!("{part}.title"));
        let url = self.reader.required(&table, "url");
        let url = url.and_then(|field| self.link_template(&format!("{part}.url"), &field));
        Some(LinkButton {
            title: title?,
            url: url?,
        })
    }

    fn card(&mut self, part: &str, field: &Field<'d>) -> Option<Card<Template>> {
        const KEYS: [&str; 5] = ["image", "video", "text", "link", "buttons"];
        let table = self.reader.table(field, &KEYS)?;
        self.part(part, &table.span, Fixed::Yes);
        let media = self.one_file(&table, &["image", "video"], "a card");
        let body = self.optional_template(&table, "text", &format!("{part}.text"));
        let action = match (table.get("link"), table.get("buttons")) {
            (Some(link), None) => self
                .link(&format!("{part}.link"), &link)
                .map(CardAction::Link),
            (None, Some(buttons)) => self
                .buttons(&format!("{part}.buttons"), &buttons)
                .map(CardAction::Buttons),
            (Some(link), Some(buttons)) => {
                self.mixed(&link, &buttons);
                None
            }
            (None, None) => {
                let message = "a card needs `link` or `buttons`";
                let error = Diagnostic::error(codes::EMPTY_REPLY, table.span.clone(), message);
                self.reader.report(error);
                None
            }
        };
        Some(Card {
            media: media?,
            body: body.ok()?,
            action: action?,
        })
    }
}

//! Reads `reply`: what a rule sends.
//!
//! Shapes and templates are read here; whether WhatsApp takes the result is asked of
//! [`crate::message::limits`] with a [`sample`]. Next: [`super::lint`].

use std::collections::HashMap;
use std::ops::Range;

use super::sample;
use crate::message::MediaKind;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::{Field, Reader, Table, Text};
use crate::rules::template::Template;
use crate::rules::{
    ButtonTemplate, HeaderTemplate, MediaTemplate, REPLIES_MAX, ReplyTemplate, RowTemplate,
    SectionTemplate, codes,
};

const KEYS: [&str; 10] = [
    "text",
    "header",
    "footer",
    "buttons",
    "list",
    "image",
    "video",
    "document",
    "audio",
    "preview_url",
];

const MEDIA: [(&str, MediaKind); 4] = [
    ("image", MediaKind::Image),
    ("video", MediaKind::Video),
    ("document", MediaKind::Document),
    ("audio", MediaKind::Audio),
];

/// The replies of a rule, and what the rest of the file has to know of them.
pub(super) struct Replies<'d> {
    /// `None` when something in them is wrong.
    pub(super) templates: Option<Vec<ReplyTemplate>>,
    /// Every button and row.
    pub(super) offered: Vec<Offer<'d>>,
}

/// A button or row that a person can choose.
pub(super) struct Offer<'d> {
    /// Comes back when it is chosen.
    pub(super) id: Text<'d>,
    /// What the person sees, as the owner wrote it.
    pub(super) title: &'d str,
}

/// Where a part of a reply stands, for what [`crate::message::limits`] says about it.
pub(super) struct Part {
    /// In the file.
    pub(super) span: Range<usize>,
    /// Whether the text is known before a message comes.
    pub(super) fixed: Fixed,
}

/// Whether a text has variables in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fixed {
    /// It is sent as it is written.
    Yes,
    /// Variables are filled in first.
    No,
}

/// The parts of one reply, by their names in [`crate::message::limits::Breach`].
pub(super) type Parts = HashMap<String, Part>;

/// It is there and wrong, and a diagnostic says why.
struct Reported;

struct ReplyReader<'r, 't, 'd> {
    reader: &'r mut Reader<'t>,
    captures: &'r [String],
    offered: Vec<Offer<'d>>,
    parts: Parts,
}

impl Replies<'_> {
    /// A rule without `reply` answers with silence.
    pub(super) fn none() -> Self {
        Self {
            templates: Some(Vec::new()),
            ..Self::unknown()
        }
    }

    /// Replies under a misspelt key.
    pub(super) fn unknown() -> Self {
        Self {
            templates: None,
            offered: Vec::new(),
        }
    }
}

/// Reads the value of `reply`: one, or a list of them. `captures` are the names under `match`.
pub(super) fn read<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    captures: &[String],
) -> Replies<'d> {
    let elements = field.elements().unwrap_or_else(|| vec![field.clone()]);
    if elements.is_empty() {
        let message = "`reply` is an empty list";
        reader.report(
            Diagnostic::error(codes::EMPTY_REPLY, field.span.clone(), message)
                .help("leave `reply` out when the rule is to stay silent".to_owned()),
        );
    }
    if elements.len() > REPLIES_MAX {
        let message = format!("a rule sends at most {REPLIES_MAX} messages");
        let error = Diagnostic::error(codes::TOO_MUCH, field.span.clone(), message);
        reader.report(error.label(format!("these are {}", elements.len())));
    }
    let mut offered = Vec::new();
    let mut templates = Vec::new();
    for element in &elements {
        let mut one = ReplyReader {
            reader: &mut *reader,
            captures,
            offered: Vec::new(),
            parts: Parts::new(),
        };
        let template = one.reply(element);
        let (parts, found) = (one.parts, one.offered);
        offered.extend(found);
        if let Some(template) = &template {
            sample::check(reader, template, &parts, &element.span);
        }
        templates.push(template);
    }
    Replies {
        templates: templates.into_iter().collect(),
        offered,
    }
}

impl<'d> ReplyReader<'_, '_, 'd> {
    fn reply(&mut self, field: &Field<'d>) -> Option<ReplyTemplate> {
        if field.is_string() {
            let body = self.template("text", field)?;
            return Some(ReplyTemplate::Text {
                body,
                preview_url: false,
            });
        }
        if !field.is_table() {
            let expected = "a text in quotes, a table in braces, or a list of them";
            self.reader.wrong_type(field, expected);
            return None;
        }
        let table = self.reader.table(field, &KEYS)?;
        let contents: Vec<Field<'d>> = KEYS[3..9]
            .iter()
            .filter_map(|name| table.get(name))
            .collect();
        if let [first, second, ..] = contents.as_slice() {
            self.mixed(first, second);
            return None;
        }
        match contents.first() {
            None => self.plain_text(&table),
            Some(content) if content.name == "buttons" => self.buttons(&table, content),
            Some(content) if content.name == "list" => self.list(&table, content),
            Some(content) => self.media(&table, content),
        }
    }

    fn mixed(&mut self, first: &Field<'_>, second: &Field<'_>) {
        let (first, second) = if first.span.start < second.span.start {
            (first, second)
        } else {
            (second, first)
        };
        self.reader.report(
            Diagnostic::error(
                codes::MIXED_REPLY,
                second.span.clone(),
                format!(
                    "one message cannot have `{}` and `{}`",
                    first.name, second.name
                ),
            )
            .related(first.span.clone(), "the other one")
            .help("send two messages: `reply = [ { … }, { … } ]`".to_owned()),
        );
    }

    /// Reports the keys that have no place beside `content`.
    fn misplaced(&mut self, table: &Table<'d>, names: &[&str], content: &str) {
        for field in names.iter().filter_map(|name| table.get(name)) {
            let message = format!("{content} cannot have `{}`", field.name);
            let error = Diagnostic::error(codes::MIXED_REPLY, field.span, message);
            self.reader.report(error.label("has no place here"));
        }
    }

    fn plain_text(&mut self, table: &Table<'d>) -> Option<ReplyTemplate> {
        self.misplaced(table, &["header", "footer"], "a plain text");
        let body = self.body(table);
        let preview_url = match table.get("preview_url") {
            Some(field) => self.reader.boolean(&field)?,
            None => false,
        };
        Some(ReplyTemplate::Text {
            body: body?,
            preview_url,
        })
    }

    fn buttons(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<ReplyTemplate> {
        self.misplaced(table, &["preview_url"], "a message with buttons");
        let header = optional(table.get("header"), |field| self.header(&field));
        let body = self.body(table);
        let footer = self.optional_template(table, "footer", "footer");
        self.part("buttons", &content.span, Fixed::Yes);
        let buttons = self.reader.list(content)?;
        let buttons: Vec<_> = buttons
            .iter()
            .enumerate()
            .map(|(index, field)| self.button(&format!("buttons[{index}]"), field))
            .collect();
        Some(ReplyTemplate::Buttons {
            header: header.ok()?,
            body: body?,
            footer: footer.ok()?,
            buttons: buttons.into_iter().collect::<Option<_>>()?,
        })
    }

    fn button(&mut self, part: &str, field: &Field<'d>) -> Option<ButtonTemplate> {
        let table = self.reader.table(field, &["id", "title"])?;
        let (id, title) = self.choice(part, &table)?;
        Some(ButtonTemplate { id, title })
    }

    /// Reads the `id` and `title` of a button or row.
    fn choice(&mut self, part: &str, table: &Table<'d>) -> Option<(String, Template)> {
        let id = self.reader.required(table, "id");
        let id = id.and_then(|field| self.reader.string(&field));
        let title = self.reader.required(table, "title");
        let title = title.and_then(|field| {
            let written = self.reader.string(&field)?.value;
            Some((written, self.template(&format!("{part}.title"), &field)))
        });
        let (id, (written, title)) = (id?, title?);
        self.part(&format!("{part}.id"), &id.span, Fixed::Yes);
        let value = id.value.to_owned();
        self.offered.push(Offer { id, title: written });
        Some((value, title?))
    }

    fn list(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<ReplyTemplate> {
        self.misplaced(table, &["preview_url"], "a message with a list");
        let header = table.get("header");
        if let Some(field) = header.as_ref().filter(|field| !field.is_string()) {
            let message = "the header of a list is a text";
            let error = Diagnostic::error(codes::MIXED_REPLY, field.span.clone(), message);
            let help = "files can stand above `buttons`, or be a message of their own before";
            self.reader.report(error.help(help.to_owned()));
            return None;
        }
        let header = optional(header, |field| self.template("header", &field));
        let body = self.body(table);
        let footer = self.optional_template(table, "footer", "footer");
        let list = self.reader.table(content, &["button", "sections"])?;
        let button = self.reader.required(&list, "button");
        let button = button.and_then(|field| self.template("list.button", &field));
        let sections = self.reader.required(&list, "sections")?;
        self.part("list.sections", &sections.span, Fixed::Yes);
        let sections = self.reader.list(&sections)?;
        let sections: Vec<_> = sections
            .iter()
            .enumerate()
            .map(|(index, field)| self.section(&format!("list.sections[{index}]"), field))
            .collect();
        Some(ReplyTemplate::List {
            header: header.ok()?,
            body: body?,
            footer: footer.ok()?,
            button: button?,
            sections: sections.into_iter().collect::<Option<_>>()?,
        })
    }

    fn section(&mut self, part: &str, field: &Field<'d>) -> Option<SectionTemplate> {
        let table = self.reader.table(field, &["title", "rows"])?;
        self.part(part, &table.span, Fixed::Yes);
        let title = self.optional_template(&table, "title", &format!("{part}.title"));
        let rows = self.reader.required(&table, "rows")?;
        self.part(&format!("{part}.rows"), &rows.span, Fixed::Yes);
        let rows = self.reader.list(&rows)?;
        let rows: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(index, field)| self.row(&format!("{part}.rows[{index}]"), field))
            .collect();
        Some(SectionTemplate {
            title: title.ok()?,
            rows: rows.into_iter().collect::<Option<_>>()?,
        })
    }

    fn row(&mut self, part: &str, field: &Field<'d>) -> Option<RowTemplate> {
        let table = self.reader.table(field, &["id", "title", "description"])?;
        let choice = self.choice(part, &table);
        let description =
            self.optional_template(&table, "description", &format!("{part}.description"));
        let (id, title) = choice?;
        Some(RowTemplate {
            id,
            title,
            description: description.ok()?,
        })
    }

    fn header(&mut self, field: &Field<'d>) -> Option<HeaderTemplate> {
        if field.is_string() {
            return self.template("header", field).map(HeaderTemplate::Text);
        }
        let table = self.reader.table(field, &["image", "video", "document"])?;
        let mut media = MEDIA
            .iter()
            .filter_map(|(name, kind)| Some((table.get(name)?, *kind)));
        let Some((file, kind)) = media.next() else {
            let message = "the header is empty";
            let error = Diagnostic::error(codes::EMPTY_REPLY, table.span.clone(), message);
            let help = "give it a text, or one of `image`, `video`, `document`";
            self.reader.report(error.help(help.to_owned()));
            return None;
        };
        if let Some((second, _)) = media.next() {
            self.mixed(&file, &second);
            return None;
        }
        let link = self.template("header", &file)?;
        Some(HeaderTemplate::Media(MediaTemplate {
            kind,
            link,
            caption: None,
            filename: None,
        }))
    }

    fn media(&mut self, table: &Table<'d>, content: &Field<'d>) -> Option<ReplyTemplate> {
        self.misplaced(table, &["header", "footer", "preview_url"], "a file");
        let kind = MEDIA.iter().find(|(name, _)| *name == content.name)?.1;
        let beside = table.get("text");
        if content.is_string() {
            let link = self.template("link", content);
            let caption = optional(beside, |field| self.template("caption", &field));
            return Some(ReplyTemplate::Media(MediaTemplate {
                kind,
                link: link?,
                caption: caption.ok()?,
                filename: None,
            }));
        }
        let file = self
            .reader
            .table(content, &["link", "caption", "filename"])?;
        let link = self.reader.required(&file, "link");
        let link = link.and_then(|field| self.template("link", &field));
        let below = file.get("caption");
        if let (Some(beside), Some(below)) = (&beside, &below) {
            self.mixed(beside, below);
            return None;
        }
        let caption = optional(below.or(beside), |field| self.template("caption", &field));
        let filename = self.optional_template(&file, "filename", "filename");
        Some(ReplyTemplate::Media(MediaTemplate {
            kind,
            link: link?,
            caption: caption.ok()?,
            filename: filename.ok()?,
        }))
    }

    fn body(&mut self, table: &Table<'d>) -> Option<Template> {
        let field = self.reader.required(table, "text")?;
        self.template("text", &field)
    }

    /// Reads a text that may be left out.
    fn optional_template(
        &mut self,
        table: &Table<'d>,
        name: &str,
        part: &str,
    ) -> Result<Option<Template>, Reported> {
        optional(table.get(name), |field| self.template(part, &field))
    }

    fn template(&mut self, part: &str, field: &Field<'d>) -> Option<Template> {
        let text = self.reader.string(field)?;
        match Template::parse(text.value, self.captures) {
            Ok(template) => {
                let fixed = match template.literal() {
                    Some(_) => Fixed::Yes,
                    None => Fixed::No,
                };
                self.part(part, &text.span, fixed);
                Some(template)
            }
            Err(errors) => {
                for error in errors {
                    let span = self.reader.locate(&text, &error.range);
                    let found = Diagnostic::error(codes::TEMPLATE, span, error.message);
                    self.reader.report(found.help(error.help));
                }
                // The rest of the reply is still worth checking.
                self.part(part, &text.span, Fixed::No);
                Template::parse("…", &[]).ok()
            }
        }
    }

    fn part(&mut self, name: &str, span: &Range<usize>, fixed: Fixed) {
        let span = span.clone();
        self.parts.insert(name.to_owned(), Part { span, fixed });
    }
}

/// Reads a value that may be left out.
fn optional<'d, T>(
    field: Option<Field<'d>>,
    read: impl FnOnce(Field<'d>) -> Option<T>,
) -> Result<Option<T>, Reported> {
    match field {
        Some(field) => read(field).map(Some).ok_or(Reported),
        None => Ok(None),
    }
}

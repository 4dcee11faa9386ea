//! `reply`: a text, a table, or several of these in an array.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeValue;

use super::super::diagnostic::Diagnostic;
use super::super::set::{
    ButtonTemplate, HeaderTemplate, MediaTemplate, ReplyTemplate, RowTemplate, SectionTemplate,
};
use super::super::template::Template;
use super::fields::{Fields, Notes, Text, Value, wrong_type};
use crate::message::{MediaKind, limits};

/// Files by link, by the key they are written under.
const FILES: [(&str, MediaKind); 4] = [
    ("image", MediaKind::Image),
    ("video", MediaKind::Video),
    ("audio", MediaKind::Audio),
    ("document", MediaKind::Document),
];
/// What a header can be beside a text: WhatsApp takes no audio there.
const HEADER_FILES: [(&str, MediaKind); 3] = [FILES[0], FILES[1], FILES[3]];

/// Reads the replies of one rule.
pub(super) struct Reader<'a> {
    text: &'a str,
    captures: &'a [String],
    /// Each id of a button or row.
    pub(super) offered: Vec<(String, Range<usize>)>,
    /// Where each part of the current reply stands, by the names that limits use.
    parts: BTreeMap<String, Range<usize>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, captures: &'a [String]) -> Self {
        Self {
            text,
            captures,
            offered: Vec::new(),
            parts: BTreeMap::new(),
        }
    }

    /// Every reply that could be read, within WhatsApp's limits as far as they can be known now.
    pub(super) fn read(&mut self, value: &Value<'_>, notes: &mut Notes) -> Vec<ReplyTemplate> {
        let items: Vec<&Value<'_>> = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        let mut replies = Vec::new();
        for item in items {
            self.parts.clear();
            let before = notes.all.len();
            let Some(reply) = self.one(item, notes) else {
                continue;
            };
            // A part that is missing or of the wrong kind would be told a second time as a broken limit.
            let found = &notes.all[before..];
            if !found.iter().any(|one| matches!(one.code, "E003" | "E004")) {
                self.check_limits(&reply, item.span(), notes);
            }
            replies.push(reply);
        }
        replies
    }

    fn one(&mut self, value: &Value<'_>, notes: &mut Notes) -> Option<ReplyTemplate> {
        match value.get_ref() {
            DeValue::String(_) => {
                let body = self.template("text", &Text::of(value, "reply", notes)?, notes)?;
                Some(ReplyTemplate::Text {
                    body,
                    preview_url: false,
                })
            }
            DeValue::Table(_) => self.table(value, notes),
            other => {
                notes.add(wrong_type(
                    value.span(),
                    "reply",
                    "a text or a table",
                    other,
                ));
                None
            }
        }
    }

    fn table(&mut self, value: &Value<'_>, notes: &mut Notes) -> Option<ReplyTemplate> {
        let mut fields = Fields::of(value, "reply", notes)?;
        let body = self.optional("text", &mut fields, notes);
        let chosen = ["buttons", "list"]
            .into_iter()
            .chain(FILES.iter().map(|(key, _)| *key))
            .filter(|key| fields.get(key).is_some())
            .collect::<Vec<_>>();
        if let [first, second, ..] = chosen[..] {
            let title = format!("one message cannot have both `{first}` and `{second}`");
            let help = "send two messages: `reply = [ { … }, { … } ]`";
            let at = fields.key_span(second);
            notes.add(Diagnostic::new("E011", at, title).help(help));
        }
        let reply = match chosen.first().copied() {
            None => {
                let preview_url = fields.boolean("preview_url", notes).unwrap_or(false);
                self.required(body, "text", &fields, notes)
                    .map(|body| ReplyTemplate::Text { body, preview_url })
            }
            Some("buttons") => self.buttons(body, &mut fields, notes),
            Some("list") => self.list(body, &mut fields, notes),
            Some(file) => self.file(file, body, &mut fields, notes),
        };
        fields.finish("a reply of this kind", notes);
        reply
    }

    fn required(
        &self,
        body: Option<Template>,
        key: &str,
        fields: &Fields<'_, '_>,
        notes: &mut Notes,
    ) -> Option<Template> {
        if body.is_none() && !self.parts.contains_key(key) {
            let title = format!("this reply has no `{key}`");
            notes.add(Diagnostic::new("E004", fields.span(), title).label("it belongs in here"));
        }
        body
    }

    fn buttons(
        &mut self,
        body: Option<Template>,
        fields: &mut Fields<'_, '_>,
        notes: &mut Notes,
    ) -> Option<ReplyTemplate> {
        let body = self.required(body, "text", fields, notes);
        let header = fields
            .get("header")
            .and_then(|value| self.header(value, notes));
        let footer = self.optional("footer", fields, notes);
        let value = fields.get("buttons")?;
        self.parts.insert("buttons".to_owned(), value.span());
        let mut buttons = Vec::new();
        for (n, item) in items(value, "buttons", notes).into_iter().enumerate() {
            let Some(mut fields) = Fields::of(item, "a button", notes) else {
                continue;
            };
            let part = format!("buttons[{n}]");
            self.parts.insert(part.clone(), item.span());
            let id = self.id(&part, "a button", &mut fields, notes);
            let title = self.titled(&part, "a button", &mut fields, notes);
            fields.finish("a button", notes);
            if let (Some(id), Some(title)) = (id, title) {
                buttons.push(ButtonTemplate { id, title });
            }
        }
        Some(ReplyTemplate::Buttons {
            header,
            body: body?,
            footer,
            buttons,
        })
    }

    fn header(&mut self, value: &Value<'_>, notes: &mut Notes) -> Option<HeaderTemplate> {
        if let DeValue::String(_) = value.get_ref() {
            let text = Text::of(value, "header", notes)?;
            return self
                .template("header", &text, notes)
                .map(HeaderTemplate::Text);
        }
        let mut fields = Fields::of(value, "header", notes)?;
        let found = HEADER_FILES
            .iter()
            .find(|(key, _)| fields.get(key).is_some());
        let header = if let Some((key, kind)) = found {
            let text = fields.string(key, notes)?;
            let link = self.template(&format!("header.{key}"), &text, notes);
            link.map(|link| {
                let (kind, caption, filename) = (*kind, None, None);
                HeaderTemplate::Media(MediaTemplate {
                    kind,
                    link,
                    caption,
                    filename,
                })
            })
        } else {
            let title = "a header is a text or one of `image`, `video`, `document`";
            notes.add(Diagnostic::new("E004", fields.span(), title));
            None
        };
        fields.finish("a header", notes);
        header
    }

    fn list(
        &mut self,
        body: Option<Template>,
        fields: &mut Fields<'_, '_>,
        notes: &mut Notes,
    ) -> Option<ReplyTemplate> {
        let body = self.required(body, "text", fields, notes);
        let header = self.optional("header", fields, notes);
        let footer = self.optional("footer", fields, notes);
        let mut list = Fields::of(fields.get("list")?, "list", notes)?;
        let label = list.required("button", "the list", notes);
        let label = label.and_then(|value| Text::of(value, "button", notes));
        let button = label.and_then(|text| self.template("list.button", &text, notes));
        let mut sections = Vec::new();
        if let Some(value) = list.required("sections", "the list", notes) {
            self.parts.insert("list.sections".to_owned(), value.span());
            for (n, item) in items(value, "sections", notes).into_iter().enumerate() {
                sections.extend(self.section(&format!("list.sections[{n}]"), item, notes));
            }
        }
        list.finish("a list", notes);
        Some(ReplyTemplate::List {
            header,
            body: body?,
            footer,
            button: button?,
            sections,
        })
    }

    fn section(
        &mut self,
        part: &str,
        value: &Value<'_>,
        notes: &mut Notes,
    ) -> Option<SectionTemplate> {
        let mut fields = Fields::of(value, "a section", notes)?;
        self.parts.insert(part.to_owned(), value.span());
        let title = fields.string("title", notes);
        let title = title.and_then(|text| self.template(&format!("{part}.title"), &text, notes));
        let mut rows = Vec::new();
        if let Some(value) = fields.required("rows", "this section", notes) {
            self.parts.insert(format!("{part}.rows"), value.span());
            for (n, item) in items(value, "rows", notes).into_iter().enumerate() {
                rows.extend(self.row(&format!("{part}.rows[{n}]"), item, notes));
            }
        }
        fields.finish("a section", notes);
        Some(SectionTemplate { title, rows })
    }

    fn row(&mut self, part: &str, value: &Value<'_>, notes: &mut Notes) -> Option<RowTemplate> {
        let mut fields = Fields::of(value, "a row", notes)?;
        self.parts.insert(part.to_owned(), value.span());
        let id = self.id(part, "a row", &mut fields, notes);
        let title = self.titled(part, "a row", &mut fields, notes);
        let description = fields.string("description", notes);
        let description = description
            .and_then(|text| self.template(&format!("{part}.description"), &text, notes));
        fields.finish("a row", notes);
        Some(RowTemplate {
            id: id?,
            title: title?,
            description,
        })
    }

    /// A file: a link, or a table with a link; a `text` beside it is its caption.
    fn file(
        &mut self,
        key: &'static str,
        body: Option<Template>,
        fields: &mut Fields<'_, '_>,
        notes: &mut Notes,
    ) -> Option<ReplyTemplate> {
        let (_, kind) = *FILES.iter().find(|(name, _)| *name == key)?;
        let value = fields.get(key)?;
        let (mut link, mut caption, mut filename) = (None, body, None);
        if let DeValue::String(_) = value.get_ref() {
            link = Text::of(value, key, notes).and_then(|text| self.template(key, &text, notes));
        } else if let Some(mut file) = Fields::of(value, key, notes) {
            let written = file.required("link", &format!("`{key}`"), notes);
            let written = written.and_then(|value| Text::of(value, "link", notes));
            link = written.and_then(|text| self.template(key, &text, notes));
            let under = file.string("caption", notes);
            let under =
                under.and_then(|text| self.template(&format!("{key}.caption"), &text, notes));
            caption = under.or(caption);
            if kind == MediaKind::Document {
                let name = file.string("filename", notes);
                filename =
                    name.and_then(|text| self.template(&format!("{key}.filename"), &text, notes));
            }
            file.finish(&format!("`{key}`"), notes);
        }
        if kind == MediaKind::Audio && caption.is_some() {
            let at = self
                .parts
                .get("text")
                .or_else(|| self.parts.get("audio.caption"));
            let at = at.cloned().unwrap_or_else(|| fields.span());
            let title = "WhatsApp shows no text with audio";
            let help = "send two messages: `reply = [ \"the text\", { audio = \"https://…\" } ]`";
            notes.add(Diagnostic::new("E011", at, title).help(help));
        }
        Some(ReplyTemplate::Media(MediaTemplate {
            kind,
            link: link?,
            caption,
            filename,
        }))
    }

    fn id(
        &mut self,
        part: &str,
        of: &str,
        fields: &mut Fields<'_, '_>,
        notes: &mut Notes,
    ) -> Option<String> {
        let id = Text::of(fields.required("id", of, notes)?, "id", notes)?;
        self.parts.insert(format!("{part}.id"), id.span.clone());
        self.offered.push((id.value.clone(), id.span));
        Some(id.value)
    }

    fn titled(
        &mut self,
        part: &str,
        of: &str,
        fields: &mut Fields<'_, '_>,
        notes: &mut Notes,
    ) -> Option<Template> {
        let title = Text::of(fields.required("title", of, notes)?, "title", notes)?;
        self.template(&format!("{part}.title"), &title, notes)
    }

    fn optional(
        &mut self,
        key: &'static str,
        fields: &mut Fields<'_, '_>,
        notes: &mut Notes,
    ) -> Option<Template> {
        let text = fields.string(key, notes)?;
        self.template(key, &text, notes)
    }

    /// Checks a text and remembers where it stands.
    fn template(&mut self, part: &str, text: &Text, notes: &mut Notes) -> Option<Template> {
        self.parts.insert(part.to_owned(), text.span.clone());
        match Template::parse(&text.value, self.captures) {
            Ok(template) => Some(template),
            Err(errors) => {
                for error in errors {
                    let span = place_in_file(self.text, text, &error.range);
                    let diagnostic = Diagnostic::new("E009", span, error.message);
                    notes.add(match error.help {
                        Some(help) => diagnostic.help(help),
                        None => diagnostic,
                    });
                }
                Template::parse("x", &[]).ok() // the rest of the reply is still worth checking
            }
        }
    }

    /// Holds what is already known of a reply against WhatsApp's limits.
    fn check_limits(&self, reply: &ReplyTemplate, span: Range<usize>, notes: &mut Notes) {
        for breach in limits::breaches(&reply.known_now()) {
            let mut part = breach.part.as_str();
            let at = loop {
                if let Some(at) = self.parts.get(part) {
                    break at.clone();
                }
                match part.rfind(['.', '[']) {
                    Some(end) => part = &part[..end],
                    None => break span.clone(),
                }
            };
            notes.add(Diagnostic::new(
                "E010",
                at,
                format!("`{}`: {}", breach.part, breach.message),
            ));
        }
    }
}

fn items<'a, 'i>(value: &'a Value<'i>, what: &str, notes: &mut Notes) -> Vec<&'a Value<'i>> {
    match value.get_ref() {
        DeValue::Array(array) => array.iter().collect(),
        other => {
            notes.add(wrong_type(value.span(), what, "an array of tables", other));
            Vec::new()
        }
    }
}

/// Where bytes of a string's value stand in the file: exact when the string has no escapes, else the whole string.
fn place_in_file(file: &str, text: &Text, range: &Range<usize>) -> Range<usize> {
    let literal = file.get(text.span.clone()).unwrap_or_default();
    match literal.find(text.value.as_str()) {
        Some(quotes) if !text.value.is_empty() => {
            let start = text.span.start + quotes;
            start + range.start..start + range.end.min(text.value.len())
        }
        _ => text.span.clone(),
    }
}

//! Reads `reply`: what a rule sends.
//!
//! Reads structure and texts, each family of messages in its own file. `limits` checks the result
//! against [`crate::message::limits`], `message_template` against the fetched templates. Next:
//! [`crate::rules::lint`].

mod buttons_and_lists;
mod checkout;
mod commerce;
mod contact_card;
mod limits;
mod media;
mod message_template;
mod raw;

use std::collections::BTreeSet;
use std::ops::Range;

use self::limits::{Fixed, Part, Parts};
use super::text::{self, Reading, Symbols};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::{Read, optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Reader, Table, Text};
use crate::message::{CheckoutStep, Outbound};
use crate::rules::{REPLIES_MAX, ReplyTemplate};
use crate::template::Template;
use crate::text::normalize::Phrase;

/// Contents of a message, of which a reply has at most one, with the keys allowed next to each.
const CONTENTS: [(&str, &[&str]); 25] = [
    ("buttons", &["text", "header", "footer"]),
    ("list", &["text", "header", "footer"]),
    ("link", &["text", "header", "footer"]),
    ("ask_location", &["text"]),
    ("ask_contact", &["text"]),
    ("form", &["text", "header", "footer"]),
    ("product", &["text", "footer"]),
    ("products", &["text", "header", "footer"]),
    ("catalog", &["text", "footer"]),
    ("product_carousel", &["text"]),
    ("address_message", &["text", "header", "footer"]),
    ("order_details", &["text", "header", "footer"]),
    ("order_status", &["text", "header", "footer"]),
    ("carousel", &["text"]),
    ("image", &["text"]),
    ("video", &["text"]),
    ("document", &["text"]),
    ("audio", &["text"]),
    ("sticker", &["text"]),
    ("location", &[]),
    ("contacts", &[]),
    ("reaction", &[]),
    ("template", &[]),
    ("raw", &[]),
    // A plain text.
    ("text", &["preview_url"]),
];

/// Keys that may stand beside a content; `quote` beside any.
const COMMON_KEYS: [&str; 5] = ["text", "header", "footer", "preview_url", "quote"];

/// Every key of a reply.
pub(crate) fn reply_keys() -> Vec<&'static str> {
    let contents = CONTENTS.iter().map(|(name, _)| *name);
    let contents = contents.filter(|name| *name != "text");
    COMMON_KEYS.into_iter().chain(contents).collect()
}

/// Replies of a rule with the buttons and rows that they offer.
pub(crate) struct Replies<'d> {
    /// `None` when something in them is wrong.
    pub(crate) templates: Option<Vec<ReplyTemplate>>,
    pub(crate) offered: Vec<Offer<'d>>,
}

/// Button or row that a contact can choose.
pub(crate) struct Offer<'d> {
    /// Comes back when it is chosen.
    pub(crate) id: Text<'d>,
    /// Where a flow goes on when it is chosen.
    pub(crate) go: Option<Text<'d>>,
    /// Other words that mean it, in a flow.
    pub(crate) words: Vec<Phrase>,
}

struct ReplyReader<'r, 't, 'd> {
    reader: &'r mut Reader<'t>,
    known: Symbols<'r>,
    offered: Vec<Offer<'d>>,
    parts: Parts,
    /// Those that its texts are written in.
    languages: BTreeSet<String>,
}

/// Reads the value of `reply`: one, or a list of them.
pub(crate) fn read<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
) -> Replies<'d> {
    let elements = field.elements().unwrap_or_else(|| vec![field.clone()]);
    if elements.is_empty() {
        let message = "`reply` is an empty list";
        let help = "leave `reply` out when the rule is to stay silent";
        reader.error(codes::EMPTY_REPLY, &field.span, message, help);
    }
    if elements.len() > REPLIES_MAX {
        let message = format!("a rule sends at most {REPLIES_MAX} messages");
        let error = Diagnostic::error(codes::TOO_MUCH, field.span.clone(), message);
        reader.report(error.label(format!("these are {}", elements.len())));
    }
    let mut offered = Vec::new();
    let mut templates = Vec::new();
    for element in &elements {
        let (template, offers) = read_one(reader, element, known);
        offered.extend(offers);
        templates.push(template);
    }
    Replies {
        templates: templates.into_iter().collect(),
        offered,
    }
}

/// Reads one message, checks it, and gives the buttons it offers.
pub(crate) fn read_one<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
) -> (Option<ReplyTemplate>, Vec<Offer<'d>>) {
    let mut message = ReplyReader {
        reader: &mut *reader,
        known,
        offered: Vec::new(),
        parts: Parts::new(),
        languages: BTreeSet::new(),
    };
    let template = message.reply(field);
    let (parts, offered, languages) = (message.parts, message.offered, message.languages);
    if let Some(template) = &template {
        let checked = limits::Checked {
            reply: &template.content,
            parts: &parts,
            languages: &languages,
            whole: &field.span,
            known,
        };
        limits::check(reader, &checked);
    }
    (template, offered)
}

/// Returns a text that is the same whenever it is sent.
fn constant(text: &Template) -> Option<String> {
    let is_one = text.languages().count() < 2;
    let literal = is_one.then(|| text.literal(&[])).flatten();
    literal.map(str::to_owned)
}

impl<'d> ReplyReader<'_, '_, 'd> {
    fn reply(&mut self, field: &Field<'d>) -> Option<ReplyTemplate> {
        if field.is_string() || text::is_in_languages(field, &reply_keys()) {
            let content = Outbound::Text {
                body: self.template("text", field)?,
                preview_url: false,
            };
            let quote = false;
            return Some(ReplyTemplate { content, quote });
        }
        if !field.is_table() {
            let expected = "a text in quotes, a table in braces, or a list of them";
            return self.reader.wrong_type(field, expected);
        }
        let table = self.reader.table(field, &reply_keys())?;
        let quote = or_default(table.get("quote"), |field| self.reader.boolean(&field));
        let content = self.content(&table);
        Some(ReplyTemplate {
            content: content?,
            quote: quote?,
        })
    }

    fn content(&mut self, table: &Table<'d>) -> Option<Outbound<Template>> {
        let contents: Vec<(Field<'d>, &[&str])> = CONTENTS
            .iter()
            .filter(|(name, _)| *name != "text")
            .filter_map(|(name, beside)| Some((table.get(name)?, *beside)))
            .collect();
        if let [(first, _), (second, _), ..] = contents.as_slice() {
            self.mixed(first, second);
            return None;
        }
        let Some((content, beside)) = contents.first() else {
            self.misplaced(table, &["preview_url"], "a plain text");
            if table.get("text").is_none() && table.has_unknown() {
                return None;
            }
            return self.plain_text(table);
        };
        let name = content.name;
        let what = match name {
            "buttons" => "a message with buttons".to_owned(),
            "list" => "a message with a list".to_owned(),
            "image" | "video" | "document" | "audio" | "sticker" => "a file".to_owned(),
            name => format!("a message with `{name}`"),
        };
        self.misplaced(table, beside, &what);
        if let Some(step) = CheckoutStep::from_name(name) {
            return self.checkout(step, table, content).map(Outbound::Checkout);
        }
        match name {
            "buttons" | "list" | "link" | "carousel" => self.choices(table, content),
            "image" | "video" | "document" | "audio" | "sticker" => self.file(table, content),
            "template" => self.message_template(content),
            "raw" => self.raw(content),
            _ => self.wares(table, content),
        }
    }

    fn mixed(&mut self, first: &Field<'_>, second: &Field<'_>) {
        let whole = |field: &Field<'_>| CONTENTS.iter().any(|(name, _)| *name == field.name);
        let help = if whole(first) && whole(second) && first.name != "link" {
            "send two messages: `reply = [ { … }, { … } ]`"
        } else {
            "keep one of them"
        };
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
            .help(help.to_owned()),
        );
    }

    /// Reports the keys that have no place beside `content`.
    fn misplaced(&mut self, table: &Table<'d>, allowed: &[&str], content: &str) {
        let plain = content == "a plain text";
        let is_allowed =
            |name: &str| name == "quote" || allowed.contains(&name) || plain && name == "text";
        let refused = COMMON_KEYS.iter().filter(|name| !is_allowed(name));
        for field in refused.filter_map(|name| table.get(name)) {
            let message = format!("{content} cannot have `{}`", field.name);
            let error = Diagnostic::error(codes::MIXED_REPLY, field.span, message);
            self.reader.report(error.label("has no place here"));
        }
    }

    fn plain_text(&mut self, table: &Table<'d>) -> Option<Outbound<Template>> {
        let body = self.body(table);
        let preview_url = or_default(table.get("preview_url"), |field| {
            self.reader.boolean(&field)
        });
        Some(Outbound::Text {
            body: body?,
            preview_url: preview_url?,
        })
    }

    fn body(&mut self, table: &Table<'d>) -> Option<Template> {
        self.required_template(table, "text", "text")
    }

    /// Reads a text that must be there.
    fn required_template(&mut self, table: &Table<'d>, name: &str, part: &str) -> Option<Template> {
        let field = self.reader.required(table, name)?;
        self.template(part, &field)
    }

    /// Reads a text that may be left out.
    fn optional_template(
        &mut self,
        table: &Table<'d>,
        name: &str,
        part: &str,
    ) -> Read<Option<Template>> {
        optional(table.get(name), |field| self.template(part, &field))
    }

    /// Reads a name that is no template and must be there.
    fn required_name(&mut self, table: &Table<'d>, name: &str) -> Option<String> {
        let name = self.reader.required_string(table, name)?;
        Some(name.value.to_owned())
    }

    /// Reads a name that is no template and may be left out.
    fn optional_name(&mut self, table: &Table<'d>, name: &str) -> Read<Option<String>> {
        optional(table.get(name), |field| {
            Some(self.reader.string(&field)?.value.to_owned())
        })
    }

    fn template(&mut self, part: &str, field: &Field<'d>) -> Option<Template> {
        self.read(part, field, Reading::Text)
    }

    /// Reads a link; the values in it are escaped.
    fn link_template(&mut self, part: &str, field: &Field<'d>) -> Option<Template> {
        self.read(part, field, Reading::Link)
    }

    fn read(&mut self, part: &str, field: &Field<'d>, reading: Reading) -> Option<Template> {
        let read = text::template(self.reader, field, self.known, reading);
        let Some((template, texts)) = read else {
            if field.is_string() || field.is_table() {
                // The rest of the reply is still worth checking.
                self.part(part, &field.span, Fixed::No);
                return Template::parse("…", &self.known.scope()).ok();
            }
            return None;
        };
        for (tag, text) in texts {
            let fixed = match template.literal(&[&tag]) {
                Some(_) => Fixed::Yes,
                None => Fixed::No,
            };
            let name = if tag.is_empty() {
                part.to_owned()
            } else {
                self.languages.insert(tag.clone());
                format!("{part}@{tag}")
            };
            self.part(&name, &text.span, fixed);
        }
        Some(template)
    }

    /// Reads each element of a list: the parts `part[0]`, `part[1]` and so on.
    fn each<T>(
        &mut self,
        part: &str,
        list: &Field<'d>,
        mut read: impl FnMut(&mut Self, &str, &Field<'d>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.part(part, &list.span, Fixed::Yes);
        let elements = self.reader.list(list)?;
        read_each(elements.iter().enumerate(), |(index, element)| {
            read(self, &format!("{part}[{index}]"), element)
        })
    }

    fn part(&mut self, name: &str, span: &Range<usize>, fixed: Fixed) {
        let span = span.clone();
        self.parts.insert(name.to_owned(), Part { span, fixed });
    }
}

#[cfg(test)]
mod tests;

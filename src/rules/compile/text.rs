//! Reads texts and expressions, in one or several languages.

use std::collections::BTreeSet;

use super::foreign_marks;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Field, Reader, Text};
use crate::message::TemplateFile;
use crate::template::{Expression, Scope, Template, TemplateError, ValueType};
use crate::text::language;

/// Names that a text or a reply may use.
#[derive(Clone, Copy, Default)]
pub(crate) struct Symbols<'a> {
    /// The names under `match`.
    pub(crate) captures: &'a [String],
    /// Whole groups of variables: answers of a flow, results of actions.
    pub(crate) roots: &'a [String],
    /// The fields that the rules set; `None` when they are not known.
    pub(crate) fields: Option<&'a BTreeSet<String>>,
    /// The tags that the rules set; `None` when they are not known.
    pub(crate) tags: Option<&'a BTreeSet<String>>,
    /// The message templates that were fetched; `None` when none ever were.
    pub(crate) templates: Option<&'a TemplateFile>,
    /// Whose buttons are read.
    pub(crate) buttons: Buttons,
    /// What is sent when a reply turns out too long.
    pub(crate) fallback: Fallback,
    /// The roots whose values are short: dates, numbers, choices.
    pub(crate) short_roots: &'a [String],
    /// The roots that are numbers, dates or times of day.
    pub(crate) types: &'a [(String, ValueType)],
}

/// What is sent when a reply turns out too long.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// Nothing.
    #[default]
    Nothing,
    /// The rule's `on_error`.
    OnError,
}

/// How the values of a text are written into it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As they are.
    Text,
    /// Escaped, but for an address at the beginning.
    Link,
    /// Escaped, all of them.
    LinkEnd,
}

/// Whose buttons are read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Buttons {
    /// A rule's: another rule answers them.
    #[default]
    OfRule,
    /// A step's: they may say where to go.
    OfStep,
}

impl<'a> Symbols<'a> {
    pub(crate) fn scope(&self) -> Scope<'a> {
        Scope {
            captures: self.captures,
            roots: self.roots,
            fields: self.fields,
            types: self.types,
        }
    }
}

/// Whether a table is one text in several languages: all its keys look like languages, and at least
/// one is. `keys` are those of a table that may stand in the same place; they do not count as
/// languages, so that `{ id = "…" }` is an upload where uploads have ids, and Indonesian elsewhere.
pub(crate) fn is_in_languages(field: &Field<'_>, keys: &[&str]) -> bool {
    let entries = field.entries();
    let names = || entries.iter().map(|entry| entry.name);
    let is_language = |name: &str| language::is_known(name) && !keys.contains(&name);
    names().all(language::is_tag) && names().any(is_language)
}

/// Reports keys that are no languages, and languages that stand there twice.
fn check_languages(reader: &mut Reader<'_>, entries: &[Field<'_>]) {
    for (index, entry) in entries.iter().enumerate() {
        let (name, key) = (entry.name, entry.key.clone());
        if !language::is_known(name) {
            let message = format!("there is no language `{name}`");
            let help = "write it like `en`, `es` or `pt-BR`";
            reader.error(codes::VALUE, &key, message, help);
        } else if let Some(first) = entries[..index]
            .iter()
            .find(|first| first.name.eq_ignore_ascii_case(name))
        {
            let message = format!("the text is there twice in `{name}`");
            let error = Diagnostic::error(codes::VALUE, key, message);
            reader.report(error.related(first.key.clone(), "the first one"));
        }
    }
}

/// Reads a text, or a table of the same text in several languages, and gives each literal with its
/// language (empty: every language).
pub(crate) fn template<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
    reading: Reading,
) -> Option<(Template, Vec<(String, Text<'d>)>)> {
    let marks = |reader: &mut Reader<'_>, text: &Text<'_>| {
        if reading == Reading::Text {
            foreign_marks::check(reader, text, &known.scope());
        }
    };
    if !is_in_languages(field, &[]) {
        let text = reader.string(field)?;
        marks(reader, &text);
        let template = parse(reader, &text, known, reading)?;
        return Some((template, vec![(String::new(), text)]));
    }
    let mut texts = Vec::new();
    let mut templates = Vec::new();
    let entries = field.entries();
    check_languages(reader, &entries);
    for entry in &entries {
        let text = reader.string(entry);
        if let Some(text) = &text {
            marks(reader, text);
        }
        let template = text.as_ref();
        let template = template.and_then(|text| parse(reader, text, known, reading));
        let tag = entry.name.to_owned();
        texts.extend(text.map(|text| (tag.clone(), text)));
        templates.extend(template.map(|template| (tag, template)));
    }
    let tags = entries.iter().map(|entry| entry.name.to_owned());
    let tags = tags.filter(|tag| language::is_known(tag));
    reader.translated(field.span.clone(), tags.collect());
    (templates.len() == entries.len()).then(|| (Template::in_languages(templates), texts))
}

/// Parses one literal; `None` when it is wrong and reported.
pub(crate) fn literal(
    reader: &mut Reader<'_>,
    text: &Text<'_>,
    known: Symbols<'_>,
) -> Option<Template> {
    parse(reader, text, known, Reading::Text)
}

fn parse(
    reader: &mut Reader<'_>,
    text: &Text<'_>,
    known: Symbols<'_>,
    reading: Reading,
) -> Option<Template> {
    let (source, scope) = (text.value, known.scope());
    let template = match reading {
        Reading::Text => Template::parse(source, &scope),
        Reading::Link => Template::parse_link(source, &scope),
        Reading::LinkEnd => Template::parse_url(source, &scope),
    };
    parsed(reader, text, template)
}

pub(crate) fn expression(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    known: Symbols<'_>,
) -> Option<Expression> {
    let text = reader.string(field)?;
    parsed(reader, &text, Expression::parse(text.value, &known.scope()))
}

/// Reports every error of a parsed text at its place.
pub(crate) fn parsed<T>(
    reader: &mut Reader<'_>,
    text: &Text<'_>,
    parsed: Result<T, Vec<TemplateError>>,
) -> Option<T> {
    let errors = match parsed {
        Ok(value) => return Some(value),
        Err(errors) => errors,
    };
    for error in errors {
        let span = reader.locate(text, &error.range);
        let diagnostic = Diagnostic::error(codes::TEMPLATE, span, error.message);
        reader.report(diagnostic.help(error.help));
    }
    None
}

//! Checks replies against [`crate::message::limits`] at compile time.
//!
//! A text with variables counts with its shortest result, the text around the variables, so that
//! only certain violations are reported here. The rendered message is checked again before it is
//! sent. Next: [`crate::rules::lint`].

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::ops::Range;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::Reader;
use crate::message::Outbound;
use crate::message::limits::{self, Violation, ViolationKind};
use crate::rules::compile::text::{Fallback, Symbols};
use crate::template::Template;

/// The parts of one reply, by their names in [`Violation`].
pub(crate) type Parts = HashMap<String, Part>;

/// Place of a part of a reply in the file, for diagnostics of [`limits`].
pub(crate) struct Part {
    pub(crate) span: Range<usize>,
    /// Whether the text is known before a message comes.
    pub(crate) fixed: Fixed,
}

/// Whether a text has variables in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixed {
    /// It is sent as it is written.
    Yes,
    /// Variables are filled in first.
    No,
}

/// A reply that was read.
pub(crate) struct Checked<'c> {
    pub(crate) reply: &'c Outbound<Template>,
    pub(crate) parts: &'c Parts,
    /// Those that its texts are written in.
    pub(crate) languages: &'c BTreeSet<String>,
    /// Place of the reply.
    pub(crate) whole: &'c Range<usize>,
    pub(crate) known: Symbols<'c>,
}

/// Reports every limit of WhatsApp that a reply is sure to break in some language, and warns of
/// those that its values may break when nothing else is sent then.
pub(crate) fn check(reader: &mut Reader<'_>, checked: &Checked<'_>) {
    let Checked {
        reply,
        parts,
        languages,
        whole,
        ..
    } = *checked;
    let every = [String::new()];
    let tags = if languages.is_empty() {
        every.iter().collect::<Vec<_>>()
    } else {
        languages.iter().collect()
    };
    let mut reported: Vec<(Range<usize>, String)> = Vec::new();
    for tag in tags {
        for violation in limits::violations(&outbound(reply, tag)) {
            let part = part(parts, &violation.part, tag);
            if !is_sure(&violation, part, parts, tag) {
                continue;
            }
            let span = part.map_or_else(|| whole.clone(), |part| part.span.clone());
            let what = (span.clone(), violation.message.clone());
            if reported.contains(&what) {
                continue;
            }
            reported.push(what);
            let code = code_of(violation.kind);
            reader.report(Diagnostic::error(code, span, violation.message).help(violation.help));
        }
        for warning in near_limits(checked, tag) {
            let known = reported.iter().any(|(other, _)| *other == warning.span);
            if !known {
                reported.push((warning.span.clone(), warning.message.clone()));
                reader.report(warning);
            }
        }
    }
}

/// Texts that become too long with ordinary or with long values.
fn near_limits(checked: &Checked<'_>, tag: &str) -> Vec<Diagnostic> {
    // A plain text is sent as several messages, and `on_error` in place of others.
    let is_divided = matches!(checked.reply, Outbound::Text { .. });
    if is_divided || checked.known.fallback == Fallback::OnError {
        return Vec::new();
    }
    let ordinary = too_long(checked, tag, "ordinary", |_| ORDINARY);
    let long = too_long(checked, tag, "long", |value| longest(value, checked.known));
    ordinary.into_iter().chain(long).collect()
}

/// Texts that become too long when each variable has this many characters.
fn too_long(
    checked: &Checked<'_>,
    tag: &str,
    values: &str,
    length: impl Fn(&str) -> usize,
) -> Vec<Diagnostic> {
    let parts = checked.parts;
    let filled = |text: &Template| {
        let filled = match text.literal(&[tag]) {
            Some(text) => text.to_owned(),
            None => around_variables(text.source(&[tag]), &length),
        };
        Ok::<_, Infallible>(filled)
    };
    let Ok(message) = checked.reply.try_map(filled);
    let near = limits::violations(&message)
        .into_iter()
        .filter_map(|violation| {
            let part = part(parts, &violation.part, tag)?;
            if violation.kind != ViolationKind::TooMuch || part.fixed == Fixed::Yes {
                return None;
            }
            let message = format!("with {values} values {}", violation.message);
            let help = "shorten it, as with `| truncate(20)`, or give the rule an `on_error`";
            let help = help.to_owned();
            let span = part.span.clone();
            Some(Diagnostic::warning(codes::NEAR_LIMIT, span, message).help(help))
        });
    near.collect()
}

/// Length of an ordinary value: a name of ten letters.
const ORDINARY: usize = 10;
/// Length of the names that people give themselves: 25 is what WhatsApp's apps take.
const NAME_MAX: usize = 25;

/// What contacts and ads write: as long as a text of `WhatsApp`. A part that a pattern found may be
/// all of one; how much the pattern takes is not looked at.
const UNBOUNDED: [&str; 12] = [
    "message.text",
    "match.",
    "order.text",
    "form.",
    "quoted.text",
    "contact.fields.",
    "card.name",
    "card.company",
    "location.name",
    "location.address",
    "ad.text",
    "ad.headline",
];

/// Filters whose result is short, whatever they are given.
const SHORTENING: [&str; 9] = [
    "date", "weekday", "time", "number", "money", "plural", "length", "int", "float",
];

/// How long the value of a variable, with its filters, may become.
fn longest(expression: &str, known: Symbols<'_>) -> usize {
    let mut filters = expression.split('|').map(str::trim);
    let value = filters.next().unwrap_or_default().trim_matches('-').trim();
    for filter in filters {
        let end = filter.find(|character: char| !character.is_alphanumeric());
        let (name, rest) = filter.split_at(end.unwrap_or(filter.len()));
        if name == "truncate" {
            let most = rest.trim_matches(|character: char| !character.is_ascii_digit());
            return most.parse().unwrap_or(ORDINARY);
        }
        if SHORTENING.contains(&name) {
            return ORDINARY;
        }
    }
    let root = value.split(['.', '[']).next().unwrap_or_default();
    let is_root = |roots: &[String]| roots.iter().any(|name| name == root);
    match value {
        _ if is_root(known.short_roots) => ORDINARY,
        _ if is_root(known.roots) => limits::TEXT_MAX,
        "contact.name" | "contact.first_name" | "contact.username" => NAME_MAX,
        _ if UNBOUNDED.iter().any(|source| value.starts_with(source)) => limits::TEXT_MAX,
        _ => ORDINARY,
    }
}

/// Where a part stands, in this language or in all.
fn part<'p>(parts: &'p Parts, name: &str, tag: &str) -> Option<&'p Part> {
    let placed = parts.get(&format!("{name}@{tag}"));
    placed.or_else(|| parts.get(name))
}

fn code_of(kind: ViolationKind) -> &'static str {
    match kind {
        ViolationKind::Missing => codes::EMPTY_REPLY,
        ViolationKind::TooMuch => codes::TOO_MUCH,
        ViolationKind::Duplicate => codes::DUPLICATE_CHOICE,
        ViolationKind::Link => codes::LINK,
        ViolationKind::Misplaced => codes::MIXED_REPLY,
    }
}

/// Whether a violation does not depend on the values of variables.
fn is_sure(violation: &Violation, placed: Option<&Part>, parts: &Parts, tag: &str) -> bool {
    let fixed = |part: Option<&Part>| part.is_none_or(|part| part.fixed == Fixed::Yes);
    match violation.kind {
        ViolationKind::TooMuch => true,
        ViolationKind::Misplaced | ViolationKind::Missing | ViolationKind::Link => fixed(placed),
        // A sample may equal a text that the rendered value differs from.
        ViolationKind::Duplicate => parts
            .keys()
            .filter(|name| name.contains(".title"))
            .all(|name| fixed(part(parts, name, tag))),
    }
}

fn outbound(reply: &Outbound<Template>, tag: &str) -> Outbound {
    let shortest = |text: &Template| Ok::<_, Infallible>(shortest(text, tag));
    let Ok(message) = reply.try_map(shortest);
    message
}

/// Shortest result of a text: the text itself, or the text around its variables.
fn shortest(template: &Template, tag: &str) -> String {
    match template.literal(&[tag]) {
        Some(text) => text.to_owned(),
        None => around_variables(template.source(&[tag]), |_| 0),
    }
}

/// Puts letters in place of the variables, as many as `length` gives for each.
fn around_variables(source: &str, length: impl Fn(&str) -> usize) -> String {
    // Text between `{% if %}` and `{% endif %}` may be left out.
    let is_certain = !source.contains("{%");
    let mut rest = source;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("{{") {
        let (value, after) = after.split_once("}}").unwrap_or((after, ""));
        text.push_str(if is_certain { before } else { "" });
        text.push_str(&"x".repeat(length(value)));
        rest = after;
    }
    text + if is_certain { rest } else { "" }
}

#[cfg(test)]
mod tests {
    use super::{around_variables, longest};
    use crate::rules::compile::text::Symbols;

    #[test]
    fn only_what_is_always_sent_counts() {
        let none = |source| around_variables(source, |_| 0);
        assert_eq!(none("Hi {{ a }}, {{ b }}!"), "Hi , !");
        assert_eq!(none("{{ a }}"), "");
        assert_eq!(none("{% if a %}long{% endif %}"), "");
        assert_eq!(none("open {{ end"), "open ");
    }

    #[test]
    fn a_value_is_as_long_as_its_source_and_filters_let_it_be() {
        let roots = ["size".to_owned(), "wish".to_owned()];
        let known = Symbols {
            roots: &roots,
            short_roots: &roots[..1],
            ..Symbols::default()
        };
        for (value, length) in [
            (" bot.name ", 10),
            (" message.text ", 4096),
            ("- message.text | trim -", 4096),
            (" message.text | truncate(20) ", 20),
            (" contact.first_name | default('there') ", 25),
            (" contact.fields.wish ", 4096),
            (" match.number ", 4096),
            (" size ", 10),
            (" wish ", 4096),
            (" wish.price | money('EUR') ", 10),
        ] {
            assert_eq!(longest(value, known), length, "{value}");
        }
    }
}

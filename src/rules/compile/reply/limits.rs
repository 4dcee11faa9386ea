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

/// Reports every limit of WhatsApp that a reply is sure to break in some language. `whole` is the
/// place of the reply.
pub(crate) fn check(
    reader: &mut Reader<'_>,
    reply: &Outbound<Template>,
    parts: &Parts,
    languages: &BTreeSet<String>,
    whole: &Range<usize>,
) {
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
        for warning in near_limits(reply, parts, tag) {
            let known = reported.iter().any(|(other, _)| *other == warning.span);
            if !known {
                reported.push((warning.span.clone(), warning.message.clone()));
                reader.report(warning);
            }
        }
    }
}

/// Texts that become too long with ordinary values.
fn near_limits(reply: &Outbound<Template>, parts: &Parts, tag: &str) -> Vec<Diagnostic> {
    let usual = |text: &Template| {
        let usual = match text.literal(&[tag]) {
            Some(text) => text.to_owned(),
            None => around_variables(text.source(&[tag]), VALUE),
        };
        Ok::<_, Infallible>(usual)
    };
    let Ok(message) = reply.try_map(usual);
    let near = limits::violations(&message)
        .into_iter()
        .filter_map(|violation| {
            let part = part(parts, &violation.part, tag)?;
            if violation.kind != ViolationKind::TooMuch || part.fixed == Fixed::Yes {
                return None;
            }
            let message = format!("with ordinary values {}", violation.message);
            let help = "shorten it, or give the rule an `on_error`".to_owned();
            let span = part.span.clone();
            Some(Diagnostic::warning(codes::NEAR_LIMIT, span, message).help(help))
        });
    near.collect()
}

/// Sample value of a variable: a name of ten letters.
const VALUE: &str = "xxxxxxxxxx";

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
        None => around_variables(template.source(&[tag]), ""),
    }
}

fn around_variables(source: &str, value: &str) -> String {
    // Text between `{% if %}` and `{% endif %}` may be left out.
    if source.contains("{%") {
        return String::new();
    }
    let mut rest = source;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        text.push_str(value);
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::around_variables;

    #[test]
    fn only_what_is_always_sent_counts() {
        assert_eq!(around_variables("Hi {{ a }}, {{ b }}!", ""), "Hi , !");
        assert_eq!(around_variables("{{ a }}", ""), "");
        assert_eq!(around_variables("{% if a %}long{% endif %}", ""), "");
        assert_eq!(around_variables("open {{ end", ""), "open ");
    }
}

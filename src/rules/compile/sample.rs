//! Asks [`crate::message::limits`] about a reply before anybody has written to us.
//!
//! Texts with variables are taken at their shortest: what stands around the variables. So only what breaks a limit
//! in every case is reported here; the rest is checked again when a message goes out. Next: [`super::lint`].

use std::convert::Infallible;
use std::ops::Range;

use super::reply::{Fixed, Parts};
use crate::message::Outbound;
use crate::message::limits::{self, Breach, BreachKind};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::Reader;
use crate::rules::template::Template;

/// Reports every limit of WhatsApp that a reply is sure to break. `whole` is where the reply stands.
pub(super) fn check(
    reader: &mut Reader<'_>,
    reply: &Outbound<Template>,
    parts: &Parts,
    whole: &Range<usize>,
) {
    for breach in limits::breaches(&outbound(reply)) {
        if !is_sure(&breach, parts) {
            continue;
        }
        let code = match breach.kind {
            BreachKind::Missing => codes::EMPTY_REPLY,
            BreachKind::TooMuch => codes::TOO_MUCH,
            BreachKind::Duplicate => codes::DUPLICATE_CHOICE,
            BreachKind::Link => codes::LINK,
            BreachKind::Misplaced => codes::MIXED_REPLY,
        };
        let span = parts
            .get(&breach.part)
            .map_or_else(|| whole.clone(), |part| part.span.clone());
        reader.report(Diagnostic::error(code, span, breach.message).help(breach.help));
    }
}

/// Whether a breach does not depend on what the variables will be.
fn is_sure(breach: &Breach, parts: &Parts) -> bool {
    let fixed = |part: &str| parts.get(part).is_none_or(|part| part.fixed == Fixed::Yes);
    match breach.kind {
        BreachKind::TooMuch => true,
        BreachKind::Misplaced | BreachKind::Missing | BreachKind::Link => fixed(&breach.part),
        // A sample may be equal to a text that it will not be equal to.
        BreachKind::Duplicate => parts
            .keys()
            .all(|part| !part.contains(".title") || fixed(part)),
    }
}

fn outbound(reply: &Outbound<Template>) -> Outbound {
    let shortest = |text: &Template| Ok::<_, Infallible>(shortest(text));
    match reply.try_map(shortest) {
        Ok(message) => message,
    }
}

/// The least that can come of a text: the text itself, or what stands around its variables.
fn shortest(template: &Template) -> String {
    match template.literal() {
        Some(text) => text.to_owned(),
        None => around_variables(template.source()),
    }
}

fn around_variables(source: &str) -> String {
    // What stands between `{% if %}` and `{% endif %}` may be sent or not.
    if source.contains("{%") {
        return String::new();
    }
    let mut rest = source;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::around_variables;

    #[test]
    fn only_what_is_always_sent_counts() {
        assert_eq!(around_variables("Hi {{ a }}, {{ b }}!"), "Hi , !");
        assert_eq!(around_variables("{{ a }}"), "");
        assert_eq!(around_variables("{% if a %}long{% endif %}"), "");
        assert_eq!(around_variables("open {{ end"), "open ");
    }
}

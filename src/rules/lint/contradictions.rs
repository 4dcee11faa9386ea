//! Conditions that no message can meet, because two parts of them exclude each other.
//!
//! Finds only plain cases, and never doubts a condition on an expression.

use std::collections::HashSet;
use std::ops::Range;

use super::shadowing::takes;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Field, Reader};
use crate::message::Kind;
use crate::rules::Condition;
use crate::rules::compile::condition::{KEYS, TEXT_KEYS};
use crate::rules::compile::rule::Draft;
use crate::text::normalize::Phrase;

/// Kinds of messages that may have a text or a caption.
const WITH_TEXT: [Kind; 6] = [
    Kind::Text,
    Kind::Image,
    Kind::Video,
    Kind::Document,
    Kind::Order,
    Kind::Edit,
];

/// A condition on one property, with its place in the file.
pub(super) struct Part<'c, 'd> {
    pub(super) condition: &'c Condition,
    field: Field<'d>,
}

impl Part<'_, '_> {
    /// Where the value stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.field.span.clone()
    }

    /// The conditions in a list.
    pub(super) fn elements(&self) -> Option<Vec<Field<'_>>> {
        self.field.elements()
    }
}

/// Reports conditions of which two parts exclude each other; gives the places of their rules.
pub(crate) fn all(reader: &mut Reader<'_>, rules: &[Draft<'_>]) -> HashSet<usize> {
    let mut impossible = HashSet::new();
    for rule in rules {
        if let (Some(field), Some(condition)) = (&rule.condition, &rule.when)
            && let Branch::Impossible = branch(reader, &[], &table(field, &KEYS, condition))
        {
            impossible.insert(rule.header.start);
        }
    }
    impossible
}

/// Whether a message may meet the parts of a branch.
enum Branch {
    Possible,
    Impossible,
}

/// Reports the first two parts of a branch that exclude each other, `outer` being what holds around
/// it, and looks at the branches inside.
fn branch<'p>(
    reader: &mut Reader<'_>,
    outer: &[&'p Part<'_, '_>],
    parts: &'p [Part<'_, '_>],
) -> Branch {
    let mut whole: Vec<&Part<'_, '_>> = outer.to_vec();
    for part in parts {
        let mut others = whole.iter();
        if let Some(other) = others.find(|other| exclude(other.condition, part.condition)) {
            report(reader, other, part);
            return Branch::Impossible;
        }
        whole.push(part);
    }
    for part in parts {
        let (Condition::Any(inner), Some(elements)) = (part.condition, part.field.elements())
        else {
            continue;
        };
        for (element, condition) in elements.iter().zip(inner) {
            branch(reader, &whole, &table(element, &KEYS, condition));
        }
    }
    Branch::Possible
}

fn report(reader: &mut Reader<'_>, first: &Part<'_, '_>, second: &Part<'_, '_>) {
    let message = "no message meets this condition: two parts of it exclude each other";
    let warning = Diagnostic::warning(codes::CONTRADICTION, second.span(), message);
    let help = "`any` needs one of several conditions; keys beside each other must all hold";
    reader.report(
        warning
            .label("never together with the other one")
            .related(first.span(), "the other one")
            .help(help.to_owned()),
    );
}

/// Takes a table of conditions apart, as the compiler put them together.
pub(super) fn table<'c, 'd>(
    field: &Field<'d>,
    keys: &[&str],
    condition: &'c Condition,
) -> Vec<Part<'c, 'd>> {
    let entries = field.entries();
    let fields = keys
        .iter()
        .filter_map(|key| entries.iter().find(|entry| entry.name == *key));
    let fields: Vec<&Field<'d>> = fields.collect();
    match (fields.as_slice(), condition) {
        ([field], condition) => parts(field, condition),
        (fields, Condition::All(conditions)) if fields.len() == conditions.len() => {
            let pairs = fields.iter().zip(conditions);
            pairs
                .flat_map(|(field, condition)| parts(field, condition))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn parts<'c, 'd>(field: &Field<'d>, condition: &'c Condition) -> Vec<Part<'c, 'd>> {
    match (field.name, condition) {
        ("text", _) => table(field, &TEXT_KEYS, condition),
        ("all", Condition::All(conditions)) => {
            let elements = field.elements().unwrap_or_default();
            let pairs = elements.iter().zip(conditions);
            pairs
                .flat_map(|(element, condition)| table(element, &KEYS, condition))
                .collect()
        }
        _ => vec![Part {
            condition,
            field: field.clone(),
        }],
    }
}

/// Whether no message meets both conditions.
fn exclude(first: &Condition, second: &Condition) -> bool {
    excludes(first, second) || excludes(second, first)
}

fn excludes(first: &Condition, second: &Condition) -> bool {
    use Condition as C;
    match (first, second) {
        (C::FirstContact(a), C::FirstContact(b))
        | (C::ReplyTo(a), C::ReplyTo(b))
        | (C::Forwarded(a), C::Forwarded(b))
        | (C::FromAd(a), C::FromAd(b))
        | (C::Open(a), C::Open(b)) => a != b,
        (C::FirstContact(true), C::ReturningAfter(_))
        | (C::FromAd(false), C::Ad(_))
        | (C::Button(_), C::Form(_)) => true,
        (C::Type(a), C::Type(b)) => a.iter().all(|kind| !b.contains(kind)),
        (C::Type(kinds), C::Button(_)) => !kinds.contains(&Kind::Button),
        (C::Type(kinds), C::Form(_)) => !kinds.contains(&Kind::Form),
        (C::Type(kinds), second) if is_text(second) => {
            kinds.iter().all(|kind| !WITH_TEXT.contains(kind))
        }
        (C::Button(_) | C::Form(_), second) if is_text(second) => true,
        (C::Button(a), C::Button(b)) => {
            let plain = |pattern: &crate::rules::ButtonPattern| !pattern.has_stars();
            a.iter().chain(b).all(plain) && a.iter().all(|id| !b.contains(id))
        }
        (C::Country(a), C::Country(b)) => {
            let mut countries = a.iter();
            countries.all(|country| !b.iter().any(|other| other.eq_ignore_ascii_case(country)))
        }
        (C::Language(a), C::Language(b)) => {
            let main = |tag: &str| tag.split('-').next().unwrap_or(tag).to_lowercase();
            let mut languages = a.iter();
            languages.all(|tag| !b.iter().any(|other| main(other) == main(tag)))
        }
        (C::Field(a, first), C::Field(b, second)) => {
            let words = |phrases: &[Phrase], phrase: &Phrase| {
                phrases.iter().any(|other| other.words == phrase.words)
            };
            let either_is_any = first.is_empty() || second.is_empty();
            a == b && !either_is_any && !first.iter().any(|phrase| words(second, phrase))
        }
        (C::TextIs(whole), second) => {
            let meets = |text: &Phrase| may_meet(text, second);
            !whole.iter().any(meets)
        }
        (C::TextStarts(a), C::TextStarts(b)) => {
            let both = |a: &Phrase, b: &Phrase| {
                a.words.starts_with(&b.words) || b.words.starts_with(&a.words)
            };
            !a.iter().any(|a| b.iter().any(|b| both(a, b)))
        }
        (C::Not(inner), second) => takes(inner, second),
        _ => false,
    }
}

/// Whether a text that consists of this phrase may meet a condition on the text.
fn may_meet(text: &Phrase, condition: &Condition) -> bool {
    let words = &text.words;
    match condition {
        Condition::TextIs(phrases) => phrases.iter().any(|phrase| phrase.words == *words),
        Condition::TextStarts(phrases) => phrases
            .iter()
            .any(|phrase| words.starts_with(&phrase.words)),
        Condition::TextHas(phrases) => phrases.iter().any(|phrase| {
            let mut windows = words.windows(phrase.words.len());
            windows.any(|window| window == phrase.words)
        }),
        _ => true,
    }
}

fn is_text(condition: &Condition) -> bool {
    matches!(
        condition,
        Condition::TextIs(_)
            | Condition::TextHas(_)
            | Condition::TextStarts(_)
            | Condition::TextLike(_)
            | Condition::TextMatches(_)
    )
}

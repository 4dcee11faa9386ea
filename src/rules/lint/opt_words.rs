//! Words that `[opt_out]` takes before anything else sees them.

use super::contradictions::table;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Field, Reader};
use crate::rules::compile::condition::KEYS;
use crate::rules::compile::flow::Draft as FlowDraft;
use crate::rules::compile::rule::Draft;
use crate::rules::{Condition, Words};
use crate::text::normalize::Phrase;

/// The words of `[opt_out]` and `[opt_in]`, with their places.
pub(crate) struct OptWords<'r, 'd> {
    /// `None` when there are none, or when they are wrong.
    pub(crate) opt_out: Option<&'r Words>,
    /// The table `[opt_in]`.
    pub(crate) opt_in: Option<Field<'d>>,
}

/// Reports words of `[opt_in]`, rules and flows that `[opt_out]` takes.
pub(crate) fn taken(
    reader: &mut Reader<'_>,
    words: &OptWords<'_, '_>,
    rules: &[Draft<'_>],
    flows: &[FlowDraft<'_>],
) {
    let Some(opt_out) = words.opt_out else {
        return;
    };
    let is_taken = |phrase: &Phrase| {
        let mut words = opt_out.words.iter();
        words.any(|word| word.words == phrase.words)
    };
    let opt_in = words
        .opt_in
        .iter()
        .flat_map(|field| named(field, &["words"]));
    let of_flows = flows
        .iter()
        .flat_map(|flow| named(&flow.field, &["back", "cancel"]));
    for (place, text) in opt_in.chain(of_flows).flat_map(|field| texts(&field)) {
        if Phrase::parse(&text).is_some_and(|phrase| is_taken(&phrase)) {
            let warning = warning(place, &text);
            reader.report(warning.help(format!("take `{text}` out of one of the two lists")));
        }
    }
    for rule in rules {
        let (Some(field), Some(condition)) = (&rule.condition, &rule.when) else {
            continue;
        };
        for part in branches(field, condition) {
            let (Condition::TextIs(phrases)
            | Condition::TextHas(phrases)
            | Condition::TextStarts(phrases)
            | Condition::TextLike(phrases)) = part.0
            else {
                continue;
            };
            if let Some(phrase) = phrases.iter().find(|phrase| is_taken(phrase)) {
                let help = format!(
                    "put the reply to `{}` into `[opt_out]`, or give the rule other words",
                    phrase.written
                );
                reader.report(warning(part.1, &phrase.written).help(help));
            }
        }
    }
}

fn warning(span: std::ops::Range<usize>, word: &str) -> Diagnostic {
    let message = format!("`[opt_out]` takes `{word}` before this is looked at");
    Diagnostic::warning(codes::TAKEN_BY_OPT_OUT, span, message)
        .label("a message that says only this is an opt-out")
}

/// Fields of these names in a table.
fn named<'d>(table: &Field<'d>, names: &[&str]) -> Vec<Field<'d>> {
    let entries = table.entries().into_iter();
    entries
        .filter(|entry| names.contains(&entry.name))
        .collect()
}

/// A text, or each of a list, with its place.
fn texts(field: &Field<'_>) -> Vec<(std::ops::Range<usize>, String)> {
    let fields = field.elements().unwrap_or_else(|| vec![field.clone()]);
    let texts = fields
        .iter()
        .filter_map(|field| Some((field.span.clone(), field.text()?.to_owned())));
    texts.collect()
}

/// Conditions on one property, also those under `any`, with their places.
fn branches<'c>(
    field: &Field<'_>,
    condition: &'c Condition,
) -> Vec<(&'c Condition, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    for part in table(field, &KEYS, condition) {
        match (part.condition, part.elements()) {
            (Condition::Any(inner), Some(elements)) => {
                let pairs = elements.iter().zip(inner);
                found.extend(pairs.flat_map(|(element, condition)| branches(element, condition)));
            }
            (condition, _) => found.push((condition, part.span())),
        }
    }
    found
}

//! Rules that can never answer, because an earlier rule matches every message that they match.
//!
//! Finds only plain cases: the same words or more of them, the same kinds, tags and so on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::discriminant;

use super::flows::answers;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Reader, Text};
use crate::message::Kind;
use crate::rules::compile::flow::Draft as FlowDraft;
use crate::rules::compile::rule::Draft;
use crate::rules::{ButtonPattern, Condition};
use crate::text::normalize::Phrase;

/// Phrases of more words are compared only as a whole: a text of a thousand words has half a
/// million runs of neighbouring words.
const RUN_WORDS_MAX: usize = 12;

/// Rules that may answer although an earlier rule matches every message that they match.
pub(crate) struct Passing<'r> {
    /// Ids of the rules that a model chooses from.
    chosen: HashSet<&'r str>,
}

impl<'r> Passing<'r> {
    pub(crate) fn new(rules: &'r [Draft<'_>], flows: &'r [FlowDraft<'_>]) -> Self {
        let chosen = answers(rules, flows).flat_map(|answer| &answer.chooses);
        Self {
            chosen: chosen.map(|id| id.value).collect(),
        }
    }

    /// Whether `later` is evaluated where `earlier` is not.
    pub(crate) fn may_pass(&self, later: &Draft<'_>, earlier: &Draft<'_>) -> bool {
        let names_quiet = |rule: &Draft<'_>| {
            let mut quiet = Kind::ALL.iter().filter(|(_, kind)| kind.is_quiet());
            quiet.any(|(_, kind)| rule.when.as_ref().is_some_and(|when| when.names(*kind)))
        };
        let in_flows = later.anywhere && !earlier.anywhere;
        let is_chosen = |id: &Text<'_>| self.chosen.contains(id.value);
        in_flows || names_quiet(later) || later.id.as_ref().is_some_and(is_chosen)
    }
}

/// Lookup key of a condition: a rule can only be shadowed by an earlier rule that shares at least
/// one of its keys.
#[derive(PartialEq, Eq, Hash)]
enum Key<'c> {
    Words(&'c [String]),
    Fact(&'static str, &'c str),
}

/// Reports rules whose messages are all matched by an earlier rule, but for `impossible` ones, by the
/// places of their headers: they have been reported.
pub(crate) fn shadowed(
    reader: &mut Reader<'_>,
    rules: &[Draft<'_>],
    passing: &Passing<'_>,
    impossible: &HashSet<usize>,
) {
    let mut index: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    for (place, rule) in rules.iter().enumerate() {
        let Some(condition) = &rule.when else {
            continue;
        };
        let wanted = keys(condition, Phrases::Runs);
        let earlier = wanted.iter().filter_map(|key| index.get(key)).flatten();
        let earlier: BTreeSet<usize> = earlier.copied().collect();
        let takes_all = |other: &&Draft<'_>| {
            let when = other.when.as_ref();
            when.is_some_and(|when| takes(when, condition)) && !passing.may_pass(rule, other)
        };
        let mut earlier = earlier.into_iter().map(|place| &rules[place]);
        let is_reported = impossible.contains(&rule.header.start);
        if let Some(other) = earlier.find(takes_all).filter(|_| !is_reported) {
            report(reader, rule, other);
        }
        if always_ends(rule) {
            for key in keys(condition, Phrases::Whole) {
                index.entry(key).or_default().push(place);
            }
        }
    }
}

fn report(reader: &mut Reader<'_>, rule: &Draft<'_>, other: &Draft<'_>) {
    if let (Some(Condition::Button(_)), Some(Condition::Button(_))) = (&rule.when, &other.when) {
        // `buttons` reports each id.
        return;
    }
    let message = "this rule can never answer: an earlier one takes every message that fits it";
    reader.report(
        Diagnostic::warning(codes::SHADOWED, rule.place().clone(), message)
            .related(other.place().clone(), "this one answers first")
            .help("move it above the other one".to_owned()),
    );
}

/// How the phrases of a condition become keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phrases {
    Whole,
    /// Every run of neighbouring words: an earlier rule may have any of them.
    Runs,
}

fn keys<'c>(condition: &'c Condition, mode: Phrases) -> Vec<Key<'c>> {
    let truth = |value: bool| if value { "true" } else { "false" };
    let facts = |name: &'static str, values: &'c [String]| {
        let values = values.iter();
        values.map(|value| Key::Fact(name, value)).collect()
    };
    match condition {
        Condition::TextIs(phrases)
        | Condition::TextHas(phrases)
        | Condition::TextStarts(phrases)
        | Condition::TextLike(phrases) => {
            let longest = if mode == Phrases::Runs {
                RUN_WORDS_MAX
            } else {
                0
            };
            let keys = phrases.iter().flat_map(|phrase| {
                let words = &phrase.words;
                let runs = (1..=words.len().min(longest)).flat_map(|length| words.windows(length));
                runs.chain([&words[..]]).map(Key::Words)
            });
            keys.collect()
        }
        Condition::Any(parts) | Condition::All(parts) => {
            parts.iter().flat_map(|part| keys(part, mode)).collect()
        }
        Condition::TextMatches(patterns) => {
            let patterns = patterns.iter();
            let keys = patterns.map(|pattern| Key::Fact("matches", pattern.as_str()));
            keys.collect()
        }
        Condition::Type(kinds) => {
            let kinds = kinds.iter();
            kinds.map(|kind| Key::Fact("type", kind.name())).collect()
        }
        Condition::Tag(tags) => facts("tag", tags),
        Condition::Language(tags) => facts("language", tags),
        Condition::Country(codes) => facts("country", codes),
        Condition::Ad(ids) => facts("ad", ids),
        Condition::Form(tokens) => facts("form", tokens),
        Condition::Button(_) => vec![Key::Fact("button", "")],
        Condition::Field(name, _) => vec![Key::Fact("field", name)],
        Condition::If(expression) => vec![Key::Fact("if", expression.written())],
        Condition::ReturningAfter(_) => vec![Key::Fact("returning_after", "")],
        Condition::FirstContact(is) => vec![Key::Fact("first_contact", truth(*is))],
        Condition::ReplyTo(is) => vec![Key::Fact("reply_to", truth(*is))],
        Condition::Forwarded(is) => vec![Key::Fact("forwarded", truth(*is))],
        Condition::FromAd(is) => vec![Key::Fact("from_ad", truth(*is))],
        Condition::Open(is) => vec![Key::Fact("hours", truth(*is))],
        Condition::Always | Condition::Not(_) => Vec::new(),
    }
}

/// Whether every message that meets `later` is sure to meet `earlier`.
pub(super) fn takes(earlier: &Condition, later: &Condition) -> bool {
    match (earlier, later) {
        (_, Condition::Any(parts)) => parts.iter().all(|part| takes(earlier, part)),
        (Condition::All(parts), _) => parts.iter().all(|part| takes(part, later)),
        (Condition::Any(parts), _) => parts.iter().any(|part| takes(part, later)),
        (_, Condition::All(parts)) => parts.iter().any(|part| takes(earlier, part)),
        _ => takes_words(earlier, later) || takes_facts(earlier, later),
    }
}

fn takes_words(earlier: &Condition, later: &Condition) -> bool {
    let each = |phrases: &[Phrase], holds: &dyn Fn(&[String]) -> bool| {
        phrases.iter().all(|phrase| holds(&phrase.words))
    };
    let within = |phrases: &[Phrase], words: &[String]| {
        let holds = |phrase: &Phrase| {
            let mut windows = words.windows(phrase.words.len());
            windows.any(|window| window == phrase.words)
        };
        phrases.iter().any(holds)
    };
    match (earlier, later) {
        (
            Condition::TextHas(has) | Condition::TextLike(has),
            Condition::TextHas(phrases)
            | Condition::TextStarts(phrases)
            | Condition::TextIs(phrases),
        )
        | (Condition::TextLike(has), Condition::TextLike(phrases)) => {
            each(phrases, &|words| within(has, words))
        }
        (
            Condition::TextStarts(first),
            Condition::TextStarts(phrases) | Condition::TextIs(phrases),
        ) => each(phrases, &|words| {
            let mut first = first.iter();
            first.any(|phrase| words.starts_with(&phrase.words))
        }),
        _ => false,
    }
}

/// Whether both conditions are of one kind and `earlier` allows every value of `later`.
fn takes_facts(earlier: &Condition, later: &Condition) -> bool {
    match (earlier, later) {
        (Condition::Button(patterns), Condition::Button(ids)) => ids.iter().all(|id| {
            let takes = |pattern: &ButtonPattern| pattern.capture(&id.written).is_some();
            patterns.iter().any(takes)
        }),
        (Condition::Field(name, allowed), Condition::Field(other, values)) => {
            let allows = |value| allowed.contains(value);
            name == other && (allowed.is_empty() || !values.is_empty() && values.iter().all(allows))
        }
        (Condition::ReturningAfter(least), Condition::ReturningAfter(other)) => least <= other,
        _ if discriminant(earlier) == discriminant(later) => {
            let (allowed, wanted) = (keys(earlier, Phrases::Whole), keys(later, Phrases::Whole));
            !wanted.is_empty() && wanted.iter().all(|key| allowed.contains(key))
        }
        _ => false,
    }
}

/// Whether a rule that matches ends the search each time.
pub(crate) fn always_ends(rule: &Draft<'_>) -> bool {
    !rule.continues && rule.once.is_none() && rule.chance.is_none()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::takes;
    use crate::diagnostics::codes;
    use crate::diagnostics::sources::SourceMap;
    use crate::rules::{CompileInput, compile};

    proptest! {
        /// Phrases of one to three words out of four, so that many contain each other.
        #[test]
        fn the_index_finds_every_shadowed_rule(
            rules in prop::collection::vec(
                (0..3_usize, prop::collection::vec("[abcd]{1}( [abcd]){0,2}", 1..3), any::<bool>()), 1..9,
            ),
        ) {
            let mut text = "version = 1\n".to_owned();
            for (index, (kind, phrases, continues)) in rules.iter().enumerate() {
                let key = ["has", "starts", "is"][*kind];
                writeln!(text, "[[rule]]\nid = \"r{index}\"\nwhen.text.{key} = {phrases:?}\ncontinue = {continues}\nreply = \"x\"")
                    .expect("a text takes everything");
            }

            let compiled = compile(&SourceMap::new("rules.toml", &text), CompileInput::default()).expect("good rules");

            let reported = compiled.warnings.iter().filter(|warning| warning.code == codes::SHADOWED);
            let rules = &compiled.rules.rules;
            let shadowed = (0..rules.len()).filter(|later| {
                let mut earlier = rules[..*later].iter().filter(|rule| !rule.continues);
                earlier.any(|earlier| takes(&earlier.when, &rules[*later].when))
            });
            prop_assert_eq!(reported.count(), shadowed.count(), "{}", text);
        }
    }
}

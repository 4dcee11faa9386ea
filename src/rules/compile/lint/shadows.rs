//! Rules that can never answer, because an earlier one takes all their words.

use std::collections::{BTreeSet, HashMap};

use super::super::rule::Draft;
use super::always_ends;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::Reader;
use crate::rules::normalise::Phrase;
use crate::rules::{Condition, codes};

/// A phrase of more words than this is only found where it is the whole of another: a text of a thousand words has half
/// a million stretches.
const STRETCH_MAX: usize = 12;

/// Reports rules all of whose words an earlier rule takes.
pub(super) fn shadowed(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
    // Whoever takes a phrase has a phrase that stands in it, so only those that have one are looked at.
    let mut by_phrase: HashMap<&[String], Vec<usize>> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let Some(condition) = &rule.when else {
            continue;
        };
        let mut own = Vec::new();
        phrases(condition, &mut own);
        let stretches = own.iter().flat_map(|phrase| stretches(&phrase.words));
        let earlier: BTreeSet<usize> = stretches
            .filter_map(|stretch| by_phrase.get(stretch))
            .flatten()
            .copied()
            .collect();
        let taker = earlier
            .into_iter()
            .map(|earlier| &rules[earlier])
            .find(|other| {
                let takes = other.when.as_ref().map(|other| takes(other, condition));
                takes == Some(true)
            });
        if let Some(other) = taker {
            report(reader, rule, other);
        }
        if always_ends(rule) {
            for phrase in own {
                by_phrase.entry(&phrase.words).or_default().push(index);
            }
        }
    }
}

fn report(reader: &mut Reader<'_>, rule: &Draft<'_>, other: &Draft<'_>) {
    let span = rule.id.as_ref().map_or(&rule.header, |id| &id.span);
    let other_span = other.id.as_ref().map_or(&other.header, |id| &id.span);
    let message = "this rule can never answer: an earlier one takes all its words";
    reader.report(
        Diagnostic::warning(codes::SHADOWED, span.clone(), message)
            .related(other_span.clone(), "this one answers first")
            .help("move the rule with the longer words up".to_owned()),
    );
}

/// Every phrase that is compared word by word, wherever in the condition.
fn phrases<'c>(condition: &'c Condition, all: &mut Vec<&'c Phrase>) {
    match condition {
        Condition::TextIs(phrases)
        | Condition::TextHas(phrases)
        | Condition::TextStarts(phrases) => all.extend(phrases),
        Condition::Any(parts) | Condition::All(parts) => {
            for part in parts {
                phrases(part, all);
            }
        }
        _ => {}
    }
}

/// Every run of neighbouring words, and the whole.
fn stretches(words: &[String]) -> impl Iterator<Item = &[String]> {
    let short = (1..=words.len().min(STRETCH_MAX)).flat_map(|length| words.windows(length));
    short.chain([words])
}

/// Whether a message that meets `later` is sure to meet `earlier`; only what is plain to see.
fn takes(earlier: &Condition, later: &Condition) -> bool {
    if let Condition::All(parts) = later {
        return parts.iter().any(|part| takes(earlier, part));
    }
    if let Condition::Any(parts) = earlier {
        return parts.iter().any(|part| takes(part, later));
    }
    if let Condition::Any(parts) = later {
        return parts.iter().all(|part| takes(earlier, part));
    }
    let every = |phrases: &[Phrase], meets: &dyn Fn(&Phrase) -> bool| phrases.iter().all(meets);
    let within = |all: &[Phrase], words: &[String]| {
        let holds = |phrase: &Phrase| {
            let mut windows = words.windows(phrase.words.len());
            windows.any(|window| window == phrase.words)
        };
        all.iter().any(holds)
    };
    let starts = |all: &[Phrase], words: &[String]| {
        let mut all = all.iter();
        all.any(|phrase| words.starts_with(&phrase.words))
    };
    match (earlier, later) {
        (
            Condition::TextHas(has),
            Condition::TextHas(phrases)
            | Condition::TextStarts(phrases)
            | Condition::TextIs(phrases),
        ) => every(phrases, &|phrase| within(has, &phrase.words)),
        (
            Condition::TextStarts(first),
            Condition::TextStarts(phrases) | Condition::TextIs(phrases),
        ) => every(phrases, &|phrase| starts(first, &phrase.words)),
        (Condition::TextIs(all), Condition::TextIs(phrases)) => every(phrases, &|phrase| {
            all.iter().any(|one| one.words == phrase.words)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::takes;
    use crate::rules::{Beside, Sources, codes, compile};

    proptest! {
        /// Phrases of one to three words out of four, so that many stand in each other.
        #[test]
        fn who_is_reported_is_who_each_earlier_rule_is_held_against(
            rules in prop::collection::vec(
                (0..3_usize, prop::collection::vec("[abcd]{1}( [abcd]){0,2}", 1..3), any::<bool>()), 1..9,
            ),
        ) {
            let mut text = "version = 1\n".to_owned();
            for (index, (kind, phrases, goes_on)) in rules.iter().enumerate() {
                let key = ["has", "starts", "is"][*kind];
                writeln!(text, "[[rule]]\nid = \"r{index}\"\nwhen.text.{key} = {phrases:?}\ncontinue = {goes_on}\nreply = \"x\"")
                    .expect("a text takes everything");
            }

            let compiled = compile(&Sources::one("rules.toml", &text), Beside::default()).expect("good rules");

            let told = compiled.warnings.iter().filter(|one| one.code == codes::SHADOWED).count();
            let rules = &compiled.rules.rules;
            let shadowed = (0..rules.len()).filter(|later| {
                let mut earlier = rules[..*later].iter().filter(|rule| !rule.goes_on);
                earlier.any(|earlier| takes(&earlier.when, &rules[*later].when))
            });
            prop_assert_eq!(told, shadowed.count(), "{}", text);
        }
    }
}

//! Rules that can never answer, because an earlier one takes every message that fits them.
//!
//! Only what is plain to see: the same words or more of them, the same kinds, tags and so on.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::Reader;
use crate::message::Kind;
use crate::rules::compile::flow::Draft as FlowDraft;
use crate::rules::compile::rule::Draft;
use crate::rules::{ButtonPattern, Condition};
use crate::text::normalize::Phrase;

/// A phrase of more words than this is only found where it is the whole of another: a text of a
/// thousand words has half a million stretches.
const STRETCH_MAX: usize = 12;

/// The rules that answer although an earlier one takes everything that fits them.
pub(crate) struct Passing<'r> {
    /// Those that a model chooses from.
    chosen: HashSet<&'r str>,
}

impl<'r> Passing<'r> {
    pub(crate) fn new(rules: &'r [Draft<'_>], flows: &'r [FlowDraft<'_>]) -> Self {
        let answers = rules.iter().map(|rule| &rule.answer);
        let answers = answers.chain(flows.iter().flat_map(|flow| &flow.answers));
        let chosen = answers.flat_map(|answer| &answer.chooses);
        Self {
            chosen: chosen.map(|id| id.value).collect(),
        }
    }

    /// Whether `later` is asked where `earlier` is not.
    pub(crate) fn may_pass(&self, later: &Draft<'_>, earlier: &Draft<'_>) -> bool {
        let id = later.id.as_ref().map(|id| id.value);
        let names_quiet = |rule: &Draft<'_>| {
            let mut quiet = Kind::ALL.iter().filter(|(_, kind)| kind.is_quiet());
            quiet.any(|(_, kind)| rule.when.as_ref().is_some_and(|when| when.names(*kind)))
        };
        let in_flows = later.anywhere && !earlier.anywhere;
        in_flows || names_quiet(later) || id.is_some_and(|id| self.chosen.contains(id))
    }
}

/// What one part of a condition asks for. Whoever takes a rule asks for something that the rule
/// asks for too.
#[derive(PartialEq, Eq, Hash)]
enum Key<'c> {
    Words(&'c [String]),
    Fact(&'static str, &'c str),
}

/// Reports rules all of whose messages an earlier rule takes.
pub(crate) fn shadowed(reader: &mut Reader<'_>, rules: &[Draft<'_>], passing: &Passing<'_>) {
    let mut filed: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let Some(condition) = &rule.when else {
            continue;
        };
        let (mut own, mut asked) = (Vec::new(), Vec::new());
        keys(condition, &mut own, Phrases::Whole);
        keys(condition, &mut asked, Phrases::Stretches);
        let earlier = asked.iter().filter_map(|key| filed.get(key)).flatten();
        let earlier: BTreeSet<usize> = earlier.copied().collect();
        let takes_it = |other: &&Draft<'_>| {
            let takes = other
                .when
                .as_ref()
                .is_some_and(|when| takes(when, condition));
            takes && !passing.may_pass(rule, other)
        };
        let earlier = earlier.into_iter().map(|earlier| &rules[earlier]);
        if let Some(other) = earlier.into_iter().find(takes_it) {
            report(reader, rule, other);
        }
        if always_ends(rule) {
            for key in own {
                filed.entry(key).or_default().push(index);
            }
        }
    }
}

fn report(reader: &mut Reader<'_>, rule: &Draft<'_>, other: &Draft<'_>) {
    if let (Some(Condition::Button(_)), Some(Condition::Button(_))) = (&rule.when, &other.when) {
        // Told id by id.
        return;
    }
    let span = rule.id.as_ref().map_or(&rule.header, |id| &id.span);
    let other_span = other.id.as_ref().map_or(&other.header, |id| &id.span);
    let message = "this rule can never answer: an earlier one takes every message that fits it";
    reader.report(
        Diagnostic::warning(codes::SHADOWED, span.clone(), message)
            .related(other_span.clone(), "this one answers first")
            .help("move it above the other one".to_owned()),
    );
}

/// How the phrases of a condition become keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phrases {
    Whole,
    /// Every run of neighbouring words: what an earlier rule may ask for.
    Stretches,
}

fn keys<'c>(condition: &'c Condition, all: &mut Vec<Key<'c>>, mode: Phrases) {
    let truth = |value: bool| if value { "true" } else { "false" };
    let mut facts = |name: &'static str, values: &'c [String]| {
        all.extend(values.iter().map(|value| Key::Fact(name, value)));
    };
    match condition {
        Condition::TextIs(phrases)
        | Condition::TextHas(phrases)
        | Condition::TextStarts(phrases)
        | Condition::TextLike(phrases) => {
            for phrase in phrases {
                if mode == Phrases::Stretches {
                    all.extend(stretches(&phrase.words).map(Key::Words));
                }
                all.push(Key::Words(&phrase.words));
            }
        }
        Condition::Any(parts) | Condition::All(parts) => {
            for part in parts {
                keys(part, all, mode);
            }
        }
        Condition::TextMatches(patterns) => {
            let patterns = patterns.iter();
            all.extend(patterns.map(|pattern| Key::Fact("matches", pattern.as_str())));
        }
        Condition::Type(kinds) => {
            all.extend(kinds.iter().map(|kind| Key::Fact("type", kind.name())));
        }
        Condition::Tag(tags) => facts("tag", tags),
        Condition::Language(tags) => facts("language", tags),
        Condition::Country(codes) => facts("country", codes),
        Condition::Ad(ids) => facts("ad", ids),
        Condition::Button(_) => all.push(Key::Fact("button", "")),
        Condition::Field(name, _) => all.push(Key::Fact("field", name)),
        Condition::If(expression) => all.push(Key::Fact("if", expression.written())),
        Condition::ReturningAfter(_) => all.push(Key::Fact("returning_after", "")),
        Condition::FirstContact(is) => all.push(Key::Fact("first_contact", truth(*is))),
        Condition::ReplyTo(is) => all.push(Key::Fact("reply_to", truth(*is))),
        Condition::Forwarded(is) => all.push(Key::Fact("forwarded", truth(*is))),
        Condition::FromAd(is) => all.push(Key::Fact("from_ad", truth(*is))),
        Condition::Open(is) => all.push(Key::Fact("hours", truth(*is))),
        Condition::Always | Condition::Not(_) => {}
    }
}

fn stretches(words: &[String]) -> impl Iterator<Item = &[String]> {
    (1..=words.len().min(STRETCH_MAX)).flat_map(|length| words.windows(length))
}

/// Whether a message that meets `later` is sure to meet `earlier`; only what is plain to see.
fn takes(earlier: &Condition, later: &Condition) -> bool {
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
    let within = |all: &[Phrase], words: &[String]| {
        let holds = |phrase: &Phrase| {
            let mut windows = words.windows(phrase.words.len());
            windows.any(|window| window == phrase.words)
        };
        all.iter().any(holds)
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
        (Condition::TextIs(all), Condition::TextIs(phrases)) => {
            each(phrases, &|words| all.iter().any(|one| one.words == words))
        }
        (Condition::TextMatches(all), Condition::TextMatches(patterns)) => {
            let mut patterns = patterns.iter();
            patterns.all(|pattern| all.iter().any(|one| one.as_str() == pattern.as_str()))
        }
        _ => false,
    }
}

fn takes_facts(earlier: &Condition, later: &Condition) -> bool {
    fn among<T: PartialEq>(all: &[T], some: &[T]) -> bool {
        some.iter().all(|one| all.contains(one))
    }
    match (earlier, later) {
        (Condition::Type(all), Condition::Type(kinds)) => among(all, kinds),
        (Condition::Tag(all), Condition::Tag(some))
        | (Condition::Language(all), Condition::Language(some))
        | (Condition::Country(all), Condition::Country(some))
        | (Condition::Ad(all), Condition::Ad(some)) => among(all, some),
        (Condition::Button(all), Condition::Button(ids)) => ids.iter().all(|id| {
            let takes = |one: &ButtonPattern| one.capture(&id.written).is_some();
            all.iter().any(takes)
        }),
        (Condition::Field(name, all), Condition::Field(other, values)) => {
            name == other && (all.is_empty() || !values.is_empty() && among(all, values))
        }
        (Condition::If(one), Condition::If(other)) => one.written() == other.written(),
        (Condition::ReturningAfter(one), Condition::ReturningAfter(other)) => one <= other,
        (Condition::FirstContact(one), Condition::FirstContact(other))
        | (Condition::ReplyTo(one), Condition::ReplyTo(other))
        | (Condition::Forwarded(one), Condition::Forwarded(other))
        | (Condition::FromAd(one), Condition::FromAd(other))
        | (Condition::Open(one), Condition::Open(other)) => one == other,
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
        /// Phrases of one to three words out of four, so that many stand in each other.
        #[test]
        fn who_is_reported_is_who_each_earlier_rule_is_held_against(
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

            let told = compiled.warnings.iter().filter(|one| one.code == codes::SHADOWED).count();
            let rules = &compiled.rules.rules;
            let shadowed = (0..rules.len()).filter(|later| {
                let mut earlier = rules[..*later].iter().filter(|rule| !rule.continues);
                earlier.any(|earlier| takes(&earlier.when, &rules[*later].when))
            });
            prop_assert_eq!(told, shadowed.count(), "{}", text);
        }
    }
}

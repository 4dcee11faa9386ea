//! What can only be seen when all rules are looked at together.
//!
//! Parts that could not be read are given the benefit of the doubt: an error in one rule makes no warnings about
//! another. Next: [`crate::turn`], which runs what passed.

use std::collections::{HashMap, HashSet};

use super::rule::Draft;
use crate::message::Kind;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::Reader;
use crate::rules::normalise::Phrase;
use crate::rules::{Condition, codes, suggest};

/// Reports rules that have the id of another.
pub(super) fn duplicate_ids(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
    let mut first = HashMap::new();
    for id in rules.iter().filter_map(|rule| rule.id.as_ref()) {
        if let Some(other) = first.insert(id.value, id.span.clone()) {
            let message = format!("there is already a rule `{}`", id.value);
            reader.report(
                Diagnostic::error(codes::DUPLICATE_ID, id.span.clone(), message)
                    .label("the same id again")
                    .related(other.clone(), "first used here"),
            );
            first.insert(id.value, other);
        }
    }
}

/// Reports rules below one that always answers.
pub(super) fn unreachable(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
    let always = |rule: &Draft<'_>| {
        matches!(rule.when, Some(Condition::Always)) && !rule.goes_on && rule.once.is_none()
    };
    let Some(last) = rules.iter().position(always) else {
        return;
    };
    if let Some((rule, more)) = rules[last + 1..].split_first() {
        let span = rule.id.as_ref().map_or(&rule.header, |id| &id.span);
        let message = match more.len() {
            0 => "this rule can never answer".to_owned(),
            1 => "this rule and the one below it can never answer".to_owned(),
            more => format!("this rule and the {more} below it can never answer"),
        };
        reader.report(
            Diagnostic::warning(codes::UNREACHABLE, span.clone(), message)
                .related(
                    rules[last].header.clone(),
                    "this rule has no `when`, so it answers everything",
                )
                .help("move the rule without `when` to the end of the file".to_owned()),
        );
    }
}

/// Reports conditions on buttons that nobody offers, and offers that nobody answers.
pub(super) fn choices(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
    let offers = || rules.iter().flat_map(|rule| &rule.offered);
    let offered: HashSet<&str> = offers().map(|offer| offer.id.value).collect();
    if rules.iter().all(|rule| rule.replies.is_some()) {
        for id in rules.iter().flat_map(|rule| &rule.wanted) {
            if !offered.contains(id.value) {
                reader.report(never_offered(id, &offered));
            }
        }
    }
    let conditions: Option<Vec<&Condition>> = rules.iter().map(|rule| rule.when.as_ref()).collect();
    let Some(conditions) = conditions else {
        return;
    };
    let mut seen = HashSet::new();
    for offer in offers() {
        let title = Phrase::parse(offer.title);
        let words = title.as_ref().map_or(&[][..], |title| &title.words);
        let tap = Tap {
            id: offer.id.value,
            title: offer.title,
            words,
        };
        let answered = conditions.iter().any(|condition| tap.may_meet(condition));
        // An empty id is an error of its own.
        if !answered && !tap.id.is_empty() && seen.insert(offer.id.value) {
            let message = format!("no rule answers a tap on `{}`", offer.id.value);
            let help = format!("add a rule with `when.button = \"{}\"`", offer.id.value);
            reader.report(
                Diagnostic::warning(codes::NEVER_ANSWERED, offer.id.span.clone(), message)
                    .label("offered here")
                    .help(help),
            );
        }
    }
}

fn never_offered(id: &crate::rules::file::Text<'_>, offered: &HashSet<&str>) -> Diagnostic {
    let mut names: Vec<&str> = offered.iter().copied().collect();
    names.sort_unstable();
    let help = suggest::did_you_mean(id.value, names).unwrap_or_else(|| {
        "that is right only when a message template has a button with this id".to_owned()
    });
    let message = format!("no reply offers a button or row `{}`", id.value);
    Diagnostic::warning(codes::NEVER_OFFERED, id.span.clone(), message)
        .label("waited for here")
        .help(help)
}

/// A tap on a button or row, as a condition will see it.
struct Tap<'a> {
    id: &'a str,
    title: &'a str,
    words: &'a [String],
}

impl Tap<'_> {
    /// Whether a condition is about this tap. A rule that takes everything is not: it does not know the button.
    fn may_meet(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Always
            | Condition::FirstContact(true)
            | Condition::FromAd(true)
            | Condition::Ad(_) => false,
            Condition::FirstContact(false) | Condition::FromAd(false) | Condition::Not(_) => true,
            Condition::TextIs(phrases) => phrases.iter().any(|phrase| phrase.words == self.words),
            Condition::TextHas(phrases) => phrases.iter().any(|phrase| {
                let mut windows = self.words.windows(phrase.words.len());
                windows.any(|words| words == phrase.words)
            }),
            Condition::TextStarts(phrases) => phrases
                .iter()
                .any(|phrase| self.words.starts_with(&phrase.words)),
            Condition::TextMatches(regexes) => {
                regexes.iter().any(|regex| regex.is_match(self.title))
            }
            Condition::Button(ids) => ids.iter().any(|id| id == self.id),
            Condition::Type(kinds) => kinds.contains(&Kind::Button),
            Condition::Any(conditions) => conditions.iter().any(|inner| self.may_meet(inner)),
            Condition::All(conditions) => conditions.iter().all(|inner| self.may_meet(inner)),
        }
    }
}

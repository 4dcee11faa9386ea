//! Buttons that no reply offers, offers that no rule answers, and patterns that match the same
//! button.

use std::collections::HashSet;

use super::flows::answers;
use super::shadowing::always_ends;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::toml_reader::{Reader, Text};
use crate::diagnostics::{codes, suggest};
use crate::message::Kind;
use crate::rules::compile::flow::Draft as FlowDraft;
use crate::rules::compile::rule::Draft;
use crate::rules::{ButtonPattern, Condition};

/// Reports conditions on buttons that no reply offers, and offers that no rule answers.
pub(crate) fn choices(reader: &mut Reader<'_>, rules: &[Draft<'_>], flows: &[FlowDraft<'_>]) {
    // An id that is misspelt in a condition is one mistake, not two.
    let mut meant = HashSet::new();
    let offers = || answers(rules, flows).flat_map(|answer| &answer.offered);
    let offered: HashSet<&str> = offers().map(|offer| offer.id.value).collect();
    if answers(rules, flows).all(|answer| answer.answer.is_some()) {
        for id in rules.iter().flat_map(|rule| &rule.wanted) {
            let pattern = ButtonPattern::new(id.value);
            if !offered.iter().any(|id| pattern.capture(id).is_some()) {
                meant.extend(suggest::closest(id.value, offered.iter().copied()));
                reader.report(never_offered(id, &offered));
            }
        }
    }
    let conditions: Option<Vec<&Condition>> = rules.iter().map(|rule| rule.when.as_ref()).collect();
    let Some(conditions) = conditions else {
        return;
    };
    let mut seen = meant;
    for offer in offers() {
        let tap = Tap { id: offer.id.value };
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

fn never_offered(id: &Text<'_>, offered: &HashSet<&str>) -> Diagnostic {
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
}

impl Tap<'_> {
    /// Whether a condition may match this tap by its id; conditions on the label do not count, nor
    /// does one that matches every message.
    fn may_meet(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Always
            | Condition::FirstContact(true)
            | Condition::ReplyTo(false)
            | Condition::Forwarded(true)
            | Condition::FromAd(true)
            | Condition::Ad(_)
            | Condition::Form(_)
            | Condition::TextIs(_)
            | Condition::TextHas(_)
            | Condition::TextStarts(_)
            | Condition::TextLike(_)
            | Condition::TextMatches(_) => false,
            Condition::FirstContact(false)
            | Condition::ReturningAfter(_)
            | Condition::Language(_)
            | Condition::Country(_)
            | Condition::Open(_)
            | Condition::Tag(_)
            | Condition::Field(..)
            | Condition::ReplyTo(true)
            | Condition::Forwarded(false)
            | Condition::FromAd(false)
            | Condition::If(_)
            | Condition::Not(_) => true,
            Condition::Button(ids) => ids.iter().any(|id| id.capture(self.id).is_some()),
            Condition::Type(kinds) => kinds.contains(&Kind::Button),
            Condition::Any(conditions) => conditions.iter().any(|inner| self.may_meet(inner)),
            Condition::All(conditions) => conditions.iter().all(|inner| self.may_meet(inner)),
        }
    }
}

/// Reports ids that a pattern of an earlier rule matches.
pub(crate) fn overlapping(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
    let mut patterns: Vec<(ButtonPattern, std::ops::Range<usize>)> = Vec::new();
    for rule in rules {
        // Only a rule whose whole condition is `button` matches the tap for sure.
        let takes_all = matches!(rule.when, Some(Condition::Button(_)));
        let mut here = Vec::new();
        let wanted = rule.wanted.iter().filter(|_| takes_all);
        for id in wanted {
            let taken = patterns
                .iter()
                .find(|(pattern, _)| pattern.capture(id.value).is_some());
            if let Some((pattern, span)) = taken {
                let message = format!("`{}` is taken by an earlier rule", id.value);
                let warning = Diagnostic::warning(codes::OVERLAPPING_IDS, id.span.clone(), message);
                let related = format!("`{}` means it too", pattern.written);
                let help = "move this rule above the other one".to_owned();
                reader.report(warning.related(span.clone(), related).help(help));
            }
            here.push((ButtonPattern::new(id.value), id.span.clone()));
        }
        if always_ends(rule) {
            patterns.extend(here);
        }
    }
}

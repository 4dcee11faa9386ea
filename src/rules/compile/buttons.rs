//! Buttons and rows over the whole file: each one offered should be answered, each one asked for should be offered.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::set::{Condition, Rule};
use super::fields::{Notes, closest};
use super::rule::Place;

/// Warns of ids that only one side knows. Warnings, because a template's quick reply may bring any id, and a rule
/// on the label may answer a button.
pub(super) fn check(rules: &[Rule], places: &[Place], notes: &mut Notes) {
    let offered: BTreeSet<&str> = places
        .iter()
        .flat_map(|place| &place.offered)
        .map(|(id, _)| id.as_str())
        .collect();
    let asked: BTreeSet<&str> = places
        .iter()
        .flat_map(|place| &place.asked)
        .map(|(id, _)| id.as_str())
        .collect();

    for (id, span) in places.iter().flat_map(|place| &place.asked) {
        if offered.contains(id.as_str()) {
            continue;
        }
        let title = format!("no reply offers a button or row with the id `{id}`");
        let diagnostic = Diagnostic::new("W101", span.clone(), title);
        notes.add(match closest(id, offered.iter().copied()) {
            Some(known) => diagnostic.help(format!("did you mean `{known}`?")),
            None => diagnostic.help("it is all right if a message template has such a button"),
        });
    }
    if rules.iter().any(|rule| any_button(&rule.when)) {
        return;
    }
    let mut told = BTreeSet::new();
    for (id, span) in places.iter().flat_map(|place| &place.offered) {
        if asked.contains(id.as_str()) || !told.insert(id) {
            continue;
        }
        let title = format!("no rule answers the button or row `{id}`");
        let diagnostic = Diagnostic::new("W102", span.clone(), title);
        notes.add(match closest(id, asked.iter().copied()) {
            Some(known) => diagnostic.help(format!("did you mean `{known}`?")),
            None => diagnostic.help(format!("write a rule with `when.button = \"{id}\"`")),
        });
    }
}

/// Whether a condition takes taps of every kind.
fn any_button(condition: &Condition) -> bool {
    match condition {
        Condition::Type(_) => condition.names(crate::message::Kind::Button),
        Condition::Any(all) => all.iter().any(any_button),
        _ => false,
    }
}

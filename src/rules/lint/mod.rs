//! Checks that need all rules and flows together.
//!
//! Parts that could not be read are taken as valid: an error in one rule causes no warnings about
//! another. Next: [`crate::engine`], which runs the compiled rules.

mod buttons;
mod flow_graph;
mod flows;
mod forms;
mod shadowing;

use std::collections::{BTreeSet, HashMap};

use super::compile::flow::Draft as FlowDraft;
use super::compile::rule::Draft;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Reader, quoted};
use crate::rules::Condition;
use crate::rules::opening_hours::Schedule;
use shadowing::{Passing, always_ends};

/// Runs every check. `hours` is `None` when `[hours]` could not be read.
pub(crate) fn all(
    reader: &mut Reader<'_>,
    rules: &[Draft<'_>],
    flows: &[FlowDraft<'_>],
    hours: Option<&Option<Schedule>>,
) {
    duplicate_ids(reader, rules);
    let passing = Passing::new(rules, flows);
    unreachable(reader, rules, &passing);
    shadowing::shadowed(reader, rules, &passing);
    buttons::choices(reader, rules, flows);
    buttons::overlapping(reader, rules);
    forms::never_sent(reader, rules, flows);
    flows::names(reader, rules, flows);
    flow_graph::all(reader, flows);
    flows::unused(reader, rules, flows);
    translations(reader);
    if hours.is_some_and(Option::is_none) {
        no_hours(reader, rules);
    }
}

/// Reports rules that have the id of another.
fn duplicate_ids(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
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
fn unreachable(reader: &mut Reader<'_>, rules: &[Draft<'_>], passing: &Passing<'_>) {
    let always =
        |rule: &Draft<'_>| matches!(rule.when, Some(Condition::Always)) && always_ends(rule);
    let Some(last) = rules.iter().position(always) else {
        return;
    };
    let below = rules[last + 1..].iter();
    let below: Vec<&Draft<'_>> = below
        .filter(|rule| !passing.may_pass(rule, &rules[last]))
        .collect();
    if let Some((rule, more)) = below.split_first() {
        let message = match more.len() {
            0 => "this rule can never answer".to_owned(),
            1 => "this rule and one more below it can never answer".to_owned(),
            more => format!("this rule and {more} more below it can never answer"),
        };
        reader.report(
            Diagnostic::warning(codes::UNREACHABLE, rule.place().clone(), message)
                .related(
                    rules[last].header.clone(),
                    "this rule has no `when`, so it answers everything",
                )
                .help("move the rule without `when` to the end of the file".to_owned()),
        );
    }
}

/// Reports texts that lack a language of other texts.
fn translations(reader: &mut Reader<'_>) {
    let texts = std::mem::take(&mut reader.translations);
    let wanted = texts.iter().flat_map(|(_, tags)| tags);
    let wanted: BTreeSet<&str> = wanted.map(String::as_str).collect();
    for (span, tags) in &texts {
        let missing = wanted.iter().copied();
        let missing = missing.filter(|wanted| !tags.iter().any(|tag| serves(tag, wanted)));
        let missing: Vec<&str> = missing.collect();
        if missing.is_empty() {
            continue;
        }
        let message = format!("this text is not there in {}", quoted(&missing));
        reader.report(
            Diagnostic::warning(codes::MISSING_TRANSLATION, span.clone(), message).help(
                "other texts are; contacts with it get this text in the language of `[bot]`"
                    .to_owned(),
            ),
        );
    }
}

/// Whether a text in language `tag` serves contacts with language `wanted`: `en` serves `en-GB`.
fn serves(tag: &str, wanted: &str) -> bool {
    let main = wanted.split('-').next().unwrap_or(wanted);
    tag.eq_ignore_ascii_case(wanted) || tag.eq_ignore_ascii_case(main)
}

/// Reports conditions on hours when the file has no `[hours]`.
fn no_hours(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
    for rule in rules {
        if rule.when.as_ref().is_some_and(asks_hours) {
            let message = "the rule asks for hours, and the file has no `[hours]`";
            let help = "add `[hours]` with lines like `mon-fri = [\"08:00-18:00\"]`";
            reader.warn(codes::NO_HOURS, &rule.header, message, help);
        }
    }
}

fn asks_hours(condition: &Condition) -> bool {
    match condition {
        Condition::Open(_) => true,
        Condition::Any(parts) | Condition::All(parts) => parts.iter().any(asks_hours),
        Condition::Not(inner) => asks_hours(inner),
        _ => false,
    }
}

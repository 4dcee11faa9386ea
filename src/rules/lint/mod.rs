//! What can only be seen when all rules and flows are looked at together.
//!
//! Parts that could not be read are given the benefit of the doubt: an error in one rule makes no
//! warnings about another. Next: [`crate::engine`], which runs what passed.

mod buttons;
mod flow_graph;
mod flows;
mod shadowing;

use std::collections::{BTreeSet, HashMap};

use super::compile::flow::Draft as FlowDraft;
use super::compile::rule::Draft;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::Reader;
use crate::rules::Condition;
use crate::rules::opening_hours::Schedule;
use shadowing::{Passing, always_ends};

/// Looks at everything. `hours` is `None` when they could not be read.
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
        let span = rule.id.as_ref().map_or(&rule.header, |id| &id.span);
        let message = match more.len() {
            0 => "this rule can never answer".to_owned(),
            1 => "this rule and one more below it can never answer".to_owned(),
            more => format!("this rule and {more} more below it can never answer"),
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

/// Reports texts that are not there in a language in which others are.
fn translations(reader: &mut Reader<'_>) {
    let texts = std::mem::take(&mut reader.translations);
    let all: BTreeSet<&str> = texts
        .iter()
        .flat_map(|(_, tags)| tags)
        .map(String::as_str)
        .collect();
    for (span, tags) in &texts {
        let missing = all
            .iter()
            .filter(|tag| !tags.iter().any(|own| serves(own, tag)));
        let missing: Vec<&str> = missing.copied().collect();
        if missing.is_empty() {
            continue;
        }
        let names = crate::diagnostics::toml_reader::quoted(&missing);
        let message = format!("this text is not there in {names}");
        reader.report(
            Diagnostic::warning(codes::MISSING_TRANSLATION, span.clone(), message)
                .help("other texts are; those people get the language of `[bot]`".to_owned()),
        );
    }
}

/// Whether people who speak `tag` get a text in `own`: that of `en` is good for `en-GB`.
fn serves(own: &str, tag: &str) -> bool {
    let main = tag.split('-').next().unwrap_or(tag);
    own.eq_ignore_ascii_case(tag) || own.eq_ignore_ascii_case(main)
}

/// Reports conditions on hours in rules that have none.
fn no_hours(reader: &mut Reader<'_>, rules: &[Draft<'_>]) {
    for rule in rules {
        if rule.when.as_ref().is_some_and(asks_hours) {
            let message = "the rule asks for hours, and the file has no `[hours]`";
            let warning = Diagnostic::warning(codes::NO_HOURS, rule.header.clone(), message);
            let help = "add `[hours]` with lines like `mon-fri = [\"08:00-18:00\"]`";
            reader.report(warning.help(help.to_owned()));
        }
    }
}

fn asks_hours(condition: &Condition) -> bool {
    match condition {
        Condition::Open(_) => true,
        Condition::Any(all) | Condition::All(all) => all.iter().any(asks_hours),
        Condition::Not(one) => asks_hours(one),
        _ => false,
    }
}

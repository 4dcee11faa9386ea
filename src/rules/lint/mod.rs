//! Checks that need all rules and flows together.
//!
//! Parts that could not be read are taken as valid: an error in one rule causes no warnings about
//! another. Next: [`crate::engine`], which runs the compiled rules.

mod buttons;
mod calls;
mod contradictions;
mod flow_graph;
mod flow_texts;
mod flows;
mod forms;
mod opt_words;
mod shadowing;
mod translations;

use std::collections::{BTreeMap, HashMap};

use super::compile::condition::matches_all;
use super::compile::flow::Draft as FlowDraft;
use super::compile::rule::Draft;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::suggest;
use crate::diagnostics::toml_reader::Reader;
use crate::rules::opening_hours::Schedule;
use crate::rules::{Condition, Flow, Rule};
pub(crate) use opt_words::OptWords;
use shadowing::{Passing, always_ends};

/// What holds for all rules.
pub(crate) struct Context<'r, 'd> {
    /// `[hours]`; `None` when it could not be read.
    pub(crate) hours: Option<&'r Option<Schedule>>,
    /// Language in `[bot]`.
    pub(crate) language: Option<&'r str>,
    /// Addresses that calls may go to; `None` when they are not known.
    pub(crate) hosts: Option<&'r [String]>,
    /// Words of `[opt_out]` and `[opt_in]`.
    pub(crate) words: OptWords<'r, 'd>,
}

/// Runs every check.
pub(crate) fn all(
    reader: &mut Reader<'_>,
    rules: &[Draft<'_>],
    flows: &[FlowDraft<'_>],
    context: &Context<'_, '_>,
) {
    duplicate_ids(reader, rules);
    let impossible = contradictions::all(reader, rules);
    opt_words::taken(reader, &context.words, rules, flows);
    let passing = Passing::new(rules, flows);
    unreachable(reader, rules, &passing);
    shadowing::shadowed(reader, rules, &passing, &impossible);
    catch_alls(reader, rules, &passing);
    buttons::choices(reader, rules, flows);
    buttons::overlapping(reader, rules);
    forms::never_sent(reader, rules, flows);
    flows::names(reader, rules, flows);
    flow_graph::all(reader, flows);
    for flow in flows {
        flow_texts::choices(reader, flow);
    }
    flows::unused(reader, rules, flows);
    translations::missing(reader, context.language);
    calls::forbidden(reader, context.hosts);
    if context.hours.is_some_and(Option::is_none) {
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

/// Reports patterns that leave no text to the rules below.
fn catch_alls(reader: &mut Reader<'_>, rules: &[Draft<'_>], passing: &Passing<'_>) {
    let is_pattern = |condition: &Condition| matches!(condition, Condition::TextMatches(_));
    for (index, rule) in rules.iter().enumerate() {
        let takes_all = match &rule.when {
            Some(Condition::Any(parts)) => parts.iter().any(is_pattern),
            Some(condition) => is_pattern(condition),
            None => false,
        };
        let mut below = rules[index + 1..].iter();
        let hides = below.any(|later| !passing.may_pass(later, rule));
        if let (Some(span), true) = (
            rule.catch_alls.first(),
            takes_all && hides && always_ends(rule),
        ) {
            reader.report(matches_all(span.clone()));
        }
    }
}

/// Reports rules that lines of tests name and that are not there.
pub(crate) fn tested_rules(
    reader: &mut Reader<'_>,
    rules: &[Rule],
    flows: &BTreeMap<String, Flow>,
) {
    const OTHERS: [&str; 2] = ["opt_out", "opt_in"];
    // Another error may be the reason.
    if reader.diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    for (span, name) in std::mem::take(&mut reader.tested_rules) {
        let ids = || rules.iter().map(|rule| rule.id.as_str());
        let flow = name.split_once('/').map(|(flow, _)| flow);
        let of_flow = flow.is_some_and(|flow| flows.contains_key(flow));
        if of_flow || OTHERS.contains(&name.as_str()) || ids().any(|id| id == name) {
            continue;
        }
        let message = format!("there is no rule `{name}`");
        let help = suggest::did_you_mean(&name, ids()).unwrap_or_else(|| {
            "name the `id` of a rule, or a flow and its part: `cake/end`".to_owned()
        });
        reader.warn(codes::UNKNOWN_NAME, &span, message, help);
    }
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

//! Names that flows and rules use of each other.

use std::collections::HashSet;

use super::flow_graph::id_of;
use crate::diagnostics::toml_reader::{Reader, Text, quoted};
use crate::diagnostics::{codes, suggest};
use crate::rules::Target;
use crate::rules::compile::answer::Draft as AnswerDraft;
use crate::rules::compile::flow::{Draft as FlowDraft, target};
use crate::rules::compile::rule::Draft;

/// Every answer of rules and flows.
pub(super) fn answers<'r, 'd>(
    rules: &'r [Draft<'d>],
    flows: &'r [FlowDraft<'d>],
) -> impl Iterator<Item = &'r AnswerDraft<'d>> {
    let of_rules = rules.iter().map(|rule| &rule.answer);
    of_rules.chain(flows.iter().flat_map(|flow| &flow.answers))
}

/// Reports flows, steps and rules that are named and not there.
pub(crate) fn names(reader: &mut Reader<'_>, rules: &[Draft<'_>], flows: &[FlowDraft<'_>]) {
    let names: Vec<&str> = flows.iter().map(|flow| flow.name).collect();
    let ids: Vec<&str> = rules
        .iter()
        .filter_map(|rule| rule.id.as_ref())
        .map(|id| id.value)
        .collect();
    for answer in answers(rules, flows) {
        if let Some(name) = &answer.starts {
            known(reader, name, name.value, &names, "flow");
        }
        for id in &answer.chooses {
            known(reader, id, id.value, &ids, "rule");
            choosable(reader, id, rules);
        }
    }
    for flow in flows {
        let steps: Vec<&str> = flow.steps.iter().filter_map(id_of).collect();
        for step in &flow.steps {
            if let Some(name) = &step.flow {
                known(reader, name, name.value, &names, "flow");
            }
            for text in &step.targets {
                match target(text) {
                    Target::Step(id) => known(reader, text, &id, &steps, "step"),
                    Target::Flow(name) => known(reader, text, &name, &names, "flow"),
                    Target::End | Target::Cancel => {}
                }
            }
        }
    }
}

/// Reports a rule that a model cannot choose.
fn choosable(reader: &mut Reader<'_>, id: &Text<'_>, rules: &[Draft<'_>]) {
    if id.value.eq_ignore_ascii_case("none") {
        let message =
            "a model says `none` when no rule fits, so it cannot choose a rule of that name";
        reader.error(codes::CHOICE, &id.span, message, "give the rule another id");
        return;
    }
    let has_id = |rule: &&Draft<'_>| {
        let other = rule.id.as_ref();
        other.is_some_and(|other| other.value == id.value)
    };
    let Some(rule) = rules.iter().find(has_id) else {
        return;
    };
    if rule.answer.asks_model {
        let message = format!(
            "`{}` asks a model itself, so a model cannot choose it",
            id.value
        );
        let help = "models that choose each other would ask without end; choose rules with a reply, a call or a flow";
        reader.error(codes::CHOICE, &id.span, message, help);
    } else if let Some(name) = rule.captures.first() {
        let message = format!(
            "`match.{name}` is empty when a model chooses `{}`",
            id.value
        );
        let help = "only the pattern of the rule fills it; begin a flow that asks for it instead";
        reader.warn(codes::CHOICE, &id.span, message, help);
    }
}

fn known(reader: &mut Reader<'_>, text: &Text<'_>, name: &str, names: &[&str], what: &str) {
    if names.contains(&name) {
        return;
    }
    let help = suggest::did_you_mean(name, names.iter().copied()).unwrap_or_else(|| {
        if names.is_empty() {
            format!("there is no {what} at all")
        } else {
            format!("there are {}", quoted(names))
        }
    });
    let message = format!("there is no {what} `{name}`");
    reader.error(codes::UNKNOWN_NAME, &text.span, message, help);
}

/// Reports flows that nothing starts.
pub(crate) fn unused(reader: &mut Reader<'_>, rules: &[Draft<'_>], flows: &[FlowDraft<'_>]) {
    if rules.iter().any(|rule| rule.answer.answer.is_none()) {
        return;
    }
    let mut started: HashSet<&str> = HashSet::new();
    let starts = answers(rules, flows).filter_map(|answer| answer.starts.as_ref());
    started.extend(starts.map(|name| name.value));
    for step in flows.iter().flat_map(|flow| &flow.steps) {
        started.extend(step.flow.as_ref().map(|name| name.value));
        let jumps = step.targets.iter();
        started.extend(jumps.filter_map(|text| text.value.strip_prefix("flow:")));
    }
    if started
        .iter()
        .any(|name| flows.iter().all(|flow| flow.name != *name))
    {
        // An unknown name is reported already, and was probably meant for one of these.
        return;
    }
    for flow in flows.iter().filter(|flow| !started.contains(flow.name)) {
        let message = format!("nothing starts the flow `{}`", flow.name);
        let others = flows.iter().map(|other| other.name);
        let others = others.filter(|other| *other != flow.name);
        let help = suggest::did_you_mean(flow.name, others)
            .unwrap_or_else(|| format!("give a rule `start = \"{}\"`", flow.name));
        reader.warn(codes::UNUSED_FLOW, &flow.header, message, help);
    }
}

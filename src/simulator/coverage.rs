//! Coverage: the parts of the rules that tests reach.
//!
//! Parts are every rule and each of its `variants`, every step, every branch of `go`, every
//! `retry`, the endings that a flow declares, and every `on_error`. `on_gone` is left out: it needs
//! rules that change in the middle of a conversation, and a test has one set of rules.

use std::collections::BTreeSet;

use crate::engine::flow::source;
use crate::engine::{CoveragePoint, Turn};
use crate::message::RuleId;
use crate::rules::{Answer, Flow, RuleSet, Step};

/// Parts of the rules that tests have reached.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    reached: BTreeSet<CoveragePoint>,
}

impl Coverage {
    /// Lists every part that no test has reached, in order.
    #[must_use]
    pub fn missed(&self, rules: &RuleSet) -> Vec<CoveragePoint> {
        let mut parts = all_parts(rules);
        parts.retain(|part| !self.reached.contains(part));
        parts
    }

    /// Number of parts of the rules.
    #[must_use]
    pub fn count_parts(rules: &RuleSet) -> usize {
        all_parts(rules).len()
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.reached.extend(other.reached);
    }

    pub(crate) fn note(&mut self, turn: &Turn) {
        self.reached.extend(turn.coverage.iter().cloned());
    }
}

fn all_parts(rules: &RuleSet) -> Vec<CoveragePoint> {
    let mut parts = Vec::new();
    for rule in &rules.rules {
        add_answer(&mut parts, &rule.id, &rule.answer);
    }
    for (name, flow) in &rules.flows {
        for step in &flow.steps {
            add_step(&mut parts, name, step);
        }
        for (ending, answer) in endings(flow) {
            add_answer(&mut parts, &source(name, ending), answer);
        }
    }
    parts
}

fn add_answer(parts: &mut Vec<CoveragePoint>, source: &RuleId, answer: &Answer) {
    parts.push(CoveragePoint::new(source));
    let several = answer.variants.len() > 1;
    let variants = answer.variants.iter().enumerate().filter(|_| several);
    parts.extend(variants.map(|(index, _)| CoveragePoint::variant(source, index)));
    let on_error = answer.on_error.as_ref();
    parts.extend(on_error.map(|_| CoveragePoint::on_error(source)));
}

fn add_step(parts: &mut Vec<CoveragePoint>, flow: &str, step: &Step) {
    parts.push(CoveragePoint::step(flow, step));
    if !step.retry.is_empty() {
        parts.push(CoveragePoint::retry(flow, step));
    }
    let choices = step.choices.iter();
    parts.extend(choices.filter_map(|choice| CoveragePoint::choice(flow, step, choice)));
    let branches = step.go.iter();
    parts.extend(branches.map(|branch| CoveragePoint::branch(flow, step, branch)));
    parts.extend(CoveragePoint::falls_through(flow, step));
}

/// Lists the endings that a flow declares.
fn endings(flow: &Flow) -> impl Iterator<Item = (&'static str, &Answer)> {
    let always = [
        ("on_timeout", &flow.on_timeout),
        ("on_cancel", &flow.on_cancel),
        ("end", &flow.end),
    ];
    let declared = always.into_iter().filter(|(_, answer)| !answer.is_empty());
    let give_up = flow.on_give_up.as_ref();
    declared.chain(give_up.map(|answer| ("on_give_up", answer)))
}

//! Which parts of the rules tests reach.

use std::collections::BTreeSet;

use super::super::{Turn, Verdict};
use crate::rules::RuleSet;

/// The rules and steps that tests have reached.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    reached: BTreeSet<String>,
}

impl Coverage {
    /// Every rule and every step (`flow/step`) that no test has reached, in order.
    #[must_use]
    pub fn missed(&self, rules: &RuleSet) -> Vec<String> {
        all_parts(rules)
            .into_iter()
            .filter(|part| !self.reached.contains(part))
            .collect()
    }

    /// How many there are.
    #[must_use]
    pub fn of(rules: &RuleSet) -> usize {
        all_parts(rules).len()
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.reached.extend(other.reached);
    }

    pub(super) fn note(&mut self, turn: &Turn) {
        let concluded = turn.concluded.iter().map(|one| &one.explanation);
        let all = concluded.chain([&turn.explanation]);
        let matched = all
            .flat_map(|one| &one.considered)
            .filter(|one| one.verdict == Verdict::Matched);
        self.reached
            .extend(matched.map(|one| one.rule.as_str().to_owned()));
        let said = turn.replies.iter();
        self.reached
            .extend(said.map(|reply| reply.rule.as_str().to_owned()));
    }
}

fn all_parts(rules: &RuleSet) -> Vec<String> {
    let ids = rules.rules.iter().map(|rule| rule.id.as_str().to_owned());
    let flows = rules.flows.iter();
    let steps = flows.flat_map(|(name, flow)| {
        let asked = flow.steps.iter().filter(|step| !step.ask.is_empty());
        asked.map(move |step| format!("{name}/{}", step.id))
    });
    ids.chain(steps).collect()
}

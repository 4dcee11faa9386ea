//! The parts of the rules that a turn goes through: what `replyd test --coverage` counts.
//!
//! A part is known by the name a person reads in the list of what no test reaches. The decision
//! never looks at them, and nothing of them is stored.

use std::fmt::{self, Display, Formatter};

use crate::message::{Outbound, RuleId};
use crate::rules::{Branch, Choice, Step};

/// A part of the rules, by its name: `menu`, `menu variant 2`, `cake/confirm -> size (button no)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoveragePoint(String);

impl CoveragePoint {
    /// A rule, or an ending of a flow: `cake/on_timeout`.
    #[must_use]
    pub fn new(source: &RuleId) -> Self {
        Self(source.as_str().to_owned())
    }

    /// One of several `variants`, from 0.
    #[must_use]
    pub fn variant(source: &RuleId, index: usize) -> Self {
        Self(format!("{source} variant {}", index + 1))
    }

    /// What is said in place of the reply.
    #[must_use]
    pub fn on_error(source: &RuleId) -> Self {
        Self(format!("{source} on_error"))
    }

    /// A step that was gone into.
    #[must_use]
    pub fn step(flow: &str, step: &Step) -> Self {
        Self(format!("{flow}/{}", step.id))
    }

    /// What is said to an answer that is no good.
    #[must_use]
    pub fn retry(flow: &str, step: &Step) -> Self {
        Self(format!("{flow}/{} retry", step.id))
    }

    /// The way that a button or row has of its own; `None` when it has none.
    #[must_use]
    pub fn choice(flow: &str, step: &Step, choice: &Choice) -> Option<Self> {
        let to = choice.go.as_ref()?;
        let kind = if is_row(step, &choice.id) {
            "row"
        } else {
            "button"
        };
        let (step, id) = (&step.id, &choice.id);
        Some(Self(format!("{flow}/{step} -> {to} ({kind} {id})")))
    }

    /// One way of a step's `go`.
    #[must_use]
    pub fn branch(flow: &str, step: &Step, branch: &Branch) -> Self {
        let (id, to) = (&step.id, &branch.to);
        Self(match &branch.only_if {
            Some(only_if) => format!("{flow}/{id} -> {to} (if {})", only_if.written()),
            None if step.go.len() > 1 => format!("{flow}/{id} -> {to} (otherwise)"),
            None => format!("{flow}/{id} -> {to}"),
        })
    }

    /// On to the next step, as no condition of `go` holds; `None` when one always does, or there is
    /// no `go`.
    #[must_use]
    pub fn falls_through(flow: &str, step: &Step) -> Option<Self> {
        let conditional = step.go.iter().all(|branch| branch.only_if.is_some());
        let falls = conditional && !step.go.is_empty();
        falls.then(|| Self(format!("{flow}/{} -> the next step (otherwise)", step.id)))
    }
}

impl Display for CoveragePoint {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_row(step: &Step, id: &str) -> bool {
    let lists = step.ask.iter().filter_map(|reply| match &reply.content {
        Outbound::List { sections, .. } => Some(sections),
        _ => None,
    });
    let mut rows = lists.flatten().flat_map(|section| &section.rows);
    rows.any(|row| row.id == id)
}

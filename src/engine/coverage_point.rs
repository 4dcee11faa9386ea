//! Parts of the rules that a turn goes through; `replyd test --coverage` counts them.
//!
//! A part is identified by the name that the list of missed parts shows. Decisions do not read
//! coverage points, and they are not stored.

use std::fmt::{self, Display, Formatter};

use crate::message::{Outbound, RuleId};
use crate::rules::{Branch, Choice, Step};

/// Part of the rules, by its name: `menu`, `menu variant 2`, `cake/confirm -> size (button no)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoveragePoint(String);

impl CoveragePoint {
    /// Names a rule, or an ending of a flow: `cake/on_timeout`.
    #[must_use]
    pub fn new(source: &RuleId) -> Self {
        Self(source.as_str().to_owned())
    }

    /// Names one of several `variants`; `index` counts from 0.
    #[must_use]
    pub fn variant(source: &RuleId, index: usize) -> Self {
        Self(format!("{source} variant {}", index + 1))
    }

    /// Names an `on_error`.
    #[must_use]
    pub fn on_error(source: &RuleId) -> Self {
        Self(format!("{source} on_error"))
    }

    /// Names an entered step.
    #[must_use]
    pub fn step(flow: &str, step: &Step) -> Self {
        Self(format!("{flow}/{}", step.id))
    }

    /// Names the `retry` of a step.
    #[must_use]
    pub fn retry(flow: &str, step: &Step) -> Self {
        Self(format!("{flow}/{} retry", step.id))
    }

    /// Names the target of a button or row; `None` without a target.
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

    /// Names a branch of a step's `go`.
    #[must_use]
    pub fn branch(flow: &str, step: &Step, branch: &Branch) -> Self {
        let (id, to) = (&step.id, &branch.to);
        Self(match &branch.only_if {
            Some(only_if) => format!("{flow}/{id} -> {to} (if {})", only_if.written()),
            None if step.go.len() > 1 => format!("{flow}/{id} -> {to} (otherwise)"),
            None => format!("{flow}/{id} -> {to}"),
        })
    }

    /// Names the way to the next step when no condition of `go` holds; `None` if a branch always
    /// holds, or if there is no `go`.
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

//! Failed expectation of a test.

use crate::engine::{Decision, Explanation, Turn};

/// Why a test failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where in the files.
    pub span: std::ops::Range<usize>,
    /// What was expected, and what came.
    pub message: String,
    /// What was said until then, a line each.
    pub transcript: Vec<String>,
    /// Why the last turn came out as it did.
    pub explanation: Explanation,
}

/// How the rules failed in a turn, when they did.
pub(crate) fn failure_of(turn: &Turn) -> Option<String> {
    let late_decisions = turn.late_decisions.iter();
    let late_decisions = late_decisions.map(|one| (one.decision, &one.explanation));
    let mut all = late_decisions.chain([(turn.decision, &turn.explanation)]);
    let (_, explanation) = all.find(|(decision, _)| *decision == Decision::Failed)?;
    Some(explanation.note.clone().unwrap_or_default())
}

pub(crate) fn failed(note: &str) -> String {
    format!("this cannot be answered: {note}")
}

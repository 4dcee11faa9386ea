//! Failed expectation of a test.

use crate::engine::{Decision, Explanation, Turn};

/// Failed expectation of a test.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Bytes of the failed line in the rules files.
    pub span: std::ops::Range<usize>,
    /// Expected and actual reply.
    pub message: String,
    /// Transcript up to the failure, by line.
    pub transcript: Vec<String>,
    /// Explanation of the last turn.
    pub explanation: Explanation,
}

/// Finds the reason why the rules failed in a turn.
pub(crate) fn failure_of(turn: &Turn) -> Option<String> {
    let late = turn.late_decisions.iter();
    let late = late.map(|late| (late.decision, &late.explanation));
    let mut decisions = late.chain([(turn.decision, &turn.explanation)]);
    let (_, explanation) = decisions.find(|(decision, _)| *decision == Decision::Failed)?;
    Some(explanation.note.clone().unwrap_or_default())
}

pub(crate) fn failed(note: &str) -> String {
    format!("this cannot be answered: {note}")
}

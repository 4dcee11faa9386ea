//! The reasons for a decision: stored as JSON beside the message, shown by `history` and `why`.

use serde::{Deserialize, Serialize};

use crate::message::RuleId;
use crate::rules::Rule;

/// Number of rules that an explanation lists before it only counts those that do not match: it is
/// stored with every message.
pub(crate) const CONSIDERED_MAX: usize = 50;

/// Number of rules that a turn evaluates and lists in its explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Evaluates only the candidates of the index; of a few rules each.
    Matched,
    /// Evaluates each rule up to the one that ends the search.
    Considered,
    /// Evaluates the rules behind that one too.
    Everything,
}

impl Trace {
    /// Number of rules that the explanation lists before it only counts those that do not match.
    pub(crate) fn considered_max(self) -> usize {
        match self {
            Self::Matched | Self::Considered => CONSIDERED_MAX,
            Self::Everything => usize::MAX,
        }
    }
}

/// Reasons for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The text as the rules see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalized: Option<String>,
    /// The evaluated rules, in order, up to the one that ended the search; also `flow/step` for a
    /// step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
    /// Number of further rules that do not match and are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u32,
    /// Rules behind the one that ended the search, each with the verdict it would have got; filled
    /// only for [`Trace::Everything`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<Considered>,
    /// Reason that is not about one rule: too old, over budget, the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Verdict on one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Rule, or `flow/step`.
    pub rule: RuleId,
    /// Whether the rule matched and was used.
    pub verdict: Verdict,
    /// Reason for the verdict, as a sentence for people.
    pub because: String,
}

/// Verdict on a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The condition holds and the rule was used.
    Matched,
    /// The condition does not hold.
    No,
    /// The condition holds, but `once` or `chance` suppresses the rule.
    Quiet,
}

impl Explanation {
    /// Makes an explanation of a reason that is not about one rule.
    pub(crate) fn from_note(note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..Self::default()
        }
    }

    /// Records a rule that does not match, or only counts it when `considered_max` rules are
    /// listed already.
    pub(crate) fn record_mismatch(&mut self, rule: &Rule, because: String, considered_max: usize) {
        if self.considered.len() >= considered_max {
            self.unlisted += 1;
        } else {
            self.record(rule.id.clone(), Verdict::No, because);
        }
    }

    /// Counts rules that are not listed.
    pub(crate) fn count_unlisted(&mut self, rules: usize) {
        self.unlisted += u32::try_from(rules).unwrap_or(u32::MAX);
    }

    /// Records the verdict on a rule, or on a step.
    pub(crate) fn record(&mut self, rule: RuleId, verdict: Verdict, because: impl Into<String>) {
        self.considered.push(Considered {
            rule,
            verdict,
            because: because.into(),
        });
    }
}

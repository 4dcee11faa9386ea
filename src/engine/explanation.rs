//! Why a turn came out as it did.

use serde::{Deserialize, Serialize};

use crate::message::RuleId;
use crate::rules::Rule;

/// Rules that did not match are told one by one up to here and only counted beyond: the explanation
/// is stored with every message.
pub(crate) const MOST_TOLD: usize = 50;

/// Why a turn came out as it did: stored as JSON beside the message, shown by `history` and `why`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The text as the rules saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalized: Option<String>,
    /// The rules that were looked at, in order, up to the one that ended the search; also
    /// `flow/step` for a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
    /// Rules beyond those that could not match: nothing of what they ask for is in the message.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_told: u32,
    /// Rules that were not looked at any more, with what would have become of each; only
    /// [`super::explain_all`] tells them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<Considered>,
    /// What is not about one rule: too old, over budget, what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One rule's part in an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// The rule, or `flow/step`.
    pub rule: RuleId,
    /// Whether it matched and was used.
    pub verdict: Verdict,
    /// What matched where, or what was missing, for a person.
    pub because: String,
}

/// What became of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its condition holds and it was used.
    Matched,
    /// Its condition does not hold.
    No,
    /// Its condition holds but `once` or `chance` keeps it quiet.
    Quiet,
}

/// Something that happened in a conversation beside what was said: a row of `conversation_events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationEvent {
    /// What.
    pub kind: ConversationEventKind,
    /// For people.
    pub text: String,
}

/// What a note tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationEventKind {
    /// The person wants nothing from us any more.
    OptedOut,
    /// The person wants to hear from us again.
    OptedIn,
    /// A rule gave the conversation to a colleague.
    Handoff,
    /// The bot answers again.
    HandoffOver,
    /// The person's budget of replies is used up.
    OverBudget,
    /// The same words came too often.
    Loop,
    /// A flow got no answer in its time.
    FlowTimeout,
    /// A flow went on with rules that do not have its step any more.
    FlowGone,
    /// An action failed.
    ActionFailed,
    /// A reply that was to come later did not.
    NotSent,
}

impl ConversationEventKind {
    /// The word in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::OptedIn => "opted_in",
            Self::Handoff => "handoff",
            Self::HandoffOver => "handoff_over",
            Self::OverBudget => "rate_limited",
            Self::Loop => "loop_detected",
            Self::FlowTimeout => "flow_timeout",
            Self::FlowGone => "flow_gone",
            Self::ActionFailed => "action_failed",
            Self::NotSent => "not_sent",
        }
    }
}

impl Explanation {
    /// Tells of a rule that does not match, unless so many were told already.
    pub(crate) fn tell_no(&mut self, rule: &Rule, because: String, most: usize) {
        if self.considered.len() >= most {
            self.not_told += 1;
        } else {
            self.tell(rule, Verdict::No, because);
        }
    }

    pub(crate) fn tell(&mut self, rule: &Rule, verdict: Verdict, because: String) {
        self.tell_of(rule.id.clone(), verdict, because);
    }

    pub(crate) fn tell_of(&mut self, rule: RuleId, verdict: Verdict, because: String) {
        self.considered.push(Considered {
            rule,
            verdict,
            because,
        });
    }
}

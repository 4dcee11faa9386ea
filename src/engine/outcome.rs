//! Outcomes of one answer as values. A flow to start is such a value: `decide` starts it, and
//! resumes afterwards each place that was left because of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::message::{ConversationState, RuleId};
use crate::rules::{ReplyTemplate, Rule};

/// Outcome of one answer.
pub(crate) enum Outcome<'a> {
    /// The answer was given.
    Sent {
        /// Number of replies; may be 0.
        replies: usize,
    },
    /// The answer is given later, unless the contact writes before.
    Scheduled,
    /// The answer is given when its action has ended.
    Pending,
    /// The replies exceed the contact's budget, which the text names.
    RateLimited(String),
    /// A text could not be filled in, or is longer than WhatsApp allows.
    Failed(String),
    /// The answer was given and starts a flow.
    StartFlow(Box<FlowStart<'a>>),
}

impl Outcome<'_> {
    /// Whether the rules behind the one that answered may answer too.
    pub(crate) fn continues(&self) -> bool {
        matches!(self, Self::Sent { .. } | Self::Scheduled)
    }
}

/// Flow to start, and the places to resume once its first question is asked or it has ended.
pub(crate) struct FlowStart<'a> {
    pub(super) flow: &'a str,
    /// In the order in which they are resumed.
    pub(super) resume: Vec<Resume<'a>>,
}

/// Place to resume with the outcome of a started flow.
pub(crate) enum Resume<'a> {
    /// The answer that started the flow.
    Answer(Box<Attempt<'a>>),
    /// The flow around the one that ended.
    OuterFlow(OuterFlow),
    /// The step whose answer led to the end of a flow; rolled back if that end cannot be given.
    Step(Box<Savepoint>),
    /// A flow that was given up; the reason remains the outcome.
    GiveUp {
        /// Name of the `on_give_up` answer.
        source: String,
        /// Reason for giving up.
        failed: String,
    },
}

/// Answer that is being given: everything needed to undo it and to give `on_error` instead.
pub(crate) struct Attempt<'a> {
    pub(super) source: RuleId,
    pub(super) on_error: Option<&'a ReplyTemplate>,
    pub(super) roots: BTreeMap<String, Value>,
    pub(super) before: Savepoint,
    /// Number of replies sent before the flow was started.
    pub(super) replies: usize,
}

/// Place in the flow around one that has ended.
pub(crate) struct OuterFlow {
    /// Number of the run: another number means that another flow has been started.
    pub(super) run: u64,
    pub(super) flow: String,
    /// The step that led into the inner flow.
    pub(super) step: String,
}

/// Lengths and state of a turn, to which it can be rolled back.
pub(crate) struct Savepoint {
    pub(super) state: ConversationState,
    pub(super) replies: usize,
    pub(super) actions: usize,
    pub(super) conversation_events: usize,
    pub(super) coverage: usize,
}

/// Outcome of an answer that ends a decision, and its name in the explanation.
pub(crate) struct Answered<'a> {
    /// Rule, `flow/ending`, or `step …`.
    pub(super) source: String,
    /// Rule with `once`, which must not answer again for some time.
    pub(super) once: Option<&'a RuleId>,
    pub(super) outcome: Outcome<'a>,
}

impl<'a> Answered<'a> {
    pub(crate) fn new(source: impl Into<String>, outcome: Outcome<'a>) -> Self {
        Self {
            source: source.into(),
            once: None,
            outcome,
        }
    }

    pub(crate) fn from_rule(rule: &'a Rule, outcome: Outcome<'a>) -> Self {
        Self {
            once: rule.once.is_some().then_some(&rule.id),
            ..Self::new(rule.id.as_str(), outcome)
        }
    }
}

//! The result of a decision: replies, actions, the state from now on, and the explanation.

use serde::{Deserialize, Serialize};

use super::conversation_event::ConversationEvent;
use super::coverage_point::CoveragePoint;
use super::explanation::Explanation;
use crate::message::{Action, ConversationState, Outbound, RuleId, Wamid};

/// Result of the decision on one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Decision in one word.
    pub decision: Decision,
    /// Messages to send, in order.
    pub replies: Vec<Reply>,
    /// State of the conversation from now on.
    pub state: ConversationState,
    /// Marks the message as read.
    pub mark_read: bool,
    /// Reasons for the decision.
    pub explanation: Explanation,
    /// Events for the history, beside the replies.
    pub conversation_events: Vec<ConversationEvent>,
    /// Actions to perform in external services.
    pub actions: Vec<RequestedAction>,
    /// Decisions on earlier messages that were still pending.
    pub late_decisions: Vec<LateDecision>,
    /// Whether an opt-out or opt-in of this turn holds for all numbers of the business.
    pub is_for_all_numbers: bool,
    /// Parts of the rules that the turn went through, for `replyd test --coverage`; never stored.
    pub coverage: Vec<CoveragePoint>,
}

/// Decision on an earlier message that was pending.
#[derive(Clone, Debug, PartialEq)]
pub struct LateDecision {
    /// The earlier message.
    pub message: Wamid,
    /// Decision in one word.
    pub decision: Decision,
    /// Reasons for the decision.
    pub explanation: Explanation,
}

impl Turn {
    /// Makes a turn without replies, effects and explanation.
    pub(crate) fn new(decision: Decision, state: ConversationState) -> Self {
        Self {
            decision,
            replies: Vec::new(),
            state,
            mark_read: false,
            explanation: Explanation::default(),
            conversation_events: Vec::new(),
            actions: Vec::new(),
            late_decisions: Vec::new(),
            is_for_all_numbers: false,
            coverage: Vec::new(),
        }
    }

    /// Makes a turn that does nothing, with the reason.
    #[must_use]
    pub fn nothing(decision: Decision, state: ConversationState, note: impl Into<String>) -> Self {
        Self {
            explanation: Explanation::from_note(note),
            ..Self::new(decision, state)
        }
    }
}

/// Action to perform in an external service.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestedAction {
    /// Number of the action in this conversation; its result has the same number.
    pub number: u64,
    /// Call to make.
    pub action: Action,
    /// Message that the action is performed for; `None` when a timer requested it.
    pub answers: Option<Wamid>,
}

/// Reply, and the rule that gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Rule, or `flow/step`.
    pub rule: RuleId,
    /// Message to send.
    pub content: Outbound,
    /// Quotes the answered message above the reply.
    pub quote: bool,
    /// Answered message; `None` for replies of a timer.
    pub answers: Option<Wamid>,
    /// Index of the chosen one of the rule's `variants`; `None` when the rule has only one.
    pub variant: Option<usize>,
    /// `on_error` of the rule, filled in: sent in place of the reply if WhatsApp refuses it or does
    /// not deliver it.
    pub instead: Vec<Outbound>,
}

/// Decision in one word: `messages.decision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// At least one rule matched and answered.
    Answered,
    /// A rule matched and sends nothing.
    Silent,
    /// No rule matched.
    NoMatch,
    /// The message is older than `max_age`.
    TooOld,
    /// The contact's reply budget is used up.
    RateLimited,
    /// The kind of message is unknown; such kinds are never answered.
    Unsupported,
    /// The same text was received too often: the sender is another bot.
    LoopDetected,
    /// The message waits for further messages or for an action; a late decision follows.
    Pending,
    /// The contact has opted out.
    OptedOut,
    /// A colleague answers this conversation now.
    HandedOff,
    /// The rules failed on this message; the explanation has the reason.
    Failed,
}

impl Decision {
    /// Name in the database and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Silent => "silent",
            Self::NoMatch => "no_match",
            Self::TooOld => "too_old",
            Self::RateLimited => "rate_limited",
            Self::Unsupported => "unsupported",
            Self::LoopDetected => "loop_detected",
            Self::Pending => "pending",
            Self::OptedOut => "opted_out",
            Self::HandedOff => "handed_off",
            Self::Failed => "failed",
        }
    }
}

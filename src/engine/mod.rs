//! The decision on one event: pure, deterministic, explained.
//!
//! [`take`] is the only place where it is decided what to answer; the service, the terminal chat,
//! `replyd test` and `replyd replay` all call it. It reads no clock and does no IO. A message
//! passes the guards (`guards`), then a flow that is under way (`flow`) or the rules (`walk`); what
//! is said and changed is worked out in `answer`; `timers` and `actions` go on with what had to
//! wait. Next on the way of a message: [`crate::store`], which calls it inside the transaction that
//! stores the message.

mod action_result;
mod coverage_point;
pub(crate) mod discard;
mod explanation;
pub(crate) mod flow;
mod guards;
pub mod matching;
pub mod render;
mod respond;
mod select;
mod timers;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::{
    Action, ActionResult, Contact, Conversation, ConversationState, Echo, Inbound, Outbound,
    RuleId, Wamid,
};
use crate::rules::RuleSet;
pub use coverage_point::Part;
pub use explanation::{Considered, ConversationEvent, ConversationEventKind, Explanation, Verdict};
pub(crate) use guards::signed;

/// What a turn is taken on.
#[derive(Clone, Copy, Debug)]
pub enum EngineEvent<'a> {
    /// A person wrote.
    Message(&'a Inbound),
    /// A colleague wrote to the person from the phone app.
    Echo(&'a Echo),
    /// Something that waited is due; one thing at a time, the earliest.
    Timer,
    /// An action has finished.
    Action {
        /// Which, of this conversation.
        number: u64,
        /// What came of it.
        outcome: &'a ActionResult,
    },
}

/// What was decided on one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The decision in one word.
    pub decision: Decision,
    /// What to send, in order.
    pub replies: Vec<Reply>,
    /// The conversation's state from now on.
    pub state: ConversationState,
    /// Mark the message read.
    pub mark_read: bool,
    /// Why.
    pub explanation: Explanation,
    /// What happened beside the replies, for the history.
    pub conversation_events: Vec<ConversationEvent>,
    /// What is asked of the world outside.
    pub actions: Vec<AskedAction>,
    /// Decisions on messages that came before and waited.
    pub late_decisions: Vec<LateDecision>,
    /// The parts of the rules it went through, for who wants to know which ones tests reach; never
    /// stored.
    pub parts: Vec<Part>,
}

/// The decision on a message that waited.
#[derive(Clone, Debug, PartialEq)]
pub struct LateDecision {
    /// The message.
    pub message: Wamid,
    /// The decision in one word.
    pub decision: Decision,
    /// Why.
    pub explanation: Explanation,
}

impl Turn {
    /// A turn that does nothing, with the reason.
    #[must_use]
    pub fn nothing(decision: Decision, state: ConversationState, note: impl Into<String>) -> Self {
        Self {
            decision,
            replies: Vec::new(),
            state,
            mark_read: false,
            explanation: Explanation {
                note: Some(note.into()),
                ..Explanation::default()
            },
            conversation_events: Vec::new(),
            actions: Vec::new(),
            late_decisions: Vec::new(),
            parts: Vec::new(),
        }
    }
}

/// An action to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedAction {
    /// Which, of this conversation: its result comes back under this number.
    pub number: u64,
    /// What to do.
    pub action: Action,
    /// The message it is done for.
    pub answers: Option<Wamid>,
}

/// A reply and the rule that gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The rule.
    pub rule: RuleId,
    /// The message.
    pub content: Outbound,
    /// The message that is answered is quoted above it.
    pub quote: bool,
    /// The message that is answered; none for what a timer says.
    pub answers: Option<Wamid>,
    /// Which of the rule's `variants`, when it has some.
    pub variant: Option<usize>,
}

/// The decision in one word: `messages.decision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// At least one rule matched and answered.
    Answered,
    /// A rule matched and says nothing.
    Silent,
    /// No rule matched.
    NoMatch,
    /// Older than `max_age`.
    TooOld,
    /// The person's reply budget is used up.
    RateLimited,
    /// A kind that is never answered (kinds we do not know).
    Unsupported,
    /// The same words came too often: another bot.
    LoopDetected,
    /// It waits for more messages, or for an action; the last decision on it comes later.
    Pending,
    /// The person wants nothing from us.
    OptedOut,
    /// A colleague answers this conversation by hand now.
    HandedOff,
    /// The rules failed on this message; the explanation says how.
    Failed,
}

impl Decision {
    /// The word in the database and in metrics.
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

/// How closely rules are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    /// Only those that the index finds.
    Matched,
    /// Each one up to the one that ends the search, for people who want to know why.
    Considered,
    /// Those behind it too, for people who want to know what else could have answered.
    Everything,
}

impl Trace {
    /// So many rules are told one by one that do not match.
    fn most_told(self) -> usize {
        match self {
            Self::Matched | Self::Considered => explanation::MOST_TOLD,
            Self::Everything => usize::MAX,
        }
    }
}

/// Decides what to answer.
///
/// `now` is the time of the decision; nothing else is read. The same arguments give the same turn.
#[must_use]
pub fn take(
    rules: &RuleSet,
    conversation: &Conversation,
    incoming: EngineEvent<'_>,
    now: Timestamp,
) -> Turn {
    // Of a few rules each may as well be told.
    let trace = if rules.rules.len() <= explanation::MOST_TOLD {
        Trace::Considered
    } else {
        Trace::Matched
    };
    TurnContext::new(rules, conversation, now, trace).take(incoming)
}

/// The same decision, with an explanation that tells of every rule that was passed over.
#[must_use]
pub fn explain(
    rules: &RuleSet,
    conversation: &Conversation,
    incoming: EngineEvent<'_>,
    now: Timestamp,
) -> Turn {
    TurnContext::new(rules, conversation, now, Trace::Considered).take(incoming)
}

/// The same decision, with an explanation that tells of every rule there is: also of those behind
/// the one that answers.
#[must_use]
pub fn explain_all(
    rules: &RuleSet,
    conversation: &Conversation,
    incoming: EngineEvent<'_>,
    now: Timestamp,
) -> Turn {
    TurnContext::new(rules, conversation, now, Trace::Everything).take(incoming)
}

/// A turn in the making.
struct TurnContext<'a> {
    rules: &'a RuleSet,
    contact: &'a Contact,
    /// The person had never written before what is answered.
    first_contact: bool,
    number: &'a crate::message::PhoneNumberId,
    now: Timestamp,
    trace: Trace,
    /// Steps of flows that were gone into so far.
    steps: usize,
    /// How many actions led to this turn, one after the other.
    chain: u64,
    turn: Turn,
}

/// What a part of a turn answers to.
#[derive(Clone, Copy)]
struct Trigger<'m> {
    message: &'m Inbound,
    /// What patterns caught in it.
    captures: &'m std::collections::BTreeMap<String, String>,
    /// Whether somebody sent it; else it stands for a timer.
    kind: TriggerKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TriggerKind {
    Message,
    Timer,
}

impl Trigger<'_> {
    fn answers(&self) -> Option<Wamid> {
        (self.kind == TriggerKind::Message).then(|| self.message.wamid.clone())
    }
}

impl<'a> TurnContext<'a> {
    fn new(
        rules: &'a RuleSet,
        conversation: &'a Conversation,
        now: Timestamp,
        trace: Trace,
    ) -> Self {
        let turn = Turn {
            decision: Decision::NoMatch,
            replies: Vec::new(),
            state: conversation.state.clone(),
            mark_read: false,
            explanation: Explanation::default(),
            conversation_events: Vec::new(),
            actions: Vec::new(),
            late_decisions: Vec::new(),
            parts: Vec::new(),
        };
        Self {
            rules,
            contact: &conversation.contact,
            first_contact: conversation.inbound_count == 0,
            number: &conversation.phone_number_id,
            now,
            trace,
            steps: 0,
            chain: 0,
            turn,
        }
    }

    fn take(mut self, incoming: EngineEvent<'_>) -> Turn {
        self.tidy();
        match incoming {
            EngineEvent::Message(message) => self.message(message),
            EngineEvent::Echo(echo) => self.echo(echo),
            EngineEvent::Timer => self.timer(),
            EngineEvent::Action { number, outcome } => self.action_ended(number, outcome),
        }
        self.turn
    }
}

#[cfg(test)]
mod tests;

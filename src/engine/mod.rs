//! The decision on one event: pure, deterministic, explained.
//!
//! [`take`] is the only place where it is decided what to answer; the service, the terminal chat, `replyd test` and
//! `replyd replay` all call it. It reads no clock and does no IO. A message passes the guards (`guards`), then a flow
//! that is under way (`flow`) or the rules (`walk`); what is said and changed is worked out in `answer`; `timers` and
//! `actions` go on with what had to wait. Next on the way of a message: [`crate::store`], which calls it inside the
//! transaction that stores the message.

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
    Action, Contact, Conversation, Echo, Inbound, Outbound, Outcome, RuleId, State, Wamid,
};
use crate::rules::RuleSet;
pub use coverage_point::Part;
pub use explanation::{Considered, Explanation, Note, NoteKind, Verdict};
pub(crate) use guards::signed;

/// What a turn is taken on.
#[derive(Clone, Copy, Debug)]
pub enum Incoming<'a> {
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
        outcome: &'a Outcome,
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
    pub state: State,
    /// Mark the message read.
    pub mark_read: bool,
    /// Why.
    pub explanation: Explanation,
    /// What happened beside the replies, for the history.
    pub notes: Vec<Note>,
    /// What is asked of the world outside.
    pub actions: Vec<AskedAction>,
    /// Decisions on messages that came before and waited.
    pub concluded: Vec<Conclusion>,
    /// The parts of the rules it went through, for who wants to know which ones tests reach; never stored.
    pub parts: Vec<Part>,
}

/// The decision on a message that waited.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
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
    pub fn nothing(decision: Decision, state: State, note: impl Into<String>) -> Self {
        Self {
            decision,
            replies: Vec::new(),
            state,
            mark_read: false,
            explanation: Explanation {
                note: Some(note.into()),
                ..Explanation::default()
            },
            notes: Vec::new(),
            actions: Vec::new(),
            concluded: Vec::new(),
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
    NoRule,
    /// Older than `max_age`.
    TooOld,
    /// The person's reply budget is used up.
    OverBudget,
    /// A kind that is never answered (kinds we do not know).
    NotAnswered,
    /// The same words came too often: another bot.
    Loop,
    /// It waits for more messages, or for an action; the last decision on it comes later.
    Waiting,
    /// The person wants nothing from us.
    OptedOut,
    /// A colleague answers this conversation by hand now.
    Human,
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
            Self::NoRule => "no_rule",
            Self::TooOld => "too_old",
            Self::OverBudget => "over_budget",
            Self::NotAnswered => "not_answered",
            Self::Loop => "loop",
            Self::Waiting => "waiting",
            Self::OptedOut => "opted_out",
            Self::Human => "human",
            Self::Failed => "failed",
        }
    }
}

/// How closely rules are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Only those that the index finds.
    Index,
    /// Each one up to the one that ends the search, for people who want to know why.
    Each,
    /// Those behind it too, for people who want to know what else could have answered.
    All,
}

impl Look {
    /// So many rules are told one by one that do not match.
    fn most_told(self) -> usize {
        match self {
            Self::Index | Self::Each => explanation::MOST_TOLD,
            Self::All => usize::MAX,
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
    incoming: Incoming<'_>,
    now: Timestamp,
) -> Turn {
    // Of a few rules each may as well be told.
    let look = if rules.rules.len() <= explanation::MOST_TOLD {
        Look::Each
    } else {
        Look::Index
    };
    Work::new(rules, conversation, now, look).take(incoming)
}

/// The same decision, with an explanation that tells of every rule that was passed over.
#[must_use]
pub fn explain(
    rules: &RuleSet,
    conversation: &Conversation,
    incoming: Incoming<'_>,
    now: Timestamp,
) -> Turn {
    Work::new(rules, conversation, now, Look::Each).take(incoming)
}

/// The same decision, with an explanation that tells of every rule there is: also of those behind the one that answers.
#[must_use]
pub fn explain_all(
    rules: &RuleSet,
    conversation: &Conversation,
    incoming: Incoming<'_>,
    now: Timestamp,
) -> Turn {
    Work::new(rules, conversation, now, Look::All).take(incoming)
}

/// A turn in the making.
struct Work<'a> {
    rules: &'a RuleSet,
    contact: &'a Contact,
    /// The person had never written before what is answered.
    first_contact: bool,
    number: &'a crate::message::PhoneNumberId,
    now: Timestamp,
    look: Look,
    /// Steps of flows that were gone into so far.
    steps: usize,
    /// How many actions led to this turn, one after the other.
    chain: u64,
    turn: Turn,
}

/// What a part of a turn answers to.
#[derive(Clone, Copy)]
struct Cause<'m> {
    message: &'m Inbound,
    /// What patterns caught in it.
    captures: &'m std::collections::BTreeMap<String, String>,
    /// Whether somebody sent it; else it stands for a timer.
    kind: CauseKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CauseKind {
    Message,
    Timer,
}

impl Cause<'_> {
    fn answers(&self) -> Option<Wamid> {
        (self.kind == CauseKind::Message).then(|| self.message.wamid.clone())
    }
}

impl<'a> Work<'a> {
    fn new(rules: &'a RuleSet, conversation: &'a Conversation, now: Timestamp, look: Look) -> Self {
        let turn = Turn {
            decision: Decision::NoRule,
            replies: Vec::new(),
            state: conversation.state.clone(),
            mark_read: false,
            explanation: Explanation::default(),
            notes: Vec::new(),
            actions: Vec::new(),
            concluded: Vec::new(),
            parts: Vec::new(),
        };
        Self {
            rules,
            contact: &conversation.contact,
            first_contact: conversation.messages_before == 0,
            number: &conversation.phone_number_id,
            now,
            look,
            steps: 0,
            chain: 0,
            turn,
        }
    }

    fn take(mut self, incoming: Incoming<'_>) -> Turn {
        self.tidy();
        match incoming {
            Incoming::Message(message) => self.message(message),
            Incoming::Echo(echo) => self.echo(echo),
            Incoming::Timer => self.timer(),
            Incoming::Action { number, outcome } => self.action_ended(number, outcome),
        }
        self.turn
    }
}

#[cfg(test)]
mod tests;

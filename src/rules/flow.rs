//! Flows: questions with checked answers.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use regex::Regex;

use super::answer::{Answer, ReplyTemplate};
use crate::template::{Expression, Template};
use crate::text::normalize::Phrase;

/// A `[flow.NAME]`.
#[derive(Debug)]
pub struct Flow {
    /// The questions, in order; at least one.
    pub steps: Vec<Step>,
    /// Time to wait for an answer.
    pub timeout: Option<Duration>,
    /// Answer when the time is over.
    pub on_timeout: Answer,
    /// Words that go one question back, as a whole message.
    pub back: Vec<Phrase>,
    /// Words that end it, as a whole message.
    pub cancel: Vec<Phrase>,
    /// Answer when it is cancelled.
    pub on_cancel: Answer,
    /// Answer after too many invalid inputs; `None`: the message is left to the rules.
    pub on_give_up: Option<Answer>,
    /// Answer when new rules no longer have the flow or step.
    pub on_gone: Answer,
    /// `[flow.NAME.end]`.
    pub end: Answer,
}

/// A `[[flow.NAME.step]]`.
#[derive(Debug)]
pub struct Step {
    /// Unique in the flow; the name of the answer.
    pub id: String,
    /// `if`: the step is passed over unless it holds.
    pub only_if: Option<Expression>,
    /// The question; none in a step that only branches or goes through a sub-flow.
    pub ask: Vec<ReplyTemplate>,
    /// Accepted input.
    pub accept: Accept,
    /// Must hold of the `answer`.
    pub valid: Option<Expression>,
    /// Said to an answer that is no good, in place of the question.
    pub retry: Vec<ReplyTemplate>,
    /// Number of invalid inputs that are allowed.
    pub retries: u64,
    /// Choices on offer.
    pub choices: Vec<Choice>,
    /// `flow`: a sub-flow whose answers become this step's.
    pub flow: Option<String>,
    /// Where to go after the answer: the first whose condition holds, else the next step.
    pub go: Vec<Branch>,
}

/// Input that a step accepts.
#[derive(Debug)]
pub enum Accept {
    /// Nothing: the step asks nothing.
    Nothing,
    /// Any words.
    Text,
    /// A number.
    Number,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// One of the step's choices.
    Choice,
    /// Words that a pattern is found in.
    Regex(Box<Regex>),
    /// A place.
    Location,
    /// A picture, film, recording or document.
    Media,
}

/// One of the choices of a step.
#[derive(Debug)]
pub struct Choice {
    /// `answer.id`.
    pub id: String,
    /// Title that the contact sees, and may write instead of tapping.
    pub title: Template,
    /// Other words that mean it.
    pub words: Vec<Phrase>,
    /// Where it leads.
    pub go: Option<Target>,
}

/// `go`.
#[derive(Debug)]
pub struct Branch {
    /// Always, when there is none.
    pub only_if: Option<Expression>,
    /// Where to.
    pub to: Target,
}

/// Where a flow goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A step of the same flow.
    Step(String),
    /// `end`: the flow is done.
    End,
    /// `cancel`: the flow is left.
    Cancel,
    /// `flow:NAME`: another flow takes over.
    Flow(String),
}

impl Flow {
    /// Finds a step.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}

impl Display for Target {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(id) => formatter.write_str(id),
            Self::End => formatter.write_str("end"),
            Self::Cancel => formatter.write_str("cancel"),
            Self::Flow(name) => write!(formatter, "flow:{name}"),
        }
    }
}

impl Accept {
    /// The word in rules files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text => "text",
            Self::Number => "number",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Date => "date",
            Self::Time => "time",
            Self::Choice => "choice",
            Self::Regex(_) => "regex",
            Self::Location => "location",
            Self::Media => "media",
        }
    }
}

//! The compiled rules: what [`crate::turn::take`] runs.
//!
//! Made by [`crate::rules::compile()`] from a rules file without diagnostics, so everything in here is
//! already within WhatsApp's limits as far as that can be known without a conversation.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use regex::Regex;

use super::normalise::Phrase;
use super::template::Template;
use crate::message::{Kind, Outbound, RuleId, RulesVersion};

/// The most messages that one rule, and one turn, sends: more at once reads like an attack, and WhatsApp slows
/// down who sends many messages to one person.
pub const REPLIES_MAX: usize = 5;

/// Everything one rules file (with its includes) says.
#[derive(Debug)]
pub struct RuleSet {
    /// Hash of `source`.
    pub version: RulesVersion,
    /// The full text of every file, each under a line with its name: what `rules_versions` keeps.
    pub source: Arc<str>,
    /// `[bot]`.
    pub bot: Bot,
    /// In reading order, includes where they were named.
    pub rules: Vec<Rule>,
}

/// `[bot]`.
#[derive(Debug)]
pub struct Bot {
    /// `{{ bot.name }}`.
    pub name: String,
    /// For times shown to people.
    pub timezone: TimeZone,
    /// BCP 47 tag of the language the texts are written in.
    pub language: String,
    /// Mark messages read, with the typing indicator while a reply is coming.
    pub mark_read: bool,
    /// Older messages are stored, not answered.
    pub max_age: Duration,
    /// Per contact; ends loops with other bots.
    pub reply_budget: ReplyBudget,
    /// How long the bot is quiet in a conversation after a colleague wrote there from the phone app.
    pub human_pause: Duration,
}

/// The most automatic replies one person gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyBudget {
    /// Within any 60 seconds.
    pub per_minute: u32,
    /// Within any 60 minutes.
    pub per_hour: u32,
}

/// One `[[rule]]`.
#[derive(Debug)]
pub struct Rule {
    /// `id`, unique over all files.
    pub id: RuleId,
    /// `when`; a rule without one always matches.
    pub when: Condition,
    /// `reply`, in the order they are sent; may be empty (a rule that answers with silence).
    pub replies: Vec<ReplyTemplate>,
    /// `on_error`: sent in place of `replies` when one of them cannot be sent as it came out.
    pub on_error: Option<ReplyTemplate>,
    /// Answers once per contact within this time.
    pub once: Option<Duration>,
    /// Go on with the next rules after this one answered.
    pub goes_on: bool,
}

/// When a rule matches.
#[derive(Debug)]
pub enum Condition {
    /// No `when`.
    Always,
    /// `first_contact = true`: the person never wrote to this number before.
    FirstContact(bool),
    /// `text.is`: the whole text is one of these.
    TextIs(Vec<Phrase>),
    /// `text.has`: one of these stands in the text as whole words.
    TextHas(Vec<Phrase>),
    /// `text.starts`: the text begins with one of these, at a word border.
    TextStarts(Vec<Phrase>),
    /// `text.matches`: one of these is found in the text as it was written; named captures become `match`.
    TextMatches(Vec<Regex>),
    /// `button`: a button or row with one of these ids was tapped.
    Button(Vec<String>),
    /// `type`.
    Type(Vec<Kind>),
    /// `ad = true`: the message came from an ad or post.
    FromAd(bool),
    /// `ad`: it came from one of these ads or posts, by id.
    Ad(Vec<String>),
    /// `any`, at least one holds.
    Any(Vec<Self>),
    /// `all`, or several keys in one table: every one holds.
    All(Vec<Self>),
    /// `not`.
    Not(Box<Self>),
}

/// A reply before its templates are filled in.
#[derive(Debug)]
pub struct ReplyTemplate {
    /// The message.
    pub content: Outbound<Template>,
    /// `quote`: the message that is answered is quoted above it.
    pub quote: bool,
}

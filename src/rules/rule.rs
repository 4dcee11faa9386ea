//! A compiled rule: its conditions, its examples, and the settings that hold for all rules.
//!
//! Conditions are data; [`crate::engine`] evaluates them. The answer of a rule is in
//! [`super::answer`].

use std::ops::Range;
use std::time::Duration;

use jiff::tz::TimeZone;
use regex::Regex;

use super::answer::{Answer, ReplyTemplate};
use crate::message::{Kind, RuleId};
use crate::template::Expression;
use crate::text::normalize::Phrase;

/// `[bot]`.
#[derive(Debug)]
pub struct Bot {
    /// `{{ bot.name }}`.
    pub name: String,
    /// Time zone of times in texts.
    pub timezone: TimeZone,
    /// BCP 47 tag of the language the texts are written in.
    pub language: String,
    /// Mark messages read, with the typing indicator while a reply is coming.
    pub mark_read: bool,
    /// Older messages are stored, not answered.
    pub max_age: Duration,
    /// Per conversation; ends loops with other bots.
    pub reply_budget: Budget,
    /// Budget of actions per conversation; bounds the requests that one contact can cause.
    pub action_budget: Budget,
    /// Number of identical texts in a row that are taken for another bot; `u32::MAX` for never.
    pub loop_guard: u32,
    /// How long the bot is quiet in a conversation after a colleague wrote there from the phone
    /// app.
    pub human_pause: Duration,
    /// Texts that come within this time of each other are answered together.
    pub debounce: Option<Duration>,
}

/// Maximum number of replies or actions per contact and period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Within any 60 seconds.
    pub per_minute: u32,
    /// Within any 60 minutes.
    pub per_hour: u32,
}

/// `[opt_out]` and `[opt_in]`: words that, as a whole message, end or resume everything.
#[derive(Debug)]
pub struct Words {
    /// Any of them.
    pub words: Vec<Phrase>,
    /// Replies to these words.
    pub replies: Vec<ReplyTemplate>,
    /// `scope` of `[opt_out]`: the numbers of the business for which they count.
    pub scope: OptOutScope,
}

/// Numbers of the business for which an opt-out holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptOutScope {
    /// Every number of the same database.
    #[default]
    All,
    /// The number that the contact wrote to.
    Number,
}

/// One `[[rule]]`.
#[derive(Debug)]
pub struct Rule {
    /// `id`, unique over all files.
    pub id: RuleId,
    /// Where its header stands, among the bytes of all files.
    pub span: Range<usize>,
    /// `when`; a rule without one always matches.
    pub when: Condition,
    /// `anywhere`: also in the middle of a flow.
    pub anywhere: bool,
    /// Replies and effects.
    pub answer: Answer,
    /// Answers once per contact within this time.
    pub once: Option<Duration>,
    /// Go on with the next rules after this one answered.
    pub continues: bool,
    /// Delay of the replies; cancelled when the contact writes before.
    pub after: Option<Duration>,
    /// Share of contacts that the rule answers, above 0 and below 1.
    pub chance: Option<f64>,
    /// Messages that it should answer.
    pub examples: Vec<Example>,
    /// Messages that it should leave to others.
    pub not_examples: Vec<Example>,
}

/// Example of an inbound message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Text of the message.
    pub text: String,
    /// Where it stands, among the bytes of all files.
    pub span: Range<usize>,
}

/// When a rule matches.
#[derive(Debug)]
pub enum Condition {
    /// No `when`.
    Always,
    /// `first_contact = true`: the contact has never written to this number before.
    FirstContact(bool),
    /// `returning_after`: the contact has written before, but not within this time.
    ReturningAfter(Duration),
    /// `text.is`: the whole text is one of these.
    TextIs(Vec<Phrase>),
    /// `text.has`: one of these stands in the text as whole words.
    TextHas(Vec<Phrase>),
    /// `text.starts`: the text begins with one of these, at a word border.
    TextStarts(Vec<Phrase>),
    /// `text.like`: one of these stands in the text, typos forgiven.
    TextLike(Vec<Phrase>),
    /// `text.matches`: one of these is found in the text as it was written; named captures become
    /// `match`.
    TextMatches(Vec<Regex>),
    /// `button`: a button or row with one of these ids was tapped.
    Button(Vec<ButtonPattern>),
    /// `type`.
    Type(Vec<Kind>),
    /// `form`: the answers of one of these forms, by token.
    Form(Vec<String>),
    /// `language` of the contact, with or without a region.
    Language(Vec<String>),
    /// `country` of the contact's phone number, ISO 3166.
    Country(Vec<String>),
    /// `hours = "open"` or `"closed"`.
    Open(bool),
    /// `tag`: the contact has one of these.
    Tag(Vec<String>),
    /// `field`: this one has one of these values, folded; none means any value.
    Field(String, Vec<Phrase>),
    /// `reply_to = true`: the message quotes another.
    ReplyTo(bool),
    /// `forwarded = true`: the message was forwarded.
    Forwarded(bool),
    /// `ad = true`: the message came from an ad or post.
    FromAd(bool),
    /// `ad`: it came from one of these ads or posts, by id.
    Ad(Vec<String>),
    /// `if`.
    If(Box<Expression>),
    /// `any`, at least one holds.
    Any(Vec<Self>),
    /// `all`, or several keys in one table: every one holds.
    All(Vec<Self>),
    /// `not`.
    Not(Box<Self>),
}

impl Condition {
    /// Whether the condition is about the tapped button.
    pub(crate) fn is_about_buttons(&self) -> bool {
        match self {
            Self::Button(_) => true,
            Self::Any(parts) | Self::All(parts) => parts.iter().any(Self::is_about_buttons),
            _ => false,
        }
    }

    /// Whether the condition names a kind of message.
    pub(crate) fn names(&self, kind: Kind) -> bool {
        match self {
            Self::Type(kinds) => kinds.contains(&kind),
            Self::Any(parts) | Self::All(parts) => parts.iter().any(|part| part.names(kind)),
            _ => false,
        }
    }
}

/// The id of a button, in which each `*` stands for anything: `cake:*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonPattern {
    /// As the owner wrote it.
    pub written: String,
}

impl ButtonPattern {
    /// Takes a pattern as the owner wrote it.
    #[must_use]
    pub fn new(written: &str) -> Self {
        let written = written.to_owned();
        Self { written }
    }

    /// Texts that the stars stand for, in order; `None` when the id does not match.
    #[must_use]
    pub fn capture<'i>(&self, id: &'i str) -> Option<Vec<&'i str>> {
        let mut parts = self.written.split('*');
        let mut rest = id.strip_prefix(parts.next().unwrap_or_default())?;
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else {
            return rest.is_empty().then(Vec::new);
        };
        let mut caught = Vec::with_capacity(parts.len());
        for part in middle {
            let at = rest.find(part)?;
            caught.push(&rest[..at]);
            rest = &rest[at + part.len()..];
        }
        caught.push(rest.strip_suffix(last)?);
        Some(caught)
    }

    /// Common prefix of all ids that match.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.written.split('*').next().unwrap_or_default()
    }

    /// Whether it stands for more than one id.
    #[must_use]
    pub fn has_stars(&self) -> bool {
        self.written.contains('*')
    }
}

#[cfg(test)]
mod tests {
    use super::ButtonPattern;

    fn capture(pattern: &str, id: &'static str) -> Option<Vec<&'static str>> {
        ButtonPattern::new(pattern).capture(id)
    }

    #[test]
    fn stars_stand_for_anything_between() {
        assert_eq!(capture("cake:*", "cake:lemon"), Some(vec!["lemon"]));
        assert_eq!(capture("cake:*", "cake:"), Some(vec![""]));
        assert_eq!(capture("cake:*", "cakes"), None);
        assert_eq!(capture("*:s", "tart:s"), Some(vec!["tart"]));
        assert_eq!(capture("a*b*c", "a1b2c"), Some(vec!["1", "2"]));
        assert_eq!(capture("a*b*c", "a1c"), None);
        assert_eq!(capture("yes", "yes"), Some(vec![]));
        assert_eq!(capture("yes", "yes!"), None);
        assert_eq!(capture("a*a", "a"), None);
    }
}

//! The decision on one message: pure, deterministic, explained.
//!
//! [`take`] is the only place where it is decided what to answer; the service, the terminal chat and the tests
//! all call it. It reads no clock and does no IO. Next on the way of a message: [`crate::store`], which
//! calls it inside the transaction that stores the message.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::message::{Content, Conversation, Echo, Inbound, Kind, Outbound, RuleId, State, limits};
use crate::rules::condition::Facts;
use crate::rules::variables::Variables;
use crate::rules::{REPLIES_MAX, ReplyTemplate, Rule, RuleSet};

/// Rules that did not match are told one by one up to here and only counted beyond: the explanation is stored
/// with every message.
const MOST_TOLD: usize = 50;

/// What a turn is taken on.
#[derive(Clone, Copy, Debug)]
pub enum Incoming<'a> {
    /// A person wrote.
    Message(&'a Inbound),
    /// A colleague wrote to the person from the phone app.
    Echo(&'a Echo),
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
            Self::Human => "human",
            Self::Failed => "failed",
        }
    }
}

/// Why a turn came out as it did: stored as JSON beside the message, shown by `history`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The text as the rules saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalised: Option<String>,
    /// Every rule looked at, in order, up to the one that ended the search.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
    /// Rules beyond those that did not match either.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_told: u32,
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
    /// The rule.
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
    /// Its condition holds but `once` keeps it quiet.
    Quiet,
}

/// What became of a rule that matched.
enum Used {
    /// These are its replies.
    Replies(Vec<Reply>),
    /// They would be more than the person's budget.
    OverBudget(&'static str),
    /// A text could not be filled in, or came out longer than WhatsApp takes.
    Failed(String),
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
    let mut turn = Turn {
        decision: Decision::NoRule,
        replies: Vec::new(),
        state: kept_state(rules, conversation, now),
        mark_read: false,
        explanation: Explanation::default(),
    };
    let message = match incoming {
        Incoming::Message(message) => message,
        Incoming::Echo(echo) => {
            hand_over(rules, echo, now, &mut turn);
            return turn;
        }
    };
    if let Content::Other { kind } = &message.content {
        turn.decision = Decision::NotAnswered;
        turn.explanation.note = Some(format!("messages of type `{kind}` are never answered"));
        return turn;
    }
    let age = now.duration_since(message.sent_at);
    if age > signed(rules.bot.max_age) {
        turn.decision = Decision::TooOld;
        turn.explanation.note = Some(format!(
            "it was {} s old, more than `max_age`",
            age.as_secs()
        ));
        return turn;
    }
    if let Some(until) = turn.state.human_until {
        turn.decision = Decision::Human;
        turn.explanation.note = Some(format!("a colleague answers here, until {until}"));
        return turn;
    }
    walk(rules, conversation, message, now, &mut turn);
    // There is nothing to read in a reaction and the like, and Graph refuses their mark.
    turn.mark_read = rules.bot.mark_read
        && !message.content.kind().is_some_and(Kind::is_quiet)
        && matches!(
            turn.decision,
            Decision::Answered | Decision::Silent | Decision::NoRule
        );
    turn
}

/// A colleague wrote from the phone app: the bot is quiet in this conversation for a while.
fn hand_over(rules: &RuleSet, echo: &Echo, now: Timestamp, turn: &mut Turn) {
    turn.decision = Decision::Human;
    let until = echo
        .sent_at
        .saturating_add(signed(rules.bot.human_pause))
        .unwrap_or(Timestamp::MAX);
    if until > now {
        turn.state.human_until = turn.state.human_until.max(Some(until));
    }
}

/// Goes through the rules from top to bottom.
fn walk(
    rules: &RuleSet,
    conversation: &Conversation,
    message: &Inbound,
    now: Timestamp,
    turn: &mut Turn,
) {
    let facts = Facts::of(message, conversation.messages_before == 0);
    turn.explanation.normalised = facts.normalised();
    let quiet_kind = message.content.kind().filter(|kind| kind.is_quiet());
    for rule in &rules.rules {
        if quiet_kind.is_some_and(|kind| !rule.when.names(kind)) {
            continue; // a thumbs-up wants no answer, unless a rule asks for it by name
        }
        let held = rule.when.look(&facts);
        if !held.holds {
            turn.explanation.tell(rule, Verdict::No, held.because);
            continue;
        }
        if let Some(quiet) = quiet(rule, &turn.state, now) {
            turn.explanation.tell(rule, Verdict::Quiet, quiet);
            continue;
        }
        turn.explanation.tell(rule, Verdict::Matched, held.because);
        let contact = &conversation.contact;
        let variables = Variables::new(&rules.bot.name, contact, message, held.captures);
        match use_rule(rules, rule, turn, &variables, now) {
            Used::Replies(replies) => {
                turn.state.replied_at.extend(replies.iter().map(|_| now));
                if rule.once.is_some() {
                    turn.state.once.insert(rule.id.clone(), now);
                }
                if replies.is_empty() && turn.replies.is_empty() {
                    turn.decision = Decision::Silent;
                } else {
                    turn.decision = Decision::Answered;
                }
                turn.replies.extend(replies);
            }
            Used::OverBudget(note) => {
                if turn.replies.is_empty() {
                    turn.decision = Decision::OverBudget;
                }
                turn.explanation.note = Some(note.to_owned());
                return;
            }
            Used::Failed(note) => {
                turn.decision = Decision::Failed;
                turn.explanation.note = Some(format!("rule `{}`: {note}", rule.id));
                return;
            }
        }
        if !rule.goes_on {
            return;
        }
    }
}

/// Fills in a rule's replies and holds them against limits and budget; all of them go, or none.
fn use_rule(
    rules: &RuleSet,
    rule: &Rule,
    turn: &Turn,
    variables: &Variables<'_>,
    now: Timestamp,
) -> Used {
    let replies = match filled(rule, &rule.replies, variables) {
        Ok(replies) => replies,
        Err(failed) => {
            let instead = rule.on_error.as_slice();
            match filled(rule, instead, variables) {
                Ok(replies) if !replies.is_empty() => replies,
                _ => return Used::Failed(failed),
            }
        }
    };
    if turn.replies.len() + replies.len() > REPLIES_MAX {
        return Used::OverBudget("more replies than one message may get");
    }
    let within = |seconds: i64| {
        let since = now
            .saturating_sub(SignedDuration::from_secs(seconds))
            .unwrap_or(Timestamp::MIN);
        turn.state
            .replied_at
            .iter()
            .filter(|at| **at > since)
            .count()
            + replies.len()
    };
    let budget = rules.bot.reply_budget;
    if replies.is_empty() {
        Used::Replies(replies)
    } else if within(60) > budget.per_minute as usize {
        Used::OverBudget("the person's budget of replies per minute is used up")
    } else if within(3600) > budget.per_hour as usize {
        Used::OverBudget("the person's budget of replies per hour is used up")
    } else {
        Used::Replies(replies)
    }
}

/// Fills templates in and holds what comes out against the limits. A text that is too long for one message becomes
/// several; nothing else is cut.
fn filled<'t>(
    rule: &Rule,
    templates: impl IntoIterator<Item = &'t ReplyTemplate>,
    variables: &Variables<'_>,
) -> Result<Vec<Reply>, String> {
    let mut replies = Vec::new();
    for template in templates {
        let content = template
            .fill(variables)
            .map_err(|error| error.to_string())?;
        for content in in_pieces(content) {
            if let Some(breach) = limits::breaches(&content).into_iter().next() {
                return Err(format!("{}: {}", breach.part, breach.message));
            }
            replies.push(Reply {
                rule: rule.id.clone(),
                content,
                quote: template.quote,
            });
        }
    }
    Ok(replies)
}

fn in_pieces(content: Outbound) -> Vec<Outbound> {
    match content {
        Outbound::Text { body, preview_url } if limits::length(&body) > limits::TEXT_MAX => {
            let pieces = limits::split(&body, limits::TEXT_MAX).into_iter();
            pieces
                .map(|piece| Outbound::Text {
                    body: piece.to_owned(),
                    preview_url,
                })
                .collect()
        }
        content => vec![content],
    }
}

/// Why a rule with `once` stays quiet now.
fn quiet(rule: &Rule, state: &State, now: Timestamp) -> Option<String> {
    let (once, answered) = (rule.once?, state.once.get(&rule.id)?);
    let ago = now.duration_since(*answered);
    (ago < signed(once)).then(|| format!("it answered {} s ago, and has `once`", ago.as_secs()))
}

/// The state without what can never matter again.
fn kept_state(rules: &RuleSet, conversation: &Conversation, now: Timestamp) -> State {
    let mut state = conversation.state.clone();
    let hour = SignedDuration::from_hours(1);
    state.human_until.take_if(|until| *until <= now);
    state.replied_at.retain(|at| now.duration_since(*at) < hour);
    state.once.retain(|id, at| {
        let once = rules
            .rules
            .iter()
            .find(|rule| rule.id == *id)
            .and_then(|rule| rule.once);
        once.is_some_and(|once| now.duration_since(*at) < signed(once))
    });
    state
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

impl Explanation {
    fn tell(&mut self, rule: &Rule, verdict: Verdict, because: String) {
        if verdict == Verdict::No && self.considered.len() >= MOST_TOLD {
            self.not_told += 1;
        } else {
            self.considered.push(Considered {
                rule: rule.id.clone(),
                verdict,
                because,
            });
        }
    }
}

#[cfg(test)]
mod tests;

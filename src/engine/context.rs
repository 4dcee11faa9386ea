//! The turn in the making: everything that a decision reads, and the turn that it fills in.
//!
//! A [`TurnContext`] decides nothing itself. It records: events, outcomes, replies within the
//! budget; and it can be rolled back to a savepoint.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::conversation_event::{ConversationEvent, ConversationEventKind};
use super::explanation::Trace;
use super::matching::index::Index;
use super::outcome::{Answered, Outcome, Savepoint};
use super::render::variables::{RenderContext, Variables};
use super::time::{ALBUM_WITHIN, signed};
use super::turn::{Decision, LateDecision, Reply, Turn};
use crate::message::{Contact, Conversation, ConversationState, Inbound, PhoneNumberId, Wamid};
use crate::rules::{Budget, REPLIES_MAX, RuleSet};

/// A turn in the making.
pub(crate) struct TurnContext<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) index: &'a Index,
    pub(super) contact: &'a Contact,
    /// The contact had never written before the answered message.
    pub(super) first_contact: bool,
    pub(super) phone_number_id: &'a PhoneNumberId,
    pub(super) now: Timestamp,
    pub(super) trace: Trace,
    /// Number of flow steps entered so far.
    pub(super) steps: usize,
    /// Number of actions that led to this turn, one after the other.
    pub(super) chain: u64,
    pub(super) turn: Turn,
}

/// The message or timer that triggers an answer, with the captures of the rule that matched.
#[derive(Clone, Copy)]
pub(crate) struct Trigger<'m> {
    /// The message; a stand-in for a timer.
    pub(super) message: &'m Inbound,
    /// Named groups of patterns.
    pub(super) captures: &'m BTreeMap<String, String>,
    pub(super) kind: TriggerKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TriggerKind {
    Message,
    Timer,
}

/// Captures of a trigger that no pattern matched.
pub(crate) static NO_CAPTURES: BTreeMap<String, String> = BTreeMap::new();

impl<'m> Trigger<'m> {
    pub(crate) fn new(message: &'m Inbound, captures: &'m BTreeMap<String, String>) -> Self {
        Self {
            message,
            captures,
            kind: TriggerKind::Message,
        }
    }

    pub(crate) fn from_message(message: &'m Inbound) -> Self {
        Self::new(message, &NO_CAPTURES)
    }

    pub(crate) fn from_timer(stand_in: &'m Inbound) -> Self {
        Self {
            kind: TriggerKind::Timer,
            ..Self::from_message(stand_in)
        }
    }

    /// The answered message; `None` for a timer.
    pub(crate) fn answers(&self) -> Option<Wamid> {
        (self.kind == TriggerKind::Message).then(|| self.message.wamid.clone())
    }
}

impl<'a> TurnContext<'a> {
    pub(crate) fn new(
        (rules, index): (&'a RuleSet, &'a Index),
        conversation: &'a Conversation,
        now: Timestamp,
        trace: Trace,
    ) -> Self {
        Self {
            rules,
            index,
            contact: &conversation.contact,
            first_contact: conversation.inbound_count == 0,
            phone_number_id: &conversation.phone_number_id,
            now,
            trace,
            steps: 0,
            chain: 0,
            turn: Turn::new(Decision::NoMatch, conversation.state.clone()),
        }
    }

    /// Drops expired entries from the state, so that it stays small.
    pub(crate) fn drop_expired(&mut self) {
        let (now, rules) = (self.now, self.rules);
        let hour = SignedDuration::from_hours(1);
        let state = &mut self.turn.state;
        state.replied_at.retain(|at| now.duration_since(*at) < hour);
        state.asked_at.retain(|at| now.duration_since(*at) < hour);
        state.once.retain(|id, at| {
            let once = rules.rule(id.as_str()).and_then(|rule| rule.once);
            once.is_some_and(|once| now.duration_since(*at) < signed(once))
        });
        state
            .album_at
            .take_if(|at| now.duration_since(*at) >= ALBUM_WITHIN);
        if state.handoff_until.take_if(|until| *until <= now).is_some() {
            self.note(ConversationEventKind::HandoffOver, "the bot answers again");
        }
    }

    /// Gathers the variables that texts may use.
    pub(crate) fn variables<'v>(
        &'v self,
        trigger: Trigger<'v>,
        roots: BTreeMap<String, Value>,
    ) -> Variables<'v> {
        Variables::new(RenderContext {
            captures: trigger.captures,
            roots,
            ..self.render_context(trigger.message, &self.turn.state)
        })
    }

    pub(crate) fn render_context<'v>(
        &self,
        message: &'v Inbound,
        state: &'v ConversationState,
    ) -> RenderContext<'v>
    where
        'a: 'v,
    {
        RenderContext {
            rules: self.rules,
            contact: self.contact,
            state,
            message,
            captures: &NO_CAPTURES,
            roots: BTreeMap::new(),
            now: self.now,
        }
    }

    /// Adds an event to the history.
    pub(crate) fn note(&mut self, kind: ConversationEventKind, text: impl Into<String>) {
        let text = text.into();
        let events = &mut self.turn.conversation_events;
        events.push(ConversationEvent { kind, text });
    }

    /// Notes that the bot stopped answering, once until its next reply.
    pub(crate) fn silence(&mut self, kind: ConversationEventKind, text: &str) {
        if !self.turn.state.silenced {
            self.turn.state.silenced = true;
            self.note(kind, text);
        }
    }

    /// Decides that nothing is answered.
    pub(crate) fn stop(&mut self, decision: Decision, note: impl Into<String>) {
        self.turn.decision = decision;
        self.turn.explanation.note = Some(note.into());
    }

    /// Records the outcome of an answer as the decision.
    pub(crate) fn record_outcome(&mut self, answered: Answered<'_>) {
        let Answered {
            source,
            once,
            outcome,
        } = answered;
        if let (Some(id), Outcome::Sent { .. } | Outcome::Pending) = (once, &outcome) {
            self.turn.state.once.insert(id.clone(), self.now);
        }
        let is_first = self.turn.replies.is_empty();
        match outcome {
            Outcome::Sent { replies: 1.. } => self.turn.decision = Decision::Answered,
            Outcome::Sent { replies: 0 } if is_first => self.turn.decision = Decision::Silent,
            Outcome::Scheduled if is_first && self.turn.decision == Decision::NoMatch => {
                self.turn.decision = Decision::Silent;
            }
            Outcome::Sent { replies: 0 } | Outcome::Scheduled => {}
            Outcome::Pending => {
                let note = format!("`{source}` waits for its action");
                self.stop(Decision::Pending, note);
            }
            Outcome::RateLimited(note) => {
                if is_first {
                    self.turn.decision = Decision::RateLimited;
                }
                self.silence(ConversationEventKind::RateLimited, &note);
                self.turn.explanation.note = Some(note);
            }
            Outcome::Failed(note) => {
                self.stop(Decision::Failed, format!("rule `{source}`: {note}"));
            }
            Outcome::StartFlow(start) => {
                let note = format!("rule `{source}`: flow `{}` was not started", start.flow);
                self.stop(Decision::Failed, note);
            }
        }
    }

    /// Turns the decision so far into the late decision on an earlier message.
    pub(crate) fn record_late_decision(&mut self, message: Wamid) {
        let decision = std::mem::replace(&mut self.turn.decision, Decision::Silent);
        let explanation = std::mem::take(&mut self.turn.explanation);
        self.turn.late_decisions.push(LateDecision {
            message,
            decision,
            explanation,
        });
    }

    /// Records the state and the lengths of the turn, for [`Self::rollback`].
    pub(crate) fn savepoint(&self) -> Savepoint {
        let turn = &self.turn;
        Savepoint {
            state: turn.state.clone(),
            replies: turn.replies.len(),
            actions: turn.actions.len(),
            conversation_events: turn.conversation_events.len(),
            coverage: turn.coverage.len(),
        }
    }

    /// Undoes everything that happened since a savepoint.
    pub(crate) fn rollback(&mut self, before: Savepoint) {
        let turn = &mut self.turn;
        turn.state = before.state;
        turn.replies.truncate(before.replies);
        turn.actions.truncate(before.actions);
        turn.conversation_events
            .truncate(before.conversation_events);
        turn.coverage.truncate(before.coverage);
    }

    /// Adds replies, unless they exceed the contact's budget.
    pub(crate) fn push_replies(&mut self, replies: Vec<Reply>) -> Outcome<'a> {
        let count = replies.len();
        if count == 0 {
            return Outcome::Sent { replies: 0 };
        }
        if self.turn.replies.len() + count > REPLIES_MAX {
            return Outcome::RateLimited("more replies than one message may get".to_owned());
        }
        let replied_at = &self.turn.state.replied_at;
        if let Some(span) = self.exceeded(self.rules.bot.reply_budget, replied_at, count) {
            let note = format!("the contact's budget of replies per {span} is used up");
            return Outcome::RateLimited(note);
        }
        let times = std::iter::repeat_n(self.now, count);
        self.turn.state.replied_at.extend(times);
        self.turn.state.silenced = false;
        self.turn.replies.extend(replies);
        Outcome::Sent { replies: count }
    }

    /// Finds the span of a budget that `additional` uses would exceed: any 60 seconds, a `minute`,
    /// or any 60 minutes, an `hour`.
    pub(crate) fn exceeded(
        &self,
        budget: Budget,
        used_at: &[Timestamp],
        additional: usize,
    ) -> Option<&'static str> {
        let within = |seconds: i64| {
            let since = self.now.saturating_sub(SignedDuration::from_secs(seconds));
            let since = since.unwrap_or(Timestamp::MIN);
            used_at.iter().filter(|at| **at > since).count() + additional
        };
        if within(60) > budget.per_minute as usize {
            Some("minute")
        } else if within(3600) > budget.per_hour as usize {
            Some("hour")
        } else {
            None
        }
    }
}

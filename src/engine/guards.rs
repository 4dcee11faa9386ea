//! What is looked at before any rule: age, opt-out, colleagues, loops, bursts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::select::stable_hash;
use super::{
    ConversationEvent, ConversationEventKind, Decision, Explanation, LateDecision, TurnContext,
};
use crate::engine::matching::evaluate::rough;
use crate::message::{Content, Debounce, Echo, Inbound, Kind, Repeated};
use crate::rules::Words;
use crate::text::normalize::NormalizedText;

/// The same words within this time of each other are repeated, later they are said again.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// So many texts make a debounce; more are answered at once.
const BURST_MAX: usize = 20;

impl TurnContext<'_> {
    /// Leaves out of the state what can never matter again.
    pub(crate) fn tidy(&mut self) {
        let now = self.now;
        let hour = SignedDuration::from_hours(1);
        let state = &mut self.turn.state;
        state.replied_at.retain(|at| now.duration_since(*at) < hour);
        state.asked_at.retain(|at| now.duration_since(*at) < hour);
        let rules = self.rules;
        state.once.retain(|id, at| {
            let once = rules.rule(id.as_str()).and_then(|rule| rule.once);
            once.is_some_and(|once| now.duration_since(*at) < signed(once))
        });
        if state.handoff_until.take_if(|until| *until <= now).is_some() {
            self.note(ConversationEventKind::HandoffOver, "the bot answers again");
        }
    }

    /// Decides on a message.
    pub(crate) fn message(&mut self, message: &Inbound) {
        if let Content::Other { kind } = &message.content {
            self.turn.decision = Decision::Unsupported;
            let note = format!("messages of type `{kind}` are never answered");
            self.turn.explanation.note = Some(note);
            return;
        }
        let is_quiet = message.content.kind().is_some_and(Kind::is_quiet);
        if !is_quiet {
            // Who writes needs no reminder.
            self.turn.state.scheduled.clear();
        }
        let before = self.state_to_look_behind();
        if self.is_stopped(message, is_quiet) {
            if let Some(before) = before {
                self.look_behind(message, &before);
            }
            if !is_quiet {
                self.turn.state.last_inbound_at = Some(self.now);
            }
            return;
        }
        self.turn.mark_read = self.rules.bot.mark_read && !is_quiet;
        if self.waits(message) {
            self.turn.state.last_inbound_at = Some(self.now);
            return;
        }
        if !is_quiet {
            self.end_burst();
            self.end_overdue_flow(message);
            self.turn.decision = Decision::NoMatch;
        }
        self.decide(message);
        if !is_quiet {
            self.turn.state.last_inbound_at = Some(self.now);
        }
        // There is nothing to read in a reaction and the like, and Graph refuses their mark.
        self.turn.mark_read &= matches!(
            self.turn.decision,
            Decision::Answered | Decision::Silent | Decision::NoMatch | Decision::Pending
        );
    }

    /// A flow, or the rules.
    pub(crate) fn decide(&mut self, message: &Inbound) {
        let before = self.state_to_look_behind();
        if !self.decide_in_flow(message) {
            self.walk(message, super::select::RuleFilter::All);
        }
        if let Some(before) = before {
            self.look_behind(message, &before);
        }
    }

    fn is_stopped(&mut self, message: &Inbound, is_quiet: bool) -> bool {
        // What the person wants holds however late it comes; only the answer to it may come too
        // late.
        if self.opts(message) {
            return true;
        }
        if let Some(note) = self.too_old(message) {
            return self.stop(Decision::TooOld, note);
        }
        if self.turn.state.opted_out_at.is_some() {
            let note = "the person wants nothing from us".to_owned();
            return self.stop(Decision::OptedOut, note);
        }
        if let Some(until) = self.turn.state.handoff_until {
            let note = format!("a colleague answers here, until {until}");
            return self.stop(Decision::HandedOff, note);
        }
        !is_quiet && self.is_loop(message)
    }

    /// How old a message is that is older than `max_age`.
    fn too_old(&self, message: &Inbound) -> Option<String> {
        let age = self.now.duration_since(message.sent_at);
        let is_old = age > signed(self.rules.bot.max_age);
        is_old.then(|| format!("it was {} s old, more than `max_age`", age.as_secs()))
    }

    fn stop(&mut self, decision: Decision, note: String) -> bool {
        self.turn.decision = decision;
        self.turn.explanation.note = Some(note);
        true
    }

    /// The words that end and resume everything; each as a whole message.
    fn opts(&mut self, message: &Inbound) -> bool {
        let Content::Text { body } = &message.content else {
            return false;
        };
        if self.rules.opt_out.is_none() && self.rules.opt_in.is_none() {
            return false;
        }
        let folded = NormalizedText::new(body);
        let said = |words: &Words| words.words.iter().find(|word| folded.is(word)).cloned();
        let rules = self.rules;
        let is_out = self.turn.state.opted_out_at.is_some();
        let (words, kind, text) = match (&rules.opt_out, &rules.opt_in) {
            (Some(words), _) if said(words).is_some() => (
                words,
                ConversationEventKind::OptedOut,
                "the person wants nothing from us",
            ),
            (_, Some(words)) if is_out && said(words).is_some() => (
                words,
                ConversationEventKind::OptedIn,
                "the person wants to hear from us again",
            ),
            _ => return false,
        };
        let because = said(words).map_or_else(String::new, |word| {
            format!("\"{}\" is the text", word.written)
        });
        let state = &mut self.turn.state;
        if kind == ConversationEventKind::OptedOut {
            state.opted_out_at = state.opted_out_at.or(Some(self.now));
            // Nothing that was to come comes.
            state.run = None;
            state.scheduled.clear();
            let debounce = state.debounce.take();
            let waited = debounce.into_iter().flat_map(|debounce| debounce.messages);
            let late_decisions = waited.map(|message| LateDecision {
                message: message.wamid,
                decision: Decision::OptedOut,
                explanation: Explanation::default(),
            });
            self.turn.late_decisions.extend(late_decisions);
            let state = &mut self.turn.state;
            state.pending_actions.clear();
        } else {
            state.opted_out_at = None;
        }
        self.note(kind, text);
        self.turn.explanation.normalized = Some(folded.joined());
        if let Some(note) = self.too_old(message) {
            return self.stop(Decision::TooOld, note);
        }
        self.say_words(message, words, kind, because);
        true
    }

    /// The same words again and again are the work of another bot.
    fn is_loop(&mut self, message: &Inbound) -> bool {
        let Some(words) = message.content.words() else {
            return false;
        };
        let folded = NormalizedText::new(words);
        let words = stable_hash(&[&folded.joined()]);
        let now = self.now;
        let repeated = &mut self.turn.state.repeated;
        let before = repeated
            .take()
            .filter(|one| one.words == words && now.duration_since(one.at) < REPEATED_WITHIN);
        let times = before.map_or(0, |one| one.times) + 1;
        *repeated = Some(Repeated {
            words,
            times,
            at: now,
        });
        if times < self.rules.bot.loop_guard {
            return false;
        }
        let note = format!("the same words came {times} times in a row, which only a bot does");
        self.silence(ConversationEventKind::Loop, &note);
        self.stop(Decision::LoopDetected, note)
    }

    /// Tells once that the bot stopped answering.
    pub(crate) fn silence(&mut self, kind: ConversationEventKind, text: &str) {
        if !self.turn.state.silenced {
            self.turn.state.silenced = true;
            self.note(kind, text);
        }
    }

    pub(crate) fn note(&mut self, kind: ConversationEventKind, text: impl Into<String>) {
        let text = text.into();
        self.turn
            .conversation_events
            .push(ConversationEvent { kind, text });
    }

    /// Puts a text aside until no more of them come.
    fn waits(&mut self, message: &Inbound) -> bool {
        let Some(settle) = self.rules.bot.debounce else {
            return false;
        };
        // A question wants its answer at once.
        let is_text = matches!(message.content, Content::Text { .. });
        if !is_text || self.turn.state.run.is_some() {
            return false;
        }
        let due = after(self.now, settle);
        let (first_contact, last_inbound_at) =
            (self.first_contact, self.turn.state.last_inbound_at);
        let debounce = self.turn.state.debounce.get_or_insert_with(|| Debounce {
            messages: Vec::new(),
            due,
            first_contact,
            last_inbound_at,
        });
        debounce.messages.push(Inbound {
            raw: String::new(),
            ..message.clone()
        });
        debounce.due = due;
        if debounce.messages.len() >= BURST_MAX {
            debounce.due = self.now;
        }
        let note = format!(
            "it waits {} for more to answer together",
            rough(signed(settle))
        );
        self.stop(Decision::Pending, note)
    }

    /// A colleague wrote from the phone app: the bot is quiet in this conversation for a while.
    pub(crate) fn echo(&mut self, echo: &Echo) {
        self.turn.decision = Decision::HandedOff;
        let until = after(echo.sent_at, self.rules.bot.human_pause);
        if until > self.now {
            let state = &mut self.turn.state;
            state.handoff_until = state.handoff_until.max(Some(until));
            state.run = None;
            state.scheduled.clear();
        }
    }
}

/// A time after another.
pub(crate) fn after(start: Timestamp, by: Duration) -> Timestamp {
    start.saturating_add(signed(by)).unwrap_or(Timestamp::MAX)
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

//! Through the rules, from top to bottom.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::guards::{after, signed};
use super::respond::Used;
use super::{
    Considered, ConversationEventKind, Decision, Part, Trace, Trigger, TriggerKind, TurnContext,
    Verdict,
};
use crate::engine::matching::evaluate::{MatchContext, rough};
use crate::engine::render::variables::RenderContext;
use crate::message::{
    Contact, ConversationState, Inbound, Kind, RuleId, ScheduledReply, UserId, WaId,
};
use crate::rules::Rule;

/// Which rules are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleFilter {
    /// Each.
    All,
    /// Those with `anywhere`: a flow is under way.
    Anywhere,
    /// Those and the ones that are about buttons: one was tapped that is not of the flow's
    /// question.
    Buttons,
}

/// How a walk ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// A rule ended it.
    Used,
    /// No rule did anything that ends it.
    Through,
}

impl<'a> TurnContext<'a> {
    /// Goes through the rules from top to bottom.
    pub(crate) fn walk(&mut self, message: &Inbound, which: RuleFilter) -> Selection {
        let rules = self.rules;
        let nothing = BTreeMap::new();
        // Rules see the person as before this message, whatever an earlier rule changed.
        let state = self.turn.state.clone();
        let context = self.context(message, &state, &nothing);
        self.turn.explanation.normalized = context.normalized();
        let quiet_kind = message.content.kind().filter(|kind| kind.is_quiet());
        let places = match self.trace {
            Trace::Matched => rules.index.candidates(&context),
            Trace::Considered | Trace::Everything => (0..rules.rules.len()).collect(),
        };
        let mut next = 0;
        for place in places {
            let rule = &rules.rules[place];
            self.turn.explanation.not_told += u32::try_from(place - next).unwrap_or(u32::MAX);
            next = place + 1;
            if !is_asked(rule, which, quiet_kind) {
                continue;
            }
            let held = rule.when.look(&context);
            if !held.holds {
                let most = self.trace.most_told();
                self.turn.explanation.tell_no(rule, held.because, most);
                continue;
            }
            if let Some(suppressed_because) = self.suppressed_because(rule) {
                self.turn
                    .explanation
                    .tell(rule, Verdict::Quiet, suppressed_because);
                continue;
            }
            let because = self.with_arm(rule, held.because);
            self.turn.explanation.tell(rule, Verdict::Matched, because);
            let trigger = Trigger {
                message,
                captures: &held.captures,
                kind: TriggerKind::Message,
            };
            if !self.use_rule(rule, trigger) || !rule.continues {
                return Selection::Used;
            }
        }
        let behind = rules.rules.len() - next;
        self.turn.explanation.not_told += u32::try_from(behind).unwrap_or(u32::MAX);
        Selection::Through
    }

    fn context<'f>(
        &self,
        message: &'f Inbound,
        state: &'f ConversationState,
        captures: &'f BTreeMap<String, String>,
    ) -> MatchContext<'f>
    where
        'a: 'f,
    {
        let scene = RenderContext {
            rules: self.rules,
            contact: self.contact,
            state,
            message,
            captures,
            roots: BTreeMap::new(),
            now: self.now,
        };
        MatchContext::of(scene, self.first_contact)
    }

    /// The state as it is now, for [`Self::look_behind`]; `None` when nobody asks for that.
    pub(crate) fn state_to_look_behind(&self) -> Option<ConversationState> {
        (self.trace == Trace::Everything).then(|| self.turn.state.clone())
    }

    /// Tells what would have become of the rules that nobody looked at, the person being as before
    /// the message. Nothing is done.
    pub(crate) fn look_behind(&mut self, message: &Inbound, before: &ConversationState) {
        let nothing = BTreeMap::new();
        let context = self.context(message, before, &nothing);
        let told = self.turn.explanation.considered.iter();
        let told: BTreeSet<RuleId> = told.map(|one| one.rule.clone()).collect();
        let rules = self.rules.rules.iter();
        let behind = rules.filter(|rule| !told.contains(&rule.id)).map(|rule| {
            let held = rule.when.look(&context);
            let (verdict, because) = if !held.holds {
                (Verdict::No, held.because)
            } else if before.run.is_some() && !rule.anywhere {
                let because = "a flow is under way, and it has no `anywhere`; else";
                (Verdict::No, format!("{because} {}", held.because))
            } else if let Some(suppressed_because) = self.suppressed_because(rule) {
                (Verdict::Quiet, suppressed_because)
            } else {
                (Verdict::Matched, held.because)
            };
            Considered {
                rule: rule.id.clone(),
                verdict,
                because,
            }
        });
        let behind = behind.collect();
        let explanation = &mut self.turn.explanation;
        explanation.behind = behind;
        explanation.normalized = explanation
            .normalized
            .take()
            .or_else(|| context.normalized());
    }

    /// Does what a rule says; whether the search may go on.
    pub(crate) fn use_rule(&mut self, rule: &Rule, trigger: Trigger<'_>) -> bool {
        self.turn.parts.push(Part::of(&rule.id));
        if let Some(wait) = rule.after {
            self.put_off(rule, trigger, after(self.now, wait));
            return true;
        }
        let used = self.answer(&rule.id, &rule.answer, trigger, BTreeMap::new());
        self.conclude(rule.id.as_str(), used, rule.once.is_some().then_some(rule))
    }

    /// Writes down what came of an answer; whether the search may go on.
    pub(crate) fn conclude(&mut self, source: &str, used: Used, once: Option<&Rule>) -> bool {
        match used {
            Used::Said { replies } => {
                if let Some(rule) = once {
                    self.turn.state.once.insert(rule.id.clone(), self.now);
                }
                if replies > 0 {
                    self.turn.decision = Decision::Answered;
                } else if self.turn.replies.is_empty() {
                    self.turn.decision = Decision::Silent;
                }
                true
            }
            Used::Waits => {
                if let Some(rule) = once {
                    self.turn.state.once.insert(rule.id.clone(), self.now);
                }
                self.turn.decision = Decision::Pending;
                self.turn.explanation.note = Some(format!("`{source}` waits for its action"));
                false
            }
            Used::OverBudget(note) => {
                if self.turn.replies.is_empty() {
                    self.turn.decision = Decision::RateLimited;
                }
                self.silence(ConversationEventKind::OverBudget, note);
                self.turn.explanation.note = Some(note.to_owned());
                false
            }
            Used::Failed(note) => {
                self.turn.decision = Decision::Failed;
                self.turn.explanation.note = Some(format!("rule `{source}`: {note}"));
                false
            }
        }
    }

    /// A reply that comes later, unless the person writes before.
    fn put_off(&mut self, rule: &Rule, trigger: Trigger<'_>, due: Timestamp) {
        let state = &mut self.turn.state;
        state
            .scheduled
            .retain(|scheduled| scheduled.rule != rule.id);
        state.scheduled.push(ScheduledReply {
            rule: rule.id.clone(),
            due,
            message: Inbound {
                raw: String::new(),
                ..trigger.message.clone()
            },
            captures: trigger.captures.clone(),
        });
        if self.turn.replies.is_empty() && self.turn.decision == Decision::NoMatch {
            self.turn.decision = Decision::Silent;
        }
    }

    /// Why a rule that matches stays quiet.
    pub(crate) fn suppressed_because(&self, rule: &Rule) -> Option<String> {
        if let Some(ago) = answered_ago(rule, &self.turn.state, self.now) {
            return Some(format!("it answered {ago} ago, and has `once`"));
        }
        let chance = rule.chance?;
        let drawn = draw(rule, self.contact);
        (drawn >= chance).then(|| format!("arm B of `chance`: they drew {drawn:.3}"))
    }

    /// Records which arm of a test with `chance` the person is in.
    pub(crate) fn with_arm(&self, rule: &Rule, because: String) -> String {
        if rule.chance.is_none() {
            return because;
        }
        let drawn = draw(rule, self.contact);
        format!("{because}; arm A of `chance`: they drew {drawn:.3}")
    }
}

fn is_asked(rule: &Rule, which: RuleFilter, quiet_kind: Option<Kind>) -> bool {
    // A thumbs-up wants no answer, unless a rule asks for it by name.
    let named = quiet_kind.is_none_or(|kind| rule.when.names(kind));
    let may_come = match which {
        RuleFilter::All => true,
        RuleFilter::Anywhere => rule.anywhere,
        RuleFilter::Buttons => rule.anywhere || rule.when.is_about_buttons(),
    };
    named && may_come
}

fn answered_ago(rule: &Rule, state: &ConversationState, now: Timestamp) -> Option<String> {
    let (once, answered) = (rule.once?, state.once.get(&rule.id)?);
    let ago = now.duration_since(*answered);
    (ago < signed(once)).then(|| rough(ago))
}

/// What a person draws for a rule, from 0 up to 1: the same each time, and another for each rule.
fn draw(rule: &Rule, contact: &Contact) -> f64 {
    let who = contact.identity.wa_id().map(WaId::as_str);
    let who = who.or_else(|| contact.identity.user_id().map(UserId::as_str));
    let number = stable_hash(&[rule.id.as_str(), who.unwrap_or_default()]);
    // 20 bits are fine enough, and exact.
    f64::from(u32::try_from(number >> 44).unwrap_or(0)) / f64::from(1_u32 << 20)
}

/// A hash that is the same on every machine and in every version: FNV-1a, with its bits mixed at
/// the end.
pub(crate) fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

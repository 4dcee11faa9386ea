//! Through the rules, from top to bottom.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::guards::{after, signed};
use super::respond::Used;
use super::{Cause, CauseKind, Considered, Decision, Look, NoteKind, Part, Verdict, Work};
use crate::engine::matching::evaluate::{Facts, rough};
use crate::engine::render::variables::Scene;
use crate::message::{Contact, Inbound, Kind, Later, RuleId, State, UserId, WaId};
use crate::rules::Rule;

/// Which rules are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Each.
    All,
    /// Those with `anywhere`: a flow is under way.
    Anywhere,
    /// Those and the ones that are about buttons: one was tapped that is not of the flow's question.
    Buttons,
}

/// How a walk ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walked {
    /// A rule ended it.
    Used,
    /// No rule did anything that ends it.
    Through,
}

impl<'a> Work<'a> {
    /// Goes through the rules from top to bottom.
    pub(crate) fn walk(&mut self, message: &Inbound, which: Which) -> Walked {
        let rules = self.rules;
        let nothing = BTreeMap::new();
        // Rules see the person as before this message, whatever an earlier rule changed.
        let state = self.turn.state.clone();
        let facts = self.facts(message, &state, &nothing);
        self.turn.explanation.normalised = facts.normalised();
        let quiet_kind = message.content.kind().filter(|kind| kind.is_quiet());
        let places = match self.look {
            Look::Index => rules.index.candidates(&facts),
            Look::Each | Look::All => (0..rules.rules.len()).collect(),
        };
        let mut next = 0;
        for place in places {
            let rule = &rules.rules[place];
            self.turn.explanation.not_told += u32::try_from(place - next).unwrap_or(u32::MAX);
            next = place + 1;
            if !is_asked(rule, which, quiet_kind) {
                continue;
            }
            let held = rule.when.look(&facts);
            if !held.holds {
                let most = self.look.most_told();
                self.turn.explanation.tell_no(rule, held.because, most);
                continue;
            }
            if let Some(quiet) = self.quiet(rule) {
                self.turn.explanation.tell(rule, Verdict::Quiet, quiet);
                continue;
            }
            let because = self.with_arm(rule, held.because);
            self.turn.explanation.tell(rule, Verdict::Matched, because);
            let cause = Cause {
                message,
                captures: &held.captures,
                kind: CauseKind::Message,
            };
            if !self.use_rule(rule, cause) || !rule.goes_on {
                return Walked::Used;
            }
        }
        let behind = rules.rules.len() - next;
        self.turn.explanation.not_told += u32::try_from(behind).unwrap_or(u32::MAX);
        Walked::Through
    }

    fn facts<'f>(
        &self,
        message: &'f Inbound,
        state: &'f State,
        captures: &'f BTreeMap<String, String>,
    ) -> Facts<'f>
    where
        'a: 'f,
    {
        let scene = Scene {
            rules: self.rules,
            contact: self.contact,
            state,
            message,
            captures,
            roots: BTreeMap::new(),
            now: self.now,
        };
        Facts::of(scene, self.first_contact)
    }

    /// The state as it is now, for [`Self::look_behind`]; `None` when nobody asks for that.
    pub(crate) fn state_to_look_behind(&self) -> Option<State> {
        (self.look == Look::All).then(|| self.turn.state.clone())
    }

    /// Tells what would have become of the rules that nobody looked at, the person being as before the message.
    /// Nothing is done.
    pub(crate) fn look_behind(&mut self, message: &Inbound, before: &State) {
        let nothing = BTreeMap::new();
        let facts = self.facts(message, before, &nothing);
        let told = self.turn.explanation.considered.iter();
        let told: BTreeSet<RuleId> = told.map(|one| one.rule.clone()).collect();
        let rules = self.rules.rules.iter();
        let behind = rules.filter(|rule| !told.contains(&rule.id)).map(|rule| {
            let held = rule.when.look(&facts);
            let (verdict, because) = if !held.holds {
                (Verdict::No, held.because)
            } else if before.run.is_some() && !rule.anywhere {
                let because = "a flow is under way, and it has no `anywhere`; else";
                (Verdict::No, format!("{because} {}", held.because))
            } else if let Some(quiet) = self.quiet(rule) {
                (Verdict::Quiet, quiet)
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
        explanation.normalised = explanation.normalised.take().or_else(|| facts.normalised());
    }

    /// Does what a rule says; whether the search may go on.
    pub(crate) fn use_rule(&mut self, rule: &Rule, cause: Cause<'_>) -> bool {
        self.turn.parts.push(Part::of(&rule.id));
        if let Some(wait) = rule.after {
            self.put_off(rule, cause, after(self.now, wait));
            return true;
        }
        let used = self.answer(&rule.id, &rule.answer, cause, BTreeMap::new());
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
                self.turn.decision = Decision::Waiting;
                self.turn.explanation.note = Some(format!("`{source}` waits for its action"));
                false
            }
            Used::OverBudget(note) => {
                if self.turn.replies.is_empty() {
                    self.turn.decision = Decision::OverBudget;
                }
                self.silence(NoteKind::OverBudget, note);
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
    fn put_off(&mut self, rule: &Rule, cause: Cause<'_>, due: Timestamp) {
        let state = &mut self.turn.state;
        state.later.retain(|later| later.rule != rule.id);
        state.later.push(Later {
            rule: rule.id.clone(),
            due,
            message: Inbound {
                raw: String::new(),
                ..cause.message.clone()
            },
            captures: cause.captures.clone(),
        });
        if self.turn.replies.is_empty() && self.turn.decision == Decision::NoRule {
            self.turn.decision = Decision::Silent;
        }
    }

    /// Why a rule that matches stays quiet.
    pub(crate) fn quiet(&self, rule: &Rule) -> Option<String> {
        if let Some(ago) = said_ago(rule, &self.turn.state, self.now) {
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

fn is_asked(rule: &Rule, which: Which, quiet_kind: Option<Kind>) -> bool {
    // A thumbs-up wants no answer, unless a rule asks for it by name.
    let named = quiet_kind.is_none_or(|kind| rule.when.names(kind));
    let may_come = match which {
        Which::All => true,
        Which::Anywhere => rule.anywhere,
        Which::Buttons => rule.anywhere || rule.when.is_about_buttons(),
    };
    named && may_come
}

fn said_ago(rule: &Rule, state: &State, now: Timestamp) -> Option<String> {
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

/// A hash that is the same on every machine and in every version: FNV-1a, with its bits mixed at the end.
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

//! Selects the rules that answer a message, from top to bottom.

use std::collections::{BTreeMap, BTreeSet};
use std::vec;

use jiff::Timestamp;

use super::context::TurnContext;
use super::experiment::draw;
use super::explanation::{Considered, Trace, Verdict};
use super::matching::evaluate::MatchContext;
use super::time::{ALBUM_WITHIN, rough, signed};
use crate::message::{ConversationState, Inbound, Kind, RuleId};
use crate::rules::Rule;
use crate::text::normalize::NormalizedText;

/// Rules that take part in a selection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleFilter {
    /// Every rule.
    All,
    /// Rules with `anywhere`: a flow is under way.
    Anywhere,
    /// Rules with `anywhere` and rules about buttons: the tapped button does not belong to the
    /// flow's question.
    Buttons,
}

/// Selection of the rules that match a message, one after the other.
pub(crate) struct Selection<'m> {
    message: &'m Inbound,
    context: MatchContext<'m>,
    filter: RuleFilter,
    quiet_kind: Option<Kind>,
    /// Places of the rules to evaluate.
    places: vec::IntoIter<usize>,
    /// Place behind the last evaluated rule.
    next: usize,
    /// Set when a rule has answered the album that the message belongs to; the selection ends there.
    pub(super) album: Option<&'m RuleId>,
}

impl<'m> Selection<'m> {
    /// Begins a selection. The rules see the contact as in `state`, whatever an earlier rule of the
    /// same selection changes.
    pub(crate) fn new<'a: 'm>(
        ctx: &mut TurnContext<'a>,
        message: &'m Inbound,
        state: &'m ConversationState,
        filter: RuleFilter,
    ) -> Self {
        let context = MatchContext::new(ctx.render_context(message, state), ctx.first_contact);
        ctx.turn.explanation.normalized = context.text().map(NormalizedText::joined);
        let places = match ctx.trace {
            Trace::Matched => ctx.index.candidates(&context),
            Trace::Considered | Trace::Everything => (0..ctx.rules.rules.len()).collect(),
        };
        Self {
            message,
            context,
            filter,
            quiet_kind: message.content.kind().filter(|kind| kind.is_quiet()),
            places: places.into_iter(),
            next: 0,
            album: None,
        }
    }

    /// Finds the next rule that matches and is not suppressed, with the captures of its patterns.
    pub(crate) fn next<'a: 'm>(
        &mut self,
        ctx: &mut TurnContext<'a>,
    ) -> Option<(&'a Rule, BTreeMap<String, String>)> {
        let rules = &ctx.rules.rules;
        for place in self.places.by_ref() {
            let rule = &rules[place];
            ctx.turn.explanation.count_unlisted(place - self.next);
            self.next = place + 1;
            if !takes_part(rule, self.filter, self.quiet_kind) {
                continue;
            }
            let evaluation = rule.when.evaluate(&self.context);
            if !evaluation.holds {
                let considered_max = ctx.trace.considered_max();
                let because = evaluation.because;
                let explanation = &mut ctx.turn.explanation;
                explanation.record_mismatch(rule, because, considered_max);
                continue;
            }
            let id = rule.id.clone();
            if let Some(because) = suppressed_because(ctx, rule) {
                ctx.turn.explanation.record(id, Verdict::Quiet, because);
                if self.filter == RuleFilter::All && is_of_album(ctx, rule, self.message) {
                    self.album = Some(&rule.id);
                    ctx.turn.state.album_at = Some(self.message.sent_at);
                    break;
                }
                continue;
            }
            let because = with_arm(ctx, rule, evaluation.because);
            ctx.turn.explanation.record(id, Verdict::Matched, because);
            return Some((rule, evaluation.captures));
        }
        ctx.turn.explanation.count_unlisted(rules.len() - self.next);
        self.next = rules.len();
        None
    }
}

/// Whether a rule with `once` has just answered an earlier file of the same album: what is left
/// to the rules below are other messages. Each file may come a minute after the one before it: a
/// slow connection uploads them one by one.
fn is_of_album(ctx: &TurnContext<'_>, rule: &Rule, message: &Inbound) -> bool {
    let state = &ctx.turn.state;
    let answered = state.once.get(&rule.id).filter(|_| rule.once.is_some());
    let newest = answered.map(|at| state.album_at.map_or(*at, |file| file.max(*at)));
    !rule.continues
        && message.content.is_album_file()
        && newest.is_some_and(|at| message.sent_at.duration_since(at) < ALBUM_WITHIN)
}

fn takes_part(rule: &Rule, filter: RuleFilter, quiet_kind: Option<Kind>) -> bool {
    // A thumbs-up wants no answer, unless a rule asks for it by name.
    let named = quiet_kind.is_none_or(|kind| rule.when.names(kind));
    let passes = match filter {
        RuleFilter::All => true,
        RuleFilter::Anywhere => rule.anywhere,
        RuleFilter::Buttons => rule.anywhere || rule.when.is_about_buttons(),
    };
    named && passes
}

/// Copies the state for [`explain_rest`]; `None` when the trace does not include the rest.
pub(crate) fn state_for_rest(ctx: &TurnContext<'_>) -> Option<ConversationState> {
    (ctx.trace == Trace::Everything).then(|| ctx.turn.state.clone())
}

/// Explains the rules that were not evaluated, with the contact as before the message. Has no
/// effects.
pub(crate) fn explain_rest(
    ctx: &mut TurnContext<'_>,
    message: &Inbound,
    before: &ConversationState,
) {
    let context = MatchContext::new(ctx.render_context(message, before), ctx.first_contact);
    let considered = ctx.turn.explanation.considered.iter();
    let considered: BTreeSet<&RuleId> = considered.map(|verdict| &verdict.rule).collect();
    let rules = ctx.rules.rules.iter();
    let rest = rules.filter(|rule| !considered.contains(&rule.id));
    let behind = rest.map(|rule| {
        let evaluation = rule.when.evaluate(&context);
        let (verdict, because) = if !evaluation.holds {
            (Verdict::No, evaluation.because)
        } else if before.run.is_some() && !rule.anywhere {
            let because = "a flow is under way, and it has no `anywhere`; else";
            (Verdict::No, format!("{because} {}", evaluation.because))
        } else if let Some(because) = suppressed_because(ctx, rule) {
            (Verdict::Quiet, because)
        } else {
            (Verdict::Matched, evaluation.because)
        };
        Considered {
            rule: rule.id.clone(),
            verdict,
            because,
        }
    });
    let behind = behind.collect();
    let explanation = &mut ctx.turn.explanation;
    explanation.behind = behind;
    if explanation.normalized.is_none() {
        explanation.normalized = context.text().map(NormalizedText::joined);
    }
}

/// Finds the reason why a rule that matches is suppressed.
pub(crate) fn suppressed_because(ctx: &TurnContext<'_>, rule: &Rule) -> Option<String> {
    if let Some(ago) = answered_ago(rule, &ctx.turn.state, ctx.now) {
        return Some(format!("it answered {ago} ago, and has `once`"));
    }
    let chance = rule.chance?;
    let drawn = draw(rule, ctx.contact);
    (drawn >= chance).then(|| format!("arm B of `chance`: they drew {drawn:.3}"))
}

fn answered_ago(rule: &Rule, state: &ConversationState, now: Timestamp) -> Option<String> {
    let (once, answered) = (rule.once?, state.once.get(&rule.id)?);
    let ago = now.duration_since(*answered);
    (ago < signed(once)).then(|| rough(ago))
}

/// Adds the arm of the `chance` experiment that the contact is in.
pub(crate) fn with_arm(ctx: &TurnContext<'_>, rule: &Rule, because: String) -> String {
    if rule.chance.is_none() {
        return because;
    }
    let drawn = draw(rule, ctx.contact);
    format!("{because}; arm A of `chance`: they drew {drawn:.3}")
}

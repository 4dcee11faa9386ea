//! Gives one answer: effects, replies, and an action or a flow to start. All of an answer happens,
//! or nothing of it and `on_error` instead.

use std::collections::BTreeMap;
use std::slice;

use jiff::Timestamp;
use serde_json::Value;

use super::action_request;
use super::context::{Trigger, TurnContext};
use super::conversation_event::ConversationEventKind;
use super::coverage_point::CoveragePoint;
use super::experiment::stable_hash;
use super::outcome::{Answered, Attempt, FlowStart, Outcome, Resume};
use super::replies;
use super::time::after;
use super::turn::Reply;
use crate::message::{Inbound, Outbound, RuleId, ScheduledReply};
use crate::rules::{Answer, Effects, ReplyTemplate, Rule};

/// Answers with a rule that matched, now or later.
pub(crate) fn respond_with_rule<'a>(
    ctx: &mut TurnContext<'a>,
    rule: &'a Rule,
    trigger: Trigger<'_>,
) -> Answered<'a> {
    ctx.turn.coverage.push(CoveragePoint::new(&rule.id));
    let outcome = match rule.after {
        Some(wait) => schedule(ctx, rule, trigger, after(ctx.now, wait)),
        None => respond(ctx, &rule.id, &rule.answer, trigger, BTreeMap::new()),
    };
    Answered::from_rule(rule, outcome)
}

/// Schedules a reply, in place of an earlier one of the same rule.
fn schedule<'a>(
    ctx: &mut TurnContext<'a>,
    rule: &Rule,
    trigger: Trigger<'_>,
    due: Timestamp,
) -> Outcome<'a> {
    let scheduled = &mut ctx.turn.state.scheduled;
    scheduled.retain(|reply| reply.rule != rule.id);
    scheduled.push(ScheduledReply {
        rule: rule.id.clone(),
        due,
        message: Inbound {
            raw: String::new(),
            ..trigger.message.clone()
        },
        captures: trigger.captures.clone(),
    });
    Outcome::Scheduled
}

/// Gives an answer: requests its action, or applies its effects and replies.
pub(crate) fn respond<'a>(
    ctx: &mut TurnContext<'a>,
    source: &RuleId,
    answer: &'a Answer,
    trigger: Trigger<'_>,
    roots: BTreeMap<String, Value>,
) -> Outcome<'a> {
    let Some(action) = &answer.action else {
        return reply(ctx, source, answer, trigger, roots);
    };
    let outcome = action_request::request(ctx, (source, answer), action, trigger, roots);
    if matches!(outcome, Outcome::Sent { .. } | Outcome::Pending) {
        ctx.turn.coverage.push(CoveragePoint::new(source));
    }
    outcome
}

/// Applies the effects of an answer and replies, without its action.
pub(crate) fn reply<'a>(
    ctx: &mut TurnContext<'a>,
    source: &RuleId,
    answer: &'a Answer,
    trigger: Trigger<'_>,
    roots: BTreeMap<String, Value>,
) -> Outcome<'a> {
    let attempt = Attempt {
        source: source.clone(),
        on_error: answer.on_error.as_ref(),
        roots,
        before: ctx.savepoint(),
        replies: 0,
    };
    let outcome = try_reply(ctx, &attempt, answer, trigger);
    match (outcome, &answer.effects.start) {
        (Outcome::Sent { replies }, Some(flow)) => Outcome::StartFlow(Box::new(FlowStart {
            flow,
            resume: vec![Resume::Answer(Box::new(Attempt { replies, ..attempt }))],
        })),
        (outcome, _) => finish(ctx, attempt, outcome, trigger),
    }
}

/// Ends an attempt to answer: undoes it if it did not succeed, and gives `on_error` if it failed.
pub(crate) fn finish<'a>(
    ctx: &mut TurnContext<'a>,
    attempt: Attempt<'a>,
    outcome: Outcome<'a>,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    let source = &attempt.source;
    let outcome = match outcome {
        Outcome::Sent { replies } => Outcome::Sent {
            replies: attempt.replies + replies,
        },
        Outcome::Failed(failed) => {
            ctx.rollback(attempt.before);
            match attempt.on_error {
                Some(on_error) => {
                    let filled_from = (trigger, &attempt.roots);
                    replies::send_on_error(ctx, source, on_error, filled_from, failed)
                }
                None => Outcome::Failed(failed),
            }
        }
        Outcome::RateLimited(_) => {
            ctx.rollback(attempt.before);
            outcome
        }
        Outcome::Pending | Outcome::Scheduled | Outcome::StartFlow(_) => outcome,
    };
    if matches!(outcome, Outcome::Sent { .. } | Outcome::Pending) {
        ctx.turn.coverage.push(CoveragePoint::new(source));
    }
    outcome
}

fn try_reply<'a>(
    ctx: &mut TurnContext<'a>,
    attempt: &Attempt<'a>,
    answer: &'a Answer,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    let Attempt { source, roots, .. } = attempt;
    if let Err(failed) = apply(ctx, &answer.effects, trigger, roots) {
        return Outcome::Failed(failed);
    }
    let (variant, templates) = pick_variant(answer, source, trigger.message);
    let (mut replies, failed) = match fill(ctx, attempt, templates, trigger) {
        Ok(filled) => filled,
        Err(failed) => return Outcome::Failed(failed),
    };
    let point = match failed {
        Some(_) => Some(CoveragePoint::on_error(source)),
        None => variant.map(|index| CoveragePoint::variant(source, index)),
    };
    for reply in &mut replies {
        reply.variant = variant;
    }
    let outcome = ctx.push_replies(replies);
    if matches!(outcome, Outcome::Sent { .. }) {
        ctx.turn.coverage.extend(point);
        if let Some(failed) = failed {
            let note = &mut ctx.turn.explanation.note;
            note.get_or_insert_with(|| format!("`{source}`: {failed}"));
        }
        hand_off(ctx, source, &answer.effects);
    }
    outcome
}

/// Fills in the replies, each with `on_error` for the case that it does not arrive; or else
/// `on_error`, with the reason.
fn fill(
    ctx: &TurnContext<'_>,
    attempt: &Attempt<'_>,
    templates: &[ReplyTemplate],
    trigger: Trigger<'_>,
) -> Result<(Vec<Reply>, Option<String>), String> {
    let Attempt { source, roots, .. } = attempt;
    let filled = replies::fill(ctx, source, templates, trigger, roots);
    let Some(on_error) = attempt.on_error else {
        return filled.map(|replies| (replies, None));
    };
    let on_error = slice::from_ref(on_error);
    let on_error = replies::fill_for_later(ctx, source, on_error, trigger, roots);
    match (filled, on_error) {
        (Ok(mut replies), on_error) => {
            // Where `on_error` cannot be filled in, the replies go out without it.
            let instead = on_error.unwrap_or_default().into_iter();
            let instead: Vec<Outbound> = instead.map(|reply| reply.content).collect();
            for reply in &mut replies {
                reply.instead.clone_from(&instead);
            }
            Ok((replies, None))
        }
        (Err(failed), on_error) => match on_error.and_then(|it| replies::sendable(ctx, it)) {
            Ok(on_error) => Ok((on_error, Some(failed))),
            Err(_) => Err(failed),
        },
    }
}

/// Applies fields, tags and language: before the texts are filled in, so that they can use them.
fn apply(
    ctx: &mut TurnContext<'_>,
    effects: &Effects,
    trigger: Trigger<'_>,
    roots: &BTreeMap<String, Value>,
) -> Result<(), String> {
    let mut fields = Vec::with_capacity(effects.set.len());
    if !effects.set.is_empty() {
        let variables = ctx.variables(trigger, roots.clone());
        for (name, text) in &effects.set {
            let value = variables.render(text).map_err(|error| error.to_string())?;
            fields.push((name.clone(), value));
        }
    }
    let state = &mut ctx.turn.state;
    for (name, value) in fields {
        if value.is_empty() {
            state.fields.remove(&name);
        } else {
            state.fields.insert(name, value);
        }
    }
    state.tags.extend(effects.tag.iter().cloned());
    for tag in &effects.untag {
        state.tags.remove(tag);
    }
    if effects.language.is_some() {
        state.language.clone_from(&effects.language);
    }
    Ok(())
}

fn hand_off(ctx: &mut TurnContext<'_>, source: &RuleId, effects: &Effects) {
    let Some(pause) = effects.handoff else {
        return;
    };
    let until = after(ctx.now, pause);
    let state = &mut ctx.turn.state;
    state.handoff_until = state.handoff_until.max(Some(until));
    state.run = None;
    state.scheduled.clear();
    let text = format!("`{source}` gave the conversation to a colleague, until {until}");
    ctx.note(ConversationEventKind::Handoff, text);
}

/// Picks the replies for a message: always the same of the variants.
fn pick_variant<'t>(
    answer: &'t Answer,
    source: &RuleId,
    message: &Inbound,
) -> (Option<usize>, &'t [ReplyTemplate]) {
    match answer.variants.as_slice() {
        [] => (None, &[]),
        [replies] => (None, replies),
        variants => {
            let hash = stable_hash(&[source.as_str(), message.wamid.as_str()]);
            let count = u64::try_from(variants.len()).unwrap_or(1);
            let index = usize::try_from(hash % count).unwrap_or(0);
            (Some(index), &variants[index])
        }
    }
}

//! Results of actions: goes on with the answer that was pending.

use serde_json::Value;

use super::action_request::{answer_of, chooses_rule};
use super::context::{Trigger, TurnContext};
use super::conversation_event::ConversationEventKind;
use super::coverage_point::CoveragePoint;
use super::explanation::Verdict;
use super::outcome::Answered;
use super::replies;
use super::respond::{reply, respond_with_rule};
use super::select::{suppressed_because, with_arm};
use super::time::signed;
use super::turn::{Decision, Reply};
use crate::message::{ActionResult, PendingAction};
use crate::rules::{ActionTemplate, Answer};

/// Takes a pending action out of the state.
pub(crate) fn take_pending(ctx: &mut TurnContext<'_>, number: u64) -> Option<PendingAction> {
    let pending = &mut ctx.turn.state.pending_actions;
    let index = pending.iter().position(|action| action.number == number)?;
    let action = pending.remove(index);
    ctx.chain = action.chain + 1;
    Some(action)
}

/// Gives the answer that was pending; `None` when its outcome is recorded already.
pub(crate) fn resume<'a>(
    ctx: &mut TurnContext<'a>,
    pending: &PendingAction,
    result: &ActionResult,
    trigger: Trigger<'_>,
) -> Option<Answered<'a>> {
    if ctx.turn.state.handoff_until.is_some() {
        ctx.stop(Decision::HandedOff, "a colleague answers here now");
        return None;
    }
    if ctx.turn.state.opted_out_at.is_some() {
        ctx.stop(Decision::OptedOut, "the contact has opted out");
        return None;
    }
    let Some(answer) = answer_of(ctx.rules, &pending.source) else {
        answer_gone(ctx, pending, trigger);
        return None;
    };
    match result {
        ActionResult::Done(value) => Some(done(ctx, pending, answer, value, trigger)),
        ActionResult::Failed(reason) => {
            failed(ctx, pending, answer, reason, trigger);
            None
        }
    }
}

/// The rules changed and no longer have the answer: the contact gets the `on_error` reply that was
/// rendered then.
fn answer_gone(ctx: &mut TurnContext<'_>, pending: &PendingAction, trigger: Trigger<'_>) {
    let text = format!("the rules have no `{}` any more", pending.source);
    ctx.note(ConversationEventKind::NotSent, text.clone());
    let replies = pending.instead.iter().map(|content| Reply {
        rule: pending.source.clone(),
        content: content.clone(),
        quote: false,
        answers: trigger.answers(),
        variant: None,
        instead: Vec::new(),
    });
    let outcome = ctx.push_replies(replies.collect());
    ctx.record_outcome(Answered::new(pending.source.as_str(), outcome));
    ctx.turn.explanation.note.get_or_insert(text);
}

fn done<'a>(
    ctx: &mut TurnContext<'a>,
    pending: &PendingAction,
    answer: &'a Answer,
    value: &Value,
    trigger: Trigger<'_>,
) -> Answered<'a> {
    let action = answer.action.as_deref();
    let choice = value.get("choice").and_then(Value::as_str);
    let choice = choice.filter(|_| action.is_some_and(chooses_rule));
    let rules = ctx.rules;
    if let Some(rule) = choice.and_then(|id| rules.rule(id)) {
        let because = format!("a model chose it for `{}`", pending.source);
        let Some(suppressed) = suppressed_because(ctx, rule) else {
            let because = with_arm(ctx, rule, because);
            let explanation = &mut ctx.turn.explanation;
            explanation.record(rule.id.clone(), Verdict::Matched, because);
            return respond_with_rule(ctx, rule, trigger);
        };
        // The answer is given as if the model had chosen no rule.
        let because = format!("{because}; {suppressed}");
        let explanation = &mut ctx.turn.explanation;
        explanation.record(rule.id.clone(), Verdict::Quiet, because);
    }
    let explanation = &mut ctx.turn.explanation;
    let source = pending.source.clone();
    explanation.record(source, Verdict::Matched, "its action is done");
    let mut roots = pending.answers.clone();
    if let Some(name) = action.and_then(ActionTemplate::save) {
        roots.insert(name.to_owned(), value.clone());
    }
    let outcome = reply(ctx, &pending.source, answer, trigger, roots);
    Answered::new(pending.source.as_str(), outcome)
}

fn failed(
    ctx: &mut TurnContext<'_>,
    pending: &PendingAction,
    answer: &Answer,
    reason: &str,
    trigger: Trigger<'_>,
) {
    let source = &pending.source;
    let text = format!("the action of `{source}` failed: {reason}");
    ctx.note(ConversationEventKind::ActionFailed, text.clone());
    let because = format!("its action failed: {reason}");
    let explanation = &mut ctx.turn.explanation;
    explanation.record(source.clone(), Verdict::Matched, because);
    let late = ctx.now.duration_since(pending.asked_at);
    if late > signed(ctx.rules.bot.max_age) {
        ctx.stop(Decision::TooOld, format!("{text}; too late to say so"));
        return;
    }
    let Some(on_error) = &answer.on_error else {
        ctx.stop(Decision::Failed, text);
        return;
    };
    ctx.turn.coverage.push(CoveragePoint::on_error(source));
    let on_error = std::slice::from_ref(on_error);
    let outcome = replies::send(ctx, source, on_error, trigger, &pending.answers);
    ctx.record_outcome(Answered::new(source.as_str(), outcome));
}

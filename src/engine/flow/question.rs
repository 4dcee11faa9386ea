//! The question of a step: asked, asked again, and the time for its answer.

use std::time::Duration;

use serde_json::Value;

use super::run;
use crate::engine::context::{Trigger, TurnContext};
use crate::engine::outcome::Outcome;
use crate::engine::replies;
use crate::engine::time::after;
use crate::engine::turn::Decision;
use crate::message::FlowRun;
use crate::rules::button_id::FlowButtonId;
use crate::rules::{ReplyTemplate, Step};

/// Asks the question of a step, in the given texts, and starts the timeout of its answer. The
/// buttons carry the step and the run that they belong to.
pub(crate) fn ask<'a>(
    ctx: &mut TurnContext<'a>,
    step: &Step,
    texts: &[ReplyTemplate],
    trigger: Trigger<'_>,
    answer: Option<&Value>,
) -> Outcome<'a> {
    let due = timeout(ctx).map(|timeout| after(ctx.now, timeout));
    let Some(run) = &mut ctx.turn.state.run else {
        return Outcome::Sent { replies: 0 };
    };
    run.due = due;
    let number = run.number;
    let flow = run::innermost(ctx);
    let mut roots = run::answers(ctx);
    roots.extend(answer.map(|answer| ("answer".to_owned(), answer.clone())));
    let source = run::source(flow, &step.id);
    let mut replies = match replies::fill(ctx, &source, texts, trigger, &roots) {
        Ok(replies) => replies,
        Err(failed) => return Outcome::Failed(failed),
    };
    for reply in &mut replies {
        reply.content.rename_choices(|id| {
            let button = FlowButtonId {
                flow,
                step: &step.id,
                run: number,
                id,
            };
            button.wire()
        });
    }
    ctx.push_replies(replies)
}

/// Asks the current question again.
pub(crate) fn ask_current<'a>(ctx: &mut TurnContext<'a>, trigger: Trigger<'_>) -> Outcome<'a> {
    match run::current_step(ctx) {
        Some(step) => ask(ctx, step, &step.ask, trigger, None),
        None => Outcome::Sent { replies: 0 },
    }
}

/// Asks the current question again after an interrupting answer, if that answer left the flow as it
/// was in `before`.
pub(crate) fn ask_again(ctx: &mut TurnContext<'_>, before: Option<&FlowRun>, trigger: Trigger<'_>) {
    let state = &ctx.turn.state;
    let is_unchanged = before.is_some() && state.run.as_ref() == before;
    let is_handed_off = state.handoff_until.is_some();
    if is_unchanged && !is_handed_off && ctx.turn.decision == Decision::Answered {
        // No room for the question is no reason to drop the answer.
        let _ = ask_current(ctx, trigger);
    }
}

/// Finds the time to wait for an answer: that of the innermost flow with a timeout.
pub(crate) fn timeout(ctx: &TurnContext<'_>) -> Option<Duration> {
    let frames = ctx.turn.state.run.iter().flat_map(|run| &run.frames);
    let mut flows = frames
        .rev()
        .filter_map(|frame| ctx.rules.flows.get(&frame.flow));
    flows.find_map(|flow| flow.timeout)
}

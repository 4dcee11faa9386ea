//! Endings of a flow: cancelled, given up, timed out, or removed from the rules.

use crate::engine::context::{Trigger, TurnContext};
use crate::engine::conversation_event::ConversationEventKind;
use crate::engine::outcome::{Answered, Outcome};
use crate::engine::respond::respond;
use crate::engine::time::{rough, signed};
use crate::message::FlowFrame;
use crate::rules::Answer;

use super::{question, run};

/// Leaves the flow, and gives its `on_cancel`.
pub(crate) fn cancel<'a>(ctx: &mut TurnContext<'a>, trigger: Trigger<'_>) -> Outcome<'a> {
    let rules = ctx.rules;
    let frame = run::end(ctx);
    let flow = frame.and_then(|frame| Some((rules.flows.get(&frame.flow)?, frame)));
    match flow {
        Some((flow, frame)) => {
            let source = run::source(&frame.flow, "on_cancel");
            respond(ctx, &source, &flow.on_cancel, trigger, frame.answers)
        }
        None => Outcome::Sent { replies: 0 },
    }
}

/// Gives up the flow; `None` if it has no `on_give_up`.
pub(crate) fn give_up<'a>(ctx: &mut TurnContext<'a>, trigger: Trigger<'_>) -> Option<Answered<'a>> {
    let frame = run::end(ctx)?;
    let rules = ctx.rules;
    let answer = rules.flows.get(&frame.flow)?.on_give_up.as_ref()?;
    Some(end_with(ctx, "on_give_up", answer, frame, trigger))
}

/// Ends a flow whose step the rules no longer have; `None` if it has no `on_gone`.
pub(crate) fn gone<'a>(ctx: &mut TurnContext<'a>, trigger: Trigger<'_>) -> Option<Answered<'a>> {
    let frames = ctx.turn.state.run.take()?.frames;
    let inner = frames.last()?;
    let place = format!("{}/{}", inner.flow, inner.step);
    let text = format!("the rules have no step `{place}` any more; the flow has ended");
    ctx.note(ConversationEventKind::FlowGone, text);
    let frame = frames.into_iter().next()?;
    let rules = ctx.rules;
    let flow = rules.flows.get(&frame.flow)?;
    let is_empty = flow.on_gone.variants.is_empty();
    (!is_empty).then(|| end_with(ctx, "on_gone", &flow.on_gone, frame, trigger))
}

/// Ends a flow that got no answer in time.
pub(crate) fn time_out<'a>(
    ctx: &mut TurnContext<'a>,
    trigger: Trigger<'_>,
) -> Option<Answered<'a>> {
    let timeout = question::timeout(ctx);
    let frame = run::end(ctx)?;
    let rules = ctx.rules;
    let flow = rules.flows.get(&frame.flow)?;
    let within = timeout.map_or_else(String::new, |timeout| {
        format!(" within {}", rough(signed(timeout)))
    });
    let text = format!("the flow `{}` got no answer{within}", frame.flow);
    ctx.turn.explanation.note = Some(text.clone());
    ctx.note(ConversationEventKind::FlowTimeout, text);
    let answer = &flow.on_timeout;
    Some(end_with(ctx, "on_timeout", answer, frame, trigger))
}

/// Gives the answer of an ending.
fn end_with<'a>(
    ctx: &mut TurnContext<'a>,
    ending: &str,
    answer: &'a Answer,
    frame: FlowFrame,
    trigger: Trigger<'_>,
) -> Answered<'a> {
    let source = run::source(&frame.flow, ending);
    let outcome = respond(ctx, &source, answer, trigger, frame.answers);
    Answered::new(source.as_str(), outcome)
}

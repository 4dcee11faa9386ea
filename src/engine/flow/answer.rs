//! A message taken as the answer to a question: checked, kept, and followed; or refused.

use serde_json::Value;

use super::accept;
use super::advance::{NextStep, advance, branch, go_on_in};
use super::{ending, question, run};
use crate::engine::context::{Trigger, TurnContext};
use crate::engine::coverage_point::CoveragePoint;
use crate::engine::explanation::Verdict;
use crate::engine::outcome::{Answered, Outcome, Resume, Savepoint};
use crate::rules::{Accept, Choice, Step};

/// Takes a message as the answer to the current question; `tapped` is the id of a button of that
/// question. `None` when the flow has ended without an answer.
pub(crate) fn take<'a>(
    ctx: &mut TurnContext<'a>,
    trigger: Trigger<'_>,
    tapped: Option<&str>,
) -> Option<Answered<'a>> {
    let Some(step) = run::current_step(ctx) else {
        return ending::gone(ctx, trigger);
    };
    let choice = |id: &str| step.choices.iter().find(|choice| choice.id == id);
    let with_target = tapped.and_then(choice).filter(|choice| choice.go.is_some());
    let outcome = if let Some(choice) = with_target
        && !matches!(step.accept, Accept::Choice)
    {
        // A button that leads elsewhere in place of an answer: "I do not know" below the question
        // for a date.
        let because = format!("`{}` was tapped", choice.id);
        run::record_step(ctx, Verdict::Matched, &because);
        accept_answer(ctx, step, Some(choice), Value::Null, trigger)
    } else {
        match check(ctx, step, trigger, tapped) {
            Ok(answer) => {
                let because = format!("taken as {}", step.accept.name());
                run::record_step(ctx, Verdict::Matched, &because);
                let chosen = answer.get("id").and_then(Value::as_str).and_then(choice);
                accept_answer(ctx, step, chosen, answer, trigger)
            }
            Err(reason) => {
                run::record_step(ctx, Verdict::No, &reason);
                return refuse(ctx, step, trigger);
            }
        }
    };
    Some(Answered::new(format!("step {}", step.id), outcome))
}

/// Reads the answer as a value and checks it; the error is the reason for refusing it.
fn check(
    ctx: &TurnContext<'_>,
    step: &Step,
    trigger: Trigger<'_>,
    tapped: Option<&str>,
) -> Result<Value, String> {
    let variables = ctx.variables(trigger, run::answers(ctx));
    let answer = accept::read(ctx, step, trigger.message, tapped, &variables)?;
    let Some(valid) = &step.valid else {
        return Ok(answer);
    };
    match valid.holds(&variables.with("answer", answer.clone())) {
        Ok(true) => Ok(answer),
        Ok(false) => Err(format!("`{}` does not hold", valid.written())),
        Err(error) => Err(format!("`{}` cannot be decided: {error}", valid.written())),
    }
}

/// Asks again, or gives up.
fn refuse<'a>(
    ctx: &mut TurnContext<'a>,
    step: &Step,
    trigger: Trigger<'_>,
) -> Option<Answered<'a>> {
    let run = ctx.turn.state.run.as_mut()?;
    run.failed_attempts += 1;
    if run.failed_attempts > step.retries {
        return ending::give_up(ctx, trigger);
    }
    let texts = if step.retry.is_empty() {
        &step.ask
    } else {
        &step.retry
    };
    let refused = trigger.message.content.text_or_label().map(Value::from);
    let outcome = question::ask(ctx, step, texts, trigger, refused.as_ref());
    match &outcome {
        Outcome::Sent { .. } => {
            let point = CoveragePoint::retry(run::innermost(ctx), step);
            ctx.turn.coverage.push(point);
        }
        Outcome::RateLimited(_) => {
            if let Some(run) = &mut ctx.turn.state.run {
                // The contact does not know of it, so it does not count.
                run.failed_attempts -= 1;
            }
        }
        _ => {}
    }
    Some(Answered::new(format!("step {}", step.id), outcome))
}

/// Keeps an answer and goes on, to the target of the choice if it has one.
fn accept_answer<'a>(
    ctx: &mut TurnContext<'a>,
    step: &Step,
    choice: Option<&Choice>,
    answer: Value,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    // The same answer to several questions is no loop.
    ctx.turn.state.repeated = None;
    let before = ctx.savepoint();
    // A button of a run that is over was not asked for in this turn or run.
    let flow = run::innermost(ctx);
    let points = [
        Some(CoveragePoint::step(flow, step)),
        choice.and_then(|choice| CoveragePoint::choice(flow, step, choice)),
    ];
    ctx.turn.coverage.extend(points.into_iter().flatten());
    let next = match choice.and_then(|choice| choice.go.as_ref()) {
        Some(target) => NextStep::from_target(target),
        None => branch(ctx, step, trigger, Some(&answer)),
    };
    if let Some(run) = &mut ctx.turn.state.run {
        run.failed_attempts = 0;
        if let Some(frame) = run.frames.last_mut() {
            frame.keep(&step.id, answer);
        }
    }
    let outcome = advance(ctx, next, trigger);
    finish(ctx, Box::new(before), outcome, trigger)
}

/// Ends the step whose answer was accepted: an answer whose consequences could not be sent is
/// undone.
fn finish<'a>(
    ctx: &mut TurnContext<'a>,
    before: Box<Savepoint>,
    outcome: Outcome<'a>,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    match outcome {
        Outcome::StartFlow(mut start) => {
            start.resume.push(Resume::Step(before));
            Outcome::StartFlow(start)
        }
        // The same answer is good again later.
        Outcome::RateLimited(_) => {
            ctx.rollback(*before);
            outcome
        }
        // The same answer would fail again, so the contact is not kept waiting in the flow.
        Outcome::Failed(failed) => {
            ctx.rollback(*before);
            match ending::give_up(ctx, trigger) {
                Some(answered) => gave_up(ctx, answered, failed),
                None => Outcome::Failed(failed),
            }
        }
        Outcome::Sent { .. } | Outcome::Scheduled | Outcome::Pending => outcome,
    }
}

/// Records the outcome of `on_give_up`; the reason for giving up remains the outcome.
fn gave_up<'a>(ctx: &mut TurnContext<'a>, answered: Answered<'a>, failed: String) -> Outcome<'a> {
    if let Outcome::StartFlow(mut start) = answered.outcome {
        let source = answered.source;
        start.resume.push(Resume::GiveUp { source, failed });
        return Outcome::StartFlow(start);
    }
    ctx.record_outcome(answered);
    Outcome::Failed(failed)
}

/// Resumes a place in a flow that was left to start another flow.
pub(crate) fn resume<'a>(
    ctx: &mut TurnContext<'a>,
    place: Resume<'a>,
    outcome: Outcome<'a>,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    match place {
        Resume::OuterFlow(outer) => match go_on_in(ctx, outer, outcome, trigger) {
            Ok(next) => advance(ctx, next, trigger),
            Err(outcome) => outcome,
        },
        Resume::Step(before) => finish(ctx, before, outcome, trigger),
        Resume::GiveUp { source, failed } => gave_up(ctx, Answered::new(source, outcome), failed),
        Resume::Answer(_) => outcome,
    }
}

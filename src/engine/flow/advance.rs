//! The way through a flow: from one question to the next, into sub-flows and out of them.

use serde_json::{Map, Value};

use super::ending;
use super::question::ask;
use super::run;
use crate::engine::context::{Trigger, TurnContext};
use crate::engine::coverage_point::CoveragePoint;
use crate::engine::outcome::{Outcome, OuterFlow, Resume};
use crate::engine::respond::respond;
use crate::rules::{Accept, Branch, Flow, Step, Target};

/// Number of steps that one turn enters at most, over all flows; the check of the rules finds
/// circles before, this bounds those that it cannot see.
const STEPS_MAX: usize = 32;

/// Place where a flow goes next.
pub(crate) enum NextStep {
    /// The step with this id.
    Step(String),
    /// The step behind this one, in order.
    Behind(String),
    /// The end of the flow.
    End,
    /// Out of the flow.
    Cancel,
    /// Another flow, instead of this one.
    Flow(String),
}

impl NextStep {
    pub(crate) fn from_target(target: &Target) -> Self {
        match target {
            Target::Step(id) => Self::Step(id.clone()),
            Target::End => Self::End,
            Target::Cancel => Self::Cancel,
            Target::Flow(name) => Self::Flow(name.clone()),
        }
    }
}

/// Starts a flow; one that is under way is left.
pub(crate) fn start<'a>(
    ctx: &mut TurnContext<'a>,
    flow: &str,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    match begin(ctx, flow) {
        Ok(first) => advance(ctx, first, trigger),
        Err(failed) => failed,
    }
}

fn begin<'a>(ctx: &mut TurnContext<'a>, name: &str) -> Result<NextStep, Outcome<'a>> {
    let rules = ctx.rules;
    let flow = rules.flows.get(name);
    let Some(first) = flow.and_then(|flow| flow.steps.first()) else {
        return Err(Outcome::Failed(format!("there is no flow `{name}`")));
    };
    run::begin(ctx, name, &first.id);
    Ok(NextStep::Step(first.id.clone()))
}

/// Finds where the step's `go` leads.
pub(crate) fn branch(
    ctx: &mut TurnContext<'_>,
    step: &Step,
    trigger: Trigger<'_>,
    answer: Option<&Value>,
) -> NextStep {
    let mut roots = run::answers(ctx);
    if let Some(answer) = answer {
        roots.insert(step.id.clone(), answer.clone());
        roots.insert("answer".to_owned(), answer.clone());
    }
    let variables = ctx.variables(trigger, roots);
    let holds = |branch: &&Branch| {
        let condition = branch.only_if.as_ref();
        condition.is_none_or(|condition| condition.holds(&variables) == Ok(true))
    };
    let flow = run::innermost(ctx);
    let (next, point) = match step.go.iter().find(holds) {
        Some(branch) => (
            NextStep::from_target(&branch.to),
            Some(CoveragePoint::branch(flow, step, branch)),
        ),
        None => (
            NextStep::Behind(step.id.clone()),
            CoveragePoint::falls_through(flow, step),
        ),
    };
    ctx.turn.coverage.extend(point);
    next
}

/// Goes on until a question is asked or the flow is over.
pub(crate) fn advance<'a>(
    ctx: &mut TurnContext<'a>,
    mut next: NextStep,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    while ctx.steps < STEPS_MAX {
        match advance_once(ctx, next, trigger) {
            Ok(following) => next = following,
            Err(outcome) => return outcome,
        }
    }
    ctx.turn.state.run = None;
    Outcome::Failed(format!(
        "the flow passed {STEPS_MAX} steps without a question"
    ))
}

fn advance_once<'a>(
    ctx: &mut TurnContext<'a>,
    next: NextStep,
    trigger: Trigger<'_>,
) -> Result<NextStep, Outcome<'a>> {
    let Some(frame) = ctx.turn.state.frame() else {
        return Err(Outcome::Sent { replies: 0 });
    };
    let name = frame.flow.clone();
    let rules = ctx.rules;
    let Some(flow) = rules.flows.get(&name) else {
        return Err(Outcome::Failed(format!("there is no flow `{name}`")));
    };
    let place = |id: &str| flow.steps.iter().position(|step| step.id == id);
    let step = match next {
        NextStep::Step(id) => {
            drop_answers_from(ctx, &id);
            place(&id).map(|place| &flow.steps[place])
        }
        NextStep::Behind(id) => place(&id).and_then(|place| flow.steps.get(place + 1)),
        NextStep::Cancel => return Err(ending::cancel(ctx, trigger)),
        NextStep::Flow(other) => return begin(ctx, &other),
        NextStep::End => None,
    };
    if let Some(step) = step.filter(|step| is_passed_over(ctx, step, trigger)) {
        return Ok(NextStep::Behind(step.id.clone()));
    }
    ctx.steps += 1;
    match step {
        Some(step) => enter(ctx, step, trigger),
        None => end_frame(ctx, flow, &name, trigger),
    }
}

/// Drops the answer to a question that the flow goes back to, and all answers behind it.
fn drop_answers_from(ctx: &mut TurnContext<'_>, step: &str) {
    let run = ctx.turn.state.run.as_mut();
    if let Some(frame) = run.and_then(|run| run.frames.last_mut())
        && frame.has_answered(step)
    {
        frame.back_to(step);
    }
}

/// Whether the step's `if` does not hold.
fn is_passed_over(ctx: &TurnContext<'_>, step: &Step, trigger: Trigger<'_>) -> bool {
    step.only_if.as_ref().is_some_and(|only_if| {
        let variables = ctx.variables(trigger, run::answers(ctx));
        only_if.holds(&variables) != Ok(true)
    })
}

/// Enters a step: asks its question, or finds where to go on.
fn enter<'a>(
    ctx: &mut TurnContext<'a>,
    step: &'a Step,
    trigger: Trigger<'_>,
) -> Result<NextStep, Outcome<'a>> {
    let rules = ctx.rules;
    let run = ctx.turn.state.run.as_mut();
    if let Some(frame) = run.and_then(|run| run.frames.last_mut()) {
        frame.step.clone_from(&step.id);
        let point = CoveragePoint::step(&frame.flow, step);
        ctx.turn.coverage.push(point);
    }
    if let Some(inner) = &step.flow {
        let flow = rules.flows.get(inner);
        let Some(first) = flow.and_then(|flow| flow.steps.first()) else {
            return Ok(NextStep::Behind(step.id.clone()));
        };
        if let Some(run) = &mut ctx.turn.state.run {
            run.frames.push(run::frame(inner, &first.id));
            if run.frames.len() > STEPS_MAX {
                let failed = "flows go through each other without end".to_owned();
                return Err(Outcome::Failed(failed));
            }
        }
        return Ok(NextStep::Step(first.id.clone()));
    }
    if matches!(step.accept, Accept::Nothing) {
        return Ok(branch(ctx, step, trigger, None));
    }
    Err(ask(ctx, step, &step.ask, trigger, None))
}

/// Ends the innermost flow; where the flow around it goes on, or how the run ended.
fn end_frame<'a>(
    ctx: &mut TurnContext<'a>,
    flow: &'a Flow,
    name: &str,
    trigger: Trigger<'_>,
) -> Result<NextStep, Outcome<'a>> {
    let Some(run) = &mut ctx.turn.state.run else {
        return Err(Outcome::Sent { replies: 0 });
    };
    let Some(frame) = run.frames.pop() else {
        return Err(Outcome::Sent { replies: 0 });
    };
    let number = run.number;
    let outer = run.frames.last_mut().map(|outer| {
        let answers: Map<String, Value> = frame.answers.clone().into_iter().collect();
        let step = outer.step.clone();
        outer.keep(&step, Value::Object(answers));
        // The way back leads through it.
        outer.finished_subflows.insert(step.clone(), frame.clone());
        OuterFlow {
            run: number,
            flow: outer.flow.clone(),
            step,
        }
    });
    if outer.is_none() {
        ctx.turn.state.run = None;
    }
    let source = run::source(name, "end");
    let outcome = respond(ctx, &source, &flow.end, trigger, frame.answers);
    match outer {
        Some(outer) => go_on_in(ctx, outer, outcome, trigger),
        None => Err(outcome),
    }
}

/// Goes on in the flow around one that ended, once the answer of its end is given.
pub(crate) fn go_on_in<'a>(
    ctx: &mut TurnContext<'a>,
    outer: OuterFlow,
    outcome: Outcome<'a>,
    trigger: Trigger<'_>,
) -> Result<NextStep, Outcome<'a>> {
    if let Outcome::StartFlow(mut start) = outcome {
        start.resume.push(Resume::OuterFlow(outer));
        return Err(Outcome::StartFlow(start));
    }
    let run = ctx.turn.state.run.as_ref();
    if run.is_none_or(|run| run.number != outer.run) {
        // The end has started another flow, or ended this one.
        return Err(outcome);
    }
    match outcome {
        Outcome::Sent { .. } | Outcome::Pending => {
            let rules = ctx.rules;
            let flow = rules.flows.get(&outer.flow);
            Ok(match flow.and_then(|flow| flow.step(&outer.step)) {
                Some(step) => branch(ctx, step, trigger, None),
                None => NextStep::Behind(outer.step),
            })
        }
        outcome => Err(outcome),
    }
}

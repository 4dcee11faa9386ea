//! Message during a flow: a tap, an interruption, a word of the flow, or the answer.

use super::advance::{NextStep, advance};
use super::{answer, ending, question, run};
use crate::engine::context::{Trigger, TurnContext};
use crate::engine::explanation::Verdict;
use crate::engine::outcome::Answered;
use crate::engine::select::RuleFilter;
use crate::message::{Content, FlowRun, Kind};
use crate::rules::button_id::{FlowButtonId, command_text};
use crate::rules::{Accept, Step};
use crate::text::normalize::NormalizedText;

/// Part that a flow has in the decision on a message.
pub(crate) enum FlowTurn<'a> {
    /// The flow answered.
    Answered(Answered<'a>),
    /// The flow has ended without an answer, and the rules are not asked either.
    Ended,
    /// The rules that may interrupt are asked first; then [`take_message`].
    Interruptible(Question<'a>),
    /// No flow is concerned: the rules are asked.
    NotConcerned,
}

impl<'a> FlowTurn<'a> {
    fn from_answered(answered: Option<Answered<'a>>, without: Self) -> Self {
        answered.map_or(without, Self::Answered)
    }
}

/// Question that waits for its answer.
pub(crate) struct Question<'a> {
    step: &'a Step,
    /// Rules that may interrupt.
    pub(in crate::engine) filter: RuleFilter,
    /// The run as before those rules.
    pub(in crate::engine) run: FlowRun,
}

/// Finds the part that a flow has in the decision on a message.
pub(crate) fn enter<'a>(ctx: &mut TurnContext<'a>, trigger: Trigger<'_>) -> FlowTurn<'a> {
    let content = &trigger.message.content;
    let tap = content.button().and_then(FlowButtonId::parse);
    let Some(run) = ctx.turn.state.run.clone() else {
        return tap.map_or(FlowTurn::NotConcerned, |tap| old_tap(ctx, tap, trigger));
    };
    if content.kind().is_some_and(Kind::is_quiet) {
        return FlowTurn::NotConcerned;
    }
    let Some(step) = run::current_step(ctx) else {
        let answered = ending::gone(ctx, trigger);
        return FlowTurn::from_answered(answered, FlowTurn::NotConcerned);
    };
    if matches!(step.accept, Accept::Nothing) {
        // New rules ask nothing here any more: the flow goes on from this step by itself.
        let outcome = advance(ctx, NextStep::Step(step.id.clone()), trigger);
        return FlowTurn::Answered(Answered::new(format!("step {}", step.id), outcome));
    }
    if let Some(tap) = tap {
        // The question may have been asked in an earlier run too.
        let is_current = tap.flow == run::innermost(ctx) && tap.step == step.id;
        let run = ctx
            .turn
            .state
            .run
            .as_mut()
            .filter(|run| run.number == tap.run);
        if is_current || run.is_some_and(|run| run::rewind(run, tap)) {
            let answered = answer::take(ctx, trigger, Some(tap.id));
            return FlowTurn::from_answered(answered, FlowTurn::Ended);
        }
    }
    let filter = if is_foreign(content, step) {
        RuleFilter::Buttons
    } else {
        RuleFilter::Anywhere
    };
    FlowTurn::Interruptible(Question { step, filter, run })
}

/// Takes a message that no rule has answered: a word of the flow, or the answer to its question.
pub(crate) fn take_message<'a>(
    ctx: &mut TurnContext<'a>,
    question: &Question<'a>,
    trigger: Trigger<'_>,
) -> FlowTurn<'a> {
    if question.filter == RuleFilter::Buttons {
        run::record_step(ctx, Verdict::No, "the button is of another question");
        let outcome = question::ask_current(ctx, trigger);
        let source = format!("step {}", question.step.id);
        return FlowTurn::Answered(Answered::new(source, outcome));
    }
    let answered = go_back_or_leave(ctx, trigger).or_else(|| answer::take(ctx, trigger, None));
    FlowTurn::from_answered(answered, FlowTurn::NotConcerned)
}

/// Whether a button belongs to another question.
fn is_foreign(content: &Content, step: &Step) -> bool {
    content.button().is_some_and(|id| {
        let mut choices = step.choices.iter();
        FlowButtonId::parse(id).is_some() || choices.all(|choice| choice.id != id)
    })
}

/// Takes a tap on a button of a run that is over: the first question begins anew with that answer,
/// any other button is left to the rules.
fn old_tap<'a>(
    ctx: &mut TurnContext<'a>,
    tap: FlowButtonId<'_>,
    trigger: Trigger<'_>,
) -> FlowTurn<'a> {
    let flow = ctx.rules.flows.get(tap.flow);
    let first = flow.and_then(|flow| flow.steps.first());
    if first.is_none_or(|step| step.id != tap.step) {
        return FlowTurn::NotConcerned;
    }
    run::begin(ctx, tap.flow, tap.step);
    let answered = answer::take(ctx, trigger, Some(tap.id));
    FlowTurn::from_answered(answered, FlowTurn::Ended)
}

/// Obeys the words of the flow that go one question back, or leave it.
fn go_back_or_leave<'a>(ctx: &mut TurnContext<'a>, trigger: Trigger<'_>) -> Option<Answered<'a>> {
    let text = NormalizedText::new(command_text(&trigger.message.content)?);
    if run::is_word(ctx, &text, |flow| &flow.cancel) {
        run::record_step(ctx, Verdict::Matched, "a word of `cancel`");
        let outcome = ending::cancel(ctx, trigger);
        return Some(Answered::new("cancel", outcome));
    }
    if !run::is_word(ctx, &text, |flow| &flow.back) {
        return None;
    }
    run::record_step(ctx, Verdict::Matched, "a word of `back`");
    let step = ctx.turn.state.run.as_mut().and_then(run::step_back);
    let outcome = match step {
        Some(step) => advance(ctx, NextStep::Step(step), trigger),
        None => question::ask_current(ctx, trigger),
    };
    Some(Answered::new("back", outcome))
}

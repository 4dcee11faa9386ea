//! Run of a flow: the current step, and the way back.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::context::TurnContext;
use crate::engine::explanation::Verdict;
use crate::engine::render::variables::language_of;
use crate::message::{FlowFrame, FlowRun, RuleId};
use crate::rules::button_id::FlowButtonId;
use crate::rules::{Flow, Step};
use crate::text::normalize::{NormalizedText, Phrase};
use crate::text::parse::is_command;

/// Name of a part of a flow in the history.
pub(crate) fn source(flow: &str, part: &str) -> RuleId {
    RuleId::parse(format!("{flow}/{part}")).expect("it has a slash")
}

/// Begins a run; one that is under way is left.
pub(crate) fn begin(ctx: &mut TurnContext<'_>, flow: &str, step: &str) {
    let state = &mut ctx.turn.state;
    state.runs += 1;
    state.run = Some(FlowRun {
        number: state.runs,
        frames: vec![frame(flow, step)],
        failed_attempts: 0,
        due: None,
    });
}

pub(crate) fn frame(flow: &str, step: &str) -> FlowFrame {
    FlowFrame {
        flow: flow.to_owned(),
        step: step.to_owned(),
        ..FlowFrame::default()
    }
}

/// Finds the step that waits for an answer; `None` if the rules no longer have that step or one of
/// the flows around it.
pub(crate) fn current_step<'a>(ctx: &TurnContext<'a>) -> Option<&'a Step> {
    let mut current = None;
    for frame in &ctx.turn.state.run.as_ref()?.frames {
        let flow = ctx.rules.flows.get(&frame.flow)?;
        current = Some(flow.step(&frame.step)?);
    }
    current
}

/// Name of the innermost flow; empty when none is under way.
pub(crate) fn innermost<'c>(ctx: &'c TurnContext<'_>) -> &'c str {
    let frame = ctx.turn.state.frame();
    frame.map(|frame| frame.flow.as_str()).unwrap_or_default()
}

/// Ends the run; gives its outermost frame.
pub(crate) fn end(ctx: &mut TurnContext<'_>) -> Option<FlowFrame> {
    let run = ctx.turn.state.run.take()?;
    run.frames.into_iter().next()
}

/// Answers in the innermost flow, by step.
pub(crate) fn answers(ctx: &TurnContext<'_>) -> BTreeMap<String, Value> {
    let frame = ctx.turn.state.frame();
    frame.map(|frame| frame.answers.clone()).unwrap_or_default()
}

/// Whether a text says one of the words of the flows in progress, perhaps with polite words: words
/// of outer flows apply in inner flows too.
pub(crate) fn is_word(
    ctx: &TurnContext<'_>,
    text: &NormalizedText,
    words: impl Fn(&Flow) -> &[Phrase],
) -> bool {
    let frames = ctx.turn.state.run.iter().flat_map(|run| &run.frames);
    let mut flows = frames.filter_map(|frame| ctx.rules.flows.get(&frame.flow));
    let language = language_of(ctx.rules, &ctx.turn.state);
    flows.any(|flow| {
        let mut words = words(flow).iter();
        words.any(|word| is_command(text, word, language))
    })
}

/// Records a verdict on the current step in the explanation.
pub(crate) fn record_step(ctx: &mut TurnContext<'_>, verdict: Verdict, because: &str) {
    if let Some(frame) = ctx.turn.state.frame() {
        let source = source(&frame.flow, &frame.step);
        ctx.turn.explanation.record(source, verdict, because);
    }
}

/// Goes back to the step whose button was tapped; false if this run has not been at that step.
pub(crate) fn rewind(run: &mut FlowRun, tap: FlowButtonId<'_>) -> bool {
    let index = run.frames.iter().position(|frame| frame.has_been_at(tap));
    let Some(index) = index else {
        return false;
    };
    run.frames.truncate(index + 1);
    // Down into the sub-flow that the button belongs to, as it was then.
    while let Some(frame) = run.frames.last_mut() {
        let is_here = frame.flow == tap.flow && frame.is_or_was_at(tap.step);
        let mut inner = frame.finished_subflows.iter();
        let step = inner.find(|(_, inner)| inner.has_been_at(tap));
        let step = step.map(|(step, _)| step.clone()).filter(|_| !is_here);
        let Some(step) = step else {
            if frame.step != tap.step {
                frame.back_to(tap.step);
                run.failed_attempts = 0;
            }
            break;
        };
        let inner = frame.finished_subflows.remove(&step);
        frame.back_to(&step);
        run.failed_attempts = 0;
        run.frames.extend(inner);
    }
    true
}

/// Goes one step back, out of a flow at its first question; gives the step to go on with.
pub(crate) fn step_back(run: &mut FlowRun) -> Option<String> {
    run.failed_attempts = 0;
    if run.frames.last()?.answered_steps.is_empty() && run.frames.len() > 1 {
        run.frames.pop();
    }
    loop {
        let frame = run.frames.last_mut()?;
        // The first question of an outer flow leads into that flow again.
        let step = frame.answered_steps.last().unwrap_or(&frame.step).clone();
        let inner = frame.finished_subflows.remove(&step);
        frame.back_to(&step);
        match inner.filter(|inner| !inner.answered_steps.is_empty()) {
            // The question before was the last one of a sub-flow.
            Some(inner) => run.frames.push(inner),
            None => return Some(step),
        }
    }
}

impl FlowFrame {
    fn is_or_was_at(&self, step: &str) -> bool {
        self.step == step || self.has_answered(step)
    }

    pub(crate) fn has_answered(&self, step: &str) -> bool {
        self.answered_steps.iter().any(|answered| answered == step)
    }

    /// Whether the question of a button was asked here, or in a sub-flow that ended here.
    fn has_been_at(&self, tap: FlowButtonId<'_>) -> bool {
        let is_here = self.flow == tap.flow && self.is_or_was_at(tap.step);
        let mut inner = self.finished_subflows.values();
        is_here || inner.any(|inner| inner.has_been_at(tap))
    }

    /// Keeps an answer, and the way back to its question.
    pub(crate) fn keep(&mut self, step: &str, answer: Value) {
        self.answers.insert(step.to_owned(), answer);
        self.answered_steps.retain(|answered| answered != step);
        self.answered_steps.push(step.to_owned());
    }

    /// Goes back to a question, and drops the answers from there on.
    pub(crate) fn back_to(&mut self, step: &str) {
        while let Some(last) = self.answered_steps.pop() {
            self.answers.remove(&last);
            self.finished_subflows.remove(&last);
            if last == step {
                break;
            }
        }
        step.clone_into(&mut self.step);
    }
}

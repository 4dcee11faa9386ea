//! The way through a flow: from one question to the next, into sub-flows and out of them.

use std::time::Duration;

use serde_json::{Map, Value};

use super::source;
use crate::engine::guards::after;
use crate::engine::respond::Used;
use crate::engine::{Part, Reply, Trigger, TurnContext};
use crate::message::{FlowFrame, FlowRun};
use crate::rules::button_id::FlowButtonId;
use crate::rules::{Accept, Flow, ReplyTemplate, Step, Target};

/// So many steps are passed in one turn at most; a check finds circles before, this bounds what it
/// cannot see.
const STEPS_MAX: usize = 32;

/// Where a flow goes next.
pub(crate) enum NextStep {
    /// To the step with this id.
    Step(String),
    /// Behind this step, in order.
    Behind(String),
    /// The flow is done.
    End,
    /// The flow is left.
    Cancel,
    /// Another flow takes over.
    Flow(String),
}

impl NextStep {
    pub(crate) fn of(target: &Target) -> Self {
        match target {
            Target::Step(id) => Self::Step(id.clone()),
            Target::End => Self::End,
            Target::Cancel => Self::Cancel,
            Target::Flow(name) => Self::Flow(name.clone()),
        }
    }
}

impl TurnContext<'_> {
    /// Where the step's `go` leads.
    pub(crate) fn branch(
        &mut self,
        step: &Step,
        trigger: Trigger<'_>,
        answer: Option<&Value>,
    ) -> NextStep {
        let flow = self.turn.state.frame().map(|frame| frame.flow.clone());
        let flow = flow.unwrap_or_default();
        let mut roots = self.answers_so_far();
        if let Some(answer) = answer {
            roots.insert(step.id.clone(), answer.clone());
            roots.insert("answer".to_owned(), answer.clone());
        }
        let variables = self.variables(&self.turn.state, trigger, roots);
        let holds = |branch: &&crate::rules::Branch| {
            let condition = branch.only_if.as_ref();
            condition.is_none_or(|condition| condition.holds(&variables) == Ok(true))
        };
        let found = step.go.iter().find(holds);
        let part = match found {
            Some(branch) => Some(Part::branch(&flow, step, branch)),
            None => Part::falls_through(&flow, step),
        };
        self.turn.parts.extend(part);
        match found {
            Some(branch) => NextStep::of(&branch.to),
            None => NextStep::Behind(step.id.clone()),
        }
    }

    /// Goes on until a question is asked or the flow is over.
    pub(crate) fn go(&mut self, mut next: NextStep, trigger: Trigger<'_>) -> Used {
        // One allowance for the whole turn: a flow may start another from here, and that one the
        // first again.
        while self.steps < STEPS_MAX {
            let Some(frame) = self.turn.state.frame() else {
                return Used::Said { replies: 0 };
            };
            let name = frame.flow.clone();
            let Some(flow) = self.rules.flows.get(&name) else {
                return Used::Failed(format!("there is no flow `{name}`"));
            };
            if let NextStep::Step(id) = &next {
                self.forget_from(id);
            }
            let place = match next {
                NextStep::Step(id) => flow.steps.iter().position(|step| step.id == id),
                NextStep::Behind(id) => {
                    let own = flow.steps.iter().position(|step| step.id == id);
                    own.map(|own| own + 1)
                        .filter(|place| *place < flow.steps.len())
                }
                NextStep::Cancel => return self.leave_quietly(trigger),
                NextStep::Flow(other) => return self.start_flow(&other, trigger),
                NextStep::End => None,
            };
            let step = place.map(|place| &flow.steps[place]);
            if let Some(step) = step.filter(|step| self.is_passed_over(step, trigger)) {
                next = NextStep::Behind(step.id.clone());
                continue;
            }
            self.steps += 1;
            let Some(step) = step else {
                match self.end_frame(flow, &name, trigger) {
                    Ok(on) => next = on,
                    Err(used) => return used,
                }
                continue;
            };
            match self.enter(step, trigger) {
                Ok(on) => next = on,
                Err(used) => return used,
            }
        }
        self.turn.state.run = None;
        Used::Failed(format!(
            "the flow passed {STEPS_MAX} steps without a question"
        ))
    }

    /// Who goes back to a question answers it and all behind it anew.
    fn forget_from(&mut self, step: &str) {
        let run = self.turn.state.run.as_mut();
        if let Some(frame) = run.and_then(|run| run.frames.last_mut())
            && frame.answered_steps.iter().any(|one| one == step)
        {
            frame.back_to(step);
        }
    }

    /// Whether the step's `if` does not hold.
    fn is_passed_over(&self, step: &Step, trigger: Trigger<'_>) -> bool {
        step.only_if.as_ref().is_some_and(|only_if| {
            let roots = self.answers_so_far();
            only_if.holds(&self.variables(&self.turn.state, trigger, roots)) != Ok(true)
        })
    }

    /// Goes into a step: asks its question, or says where to go on.
    fn enter(&mut self, step: &Step, trigger: Trigger<'_>) -> Result<NextStep, Used> {
        if let Some(run) = &mut self.turn.state.run
            && let Some(frame) = run.frames.last_mut()
        {
            frame.step.clone_from(&step.id);
            self.turn.parts.push(Part::step(&frame.flow, step));
        }
        if let Some(inner) = &step.flow {
            let first = self
                .rules
                .flows
                .get(inner)
                .and_then(|flow| flow.steps.first());
            let Some(first) = first else {
                return Ok(NextStep::Behind(step.id.clone()));
            };
            if let Some(run) = &mut self.turn.state.run {
                run.frames.push(FlowFrame {
                    flow: inner.clone(),
                    step: first.id.clone(),
                    ..FlowFrame::default()
                });
                if run.frames.len() > STEPS_MAX {
                    return Err(Used::Failed(
                        "flows go through each other without end".to_owned(),
                    ));
                }
            }
            return Ok(NextStep::Step(first.id.clone()));
        }
        if matches!(step.accept, Accept::Nothing) {
            return Ok(self.branch(step, trigger, None));
        }
        let used = self.ask(step, &step.ask, trigger, None);
        self.wait_for_answer();
        Err(used)
    }

    /// Ends the innermost flow; where the one around it goes on, or how the run ended.
    fn end_frame(
        &mut self,
        flow: &Flow,
        name: &str,
        trigger: Trigger<'_>,
    ) -> Result<NextStep, Used> {
        let Some(run) = &mut self.turn.state.run else {
            return Err(Used::Said { replies: 0 });
        };
        let Some(frame) = run.frames.pop() else {
            return Err(Used::Said { replies: 0 });
        };
        let number = run.number;
        let outer = run.frames.last_mut().map(|outer| {
            let answers: Map<String, Value> = frame.answers.clone().into_iter().collect();
            let step = outer.step.clone();
            outer.keep(&step, Value::Object(answers));
            // The way back leads through it.
            outer.finished_subflows.insert(step.clone(), frame.clone());
            (outer.flow.clone(), step)
        });
        if outer.is_none() {
            self.turn.state.run = None;
        }
        let source = source(name, "end");
        let used = self.answer(&source, &flow.end, trigger, frame.answers);
        let Some((outer_flow, step)) = outer else {
            return Err(used);
        };
        let run = self.turn.state.run.as_ref();
        if run.is_none_or(|run| run.number != number) {
            // Its end has started another flow, or ended this one.
            return Err(used);
        }
        match used {
            Used::Said { .. } | Used::Waits => {
                let outer_step = self.rules.flows.get(&outer_flow);
                let outer_step = outer_step.and_then(|flow| flow.step(&step));
                Ok(outer_step.map_or(NextStep::Behind(step.clone()), |step| {
                    self.branch(step, trigger, None)
                }))
            }
            other => Err(other),
        }
    }

    /// Begins a flow; one that is under way is left.
    pub(crate) fn start_flow(&mut self, name: &str, trigger: Trigger<'_>) -> Used {
        let Some(first) = self
            .rules
            .flows
            .get(name)
            .and_then(|flow| flow.steps.first())
        else {
            return Used::Failed(format!("there is no flow `{name}`"));
        };
        self.new_run(name, &first.id);
        self.go(NextStep::Step(first.id.clone()), trigger)
    }

    pub(crate) fn new_run(&mut self, flow: &str, step: &str) {
        let state = &mut self.turn.state;
        state.runs += 1;
        state.run = Some(FlowRun {
            number: state.runs,
            frames: vec![FlowFrame {
                flow: flow.to_owned(),
                step: step.to_owned(),
                ..FlowFrame::default()
            }],
            failed_attempts: 0,
            due: None,
        });
    }

    pub(crate) fn ask_current(&mut self, trigger: Trigger<'_>) -> Used {
        let Some((_, step)) = self.current() else {
            return Used::Said { replies: 0 };
        };
        let used = self.ask(step, &step.ask, trigger, None);
        self.wait_for_answer();
        used
    }

    /// Asks a question: its buttons know where they belong.
    pub(crate) fn ask(
        &mut self,
        step: &Step,
        texts: &[ReplyTemplate],
        trigger: Trigger<'_>,
        answer: Option<&Value>,
    ) -> Used {
        let Some(run) = &self.turn.state.run else {
            return Used::Said { replies: 0 };
        };
        let (number, flow) = (
            run.number,
            run.frames.last().map(|frame| frame.flow.clone()),
        );
        let flow = flow.unwrap_or_default();
        let mut roots = self.answers_so_far();
        roots.extend(answer.map(|answer| ("answer".to_owned(), answer.clone())));
        let source = source(&flow, &step.id);
        let mut replies: Vec<Reply> = match self.filled(&source, texts, trigger, &roots) {
            Ok(replies) => replies,
            Err(failed) => return Used::Failed(failed),
        };
        for reply in &mut replies {
            reply.content.rename_choices(|id| {
                let tap = FlowButtonId {
                    flow: &flow,
                    step: &step.id,
                    run: number,
                    id,
                };
                tap.wire()
            });
        }
        let said = replies.len();
        match self.push(replies) {
            Ok(()) => Used::Said { replies: said },
            Err(note) => Used::OverBudget(note),
        }
    }

    /// The time for the answer begins.
    pub(crate) fn wait_for_answer(&mut self) {
        let due = self.timeout().map(|timeout| after(self.now, timeout));
        if let Some(run) = &mut self.turn.state.run {
            run.due = due;
        }
    }

    /// How long the flow that is under way waits: as the innermost of those around the question
    /// says that say something.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let frames = self.turn.state.run.iter().flat_map(|run| &run.frames);
        let mut flows = frames
            .rev()
            .filter_map(|frame| self.rules.flows.get(&frame.flow));
        flows.find_map(|flow| flow.timeout)
    }
}

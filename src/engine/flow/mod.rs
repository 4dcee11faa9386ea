//! Through a flow: the answer to a question, the way to the next one, and what may come between.

mod accept;
mod advance;

use std::collections::BTreeMap;

use serde_json::Value;

use super::respond::Used;
use super::select::{RuleFilter, Selection};
use super::{ConversationEventKind, Decision, Part, Trigger, TriggerKind, TurnContext, Verdict};
use crate::message::{Content, FlowFrame, Inbound, RuleId};
use crate::rules::button_id::FlowButtonId;
use crate::rules::{Accept, Answer, Choice, Flow, Step};
use crate::text::normalize::{NormalizedText, Phrase};
use advance::NextStep;

impl<'a> TurnContext<'a> {
    /// Decides on a message in the middle of a flow, or on a tap on a button of one; whether it was
    /// decided.
    pub(crate) fn decide_in_flow(&mut self, message: &Inbound) -> bool {
        let captures = BTreeMap::new();
        let trigger = Trigger {
            message,
            captures: &captures,
            kind: TriggerKind::Message,
        };
        let tap = message.content.button().and_then(FlowButtonId::parse);
        let Some(run) = &self.turn.state.run else {
            return tap.is_some_and(|tap| self.old_tap(tap, trigger));
        };
        let number = run.number;
        if message
            .content
            .kind()
            .is_some_and(crate::message::Kind::is_quiet)
        {
            return false;
        }
        let Some((_, step)) = self.current() else {
            return self.gone(trigger);
        };
        if matches!(step.accept, Accept::Nothing) {
            // New rules ask nothing here any more: it goes on from this step by itself.
            let used = self.go(NextStep::Step(step.id.clone()), trigger);
            self.conclude(&format!("step {}", step.id), used, None);
            return true;
        }
        if let Some(tap) = tap {
            // The question may have been asked in an earlier run too.
            let same = tap.flow == self.innermost() && tap.step == step.id;
            if same || tap.run == number && self.rewind(tap) {
                self.take_answer(trigger, Some(tap.id));
                return true;
            }
        }
        let foreign = message.content.button().is_some_and(|id| {
            let mut choices = step.choices.iter();
            tap.is_some() || choices.all(|choice| choice.id != id)
        });
        let which = if foreign {
            RuleFilter::Buttons
        } else {
            RuleFilter::Anywhere
        };
        if self.between(message, which, step) {
            return true;
        }
        if foreign {
            self.ask_again(step, trigger);
            return true;
        }
        if self.goes_back_or_leaves(trigger) {
            return true;
        }
        self.take_answer(trigger, None)
    }

    /// A button of another question says nothing about this one.
    fn ask_again(&mut self, step: &Step, trigger: Trigger<'_>) {
        self.tell_step(Verdict::No, "the button is of another question");
        let used = self.ask_current(trigger);
        self.conclude(&format!("step {}", step.id), used, None);
    }

    fn innermost(&self) -> &str {
        let frame = self.turn.state.frame();
        frame.map(|frame| frame.flow.as_str()).unwrap_or_default()
    }

    /// The words of every flow that is under way: those around the innermost hold in it too.
    fn said_word(&self, text: &NormalizedText, words: impl Fn(&Flow) -> &[Phrase]) -> bool {
        let frames = self.turn.state.run.iter().flat_map(|run| &run.frames);
        let mut flows = frames.filter_map(|frame| self.rules.flows.get(&frame.flow));
        flows.any(|flow| words(flow).iter().any(|word| text.is(word)))
    }

    /// The flow and step that wait for an answer; `None` when the rules do not have them any more.
    fn current(&self) -> Option<(&'a Flow, &'a Step)> {
        let frames = &self.turn.state.run.as_ref()?.frames;
        // Every flow around it must be there too.
        let mut found = None;
        for frame in frames {
            let flow = self.rules.flows.get(&frame.flow)?;
            found = Some((flow, flow.step(&frame.step)?));
        }
        found
    }

    /// The rules were changed and do not have the step any more: the flow ends as they say, or the
    /// rules decide.
    fn gone(&mut self, trigger: Trigger<'_>) -> bool {
        let frames = self.turn.state.run.take().map(|run| run.frames);
        let Some((inner, frame)) = frames.as_ref().and_then(|all| all.last().zip(all.first()))
        else {
            return false;
        };
        let place = format!("{}/{}", inner.flow, inner.step);
        let text = format!("the rules have no step `{place}` any more; the flow has ended");
        self.note(ConversationEventKind::FlowGone, text);
        let rules = self.rules;
        match rules.flows.get(&frame.flow) {
            Some(flow) if !flow.on_gone.variants.is_empty() => {
                let source = source(&frame.flow, "on_gone");
                self.ends_with(&source, &flow.on_gone, trigger, frame.answers.clone());
                true
            }
            _ => false,
        }
    }

    /// Goes back to the step whose button was tapped; whether this run has been there.
    fn rewind(&mut self, tap: FlowButtonId<'_>) -> bool {
        let Some(run) = &mut self.turn.state.run else {
            return false;
        };
        let found = run.frames.iter().position(|frame| frame.has_been_at(tap));
        let Some(index) = found else {
            return false;
        };
        run.frames.truncate(index + 1);
        // Down into the sub-flow that it belongs to, as it was then.
        while let Some(frame) = run.frames.last_mut() {
            let own = frame.flow == tap.flow && frame.is_or_was_at(tap.step);
            let mut inner = frame.finished_subflows.iter();
            let step = inner.find(|(_, inner)| inner.has_been_at(tap));
            let step = step.map(|(step, _)| step.clone()).filter(|_| !own);
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

    /// A tap on a button of a run that is over: the first question begins anew with that answer,
    /// any other button is left to the rules.
    fn old_tap(&mut self, tap: FlowButtonId<'_>, trigger: Trigger<'_>) -> bool {
        let Some(flow) = self.rules.flows.get(tap.flow) else {
            return false;
        };
        let first = flow.steps.first();
        if self.turn.state.run.is_some() || first.is_none_or(|step| step.id != tap.step) {
            return false;
        }
        self.new_run(tap.flow, tap.step);
        self.take_answer(trigger, Some(tap.id));
        true
    }

    /// Rules that may come between have their say before the answer; then the question is asked
    /// again.
    fn between(&mut self, message: &Inbound, which: RuleFilter, step: &Step) -> bool {
        let before = self.turn.state.run.clone();
        let said = self.turn.replies.len();
        if self.walk(message, which) == Selection::Through && self.turn.replies.len() == said {
            return false;
        }
        let still = self.turn.state.run == before && self.turn.state.handoff_until.is_none();
        if still && self.turn.decision == Decision::Answered {
            let captures = BTreeMap::new();
            let trigger = Trigger {
                message,
                captures: &captures,
                kind: TriggerKind::Message,
            };
            // No room for the question is no reason to drop the answer.
            let _ = self.ask(step, &step.ask, trigger, None);
            self.wait_for_answer();
        }
        true
    }

    /// The words of the flow that go one question back, or end it.
    fn goes_back_or_leaves(&mut self, trigger: Trigger<'_>) -> bool {
        let Content::Text { body } = &trigger.message.content else {
            return false;
        };
        let folded = NormalizedText::of(body);
        if self.said_word(&folded, |flow| &flow.cancel) {
            self.tell_step(Verdict::Matched, "a word of `cancel`");
            self.leave(trigger);
            return true;
        }
        if !self.said_word(&folded, |flow| &flow.back) {
            return false;
        }
        self.tell_step(Verdict::Matched, "a word of `back`");
        let used = match self.step_before() {
            Some(step) => self.go(NextStep::Step(step), trigger),
            None => self.ask_current(trigger),
        };
        self.conclude("back", used, None);
        true
    }

    /// Goes one step back, out of a flow when this was its first question; the step to go on with.
    fn step_before(&mut self) -> Option<String> {
        let run = self.turn.state.run.as_mut()?;
        run.failed_attempts = 0;
        if run.frames.last()?.answered_steps.is_empty() && run.frames.len() > 1 {
            run.frames.pop();
        }
        loop {
            let frame = run.frames.last_mut()?;
            // The first question of a flow around it leads into that flow again.
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

    /// Takes a message as the answer to the question; `choice` when a button of it was tapped.
    /// Whether it was decided.
    fn take_answer(&mut self, trigger: Trigger<'_>, choice: Option<&str>) -> bool {
        let Some((_, step)) = self.current() else {
            return self.gone(trigger);
        };
        let leads = choice.and_then(|id| {
            step.choices
                .iter()
                .find(|one| one.id == id && one.go.is_some())
        });
        if let Some(choice) = leads.filter(|_| !matches!(step.accept, Accept::Choice)) {
            self.take_way(step, choice, trigger);
            return true;
        }
        match self.checked(step, trigger, choice) {
            Ok(answer) => {
                // The same answer to several questions is no loop.
                self.turn.state.repeated = None;
                self.tell_step(
                    Verdict::Matched,
                    &format!("taken as {}", step.accept.name()),
                );
                let chosen = answer.get("id").and_then(Value::as_str);
                let chosen = chosen.and_then(|id| step.choices.iter().find(|one| one.id == id));
                let used = self.accept(step, chosen, answer.clone(), trigger);
                let name = format!("step {}", step.id);
                self.conclude(&name, used, None);
                true
            }
            Err(reason) => {
                self.tell_step(Verdict::No, &reason);
                self.refuse(step, trigger)
            }
        }
    }

    /// A button that leads elsewhere in place of an answer: "I do not know" below the question for
    /// a date.
    fn take_way(&mut self, step: &Step, choice: &Choice, trigger: Trigger<'_>) {
        self.turn.state.repeated = None;
        self.tell_step(Verdict::Matched, &format!("`{}` was tapped", choice.id));
        let used = self.accept(step, Some(choice), Value::Null, trigger);
        self.conclude(&format!("step {}", step.id), used, None);
    }

    /// The answer as a value, or why it is none.
    fn checked(
        &self,
        step: &Step,
        trigger: Trigger<'_>,
        choice: Option<&str>,
    ) -> Result<Value, String> {
        let roots = self.answers_so_far();
        let variables = self.variables(&self.turn.state, trigger, roots);
        let answer = accept::read(self, step, trigger.message, choice, &variables)?;
        let Some(valid) = &step.valid else {
            return Ok(answer);
        };
        match valid.holds(&variables.with("answer", answer.clone())) {
            Ok(true) => Ok(answer),
            Ok(false) => Err(format!("`{}` does not hold", valid.written())),
            Err(error) => Err(format!("`{}` cannot be decided: {error}", valid.written())),
        }
    }

    /// An answer that is no good: asks again, or gives up. Whether it was decided.
    fn refuse(&mut self, step: &Step, trigger: Trigger<'_>) -> bool {
        let Some(run) = &mut self.turn.state.run else {
            return false;
        };
        run.failed_attempts += 1;
        if run.failed_attempts <= step.retries {
            let texts = if step.retry.is_empty() {
                &step.ask
            } else {
                &step.retry
            };
            let said = trigger.message.content.text_or_label().map(Value::from);
            let used = self.ask(step, texts, trigger, said.as_ref());
            self.wait_for_answer();
            if matches!(used, Used::Said { .. })
                && let Some(frame) = self.turn.state.frame()
            {
                self.turn.parts.push(Part::retry(&frame.flow, step));
            }
            if matches!(used, Used::OverBudget(_))
                && let Some(run) = &mut self.turn.state.run
            {
                // Nobody told the person, so it does not count.
                run.failed_attempts -= 1;
            }
            self.conclude(&format!("step {}", step.id), used, None);
            return true;
        }
        self.give_up(trigger)
    }

    /// Keeps an answer and goes on, to where the choice leads if it leads somewhere.
    fn accept(
        &mut self,
        step: &Step,
        leads: Option<&Choice>,
        answer: Value,
        trigger: Trigger<'_>,
    ) -> Used {
        let before = self.savepoint();
        // Who taps a button of a run that is over was asked by that run.
        self.turn.parts.push(Part::step(self.innermost(), step));
        let own_way = leads.and_then(|choice| Some((choice.go.as_ref()?, choice)));
        let next = match own_way {
            Some((target, choice)) => {
                let part = Part::choice(self.innermost(), step, choice);
                self.turn.parts.extend(part);
                NextStep::of(target)
            }
            None => self.branch(step, trigger, Some(&answer)),
        };
        if let Some(run) = &mut self.turn.state.run {
            run.failed_attempts = 0;
            if let Some(frame) = run.frames.last_mut() {
                frame.keep(&step.id, answer);
            }
        }
        let used = self.go(next, trigger);
        match &used {
            Used::Said { .. } | Used::Waits => {}
            // What could not be said did not happen: the same answer is good again later.
            Used::OverBudget(_) => self.back_to(before),
            // It would fail again with the same answer, so the person is not kept waiting in the
            // flow.
            Used::Failed(_) => {
                self.back_to(before);
                self.give_up(trigger);
            }
        }
        used
    }

    /// Ends the flow as it says for when it cannot go on; whether it says something.
    fn give_up(&mut self, trigger: Trigger<'_>) -> bool {
        let frame = self.outermost();
        self.turn.state.run = None;
        let Some(frame) = frame else {
            return false;
        };
        let rules = self.rules;
        let flow = rules.flows.get(&frame.flow);
        match flow.and_then(|flow| flow.on_give_up.as_ref()) {
            Some(answer) => {
                let source = source(&frame.flow, "on_give_up");
                self.ends_with(&source, answer, trigger, frame.answers);
                true
            }
            None => false,
        }
    }

    /// Leaves the flow by a word, and says what it says then.
    fn leave(&mut self, trigger: Trigger<'_>) {
        let used = self.leave_quietly(trigger);
        self.conclude("cancel", used, None);
    }

    pub(crate) fn leave_quietly(&mut self, trigger: Trigger<'_>) -> Used {
        let Some(frame) = self.outermost() else {
            return Used::Said { replies: 0 };
        };
        self.turn.state.run = None;
        let rules = self.rules;
        match rules.flows.get(&frame.flow) {
            Some(flow) => {
                let source = source(&frame.flow, "on_cancel");
                self.answer(&source, &flow.on_cancel, trigger, frame.answers)
            }
            None => Used::Said { replies: 0 },
        }
    }

    /// Gives one of a flow's answers after it has ended.
    pub(crate) fn ends_with(
        &mut self,
        source: &RuleId,
        answer: &Answer,
        trigger: Trigger<'_>,
        answers: BTreeMap<String, Value>,
    ) {
        let used = self.answer(source, answer, trigger, answers);
        self.conclude(source.as_str(), used, None);
    }

    pub(crate) fn outermost(&self) -> Option<FlowFrame> {
        self.turn.state.run.as_ref()?.frames.first().cloned()
    }

    pub(crate) fn answers_so_far(&self) -> BTreeMap<String, Value> {
        let frame = self.turn.state.frame();
        frame.map(|frame| frame.answers.clone()).unwrap_or_default()
    }

    fn tell_step(&mut self, verdict: Verdict, because: &str) {
        let Some(frame) = self.turn.state.frame() else {
            return;
        };
        let source = source(&frame.flow, &frame.step);
        self.turn
            .explanation
            .tell_of(source, verdict, because.to_owned());
    }
}

/// The name under which what a flow says stands in the history.
pub(crate) fn source(flow: &str, part: &str) -> RuleId {
    RuleId::parse(format!("{flow}/{part}")).expect("it has a slash")
}

impl FlowFrame {
    fn is_or_was_at(&self, step: &str) -> bool {
        self.step == step || self.answered_steps.iter().any(|one| one == step)
    }

    /// Whether the question of a button was asked here, or in a sub-flow that was gone through
    /// here.
    fn has_been_at(&self, tap: FlowButtonId<'_>) -> bool {
        let own = self.flow == tap.flow && self.is_or_was_at(tap.step);
        own || self
            .finished_subflows
            .values()
            .any(|inner| inner.has_been_at(tap))
    }

    /// Keeps an answer, and the way back to its question.
    fn keep(&mut self, step: &str, answer: Value) {
        self.answers.insert(step.to_owned(), answer);
        self.answered_steps.retain(|one| one != step);
        self.answered_steps.push(step.to_owned());
    }

    /// Goes back to a question; the answers from there on are forgotten.
    fn back_to(&mut self, step: &str) {
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

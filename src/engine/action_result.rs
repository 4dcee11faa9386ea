//! Actions: what is asked of the world outside, and how it goes on when the result is there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::respond::{Span, Used};
use super::{
    AskedAction, ConversationEventKind, Decision, Part, Reply, Trigger, TriggerKind, TurnContext,
    Verdict, signed,
};
use crate::engine::render::variables::Variables;
use crate::message::{
    Action, ActionResult, FlowRun, HttpCall, Inbound, ModelCall, ModelChoice, ModelTurn,
    PendingAction, RuleId, Speaker,
};
use crate::rules::{ActionTemplate, Answer, Body, HttpTemplate, ModelTemplate};

/// Actions of one conversation that may be under way; a person cannot start them without end.
const WAITING_MAX: usize = 5;

/// Actions that one action may lead to, one after the other: rules that lead to each other end
/// here.
const CHAIN_MAX: u64 = 3;

impl<'a> TurnContext<'a> {
    /// Asks for an action; the answer is given when its result is there.
    pub(crate) fn ask_action(
        &mut self,
        (source, answer): (&RuleId, &Answer),
        action: &ActionTemplate,
        trigger: Trigger<'_>,
        answers: BTreeMap<String, Value>,
    ) -> Used {
        if let Some(note) = self.may_not_ask(answer) {
            return Used::OverBudget(note);
        }
        let action = match self.made(action, trigger, &answers) {
            Ok(action) => action,
            Err(failed) => return self.not_asked(source, answer, (trigger, &answers), failed),
        };
        // Filled in now: the rules may have changed when the result is there.
        let instead = answer.on_error.as_ref().map(std::slice::from_ref);
        let instead = self.filled(source, instead.unwrap_or_default(), trigger, &answers);
        let instead = instead.unwrap_or_default().into_iter();
        let state = &mut self.turn.state;
        state.actions += 1;
        state.asked_at.push(self.now);
        let number = state.actions;
        state.pending_actions.push(PendingAction {
            number,
            source: source.clone(),
            message: Inbound {
                raw: String::new(),
                ..trigger.message.clone()
            },
            captures: trigger.captures.clone(),
            answers,
            asked_at: self.now,
            chain: self.chain,
            instead: instead.map(|reply| reply.content).collect(),
        });
        self.turn.actions.push(AskedAction {
            number,
            action,
            answers: trigger.answers(),
        });
        Used::Waits
    }

    /// Why the person may lead to no further action. What its answer could not be told to anybody
    /// is not asked either.
    fn may_not_ask(&self, answer: &Answer) -> Option<&'static str> {
        let state = &self.turn.state;
        if state.pending_actions.len() >= WAITING_MAX {
            return Some("too many actions of this person are under way");
        }
        let bot = &self.rules.bot;
        match self.exceeded(bot.action_budget, &state.asked_at, 1) {
            Some(Span::Minute) => {
                return Some("the person's budget of actions per minute is used up");
            }
            Some(Span::Hour) => return Some("the person's budget of actions per hour is used up"),
            None => {}
        }
        if !says(answer) {
            return None;
        }
        // Those under way have the first claim on what is left.
        let pending_actions = state.pending_actions.iter();
        let pending_actions =
            pending_actions.filter(|one| self.answer_of(&one.source).is_some_and(says));
        let replies = pending_actions.count() + 1;
        match self.exceeded(bot.reply_budget, &state.replied_at, replies) {
            Some(Span::Minute) => {
                Some("the person's budget of replies per minute is used up, so nothing is asked")
            }
            Some(Span::Hour) => {
                Some("the person's budget of replies per hour is used up, so nothing is asked")
            }
            None => None,
        }
    }

    fn made(
        &self,
        action: &ActionTemplate,
        trigger: Trigger<'_>,
        answers: &BTreeMap<String, Value>,
    ) -> Result<Action, String> {
        if self.chain > CHAIN_MAX {
            return Err(format!(
                "more than {CHAIN_MAX} actions would follow from one"
            ));
        }
        let variables = self.variables(&self.turn.state, trigger, answers.clone());
        match action {
            ActionTemplate::Http(call) => http(call, &variables).map(Action::Http),
            ActionTemplate::Model(model) => {
                self.model(model, &variables, trigger).map(Action::Model)
            }
        }
    }

    /// An action that could not be asked for has failed, like one that was asked for in vain.
    fn not_asked(
        &mut self,
        source: &RuleId,
        answer: &Answer,
        told: (Trigger<'_>, &BTreeMap<String, Value>),
        failed: String,
    ) -> Used {
        let Some(instead) = &answer.on_error else {
            return Used::Failed(failed);
        };
        let text = format!("the action of `{source}` failed: {failed}");
        let used = self.say_instead(source, instead, told, failed);
        if matches!(used, Used::Said { .. }) {
            self.note(ConversationEventKind::ActionFailed, text);
        }
        used
    }

    fn model(
        &self,
        model: &ModelTemplate,
        variables: &Variables<'_>,
        trigger: Trigger<'_>,
    ) -> Result<ModelCall, String> {
        let prompt = model.prompt.as_ref().map(|prompt| prompt.render(variables));
        let instructions = prompt.transpose().map_err(|error| error.to_string())?;
        let said = trigger.message.content.text_or_label().unwrap_or_default();
        let choose = model.choose.iter().map(|id| ModelChoice {
            id: id.as_str().to_owned(),
            description: self.described(id),
        });
        Ok(ModelCall {
            instructions: instructions.unwrap_or_default(),
            // What was said before is added by whoever has the history.
            turns: vec![ModelTurn {
                speaker: Speaker::Person,
                text: said.to_owned(),
            }],
            choose: choose.collect(),
            max_tokens: model.max_tokens,
            timeout: model.timeout,
        })
    }

    /// What a rule is for: what people write who mean it.
    fn described(&self, id: &RuleId) -> String {
        let rule = self.rules.rule(id.as_str());
        let examples = rule.map(|rule| rule.examples.iter().take(5));
        let examples: Vec<&str> = examples
            .into_iter()
            .flatten()
            .map(|example| example.text.as_str())
            .collect();
        if examples.is_empty() {
            id.as_str().replace(['-', '_', '.'], " ")
        } else {
            format!("people write: {}", examples.join("; "))
        }
    }

    /// Goes on with the answer that waited for an action.
    pub(crate) fn action_ended(&mut self, number: u64, outcome: &ActionResult) {
        self.turn.decision = Decision::Silent;
        let pending_actions = &mut self.turn.state.pending_actions;
        let Some(index) = pending_actions.iter().position(|one| one.number == number) else {
            let note = "nobody waits for this result any more".to_owned();
            self.turn.explanation.note = Some(note);
            return;
        };
        let waited = pending_actions.remove(index);
        self.chain = waited.chain + 1;
        let before = self.turn.state.run.clone();
        self.go_on(&waited, outcome);
        self.ask_after(&waited, before.as_ref());
        self.conclude_message(waited.message.wamid);
    }

    fn go_on(&mut self, waited: &PendingAction, outcome: &ActionResult) {
        if self.turn.state.handoff_until.is_some() {
            self.turn.decision = Decision::HandedOff;
            self.turn.explanation.note = Some("a colleague answers here now".to_owned());
            return;
        }
        if self.turn.state.opted_out_at.is_some() {
            self.turn.decision = Decision::OptedOut;
            self.turn.explanation.note = Some("the person wants nothing from us".to_owned());
            return;
        }
        let trigger = Trigger {
            message: &waited.message,
            captures: &waited.captures,
            kind: TriggerKind::Message,
        };
        let Some(answer) = self.answer_of(&waited.source) else {
            self.answer_is_gone(waited, trigger);
            return;
        };
        match outcome {
            ActionResult::Done(value) => self.action_done(waited, answer, value, trigger),
            ActionResult::Failed(reason) => self.action_failed(waited, answer, reason, trigger),
        }
    }

    /// Nobody knows any more what the result was for; the person still waits for a word.
    fn answer_is_gone(&mut self, waited: &PendingAction, trigger: Trigger<'_>) {
        let text = format!("the rules have no `{}` any more", waited.source);
        self.note(ConversationEventKind::NotSent, text.clone());
        let replies: Vec<Reply> = waited
            .instead
            .iter()
            .map(|content| Reply {
                rule: waited.source.clone(),
                content: content.clone(),
                quote: false,
                answers: trigger.answers(),
                variant: None,
            })
            .collect();
        let said = replies.len();
        let used = match self.push(replies) {
            Ok(()) => Used::Said { replies: said },
            Err(note) => Used::OverBudget(note),
        };
        self.conclude(waited.source.as_str(), used, None);
        self.turn.explanation.note.get_or_insert(text);
    }

    /// An answer that came in between leads back to the question of the flow, as any other does.
    fn ask_after(&mut self, waited: &PendingAction, before: Option<&FlowRun>) {
        let state = &self.turn.state;
        let still = before.is_some() && state.run.as_ref() == before;
        if still && state.handoff_until.is_none() && self.turn.decision == Decision::Answered {
            let trigger = Trigger {
                message: &waited.message,
                captures: &waited.captures,
                kind: TriggerKind::Message,
            };
            // No room for the question is no reason to drop the answer.
            let _ = self.ask_current(trigger);
        }
    }

    fn action_done(
        &mut self,
        waited: &PendingAction,
        answer: &'a Answer,
        value: &Value,
        trigger: Trigger<'_>,
    ) {
        let rules = self.rules;
        let chosen = value.get("choice").and_then(Value::as_str);
        let is_choice = matches!(answer.action.as_deref(), Some(ActionTemplate::Model(model)) if !model.choose.is_empty());
        if let Some(id) = chosen.filter(|_| is_choice)
            && let Some(rule) = rules.rule(id)
        {
            let because = format!("a model chose it for `{}`", waited.source);
            let Some(suppressed_because) = self.suppressed_because(rule) else {
                let because = self.with_arm(rule, because);
                self.turn.explanation.tell(rule, Verdict::Matched, because);
                self.use_rule(rule, trigger);
                return;
            };
            // As if it had chosen none.
            let because = format!("{because}; {suppressed_because}");
            self.turn.explanation.tell(rule, Verdict::Quiet, because);
        }
        let because = "its action is done".to_owned();
        self.turn
            .explanation
            .tell_of(waited.source.clone(), Verdict::Matched, because);
        let mut roots = waited.answers.clone();
        let saved = answer.action.as_deref().and_then(ActionTemplate::save);
        if let Some(name) = saved {
            roots.insert(name.to_owned(), value.clone());
        }
        let used = self.say(&waited.source, answer, trigger, &roots);
        self.conclude(waited.source.as_str(), used, None);
    }

    fn action_failed(
        &mut self,
        waited: &PendingAction,
        answer: &'a Answer,
        reason: &str,
        trigger: Trigger<'_>,
    ) {
        let text = format!("the action of `{}` failed: {reason}", waited.source);
        self.note(ConversationEventKind::ActionFailed, text.clone());
        let because = format!("its action failed: {reason}");
        self.turn
            .explanation
            .tell_of(waited.source.clone(), Verdict::Matched, because);
        let late = self.now.duration_since(waited.asked_at);
        if late > signed(self.rules.bot.max_age) {
            self.turn.decision = Decision::TooOld;
            self.turn.explanation.note = Some(format!("{text}; too late to say so"));
            return;
        }
        let Some(instead) = &answer.on_error else {
            self.turn.decision = Decision::Failed;
            self.turn.explanation.note = Some(text);
            return;
        };
        self.turn.parts.push(Part::on_error(&waited.source));
        let instead = std::slice::from_ref(instead);
        let used = match self.filled(&waited.source, instead, trigger, &waited.answers) {
            Err(failed) => Used::Failed(failed),
            Ok(replies) => {
                let said = replies.len();
                match self.push(replies) {
                    Ok(()) => Used::Said { replies: said },
                    Err(note) => Used::OverBudget(note),
                }
            }
        };
        self.conclude(waited.source.as_str(), used, None);
    }

    /// The answer of a rule, or of a part of a flow: `flow/end`.
    fn answer_of(&self, source: &RuleId) -> Option<&'a Answer> {
        let rules = self.rules;
        let Some((flow, part)) = source.as_str().split_once('/') else {
            let rule = rules.rule(source.as_str());
            return rule.map(|rule| &rule.answer);
        };
        let flow = rules.flows.get(flow)?;
        match part {
            "end" => Some(&flow.end),
            "on_timeout" => Some(&flow.on_timeout),
            "on_cancel" => Some(&flow.on_cancel),
            "on_gone" => Some(&flow.on_gone),
            "on_give_up" => flow.on_give_up.as_ref(),
            _ => None,
        }
    }
}

/// Whether an answer may say something once its action is done.
fn says(answer: &Answer) -> bool {
    let chooses = match answer.action.as_deref() {
        Some(ActionTemplate::Model(model)) => !model.choose.is_empty(),
        Some(ActionTemplate::Http(_)) | None => false,
    };
    let replies = answer.variants.iter().any(|replies| !replies.is_empty());
    replies || chooses || answer.on_error.is_some() || answer.effects.start.is_some()
}

fn http(call: &HttpTemplate, variables: &Variables<'_>) -> Result<HttpCall, String> {
    let text = |template: &crate::template::Template| {
        template
            .render(variables)
            .map_err(|error| error.to_string())
    };
    let url = call.url.render_url(variables);
    let headers = call.headers.iter();
    let headers = headers.map(|(name, value)| Ok((name.clone(), text(value)?)));
    let body = call.body.as_ref().map(|body| document(body, variables));
    Ok(HttpCall {
        method: call.method,
        url: url.map_err(|error| error.to_string())?,
        headers: headers.collect::<Result<_, String>>()?,
        body: body.transpose()?,
        timeout: call.timeout,
    })
}

fn document(body: &Body, variables: &Variables<'_>) -> Result<Value, String> {
    Ok(match body {
        Body::Plain(value) => value.clone(),
        Body::Text(text) => Value::from(text.render(variables).map_err(|error| error.to_string())?),
        Body::List(all) => {
            let all = all.iter().map(|one| document(one, variables));
            Value::Array(all.collect::<Result<_, _>>()?)
        }
        Body::Object(all) => {
            let all = all.iter();
            let all = all.map(|(name, one)| Ok((name.clone(), document(one, variables)?)));
            Value::Object(all.collect::<Result<_, String>>()?)
        }
    })
}

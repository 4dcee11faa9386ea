//! Requests of actions: HTTP calls and language models, filled in from a rule's templates. The
//! answer is given when the result arrives (`action_result`).

use std::collections::BTreeMap;
use std::slice;

use serde_json::Value;

use super::context::{Trigger, TurnContext};
use super::conversation_event::ConversationEventKind;
use super::outcome::Outcome;
use super::render::variables::Variables;
use super::replies;
use super::turn::RequestedAction;
use crate::message::{
    Action, HttpCall, Inbound, ModelCall, ModelChoice, ModelTurn, PendingAction, RuleId, Speaker,
};
use crate::rules::{ActionTemplate, Answer, Body, HttpTemplate, ModelTemplate, RuleSet};
use crate::template::Template;

/// Pending actions that one conversation may have.
const PENDING_MAX: usize = 5;

/// Actions that one action may lead to, one after the other: rules that lead to each other end
/// here.
const CHAIN_MAX: u64 = 3;

/// Requests an action; the answer is given when its result arrives.
pub(crate) fn request<'a>(
    ctx: &mut TurnContext<'a>,
    (source, answer): (&RuleId, &Answer),
    template: &ActionTemplate,
    trigger: Trigger<'_>,
    roots: BTreeMap<String, Value>,
) -> Outcome<'a> {
    if let Some(note) = refused_because(ctx, answer) {
        return Outcome::RateLimited(note);
    }
    let action = match fill(ctx, template, trigger, &roots) {
        Ok(action) => action,
        Err(failed) => return not_requested(ctx, source, answer, (trigger, &roots), failed),
    };
    // Filled in now: the rules may have changed when the result arrives.
    let on_error = answer.on_error.as_ref().map(slice::from_ref);
    let on_error = replies::fill(ctx, source, on_error.unwrap_or_default(), trigger, &roots);
    let on_error = on_error.unwrap_or_default().into_iter();
    let state = &mut ctx.turn.state;
    state.actions += 1;
    state.asked_at.push(ctx.now);
    let number = state.actions;
    state.pending_actions.push(PendingAction {
        number,
        source: source.clone(),
        message: Inbound {
            raw: String::new(),
            ..trigger.message.clone()
        },
        captures: trigger.captures.clone(),
        answers: roots,
        asked_at: ctx.now,
        chain: ctx.chain,
        instead: on_error.map(|reply| reply.content).collect(),
    });
    ctx.turn.actions.push(RequestedAction {
        number,
        action,
        answers: trigger.answers(),
    });
    Outcome::Pending
}

/// Finds the reason why the contact may start no further action. An action whose answer could not
/// be sent is not requested either.
fn refused_because(ctx: &TurnContext<'_>, answer: &Answer) -> Option<String> {
    let state = &ctx.turn.state;
    if state.pending_actions.len() >= PENDING_MAX {
        return Some("too many actions of this person are under way".to_owned());
    }
    let bot = &ctx.rules.bot;
    if let Some(span) = ctx.exceeded(bot.action_budget, &state.asked_at, 1) {
        return Some(format!(
            "the contact's budget of actions per {span} is used up"
        ));
    }
    if !may_reply(answer) {
        return None;
    }
    // Pending actions have the first claim on the rest of the budget.
    let pending = state.pending_actions.iter();
    let pending =
        pending.filter(|action| answer_of(ctx.rules, &action.source).is_some_and(may_reply));
    let span = ctx.exceeded(bot.reply_budget, &state.replied_at, pending.count() + 1)?;
    Some(format!(
        "the contact's budget of replies per {span} is used up, so nothing is asked"
    ))
}

/// Whether an answer may send something once its action has ended.
fn may_reply(answer: &Answer) -> bool {
    let chooses = answer.action.as_deref().is_some_and(chooses_rule);
    let replies = answer.variants.iter().any(|replies| !replies.is_empty());
    replies || chooses || answer.on_error.is_some() || answer.effects.start.is_some()
}

/// Whether the result of an action is a rule.
pub(crate) fn chooses_rule(action: &ActionTemplate) -> bool {
    matches!(action, ActionTemplate::Model(model) if !model.choose.is_empty())
}

/// Finds the answer of a rule, or of an ending of a flow: `flow/end`.
pub(crate) fn answer_of<'r>(rules: &'r RuleSet, source: &RuleId) -> Option<&'r Answer> {
    let Some((flow, ending)) = source.as_str().split_once('/') else {
        let rule = rules.rule(source.as_str());
        return rule.map(|rule| &rule.answer);
    };
    let flow = rules.flows.get(flow)?;
    match ending {
        "end" => Some(&flow.end),
        "on_timeout" => Some(&flow.on_timeout),
        "on_cancel" => Some(&flow.on_cancel),
        "on_gone" => Some(&flow.on_gone),
        "on_give_up" => flow.on_give_up.as_ref(),
        _ => None,
    }
}

/// Gives `on_error` for an action that could not be requested, as for one that failed.
fn not_requested<'a>(
    ctx: &mut TurnContext<'a>,
    source: &RuleId,
    answer: &Answer,
    filled_from: (Trigger<'_>, &BTreeMap<String, Value>),
    failed: String,
) -> Outcome<'a> {
    let Some(on_error) = &answer.on_error else {
        return Outcome::Failed(failed);
    };
    let text = format!("the action of `{source}` failed: {failed}");
    let outcome = replies::send_on_error(ctx, source, on_error, filled_from, failed);
    if matches!(outcome, Outcome::Sent { .. }) {
        ctx.note(ConversationEventKind::ActionFailed, text);
    }
    outcome
}

fn fill(
    ctx: &TurnContext<'_>,
    template: &ActionTemplate,
    trigger: Trigger<'_>,
    roots: &BTreeMap<String, Value>,
) -> Result<Action, String> {
    if ctx.chain > CHAIN_MAX {
        return Err(format!(
            "more than {CHAIN_MAX} actions would follow from one"
        ));
    }
    let variables = ctx.variables(trigger, roots.clone());
    match template {
        ActionTemplate::Http(call) => http(call, &variables).map(Action::Http),
        ActionTemplate::Model(call) => {
            model(ctx.rules, call, &variables, trigger.message).map(Action::Model)
        }
    }
}

fn http(call: &HttpTemplate, variables: &Variables<'_>) -> Result<HttpCall, String> {
    let headers = call.headers.iter();
    let headers = headers.map(|(name, value)| Ok((name.clone(), text(value, variables)?)));
    let body = call.body.as_ref().map(|body| document(body, variables));
    Ok(HttpCall {
        method: call.method,
        url: variables
            .render_url(&call.url)
            .map_err(|error| error.to_string())?,
        headers: headers.collect::<Result<_, String>>()?,
        body: body.transpose()?,
        timeout: call.timeout,
    })
}

fn document(body: &Body, variables: &Variables<'_>) -> Result<Value, String> {
    Ok(match body {
        Body::Plain(value) => value.clone(),
        Body::Text(template) => Value::from(text(template, variables)?),
        Body::List(items) => {
            let items = items.iter().map(|item| document(item, variables));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Body::Object(fields) => {
            let fields = fields.iter();
            let fields =
                fields.map(|(name, value)| Ok((name.clone(), document(value, variables)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
    })
}

fn text(template: &Template, variables: &Variables<'_>) -> Result<String, String> {
    variables
        .render(template)
        .map_err(|error| error.to_string())
}

fn model(
    rules: &RuleSet,
    call: &ModelTemplate,
    variables: &Variables<'_>,
    message: &Inbound,
) -> Result<ModelCall, String> {
    let prompt = call.prompt.as_ref().map(|prompt| text(prompt, variables));
    let choose = call.choose.iter().map(|id| ModelChoice {
        id: id.as_str().to_owned(),
        description: description(rules, id),
    });
    Ok(ModelCall {
        instructions: prompt.transpose()?.unwrap_or_default(),
        // Earlier turns are added by the caller that has the history.
        turns: vec![ModelTurn {
            speaker: Speaker::Contact,
            text: with_quoted(message),
        }],
        choose: choose.collect(),
        max_tokens: call.max_tokens,
        timeout: call.timeout,
    })
}

/// Writes a message for a model: its text below the one that it quotes, which may be long ago.
fn with_quoted(message: &Inbound) -> String {
    let text = message.content.text_or_label().unwrap_or_default();
    match &message.context.quoted_message {
        Some(quoted) => format!("> {}\n{text}", quoted.text.replace('\n', "\n> ")),
        None => text.to_owned(),
    }
}

/// Describes a rule to a model by its examples.
fn description(rules: &RuleSet, id: &RuleId) -> String {
    let examples = rules.rule(id.as_str()).map(|rule| &rule.examples);
    let examples = examples.into_iter().flatten().take(5);
    let examples: Vec<&str> = examples.map(|example| example.text.as_str()).collect();
    if examples.is_empty() {
        id.as_str().replace(['-', '_', '.'], " ")
    } else {
        format!("people write: {}", examples.join("; "))
    }
}

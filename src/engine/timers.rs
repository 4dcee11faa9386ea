//! Timers: finds the due one and prepares it; `decide` runs it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::context::{Trigger, TurnContext};
use super::conversation_event::ConversationEventKind;
use super::explanation::{Explanation, Verdict};
use super::outcome::Answered;
use super::respond::respond;
use super::time::signed;
use super::turn::{Decision, LateDecision};
use crate::message::{Content, ContextInfo, Forwarded, Inbound, ScheduledReply, Wamid};

/// Timer that is due.
pub(crate) enum Due {
    /// Debounced messages are answered together.
    Debounce,
    /// The flow got no answer in time.
    FlowTimeout,
    /// A scheduled reply, already removed from the state.
    ScheduledReply(Box<ScheduledReply>),
}

/// Finds the timer that has been due longest.
pub(crate) fn next_due(ctx: &mut TurnContext<'_>) -> Option<Due> {
    let state = &mut ctx.turn.state;
    let debounce = state.debounce.as_ref().map(|debounce| debounce.due);
    let run = state.run.as_ref().and_then(|run| run.due);
    let scheduled = state.scheduled.iter().map(|reply| reply.due).min();
    let first = [debounce, run, scheduled].into_iter().flatten().min();
    let at = first.filter(|at| *at <= ctx.now)?;
    if debounce == Some(at) {
        return Some(Due::Debounce);
    }
    if run == Some(at) {
        return Some(Due::FlowTimeout);
    }
    let index = state.scheduled.iter().position(|reply| reply.due == at)?;
    let reply = state.scheduled.remove(index);
    Some(Due::ScheduledReply(Box::new(reply)))
}

/// Whether the flow's time was over before a message was written: then the flow ends first,
/// whether or not its timer has run.
pub(crate) fn is_flow_overdue(ctx: &TurnContext<'_>, message: &Inbound) -> bool {
    let run = ctx.turn.state.run.as_ref();
    let due = run.and_then(|run| run.due);
    due.is_some_and(|due| due < message.sent_at)
}

/// Debounced texts, which are answered together.
pub(crate) struct DebouncedTexts {
    /// One message with all texts; it has the id of the last one.
    pub(super) message: Inbound,
    /// Ids of the texts before the last one.
    pub(super) earlier: Vec<Wamid>,
    pub(super) due: Timestamp,
    /// The contact as before the first text: each text was recorded when it arrived.
    pub(super) first_contact: bool,
    pub(super) last_inbound_at: Option<Timestamp>,
}

/// Takes the debounced texts out of the state.
pub(crate) fn take_debounced(ctx: &mut TurnContext<'_>) -> Option<DebouncedTexts> {
    let debounce = ctx.turn.state.debounce.take()?;
    let messages = debounce.messages.iter();
    let mut earlier: Vec<Wamid> = messages.map(|message| message.wamid.clone()).collect();
    earlier.pop();
    Some(DebouncedTexts {
        message: join(debounce.messages)?,
        earlier,
        due: debounce.due,
        first_contact: debounce.first_contact,
        last_inbound_at: debounce.last_inbound_at,
    })
}

/// Finds the decision on debounced texts that are not answered any more, and the reason.
pub(crate) fn debounced_stopped(
    ctx: &TurnContext<'_>,
    due: Timestamp,
) -> Option<(Decision, &'static str)> {
    let state = &ctx.turn.state;
    let late = ctx.now.duration_since(due) > signed(ctx.rules.bot.max_age);
    if state.opted_out_at.is_some() {
        Some((Decision::OptedOut, "the contact has opted out"))
    } else if state.handoff_until.is_some() {
        Some((Decision::HandedOff, "a colleague answers here now"))
    } else if late {
        Some((Decision::TooOld, "it waited longer than `max_age`"))
    } else {
        None
    }
}

/// Records the decision so far for each of the texts; the last one gets the explanation.
pub(crate) fn record_debounced(ctx: &mut TurnContext<'_>, last: Wamid, earlier: Vec<Wamid>) {
    let decision = ctx.turn.decision;
    let note = "it was answered together with what came after it";
    let late_decisions = earlier.into_iter().map(|message| LateDecision {
        message,
        decision,
        explanation: Explanation::from_note(note),
    });
    ctx.turn.late_decisions.extend(late_decisions);
    ctx.record_late_decision(last);
}

/// Gives a scheduled reply, unless its rule is gone or a colleague answers now.
pub(crate) fn send_scheduled<'a>(
    ctx: &mut TurnContext<'a>,
    scheduled: &ScheduledReply,
    trigger: Trigger<'_>,
) -> Option<Answered<'a>> {
    let rules = ctx.rules;
    let Some(rule) = rules.rule(scheduled.rule.as_str()) else {
        let text = format!("the rules have no rule `{}` any more", scheduled.rule);
        ctx.note(ConversationEventKind::NotSent, text);
        return None;
    };
    if ctx.turn.state.handoff_until.is_some() {
        let text = format!("a colleague answers here now, so `{}` is quiet", rule.id);
        ctx.note(ConversationEventKind::NotSent, text);
        return None;
    }
    let because = "it is due, and the contact has not written";
    let explanation = &mut ctx.turn.explanation;
    explanation.record(rule.id.clone(), Verdict::Matched, because);
    let outcome = respond(ctx, &rule.id, &rule.answer, trigger, BTreeMap::new());
    // `once` counts from here: a scheduled reply that was cancelled was not given.
    Some(Answered::from_rule(rule, outcome))
}

/// Makes a message for answers that a timer triggers.
pub(crate) fn stand_in(ctx: &TurnContext<'_>) -> Inbound {
    let kind = Content::Other {
        kind: "timer".to_owned(),
    };
    Inbound::new(
        ctx.phone_number_id.clone(),
        Wamid::parse("timer").expect("it is not empty"),
        ctx.contact.identity.clone(),
        ctx.now,
        kind,
    )
}

/// Joins texts and files into one message: the first file with all texts as its caption, or else
/// one text. Only one of them names the ad that led here, or quotes a message: that holds for all.
fn join(messages: Vec<Inbound>) -> Option<Inbound> {
    let texts: Vec<&str> = messages
        .iter()
        .filter_map(|message| message.content.typed_text())
        .collect();
    let body = texts.join("\n");
    let files = messages.iter().map(|message| &message.content);
    let file = files.clone().find(|content| content.media().is_some());
    let joined = match file.cloned() {
        Some(file) => file.with_caption(Some(body).filter(|body| !body.is_empty())),
        None => Content::Text { body },
    };
    let ad = messages.iter().find_map(|message| message.ad.clone());
    let contexts = || messages.iter().map(|message| &message.context);
    let quoting = contexts().find(|context| context.quoted.is_some());
    let context = ContextInfo {
        quoted: quoting.and_then(|context| context.quoted.clone()),
        forwarded: contexts()
            .map(|context| context.forwarded)
            .find(|forwarded| *forwarded != Forwarded::No)
            .unwrap_or_default(),
        quoted_message: quoting.and_then(|context| context.quoted_message.clone()),
        product: contexts().find_map(|context| context.product.clone()),
    };
    let last = messages.into_iter().last()?;
    Some(Inbound {
        content: joined,
        context,
        ad,
        ..last
    })
}

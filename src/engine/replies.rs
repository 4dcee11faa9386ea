//! Replies of an answer: templates filled in and checked against WhatsApp's limits.

use std::collections::BTreeMap;
use std::slice;

use serde_json::Value;

use super::context::{Trigger, TriggerKind, TurnContext};
use super::coverage_point::CoveragePoint;
use super::outcome::Outcome;
use super::turn::Reply;
use crate::message::{Outbound, RuleId, limits};
use crate::rules::ReplyTemplate;

/// Fills templates in, for messages that are sent now. A text that is too long for one message
/// becomes several; nothing else is cut.
pub(crate) fn fill(
    ctx: &TurnContext<'_>,
    source: &RuleId,
    templates: &[ReplyTemplate],
    trigger: Trigger<'_>,
    roots: &BTreeMap<String, Value>,
) -> Result<Vec<Reply>, String> {
    sendable(ctx, fill_for_later(ctx, source, templates, trigger, roots)?)
}

/// Passes replies on, unless one of them must not go to the contact at present.
pub(crate) fn sendable(ctx: &TurnContext<'_>, replies: Vec<Reply>) -> Result<Vec<Reply>, String> {
    let why = |reply: &Reply| ctx.rules.why_unsendable(&reply.content, ctx.contact);
    match replies.iter().find_map(why) {
        Some(why) => Err(why),
        None => Ok(replies),
    }
}

/// Fills templates in, as [`fill`], for messages of which it is decided later whether they may go
/// to the contact.
pub(crate) fn fill_for_later(
    ctx: &TurnContext<'_>,
    source: &RuleId,
    templates: &[ReplyTemplate],
    trigger: Trigger<'_>,
    roots: &BTreeMap<String, Value>,
) -> Result<Vec<Reply>, String> {
    if templates.is_empty() {
        return Ok(Vec::new());
    }
    let variables = ctx.variables(trigger, roots.clone());
    let mut replies = Vec::new();
    for template in templates {
        let content = template
            .fill(&variables)
            .map_err(|error| error.to_string())?;
        for content in split(content) {
            let has_phone = ctx.contact.identity.wa_id().is_some();
            if !has_phone && matches!(&content, Outbound::Template(code) if code.authentication) {
                let reason = "template: WhatsApp sends one-time codes to phone numbers only, and the contact hides it";
                return Err(reason.to_owned());
            }
            if let Some(breach) = limits::violations(&content).into_iter().next() {
                return Err(format!("{}: {}", breach.part, breach.message));
            }
            replies.push(Reply {
                rule: source.clone(),
                content,
                quote: template.quote && trigger.kind == TriggerKind::Message,
                answers: trigger.answers(),
                variant: None,
                instead: Vec::new(),
            });
        }
    }
    Ok(replies)
}

/// Fills templates in and adds them to the turn.
pub(crate) fn send<'a>(
    ctx: &mut TurnContext<'a>,
    source: &RuleId,
    templates: &[ReplyTemplate],
    trigger: Trigger<'_>,
    roots: &BTreeMap<String, Value>,
) -> Outcome<'a> {
    match fill(ctx, source, templates, trigger, roots) {
        Ok(replies) => ctx.push_replies(replies),
        Err(failed) => Outcome::Failed(failed),
    }
}

/// Gives `on_error` instead of an answer that failed and has been undone.
pub(crate) fn send_on_error<'a>(
    ctx: &mut TurnContext<'a>,
    source: &RuleId,
    on_error: &ReplyTemplate,
    (trigger, roots): (Trigger<'_>, &BTreeMap<String, Value>),
    failed: String,
) -> Outcome<'a> {
    let Ok(replies) = fill(ctx, source, slice::from_ref(on_error), trigger, roots) else {
        return Outcome::Failed(failed);
    };
    let outcome = ctx.push_replies(replies);
    if matches!(outcome, Outcome::Sent { .. }) {
        let point = CoveragePoint::on_error(source);
        ctx.turn.coverage.push(point);
        let note = &mut ctx.turn.explanation.note;
        note.get_or_insert_with(|| format!("`{source}`: {failed}"));
    }
    outcome
}

fn split(content: Outbound) -> Vec<Outbound> {
    match content {
        Outbound::Text { body, preview_url } if limits::length(&body) > limits::TEXT_MAX => {
            let pieces = limits::split(&body, limits::TEXT_MAX).into_iter();
            pieces
                .map(|piece| Outbound::Text {
                    body: piece.to_owned(),
                    preview_url,
                })
                .collect()
        }
        content => vec![content],
    }
}

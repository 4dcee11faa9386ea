//! Replies that WhatsApp refused or did not deliver: sends `on_error` in their place, where that
//! makes sense and is allowed.

use super::context::TurnContext;
use super::conversation_event::ConversationEventKind;
use super::explanation::Verdict;
use super::outcome::Outcome;
use super::time::signed;
use super::turn::{Decision, Reply};
use crate::message::{ErrorClass, FailedReply, LaterAnswer, Outbound};

/// Gives the `on_error` that was filled in with a reply, or notes why not. What is given has no
/// `on_error` itself.
pub(crate) fn replace(ctx: &mut TurnContext<'_>, failed: &FailedReply) {
    ctx.turn.decision = Decision::Silent;
    let rule = &failed.rule;
    let obstacle = obstacle(ctx, failed).or_else(|| give(ctx, failed));
    if let Some(obstacle) = obstacle {
        let text = format!("`{rule}`: its reply failed, and `on_error` was not sent: {obstacle}");
        ctx.note(ConversationEventKind::NotSent, text);
        return;
    }
    let because = "its reply failed, so `on_error` is sent";
    let explanation = &mut ctx.turn.explanation;
    explanation.record(rule.clone(), Verdict::Matched, because);
    let text = format!("`{rule}` sends `on_error`, because its reply failed");
    ctx.note(ConversationEventKind::Replaced, text);
}

/// Adds the replies, or returns why they exceed the contact's budget.
fn give(ctx: &mut TurnContext<'_>, failed: &FailedReply) -> Option<String> {
    let replies = failed.instead.iter().map(|content| Reply {
        rule: failed.rule.clone(),
        content: content.clone(),
        quote: false,
        answers: failed.answers.clone(),
        variant: None,
        instead: Vec::new(),
    });
    match ctx.push_replies(replies.collect()) {
        Outcome::RateLimited(note) | Outcome::Failed(note) => Some(note),
        Outcome::Sent { .. } | Outcome::Scheduled | Outcome::Pending | Outcome::StartFlow(_) => {
            None
        }
    }
}

/// Finds the reason why nothing may or need be sent in place of a reply.
fn obstacle(ctx: &TurnContext<'_>, failed: &FailedReply) -> Option<String> {
    let state = &ctx.turn.state;
    let now = ctx.now;
    let is_late = now.duration_since(failed.decided_at) > signed(ctx.rules.bot.max_age);
    let is_free = |content: &Outbound| !matches!(content, Outbound::Template(_));
    let is_marketing = |content: &Outbound| ctx.rules.is_marketing(content);
    let is_over = failed.window_ends.is_some_and(|end| end <= now);
    let is_closed = is_over || failed.class == ErrorClass::WindowClosed;
    let obstacle = if state.opted_out_at.is_some() {
        Some("the contact has opted out")
    } else if state.handoff_until.is_some() {
        Some("a colleague answers here now")
    } else if failed.later_answer == LaterAnswer::Sent {
        Some("something was sent to the contact since")
    } else if is_late {
        Some("it failed longer than `max_age` after the decision")
    } else if let Some(obstacle) = obstacle_of_class(failed) {
        Some(obstacle)
    } else if is_closed && failed.instead.iter().any(is_free) {
        Some("WhatsApp takes only templates, because the contact has not written for 24 hours")
    } else if failed.class == ErrorClass::Marketing && failed.instead.iter().any(is_marketing) {
        Some("WhatsApp delivers no marketing to the contact")
    } else {
        None
    };
    let unsendable = |content| ctx.rules.why_unsendable(content, ctx.contact);
    obstacle
        .map(str::to_owned)
        .or_else(|| failed.instead.iter().find_map(unsendable))
}

/// Finds the reason in the cause of the failure: something else must have a better chance.
fn obstacle_of_class(failed: &FailedReply) -> Option<&'static str> {
    let is_text = |content: &Outbound| matches!(content, Outbound::Text { .. });
    match failed.class {
        // The message is the cause, or may be. With a closed window, or a contact who gets no
        // marketing, it depends on what is sent.
        ErrorClass::GiveUp
        | ErrorClass::RetryFew
        | ErrorClass::RetryWide
        | ErrorClass::WindowClosed
        | ErrorClass::Marketing => None,
        // An old version of WhatsApp shows texts and little else.
        ErrorClass::Undeliverable
            if failed.kind != "text" && failed.instead.iter().all(is_text) =>
        {
            None
        }
        ErrorClass::Undeliverable | ErrorClass::Contact => Some("nothing reaches the contact"),
        ErrorClass::Account => Some("the account cannot send"),
        ErrorClass::Retry
        | ErrorClass::RetrySlow
        | ErrorClass::SlowNumber
        | ErrorClass::SlowPair => Some("the cause is not the message"),
    }
}

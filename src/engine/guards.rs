//! Guards: each may stop a message before a flow or the rules answer it. `decide` lists them in
//! order.

use jiff::SignedDuration;

use super::context::{Trigger, TurnContext};
use super::conversation_event::ConversationEventKind;
use super::experiment::stable_hash;
use super::explanation::{Explanation, Verdict};
use super::outcome::Answered;
use super::render::variables::language_of;
use super::replies;
use super::time::{after, rough, signed};
use super::turn::{Decision, LateDecision};
use crate::message::{Content, Debounce, Echo, Inbound, Kind, Repeated, RuleId, counted};
use crate::rules::button_id::command_text;
use crate::rules::{OptOutScope, Words};
use crate::text::normalize::NormalizedText;
use crate::text::parse::is_command;

use std::collections::BTreeMap;

/// Two equal texts within this time of each other are a repetition.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// Number of messages that are answered together; the last of them is not delayed any more.
const DEBOUNCED_MAX: usize = 20;

/// Reason to stop before a flow or the rules answer.
pub(crate) enum Stop {
    /// The decision, and the note for its explanation.
    Because(Decision, String),
    /// The guard has given the answer itself.
    Answered,
}

/// Checks one message.
pub(crate) type Guard = fn(&mut TurnContext<'_>, &Inbound) -> Option<Stop>;

/// Stops kinds of messages that this version does not know.
pub(crate) fn unsupported(_: &mut TurnContext<'_>, message: &Inbound) -> Option<Stop> {
    let Content::Other { kind } = &message.content else {
        return None;
    };
    let note = format!("messages of type `{kind}` are never answered");
    Some(Stop::Because(Decision::Unsupported, note))
}

/// Stops messages of the business number to itself: the answer would come in as the next one.
pub(crate) fn from_itself(_: &mut TurnContext<'_>, message: &Inbound) -> Option<Stop> {
    let note = || "the number wrote to itself, which is never answered".to_owned();
    (!message.author.is_contact()).then(|| Stop::Because(Decision::LoopDetected, note()))
}

/// Obeys the words of `[opt_out]` and `[opt_in]` in a message of any age, typed or on a tapped
/// button, with polite words around them; only the answer is left out if the message is too old.
pub(crate) fn opt_words(ctx: &mut TurnContext<'_>, message: &Inbound) -> Option<Stop> {
    let rules = ctx.rules;
    if rules.opt_out.is_none() && rules.opt_in.is_none() {
        return None;
    }
    let text = NormalizedText::new(command_text(&message.content)?);
    let language = language_of(rules, &ctx.turn.state);
    let is_out = ctx.turn.state.opted_out_at.is_some();
    let opt_in = rules.opt_in.as_ref().filter(|_| is_out);
    let word = |words: &Words| {
        let mut words = words.words.iter();
        words
            .find(|word| is_command(&text, word, language))
            .cloned()
    };
    let (source, words, word) = if let Some(words) = &rules.opt_out
        && let Some(word) = word(words)
    {
        if is_out {
            let note = "the contact had opted out already".to_owned();
            return Some(Stop::Because(Decision::OptedOut, note));
        }
        opt_out(ctx);
        let event = "the contact has opted out";
        ctx.note(ConversationEventKind::OptedOut, event);
        ("opt_out", words, word)
    } else {
        let words = opt_in?;
        let word = word(words)?;
        ctx.turn.state.opted_out_at = None;
        let event = "the contact has opted in again";
        ctx.note(ConversationEventKind::OptedIn, event);
        ("opt_in", words, word)
    };
    let scope = rules.opt_out.as_ref().map(|words| words.scope);
    ctx.turn.is_for_all_numbers = scope.unwrap_or_default() == OptOutScope::All;
    ctx.turn.explanation.normalized = Some(text.joined());
    if let Some(stop) = too_old(ctx, message) {
        return Some(stop);
    }
    let source = RuleId::parse(source).expect("it is not empty");
    let because = format!("\"{}\" is what it says", word.written);
    let explanation = &mut ctx.turn.explanation;
    explanation.record(source.clone(), Verdict::Matched, because);
    let trigger = Trigger::from_message(message);
    let outcome = replies::send(ctx, &source, &words.replies, trigger, &BTreeMap::new());
    ctx.record_outcome(Answered::new(source.as_str(), outcome));
    Some(Stop::Answered)
}

/// Cancels everything that is pending.
fn opt_out(ctx: &mut TurnContext<'_>) {
    let state = &mut ctx.turn.state;
    state.opted_out_at = state.opted_out_at.or(Some(ctx.now));
    state.end_pending();
    let debounce = state.debounce.take();
    let pending = debounce.into_iter().flat_map(|debounce| debounce.messages);
    let late_decisions = pending.map(|message| LateDecision {
        message: message.wamid,
        decision: Decision::OptedOut,
        explanation: Explanation::default(),
    });
    ctx.turn.late_decisions.extend(late_decisions);
}

/// Stops messages older than `max_age`.
pub(crate) fn too_old(ctx: &mut TurnContext<'_>, message: &Inbound) -> Option<Stop> {
    let age = ctx.now.duration_since(message.sent_at);
    (age > signed(ctx.rules.bot.max_age)).then(|| {
        let note = format!("it was {} s old, more than `max_age`", age.as_secs());
        Stop::Because(Decision::TooOld, note)
    })
}

/// Stops messages of a contact that has opted out.
pub(crate) fn opted_out(ctx: &mut TurnContext<'_>, _: &Inbound) -> Option<Stop> {
    ctx.turn.state.opted_out_at?;
    let note = "the contact has opted out".to_owned();
    Some(Stop::Because(Decision::OptedOut, note))
}

/// Stops messages in a conversation that a colleague answers.
pub(crate) fn handed_off(ctx: &mut TurnContext<'_>, _: &Inbound) -> Option<Stop> {
    let until = ctx.turn.state.handoff_until?;
    let note = format!("a colleague answers here, until {until}");
    Some(Stop::Because(Decision::HandedOff, note))
}

/// Stops a text received `loop_guard` times in a row: its sender is another bot.
pub(crate) fn looping(ctx: &mut TurnContext<'_>, message: &Inbound) -> Option<Stop> {
    if message.content.kind().is_some_and(Kind::is_quiet) {
        return None;
    }
    let text = NormalizedText::new(message.content.typed_text()?);
    let words = stable_hash(&[&text.joined()]);
    let now = ctx.now;
    let repeated = &mut ctx.turn.state.repeated;
    let before = repeated
        .take()
        .filter(|before| before.words == words && now.duration_since(before.at) < REPEATED_WITHIN);
    let times = before.map_or(0, |before| before.times) + 1;
    *repeated = Some(Repeated {
        words,
        times,
        at: now,
    });
    if times < ctx.rules.bot.loop_guard {
        return None;
    }
    let times = counted(times, "time");
    let note = format!("the same words came {times} in a row, which only a bot does");
    ctx.silence(ConversationEventKind::LoopDetected, &note);
    Some(Stop::Because(Decision::LoopDetected, note))
}

/// Debounces a text or a file: it waits until no further one has arrived for `debounce`. The
/// pictures of an album are one message each.
pub(crate) fn debounced(ctx: &mut TurnContext<'_>, message: &Inbound) -> Option<Stop> {
    let wait = ctx.rules.bot.debounce?;
    // The answer to a question of a flow is taken at once.
    let content = &message.content;
    let is_joined = matches!(content, Content::Text { .. }) || content.media().is_some();
    if !is_joined || ctx.turn.state.run.is_some() {
        return None;
    }
    ctx.turn.mark_read = ctx.rules.bot.mark_read;
    let due = after(ctx.now, wait);
    let (first_contact, last_inbound_at) = (ctx.first_contact, ctx.turn.state.last_inbound_at);
    let debounce = ctx.turn.state.debounce.get_or_insert_with(|| Debounce {
        messages: Vec::new(),
        due,
        first_contact,
        last_inbound_at,
    });
    debounce.messages.push(Inbound {
        raw: String::new(),
        ..message.clone()
    });
    debounce.due = due;
    if debounce.messages.len() >= DEBOUNCED_MAX {
        debounce.due = ctx.now;
    }
    let wait = rough(signed(wait));
    let note = format!("it waits {wait} for more to answer together");
    Some(Stop::Because(Decision::Pending, note))
}

/// Suspends the bot in a conversation in which a colleague wrote from the phone app.
pub(crate) fn echo(ctx: &mut TurnContext<'_>, echo: &Echo) {
    ctx.turn.decision = Decision::HandedOff;
    let until = after(echo.sent_at, ctx.rules.bot.human_pause);
    if until > ctx.now {
        let state = &mut ctx.turn.state;
        state.handoff_until = state.handoff_until.max(Some(until));
        state.run = None;
        state.scheduled.clear();
    }
}

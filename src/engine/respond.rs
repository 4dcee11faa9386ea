//! What is said and changed: replies filled in and held against limits and budget, effects,
//! actions.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::guards::after;
use super::select::stable_hash;
use super::{ConversationEventKind, Part, Reply, Trigger, TriggerKind, TurnContext};
use crate::engine::render::variables::{RenderContext, Variables};
use crate::message::{ConversationState, Inbound, Outbound, RuleId, limits};
use crate::rules::{Answer, Budget, Effects, REPLIES_MAX, ReplyTemplate, Words};

/// What became of an answer.
pub(crate) enum Used {
    /// It was given.
    Said {
        /// So many messages.
        replies: usize,
    },
    /// An action comes first.
    Waits,
    /// They would be more than the person's budget.
    OverBudget(&'static str),
    /// A text could not be filled in, or came out longer than WhatsApp takes.
    Failed(String),
}

/// Which part of a budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// That of any 60 seconds.
    Minute,
    /// That of any 60 minutes.
    Hour,
}

/// A turn as far as it had come.
pub(crate) struct Savepoint {
    state: ConversationState,
    replies: usize,
    actions: usize,
    conversation_events: usize,
    parts: usize,
}

impl Used {
    /// Whether nothing of it was said, so that nothing of it may have happened.
    pub(crate) fn is_undone(&self) -> bool {
        match self {
            Self::Said { .. } | Self::Waits => false,
            Self::OverBudget(_) | Self::Failed(_) => true,
        }
    }
}

impl TurnContext<'_> {
    /// Everything that texts may say.
    pub(crate) fn variables<'v>(
        &'v self,
        state: &'v ConversationState,
        trigger: Trigger<'v>,
        roots: BTreeMap<String, Value>,
    ) -> Variables<'v> {
        Variables::new(RenderContext {
            rules: self.rules,
            contact: self.contact,
            state,
            message: trigger.message,
            captures: trigger.captures,
            roots,
            now: self.now,
        })
    }

    /// Gives an answer: asks for its action, or says and changes what it says.
    pub(crate) fn answer(
        &mut self,
        source: &RuleId,
        answer: &Answer,
        trigger: Trigger<'_>,
        roots: BTreeMap<String, Value>,
    ) -> Used {
        let used = match &answer.action {
            Some(action) => self.ask_action((source, answer), action, trigger, roots),
            None => self.say(source, answer, trigger, &roots),
        };
        if matches!(used, Used::Said { .. } | Used::Waits) {
            self.turn.parts.push(Part::of(source));
        }
        used
    }

    /// Changes and says what an answer says; all of it, or nothing.
    pub(crate) fn say(
        &mut self,
        source: &RuleId,
        answer: &Answer,
        trigger: Trigger<'_>,
        roots: &BTreeMap<String, Value>,
    ) -> Used {
        let before = self.savepoint();
        let used = self.say_all(source, answer, trigger, roots);
        if used.is_undone() {
            self.back_to(before);
        }
        match (used, &answer.on_error) {
            (Used::Failed(failed), Some(instead)) => {
                self.say_instead(source, instead, (trigger, roots), failed)
            }
            (used, _) => used,
        }
    }

    /// Says `on_error` where the rest of an answer failed, and nothing of it has happened.
    pub(crate) fn say_instead(
        &mut self,
        source: &RuleId,
        instead: &ReplyTemplate,
        (trigger, roots): (Trigger<'_>, &BTreeMap<String, Value>),
        failed: String,
    ) -> Used {
        let Ok(replies) = self.filled(source, std::slice::from_ref(instead), trigger, roots) else {
            return Used::Failed(failed);
        };
        let said = replies.len();
        if let Err(note) = self.push(replies) {
            return Used::OverBudget(note);
        }
        self.turn.parts.push(Part::on_error(source));
        let note = &mut self.turn.explanation.note;
        note.get_or_insert_with(|| format!("`{source}`: {failed}"));
        Used::Said { replies: said }
    }

    /// What can be gone back to when something that comes later cannot be said.
    pub(crate) fn savepoint(&self) -> Savepoint {
        Savepoint {
            state: self.turn.state.clone(),
            replies: self.turn.replies.len(),
            actions: self.turn.actions.len(),
            conversation_events: self.turn.conversation_events.len(),
            parts: self.turn.parts.len(),
        }
    }

    /// Makes undone all that came after a savepoint.
    pub(crate) fn back_to(&mut self, before: Savepoint) {
        self.turn.state = before.state;
        self.turn.replies.truncate(before.replies);
        self.turn.actions.truncate(before.actions);
        self.turn
            .conversation_events
            .truncate(before.conversation_events);
        self.turn.parts.truncate(before.parts);
    }

    fn say_all(
        &mut self,
        source: &RuleId,
        answer: &Answer,
        trigger: Trigger<'_>,
        roots: &BTreeMap<String, Value>,
    ) -> Used {
        if let Err(failed) = self.change(&answer.effects, trigger, roots) {
            return Used::Failed(failed);
        }
        let (variant, templates) = pick(answer, source, trigger.message);
        let filled = self.filled(source, templates, trigger, roots);
        let mut part = variant.map(|index| Part::variant(source, index));
        let mut replies = match (filled, &answer.on_error) {
            (Ok(replies), _) => replies,
            (Err(failed), None) => return Used::Failed(failed),
            (Err(failed), Some(instead)) => {
                part = Some(Part::on_error(source));
                let instead = std::slice::from_ref(instead);
                match self.filled(source, instead, trigger, roots) {
                    Ok(replies) => replies,
                    Err(_) => return Used::Failed(failed),
                }
            }
        };
        for reply in &mut replies {
            reply.variant = variant;
        }
        let said = replies.len();
        if let Err(note) = self.push(replies) {
            return Used::OverBudget(note);
        }
        self.turn.parts.extend(part);
        self.hand_off(source, &answer.effects);
        match &answer.effects.start {
            None => Used::Said { replies: said },
            Some(flow) => match self.start_flow(flow, trigger) {
                Used::Said { replies } => Used::Said {
                    replies: said + replies,
                },
                other => other,
            },
        }
    }

    /// Adds replies, unless they are too many.
    pub(crate) fn push(&mut self, replies: Vec<Reply>) -> Result<(), &'static str> {
        if replies.is_empty() {
            return Ok(());
        }
        if self.turn.replies.len() + replies.len() > REPLIES_MAX {
            return Err("more replies than one message may get");
        }
        let replied_at = &self.turn.state.replied_at;
        match self.exceeded(self.rules.bot.reply_budget, replied_at, replies.len()) {
            Some(Span::Minute) => {
                return Err("the person's budget of replies per minute is used up");
            }
            Some(Span::Hour) => return Err("the person's budget of replies per hour is used up"),
            None => {}
        }
        let now = self.now;
        let times = replies.iter().map(|_| now);
        self.turn.state.replied_at.extend(times);
        self.turn.state.silenced = false;
        self.turn.replies.extend(replies);
        Ok(())
    }

    /// Which part of a budget so many more would exceed.
    pub(crate) fn exceeded(&self, budget: Budget, at: &[Timestamp], more: usize) -> Option<Span> {
        let within = |seconds: i64| {
            let since = self.now.saturating_sub(SignedDuration::from_secs(seconds));
            let since = since.unwrap_or(Timestamp::MIN);
            at.iter().filter(|at| **at > since).count() + more
        };
        if within(60) > budget.per_minute as usize {
            Some(Span::Minute)
        } else if within(3600) > budget.per_hour as usize {
            Some(Span::Hour)
        } else {
            None
        }
    }

    /// Fields, tags and language: before the texts are filled in, so that they can speak of them.
    fn change(
        &mut self,
        effects: &Effects,
        trigger: Trigger<'_>,
        roots: &BTreeMap<String, Value>,
    ) -> Result<(), String> {
        let mut fields = Vec::with_capacity(effects.set.len());
        if !effects.set.is_empty() {
            let variables = self.variables(&self.turn.state, trigger, roots.clone());
            for (name, text) in &effects.set {
                let value = text.render(&variables).map_err(|error| error.to_string())?;
                fields.push((name.clone(), value));
            }
        }
        let state = &mut self.turn.state;
        for (name, value) in fields {
            if value.is_empty() {
                state.fields.remove(&name);
            } else {
                state.fields.insert(name, value);
            }
        }
        state.tags.extend(effects.tag.iter().cloned());
        for tag in &effects.untag {
            state.tags.remove(tag);
        }
        if effects.language.is_some() {
            state.language.clone_from(&effects.language);
        }
        Ok(())
    }

    fn hand_off(&mut self, source: &RuleId, effects: &Effects) {
        let Some(pause) = effects.handoff else {
            return;
        };
        let until = after(self.now, pause);
        let state = &mut self.turn.state;
        state.handoff_until = state.handoff_until.max(Some(until));
        state.run = None;
        state.scheduled.clear();
        let text = format!("`{source}` gave the conversation to a colleague, until {until}");
        self.note(ConversationEventKind::Handoff, text);
    }

    /// Fills templates in and holds what comes out against the limits. A text that is too long for
    /// one message becomes several; nothing else is cut.
    pub(crate) fn filled(
        &self,
        source: &RuleId,
        templates: &[ReplyTemplate],
        trigger: Trigger<'_>,
        roots: &BTreeMap<String, Value>,
    ) -> Result<Vec<Reply>, String> {
        if templates.is_empty() {
            return Ok(Vec::new());
        }
        let variables = self.variables(&self.turn.state, trigger, roots.clone());
        let mut replies = Vec::new();
        for template in templates {
            let content = template
                .fill(&variables)
                .map_err(|error| error.to_string())?;
            for content in in_pieces(content) {
                if let Some(violation) = limits::violations(&content).into_iter().next() {
                    return Err(format!("{}: {}", violation.part, violation.message));
                }
                replies.push(Reply {
                    rule: source.clone(),
                    content,
                    quote: template.quote && trigger.kind == TriggerKind::Message,
                    answers: trigger.answers(),
                    variant: None,
                });
            }
        }
        Ok(replies)
    }

    /// What is answered to the words that end and resume everything.
    pub(crate) fn say_words(
        &mut self,
        message: &Inbound,
        words: &Words,
        kind: ConversationEventKind,
        because: String,
    ) {
        let name = match kind {
            ConversationEventKind::OptedOut => "opt_out",
            _ => "opt_in",
        };
        let source = RuleId::parse(name).expect("it is not empty");
        self.turn
            .explanation
            .tell_of(source.clone(), super::Verdict::Matched, because);
        let captures = BTreeMap::new();
        let trigger = Trigger {
            message,
            captures: &captures,
            kind: TriggerKind::Message,
        };
        let used = match self.filled(&source, &words.replies, trigger, &BTreeMap::new()) {
            Err(failed) => Used::Failed(failed),
            Ok(replies) => {
                let said = replies.len();
                match self.push(replies) {
                    Ok(()) => Used::Said { replies: said },
                    Err(note) => Used::OverBudget(note),
                }
            }
        };
        self.conclude(source.as_str(), used, None);
    }
}

/// The replies for this message: always the same ones of the variants.
fn pick<'t>(
    answer: &'t Answer,
    source: &RuleId,
    message: &Inbound,
) -> (Option<usize>, &'t [ReplyTemplate]) {
    match answer.variants.as_slice() {
        [] => (None, &[]),
        [one] => (None, one),
        several => {
            let hash = stable_hash(&[source.as_str(), message.wamid.as_str()]);
            let count = u64::try_from(several.len()).unwrap_or(1);
            let index = usize::try_from(hash % count).unwrap_or(0);
            (Some(index), &several[index])
        }
    }
}

fn in_pieces(content: Outbound) -> Vec<Outbound> {
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

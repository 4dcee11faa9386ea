//! What a conversation remembers between turns: stored as JSON in `conversations.state`.
//!
//! Everything that waits (a debounce, a late reply, a flow's time, an action) is in here, with its
//! due time; the database only keeps the earliest of them, so that it can be found.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Inbound, Outbound, RuleId};

/// What a turn leaves behind for the next one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationState {
    /// When each rule with `once` answered last.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub once: BTreeMap<RuleId, Timestamp>,
    /// When we replied, within the last hour; the reply budget counts these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replied_at: Vec<Timestamp>,
    /// When we asked for actions, within the last hour; the action budget counts these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked_at: Vec<Timestamp>,
    /// A colleague answers by hand: the bot is quiet until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff_until: Option<Timestamp>,
    /// The last message of the person that rules could see, by our clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// What rules set about the person.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// What rules tagged the person with.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// The language a rule chose for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Since when the person wants nothing from us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_out_at: Option<Timestamp>,
    /// The flow the person is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<FlowRun>,
    /// How many flows were started, so that taps can be told apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub runs: u64,
    /// Texts that came shortly after each other and are answered together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Debounce>,
    /// Replies of rules with `after`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledReply>,
    /// Actions whose result is waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pending_actions: Vec<PendingAction>,
    /// How many actions were asked for.
    #[serde(skip_serializing_if = "is_zero")]
    pub actions: u64,
    /// The same words again and again: the mark of another bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    /// The bot stopped answering, and a note says so already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub silenced: bool,
}

/// A flow that is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRun {
    /// Which run it is, of this conversation.
    pub number: u64,
    /// The flow and the sub-flows it is in, the innermost last; never empty.
    pub frames: Vec<FlowFrame>,
    /// Answers to this question that were no good.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed_attempts: u64,
    /// When the flow gives up waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// One flow of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowFrame {
    /// The name of the flow.
    pub flow: String,
    /// The id of the step that waits for an answer, or for its sub-flow.
    pub step: String,
    /// The answers so far, by step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Value>,
    /// The steps that were answered, in order: the way back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered_steps: Vec<String>,
    /// The sub-flows that were gone through, by step: the way back into them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub finished_subflows: BTreeMap<String, Self>,
}

/// Texts that wait for more of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Debounce {
    /// In the order they came; never empty.
    pub messages: Vec<Inbound>,
    /// When they are answered.
    pub due: Timestamp,
    /// The person had never written before the first of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_contact: bool,
    /// [`ConversationState::last_inbound_at`] before the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
}

/// A reply that is sent unless the person writes before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduledReply {
    /// The rule.
    pub rule: RuleId,
    /// When.
    pub due: Timestamp,
    /// What it answers.
    pub message: Inbound,
    /// What the rule's patterns caught.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captures: BTreeMap<String, String>,
}

/// An action under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingAction {
    /// Which action it is, of this conversation.
    pub number: u64,
    /// The rule, or `flow/end`.
    pub source: RuleId,
    /// What it answers.
    pub message: Inbound,
    /// What the rule's patterns caught.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captures: BTreeMap<String, String>,
    /// The answers of a flow that has ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Value>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How many actions led to it, one after the other.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chain: u64,
    /// What `on_error` said then: said when the rules have its answer no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead: Vec<Outbound>,
}

/// How often the same words came in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// A hash of the folded words.
    pub words: u64,
    /// How often.
    pub times: u32,
    /// When they came last.
    pub at: Timestamp,
}

/// Which of two conversations was used last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Newer {
    /// The one that takes the other in.
    Own,
    /// The one that is taken in.
    Other,
}

impl ConversationState {
    /// Takes in what another conversation with the same person remembers: the one that was used
    /// last is right, but nothing that somebody waits for is forgotten.
    ///
    /// The other's actions are counted on from ours: its first gets the number after our last.
    pub fn join(&mut self, mut other: Self, newer: Newer) {
        for pending_actions in &mut other.pending_actions {
            pending_actions.number += self.actions;
        }
        let actions = self.actions + other.actions;
        let this = std::mem::take(self);
        let (mut state, older) = match newer {
            Newer::Own => (this, other),
            Newer::Other => (other, this),
        };
        state.actions = actions;
        // Taps name the run they belong to, so no number is given twice.
        state.runs = state.runs.max(older.runs);
        state.pending_actions.extend(older.pending_actions);
        state.debounce = match (older.debounce, state.debounce) {
            (Some(before), Some(after)) => Some(Debounce {
                messages: before.messages.into_iter().chain(after.messages).collect(),
                due: after.due,
                first_contact: before.first_contact,
                last_inbound_at: before.last_inbound_at,
            }),
            (before, after) => after.or(before),
        };
        // Nobody gets twice as much by being two.
        state.replied_at.extend(older.replied_at);
        state.asked_at.extend(older.asked_at);
        // What is known of a person is known of the person, whichever id it was learned by.
        state.tags.extend(older.tags);
        for (name, value) in older.fields {
            state.fields.entry(name).or_insert(value);
        }
        state.language = state.language.or(older.language);
        state.handoff_until = state.handoff_until.max(older.handoff_until);
        // Whether the newer one was told to go on cannot be known: silence is the safe side.
        state.opted_out_at = state.opted_out_at.or(older.opted_out_at);
        if state.opted_out_at.is_some() {
            state.run = None;
            state.scheduled.clear();
        }
        *self = state;
    }

    /// When something in here becomes due; the earliest of all.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        let debounce = self.debounce.as_ref().map(|debounce| debounce.due);
        let run = self.run.as_ref().and_then(|run| run.due);
        let scheduled = self.scheduled.iter().map(|scheduled| scheduled.due);
        let rest = [debounce, run, self.handoff_until].into_iter().flatten();
        rest.chain(scheduled).min()
    }

    /// Drops everything that is due: nobody can do it.
    pub fn forget_due(&mut self, now: Timestamp) {
        self.debounce.take_if(|debounce| debounce.due <= now);
        self.run
            .take_if(|run| run.due.is_some_and(|due| due <= now));
        self.scheduled.retain(|scheduled| scheduled.due > now);
        self.handoff_until.take_if(|until| *until <= now);
    }

    /// The innermost flow.
    #[must_use]
    pub fn frame(&self) -> Option<&FlowFrame> {
        self.run.as_ref()?.frames.last()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{ConversationState, Debounce, Newer, PendingAction};
    use crate::message::{Content, Identity, Inbound, PhoneNumberId, RuleId, WaId, Wamid};

    fn message(wamid: &str) -> Inbound {
        let sender = Identity::Phone(WaId::parse("15550001111").unwrap());
        let content = Content::Text {
            body: "hi".to_owned(),
        };
        let number = PhoneNumberId::parse("1065").unwrap();
        let wamid = Wamid::parse(wamid).unwrap();
        Inbound::new(number, wamid, sender, Timestamp::UNIX_EPOCH, content)
    }

    /// A state in which so many actions were asked for, and the last one waits.
    fn pending_actions(actions: u64) -> ConversationState {
        let last = PendingAction {
            number: actions,
            source: RuleId::parse("track").unwrap(),
            message: message("wamid.1"),
            captures: std::collections::BTreeMap::new(),
            answers: std::collections::BTreeMap::new(),
            asked_at: Timestamp::UNIX_EPOCH,
            chain: 0,
            instead: Vec::new(),
        };
        ConversationState {
            actions,
            pending_actions: vec![last],
            ..ConversationState::default()
        }
    }

    #[test]
    fn no_action_has_the_number_of_another_when_two_conversations_become_one() {
        for newer in [Newer::Own, Newer::Other] {
            let mut state = pending_actions(3);
            state.join(pending_actions(2), newer);

            let mut numbers: Vec<u64> = state
                .pending_actions
                .iter()
                .map(|action| action.number)
                .collect();
            numbers.sort_unstable();
            assert_eq!((state.actions, numbers), (5, vec![3, 5]), "{newer:?}");
        }
    }

    #[test]
    fn what_waits_and_an_opt_out_outlive_the_older_conversation() {
        let debounce = |wamid| Debounce {
            messages: vec![message(wamid)],
            due: Timestamp::UNIX_EPOCH,
            first_contact: false,
            last_inbound_at: None,
        };
        let mut state = ConversationState {
            debounce: Some(debounce("wamid.1")),
            runs: 4,
            language: Some("en".to_owned()),
            opted_out_at: Some(Timestamp::UNIX_EPOCH),
            ..ConversationState::default()
        };
        let newer = ConversationState {
            debounce: Some(debounce("wamid.2")),
            runs: 1,
            language: Some("es".to_owned()),
            ..ConversationState::default()
        };

        state.join(newer, Newer::Other);

        let messages = state.debounce.unwrap().messages;
        let wamids: Vec<_> = messages
            .iter()
            .map(|message| message.wamid.as_str())
            .collect();
        assert_eq!(wamids, ["wamid.1", "wamid.2"]);
        assert_eq!((state.runs, state.language.as_deref()), (4, Some("es")));
        assert!(state.opted_out_at.is_some());
    }
}

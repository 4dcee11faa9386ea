//! State of a conversation between turns, stored as JSON in `conversations.state`.
//!
//! Everything that is due later (a debounce, a scheduled reply, a flow timeout, an action) is part
//! of the state; the database indexes only the earliest due time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Inbound, Outbound, RuleId};

/// State that a turn leaves for the next one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationState {
    /// Time of the last answer of each rule with `once`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub once: BTreeMap<RuleId, Timestamp>,
    /// Time of sending of the newest file of an album that a rule with `once` has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_at: Option<Timestamp>,
    /// Times of replies within the last hour, for the reply budget.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replied_at: Vec<Timestamp>,
    /// Times of requested actions within the last hour, for the action budget.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked_at: Vec<Timestamp>,
    /// End of the handoff to a colleague; the bot is silent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff_until: Option<Timestamp>,
    /// Server time of the contact's last message that rules could see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// Fields of the contact, set by rules.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Tags of the contact, set by rules.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// Language of the contact, set by a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Time of the contact's opt-out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_out_at: Option<Timestamp>,
    /// Current run of a flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<FlowRun>,
    /// Number of flows started so far; buttons carry it, so that taps on buttons of old runs are
    /// recognized.
    #[serde(skip_serializing_if = "is_zero")]
    pub runs: u64,
    /// Texts received in quick succession, answered together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Debounce>,
    /// Replies of rules with `after`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledReply>,
    /// Actions without a result yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pending_actions: Vec<PendingAction>,
    /// Number of actions requested so far.
    #[serde(skip_serializing_if = "is_zero")]
    pub actions: u64,
    /// Run of identical texts, typical of another bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    /// Whether the bot is silenced and has recorded that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub silenced: bool,
}

/// Run of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRun {
    /// Number of the run within the conversation, from 1.
    pub number: u64,
    /// Flow and active sub-flows, the innermost last; never empty.
    pub frames: Vec<FlowFrame>,
    /// Number of rejected answers to the current question.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed_attempts: u64,
    /// Time at which the flow times out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// Flow or sub-flow within a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowFrame {
    /// Name of the flow.
    pub flow: String,
    /// Id of the step that waits for an answer or for its sub-flow.
    pub step: String,
    /// Answers so far, by step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Value>,
    /// Answered steps in order, for going back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered_steps: Vec<String>,
    /// Finished sub-flows by step, for going back into them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub finished_subflows: BTreeMap<String, Self>,
}

/// Texts that are held back for further ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Debounce {
    /// Messages in order of arrival; never empty.
    pub messages: Vec<Inbound>,
    /// Time at which they are answered.
    pub due: Timestamp,
    /// Whether the first of them was the contact's first message ever.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_contact: bool,
    /// [`ConversationState::last_inbound_at`] before the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
}

/// Reply that is sent unless the contact writes before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduledReply {
    /// Rule of the reply.
    pub rule: RuleId,
    /// Time of sending.
    pub due: Timestamp,
    /// Message being answered.
    pub message: Inbound,
    /// Captures of the rule's patterns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captures: BTreeMap<String, String>,
}

/// Action without a result yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingAction {
    /// Number of the action within the conversation, from 1.
    pub number: u64,
    /// Id of the rule, or `flow/end`.
    pub source: RuleId,
    /// Message being answered.
    pub message: Inbound,
    /// Captures of the rule's patterns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captures: BTreeMap<String, String>,
    /// Answers of a flow that has ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Value>,
    /// Time of the request.
    pub asked_at: Timestamp,
    /// Number of consecutive actions that led to this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chain: u64,
    /// The rendered `on_error` reply, sent if the rule has been removed before the result arrives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead: Vec<Outbound>,
}

/// Run of identical texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// Hash of the normalized text.
    pub words: u64,
    /// Length of the run.
    pub times: u32,
    /// Time of the last text.
    pub at: Timestamp,
}

impl ConversationState {
    /// Ends the flow, and everything that would be sent or asked later.
    pub fn end_pending(&mut self) {
        self.run = None;
        self.scheduled.clear();
        self.pending_actions.clear();
    }

    /// Merges the state of another conversation with the same contact. The state that the contact's
    /// last message left wins: that message ended the flow and the scheduled replies of the other.
    /// Nothing else that waits is lost.
    ///
    /// The other's actions are renumbered after those of this conversation.
    pub fn join(&mut self, mut other: Self) {
        for pending_actions in &mut other.pending_actions {
            pending_actions.number += self.actions;
        }
        let actions = self.actions + other.actions;
        let this = std::mem::take(self);
        let (mut state, older) = if other.last_inbound_at > this.last_inbound_at {
            (other, this)
        } else {
            (this, other)
        };
        state.actions = actions;
        // Buttons carry the number of their run, so that no number may be used twice.
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
        // Two conversations do not have two budgets.
        state.replied_at.extend(older.replied_at);
        state.asked_at.extend(older.asked_at);
        for (rule, at) in older.once {
            let last = state.once.entry(rule).or_insert(at);
            *last = at.max(*last);
        }
        // Facts about a contact hold for the contact, under either id.
        state.tags.extend(older.tags);
        for (name, value) in older.fields {
            state.fields.entry(name).or_insert(value);
        }
        state.language = state.language.or(older.language);
        state.handoff_until = state.handoff_until.max(older.handoff_until);
        // Whether the contact opted in again later is unknown: silence is the safe choice.
        state.opted_out_at = state.opted_out_at.or(older.opted_out_at);
        if state.opted_out_at.is_some() {
            state.run = None;
            state.scheduled.clear();
        }
        *self = state;
    }

    /// Returns the earliest due time.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        let debounce = self.debounce.as_ref().map(|debounce| debounce.due);
        let run = self.run.as_ref().and_then(|run| run.due);
        let scheduled = self.scheduled.iter().map(|scheduled| scheduled.due);
        let rest = [debounce, run, self.handoff_until].into_iter().flatten();
        rest.chain(scheduled).min()
    }

    /// Drops everything that is due and can no longer be done.
    pub fn forget_due(&mut self, now: Timestamp) {
        self.debounce.take_if(|debounce| debounce.due <= now);
        self.run
            .take_if(|run| run.due.is_some_and(|due| due <= now));
        self.scheduled.retain(|scheduled| scheduled.due > now);
        self.handoff_until.take_if(|until| *until <= now);
    }

    /// Returns the innermost flow.
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

    use super::{ConversationState, Debounce, FlowRun, PendingAction};
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

    /// Builds a state in which `actions` actions were requested and the last one is pending.
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
        for last_inbound_at in [None, Some(Timestamp::UNIX_EPOCH)] {
            let mut state = pending_actions(3);
            state.join(ConversationState {
                last_inbound_at,
                ..pending_actions(2)
            });

            let mut numbers: Vec<u64> = state
                .pending_actions
                .iter()
                .map(|action| action.number)
                .collect();
            numbers.sort_unstable();
            assert_eq!((state.actions, numbers), (5, vec![3, 5]));
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
            last_inbound_at: Some(Timestamp::UNIX_EPOCH),
            ..ConversationState::default()
        };

        state.join(newer);

        let messages = state.debounce.unwrap().messages;
        let wamids: Vec<_> = messages
            .iter()
            .map(|message| message.wamid.as_str())
            .collect();
        assert_eq!(wamids, ["wamid.1", "wamid.2"]);
        assert_eq!((state.runs, state.language.as_deref()), (4, Some("es")));
        assert!(state.opted_out_at.is_some());
    }

    #[test]
    fn a_flow_goes_on_where_only_the_other_conversation_has_heard_the_contact() {
        let rule = || RuleId::parse("menu").unwrap();
        let once = |second| [(rule(), Timestamp::from_second(second).unwrap())].into();
        let run = FlowRun {
            number: 1,
            frames: Vec::new(),
            failed_attempts: 0,
            due: None,
        };
        let heard = ConversationState {
            run: Some(run.clone()),
            once: once(7),
            last_inbound_at: Some(Timestamp::UNIX_EPOCH),
            ..ConversationState::default()
        };
        let unheard = ConversationState {
            once: once(5),
            ..ConversationState::default()
        };

        for (mut state, other) in [(heard.clone(), unheard.clone()), (unheard, heard)] {
            state.join(other);

            assert_eq!(state.run.as_ref(), Some(&run));
            assert_eq!(state.once, once(7));
        }
    }
}

//! Decides on fresh events, in order. Pure but for the caller's [`Decide`], which is pure too.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;

use super::batch::{ConversationMessage, KeyedMessage};
use super::load::{Fresh, FreshEvent, Loaded, LoadedConversation, Trigger};
use super::opt_out;
use super::policy::Decide;
use crate::engine::{Decision, EngineEvent, Turn, discard_undone};
use crate::message::{ConversationState, Inbound, Kind, PhoneNumberId, RulesVersion};

/// Number of due timers of one conversation that are run in one transaction; the next transaction
/// runs the rest.
const TIMERS_MAX: usize = 16;

/// Turns on every fresh event, and the conversations as the turns leave them.
pub(super) struct Decided {
    pub(super) turns: Vec<DecidedTurn>,
    pub(super) loaded: Loaded,
}

/// A turn with its event.
pub(super) struct DecidedTurn {
    /// The new message; `None` for a timer, the end of an action, or a failed reply.
    pub(super) message: Option<KeyedMessage>,
    pub(super) conversation_id: i64,
    pub(super) contact_id: i64,
    pub(super) phone_number_id: PhoneNumberId,
    /// Time of the contact's last message, by WhatsApp's clock.
    pub(super) last_inbound_ms: Option<i64>,
    pub(super) turn: Turn,
    /// Failed reply that the turn is about.
    pub(super) replaces: Option<i64>,
    /// `None` if the rules panicked.
    pub(super) version: Option<RulesVersion>,
}

impl Fresh {
    /// Decides on each event; the state of a conversation flows from one turn to the next. Replies
    /// and actions before an opt-out are cancelled.
    pub(super) fn decide(self, decide: &Decide, now: Timestamp) -> Decided {
        let Self { events, mut loaded } = self;
        let mut turns = Vec::with_capacity(events.len());
        for FreshEvent {
            conversation,
            trigger,
        } in events
        {
            let index = conversation;
            let conversation = &mut loaded.conversations[index];
            match trigger {
                Trigger::Message(message) => {
                    let turn = decide_one(conversation, message.message.event(), now, decide);
                    conversation.count(&message.message);
                    turns.push(DecidedTurn::new(conversation, Some(message), turn));
                    loaded.spread_opt_out(index, turns.last());
                }
                Trigger::Timers => {
                    let is_due = |loaded: &LoadedConversation| {
                        let due = loaded.conversation.state.next_timer();
                        due.is_some_and(|due| due <= now)
                    };
                    for _ in 0..TIMERS_MAX {
                        if !is_due(conversation) {
                            break;
                        }
                        let turn = decide_one(conversation, EngineEvent::Timer, now, decide);
                        turns.push(DecidedTurn::new(conversation, None, turn));
                    }
                }
                Trigger::Action { number, outcome } => {
                    let outcome = &outcome;
                    let event = EngineEvent::Action { number, outcome };
                    let turn = decide_one(conversation, event, now, decide);
                    turns.push(DecidedTurn::new(conversation, None, turn));
                }
                Trigger::FailedReply { id, reply } => {
                    let event = EngineEvent::FailedReply(&reply);
                    let turn = decide_one(conversation, event, now, decide);
                    turns.push(DecidedTurn {
                        replaces: Some(id),
                        ..DecidedTurn::new(conversation, None, turn)
                    });
                }
            }
        }
        opt_out::cancel_turns(turns.iter_mut().map(|decided| {
            let ids = (decided.contact_id, decided.conversation_id);
            (ids, &mut decided.turn)
        }));
        Decided { turns, loaded }
    }
}

/// Decides once; the conversation then has the state that the turn leaves.
fn decide_one(
    loaded: &mut LoadedConversation,
    event: EngineEvent<'_>,
    now: Timestamp,
    decide: &Decide,
) -> (Turn, Option<RulesVersion>) {
    let conversation = &mut loaded.conversation;
    // A rule that panics must not take its neighbours, or the process, with it.
    let decision = catch_unwind(AssertUnwindSafe(|| decide(conversation, event, now)));
    let (mut turn, version) = match decision {
        Ok((turn, version)) => (turn, Some(version)),
        Err(_) => (panicked(conversation.state.clone()), None),
    };
    discard_undone(&mut turn, &conversation.state, event, now);
    conversation.state.clone_from(&turn.state);
    (turn, version)
}

fn panicked(state: ConversationState) -> Turn {
    let note = "the rules panicked on this message; please report it";
    Turn::nothing(Decision::Failed, state, note)
}

impl Loaded {
    /// Takes an opt-out or opt-in at all numbers over to the other conversations of the contact.
    fn spread_opt_out(&mut self, index: usize, decided: Option<&DecidedTurn>) {
        let is_spread = decided.is_some_and(|decided| decided.turn.is_for_all_numbers);
        if !is_spread {
            return;
        }
        let contact = self.conversations[index].contact_id;
        let opted_out_at = self.conversations[index].conversation.state.opted_out_at;
        let others = self.conversations.iter_mut();
        for other in others.filter(|other| other.contact_id == contact) {
            let state = &mut other.conversation.state;
            state.opted_out_at = opted_out_at;
            if opted_out_at.is_some() {
                state.end_pending();
            }
        }
    }
}

impl LoadedConversation {
    /// Counts a message that was decided on.
    fn count(&mut self, message: &ConversationMessage) {
        if let ConversationMessage::Inbound(message) = message
            && message.content.kind() != Some(Kind::System)
        {
            self.conversation.inbound_count += 1;
            let sent_at = message.sent_at.as_millisecond();
            self.last_inbound_ms = self.last_inbound_ms.max(Some(sent_at));
        }
    }
}

impl DecidedTurn {
    fn new(
        loaded: &LoadedConversation,
        message: Option<KeyedMessage>,
        (turn, version): (Turn, Option<RulesVersion>),
    ) -> Self {
        Self {
            message,
            conversation_id: loaded.id,
            contact_id: loaded.contact_id,
            phone_number_id: loaded.conversation.phone_number_id.clone(),
            last_inbound_ms: loaded.last_inbound_ms,
            turn,
            replaces: None,
            version,
        }
    }

    /// The contact's message that was decided on.
    pub(super) fn inbound(&self) -> Option<&Inbound> {
        match &self.message.as_ref()?.message {
            ConversationMessage::Inbound(message) => Some(message),
            ConversationMessage::Echo(_) => None,
        }
    }

    /// Decisions that were made: on the contact's message, or, without a message, on those that had
    /// waited. An echo is not decided on.
    pub(super) fn decisions(&self) -> Vec<Decision> {
        if self.message.is_some() {
            self.inbound()
                .map(|_| self.turn.decision)
                .into_iter()
                .collect()
        } else {
            self.turn
                .late_decisions
                .iter()
                .map(|late| late.decision)
                .collect()
        }
    }
}

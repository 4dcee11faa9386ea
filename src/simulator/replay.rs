//! Replays a recorded conversation with other rules, from its first message on.
//!
//! Timers run at their time, and actions end with their recorded result; an action that was not
//! recorded fails. Replies of a timer count to the message before it.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use crate::engine::{Decision, Engine, EngineEvent, Reply, Trace, Turn};
use crate::message::{Action, ActionResult, Conversation, Echo, Inbound, Kind, Wamid};

/// Number of timers and actions that are run between two messages at most.
const DUE_MAX: usize = 1_000;

/// Recorded event, with the time of its decision.
#[derive(Clone, Debug)]
pub enum PastEvent {
    /// A message from the contact.
    Message(Timestamp, Box<Inbound>),
    /// A message that a colleague sent from the phone app.
    Echo(Timestamp, Box<Echo>),
}

/// Answer to one message of the contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The last decision on the message.
    pub decision: Decision,
    /// Replies to the message, and of timers after it.
    pub replies: Vec<Reply>,
}

/// Replays the events and gives an answer for each message, in order. `until` is the end of the
/// recorded period.
#[must_use]
pub fn replay(
    engine: &Engine,
    conversation: Conversation,
    events: &[PastEvent],
    outcomes: impl Fn(&Action) -> Option<(ActionResult, Timestamp)>,
    until: Timestamp,
) -> Vec<Answer> {
    let mut replay = Replay {
        engine,
        conversation,
        outcomes,
        pending: VecDeque::new(),
        answers: Vec::new(),
        by_wamid: HashMap::new(),
    };
    for event in events {
        match event {
            PastEvent::Message(at, message) => replay.message(message, *at),
            PastEvent::Echo(at, echo) => {
                replay.advance(*at);
                replay.turn(EngineEvent::Echo(echo), *at);
            }
        }
    }
    replay.advance(until);
    replay.answers
}

struct Replay<'a, O> {
    engine: &'a Engine,
    conversation: Conversation,
    outcomes: O,
    /// Actions in progress: time of their end, number and result.
    pending: VecDeque<(Timestamp, u64, ActionResult)>,
    answers: Vec<Answer>,
    by_wamid: HashMap<Wamid, usize>,
}

impl<O: Fn(&Action) -> Option<(ActionResult, Timestamp)>> Replay<'_, O> {
    fn message(&mut self, message: &Inbound, at: Timestamp) {
        self.advance(at);
        self.by_wamid
            .insert(message.wamid.clone(), self.answers.len());
        self.answers.push(Answer {
            decision: Decision::Unsupported,
            replies: Vec::new(),
        });
        let turn = self.turn(EngineEvent::Message(message), at);
        if let Some(last) = self.answers.last_mut() {
            last.decision = turn.decision;
        }
        if message.content.kind() != Some(Kind::System) {
            self.conversation.inbound_count += 1;
        }
    }

    /// Runs everything that is due up to a time, the earliest first.
    fn advance(&mut self, until: Timestamp) {
        for _ in 0..DUE_MAX {
            let timer = self.conversation.state.next_timer();
            let action = self.pending.front().map(|(at, _, _)| *at);
            let next = [timer, action].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= until) else {
                return;
            };
            if action == Some(next)
                && let Some((at, number, outcome)) = self.pending.pop_front()
            {
                let outcome = &outcome;
                self.turn(EngineEvent::Action { number, outcome }, at);
            } else {
                self.turn(EngineEvent::Timer, next);
            }
        }
    }

    fn turn(&mut self, event: EngineEvent<'_>, now: Timestamp) -> Turn {
        let engine = self.engine;
        let turn = engine.decide(&self.conversation, event, now, Trace::Matched);
        self.conversation.state.clone_from(&turn.state);
        for late in &turn.late_decisions {
            if let Some(place) = self.by_wamid.get(&late.message) {
                self.answers[*place].decision = late.decision;
            }
        }
        for reply in &turn.replies {
            let place = reply.answers.as_ref();
            let place = place.and_then(|wamid| self.by_wamid.get(wamid)).copied();
            let place = place.or(self.answers.len().checked_sub(1));
            if let Some(place) = place {
                self.answers[place].replies.push(reply.clone());
            }
        }
        for requested in &turn.actions {
            let (outcome, at) = (self.outcomes)(&requested.action).unwrap_or_else(|| {
                let reason = "it was not asked for then".to_owned();
                (ActionResult::Failed(reason), now)
            });
            self.pending
                .push_back((at.max(now), requested.number, outcome));
        }
        self.pending.make_contiguous().sort_by_key(|(at, _, _)| *at);
        turn
    }
}

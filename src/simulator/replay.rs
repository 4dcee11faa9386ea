//! Decides a conversation of the past again, from its first message on, as if these rules had been
//! there.
//!
//! What waited goes on at its time, and actions come to what they came to then; one that was not
//! asked for then fails. What is said by a timer counts to the message before it.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use crate::engine::{Decision, Engine, EngineEvent, Reply, Trace, Turn};
use crate::message::{Action, ActionResult, Conversation, Echo, Inbound, Kind, Wamid};

/// More than this does not become due between two messages.
const DUE_MAX: usize = 1_000;

/// Something that came in, and when it was decided on.
#[derive(Clone, Debug)]
pub enum PastEvent {
    /// The person wrote.
    Message(Timestamp, Box<Inbound>),
    /// A colleague wrote from the phone app.
    Echo(Timestamp, Box<Echo>),
}

/// What came of one message of the person.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The last decision on it.
    pub decision: Decision,
    /// What was said to it, and by timers after it.
    pub replies: Vec<Reply>,
}

/// Decides again; gives an answer for each message, in order. `until` is when the past ends.
#[must_use]
pub fn replay(
    engine: &Engine,
    conversation: Conversation,
    events: &[PastEvent],
    outcomes: impl Fn(&Action) -> Option<(ActionResult, Timestamp)>,
    until: Timestamp,
) -> Vec<Answer> {
    let mut past = Replaying {
        engine,
        conversation,
        outcomes,
        pending: VecDeque::new(),
        answers: Vec::new(),
        by_wamid: HashMap::new(),
    };
    for event in events {
        match event {
            PastEvent::Message(at, message) => past.message(message, *at),
            PastEvent::Echo(at, echo) => {
                past.advance(*at);
                past.turn(EngineEvent::Echo(echo), *at);
            }
        }
    }
    past.advance(until);
    past.answers
}

struct Replaying<'a, O> {
    engine: &'a Engine,
    conversation: Conversation,
    outcomes: O,
    /// Actions under way: when they end, which, and how.
    pending: VecDeque<(Timestamp, u64, ActionResult)>,
    answers: Vec<Answer>,
    by_wamid: HashMap<Wamid, usize>,
}

impl<O: Fn(&Action) -> Option<(ActionResult, Timestamp)>> Replaying<'_, O> {
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

    /// Goes on with everything that is due until then, the earliest first.
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

    fn turn(&mut self, incoming: EngineEvent<'_>, now: Timestamp) -> Turn {
        let turn = self
            .engine
            .decide(&self.conversation, incoming, now, Trace::Matched);
        self.conversation.state.clone_from(&turn.state);
        for late_decisions in &turn.late_decisions {
            if let Some(place) = self.by_wamid.get(&late_decisions.message) {
                self.answers[*place].decision = late_decisions.decision;
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
        for asked in &turn.actions {
            let (outcome, at) = (self.outcomes)(&asked.action).unwrap_or_else(|| {
                let reason = "it was not asked for then".to_owned();
                (ActionResult::Failed(reason), now)
            });
            self.pending.push_back((at.max(now), asked.number, outcome));
        }
        self.pending.make_contiguous().sort_by_key(|(at, _, _)| *at);
        turn
    }
}

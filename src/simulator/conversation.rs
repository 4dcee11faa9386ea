//! Plays the conversation of a `[[test]]`: contacts, a clock, and the transcript.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::contact::{new_conversation, new_message, usual_time};
use super::coverage::Coverage;
use super::failure::{Failure, failed, failure_of};
use super::inbound::content_of;
use super::offered::Offered;
use super::transcript::Transcript;
use crate::engine::{Decision, Engine, EngineEvent, Explanation, Reply, Trace, Turn};
use crate::message::{ActionResult, Content, Conversation, Kind};
use crate::rules::{Line, LineEvent, Test};

/// Time in which a contact reads an answer before the next line. Without it, a test would exceed
/// the reply budget faster than any real contact.
const READING: SignedDuration = SignedDuration::from_secs(15);

/// State of a test in progress.
pub(crate) struct SimulatedConversation<'r> {
    engine: &'r Engine,
    now: Timestamp,
    contacts: BTreeMap<String, SimulatedContact>,
    sent: u64,
    transcript: Transcript,
    last: Explanation,
    /// Failure that no line has reported yet.
    failed: Option<String>,
    pub(crate) coverage: Coverage,
}

struct SimulatedContact {
    conversation: Conversation,
    /// Replies that no line of the test has expected yet.
    unread: VecDeque<Reply>,
    offered: Offered,
    /// Numbers of the pending actions.
    actions: VecDeque<u64>,
    /// Set if the bot has answered since the contact's last line.
    reads_until: Option<Timestamp>,
}

impl<'r> SimulatedConversation<'r> {
    pub(crate) fn new(engine: &'r Engine, test: &Test) -> Self {
        let zone = engine.rules().bot.timezone.clone();
        let at = test.at.and_then(|at| at.to_zoned(zone).ok());
        Self {
            engine,
            now: at.map_or_else(|| usual_time(engine.rules()), |at| at.timestamp()),
            contacts: BTreeMap::new(),
            sent: 0,
            transcript: Transcript::default(),
            last: Explanation::default(),
            failed: None,
            coverage: Coverage::default(),
        }
    }

    pub(crate) fn play(&mut self, test: &Test) -> Result<(), Box<Failure>> {
        for line in &test.talk {
            let expects = matches!(line.event, LineEvent::Expects { .. });
            if !expects {
                self.nothing_unread(line)?;
            }
            if is_of_contact(&line.event) {
                self.read(&line.who);
                self.nothing_failed(line)?;
                self.nothing_unread(line)?;
            }
            self.perform(line)?;
            self.nothing_failed(line)?;
        }
        match test.talk.last() {
            Some(line) => self.nothing_unread(line),
            None => Ok(()),
        }
    }

    fn perform(&mut self, line: &Line) -> Result<(), Box<Failure>> {
        match &line.event {
            LineEvent::Says(text) => {
                let body = text.clone();
                self.send(line, Content::Text { body });
            }
            LineEvent::Taps(wanted) => self.tap(line, wanted)?,
            LineEvent::Sends(sent) => self.send(line, content_of(sent)),
            LineEvent::Waits(length) => {
                let length = SignedDuration::try_from(*length).unwrap_or(SignedDuration::MAX);
                let until = self.now.saturating_add(length).unwrap_or(Timestamp::MAX);
                self.wait(until);
            }
            LineEvent::Expects { text, rule } => {
                self.expect(line, text.as_deref(), rule.as_deref())?;
            }
            LineEvent::ExpectsNothing => {}
            LineEvent::Gives(value) => self.act(line, &ActionResult::Done(value.clone()))?,
            LineEvent::Fails(reason) => self.act(line, &ActionResult::Failed(reason.clone()))?,
        }
        Ok(())
    }

    /// Lets the contact read the last answer; part of that time may have passed already.
    fn read(&mut self, who: &str) {
        let until = self.contact(who).reads_until.take();
        if let Some(until) = until.filter(|until| *until > self.now) {
            self.wait(until);
        }
    }

    fn contact(&mut self, who: &str) -> &mut SimulatedContact {
        let index = self.contacts.len();
        self.contacts
            .entry(who.to_owned())
            .or_insert_with(|| SimulatedContact {
                conversation: new_conversation(who, index),
                unread: VecDeque::new(),
                offered: Offered::default(),
                actions: VecDeque::new(),
                reads_until: None,
            })
    }

    fn send(&mut self, line: &Line, content: Content) {
        let text = content.transcript_text();
        self.transcript.add_message(&line.who, &text);
        // WhatsApp sends it, not the contact.
        let counts = u64::from(content.kind() != Some(Kind::System));
        self.sent += 1;
        let (engine, now, number) = (self.engine, self.now, self.sent);
        let contact = self.contact(&line.who);
        let message = new_message(&contact.conversation, number, now, content);
        let event = EngineEvent::Message(&message);
        let turn = engine.decide(&contact.conversation, event, now, Trace::Considered);
        contact.conversation.inbound_count += counts;
        self.keep(&line.who, turn);
        self.wake();
    }

    /// Lets time pass, from one due timer to the next.
    fn wait(&mut self, until: Timestamp) {
        loop {
            let contacts = self.contacts.values();
            let due = contacts
                .filter_map(|contact| contact.conversation.state.next_timer())
                .min();
            let Some(due) = due.filter(|due| *due < until) else {
                break;
            };
            self.now = due.max(self.now);
            self.wake();
        }
        self.now = until;
        self.wake();
    }

    /// Runs the due timers of all contacts.
    fn wake(&mut self) {
        let (engine, now) = (self.engine, self.now);
        let names: Vec<String> = self.contacts.keys().cloned().collect();
        for who in names {
            // Bounded: each turn takes one timer.
            for _ in 0..100 {
                let conversation = &self.contact(&who).conversation;
                if conversation.state.next_timer().is_none_or(|due| due > now) {
                    break;
                }
                let turn = engine.decide(conversation, EngineEvent::Timer, now, Trace::Considered);
                self.keep(&who, turn);
            }
        }
    }

    fn act(&mut self, line: &Line, outcome: &ActionResult) -> Result<(), Box<Failure>> {
        let (engine, now) = (self.engine, self.now);
        let contact = self.contact(&line.who);
        let Some(number) = contact.actions.pop_front() else {
            return Err(self.failure(line, "no action waits for a result"));
        };
        let incoming = EngineEvent::Action { number, outcome };
        let turn = engine.decide(&contact.conversation, incoming, now, Trace::Considered);
        self.keep(&line.who, turn);
        Ok(())
    }

    fn keep(&mut self, who: &str, turn: Turn) {
        self.coverage.note(&turn);
        for reply in &turn.replies {
            self.transcript.add_reply(who, reply);
        }
        let silent = turn.replies.is_empty() && turn.actions.is_empty();
        if silent && turn.decision != Decision::Pending {
            self.transcript.add_no_reply(who);
        }
        self.failed = self.failed.take().or_else(|| failure_of(&turn));
        let late = turn.late_decisions.last();
        let late = late.map(|late| late.explanation.clone());
        self.last = late.unwrap_or(turn.explanation);
        let read = self.now.saturating_add(READING).unwrap_or(Timestamp::MAX);
        let contact = self.contact(who);
        if !turn.replies.is_empty() {
            contact.reads_until = Some(read);
        }
        contact.conversation.state = turn.state;
        let actions = turn.actions.iter();
        contact.actions.extend(actions.map(|action| action.number));
        contact.offered.add(&turn.replies);
        contact.unread.extend(turn.replies);
    }

    fn tap(&mut self, line: &Line, wanted: &str) -> Result<(), Box<Failure>> {
        let offered = &self.contact(&line.who).offered;
        let Some(content) = offered.find(wanted).cloned() else {
            let message = format!("nothing offers `{wanted}`; there are {:?}", offered.ids());
            return Err(self.failure(line, &message));
        };
        self.send(line, content);
        Ok(())
    }

    fn expect(
        &mut self,
        line: &Line,
        text: Option<&str>,
        rule: Option<&str>,
    ) -> Result<(), Box<Failure>> {
        let Some(reply) = self.contact(&line.who).unread.pop_front() else {
            let wanted = text.or(rule).unwrap_or("a reply");
            let message = format!("expected \"{wanted}\", but the bot sent nothing");
            return Err(self.failure(line, &message));
        };
        let actual = reply.content.transcript_text();
        if let Some(text) = text.filter(|text| !actual.contains(text)) {
            let message = format!("expected \"{text}\", but the bot sent \"{actual}\"");
            return Err(self.failure(line, &message));
        }
        if let Some(rule) = rule.filter(|rule| reply.rule.as_str() != *rule) {
            let message = format!("expected it from `{rule}`, but `{}` sent it", reply.rule);
            return Err(self.failure(line, &message));
        }
        Ok(())
    }

    /// Reports a failed turn: without a reply, it would pass for a decision to stay silent.
    fn nothing_failed(&mut self, line: &Line) -> Result<(), Box<Failure>> {
        match self.failed.take() {
            None => Ok(()),
            Some(note) => Err(self.failure(line, &failed(&note))),
        }
    }

    fn nothing_unread(&mut self, line: &Line) -> Result<(), Box<Failure>> {
        let mut contacts = self.contacts.values();
        let Some(reply) = contacts.find_map(|contact| contact.unread.front()) else {
            return Ok(());
        };
        let text = reply.content.transcript_text();
        let message = format!("the bot also sent \"{text}\" before this line");
        Err(self.failure(line, &message))
    }

    fn failure(&self, line: &Line, message: &str) -> Box<Failure> {
        Box::new(Failure {
            span: line.span.clone(),
            message: message.to_owned(),
            transcript: self.transcript.lines(),
            explanation: self.last.clone(),
        })
    }
}

/// Whether the contact sends something.
fn is_of_contact(event: &LineEvent) -> bool {
    matches!(
        event,
        LineEvent::Says(_) | LineEvent::Taps(_) | LineEvent::Sends(_)
    )
}

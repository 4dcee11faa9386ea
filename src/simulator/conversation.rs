//! A conversation of a `[[test]]` being played: persons, a clock, and what was said.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::contact::{somebody, usual_time, written};
use super::coverage::Coverage;
use super::failure::{Failure, failed, failure_of};
use super::inbound::content_of;
use super::transcript::Transcript;
use crate::engine::{Decision, Engine, EngineEvent, Explanation, Reply, Trace, Turn};
use crate::message::{ActionResult, Content, Conversation, Kind};
use crate::rules::{Line, LineEvent, Test, button_id};

/// How long a person reads an answer before the next line; without it a test would use up the
/// person's budget of replies in no time, as nobody does.
const READING: SignedDuration = SignedDuration::from_secs(15);

/// Persons, clock and what was said.
pub(crate) struct SimulatedConversation<'r> {
    engine: &'r Engine,
    now: Timestamp,
    persons: BTreeMap<String, Person>,
    sent: u64,
    transcript: Transcript,
    last: Explanation,
    /// What failed since this was looked at.
    failed: Option<String>,
    pub(crate) coverage: Coverage,
}

struct Person {
    conversation: Conversation,
    /// Said and not yet looked at by a line of the test.
    unread: VecDeque<Reply>,
    /// What can be tapped, of all messages of the last answer that had something: what each tap
    /// sends.
    offered: Vec<Content>,
    /// The actions that wait.
    actions: VecDeque<u64>,
    /// Set while an answer has come since the person's last line.
    reads_until: Option<Timestamp>,
}

impl<'r> SimulatedConversation<'r> {
    pub(crate) fn new(engine: &'r Engine, test: &Test) -> Self {
        let zone = engine.rules().bot.timezone.clone();
        let at = test.at.and_then(|at| at.to_zoned(zone).ok());
        Self {
            engine,
            now: at.map_or_else(|| usual_time(engine.rules()), |at| at.timestamp()),
            persons: BTreeMap::new(),
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
            if is_of_person(&line.event) {
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
                self.give(line, Content::Text { body });
            }
            LineEvent::Taps(wanted) => self.tap(line, wanted)?,
            LineEvent::Sends(sent) => self.give(line, content_of(sent)),
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

    /// Lets the time pass in which a person reads what was answered; part of it may have passed
    /// already.
    fn read(&mut self, who: &str) {
        let until = self.person(who).reads_until.take();
        if let Some(until) = until.filter(|until| *until > self.now) {
            self.wait(until);
        }
    }

    fn person(&mut self, who: &str) -> &mut Person {
        let index = self.persons.len();
        self.persons
            .entry(who.to_owned())
            .or_insert_with(|| Person {
                conversation: somebody(who, index),
                unread: VecDeque::new(),
                offered: Vec::new(),
                actions: VecDeque::new(),
                reads_until: None,
            })
    }

    fn give(&mut self, line: &Line, content: Content) {
        self.transcript
            .person_says(&line.who, &content.transcript_text());
        // Nobody wrote who changed the number.
        let counts = u64::from(content.kind() != Some(Kind::System));
        self.sent += 1;
        let (engine, now, number) = (self.engine, self.now, self.sent);
        let person = self.person(&line.who);
        let message = written(&person.conversation, number, now, content);
        let turn = engine.decide(
            &person.conversation,
            EngineEvent::Message(&message),
            now,
            Trace::Considered,
        );
        person.conversation.inbound_count += counts;
        self.keep(&line.who, turn);
        self.wake();
    }

    /// Lets the time pass, from one thing that is due to the next.
    fn wait(&mut self, until: Timestamp) {
        loop {
            let persons = self.persons.values();
            let due = persons
                .filter_map(|person| person.conversation.state.next_timer())
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

    /// Does what is due for everybody.
    fn wake(&mut self) {
        let (engine, now) = (self.engine, self.now);
        let names: Vec<String> = self.persons.keys().cloned().collect();
        for who in names {
            // Bounded: each turn takes one thing away.
            for _ in 0..100 {
                let conversation = &self.person(&who).conversation;
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
        let person = self.person(&line.who);
        let Some(number) = person.actions.pop_front() else {
            return Err(self.failure(line, "no action waits for a result"));
        };
        let incoming = EngineEvent::Action { number, outcome };
        let turn = engine.decide(&person.conversation, incoming, now, Trace::Considered);
        self.keep(&line.who, turn);
        Ok(())
    }

    fn keep(&mut self, who: &str, turn: Turn) {
        self.coverage.note(&turn);
        for reply in &turn.replies {
            self.transcript.bot_says(who, reply);
        }
        let silent = turn.replies.is_empty() && turn.actions.is_empty();
        if silent && turn.decision != Decision::Pending {
            self.transcript.nothing_is_said(who);
        }
        self.failed = self.failed.take().or_else(|| failure_of(&turn));
        let late_decisions = turn
            .late_decisions
            .last()
            .map(|one| one.explanation.clone());
        self.last = late_decisions.unwrap_or(turn.explanation);
        let read = self.now.saturating_add(READING).unwrap_or(Timestamp::MAX);
        let person = self.person(who);
        if !turn.replies.is_empty() {
            person.reads_until = Some(read);
        }
        person.conversation.state = turn.state;
        person
            .actions
            .extend(turn.actions.iter().map(|asked| asked.number));
        let offered = turn.replies.iter().flat_map(|reply| reply.content.taps());
        let offered: Vec<Content> = offered.collect();
        if !offered.is_empty() {
            person.offered = offered;
        }
        person.unread.extend(turn.replies);
    }

    fn tap(&mut self, line: &Line, wanted: &str) -> Result<(), Box<Failure>> {
        let offered = &self.person(&line.who).offered;
        let id = |content: &Content| content.button().map(button_id::owner_id).map(str::to_owned);
        let is = |content: &&Content| {
            content.button().map(button_id::owner_id) == Some(wanted)
                || content.text_or_label() == Some(wanted)
        };
        let Some(content) = offered.iter().find(is).cloned() else {
            let ids: Vec<String> = offered.iter().filter_map(id).collect();
            let message = format!("nothing offers `{wanted}`; there are {ids:?}");
            return Err(self.failure(line, &message));
        };
        self.give(line, content);
        Ok(())
    }

    fn expect(
        &mut self,
        line: &Line,
        text: Option<&str>,
        rule: Option<&str>,
    ) -> Result<(), Box<Failure>> {
        let Some(reply) = self.person(&line.who).unread.pop_front() else {
            let wanted = text.or(rule).unwrap_or("a reply");
            return Err(self.failure(
                line,
                &format!("nothing was said, and \"{wanted}\" was expected"),
            ));
        };
        let said = reply.content.transcript_text();
        if let Some(text) = text.filter(|text| !said.contains(text)) {
            let message = format!("expected \"{text}\", and the bot said \"{said}\"");
            return Err(self.failure(line, &message));
        }
        if let Some(rule) = rule.filter(|rule| reply.rule.as_str() != *rule) {
            let message = format!("expected it from `{rule}`, and `{}` said it", reply.rule);
            return Err(self.failure(line, &message));
        }
        Ok(())
    }

    /// A turn that failed answers nothing either, but nobody decided that it should.
    fn nothing_failed(&mut self, line: &Line) -> Result<(), Box<Failure>> {
        match self.failed.take() {
            None => Ok(()),
            Some(note) => Err(self.failure(line, &failed(&note))),
        }
    }

    fn nothing_unread(&mut self, line: &Line) -> Result<(), Box<Failure>> {
        let unread = self.persons.values().find_map(|one| one.unread.front());
        match unread.map(|reply| reply.content.transcript_text()) {
            None => Ok(()),
            Some(said) => {
                let message = format!("the bot also said \"{said}\" before this line");
                Err(self.failure(line, &message))
            }
        }
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

/// Whether a person does something.
fn is_of_person(event: &LineEvent) -> bool {
    match event {
        LineEvent::Says(_) | LineEvent::Taps(_) | LineEvent::Sends(_) => true,
        LineEvent::Waits(_)
        | LineEvent::Expects { .. }
        | LineEvent::ExpectsNothing
        | LineEvent::Gives(_)
        | LineEvent::Fails(_) => false,
    }
}

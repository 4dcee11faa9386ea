//! Rehearses rules without a service: examples and conversations of the rules file, with a clock that is moved by hand.
//!
//! Everything is decided by [`super::explain`], so a test that passes here is a promise about the service.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::{Decision, Explanation, Incoming, Reply, Turn, Verdict, explain};
use crate::message::{
    Contact, Content, Conversation, Identity, Inbound, Kind, Media, Outcome, PhoneNumberId, State,
    WaId, Wamid,
};
use crate::rules::{Example, Line, LineEvent, Rule, RuleSet, Test, tap};

/// A time at which nothing special is: a Tuesday morning in UTC.
const USUAL: Timestamp = Timestamp::constant(1_794_999_600, 0);

/// What came of one test or example.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its name.
    pub name: String,
    /// What is wrong; `None`: it passes.
    pub failure: Option<Box<Failure>>,
}

/// Why a test failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where in the files.
    pub span: std::ops::Range<usize>,
    /// What was expected, and what came.
    pub message: String,
    /// What was said until then, a line each.
    pub transcript: Vec<String>,
    /// Why the last turn came out as it did.
    pub explanation: Explanation,
}

/// The rules and steps that tests have reached.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    reached: BTreeSet<String>,
}

impl Coverage {
    /// Every rule and every step (`flow/step`) that no test has reached, in order.
    #[must_use]
    pub fn missed(&self, rules: &RuleSet) -> Vec<String> {
        all_parts(rules)
            .into_iter()
            .filter(|part| !self.reached.contains(part))
            .collect()
    }

    /// How many there are.
    #[must_use]
    pub fn of(rules: &RuleSet) -> usize {
        all_parts(rules).len()
    }

    fn note(&mut self, turn: &Turn) {
        let concluded = turn.concluded.iter().map(|one| &one.explanation);
        let all = concluded.chain([&turn.explanation]);
        let matched = all
            .flat_map(|one| &one.considered)
            .filter(|one| one.verdict == Verdict::Matched);
        self.reached
            .extend(matched.map(|one| one.rule.as_str().to_owned()));
        let said = turn.replies.iter();
        self.reached
            .extend(said.map(|reply| reply.rule.as_str().to_owned()));
    }
}

fn all_parts(rules: &RuleSet) -> Vec<String> {
    let ids = rules.rules.iter().map(|rule| rule.id.as_str().to_owned());
    let flows = rules.flows.iter();
    let steps = flows.flat_map(|(name, flow)| {
        let asked = flow.steps.iter().filter(|step| !step.ask.is_empty());
        asked.map(move |step| format!("{name}/{}", step.id))
    });
    ids.chain(steps).collect()
}

/// Runs every example and every test of some rules.
#[must_use]
pub fn run(rules: &RuleSet) -> (Vec<Finding>, Coverage) {
    let mut coverage = Coverage::default();
    let mut findings = Vec::new();
    for rule in &rules.rules {
        for example in &rule.examples {
            findings.push(example_of(rules, rule, example, Wanted::Yes, &mut coverage));
        }
        for example in &rule.not_examples {
            findings.push(example_of(rules, rule, example, Wanted::No, &mut coverage));
        }
    }
    for test in &rules.tests {
        let mut stage = Stage::new(rules, test);
        let failure = stage.play(test).err();
        coverage.reached.extend(stage.coverage.reached);
        let name = test.name.clone();
        findings.push(Finding { name, failure });
    }
    (findings, coverage)
}

/// What somebody gets for a text who has sent so many messages before.
#[must_use]
pub fn ask(rules: &RuleSet, text: &str, messages_before: u64, now: Timestamp) -> Turn {
    let mut conversation = somebody("", 0);
    conversation.messages_before = messages_before;
    let content = Content::Text {
        body: text.to_owned(),
    };
    let message = written(&conversation, 1, now, content);
    let turn = explain(rules, &conversation, Incoming::Message(&message), now);
    let due = turn.state.burst.as_ref().map(|burst| burst.due);
    let Some(due) = due else {
        return turn;
    };
    // The quiet time of a burst is over.
    conversation.state = turn.state;
    conversation.messages_before += 1;
    let mut turn = explain(rules, &conversation, Incoming::Timer, due);
    if let Some(concluded) = turn.concluded.pop() {
        turn.decision = concluded.decision;
        turn.explanation = concluded.explanation;
    }
    turn
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    No,
}

/// A time at which the shop is open, when it has hours.
fn usual_time(rules: &RuleSet) -> Timestamp {
    let hours = rules.hours.as_ref();
    let open = hours.filter(|hours| !hours.is_open(USUAL));
    open.and_then(|hours| hours.next_open(USUAL))
        .unwrap_or(USUAL)
}

fn example_of(
    rules: &RuleSet,
    rule: &Rule,
    example: &Example,
    wanted: Wanted,
    coverage: &mut Coverage,
) -> Finding {
    let now = usual_time(rules);
    let turn = ask(rules, &example.text, 1, now);
    let considered = &turn.explanation.considered;
    let is = |one: &&super::Considered| one.verdict == Verdict::Matched;
    let matched = considered.iter().filter(is).any(|one| one.rule == rule.id);
    let (key, good) = match wanted {
        Wanted::Yes => ("examples", matched),
        Wanted::No => ("not_examples", !matched),
    };
    if wanted == Wanted::Yes {
        coverage.note(&turn);
    }
    let taken = considered.iter().find(is);
    let taken = taken.map_or_else(
        || "no rule takes it".to_owned(),
        |one| format!("`{}` takes it", one.rule),
    );
    let failure = (!good).then(|| {
        Box::new(Failure {
            span: example.span.clone(),
            message: match wanted {
                Wanted::Yes => format!("`{}` should take this, and {taken}", rule.id),
                Wanted::No => format!("`{}` takes this, and should not", rule.id),
            },
            transcript: vec![format!("user  {}", example.text)],
            explanation: turn.explanation.clone(),
        })
    });
    let name = format!("{key} of {}: {}", rule.id, example.text);
    Finding { name, failure }
}

fn somebody(name: &str, index: usize) -> Conversation {
    let phone = WaId::parse(format!("1555{index:07}")).expect("digits");
    Conversation {
        phone_number_id: PhoneNumberId::parse("rehearsal").expect("not empty"),
        contact: Contact {
            identity: Identity::Phone(phone),
            name: Some(if name.is_empty() { "Ana Lima" } else { name }.to_owned()),
            username: None,
        },
        messages_before: 0,
        state: State::default(),
    }
}

fn written(conversation: &Conversation, number: u64, now: Timestamp, content: Content) -> Inbound {
    Inbound::new(
        conversation.phone_number_id.clone(),
        Wamid::parse(format!("wamid.REHEARSAL{number}")).expect("not empty"),
        conversation.contact.identity.clone(),
        now,
        content,
    )
}

/// Persons, clock and what was said.
struct Stage<'r> {
    rules: &'r RuleSet,
    now: Timestamp,
    persons: BTreeMap<String, Person>,
    sent: u64,
    transcript: Vec<String>,
    last: Explanation,
    coverage: Coverage,
}

struct Person {
    conversation: Conversation,
    /// Said and not yet looked at by a line of the test.
    unread: VecDeque<Reply>,
    /// The buttons that can be tapped: id on the wire and title.
    offered: Vec<(String, String)>,
    /// The actions that wait.
    actions: VecDeque<u64>,
}

impl<'r> Stage<'r> {
    fn new(rules: &'r RuleSet, test: &Test) -> Self {
        let zone = rules.bot.timezone.clone();
        let at = test.at.and_then(|at| at.to_zoned(zone).ok());
        Self {
            rules,
            now: at.map_or_else(|| usual_time(rules), |at| at.timestamp()),
            persons: BTreeMap::new(),
            sent: 0,
            transcript: Vec::new(),
            last: Explanation::default(),
            coverage: Coverage::default(),
        }
    }

    fn play(&mut self, test: &Test) -> Result<(), Box<Failure>> {
        for line in &test.talk {
            let expects = matches!(line.event, LineEvent::Expects { .. });
            if !expects {
                self.nothing_unread(line)?;
            }
            self.perform(line)?;
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
                self.give(line, Content::Text { body }, text);
            }
            LineEvent::Taps(wanted) => self.tap(line, wanted)?,
            LineEvent::Sends(kind) => {
                let content = content_of(*kind);
                self.give(line, content, &format!("({})", kind.name()));
            }
            LineEvent::Waits(length) => {
                let length = SignedDuration::try_from(*length).unwrap_or(SignedDuration::MAX);
                let until = self.now.saturating_add(length).unwrap_or(Timestamp::MAX);
                self.wait(until);
            }
            LineEvent::Expects { text, rule } => {
                self.expect(line, text.as_deref(), rule.as_deref())?;
            }
            LineEvent::ExpectsNothing => {}
            LineEvent::Gives(value) => self.act(line, &Outcome::Done(value.clone()))?,
            LineEvent::Fails(reason) => self.act(line, &Outcome::Failed(reason.clone()))?,
        }
        Ok(())
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
            })
    }

    fn give(&mut self, line: &Line, content: Content, shown: &str) {
        self.transcript.push(format!("user  {shown}"));
        self.sent += 1;
        let (rules, now, number) = (self.rules, self.now, self.sent);
        let person = self.person(&line.who);
        let message = written(&person.conversation, number, now, content);
        let turn = explain(
            rules,
            &person.conversation,
            Incoming::Message(&message),
            now,
        );
        person.conversation.messages_before += 1;
        self.keep(&line.who, turn);
        self.wake();
    }

    /// Lets the time pass, from one thing that is due to the next.
    fn wait(&mut self, until: Timestamp) {
        loop {
            let persons = self.persons.values();
            let due = persons
                .filter_map(|person| person.conversation.state.wakes_at())
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
        let (rules, now) = (self.rules, self.now);
        let names: Vec<String> = self.persons.keys().cloned().collect();
        for who in names {
            // Bounded: each turn takes one thing away.
            for _ in 0..100 {
                let conversation = &self.person(&who).conversation;
                if conversation.state.wakes_at().is_none_or(|due| due > now) {
                    break;
                }
                let turn = explain(rules, conversation, Incoming::Timer, now);
                self.keep(&who, turn);
            }
        }
    }

    fn act(&mut self, line: &Line, outcome: &Outcome) -> Result<(), Box<Failure>> {
        let (rules, now) = (self.rules, self.now);
        let person = self.person(&line.who);
        let Some(number) = person.actions.pop_front() else {
            return Err(self.failure(line, "no action waits for a result"));
        };
        let incoming = Incoming::Action { number, outcome };
        let turn = explain(rules, &person.conversation, incoming, now);
        self.keep(&line.who, turn);
        Ok(())
    }

    fn keep(&mut self, who: &str, turn: Turn) {
        self.coverage.note(&turn);
        for reply in &turn.replies {
            let text = reply.content.transcript_text();
            self.transcript
                .push(format!("bot   {text}   ({})", reply.rule));
        }
        let silent = turn.replies.is_empty() && turn.actions.is_empty();
        if silent && turn.decision != Decision::Waiting {
            self.transcript.push("      (nothing)".to_owned());
        }
        let concluded = turn.concluded.last().map(|one| one.explanation.clone());
        self.last = concluded.unwrap_or(turn.explanation);
        let person = self.person(who);
        person.conversation.state = turn.state;
        person
            .actions
            .extend(turn.actions.iter().map(|asked| asked.number));
        for reply in turn.replies {
            let choices = reply.content.choices();
            if !choices.is_empty() {
                person.offered = choices;
            }
            person.unread.push_back(reply);
        }
    }

    fn tap(&mut self, line: &Line, wanted: &str) -> Result<(), Box<Failure>> {
        let person = self.person(&line.who);
        let is = |(id, title): &&(String, String)| tap::visible(id) == wanted || title == wanted;
        let Some((id, title)) = person.offered.iter().find(is).cloned() else {
            let offered: Vec<&str> = person
                .offered
                .iter()
                .map(|(id, _)| tap::visible(id))
                .collect();
            let message = format!("nothing offers `{wanted}`; there are {offered:?}");
            return Err(self.failure(line, &message));
        };
        let shown = format!("[{title}]");
        self.give(line, Content::ButtonReply { id, title }, &shown);
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
            transcript: self.transcript.clone(),
            explanation: self.last.clone(),
        })
    }
}

/// The least that a message of a type has.
fn content_of(kind: Kind) -> Content {
    match kind {
        Kind::Image => Content::Image(Media::default()),
        Kind::Video => Content::Video(Media::default()),
        Kind::Sticker => Content::Sticker(Media::default()),
        Kind::Audio | Kind::Voice => Content::Audio {
            media: Media::default(),
            voice: kind == Kind::Voice,
        },
        Kind::Document => Content::Document {
            media: Media::default(),
            filename: None,
        },
        Kind::Location => Content::Location {
            latitude: 40.71,
            longitude: -74.0,
            name: None,
            address: None,
        },
        Kind::Contacts => Content::Contacts { cards: Vec::new() },
        Kind::Order => Content::Order(crate::message::Order::default()),
        Kind::Reaction => Content::Reaction {
            message: None,
            emoji: Some("👍".to_owned()),
        },
        Kind::Welcome => Content::Welcome,
        other => Content::Other {
            kind: other.name().to_owned(),
        },
    }
}

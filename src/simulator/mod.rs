//! Rehearses rules without a service: examples and conversations of the rules file, with a clock
//! that is moved by hand.
//!
//! Everything is decided by [`Engine::decide`], so a test that passes here is a promise
//! about the service.

mod contact;
mod conversation;
mod coverage;
mod failure;
mod inbound;
pub mod replay;
mod transcript;

use jiff::Timestamp;

use crate::engine::{Engine, EngineEvent, Trace, Turn, Verdict};
use crate::message::{Content, Conversation};
use crate::rules::{Example, Rule};
use contact::{somebody, usual_time, written};
use conversation::SimulatedConversation;
pub use coverage::Coverage;
pub use failure::Failure;
use failure::{failed, failure_of};
use transcript::Transcript;

/// What came of one test or example.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its name.
    pub name: String,
    /// What is wrong; `None`: it passes.
    pub failure: Option<Box<Failure>>,
}

/// Runs every example and every test of some rules.
#[must_use]
pub fn run(engine: &Engine) -> (Vec<Finding>, Coverage) {
    let mut coverage = Coverage::default();
    let mut findings = Vec::new();
    let rules = engine.rules();
    for rule in &rules.rules {
        for example in &rule.examples {
            findings.push(example_of(
                engine,
                rule,
                example,
                Wanted::Yes,
                &mut coverage,
            ));
        }
        for example in &rule.not_examples {
            findings.push(example_of(engine, rule, example, Wanted::No, &mut coverage));
        }
    }
    for test in &rules.tests {
        let mut stage = SimulatedConversation::new(engine, test);
        let failure = stage.play(test).err();
        coverage.merge(stage.coverage);
        let name = test.name.clone();
        findings.push(Finding { name, failure });
    }
    (findings, coverage)
}

/// What somebody gets for a text who has sent so many messages before, with what every rule makes
/// of it.
#[must_use]
pub fn ask(engine: &Engine, text: &str, inbound_count: u64, now: Timestamp) -> Turn {
    let mut conversation = somebody("", 0);
    conversation.inbound_count = inbound_count;
    ask_as(engine, conversation, text, now)
}

/// What a person gets for a text as the conversation stands, with what every rule makes of it.
#[must_use]
pub fn ask_as(engine: &Engine, conversation: Conversation, text: &str, now: Timestamp) -> Turn {
    send_text(engine, conversation, text, now, Trace::Everything)
}

/// What comes of a text in the end: the quiet time of a burst is waited for.
fn send_text(
    engine: &Engine,
    mut conversation: Conversation,
    text: &str,
    now: Timestamp,
    trace: Trace,
) -> Turn {
    let content = Content::Text {
        body: text.to_owned(),
    };
    let message = written(&conversation, 1, now, content);
    let turn = engine.decide(&conversation, EngineEvent::Message(&message), now, trace);
    let due = turn.state.debounce.as_ref().map(|burst| burst.due);
    let Some(due) = due else {
        return turn;
    };
    conversation.state = turn.state;
    conversation.inbound_count += 1;
    let mut turn = engine.decide(&conversation, EngineEvent::Timer, due, trace);
    if let Some(late_decisions) = turn.late_decisions.pop() {
        turn.decision = late_decisions.decision;
        turn.explanation = late_decisions.explanation;
    }
    turn
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    No,
}

fn example_of(
    engine: &Engine,
    rule: &Rule,
    example: &Example,
    wanted: Wanted,
    coverage: &mut Coverage,
) -> Finding {
    let now = usual_time(engine.rules());
    let mut conversation = somebody("", 0);
    conversation.inbound_count = 1;
    let turn = send_text(engine, conversation, &example.text, now, Trace::Considered);
    let considered = &turn.explanation.considered;
    let is = |one: &&crate::engine::Considered| one.verdict == Verdict::Matched;
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
    let message = match (good, failure_of(&turn)) {
        (true, None) => None,
        (true, Some(note)) => Some(failed(&note)),
        (false, _) => Some(match wanted {
            Wanted::Yes => format!("`{}` should take this, and {taken}", rule.id),
            Wanted::No => format!("`{}` takes this, and should not", rule.id),
        }),
    };
    let failure = message.map(|message| {
        let mut transcript = Transcript::default();
        transcript.person_says("", &example.text);
        Box::new(Failure {
            span: example.span.clone(),
            message,
            transcript: transcript.lines(),
            explanation: turn.explanation.clone(),
        })
    });
    let name = format!("{key} of {}: {}", rule.id, example.text);
    Finding { name, failure }
}

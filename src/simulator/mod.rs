//! Simulates conversations without a service: the examples and tests of the rules file, with a
//! clock that is moved by hand.
//!
//! Everything is decided by [`Engine::decide`], as in the service.

mod contact;
mod conversation;
mod coverage;
mod failure;
mod inbound;
pub(crate) mod offered;
pub mod replay;
mod transcript;

use jiff::Timestamp;

use crate::engine::{Considered, Engine, EngineEvent, Trace, Turn, Verdict};
use crate::message::{Content, Conversation};
use crate::rules::{Example, Rule};
use contact::{new_conversation, new_message, usual_time};
use conversation::SimulatedConversation;
pub use coverage::Coverage;
pub use failure::Failure;
use failure::{failed, failure_of};
use transcript::Transcript;

/// Result of one test or example.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Name of the test or example.
    pub name: String,
    /// The failure; `None` if it passes.
    pub failure: Option<Box<Failure>>,
}

/// Runs every example and every test of the rules.
#[must_use]
pub fn run(engine: &Engine) -> (Vec<Finding>, Coverage) {
    let mut coverage = Coverage::default();
    let mut findings = Vec::new();
    let rules = engine.rules();
    for rule in &rules.rules {
        for (examples, wanted) in [
            (&rule.examples, Wanted::Yes),
            (&rule.not_examples, Wanted::No),
        ] {
            let run = |example| run_example(engine, rule, example, wanted, &mut coverage);
            findings.extend(examples.iter().map(run));
        }
    }
    for test in &rules.tests {
        let mut conversation = SimulatedConversation::new(engine, test);
        let failure = conversation.play(test).err();
        coverage.merge(conversation.coverage);
        let name = test.name.clone();
        findings.push(Finding { name, failure });
    }
    (findings, coverage)
}

/// Decides on a text of a contact that has sent `inbound_count` messages before; the explanation
/// lists every rule.
#[must_use]
pub fn ask(engine: &Engine, text: &str, inbound_count: u64, now: Timestamp) -> Turn {
    let mut conversation = new_conversation("", 0);
    conversation.inbound_count = inbound_count;
    ask_as(engine, conversation, text, now)
}

/// Decides on a text in a conversation; the explanation lists every rule.
#[must_use]
pub fn ask_as(engine: &Engine, conversation: Conversation, text: &str, now: Timestamp) -> Turn {
    send_text(engine, conversation, text, now, Trace::Everything)
}

/// Decides on a text and, if it is debounced, on the timer that ends the debounce.
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
    let message = new_message(&conversation, 1, now, content);
    let turn = engine.decide(&conversation, EngineEvent::Message(&message), now, trace);
    let Some(due) = turn.state.debounce.as_ref().map(|debounce| debounce.due) else {
        return turn;
    };
    conversation.state = turn.state;
    conversation.inbound_count += 1;
    let mut turn = engine.decide(&conversation, EngineEvent::Timer, due, trace);
    if let Some(late) = turn.late_decisions.pop() {
        turn.decision = late.decision;
        turn.explanation = late.explanation;
    }
    turn
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    No,
}

fn run_example(
    engine: &Engine,
    rule: &Rule,
    example: &Example,
    wanted: Wanted,
    coverage: &mut Coverage,
) -> Finding {
    let now = usual_time(engine.rules());
    let mut conversation = new_conversation("", 0);
    conversation.inbound_count = 1;
    let turn = send_text(engine, conversation, &example.text, now, Trace::Considered);
    let considered = &turn.explanation.considered;
    let is_match = |rule: &&Considered| rule.verdict == Verdict::Matched;
    let mut matches = considered.iter().filter(is_match);
    let first = matches.clone().next();
    let takes = matches.any(|considered| considered.rule == rule.id);
    let (key, good) = match wanted {
        Wanted::Yes => ("examples", takes),
        Wanted::No => ("not_examples", !takes),
    };
    if wanted == Wanted::Yes {
        coverage.note(&turn);
    }
    let actual = match first {
        Some(first) => format!("`{}` takes it", first.rule),
        None => "no rule takes it".to_owned(),
    };
    let message = match (good, failure_of(&turn)) {
        (true, None) => None,
        (true, Some(note)) => Some(failed(&note)),
        (false, _) => Some(match wanted {
            Wanted::Yes => format!("`{}` should take this, and {actual}", rule.id),
            Wanted::No => format!("`{}` takes this, and should not", rule.id),
        }),
    };
    let failure = message.map(|message| {
        let mut transcript = Transcript::default();
        transcript.add_message("", &example.text);
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

//! What `replyd explain` tells, which is more than what is stored, and changes nothing.

use super::engine;
use super::{NOW, ana, text};
use crate::engine::{Considered, Decision, Engine, EngineEvent, Trace, Turn, Verdict};
use crate::message::Conversation;
use crate::simulator;

const SHOP: &str = r#"
[bot]
debounce = "4s"
[[rule]]
id = "human"
anywhere = true
when.text.has = ["human", "a real person"]
handoff = "8h"
reply = "One of us."
[[rule]]
id = "notice"
continue = true
once = "1h"
reply = "We move."
[[rule]]
id = "track"
when.text.matches = '#\d+'
reply = "On its way."
[[rule]]
id = "order"
when.text.has = ["cake", "order a cake"]
start = "cake"
[[rule]]
id = "like"
when.text.like = "delivery"
reply = "By bike."
[[rule]]
id = "fallback"
reply = "Sorry?"
[flow.cake]
[[flow.cake.step]]
id = "size"
ask = "Which size?"
"#;

fn explained(engine: &Engine, conversation: &Conversation, body: &str) -> Turn {
    simulator::ask_as(engine, conversation.clone(), body, NOW)
}

fn lines(all: &[Considered]) -> Vec<String> {
    let line = |one: &Considered| {
        let verdict = match one.verdict {
            Verdict::Matched => "yes",
            Verdict::Quiet => "quiet",
            Verdict::No => "no",
        };
        format!("{} {verdict}: {}", one.rule, one.because)
    };
    all.iter().map(line).collect()
}

#[test]
fn every_rule_is_told_also_those_behind_the_one_that_answers() {
    let turn = explained(
        &engine(SHOP),
        &ana(),
        "I want a cake, #4711, delivrey please",
    );

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(
        lines(&turn.explanation.considered),
        [
            "human no: none of \"human\", \"a real person\" is in the text",
            "notice yes: it has no `when`",
            "track yes: the pattern `#\\d+` matches \"#4711\"",
        ]
    );
    assert_eq!(
        lines(&turn.explanation.behind),
        [
            "order yes: \"cake\" is in the text, word 4",
            "like yes: \"delivrey\" in the text, word 6, is like \"delivery\"",
            "fallback yes: it has no `when`",
        ]
    );
}

#[test]
fn a_phrase_of_several_words_stands_at_several_places() {
    let turn = explained(&engine(SHOP), &ana(), "please: a REAL person");

    assert_eq!(
        lines(&turn.explanation.considered),
        ["human yes: \"a real person\" is in the text, words 2 to 4"]
    );
    let behind = lines(&turn.explanation.behind);
    assert_eq!(behind[0], "notice yes: it has no `when`");
    assert_eq!(
        behind[2],
        "order no: none of \"cake\", \"order a cake\" is in the text"
    );
}

#[test]
fn in_a_flow_under_a_pause_and_after_once_the_others_say_why_they_could_not() {
    let engine = engine(SHOP);
    let mut person = ana();
    let turn = explained(&engine, &person, "cake");
    assert_eq!(turn.replies.len(), 2, "the notice and the question");
    person.state = turn.state;

    let in_flow = explained(&engine, &person, "cake");
    let told = lines(&in_flow.explanation.considered);
    assert_eq!(told[1], "cake/size yes: taken as text");
    let told = lines(&in_flow.explanation.behind);
    assert_eq!(
        told[2],
        "order no: a flow is under way, and it has no `anywhere`; else \"cake\" is in the text, word 1"
    );

    person.state.run = None;
    let human = explained(&engine, &person, "human");
    assert_eq!(
        lines(&human.explanation.behind)[0],
        "notice quiet: it answered 0 s ago, and has `once`"
    );

    person.state = human.state;
    let paused = explained(&engine, &person, "cake");
    assert_eq!(paused.decision, Decision::HandedOff);
    assert_eq!(lines(&paused.explanation.behind).len(), 6);
}

#[test]
fn a_burst_is_waited_for_also_as_somebody_who_wrote_before() {
    let turn = explained(&engine(SHOP), &ana(), "a cake");

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(turn.replies[1].rule.as_str(), "cake/size");
}

#[test]
fn of_many_rules_each_is_told_and_nothing_is_decided_otherwise() {
    let one = |number: i32| {
        format!(
            "[[rule]]\nid = \"r{number}\"\nwhen.text.has = \"w{number}\"\nreply = \"{number}\"\n"
        )
    };
    let many: String = (0..70).map(one).collect();
    let engine = engine(&many);
    let (person, message) = (ana(), text("w60 or w65"));
    let asked = EngineEvent::Message(&message);

    let told = engine.decide(&person, asked, NOW, Trace::Everything);

    assert_eq!(told.explanation.considered.len(), 61);
    assert_eq!(told.explanation.not_told, 0);
    assert_eq!(told.explanation.behind.len(), 9);
    let stored = super::decide(&engine, &person, asked, NOW);
    assert!(stored.explanation.behind.is_empty());
    for other in [
        stored,
        engine.decide(&person, asked, NOW, Trace::Considered),
    ] {
        assert_eq!(other.decision, told.decision);
        assert_eq!(other.replies, told.replies);
        assert_eq!(other.state, told.state);
    }
}

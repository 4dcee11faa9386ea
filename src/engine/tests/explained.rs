//! Explanations of `replyd explain`: they list more than the stored ones, and change nothing.

use super::{NOW, Talk, ana, engine, numbered_rules};
use crate::engine::{Considered, Decision, Engine, Trace, Turn, Verdict};
use crate::message::Conversation;
use crate::simulator;

const SHOP: &str = r#"
bot.debounce = "4s"
rule = [
    { id = "human", anywhere = true, when.text.has = ["human", "a real person"], handoff = "8h", reply = "One of us." },
    { id = "notice", continue = true, once = "1h", reply = "We move." },
    { id = "track", when.text.matches = '#\d+', reply = "On its way." },
    { id = "order", when.text.has = ["cake", "order a cake"], start = "cake" },
    { id = "like", when.text.like = "delivery", reply = "By bike." },
    { id = "fallback", reply = "Sorry?" },
]
flow.cake.step = [{ id = "size", ask = "Which size?" }]
"#;

fn explain(engine: &Engine, conversation: &Conversation, body: &str) -> Turn {
    simulator::ask_as(engine, conversation.clone(), body, NOW)
}

fn lines(rules: &[Considered]) -> Vec<String> {
    let line = |considered: &Considered| {
        let verdict = match considered.verdict {
            Verdict::Matched => "yes",
            Verdict::Quiet => "quiet",
            Verdict::No => "no",
        };
        format!("{} {verdict}: {}", considered.rule, considered.because)
    };
    rules.iter().map(line).collect()
}

#[test]
fn every_rule_is_told_also_those_behind_the_one_that_answers() {
    let text = "I want a cake, #4711, delivrey please";
    let turn = explain(&engine(SHOP), &ana(), text);

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
    let turn = explain(&engine(SHOP), &ana(), "please: a REAL person");

    assert_eq!(
        lines(&turn.explanation.considered),
        ["human yes: \"a real person\" is in the text, words 2 to 4"]
    );
    let behind = lines(&turn.explanation.behind);
    assert_eq!(behind[0], "notice yes: it has no `when`");
    let order = "order no: none of \"cake\", \"order a cake\" is in the text";
    assert_eq!(behind[2], order);
}

#[test]
fn in_a_flow_under_a_pause_and_after_once_the_others_say_why_they_could_not() {
    let engine = engine(SHOP);
    let mut conversation = ana();
    let turn = explain(&engine, &conversation, "cake");
    assert_eq!(turn.replies.len(), 2, "the notice and the question");
    conversation.state = turn.state;

    let in_flow = explain(&engine, &conversation, "cake").explanation;
    let considered = lines(&in_flow.considered);
    assert_eq!(considered[1], "cake/size yes: taken as text");
    assert_eq!(
        lines(&in_flow.behind)[2],
        "order no: a flow is under way, and it has no `anywhere`; else \"cake\" is in the text, word 1"
    );

    conversation.state.run = None;
    let human = explain(&engine, &conversation, "human");
    assert_eq!(
        lines(&human.explanation.behind)[0],
        "notice quiet: it answered 0 s ago, and has `once`"
    );

    conversation.state = human.state;
    let paused = explain(&engine, &conversation, "cake");
    assert_eq!(paused.decision, Decision::HandedOff);
    assert_eq!(lines(&paused.explanation.behind).len(), 6);
}

#[test]
fn a_debounce_is_waited_for_also_as_somebody_who_wrote_before() {
    let turn = explain(&engine(SHOP), &ana(), "a cake");

    assert_eq!(turn.decision, Decision::Answered);
    assert_eq!(turn.replies[1].rule.as_str(), "cake/size");
}

#[test]
fn of_many_rules_each_is_told_and_nothing_is_decided_otherwise() {
    let engine = numbered_rules(70);
    let [everything, stored, considered] = [Trace::Everything, Trace::Matched, Trace::Considered]
        .map(|trace| {
            let mut talk = Talk::new(&engine);
            talk.trace = trace;
            talk.text("word60 or word65")
        });

    assert_eq!(everything.explanation.considered.len(), 61);
    assert_eq!(everything.explanation.unlisted, 0);
    assert_eq!(everything.explanation.behind.len(), 9);
    assert!(stored.explanation.behind.is_empty());
    for other in [stored, considered] {
        assert_eq!(other.decision, everything.decision);
        assert_eq!(other.replies, everything.replies);
        assert_eq!(other.state, everything.state);
    }
}

//! Actions that lead to each other, stay pending through a change of the rules, or end too late.

use std::time::Duration;

use serde_json::json;

use super::{Talk, engine, late_decisions, say, text, texts};
use crate::engine::{Decision, Engine, Turn};
use crate::message::{Action, ActionResult, QuotedMessage};

/// A call that leads to itself.
const SPIN: &str = r#"
rule = [{ id = "spin", start = "spin" }]
flow.spin.step = [{ id = "pass", if = "false", ask = "?" }]
flow.spin.end = { call = { get = "https://shop.example/spin" }, start = "spin" }
"#;

const TRACK: &str = r#"
[[rule]]
id = "track"
call = { get = "https://shop.example/{{ message.text }}/details", save = "order" }
reply = "It is {{ order.status }}."
on_error = "I cannot look up {{ message.text }} now."
"#;

const ASK: &str = r#"
rule = [{ id = "ask", model = { prompt = "You are a baker." }, reply = "{{ model.text }}" }]
"#;

fn done() -> ActionResult {
    ActionResult::Done(json!({}))
}

#[test]
fn a_model_is_told_what_a_message_quotes() {
    let engine = engine(ASK);
    let prompt = |quoted: Option<&str>| {
        let mut message = text("how much is that one?");
        message.context.quoted_message = quoted.map(|text| QuotedMessage {
            text: text.to_owned(),
            origin: "bot".to_owned(),
        });
        let turn = Talk::new(&engine).send(&message);
        let [requested] = turn.actions.as_slice() else {
            panic!("one action is expected: {:?}", turn.actions);
        };
        let Action::Model(call) = &requested.action else {
            panic!("a model is asked: {requested:?}");
        };
        call.turns[0].text.clone()
    };

    assert_eq!(prompt(None), "how much is that one?");
    let quoted = prompt(Some("Lemon cake\nfor six"));
    assert_eq!(quoted, "> Lemon cake\n> for six\nhow much is that one?");
}

#[test]
fn one_message_leads_to_four_actions_at_most() {
    let engine = engine(SPIN);
    let mut talk = Talk::new(&engine);

    let mut turn = talk.text("spin");
    let mut actions = 0;
    while !turn.actions.is_empty() {
        actions += turn.actions.len();
        assert!(actions < 10, "it does not end");
        turn = talk.end_action(&done());
    }

    assert_eq!(actions, 4);
    assert_eq!(late_decisions(&turn), [Decision::Failed]);
}

#[test]
fn a_rule_that_a_model_chose_obeys_its_once_and_its_chance() {
    let engine = engine(
        r#"
rule = [
    { id = "ask", when.text.is = "ask", model = { choose = ["news", "never"] }, reply = "Sorry?" },
    { id = "news", when.text.is = "news", once = "1h", reply = "News!" },
    { id = "never", when.text.is = "never", chance = 0.000001, reply = "You are the one." },
]
"#,
    );
    let choose = |talk: &mut Talk<'_>, id: &str| {
        talk.text("ask");
        texts(&talk.end_action(&ActionResult::Done(json!({ "choice": id }))))
    };

    let mut talk = Talk::new(&engine);
    assert_eq!(choose(&mut talk, "news"), ["News!"]);
    assert_eq!(choose(&mut talk, "news"), ["Sorry?"]);
    assert_eq!(choose(&mut Talk::new(&engine), "never"), ["Sorry?"]);
}

#[test]
fn who_waits_for_a_rule_that_is_gone_hears_its_on_error() {
    let engines = [TRACK, &TRACK.replace("\"track\"", "\"orders\"")].map(engine);
    let mut talk = Talk::new(&engines[0]);
    talk.text("4711");
    talk.engine = &engines[1];

    let turn = talk.end_action(&done());

    assert_eq!(texts(&turn), ["I cannot look up 4711 now."]);
    assert_eq!(late_decisions(&turn), [Decision::Answered]);
    let event = &turn.conversation_events[0].text;
    assert_eq!(event, "the rules have no `track` any more");
}

#[test]
fn a_failure_is_told_while_the_contact_still_waits_for_it() {
    let engine = engine(TRACK);
    let failed = ActionResult::Failed("it waited too long".to_owned());
    let [soon, late] = [15, 16].map(|minutes| {
        let mut talk = Talk::new(&engine);
        talk.text("4711");
        talk.now += Duration::from_mins(minutes);
        talk.end_action(&failed)
    });

    assert_eq!(texts(&soon), ["I cannot look up 4711 now."]);
    assert!(late.replies.is_empty());
    assert_eq!(late_decisions(&late), [Decision::TooOld]);
    assert!(late.state.pending_actions.is_empty());
}

#[test]
fn no_value_leads_out_of_its_part_of_the_address() {
    let engine = engine(TRACK);
    for value in ["..", ".", " .. "] {
        let turn = say(&engine, value);
        let leaves = value.trim() == value;
        assert_eq!(turn.actions.is_empty(), leaves, "{value:?}");
        assert_eq!(turn.decision == Decision::Answered, leaves, "{value:?}");
        let reply = format!("I cannot look up {value} now.");
        let expected = if leaves { vec![reply] } else { vec![] };
        assert_eq!(texts(&turn), expected, "{value:?}");
    }
    for (value, written) in [
        ("../..", "..%2F.."),
        ("%2e%2e", "%252e%252e"),
        ("..;", "..%3B"),
    ] {
        let turn = say(&engine, value);
        let Action::Http(call) = &turn.actions[0].action else {
            panic!("it is a call");
        };
        assert_eq!(call.url, format!("https://shop.example/{written}/details"));
    }
}

/// Sends 1,000 messages of one contact, half a second apart; every action ends before the next
/// message. Gives the number of actions and of replies, and the last turn.
fn flood(engine: &Engine, result: &ActionResult) -> (usize, usize, Turn) {
    let mut talk = Talk::new(engine);
    let start = talk.now;
    let (mut actions, mut replies) = (0, 0);
    let mut last = None;
    for index in 0..1_000 {
        talk.now = start + Duration::from_millis(500) * index;
        let mut turn = talk.text(&format!("question {index}"));
        replies += turn.replies.len();
        while !turn.actions.is_empty() {
            actions += turn.actions.len();
            turn = talk.end_action(result);
            replies += turn.replies.len();
        }
        last = Some(turn);
    }
    (actions, replies, last.unwrap())
}

#[test]
fn one_contact_leads_to_no_more_actions_than_can_be_answered() {
    let done = ActionResult::Done(json!({ "text": "Yes." }));

    // 1,000 messages in 500 seconds: 12 in each of the first five minutes, then the hour is full.
    let (actions, replies, last) = flood(&engine(ASK), &done);

    assert_eq!((actions, replies), (60, 60));
    assert_eq!(last.decision, Decision::RateLimited);
    let note = last.explanation.note.unwrap();
    let expected = "replies per hour is used up, so nothing is asked";
    assert!(note.contains(expected), "{note}");
}

#[test]
fn actions_have_a_budget_of_their_own() {
    let silent = "rule = [{ id = \"ask\", call = { post = \"https://shop.example/log\" } }]\n";
    let chosen = r#"
rule = [
    { id = "any", model = { choose = ["log"] } },
    { id = "log", when.text.is = "log", call = { get = "https://shop.example/log" } },
]
"#;
    let budget = "bot.action_budget = { per_minute = 3, per_hour = 7 }\n";
    let done = ActionResult::Done(json!({ "choice": "log" }));

    for (rules, most) in [
        (silent.to_owned(), 100),
        (format!("{budget}{silent}"), 7),
        (format!("{budget}{SPIN}"), 7),
        (format!("{budget}{chosen}"), 7),
    ] {
        let engine = engine(&rules);
        let (actions, _, last) = flood(&engine, &done);
        assert_eq!(actions, most, "{rules}");
        assert_eq!(last.decision, Decision::RateLimited);
        let note = last.explanation.note.unwrap();
        assert!(note.contains("budget of actions per hour"), "{note}");
        assert!(last.state.silenced, "a note was made");
        let another = say(&engine, "hi");
        assert_eq!(another.actions.len(), 1, "another contact is served");
    }
}

#[test]
fn an_action_that_cannot_be_asked_for_has_failed_like_any_other() {
    let note = |call: &str, text: &str| {
        let rest = "reply = \"Good.\", on_error = \"Please call us.\"";
        let engine = engine(&format!(
            "rule = [{{ id = \"ask\", call = {{ {call} }}, {rest} }}]"
        ));
        let turn = say(&engine, text);
        assert!(turn.actions.is_empty(), "{call}");
        assert_eq!(texts(&turn), ["Please call us."], "{call}");
        assert_eq!(turn.decision, Decision::Answered);
        assert_eq!(turn.conversation_events[0].kind.name(), "action_failed");
        turn.explanation.note.unwrap()
    };

    for text in [".", ".."] {
        let note = note("get = \"https://shop.example/{{ message.text }}/x\"", text);
        assert!(note.contains("leaves its place"), "{note}");
    }
    for call in [
        "get = \"https://shop.example/MISSING\"",
        "get = \"https://shop.example\", headers = { x = \"MISSING\" }",
        "post = \"https://shop.example\", json = { x = [\"MISSING\"] }",
    ] {
        let missing = "{{ 1 // (message.text | length - 2) }}";
        note(&call.replace("MISSING", missing), "hi");
    }
}

#[test]
fn what_an_action_brought_and_cannot_be_used_leads_to_on_error() {
    for effect in [
        "reply = \"It is {{ 1 // (order | length) }}.\"",
        "reply = \"Good.\"\nset = { status = \"{{ 1 // (order | length) }}\" }",
        "reply = \"Good.\"\nstart = \"f\"\n[flow.f]\nstep = [{ id = \"a\", ask = \"{{ 1 // (message.text | length - 4) }}\" }]",
    ] {
        let engine = engine(&format!(
            "[[rule]]\nid = \"track\"\ncall = {{ get = \"https://shop.example/\", save = \"order\" }}\n\
             on_error = \"Please call us.\"\n{effect}\n"
        ));
        for value in [json!([]), json!(null), json!({})] {
            let mut talk = Talk::new(&engine);
            talk.text("4711");
            let turn = talk.end_action(&ActionResult::Done(value));
            assert_eq!(texts(&turn), ["Please call us."], "{effect}");
            assert!(turn.state.run.is_none() && turn.state.fields.is_empty());
        }
    }
}

//! Actions that lead to each other, wait through a change of the rules, or end too late.

use std::time::Duration;

use serde_json::json;

use super::engine;
use super::{NOW, ana, say, texts};
use crate::engine::{Decision, Engine, EngineEvent, Turn};
use crate::message::{Action, ActionResult, Conversation};

/// The turn on what came of the action that was asked for last.
fn ended(engine: &Engine, before: &Turn, outcome: &ActionResult, after: Duration) -> Turn {
    let conversation = Conversation {
        state: before.state.clone(),
        ..ana()
    };
    let number = before.state.actions;
    let incoming = EngineEvent::Action { number, outcome };
    super::decide(engine, &conversation, incoming, NOW + after)
}

fn done(engine: &Engine, before: &Turn) -> Turn {
    ended(
        engine,
        before,
        &ActionResult::Done(json!({})),
        Duration::ZERO,
    )
}

#[test]
fn one_message_leads_to_four_actions_at_most() {
    let engine = engine(
        r#"
[[rule]]
id = "spin"
start = "spin"
[flow.spin]
step = [{ id = "pass", if = "false", ask = "?" }]
[flow.spin.end]
call = { get = "https://shop.example/spin" }
start = "spin"
"#,
    );

    let mut turn = say(&engine, "spin");
    let mut asked = 0;
    while !turn.actions.is_empty() {
        asked += turn.actions.len();
        assert!(asked < 10, "it does not end");
        turn = done(&engine, &turn);
    }

    assert_eq!(asked, 4);
    assert_eq!(turn.late_decisions[0].decision, Decision::Failed);
}

#[test]
fn a_rule_that_a_model_chose_obeys_its_once_and_its_chance() {
    let text = r#"
[[rule]]
id = "ask"
when.text.is = "ask"
model = { choose = ["news", "never"] }
reply = "Sorry?"
[[rule]]
id = "news"
when.text.is = "news"
once = "1h"
reply = "News!"
[[rule]]
id = "never"
when.text.is = "never"
chance = 0.000001
reply = "You are the one."
"#;
    let engine = engine(text);
    let choose = |before: &Turn, id: &str| {
        let outcome = ActionResult::Done(json!({ "choice": id }));
        ended(&engine, before, &outcome, Duration::ZERO)
    };

    let first = choose(&say(&engine, "ask"), "news");
    assert_eq!(texts(&first), ["News!"]);
    let conversation = Conversation {
        state: first.state.clone(),
        ..ana()
    };
    let again = super::decide_message(&engine, &conversation, &super::text("ask"), NOW);
    assert_eq!(texts(&choose(&again, "news")), ["Sorry?"]);
    assert_eq!(texts(&choose(&say(&engine, "ask"), "never")), ["Sorry?"]);
}

const TRACK: &str = r#"
[[rule]]
id = "track"
call = { get = "https://shop.example/{{ message.text }}/details", save = "order" }
reply = "It is {{ order.status }}."
on_error = "I cannot look up {{ message.text }} now."
"#;

#[test]
fn who_waits_for_a_rule_that_is_gone_hears_its_on_error() {
    let waits = say(&engine(TRACK), "4711");
    let renamed = engine(&TRACK.replace("\"track\"", "\"orders\""));

    let turn = done(&renamed, &waits);

    assert_eq!(texts(&turn), ["I cannot look up 4711 now."]);
    assert_eq!(turn.late_decisions[0].decision, Decision::Answered);
    assert_eq!(
        turn.conversation_events[0].text,
        "the rules have no `track` any more"
    );
}

#[test]
fn a_failure_is_told_while_the_person_still_waits_for_it() {
    let engine = engine(TRACK);
    let waits = say(&engine, "4711");
    let failed = ActionResult::Failed("it waited too long".to_owned());

    let soon = ended(&engine, &waits, &failed, Duration::from_mins(15));
    let late = ended(&engine, &waits, &failed, Duration::from_mins(16));

    assert_eq!(texts(&soon), ["I cannot look up 4711 now."]);
    assert!(late.replies.is_empty());
    assert_eq!(late.late_decisions[0].decision, Decision::TooOld);
    assert!(late.state.pending_actions.is_empty());
}

#[test]
fn no_value_leads_out_of_its_part_of_the_address() {
    let engine = engine(TRACK);
    for way in ["..", ".", " .. "] {
        let turn = say(&engine, way);
        let leaves = way.trim() == way;
        assert_eq!(turn.actions.is_empty(), leaves, "{way:?}");
        assert_eq!(turn.decision == Decision::Answered, leaves, "{way:?}");
        let told = format!("I cannot look up {way} now.");
        let expected = if leaves { vec![told.as_str()] } else { vec![] };
        assert_eq!(texts(&turn), expected, "{way:?}");
    }
    for (way, written) in [
        ("../..", "..%2F.."),
        ("%2e%2e", "%252e%252e"),
        ("..;", "..%3B"),
    ] {
        let turn = say(&engine, way);
        let Action::Http(call) = &turn.actions[0].action else {
            panic!("it is a call");
        };
        assert_eq!(call.url, format!("https://shop.example/{written}/details"));
    }
}

/// So many messages of one person, half a second apart; every action is done before the next. Gives
/// how many actions and replies came of it, and the last turn.
fn flood(engine: &Engine, messages: u32, outcome: &ActionResult) -> (usize, usize, Turn) {
    let mut conversation = ana();
    let (mut asked, mut said) = (0, 0);
    let mut last = None;
    for index in 0..messages {
        let now = NOW + Duration::from_millis(500) * index;
        let incoming = super::text(&format!("question {index}"));
        let mut turn = super::decide_message(engine, &conversation, &incoming, now);
        loop {
            asked += turn.actions.len();
            said += turn.replies.len();
            conversation.state = turn.state.clone();
            let Some(action) = turn.actions.first() else {
                break;
            };
            let number = action.number;
            let incoming = EngineEvent::Action { number, outcome };
            turn = super::decide(engine, &conversation, incoming, now);
        }
        last = Some(turn);
    }
    (asked, said, last.unwrap())
}

const ASK: &str = r#"
[[rule]]
id = "ask"
model = { prompt = "You are a baker." }
reply = "{{ model.text }}"
"#;

#[test]
fn one_person_leads_to_no_more_actions_than_can_be_answered() {
    let done = ActionResult::Done(json!({ "text": "Yes." }));

    // 1,000 messages in 500 seconds: 12 in each of the first five minutes, then the hour is full.
    let (asked, said, last) = flood(&engine(ASK), 1_000, &done);

    assert_eq!((asked, said), (60, 60));
    assert_eq!(last.decision, Decision::RateLimited);
    let note = last.explanation.note.unwrap();
    assert!(
        note.contains("replies per hour is used up, so nothing is asked"),
        "{note}"
    );
}

#[test]
fn actions_have_a_budget_of_their_own() {
    let silent = "[[rule]]\nid = \"ask\"\ncall = { post = \"https://shop.example/log\" }\n";
    let budget = "[bot]\naction_budget = { per_minute = 3, per_hour = 7 }\n";
    let chain = r#"
[[rule]]
id = "spin"
start = "spin"
[flow.spin]
step = [{ id = "pass", if = "false", ask = "?" }]
[flow.spin.end]
call = { get = "https://shop.example/spin" }
start = "spin"
"#;
    let chosen = "[[rule]]\nid = \"any\"\nmodel = { choose = [\"log\"] }\n[[rule]]\nid = \"log\"\n\
        when.text.is = \"log\"\ncall = { get = \"https://shop.example/log\" }\n";
    let done = ActionResult::Done(json!({ "choice": "log" }));

    for (rules_text, most) in [
        (silent.to_owned(), 100),
        (format!("{budget}{silent}"), 7),
        (format!("{budget}{chain}"), 7),
        (format!("{budget}{chosen}"), 7),
    ] {
        let engine = engine(&rules_text);
        let (asked, _, last) = flood(&engine, 1_000, &done);
        assert_eq!(asked, most, "{rules_text}");
        assert_eq!(last.decision, Decision::RateLimited);
        let note = last.explanation.note.unwrap();
        assert!(note.contains("budget of actions per hour"), "{note}");
        assert!(last.state.silenced, "a note was made");
        let another = say(&engine, "hi");
        assert_eq!(another.actions.len(), 1, "another person is served");
    }
}

#[test]
fn an_action_that_cannot_be_asked_for_has_failed_like_any_other() {
    let told = |call: &str, text: &str| {
        let engine = engine(&format!(
            "[[rule]]\nid = \"ask\"\ncall = {call}\nreply = \"Good.\"\non_error = \"Please call us.\"\n"
        ));
        let turn = say(&engine, text);
        assert!(turn.actions.is_empty(), "{call}");
        assert_eq!(texts(&turn), ["Please call us."], "{call}");
        assert_eq!(turn.decision, Decision::Answered);
        assert_eq!(turn.conversation_events[0].kind.name(), "action_failed");
        turn.explanation.note.unwrap()
    };
    let shop = "https://shop.example";

    for way in [".", ".."] {
        let note = told(
            &format!("{{ get = \"{shop}/{{{{ message.text }}}}/x\" }}"),
            way,
        );
        assert!(note.contains("leaves its place"), "{note}");
    }
    let missing = "{{ 1 // (message.text | length - 2) }}";
    told(&format!("{{ get = \"{shop}/{missing}\" }}"), "hi");
    told(
        &format!("{{ get = \"{shop}\", headers = {{ x = \"{missing}\" }} }}"),
        "hi",
    );
    told(
        &format!("{{ post = \"{shop}\", json = {{ x = [\"{missing}\"] }} }}"),
        "hi",
    );
}

#[test]
fn what_an_action_brought_and_cannot_be_used_leads_to_on_error() {
    let ways = [
        "reply = \"It is {{ 1 // (order | length) }}.\"",
        "reply = \"Good.\"\nset = { status = \"{{ 1 // (order | length) }}\" }",
        "reply = \"Good.\"\nstart = \"f\"\n[flow.f]\nstep = [{ id = \"a\", ask = \"{{ 1 // (message.text | length - 4) }}\" }]",
    ];
    for way in ways {
        let engine = engine(&format!(
            "[[rule]]\nid = \"track\"\ncall = {{ get = \"https://shop.example/\", save = \"order\" }}\n\
             on_error = \"Please call us.\"\n{way}\n"
        ));
        for value in [json!([]), json!(null), json!({})] {
            let outcome = ActionResult::Done(value);
            let turn = ended(&engine, &say(&engine, "4711"), &outcome, Duration::ZERO);
            assert_eq!(texts(&turn), ["Please call us."], "{way}");
            assert!(turn.state.run.is_none() && turn.state.fields.is_empty());
        }
    }
}

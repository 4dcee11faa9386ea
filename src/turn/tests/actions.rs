//! Actions that lead to each other, wait through a change of the rules, or end too late.

use std::time::Duration;

use serde_json::json;

use super::{NOW, ana, rules, say, texts};
use crate::message::{Action, Conversation, Outcome};
use crate::rules::RuleSet;
use crate::turn::{Decision, Incoming, Turn};

/// The turn on what came of the action that was asked for last.
fn ended(rules: &RuleSet, before: &Turn, outcome: &Outcome, after: Duration) -> Turn {
    let conversation = Conversation {
        state: before.state.clone(),
        ..ana()
    };
    let number = before.state.actions;
    let incoming = Incoming::Action { number, outcome };
    super::super::take(rules, &conversation, incoming, NOW + after)
}

fn done(rules: &RuleSet, before: &Turn) -> Turn {
    ended(rules, before, &Outcome::Done(json!({})), Duration::ZERO)
}

#[test]
fn one_message_leads_to_four_actions_at_most() {
    let rules = rules(
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

    let mut turn = say(&rules, "spin");
    let mut asked = 0;
    while !turn.actions.is_empty() {
        asked += turn.actions.len();
        assert!(asked < 10, "it does not end");
        turn = done(&rules, &turn);
    }

    assert_eq!(asked, 4);
    assert_eq!(turn.concluded[0].decision, Decision::Failed);
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
    let rules = rules(text);
    let choose = |before: &Turn, id: &str| {
        let outcome = Outcome::Done(json!({ "choice": id }));
        ended(&rules, before, &outcome, Duration::ZERO)
    };

    let first = choose(&say(&rules, "ask"), "news");
    assert_eq!(texts(&first), ["News!"]);
    let conversation = Conversation {
        state: first.state.clone(),
        ..ana()
    };
    let again = super::take(&rules, &conversation, &super::text("ask"), NOW);
    assert_eq!(texts(&choose(&again, "news")), ["Sorry?"]);
    assert_eq!(texts(&choose(&say(&rules, "ask"), "never")), ["Sorry?"]);
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
    let waits = say(&rules(TRACK), "4711");
    let renamed = rules(&TRACK.replace("\"track\"", "\"orders\""));

    let turn = done(&renamed, &waits);

    assert_eq!(texts(&turn), ["I cannot look up 4711 now."]);
    assert_eq!(turn.concluded[0].decision, Decision::Answered);
    assert_eq!(turn.notes[0].text, "the rules have no `track` any more");
}

#[test]
fn a_failure_is_told_while_the_person_still_waits_for_it() {
    let rules = rules(TRACK);
    let waits = say(&rules, "4711");
    let failed = Outcome::Failed("it waited too long".to_owned());

    let soon = ended(&rules, &waits, &failed, Duration::from_mins(15));
    let late = ended(&rules, &waits, &failed, Duration::from_mins(16));

    assert_eq!(texts(&soon), ["I cannot look up 4711 now."]);
    assert!(late.replies.is_empty());
    assert_eq!(late.concluded[0].decision, Decision::TooOld);
    assert!(late.state.waiting.is_empty());
}

#[test]
fn no_value_leads_out_of_its_part_of_the_address() {
    let rules = rules(TRACK);
    for way in ["..", ".", " .. "] {
        let turn = say(&rules, way);
        let leaves = way.trim() == way;
        assert_eq!(turn.actions.is_empty(), leaves, "{way:?}");
        assert_eq!(turn.decision == Decision::Failed, leaves, "{way:?}");
    }
    for (way, written) in [
        ("../..", "..%2F.."),
        ("%2e%2e", "%252e%252e"),
        ("..;", "..%3B"),
    ] {
        let turn = say(&rules, way);
        let Action::Http(call) = &turn.actions[0].action else {
            panic!("it is a call");
        };
        assert_eq!(call.url, format!("https://shop.example/{written}/details"));
    }
}

//! Conversations in flows, with everything that may interrupt them.

use super::{Talk, engine, texts};
use crate::engine::ConversationEventKind;

const CAKES: &str = r#"
bot.timezone = "America/New_York"
rule = [
    { id = "hours", anywhere = true, when.text.has = "hours", reply = "From 8 to 18." },
    { id = "order", when.text.has = "order", start = "cake" },
    { id = "fallback", reply = "Sorry?" },
]
[flow.cake]
timeout = "30m"
on_timeout = "Still there, {{ size.title | default('friend') }}?"
back = "back"
cancel = ["cancel", "stop"]
on_cancel = "Never mind."
step = [
    { id = "size", ask = { text = "Which size?", buttons = [{ id = "s", title = "Small" }, { id = "l", title = "Large" }] } },
    { id = "day", ask = "For which day?", accept = "date", valid = "answer > today", retry = "A date after today, please.", retries = 2 },
    { id = "gift", if = "size.id == 'l'", ask = { text = "A gift?", buttons = [{ id = "y", title = "Yes" }, { id = "n", title = "No", go = "end" }] } },
    { id = "note", if = "gift.id == 'y'", ask = "What shall stand on it?" },
]
[flow.cake.end]
set.last_cake = "{{ size.id }}"
tag = "customer"
reply = "{{ size.title }} for {{ day }}{% if note %}: {{ note }}{% endif %}."
"#;

/// Sends texts whose replies do not matter.
fn after<'r>(engine: &'r crate::engine::Engine, sent: &[&str]) -> Talk<'r> {
    let mut talk = Talk::new(engine);
    for text in sent {
        talk.say(text);
    }
    talk
}

#[test]
fn a_flow_asks_checks_branches_and_ends() {
    let engine = engine(CAKES);
    let mut talk = Talk::new(&engine);

    assert!(talk.say("I want to order")[0].starts_with("Which size?"));
    assert_eq!(talk.tap("l"), ["For which day?"]);
    assert_eq!(talk.say("yesterday"), ["A date after today, please."]);
    // The clock stands at the 21st of September 2026.
    assert!(talk.say("tomorrow")[0].starts_with("A gift?"));
    assert_eq!(talk.tap("y"), ["What shall stand on it?"]);
    assert_eq!(talk.say("For Bo"), ["Large for 2026-09-22: For Bo."]);
    let state = &talk.conversation.state;
    assert_eq!(state.fields["last_cake"], "l");
    assert!(state.tags.contains("customer"));
    assert!(state.run.is_none());
    assert_eq!(talk.say("and now?"), ["Sorry?"]);
}

#[test]
fn a_choice_may_be_written_numbered_or_lead_elsewhere() {
    let engine = engine(CAKES);
    for answer in ["Large", "2", "the large one, please", "l"] {
        let mut talk = after(&engine, &["order"]);
        assert_eq!(talk.say(answer), ["For which day?"], "{answer}");
    }
    let mut talk = after(&engine, &["order", "small"]);
    let end = talk.say("12/24");
    assert_eq!(
        end,
        ["Small for 2026-12-24."],
        "the steps with `if` are passed"
    );
    let mut talk = after(&engine, &["order", "large", "12/24"]);
    assert_eq!(talk.say("no"), ["Large for 2026-12-24."]);
}

#[test]
fn what_comes_between_leads_back_to_the_question() {
    let engine = engine(CAKES);
    let mut talk = after(&engine, &["order", "small"]);

    let interruption = talk.say("what are your hours?");
    assert_eq!(interruption, ["From 8 to 18.", "For which day?"]);
    assert!(talk.say("back")[0].starts_with("Which size?"));
    talk.say("large");
    assert_eq!(talk.say("Cancel"), ["Never mind."]);
    assert_eq!(talk.say("tomorrow"), ["Sorry?"]);
}

#[test]
fn an_old_button_still_does_what_it_said() {
    let engine = engine(CAKES);
    let mut talk = after(&engine, &["order"]);
    let sizes = talk.offered.clone();
    talk.tap("l");
    talk.say("12/24");

    // Back to the first question, with another answer: the later questions are asked again.
    assert_eq!(talk.tap_on(&sizes, "s"), ["For which day?"]);
    assert_eq!(talk.say("12/25"), ["Small for 2026-12-25."]);
    // The run is over: the first question begins anew with this answer.
    assert_eq!(talk.tap_on(&sizes, "l"), ["For which day?"]);
}

#[test]
fn too_many_wrong_answers_leave_the_message_to_the_rules() {
    let engine = engine(CAKES);
    let mut talk = after(&engine, &["order", "small"]);

    assert_eq!(talk.say("hm"), ["A date after today, please."]);
    assert_eq!(talk.say("what"), ["A date after today, please."]);
    assert_eq!(talk.say("no idea"), ["Sorry?"]);
    assert!(talk.conversation.state.run.is_none());
}

#[test]
fn a_flow_without_an_answer_ends_by_its_time() {
    let engine = engine(CAKES);
    let mut talk = after(&engine, &["order"]);
    talk.tap("l");

    assert!(talk.wait(29 * 60).is_empty());
    let turns = talk.wait(60);

    assert_eq!(texts(&turns[0]), ["Still there, Large?"]);
    let event = turns[0].conversation_events[0].kind;
    assert_eq!(event, ConversationEventKind::FlowTimeout);
    assert_eq!(turns[0].replies[0].answers, None);
    assert_eq!(talk.say("tomorrow"), ["Sorry?"]);
}

#[test]
fn a_flow_goes_on_with_new_rules_by_the_id_of_its_step_or_ends_politely() {
    let old = engine(CAKES);
    let mut talk = after(&old, &["order", "small"]);
    let changed = CAKES.replace("For which day?", "Which day?");
    let changed = engine(&changed.replace("A date after today", "A later date"));
    talk.engine = &changed;
    assert_eq!(talk.say("hm"), ["A later date, please."]);

    let gone = CAKES.replace("id = \"day\"", "id = \"date\"");
    let gone = gone.replace("{{ day }}", "{{ date }}");
    let on_gone = "back = \"back\"\non_gone = \"We changed our questions.\"";
    let gone = engine(&gone.replace("back = \"back\"", on_gone));
    talk.engine = &gone;
    assert_eq!(talk.say("tomorrow"), ["We changed our questions."]);
    assert!(talk.conversation.state.run.is_none());
}

#[test]
fn answers_of_a_sub_flow_become_one_answer() {
    let engine = engine(
        r#"
rule = [{ id = "visit", when.text.has = "visit", start = "visit" }]
[flow.visit]
step = [{ id = "address", flow = "address" }, { id = "mail", ask = "Your e-mail?", accept = "email" }]
end = { reply = "{{ address.street }}, {{ address.town }}; {{ mail }}" }
[flow.address]
step = [{ id = "street", ask = "Street?" }, { id = "town", ask = "Town?" }]
"#,
    );
    let mut talk = Talk::new(&engine);

    assert_eq!(talk.say("a visit"), ["Street?"]);
    assert_eq!(talk.say("Main St 1"), ["Town?"]);
    assert_eq!(talk.say("Springfield"), ["Your e-mail?"]);
    let end = talk.say("ana@example.com");
    assert_eq!(end, ["Main St 1, Springfield; ana@example.com"]);
}

#[test]
fn flows_that_start_each_other_without_a_question_fail_and_end() {
    // The check cannot see it: the only question is never asked.
    let once = "step = [{ id = \"one\", if = \"false\", ask = \"?\" }]\nend = { start = \"a\" }";
    let jump =
        "step = [{ id = \"one\", if = \"false\", ask = \"?\" }, { id = \"two\", go = \"flow:a\" }]";
    for flow in [once, jump] {
        let rule = "rule = [{ id = \"x\", when.text.has = \"x\", start = \"a\" }]";
        let engine = engine(&format!("{rule}\n[flow.a]\n{flow}\n"));
        let mut talk = Talk::new(&engine);

        assert!(talk.say("x").is_empty());
        assert!(talk.conversation.state.run.is_none());
    }
}

#[test]
fn a_flow_whose_time_was_over_ends_before_the_message_that_comes_late() {
    let engine = engine(CAKES);
    let mut talk = after(&engine, &["I want to order"]);
    // The timer did not run in time: the program was stopped.
    let run = talk.conversation.state.run.as_mut().unwrap();
    run.due = run.due.map(|due| due - jiff::SignedDuration::from_hours(2));

    let replies = talk.say("tomorrow");

    assert_eq!(replies, ["Still there, friend?", "Sorry?"]);
    assert!(talk.conversation.state.run.is_none());
}

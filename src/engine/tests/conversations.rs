//! Several turns of one conversation: debounce, late replies, opt-out, handoff, actions.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::{Talk, engine, texts};
use crate::engine::{ConversationEventKind, Decision};
use crate::message::{Action, ActionResult, ConversationState, Identity, WaId};

#[test]
fn three_short_messages_get_one_answer() {
    let rules = "bot.debounce = \"4s\"\n\
        rule = [{ id = \"all\", reply = \"You said: {{ message.text }}\" }]";
    let engine = engine(rules);
    let mut talk = Talk::new(&engine);
    for words in ["Hi", "do you have", "lemon cake?"] {
        let turn = talk.text(words);
        assert_eq!((turn.decision, turn.mark_read), (Decision::Pending, true));
        assert!(talk.wait(3).is_empty());
    }

    let turns = talk.wait(1);

    assert_eq!(texts(&turns[0]), ["You said: Hi\ndo you have\nlemon cake?"]);
    let last = turns[0].late_decisions.last().unwrap();
    assert_eq!(last.message.as_str(), "wamid.3");
    assert_eq!(last.decision, Decision::Answered);
    assert!(talk.wait(60).is_empty());
}

#[test]
fn a_late_reply_comes_unless_the_contact_writes() {
    let engine = engine(
        r#"
rule = [
    { id = "ask", when.text.has = "price", continue = true, reply = "28" },
    { id = "later", when.text.has = "price", after = "2h", reply = "Still interested?" },
]
"#,
    );
    let mut talk = Talk::new(&engine);
    assert_eq!(talk.say("price?"), ["28"]);
    let turns = talk.wait(7_200);
    assert_eq!(texts(&turns[0]), ["Still interested?"]);

    talk.say("price?");
    talk.say("thanks");
    assert!(talk.wait(7_200).is_empty());
}

#[test]
fn who_opts_out_hears_nothing_until_opting_in() {
    let engine = engine(
        r#"
opt_out = { words = ["stop", "baja"], reply = "You get no more messages. Write START to come back." }
opt_in = { words = ["start"], reply = "Welcome back!" }
rule = [{ id = "all", reply = "Hello" }]
"#,
    );
    let mut talk = Talk::new(&engine);

    let reply = talk.say("please stop the music");
    assert_eq!(reply, ["Hello"], "it says something else");
    let turn = talk.text("BAJA!");
    let bye = "You get no more messages. Write START to come back.";
    assert_eq!(texts(&turn), [bye]);
    let event = turn.conversation_events[0].kind;
    assert_eq!(event, ConversationEventKind::OptedOut);
    let turn = talk.text("hello?");
    assert_eq!((turn.decision, turn.replies.len()), (Decision::OptedOut, 0));
    assert_eq!(talk.say("Start"), ["Welcome back!"]);
    assert_eq!(talk.say("hello?"), ["Hello"]);
}

#[test]
fn a_handoff_ends_by_itself() {
    let engine = engine(
        r#"
rule = [
    { id = "human", when.text.has = "human", handoff = "8h", reply = "One of us will write." },
    { id = "all", reply = "Hello" },
]
"#,
    );
    let mut talk = Talk::new(&engine);
    assert_eq!(talk.say("a human please"), ["One of us will write."]);
    talk.now += Duration::from_hours(7);
    assert!(talk.say("hello?").is_empty());

    let turns = talk.wait(3_600);

    let event = turns[0].conversation_events[0].kind;
    assert_eq!(event, ConversationEventKind::HandoffOver);
    assert_eq!(talk.say("hello?"), ["Hello"]);
}

#[test]
fn another_bot_is_not_answered_for_ever() {
    let engine = engine("bot.loop_guard = 3\nrule = [{ id = \"all\", reply = \"Hello\" }]");
    let mut talk = Talk::new(&engine);
    talk.say("I am a bot");
    talk.say("I am a bot");

    for (text, events) in [("i am a BOT", 1), ("I am a bot", 0)] {
        let turn = talk.text(text);
        assert_eq!(turn.decision, Decision::LoopDetected);
        assert_eq!(turn.conversation_events.len(), events, "recorded once");
    }
    assert_eq!(talk.say("Something else"), ["Hello"]);
}

#[test]
fn the_result_of_a_call_fills_the_reply_and_its_failure_has_words_of_its_own() {
    let engine = engine(
        r#"
[[rule]]
id = "track"
when.text.matches = '#(?<number>\S+)'
call = { get = "https://shop.example/orders/{{ match.number }}", save = "order", timeout = "3s" }
reply = "Order {{ match.number }}: {{ order.status }}"
on_error = "I cannot look that up now."
"#,
    );
    let mut talk = Talk::new(&engine);
    let turn = talk.text("where is #47/11?");
    assert_eq!(turn.decision, Decision::Pending);
    let Action::Http(call) = &turn.actions[0].action else {
        panic!("no call");
    };
    assert_eq!(call.url, "https://shop.example/orders/47%2F11%3F");

    let pending = talk.conversation.state.clone();
    let turn = talk.end_action(&ActionResult::Done(json!({ "status": "baked" })));
    assert_eq!(texts(&turn), ["Order 47/11?: baked"]);
    assert_eq!(turn.late_decisions[0].decision, Decision::Answered);

    talk.conversation.state = pending;
    let turn = talk.end_action(&ActionResult::Failed("HTTP 500".to_owned()));
    assert_eq!(texts(&turn), ["I cannot look that up now."]);
    let event = turn.conversation_events[0].kind;
    assert_eq!(event, ConversationEventKind::ActionFailed);
}

#[test]
fn texts_come_in_the_language_of_the_contact() {
    let engine = engine(
        r#"
bot.language = "en"
rule = [
    { id = "spanish", when.text.has = ["hola", "español"], language = "es-MX", reply = { en = "Hi", es = "Hola", de = "Hallo" } },
    { id = "german", when.all = [{ country = "US" }, { text.has = "deutsch" }], language = "de", continue = true },
    { id = "all", reply = { text = { en = "Yes?", es = "¿Sí?" }, link = { title = { en = "Shop", de = "Laden" }, url = "https://shop.example" } } },
]
"#,
    );
    let mut talk = Talk::new(&engine);

    assert!(talk.say("hello")[0].starts_with("Yes?"));
    assert_eq!(talk.say("hola"), ["Hola"]);
    assert!(talk.say("hello")[0].starts_with("¿Sí?"));
    // There is no German text for this one: the bot's language comes next.
    assert!(talk.say("deutsch")[0].starts_with("Yes?"));
}

#[test]
fn variants_and_chance_are_the_same_each_time_and_differ_between_contacts() {
    let engine = engine(
        r#"
rule = [
    { id = "half", when.text.has = "a", chance = 0.5, reply = "A" },
    { id = "one", variants = ["x", "y", "z"] },
]
"#,
    );
    let mut variants = BTreeSet::new();
    let mut arms = 0;
    for contact in 0..200 {
        let mut talk = Talk::new(&engine);
        let phone = WaId::parse(format!("1555{contact:07}")).unwrap();
        talk.conversation.contact.identity = Identity::Phone(phone);
        let first = talk.say("a");
        talk.conversation.state = ConversationState::default();
        talk.sent = 0;
        assert_eq!(first, talk.say("a"));
        arms += usize::from(first == ["A"]);
        talk.sent = contact;
        variants.extend(talk.say("b"));
    }
    assert!((70..130).contains(&arms), "{arms} of 200");
    assert_eq!(variants.len(), 3);
}

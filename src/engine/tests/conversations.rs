//! Several turns of one conversation: bursts, late replies, opt-out, handoff, actions.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::engine;
use super::{NOW, ana, message};
use crate::engine::{ConversationEventKind, Decision, Engine, EngineEvent, Turn};
use crate::message::{Action, ActionResult, Content, Conversation, Outbound, Wamid};
use crate::rules::button_id;

/// A person, the rules, and the time.
pub(crate) struct Talk<'r> {
    pub(crate) engine: &'r Engine,
    pub(crate) conversation: Conversation,
    pub(crate) now: Timestamp,
    sent: u32,
    /// The last message with something to tap.
    pub(crate) offered: Option<Outbound>,
}

impl<'r> Talk<'r> {
    pub(crate) fn with(engine: &'r Engine) -> Self {
        Self {
            engine,
            conversation: ana(),
            now: NOW,
            sent: 0,
            offered: None,
        }
    }

    pub(crate) fn give(&mut self, content: Content) -> Turn {
        self.sent += 1;
        let mut inbound = message(content);
        inbound.sent_at = self.now;
        inbound.wamid = Wamid::parse(format!("wamid.{}", self.sent)).unwrap();
        let turn = super::decide(
            self.engine,
            &self.conversation,
            EngineEvent::Message(&inbound),
            self.now,
        );
        self.conversation.inbound_count += 1;
        self.keep(turn)
    }

    fn keep(&mut self, turn: Turn) -> Turn {
        self.conversation.state = turn.state.clone();
        for reply in &turn.replies {
            if matches!(
                reply.content,
                Outbound::Buttons { .. } | Outbound::List { .. }
            ) {
                self.offered = Some(reply.content.clone());
            }
        }
        turn
    }

    pub(crate) fn say(&mut self, body: &str) -> Vec<String> {
        let body = body.to_owned();
        said(&self.give(Content::Text { body }))
    }

    /// Taps a button of a message by the id that its owner gave it.
    pub(crate) fn tap_on(&mut self, offered: &Outbound, id: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let mut copy = offered.clone();
        let seen = std::cell::RefCell::new(&mut ids);
        copy.rename_choices(|wire| {
            seen.borrow_mut().push(wire.to_owned());
            wire.to_owned()
        });
        let wire = ids
            .into_iter()
            .find(|wire| button_id::owner_id(wire) == id)
            .unwrap();
        let title = id.to_owned();
        said(&self.give(Content::ButtonReply { id: wire, title }))
    }

    pub(crate) fn tap(&mut self, id: &str) -> Vec<String> {
        let offered = self.offered.clone().unwrap();
        self.tap_on(&offered, id)
    }

    /// Lets time pass; what becomes due is done.
    pub(crate) fn wait(&mut self, seconds: i64) -> Vec<Turn> {
        self.now += SignedDuration::from_secs(seconds);
        let mut turns = Vec::new();
        while self
            .conversation
            .state
            .next_timer()
            .is_some_and(|due| due <= self.now)
        {
            let turn = super::decide(
                self.engine,
                &self.conversation,
                EngineEvent::Timer,
                self.now,
            );
            turns.push(self.keep(turn));
        }
        turns
    }
}

pub(crate) fn said(turn: &Turn) -> Vec<String> {
    let texts = turn.replies.iter();
    texts.map(|reply| reply.content.transcript_text()).collect()
}

#[test]
fn three_short_messages_get_one_answer() {
    let engine = engine(
        "[bot]\ndebounce = \"4s\"\n[[rule]]\nid = \"all\"\nreply = \"You said: {{ message.text }}\"",
    );
    let mut talk = Talk::with(&engine);
    for words in ["Hi", "do you have", "lemon cake?"] {
        let turn = talk.give(Content::Text {
            body: words.to_owned(),
        });
        assert_eq!((turn.decision, turn.mark_read), (Decision::Pending, true));
        assert!(talk.wait(3).is_empty());
    }

    let turns = talk.wait(1);

    assert_eq!(said(&turns[0]), ["You said: Hi\ndo you have\nlemon cake?"]);
    let late_decisions = turns[0].late_decisions.last().unwrap();
    assert_eq!(
        (late_decisions.message.as_str(), late_decisions.decision),
        ("wamid.3", Decision::Answered)
    );
    assert!(talk.wait(60).is_empty());
}

#[test]
fn a_late_reply_comes_unless_the_person_writes() {
    let engine = engine(
        "[[rule]]\nid = \"ask\"\nwhen.text.has = \"price\"\ncontinue = true\nreply = \"28\"\n[[rule]]\nid = \"later\"\nwhen.text.has = \"price\"\nafter = \"2h\"\nreply = \"Still interested?\"",
    );
    let mut talk = Talk::with(&engine);
    assert_eq!(talk.say("price?"), ["28"]);
    let turns = talk.wait(7_200);
    assert_eq!(said(&turns[0]), ["Still interested?"]);

    talk.say("price?");
    talk.say("thanks");
    assert!(talk.wait(7_200).is_empty());
}

#[test]
fn who_opts_out_hears_nothing_until_opting_in() {
    let engine = engine(
        r#"
[opt_out]
words = ["stop", "baja"]
reply = "You get no more messages. Write START to come back."
[opt_in]
words = ["start"]
reply = "Welcome back!"
[[rule]]
id = "all"
reply = "Hello"
"#,
    );
    let mut talk = Talk::with(&engine);

    assert_eq!(
        talk.say("please stop it"),
        ["Hello"],
        "only as a whole message"
    );
    let turn = talk.give(Content::Text {
        body: "BAJA!".to_owned(),
    });
    assert_eq!(
        said(&turn),
        ["You get no more messages. Write START to come back."]
    );
    assert_eq!(
        turn.conversation_events[0].kind,
        ConversationEventKind::OptedOut
    );
    let turn = talk.give(Content::Text {
        body: "hello?".to_owned(),
    });
    assert_eq!((turn.decision, turn.replies.len()), (Decision::OptedOut, 0));
    assert_eq!(talk.say("Start"), ["Welcome back!"]);
    assert_eq!(talk.say("hello?"), ["Hello"]);
}

#[test]
fn a_handoff_ends_by_itself() {
    let engine = engine(
        "[[rule]]\nid = \"human\"\nwhen.text.has = \"human\"\nhandoff = \"8h\"\nreply = \"One of us will write.\"\n[[rule]]\nid = \"all\"\nreply = \"Hello\"",
    );
    let mut talk = Talk::with(&engine);
    assert_eq!(talk.say("a human please"), ["One of us will write."]);
    talk.now += Duration::from_hours(7);
    assert!(talk.say("hello?").is_empty());

    let turns = talk.wait(3_600);

    assert_eq!(
        turns[0].conversation_events[0].kind,
        ConversationEventKind::HandoffOver
    );
    assert_eq!(talk.say("hello?"), ["Hello"]);
}

#[test]
fn another_bot_is_not_answered_for_ever() {
    let engine = engine("[bot]\nloop_guard = 3\n[[rule]]\nid = \"all\"\nreply = \"Hello\"");
    let mut talk = Talk::with(&engine);
    talk.say("I am a bot");
    talk.say("I am a bot");

    let turn = talk.give(Content::Text {
        body: "i am a BOT".to_owned(),
    });
    let again = talk.give(Content::Text {
        body: "I am a bot".to_owned(),
    });

    assert_eq!(
        (turn.decision, turn.conversation_events.len()),
        (Decision::LoopDetected, 1)
    );
    assert_eq!(
        (again.decision, again.conversation_events.len()),
        (Decision::LoopDetected, 0),
        "told once"
    );
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
    let mut talk = Talk::with(&engine);
    let turn = talk.give(Content::Text {
        body: "where is #47/11?".to_owned(),
    });
    assert_eq!(turn.decision, Decision::Pending);
    let Action::Http(call) = &turn.actions[0].action else {
        panic!("no call");
    };
    assert_eq!(call.url, "https://shop.example/orders/47%2F11%3F");

    let number = turn.actions[0].number;
    let done = ActionResult::Done(json!({ "status": "baked" }));
    let incoming = EngineEvent::Action {
        number,
        outcome: &done,
    };
    let turn = super::decide(&engine, &talk.conversation, incoming, talk.now);
    assert_eq!(said(&turn), ["Order 47/11?: baked"]);
    assert_eq!(turn.late_decisions[0].decision, Decision::Answered);

    let failed = ActionResult::Failed("HTTP 500".to_owned());
    let incoming = EngineEvent::Action {
        number,
        outcome: &failed,
    };
    let turn = super::decide(&engine, &talk.conversation, incoming, talk.now);
    assert_eq!(said(&turn), ["I cannot look that up now."]);
    assert_eq!(
        turn.conversation_events[0].kind,
        ConversationEventKind::ActionFailed
    );
}

#[test]
fn texts_come_in_the_language_of_the_person() {
    let engine = engine(
        r#"
[bot]
language = "en"
[[rule]]
id = "spanish"
when.text.has = ["hola", "español"]
language = "es-MX"
reply = { en = "Hi", es = "Hola", de = "Hallo" }
[[rule]]
id = "german"
when.all = [{ country = "US" }, { text.has = "deutsch" }]
language = "de"
continue = true
[[rule]]
id = "all"
reply = { text = { en = "Yes?", es = "¿Sí?" }, link = { title = { en = "Shop", de = "Laden" }, url = "https://shop.example" } }
"#,
    );
    let mut talk = Talk::with(&engine);

    assert!(talk.say("hello")[0].starts_with("Yes?"));
    assert_eq!(talk.say("hola"), ["Hola"]);
    assert!(talk.say("hello")[0].starts_with("¿Sí?"));
    // There is no German text for this one: the bot's language comes next.
    assert!(talk.say("deutsch")[0].starts_with("Yes?"));
}

#[test]
fn variants_and_chance_are_the_same_each_time_and_differ_between_people() {
    let engine = engine(
        "[[rule]]\nid = \"half\"\nwhen.text.has = \"a\"\nchance = 0.5\nreply = \"A\"\n[[rule]]\nid = \"one\"\nvariants = [\"x\", \"y\", \"z\"]",
    );
    let mut seen = std::collections::BTreeSet::new();
    let mut arms = 0;
    for person in 0..200 {
        let mut talk = Talk::with(&engine);
        let phone = crate::message::WaId::parse(format!("1555{person:07}")).unwrap();
        talk.conversation.contact.identity = crate::message::Identity::Phone(phone);
        let first = talk.say("a");
        talk.conversation.state = crate::message::ConversationState::default();
        talk.sent = 0;
        assert_eq!(first, talk.say("a"));
        arms += usize::from(first == ["A"]);
        talk.sent = person;
        seen.extend(talk.say("b"));
    }
    assert!((70..130).contains(&arms), "{arms} of 200");
    assert_eq!(seen.len(), 3);
}

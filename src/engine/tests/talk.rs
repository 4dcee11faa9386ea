//! Builders of the engine's tests: rules, a contact, and a conversation with a clock.

use jiff::{SignedDuration, Timestamp};

use crate::diagnostics;
use crate::diagnostics::sources::SourceMap;
use crate::engine::{Engine, EngineEvent, Trace, Turn};
use crate::message::{
    ActionResult, Contact, Content, Conversation, ConversationState, Identity, Inbound,
    PhoneNumberId, WaId, Wamid,
};
use crate::rules::{self, CompileInput, button_id};

/// A Monday morning in UTC: the 21st of September 2026.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// Compiles rules; they need no `version`.
pub(crate) fn engine(text: &str) -> Engine {
    let text = format!("version = 1\n{text}");
    let sources = SourceMap::new("rules.toml", &text);
    match rules::compile(&sources, CompileInput::default()) {
        Ok(compiled) => Engine::new(compiled.rules),
        Err(problems) => {
            let plain = diagnostics::Colour::Plain;
            panic!("{}", diagnostics::render(&problems, &sources, plain))
        }
    }
}

/// Makes `count` rules, each for a word of its own: `word0` and so on.
pub(crate) fn numbered_rules(count: usize) -> Engine {
    let rule = |number| {
        format!(
            "[[rule]]\nid = \"r{number}\"\nwhen.text.has = \"word{number}\"\nreply = \"{number}\"\n"
        )
    };
    engine(&(0..count).map(rule).collect::<String>())
}

/// Makes the conversation of a contact that has written three messages.
pub(crate) fn ana() -> Conversation {
    Conversation {
        phone_number_id: PhoneNumberId::parse("1065").unwrap(),
        contact: Contact {
            identity: Identity::Phone(WaId::parse("15550000001").unwrap()),
            name: Some("Ana Lima".to_owned()),
            username: None,
            refuses_marketing: false,
        },
        inbound_count: 3,
        state: ConversationState::default(),
    }
}

pub(crate) fn message(content: Content) -> Inbound {
    let number = PhoneNumberId::parse("1065").unwrap();
    let wamid = Wamid::parse("wamid.A").unwrap();
    Inbound::new(number, wamid, ana().contact.identity, NOW, content)
}

pub(crate) fn text(body: &str) -> Inbound {
    message(Content::Text {
        body: body.to_owned(),
    })
}

/// Decides on a single text.
pub(crate) fn say(engine: &Engine, body: &str) -> Turn {
    Talk::new(engine).text(body)
}

/// Lists the replies of a turn as the transcript shows them.
pub(crate) fn texts(turn: &Turn) -> Vec<String> {
    let replies = turn.replies.iter();
    let texts = replies.map(|reply| reply.content.transcript_text());
    texts.collect()
}

/// A conversation, its rules, and the time.
pub(crate) struct Talk<'r> {
    pub(crate) engine: &'r Engine,
    pub(crate) conversation: Conversation,
    pub(crate) now: Timestamp,
    pub(crate) trace: Trace,
    /// Number of messages sent; the message ids are numbered by it.
    pub(crate) sent: u32,
    /// Messages that taps send, of the last reply with something to tap.
    pub(crate) offered: Vec<Content>,
}

impl<'r> Talk<'r> {
    pub(crate) fn new(engine: &'r Engine) -> Self {
        Self {
            engine,
            conversation: ana(),
            now: NOW,
            trace: Trace::Matched,
            sent: 0,
            offered: Vec::new(),
        }
    }

    /// Decides on an event, and keeps the new state.
    pub(crate) fn decide(&mut self, event: EngineEvent<'_>) -> Turn {
        let engine = self.engine;
        let turn = engine.decide(&self.conversation, event, self.now, self.trace);
        self.conversation.state = turn.state.clone();
        for reply in &turn.replies {
            let taps = reply.content.taps();
            if !taps.is_empty() {
                self.offered = taps;
            }
        }
        turn
    }

    /// Sends a message as it is.
    pub(crate) fn send(&mut self, message: &Inbound) -> Turn {
        let turn = self.decide(EngineEvent::Message(message));
        self.conversation.inbound_count += 1;
        turn
    }

    /// Sends a new message now.
    pub(crate) fn content(&mut self, content: Content) -> Turn {
        self.sent += 1;
        self.send(&Inbound {
            sent_at: self.now,
            wamid: Wamid::parse(format!("wamid.{}", self.sent)).unwrap(),
            ..message(content)
        })
    }

    pub(crate) fn text(&mut self, body: &str) -> Turn {
        let body = body.to_owned();
        self.content(Content::Text { body })
    }

    /// Sends a text and gives the texts of the replies.
    pub(crate) fn say(&mut self, body: &str) -> Vec<String> {
        texts(&self.text(body))
    }

    /// Taps a button by the id that the rules give it.
    pub(crate) fn tap_on(&mut self, offered: &[Content], id: &str) -> Vec<String> {
        let is = |tap: &&Content| tap.button().map(button_id::owner_id) == Some(id);
        let tap = offered.iter().find(is).unwrap().clone();
        texts(&self.content(tap))
    }

    pub(crate) fn tap(&mut self, id: &str) -> Vec<String> {
        self.tap_on(&self.offered.clone(), id)
    }

    /// Ends the action that was requested last.
    pub(crate) fn end_action(&mut self, outcome: &ActionResult) -> Turn {
        let number = self.conversation.state.actions;
        self.decide(EngineEvent::Action { number, outcome })
    }

    /// Lets time pass, and runs the due timers.
    pub(crate) fn wait(&mut self, seconds: i64) -> Vec<Turn> {
        self.now += SignedDuration::from_secs(seconds);
        let mut turns = Vec::new();
        while let Some(due) = self.conversation.state.next_timer()
            && due <= self.now
        {
            turns.push(self.decide(EngineEvent::Timer));
        }
        turns
    }
}

//! What a decision costs, by the number of rules: `cargo bench --bench rules`.
//!
//! Of ten rules six look for words, one for a whole text, one for words with typos, one for a
//! button and one for a pattern (every hundredth only, as in real files); the last takes
//! everything. The messages have the length of real ones; most match no rule but the last.

#![expect(clippy::print_stdout, reason = "a benchmark shows its numbers")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use replyd::diagnostics::sources::SourceMap;
use replyd::engine::{Engine, EngineEvent, Trace};
use replyd::message::{
    Contact, Content, Conversation, ConversationState, Identity, Inbound, PhoneNumberId, WaId,
    Wamid,
};
use replyd::rules;
use replyd::rules::{CompileInput, RuleSet};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const MESSAGES: [&str; 8] = [
    "Hi there!",
    "Do you have lemon cake for Saturday, about twelve people?",
    "word7 please",
    "can I still change my order #48213 or is it too late for that",
    "¿Tienen pasteles sin azúcar para mañana?",
    "ok thanks",
    "I would like two small ones and a large one, and could you write Happy Birthday Bo on the large one?",
    "wrod4242 menu",
];
const ROUNDS: usize = 2_000;

fn rule(number: usize) -> String {
    let when = match number % 10 {
        0..=5 => format!("text.has = [\"word{number}\", \"phrase {number} here\"]"),
        6 => format!("text.is = \"exactly {number}\""),
        7 => format!("text.like = \"ordering{} thing\"", letters(number)),
        8 => format!("button = [\"b{number}\", \"b{number}:*\"]"),
        _ if number % 100 == 99 => format!("text.matches = 'code-{number}-\\d+'"),
        _ => format!("text.starts = \"begin {number}\""),
    };
    format!("[[rule]]\nid = \"r{number}\"\nwhen.{when}\nreply = \"Answer {number}\"\n")
}

/// A number in letters, because words with digits forgive no typos.
fn letters(number: usize) -> String {
    let digits = number.to_string();
    digits
        .bytes()
        .map(|digit| char::from(b'a' + digit - b'0'))
        .collect()
}

fn rules(count: usize) -> RuleSet {
    let rules: Vec<String> = (0..count - 1).map(rule).collect();
    let text = format!(
        "version = 1\n[bot]\nreply_budget = {{ per_minute = 1000, per_hour = 1000 }}\n{}\n[[rule]]\nid = \"fallback\"\nreply = \"Sorry?\"\n",
        rules.concat(),
    );
    let compiled = rules::compile(
        &SourceMap::new("rules.toml", &text),
        CompileInput::default(),
    );
    compiled.expect("the rules are good").rules
}

fn messages() -> Vec<Inbound> {
    let number = PhoneNumberId::parse("1").expect("not empty");
    let sender = Identity::Phone(WaId::parse("15550000001").expect("digits"));
    let of = |(index, text): (usize, &&str)| {
        let body = (*text).to_owned();
        let wamid = Wamid::parse(format!("wamid.{index}")).expect("not empty");
        Inbound::new(
            number.clone(),
            wamid,
            sender.clone(),
            NOW,
            Content::Text { body },
        )
    };
    MESSAGES.iter().enumerate().map(of).collect()
}

fn main() {
    let conversation = Conversation {
        phone_number_id: PhoneNumberId::parse("1").expect("not empty"),
        contact: Contact {
            identity: Identity::Phone(WaId::parse("15550000001").expect("digits")),
            name: Some("Ana Lima".to_owned()),
            username: None,
            refuses_marketing: false,
        },
        inbound_count: 3,
        state: ConversationState::default(),
    };
    let messages = messages();
    println!(
        "{:>7}  {:>12}  {:>14}  {:>14}",
        "rules", "load", "one decision", "each looked at"
    );
    for count in [10, 100, 1_000, 10_000] {
        let begin = Instant::now();
        let engine = Engine::new(rules(count));
        let loaded = begin.elapsed();
        let time = |decide: &dyn Fn(&Inbound)| -> Duration {
            let rounds = ROUNDS.min(2_000_000 / count);
            let begin = Instant::now();
            for _ in 0..rounds {
                messages.iter().for_each(decide);
            }
            begin.elapsed() / u32::try_from(rounds * messages.len()).expect("some thousand")
        };
        let indexed = time(&|message| {
            black_box(engine.decide(
                &conversation,
                EngineEvent::Message(message),
                NOW,
                Trace::Matched,
            ));
        });
        let each = time(&|message| {
            black_box(engine.decide(
                &conversation,
                EngineEvent::Message(message),
                NOW,
                Trace::Considered,
            ));
        });
        println!("{count:>7}  {loaded:>12.1?}  {indexed:>14.1?}  {each:>14.1?}");
    }
}

//! What one person writes is never run as a template, and never reaches another person.

use proptest::prelude::*;

use super::conversations::Talk;
use super::engine;
use crate::engine::Engine;
use crate::message::{Identity, WaId};

/// Every way by which words of a person come back in a text.
const RULES: &str = r#"
[bot]
name = "SECRET-OF-THE-SHOP"
reply_budget = { per_minute = 1000, per_hour = 1000 }
loop_guard = 1000
[[rule]]
id = "remember"
when.text.matches = '^remember (?<what>.+)$'
set.kept = "{{ match.what }}"
tag = "keeps"
reply = "Kept {{ contact.fields.kept }} for {{ contact.name }}."
[[rule]]
id = "recall"
when.text.is = "recall"
reply = "{{ contact.fields.kept | default('nothing') }} {{ contact.tags | join(',') }}"
[[rule]]
id = "ask"
when.text.starts = "ask"
start = "ask"
[[rule]]
id = "later"
when.text.starts = "later"
after = "1h"
reply = "Later: {{ message.text }}"
[[rule]]
id = "fallback"
variants = ["You said {{ message.text }}", "{{ message.text | upper }}, you said"]
[flow.ask]
step = [{ id = "a", ask = "a?" }, { id = "b", ask = "{{ a }}, and b?", valid = "answer | length > 0" }]
end = { set.last = "{{ a }}{{ b }}", reply = "{{ a }} and {{ b }}, {{ contact.fields.kept }}" }
"#;

/// Texts that would tell something if they were run.
const HOSTILE: [&str; 6] = [
    "{{ bot.name }}",
    "{{ contact.phone }}",
    "{% for one in [1, 2] %}{{ bot.name }}{% endfor %}",
    "{{ contact.fields.kept }}{# x #}",
    "{{ '{{ bot.name }}' }}",
    "\u{202e}}} {{ bot.name | upper }}",
];

fn person<'r>(engine: &'r Engine, mark: &str, phone: &str) -> Talk<'r> {
    let mut talk = Talk::with(engine);
    talk.conversation.contact.name = Some(format!("{mark} {{{{ bot.name }}}}"));
    talk.conversation.contact.identity = Identity::Phone(WaId::parse(phone).expect("digits"));
    talk
}

proptest! {
    #[test]
    fn words_are_said_back_as_they_are_and_only_to_whoever_wrote_them(
        lines in prop::collection::vec(
            (any::<bool>(), prop::sample::select(vec!["", "remember ", "recall", "ask ", "later "]), 0..HOSTILE.len()),
            1..30,
        ),
    ) {
        let engine = engine(RULES);
        let mut ana = person(&engine, "MARKANA", "15550000001");
        let mut bo = person(&engine, "MARKBO", "15550000002");

        for (is_ana, command, hostile) in lines {
            let (talk, own, other) = if is_ana {
                (&mut ana, "MARKANA", "MARKBO")
            } else {
                (&mut bo, "MARKBO", "MARKANA")
            };
            let text = format!("{command}{own} {}", HOSTILE[hostile]);
            let mut said = talk.say(if command == "recall" { command } else { &text });
            for turn in talk.wait(2 * 3600) {
                said.extend(super::conversations::said(&turn));
            }

            for line in said {
                let upper = line.to_uppercase();
                prop_assert!(!upper.contains("SECRET-OF-THE-SHOP"), "run as a template: {line}");
                prop_assert!(!upper.contains("1555000000"), "run as a template: {line}");
                prop_assert!(!upper.contains(other), "told to another: {line}");
            }
        }
    }
}

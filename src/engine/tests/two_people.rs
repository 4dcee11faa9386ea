//! A contact's text is never run as a template, and never reaches another contact.

use proptest::prelude::*;

use super::{Talk, engine, texts};
use crate::engine::Engine;
use crate::message::{Identity, WaId};

/// Every way by which a contact's text comes back in a reply.
const RULES: &str = r#"
bot = { name = "SECRET-OF-THE-SHOP", reply_budget = { per_minute = 1000, per_hour = 1000 }, loop_guard = 1000 }
rule = [
    { id = "remember", when.text.matches = '^remember (?<what>.+)$', set.kept = "{{ match.what }}", tag = "keeps", reply = "Kept {{ contact.fields.kept }} for {{ contact.name }}." },
    { id = "recall", when.text.is = "recall", reply = "{{ contact.fields.kept | default('nothing') }} {{ contact.tags | join(',') }}" },
    { id = "ask", when.text.starts = "ask", start = "ask" },
    { id = "later", when.text.starts = "later", after = "1h", reply = "Later: {{ message.text }}" },
    { id = "fallback", variants = ["You said {{ message.text }}", "{{ message.text | upper }}, you said"] },
]
[flow.ask]
step = [{ id = "a", ask = "a?" }, { id = "b", ask = "{{ a }}, and b?", valid = "answer | length > 0" }]
end = { set.last = "{{ a }}{{ b }}", reply = "{{ a }} and {{ b }}, {{ contact.fields.kept }}" }
"#;

/// Texts that would reveal something if they were run.
const HOSTILE: [&str; 6] = [
    "{{ bot.name }}",
    "{{ contact.phone }}",
    "{% for one in [1, 2] %}{{ bot.name }}{% endfor %}",
    "{{ contact.fields.kept }}{# x #}",
    "{{ '{{ bot.name }}' }}",
    "\u{202e}}} {{ bot.name | upper }}",
];

fn talk_of<'r>(engine: &'r Engine, mark: &str, phone: &str) -> Talk<'r> {
    let mut talk = Talk::new(engine);
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
        let mut ana = talk_of(&engine, "MARKANA", "15550000001");
        let mut bo = talk_of(&engine, "MARKBO", "15550000002");

        for (is_ana, command, hostile) in lines {
            let (talk, mark, other) = if is_ana {
                (&mut ana, "MARKANA", "MARKBO")
            } else {
                (&mut bo, "MARKBO", "MARKANA")
            };
            let text = format!("{command}{mark} {}", HOSTILE[hostile]);
            let mut replies = talk.say(if command == "recall" { command } else { &text });
            replies.extend(talk.wait(2 * 3600).iter().flat_map(texts));

            for reply in replies {
                let upper = reply.to_uppercase();
                prop_assert!(!upper.contains("SECRET-OF-THE-SHOP"), "run as a template: {reply}");
                prop_assert!(!upper.contains("1555000000"), "run as a template: {reply}");
                prop_assert!(!upper.contains(other), "sent to another: {reply}");
            }
        }
    }
}

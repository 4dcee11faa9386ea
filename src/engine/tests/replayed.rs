//! The past decided again by unchanged rules comes out as it was decided.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::engine;
use super::{NOW, ana, message};
use crate::engine::{Decision, Engine, EngineEvent, Turn};
use crate::message::{Content, Conversation, Inbound, Wamid};
use crate::simulator::replay::{PastEvent, replay};

/// Everything that waits or remembers.
const RULES: &str = r#"
[bot]
debounce = "4s"
loop_guard = 4
reply_budget = { per_minute = 6, per_hour = 30 }
[opt_out]
words = "stop"
reply = "Bye."
[opt_in]
words = "start"
reply = "Welcome back."
[[rule]]
id = "human"
when.text.is = "human"
handoff = "1h"
reply = "One of us comes."
[[rule]]
id = "later"
when.text.has = "cake"
after = "1h"
once = "3h"
reply = "Still thinking about {{ message.text }}?"
[[rule]]
id = "order"
when.text.is = "order"
start = "order"
[[rule]]
id = "fallback"
variants = ["You said {{ message.text }}", "{{ message.text }}, you said"]
[flow.order]
timeout = "10m"
on_timeout = "Too late."
step = [{ id = "what", ask = "What?" }, { id = "day", ask = "When?", accept = "date", retries = 1 }]
end = { reply = "{{ what }} on {{ day }}." }
"#;

const SAID: [&str; 8] = [
    "hello", "cake", "order", "tomorrow", "stop", "start", "human", "two",
];

/// What the service does, written down apart: everything at its time, in order.
struct Service<'r> {
    engine: &'r Engine,
    conversation: Conversation,
    decisions: BTreeMap<Wamid, Decision>,
    said: Vec<String>,
}

impl Service<'_> {
    fn turn(&mut self, incoming: EngineEvent<'_>, now: Timestamp) -> Turn {
        let turn = super::decide(self.engine, &self.conversation, incoming, now);
        self.conversation.state = turn.state.clone();
        let said = turn
            .replies
            .iter()
            .map(|reply| format!("{:?}", reply.content));
        self.said.extend(said);
        for one in &turn.late_decisions {
            self.decisions.insert(one.message.clone(), one.decision);
        }
        turn
    }

    fn until(&mut self, end: Timestamp) {
        while let Some(due) = self
            .conversation
            .state
            .next_timer()
            .filter(|due| *due <= end)
        {
            self.turn(EngineEvent::Timer, due);
        }
    }

    fn message(&mut self, message: &Inbound, now: Timestamp) {
        self.until(now);
        let turn = self.turn(EngineEvent::Message(message), now);
        self.conversation.inbound_count += 1;
        self.decisions.insert(message.wamid.clone(), turn.decision);
    }
}

proptest! {
    #[test]
    fn unchanged_rules_decide_as_they_did(
        talk in prop::collection::vec((prop::sample::select(&SAID[..]), 0..5_000_i64), 1..40),
    ) {
        let engine = engine(RULES);
        let mut service = Service {
            engine: &engine,
            conversation: ana(),
            decisions: BTreeMap::new(),
            said: Vec::new(),
        };
        let mut now = NOW;
        let mut events = Vec::new();
        for (index, (body, pause)) in talk.into_iter().enumerate() {
            // Many come shortly after each other, some after hours.
            now += SignedDuration::from_secs(if pause < 2_500 { pause % 6 } else { pause });
            let mut inbound = message(Content::Text { body: body.to_owned() });
            inbound.sent_at = now;
            inbound.wamid = Wamid::parse(format!("wamid.{index}")).expect("not empty");
            service.message(&inbound, now);
            events.push(PastEvent::Message(now, Box::new(inbound)));
        }
        let end = now + SignedDuration::from_hours(24);
        service.until(end);

        let answers = replay(&engine, ana(), &events, |_| None, end);

        for (index, answer) in answers.iter().enumerate() {
            let wamid = Wamid::parse(format!("wamid.{index}")).expect("not empty");
            prop_assert_eq!(Some(&answer.decision), service.decisions.get(&wamid), "message {}", index);
        }
        let mut replayed: Vec<String> = answers
            .iter()
            .flat_map(|answer| &answer.replies)
            .map(|reply| format!("{:?}", reply.content))
            .collect();
        let mut said = service.said;
        replayed.sort_unstable();
        said.sort_unstable();
        prop_assert_eq!(replayed, said);
    }
}

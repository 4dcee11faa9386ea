//! A replay with unchanged rules gives the recorded decisions and replies.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::{NOW, Talk, ana, engine, message};
use crate::engine::{Decision, EngineEvent, Reply, Turn};
use crate::message::{Content, Inbound, Wamid};
use crate::simulator::replay::{PastEvent, replay};

/// Every kind of timer and of memory.
const RULES: &str = r#"
bot = { debounce = "4s", loop_guard = 4, reply_budget = { per_minute = 6, per_hour = 30 } }
opt_out = { words = "stop", reply = "Bye." }
opt_in = { words = "start", reply = "Welcome back." }
rule = [
    { id = "human", when.text.is = "human", handoff = "1h", reply = "One of us comes." },
    { id = "later", when.text.has = "cake", after = "1h", once = "3h", reply = "Still thinking about {{ message.text }}?" },
    { id = "order", when.text.is = "order", start = "order" },
    { id = "fallback", variants = ["You said {{ message.text }}", "{{ message.text }}, you said"] },
]
[flow.order]
timeout = "10m"
on_timeout = "Too late."
step = [{ id = "what", ask = "What?" }, { id = "day", ask = "When?", accept = "date", retries = 1 }]
end = { reply = "{{ what }} on {{ day }}." }
"#;

const TEXTS: [&str; 8] = [
    "hello", "cake", "order", "tomorrow", "stop", "start", "human", "two",
];

/// The service, written down a second time: every event at its time, in order.
struct Service<'r> {
    talk: Talk<'r>,
    decisions: BTreeMap<Wamid, Decision>,
    replies: Vec<Reply>,
}

impl Service<'_> {
    fn keep(&mut self, turn: Turn) -> Decision {
        self.replies.extend(turn.replies);
        let late = turn.late_decisions.into_iter();
        self.decisions
            .extend(late.map(|late| (late.message, late.decision)));
        turn.decision
    }

    /// Runs the timers that are due until `end`, each at its time.
    fn until(&mut self, end: jiff::Timestamp) {
        while let Some(due) = self.talk.conversation.state.next_timer()
            && due <= end
        {
            self.talk.now = due;
            let turn = self.talk.decide(EngineEvent::Timer);
            self.keep(turn);
        }
        self.talk.now = end;
    }

    fn message(&mut self, message: &Inbound) {
        self.until(message.sent_at);
        let turn = self.talk.send(message);
        let decision = self.keep(turn);
        self.decisions.insert(message.wamid.clone(), decision);
    }
}

fn sorted(replies: impl IntoIterator<Item = Reply>) -> Vec<String> {
    let replies = replies.into_iter();
    let mut texts: Vec<String> = replies
        .map(|reply| format!("{:?}", reply.content))
        .collect();
    texts.sort_unstable();
    texts
}

proptest! {
    #[test]
    fn unchanged_rules_decide_as_they_did(
        texts in prop::collection::vec((prop::sample::select(&TEXTS[..]), 0..5_000_i64), 1..40),
    ) {
        let engine = engine(RULES);
        let mut service = Service {
            talk: Talk::new(&engine),
            decisions: BTreeMap::new(),
            replies: Vec::new(),
        };
        let mut now = NOW;
        let mut events = Vec::new();
        for (index, (body, pause)) in texts.into_iter().enumerate() {
            // Many follow each other closely, some after hours.
            now += SignedDuration::from_secs(if pause < 2_500 { pause % 6 } else { pause });
            let mut inbound = message(Content::Text { body: body.to_owned() });
            inbound.sent_at = now;
            inbound.wamid = Wamid::parse(format!("wamid.{index}")).expect("not empty");
            service.message(&inbound);
            events.push(PastEvent::Message(now, Box::new(inbound)));
        }
        let end = now + SignedDuration::from_hours(24);
        service.until(end);

        let answers = replay(&engine, ana(), &events, |_| None, end);

        for (index, answer) in answers.iter().enumerate() {
            let wamid = Wamid::parse(format!("wamid.{index}")).expect("not empty");
            prop_assert_eq!(Some(&answer.decision), service.decisions.get(&wamid), "message {}", index);
        }
        let replayed = answers.into_iter().flat_map(|answer| answer.replies);
        prop_assert_eq!(sorted(replayed), sorted(service.replies));
    }
}

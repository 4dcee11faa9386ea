//! Storing, claiming, sending and settling in any order, with crashes between, ends in the same
//! state as each message answered alone.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use replyd::message::{DeliveryStatus, Event, Outbound, PhoneNumberId, Wamid};
use replyd::store::{
    Arrivals, Claimed, DirectClaims, Repeat, RetryByHand, SendResult, SendRoom, Settlement, Store,
};
use uuid::Uuid;

use crate::store::{Database, LEASE, NOW, QUARTER, WAIT, later, message, receipt, receive, url};
use crate::{sqlite, support};

const CONTACTS: [&str; 3] = [support::ANA, support::BO, "15550000003"];

#[derive(Clone, Debug)]
enum Step {
    /// Messages of these contacts in one batch, with the results so far; their replies are claimed
    /// at once if there is room for this many.
    Receive { contacts: Vec<u8>, room: usize },
    /// An earlier message comes again.
    Repeat(Index),
    /// The worker claims what is queued.
    Claim,
    /// A claimed row is sent, with this result.
    Send(Index, Ending),
    /// The results so far are recorded.
    Settle,
    /// The process ends. What it held in memory is lost.
    Crash,
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    Accepted,
    /// Refused, to be tried again.
    Refused,
    /// It arrived, and the answer was lost.
    AnswerLost,
    /// Not started.
    Released,
}

fn step() -> impl Strategy<Value = Step> {
    let contacts = proptest::collection::vec(0..3_u8, 1..4);
    let ending = prop_oneof![
        4 => Just(Ending::Accepted),
        1 => Just(Ending::Refused),
        1 => Just(Ending::AnswerLost),
        1 => Just(Ending::Released),
    ];
    prop_oneof![
        4 => (contacts, 0..5_usize).prop_map(|(contacts, room)| Step::Receive { contacts, room }),
        1 => any::<Index>().prop_map(Step::Repeat),
        3 => Just(Step::Claim),
        6 => (any::<Index>(), ending).prop_map(|(row, ending)| Step::Send(row, ending)),
        2 => Just(Step::Settle),
        1 => Just(Step::Crash),
    ]
}

/// Room for this many messages.
struct Room(std::sync::Mutex<usize>);

impl SendRoom for Room {
    fn reserve(&self, _: &PhoneNumberId) -> Option<String> {
        let mut room = self.0.lock().unwrap();
        *room = room.checked_sub(1)?;
        Some(Uuid::new_v4().simple().to_string())
    }
}

/// The service without its tasks, and the phones of the contacts.
struct World {
    database: Option<Database>,
    received: Vec<Event>,
    /// Claimed rows that are not sent yet, in the order of each conversation.
    claimed: Vec<Claimed>,
    results: Vec<Settlement>,
    /// Texts that arrived, by conversation.
    arrived: BTreeMap<i64, Vec<String>>,
    /// Claim tokens and ids of messages that arrived, for receipts.
    accepted: Vec<(String, String)>,
    has_crashed: bool,
}

impl World {
    async fn new() -> Self {
        Self {
            database: Some(Database::new().await),
            received: Vec::new(),
            claimed: Vec::new(),
            results: Vec::new(),
            arrived: BTreeMap::new(),
            accepted: Vec::new(),
            has_crashed: false,
        }
    }

    fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Receive { contacts, room } => {
                let first = self.received.len();
                for (number, contact) in (first..).zip(contacts) {
                    let contact = CONTACTS[usize::from(*contact)];
                    let text = format!("text {number}");
                    let event = message(contact, &format!("w{number}"), &text);
                    self.received.push(event);
                }
                self.commit(self.received[first..].to_vec(), *room).await;
            }
            Step::Repeat(index) if !self.received.is_empty() => {
                let event = index.get(&self.received).clone();
                self.commit(vec![event], 1).await;
            }
            Step::Claim => self.claimed.extend(self.database().claim(NOW).await),
            Step::Send(index, ending) if !self.claimed.is_empty() => {
                let row = index.index(self.claimed.len());
                let conversation = self.claimed[row].conversation_id;
                // Those of one conversation are sent in sequence.
                let first = self.claimed.iter();
                let mut first = first.map(|row| row.conversation_id);
                let first = first.position(|id| id == conversation).unwrap();
                self.send(first, *ending);
            }
            // There is nothing to repeat or to send.
            Step::Repeat(_) | Step::Send(..) => {}
            Step::Settle => self.commit(Vec::new(), 0).await,
            Step::Crash => self.crash().await,
        }
    }

    /// One transaction of the intake.
    async fn commit(&mut self, events: Vec<Event>, room: usize) {
        let room = Room(room.into());
        let arrivals = Arrivals {
            events,
            settlements: &self.results,
            tried_marks: &[],
            direct: Some(DirectClaims {
                room: &room,
                lease: LEASE,
            }),
        };
        let received = receive(&self.database().store, arrivals).await.unwrap();
        assert_eq!(received.settled.stale, 0, "each claim is settled once");
        self.results.clear();
        self.claimed.extend(received.claimed);
    }

    /// Sends the row at this place. What is behind it in its conversation is released when it did
    /// not arrive.
    fn send(&mut self, place: usize, ending: Ending) {
        let row = self.claimed.remove(place);
        let outcome = match ending {
            Ending::Accepted => SendResult::Accepted(self.arrive(&row)),
            Ending::AnswerLost => {
                self.arrive(&row);
                let reason = "cut".to_owned();
                SendResult::Unknown { reason }
            }
            Ending::Refused => SendResult::Retry {
                at: NOW,
                reason: "busy".into(),
            },
            Ending::Released => SendResult::Released,
        };
        let is_stuck = !matches!(outcome, SendResult::Accepted(_));
        self.end(&row, outcome);
        if is_stuck {
            let (behind, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.claimed)
                .into_iter()
                .partition(|other| other.conversation_id == row.conversation_id);
            self.claimed = others;
            for row in behind {
                self.end(&row, SendResult::Released);
            }
        }
    }

    fn end(&mut self, row: &Claimed, outcome: SendResult) {
        self.results.push(Settlement {
            id: row.id,
            claim_token: row.claim_token.clone(),
            phone_number_id: row.phone_number_id.clone(),
            outcome,
            report: None,
        });
    }

    /// The message reaches the phone, and WhatsApp gives it an id.
    fn arrive(&mut self, row: &Claimed) -> Wamid {
        let Outbound::Text { body, .. } = &*row.content else {
            unreachable!("every reply is a text");
        };
        let wamid = Wamid::parse(format!("sent-{}", self.accepted.len())).unwrap();
        let token = row.claim_token.clone();
        self.accepted.push((token, wamid.as_str().to_owned()));
        let arrived = self.arrived.entry(row.conversation_id).or_default();
        arrived.push(body.clone());
        wamid
    }

    async fn crash(&mut self) {
        self.has_crashed = true;
        self.claimed.clear();
        self.results.clear();
        let Database { folder, store } = self.database.take().unwrap();
        store.close().await;
        drop(store);
        let store = Store::open(&url(&folder)).await.unwrap();
        self.database = Some(Database { folder, store });
    }

    /// Everything that is still to be done, without further faults: receipts prove what arrived,
    /// the owner sends again what is held, and the rest is sent.
    async fn finish(&mut self) {
        while !self.claimed.is_empty() {
            self.send(0, Ending::Accepted);
        }
        self.commit(Vec::new(), 0).await;
        // Leases that a crash has ended become unknown, and after a while held.
        for seconds in [0, 61] {
            let swept = self.database().store.sweep(later(seconds), WAIT).await;
            swept.unwrap();
        }
        let proofs = self.accepted.iter().map(|(claim_token, wamid)| {
            receipt(wamid, DeliveryStatus::Delivered, Some(claim_token))
        });
        self.commit(proofs.collect(), 0).await;
        self.retry_held().await;
        loop {
            self.claimed = self.database().claim(later(61)).await;
            if self.claimed.is_empty() {
                break;
            }
            while !self.claimed.is_empty() {
                self.send(0, Ending::Accepted);
            }
            self.commit(Vec::new(), 0).await;
        }
    }

    async fn retry_held(&self) {
        let file = self.database().folder.path().join("store.db");
        let ids = "SELECT CAST(id AS TEXT) FROM outbox WHERE state = 'held' ORDER BY id";
        let ids = sqlite::texts(&file, ids).await;
        let request = RetryByHand {
            ids: ids.iter().map(|id| id.parse().unwrap()).collect(),
            repeat: Repeat::Accepted,
            give_up_after: QUARTER,
            now: later(61),
        };
        self.database().store.retry_by_hand(&request).await.unwrap();
    }

    /// The tables, without ids that depend on the order of writing.
    async fn tables(&self) -> Vec<String> {
        let file = self.database().folder.path().join("store.db");
        let query = "\
            SELECT json_array(wa_id, inbound_count, last_inbound_ms, state) \
            FROM conversations JOIN contacts ON contacts.id = contact_id \
            UNION ALL \
            SELECT json_array(wa_id, m.direction, m.text, m.origin, m.decision, m.explanation, \
                m.rule_id, answered.text, m.part, m.outbox_state, iif(m.direction = 'in', m.wamid, m.wamid IS NULL), m.send_error) \
            FROM messages AS m \
            JOIN conversations AS v ON v.id = m.conversation_id \
            JOIN contacts ON contacts.id = v.contact_id \
            LEFT JOIN messages AS answered ON answered.id = m.reply_to_id \
            UNION ALL \
            SELECT json_array('left in the outbox', kind, state) FROM outbox \
            UNION ALL \
            SELECT json_array(wa_id, 'read mark', wamid) \
            FROM read_marks JOIN conversations AS v ON v.id = conversation_id \
            JOIN contacts ON contacts.id = v.contact_id \
            ORDER BY 1";
        sqlite::texts(&file, query).await
    }
}

/// Each message alone: stored, claimed, sent, settled.
async fn plain_order(received: &[Event]) -> Vec<String> {
    let mut world = World::new().await;
    for event in received {
        world.commit(vec![event.clone()], 0).await;
        world.claimed = world.database().claim(NOW).await;
        world.send(0, Ending::Accepted);
        world.commit(Vec::new(), 0).await;
    }
    world.tables().await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_ends_like_the_plain_one_and_each_reply_arrives_once(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in &steps {
                world.step(step).await;
            }
            world.finish().await;

            prop_assert_eq!(world.tables().await, plain_order(&world.received).await);
            let mut count = 0;
            for texts in world.arrived.values() {
                let mut numbers: Vec<usize> = texts
                    .iter()
                    .map(|text| text.trim_start_matches("text ").parse().unwrap())
                    .collect();
                count += numbers.len();
                let is_in_order = numbers.is_sorted();
                numbers.sort_unstable();
                numbers.dedup();
                prop_assert_eq!(numbers.len(), texts.len(), "none arrives twice: {:?}", texts);
                // A held message lets those behind it pass.
                prop_assert!(is_in_order || world.has_crashed, "{:?}", texts);
            }
            prop_assert_eq!(count, world.received.len());
            Ok(())
        })?;
    }
}

//! What the storing transaction costs: processor time of `Store::receive` for each message or
//! receipt, SQLite's thread and the sync of each commit included.
//!
//! `cargo bench --bench store -- 1000000` first grows the history by this many messages. Messages
//! come from 5,000 contacts to 64 numbers in batches of 1, 16 and 64; receipts are the three steps of
//! messages that are stored. Linux only.

#![expect(clippy::print_stdout, reason = "a benchmark shows its numbers")]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use replyd::diagnostics::sources::SourceMap;
use replyd::engine::{Engine, Trace};
use replyd::message::Event;
use replyd::rules;
use replyd::rules::CompileInput;
use replyd::sandbox::webhooks;
use replyd::store::{Decide, MediaPolicy, ReceivePolicy, Store};
use replyd::whatsapp::inbound;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

const START: Timestamp = Timestamp::constant(1_790_256_780, 0);
const CONTACTS: usize = 5_000;
const NUMBERS: usize = 64;
/// Clock ticks per second in `/proc/self/stat`; 100 on every Linux.
const TICKS: f64 = 100.0;
const ANSWERING: &str = "version = 1\n[bot]\nname = \"Bench\"\n\
    reply_budget = { per_minute = 1000, per_hour = 1000 }\nloop_guard = 1000\n\
    [[rule]]\nid = \"menu\"\nwhen.text.has = [\"menu\", \"hello\"]\nreply = \"Hi {{ contact.name }}\"\n";
const SILENT: &str = "version = 1\n[bot]\nmark_read = false\n\
    [[rule]]\nid = \"menu\"\nwhen.text.has = [\"card\", \"price\"]\nreply = \"Hi {{ contact.name }}\"\n";

/// Rows of the past, half of them replies, in conversations of their own.
const PAST: &str = "
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < <count> / 20)
    INSERT INTO contacts (wa_id, name, first_seen_ms) SELECT '1777' || i, 'Bo Sun', i FROM n;
    INSERT INTO contact_phones (wa_id, contact_id) SELECT wa_id, id FROM contacts;
    INSERT INTO conversations (contact_id, phone_number_id, state, inbound_count, last_inbound_ms,
        last_message_ms)
    SELECT id, '10650000', '{}', 10, id, id FROM contacts;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < <count>)
    INSERT INTO messages (conversation_id, direction, phone_number_id, wamid, message_key, kind, text,
        origin, sent_at_ms, stored_at_ms, raw, decision, explanation, outbox_state, delivery_status)
    SELECT 1 + i % (<count> / 20), iif(i % 2, 'in', 'out'), '10650000',
        'wamid.HBgLMTU1NTAwMDAwMDAVAgASGBQzQTg2PAST' || i, lower(hex(randomblob(12))), 'text',
        'Hello, is there a menu for today?', iif(i % 2, 'contact', 'bot'), i, i,
        iif(i % 2, printf('{%300s}', ''), printf('{%60s}', '')), iif(i % 2, 'answered', NULL),
        iif(i % 2, printf('{%400s}', ''), NULL), iif(i % 2, NULL, 'accepted'), iif(i % 2, NULL, 'read')
    FROM n;";

/// A store of which the costs are measured, with a connection beside it.
struct Measured {
    store: Store,
    beside: SqliteConnection,
    now: Timestamp,
    next_message: usize,
}

impl Measured {
    /// Stores batches and prints the processor time of each event.
    async fn measure(&mut self, what: &str, batches: Vec<Vec<Event>>, decide: &Decide) {
        let events: usize = batches.iter().map(Vec::len).sum();
        let before = cpu_seconds();
        for batch in batches {
            let policy = ReceivePolicy {
                now: self.now,
                reply_expires_after: Duration::from_mins(15),
                files: MediaPolicy::Ignore,
            };
            let received = self.store.receive(batch, policy, decide).await;
            received.expect("it is stored");
        }
        let microseconds =
            (cpu_seconds() - before) * 1e6 / f64::from(u32::try_from(events).expect("few"));
        println!("{what:<44} {microseconds:6.1} us");
        // What a gateway would have taken.
        let emptied = sqlx::query("DELETE FROM outbox").execute(&mut self.beside);
        emptied.await.expect("it is ours");
    }

    /// Batches of new messages: texts of contacts, or answers of colleagues to them.
    fn messages(&mut self, field: &str, count: usize, size: usize) -> Vec<Vec<Event>> {
        let batch = |_| {
            let mut parts = Vec::new();
            for _ in 0..size {
                self.next_message += 1;
                parts.extend(inbound::read(
                    self.message(field, self.next_message).as_bytes(),
                    self.now,
                ));
            }
            parts
        };
        (0..count / size).map(batch).collect()
    }

    fn message(&self, field: &str, index: usize) -> String {
        let phone = format!("1555{:07}", index % CONTACTS);
        let mut message = json!({
            "id": wamid(index), "timestamp": self.now.as_second().to_string(), "type": "text",
            "text": { "body": "Hello, is there a menu for today?" },
        });
        if field == "messages" {
            message["from"] = json!(phone);
            let contact = json!({ "wa_id": phone, "profile": { "name": "Ana Lima" } });
            value(
                index,
                field,
                json!({ "contacts": [contact], "messages": [message] }),
            )
        } else {
            message["from"] = json!("15550001111");
            message["to"] = json!(phone);
            value(index, field, json!({ "message_echoes": [message] }))
        }
    }

    /// The three steps of messages, step by step in each batch.
    fn receipts(&self, messages: std::ops::Range<usize>, size: usize) -> Vec<Vec<Event>> {
        let indexes: Vec<usize> = messages.collect();
        let mut batches = Vec::new();
        for chunk in indexes.chunks(size) {
            for status in ["sent", "delivered", "read"] {
                let read = |index: &usize| {
                    let receipt = json!({
                        "id": wamid(*index), "status": status,
                        "timestamp": self.now.as_second().to_string(),
                        "recipient_id": format!("1555{:07}", index % CONTACTS),
                        "pricing": { "billable": true, "pricing_model": "PMP", "category": "service", "type": "free_customer_service" },
                    });
                    inbound::read(
                        value(*index, "messages", json!({ "statuses": [receipt] })).as_bytes(),
                        self.now,
                    )
                };
                batches.push(chunk.iter().flat_map(read).collect());
            }
        }
        batches
    }
}

fn wamid(index: usize) -> String {
    format!("wamid.HBgLMTU1NTAwMDAwMDAVAgASGBQzQTg2{index:012}AA==")
}

fn value(index: usize, field: &str, parts: Value) -> String {
    let number = format!("1065{:04}", index % CONTACTS % NUMBERS);
    webhooks::body(field, &webhooks::messages_value(&number, parts))
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let after_name = stat.rsplit(')').next().expect("it has a name");
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS
}

fn decide(rules: &'static str) -> (Box<Decide>, &'static Engine) {
    let compiled = rules::compile(
        &SourceMap::new("rules.toml", rules),
        CompileInput::default(),
    );
    let engine = Engine::new(compiled.expect("they are good").rules);
    let engine: &'static Engine = Box::leak(Box::new(engine));
    let version = engine.rules().version.clone();
    let decide: Box<Decide> = Box::new(move |conversation, event, now| {
        let turn = engine.decide(conversation, event, now, Trace::Matched);
        (turn, version.clone())
    });
    (decide, engine)
}

#[tokio::main]
async fn main() {
    let numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let numbers: Vec<usize> = numbers.collect();
    let past = numbers.first().copied().unwrap_or(0);
    let count = numbers.get(1).copied().unwrap_or(16_384);
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("bench.db");
    let store = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .expect("it is new");
    let options = SqliteConnectOptions::new().filename(&path);
    let mut beside = options.connect().await.expect("it is there");
    if past > 0 {
        let rows = AssertSqlSafe(PAST.replace("<count>", &past.to_string()));
        sqlx::raw_sql(rows)
            .execute(&mut beside)
            .await
            .expect("they fit");
    }
    let (answering, silent) = (decide(ANSWERING), decide(SILENT));
    for (_, engine) in [&answering, &silent] {
        let rules = engine.rules();
        let recorded = store.record_rules(&rules.version, &rules.source, START);
        recorded.await.expect("it is stored");
    }
    let mut measured = Measured {
        store,
        beside,
        now: START,
        next_message: 0,
    };
    println!("processor time of an event, {past} messages stored before:");
    let first = measured.messages("messages", CONTACTS, 64);
    measured
        .measure("new contacts and conversations", first, &*silent.0)
        .await;
    for size in [1, 16, 64] {
        let count = if size == 1 { count / 4 } else { count };
        measured.now += SignedDuration::from_mins(30);
        let batches = measured.messages("messages", count, size);
        let what = format!("message without an answer, batches of {size}");
        measured.measure(&what, batches, &*silent.0).await;
        let batches = measured.messages("messages", count, size);
        let what = format!("message with an answer, batches of {size}");
        measured.measure(&what, batches, &*answering.0).await;
        let first = measured.next_message + 1;
        let batches = measured.messages("smb_message_echoes", count, 64);
        measured
            .measure("message of a colleague, batches of 64", batches, &*silent.0)
            .await;
        let batches = measured.receipts(first..measured.next_message + 1, size);
        let what = format!("receipt, batches of {size}");
        measured.measure(&what, batches, &*silent.0).await;
    }
    measured.store.close().await;
}

//! The real binary as a process: killed at random moments under load, and started twice on one
//! database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use replyd::sandbox::{Fault, Sandbox, Side};
use tokio::task::JoinHandle;

use crate::sqlite;
use crate::support::{API_KEY, APP_SECRET, TestApp, assert_contains, in_time, run};

const KILLS: usize = 30;
const CONTACTS: usize = 8;

/// Numbers that look random and are the same in every run: a failure can be looked at again.
struct Random(u64);

impl Random {
    /// From 1 to `most`.
    fn below(&mut self, most: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap() + 1
    }
}

/// Each contact writes one message after the other, sent again until it is acknowledged, as Meta
/// does.
pub(crate) fn write_until(stop: &Arc<AtomicBool>, sandbox: &Sandbox) -> Vec<JoinHandle<()>> {
    let writers = (0..CONTACTS).map(|contact| {
        let (stop, sandbox) = (Arc::clone(stop), sandbox.clone());
        tokio::spawn(async move {
            let phone = phone(contact);
            for message in 0..100_000 {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                sandbox.say(&phone, &format!("m{message}")).await;
            }
        })
    });
    writers.collect()
}

fn phone(contact: usize) -> String {
    format!("1555000{contact:04}")
}

#[tokio::test]
async fn killed_at_random_moments_it_loses_nothing_and_answers_nothing_twice() {
    let delivery = "[delivery]\nunknown_wait = \"1s\"\nmessages_per_second = 1000\n";
    let app = TestApp::builder().config(delivery).stopped().await;
    let sandbox = app.sandbox.clone();
    let mut random = Random(2026);

    let mut served = app.served().await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = write_until(&stop, &sandbox);
    for _ in 0..KILLS {
        let goal = sandbox.look(|state| state.acknowledged.len()) + random.below(60);
        app.until_acknowledged(goal).await;
        served.kill().await;
        served = app.served().await;
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    drained(&app).await;
    served.kill().await;

    let acknowledged = sandbox.look(|state| state.acknowledged.clone());
    let count = acknowledged.len();
    assert!(count > KILLS * 10, "too little load: {count}");
    let stored = stored(&app.database()).await;
    let is_lost = |wamid: &&String| !stored.contains_key(*wamid);
    let lost: Vec<_> = acknowledged.iter().filter(is_lost).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let twice = stored.values().filter(|count| **count != 1).count();
    assert_eq!(twice, 0, "messages with more than one row and decision");
    assert_no_double_and_no_inversion(&sandbox);
    assert_all_answered_or_flagged(&app).await;
}

/// Waits until the service has nothing more to send; sends of unknown fate are put aside after a
/// second.
async fn drained(app: &TestApp) {
    let query = "SELECT count(*) FROM outbox WHERE state <> 'held'";
    let empty = async { while app.number(query).await > 0 {} };
    in_time("an empty outbox", empty).await;
}

/// Number of rows of each inbound message; a row has one decision, by the table's CHECK.
async fn stored(database: &Path) -> BTreeMap<String, usize> {
    let query = "SELECT wamid FROM messages WHERE direction = 'in'";
    let mut counts = BTreeMap::new();
    for wamid in sqlite::texts(database, query).await {
        *counts.entry(wamid).or_default() += 1;
    }
    counts
}

/// Each contact got each answer once, in the order of the messages.
fn assert_no_double_and_no_inversion(sandbox: &Sandbox) {
    sandbox.look(|state| {
        for contact in 0..CONTACTS {
            let screen = &state.screens[&phone(contact)];
            let replies = screen.iter().filter(|bubble| bubble.side == Side::Business);
            let numbers = replies.map(|bubble| bubble.text.strip_prefix("you said m").unwrap());
            let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap()).collect();
            let is_in_order = numbers.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(is_in_order, "{numbers:?}");
        }
        let mut tags: Vec<_> = state.accepted().map(|request| &request.tag).collect();
        let count = tags.len();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), count, "one attempt was sent twice");
    });
}

/// A reply is at the gateway, or the database says that it may be: no row is forgotten, no answer
/// is missing.
async fn assert_all_answered_or_flagged(app: &TestApp) {
    let (inbound, outbound) = (
        "SELECT count(*) FROM messages WHERE direction = 'in'",
        "SELECT count(*) FROM messages WHERE direction = 'out'",
    );
    let (accepted, held) = (
        "SELECT count(*) FROM messages WHERE outbox_state = 'accepted'",
        "SELECT count(*) FROM messages WHERE outbox_state = 'held'",
    );
    let (messages, replies) = (app.number(inbound).await, app.number(outbound).await);
    let (accepted, held) = (app.number(accepted).await, app.number(held).await);

    assert_eq!(messages, replies, "each message has its one reply");
    assert_eq!(
        accepted + held,
        replies,
        "each reply was sent or is put aside"
    );
    let at_gateway = i64::try_from(app.accepted().len()).unwrap();
    let fits = (accepted..=replies).contains(&at_gateway);
    assert!(fits, "{accepted} {at_gateway} {replies}");
}

#[tokio::test]
async fn a_second_process_on_the_same_database_is_refused_by_the_pid_of_the_first() {
    let app = TestApp::builder().stopped().await;
    let first = app.served().await;

    let second = app.replyd("serve --config replyd.toml").await;

    let in_use = format!("is in use by process {}", first.child.id().unwrap());
    assert_contains(&second.refused(), &in_use);
}

#[tokio::test]
async fn no_log_line_has_a_text_a_contact_or_a_secret() {
    let delivery = "[delivery]\nunknown_wait = \"1s\"\n";
    let app = TestApp::builder().config(delivery).stopped().await;
    let mut command = run::command(app.folder());
    let command = command.env("REPLYD__LOG__FILTER", "debug").arg("serve");
    let mut served = app.served_by(command).await;
    let phone = "15557654321";
    for fault in [
        Fault::Graph(131_026),
        Fault::Graph(131_047),
        Fault::BadGateway,
        Fault::LostAnswer,
    ] {
        app.sandbox.script(fault);
    }

    let mut wamids = Vec::new();
    for _ in 0..5 {
        wamids.push(app.sandbox.say(phone, "canary text").await);
    }
    app.post("{ canary text that is no json").await;
    app.until_replies(phone, 2).await;
    let logs = served.kill().await;

    assert_contains(&logs, "message was not sent");
    let secrets = [APP_SECRET, API_KEY, "test-token"];
    let words = ["canary", "7654321", "Ana Lima"];
    let ids = wamids.iter().map(replyd::message::Wamid::as_str);
    for canary in secrets.into_iter().chain(words).chain(ids) {
        assert!(!logs.contains(canary), "`{canary}` is in the log");
    }
}

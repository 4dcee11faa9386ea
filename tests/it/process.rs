//! The real binary as a process: killed at random moments under load, and started twice on one
//! database.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use replyd::sandbox::{Fault, Sandbox, Side, Verdict};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::sqlite;
use crate::support::{Options, TestApp};

const KILLS: usize = 30;
const PEOPLE: usize = 8;

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

/// Starts `replyd serve` and waits until it listens.
pub(crate) async fn serve(folder: &Path, sandbox: &Sandbox) -> Child {
    serve_with_logs(folder, sandbox, "info").await.0
}

/// The same, with everything it logs by this filter.
pub(crate) async fn serve_with_logs(
    folder: &Path,
    sandbox: &Sandbox,
    filter: &str,
) -> (Child, JoinHandle<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(["serve", "--config", "replyd.toml"])
        .current_dir(folder)
        .env("REPLYD__LOG__FORMAT", "json")
        .env("REPLYD__LOG__FILTER", filter)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut logs = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    while let Some(line) = logs.next_line().await.unwrap() {
        let fields: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        seen.push_str(&line);
        seen.push('\n');
        if fields["message"] == "listening for webhooks" {
            let address = fields["address"].as_str().unwrap();
            sandbox.connect(format!("http://{address}/webhook"));
            // Whoever reads nothing would stop the child at a full pipe.
            let rest = tokio::spawn(async move {
                while let Ok(Some(line)) = logs.next_line().await {
                    seen.push_str(&line);
                    seen.push('\n');
                }
                seen
            });
            return (child, rest);
        }
    }
    unreachable!("it ended early: {seen}");
}

/// Each person writes one message after the other, sent again until it is acknowledged, as Meta
/// does.
pub(crate) fn write_until(stop: &Arc<AtomicBool>, sandbox: &Sandbox) -> Vec<JoinHandle<()>> {
    let writers = (0..PEOPLE).map(|person| {
        let (stop, sandbox) = (Arc::clone(stop), sandbox.clone());
        tokio::spawn(async move {
            let phone = phone(person);
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

fn phone(person: usize) -> String {
    format!("1555000{person:04}")
}

#[tokio::test]
async fn killed_at_random_moments_it_loses_nothing_and_answers_nothing_twice() {
    let extra = "[delivery]\nunknown_wait = \"1s\"\nmessages_per_second = 1000\n";
    let mut app = TestApp::with(Options {
        extra,
        ..Options::default()
    })
    .await;
    app.stop().await;
    std::fs::write(app.folder().join("replyd.toml"), app.config()).unwrap();
    let sandbox = app.sandbox.clone();
    let mut random = Random(2026);

    let mut child = serve(app.folder(), &sandbox).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = write_until(&stop, &sandbox);
    for _ in 0..KILLS {
        let goal = sandbox.look(|state| state.acknowledged.len()) + random.below(60);
        sandbox
            .wait_for("more messages", |state| {
                (state.acknowledged.len() >= goal).then_some(())
            })
            .await;
        child.kill().await.unwrap(); // SIGKILL, and waited for
        child = serve(app.folder(), &sandbox).await;
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    drained(app.database().as_path()).await;
    child.kill().await.unwrap();

    let acknowledged = sandbox.look(|state| state.acknowledged.clone());
    assert!(
        acknowledged.len() > KILLS * 10,
        "too little load: {}",
        acknowledged.len()
    );
    let stored = stored(&app.database()).await;
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|wamid| !stored.contains_key(*wamid))
        .collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let twice = stored.values().filter(|count| **count != 1).count();
    assert_eq!(
        twice, 0,
        "messages with more than one row, and so more than one decision"
    );
    assert_no_double_and_no_inversion(&sandbox);
    assert_all_answered_or_flagged(&app.database(), &sandbox).await;
}

/// Waits until the service has nothing more to send; what it cannot know is put aside after a
/// second.
async fn drained(database: &Path) {
    let query = "SELECT count(*) FROM outbox WHERE state <> 'held'";
    let empty = async { while sqlite::number(database, query).await > 0 {} };
    let waited = tokio::time::timeout(std::time::Duration::from_mins(1), empty).await;
    waited.expect("the outbox empties");
}

/// How many rows each message of a person has; a row has one decision, by the table's CHECK.
async fn stored(database: &Path) -> BTreeMap<String, usize> {
    let query = "SELECT wamid FROM messages WHERE direction = 'in'";
    let mut connection = sqlite::connect(database).await;
    let wamids: Vec<String> = sqlx::query_scalar(query)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut counts = BTreeMap::new();
    for wamid in wamids {
        *counts.entry(wamid).or_default() += 1;
    }
    counts
}

/// What the gateway accepted for each person: each answer once, in the order of the messages.
fn assert_no_double_and_no_inversion(sandbox: &Sandbox) {
    sandbox.look(|state| {
        for person in 0..PEOPLE {
            let screen = &state.screens[&phone(person)];
            let answered: Vec<usize> = screen
                .iter()
                .filter(|bubble| bubble.side == Side::Business)
                .map(|bubble| {
                    bubble
                        .text
                        .strip_prefix("you said m")
                        .unwrap()
                        .parse()
                        .unwrap()
                })
                .collect();
            assert!(
                answered.windows(2).all(|pair| pair[0] < pair[1]),
                "{answered:?}"
            );
        }
        let sends = state
            .requests
            .iter()
            .filter(|one| matches!(one.verdict, Verdict::Accepted(_)));
        let mut tags: Vec<_> = sends.map(|one| one.tag.clone()).collect();
        let all = tags.len();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), all, "one attempt was sent twice");
    });
}

/// A reply is at the gateway, or the database says that it may be: no row is forgotten, no answer
/// is missing.
async fn assert_all_answered_or_flagged(database: &Path, sandbox: &Sandbox) {
    let messages = sqlite::number(
        database,
        "SELECT count(*) FROM messages WHERE direction = 'in'",
    );
    let replies = sqlite::number(
        database,
        "SELECT count(*) FROM messages WHERE direction = 'out'",
    );
    let accepted = sqlite::number(
        database,
        "SELECT count(*) FROM messages WHERE outbox_state = 'accepted'",
    );
    let held = sqlite::number(
        database,
        "SELECT count(*) FROM messages WHERE outbox_state = 'held'",
    );
    let (messages, replies, accepted, held) =
        (messages.await, replies.await, accepted.await, held.await);
    let at_gateway = sandbox.look(|state| state.accepted().count());

    assert_eq!(messages, replies, "each message has its one reply");
    assert_eq!(
        accepted + held,
        replies,
        "each reply was sent or is put aside"
    );
    let at_gateway = i64::try_from(at_gateway).unwrap();
    assert!(
        (accepted..=replies).contains(&at_gateway),
        "{accepted} {at_gateway} {replies}"
    );
}

#[tokio::test]
async fn a_second_process_on_the_same_database_is_refused_by_the_pid_of_the_first() {
    let mut app = TestApp::start(crate::support::ECHO).await;
    app.stop().await;
    std::fs::write(app.folder().join("replyd.toml"), app.config()).unwrap();
    let first = serve(app.folder(), &app.sandbox).await;

    let second = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(["serve", "--config", "replyd.toml"])
        .current_dir(app.folder())
        .output()
        .await
        .unwrap();

    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{told}");
    let pid = first.id().unwrap();
    assert!(
        told.contains(&format!("is in use by process {pid}")),
        "{told}"
    );
}

#[tokio::test]
async fn no_log_line_tells_what_was_said_by_whom_or_a_secret() {
    let extra = "[delivery]\nunknown_wait = \"1s\"\n";
    let mut app = TestApp::with(Options {
        extra,
        ..Options::default()
    })
    .await;
    app.stop().await;
    std::fs::write(app.folder().join("replyd.toml"), app.config()).unwrap();
    let (mut child, logs) = serve_with_logs(app.folder(), &app.sandbox, "debug").await;
    let person = "15557654321";
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
        wamids.push(app.sandbox.say(person, "canary text").await);
    }
    app.sandbox.post("{ canary text that is no json").await;
    app.sandbox
        .wait_for("the last reply", |state| {
            state.replies(person).get(1).map(|_| ())
        })
        .await;
    child.kill().await.unwrap();
    let logs = logs.await.unwrap();

    assert!(
        logs.contains("message was not sent"),
        "the failures are told: {logs}"
    );
    let secrets = [
        crate::support::APP_SECRET,
        crate::support::API_KEY,
        "test-token",
    ];
    let ids = wamids.iter().map(replyd::message::Wamid::as_str);
    for canary in secrets
        .into_iter()
        .chain(["canary", "7654321", "Ana Lima"])
        .chain(ids)
    {
        assert!(!logs.contains(canary), "`{canary}` is in the log");
    }
}

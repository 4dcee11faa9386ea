//! `replyd backup` and `replyd restore`: beside a running service, on a full disk, and the service
//! on a restored copy.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use replyd::sandbox::Fault;

use crate::process::write_until;
use crate::raw_http::get;
use crate::sqlite;
use crate::support::run::{self, Run};
use crate::support::served::until_ready_says;
use crate::support::{ANA, BO, ECHO, TestApp, assert_contains, names, texts};

const RULES: &str = r#"
version = 1
[bot]
reply_budget = { per_minute = 1000, per_hour = 1000 }
loop_guard = 1000
[[rule]]
id = "late"
when.text.has = "later"
after = "1s"
reply = "a late answer"
[[rule]]
id = "echo"
reply = "you said {{ message.text }}"
"#;

/// A service that puts sends of unknown fate aside after a second.
async fn service(rules: &str) -> TestApp {
    let delivery = "[delivery]\nunknown_wait = \"1s\"\n";
    let builder = TestApp::builder().rules(rules).config(delivery);
    builder.start().await
}

#[tokio::test]
async fn a_backup_under_load_holds_all_that_was_acknowledged_before_it() {
    let mut app = service(ECHO).await;
    app.stop().await;
    let mut served = app.served().await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = write_until(&stop, &app.sandbox);
    let acknowledged = || app.sandbox.look(|state| state.acknowledged.clone());

    for round in 0..10 {
        app.until_acknowledged(acknowledged().len() + 30).await;
        let before = acknowledged();

        let script = format!("umask 000; \"$0\" backup copy{round}.db --json");
        let run = Run::new("backup", &mut run::shell(app.folder(), &script)).await;

        let report: serde_json::Value = serde_json::from_str(&run.done()).unwrap();
        let copy = app.path(&format!("copy{round}.db"));
        let mode = copy.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(report["bytes"], copy.metadata().unwrap().len());
        let messages = sqlite::number(&copy, "SELECT count(*) FROM messages").await;
        assert_eq!(report["messages"], messages);
        let stored = "SELECT wamid FROM messages WHERE direction = 'in'";
        let stored = sqlite::texts(&copy, stored).await;
        let is_lost = |wamid: &&String| !stored.contains(*wamid);
        let lost: Vec<_> = before.iter().filter(is_lost).collect();
        assert!(lost.is_empty(), "acknowledged and not in it: {lost:?}");
        let integrity = sqlite::texts(&copy, "PRAGMA integrity_check").await;
        assert_eq!(integrity, ["ok"]);
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    served.kill().await;
    let mut copies = names(app.folder());
    copies.retain(|name| name.starts_with("copy"));
    assert_eq!(copies.len(), 10, "one file for each: {copies:?}");
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_leaves_nothing_and_gives_the_reason() {
    let app = service(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    app.write("there", "dear to somebody");
    std::fs::hard_link(app.database(), app.path("linked")).unwrap();
    app.write("half.db.part", "of a killed command");
    let mut before = names(app.folder());

    // The disk is full after 64 blocks.
    let full = "trap '' XFSZ; ulimit -f 64; \"$0\" backup half.db";
    let full = Run::new("backup", &mut run::shell(app.folder(), full)).await;
    assert_contains(&full.refused(), "no backup was made");
    for (arguments, why) in [
        ("there", "`there` is there already"),
        ("test.db --force", "it is the database itself"),
        ("linked --force", "it is the database itself"),
        ("./test.db-wal --force", "or belongs to it"),
        ("nowhere/copy.db", "its folder is not there"),
        (".", "it is a folder"),
        (
            "copy.db --database sqlite:none.db",
            "there is no database at `none.db`",
        ),
    ] {
        let run = app.replyd(&format!("backup {arguments}")).await;
        assert_contains(&run.refused(), why);
    }

    before.retain(|name| name != "half.db.part");
    assert_eq!(names(app.folder()), before);
    let content = std::fs::read_to_string(app.path("there")).unwrap();
    assert_eq!(content, "dear to somebody");
    app.replyd("backup there --force").await.done();
    let messages = sqlite::number(&app.path("there"), "SELECT count(*) FROM messages").await;
    assert_eq!(messages, 2);
}

#[tokio::test]
async fn only_a_backup_is_restored_and_never_under_a_running_service() {
    let mut app = service(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    app.replyd("backup good.db").await.done();
    let in_use = format!("is in use by process {}", std::process::id());
    assert_contains(&app.replyd("restore good.db").await.refused(), &in_use);
    app.stop().await;
    let good = std::fs::read(app.path("good.db")).unwrap();
    let mut broken = good.clone();
    broken[5 * 4096..9 * 4096].fill(0xa5);
    app.write("broken.db", broken);
    app.write("short.db", &good[..good.len() / 2]);
    edit(&app, "newer.db", "INSERT INTO _sqlx_migrations \
        (version, description, success, checksum, execution_time) VALUES (99, 'later', true, x'00', 0)").await;
    edit(&app, "other.db", "DROP TABLE service_state").await;
    let before = std::fs::read(app.database()).unwrap();

    for (file, why) in [
        ("broken.db", "`broken.db` is"),
        ("short.db", "`short.db` is"),
        (
            "newer.db",
            "was written by a newer replyd (schema 99, this one knows 1)",
        ),
        ("other.db", "it has not the tables of a replyd database"),
        ("rules.toml", "it is no SQLite database"),
        ("test.db", "it is the database itself"),
        ("none.db", "could not use `none.db`"),
        (".", "it is a folder"),
    ] {
        let run = app.replyd(&format!("restore {file}")).await;
        assert_contains(&run.refused(), why);
    }

    assert_eq!(std::fs::read(app.database()).unwrap(), before);
    let left = names(app.folder());
    assert!(!left.iter().any(|name| name.contains("restor")), "{left:?}");
}

/// A copy of `good.db` changed by a statement.
async fn edit(app: &TestApp, name: &str, statement: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    std::fs::copy(app.path("good.db"), app.path(name)).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(app.path(name));
    let mut connection = options.connect().await.unwrap();
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// A service that runs on a restored backup. In the backup, one reply was being sent, one was
/// queued, and one was to come later; all were sent after it was made.
async fn restored() -> TestApp {
    let mut app = service(RULES).await;
    app.sandbox.script(Fault::Stall);
    app.sandbox.say(ANA, "one").await;
    app.until_stalled().await;
    app.sandbox.say(ANA, "two").await;
    app.sandbox.say(BO, "later").await;
    let marks = "SELECT count(*) FROM read_marks";
    assert!(app.number(marks).await > 0, "one waits behind the reply");
    app.replyd("backup copy.db").await.done();
    assert_eq!(sqlite::number(&app.path("copy.db"), marks).await, 0);
    app.sandbox.release();
    assert_eq!(app.until_replies(ANA, 2).await.len(), 2);
    assert_eq!(app.until_replies(BO, 1).await.len(), 1);
    app.stop().await;
    let output = app.replyd("restore copy.db").await.done();
    let is_aside = |name: &String| name.starts_with("test.db.before-restore-");
    let aside = names(app.folder()).into_iter().find(is_aside).unwrap();
    assert_contains(&output, &aside);
    let newer = sqlite::number(&app.path(&aside), "SELECT count(*) FROM messages").await;
    assert!(newer > app.number("SELECT count(*) FROM messages").await);
    app.run().await;
    app
}

/// Waits until the service has looked at its outbox again and again: the reply that was being sent
/// is put aside a second after the start.
async fn until_held(app: &TestApp) {
    app.until_transcript("a held reply", ANA, |messages| {
        let mut states = messages
            .iter()
            .map(|message| message.outbox_state.as_deref());
        states.any(|state| state == Some("held")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restored_copy_takes_messages_and_sends_nothing_until_it_is_released() {
    let mut app = restored().await;
    let before = app.requests();

    app.sandbox.say(ANA, "three").await;
    app.sandbox.say("15550000009", "the first of mine").await;
    until_held(&app).await;
    app.restart().await;

    assert_eq!(
        texts(&app.transcript(ANA).await, "in"),
        ["one", "two", "three"]
    );
    assert_eq!(
        texts(&app.transcript(BO).await, "out"),
        [] as [&str; 0],
        "timers wait too"
    );
    let ready = get(app.admin(), "/readyz").await;
    assert_eq!(ready.status, 200);
    assert_contains(&ready.body, "restored: this database is a copy of");
    assert_eq!(app.requests(), before, "no reply and no read mark was sent");
    let asks = app.replyd("restore --release").await.refused();
    let question = "there is no terminal to ask on: send what stood queued in the backup";
    assert_contains(&asks, question);
    assert_contains(&asks, "1 message queued in the backup already");

    app.replyd("restore --release --yes").await.done();

    let sent = app.until_replies(ANA, 4).await;
    assert_eq!(sent[2..], ["you said two", "you said three"]);
    assert_eq!(app.until_replies(BO, 2).await.len(), 2);
    app.until_ready().await;
}

#[tokio::test]
async fn replies_queued_in_a_restored_copy_can_be_dropped() {
    let app = restored().await;
    app.sandbox.say(ANA, "three").await;
    until_held(&app).await;

    app.replyd("restore --release --drop").await.done();

    assert_eq!(app.until_replies(ANA, 3).await[2..], ["you said three"]);
    app.until_ready().await;
    app.sandbox.say(BO, "hello").await;
    app.drained().await;
    // The late answer came once, before the restore.
    assert_eq!(app.replies(BO), ["a late answer", "you said hello"]);
    let messages = app.transcript(ANA).await.into_iter();
    let states: Vec<_> = messages
        .filter_map(|message| message.outbox_state)
        .collect();
    assert_eq!(states, ["held", "expired", "accepted"]);
    let again = app.replyd("restore --release").await.done();
    assert_eq!(again, "the database is not held: it sends as always\n");
}

#[tokio::test]
async fn a_stopped_copy_is_released_too() {
    let mut app = service(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    app.stop().await;
    for line in ["backup copy.db", "restore copy.db", "restore --release"] {
        app.replyd(line).await.done();
    }

    app.run().await;
    app.sandbox.say(ANA, "again").await;
    app.drained().await;

    assert_eq!(app.replies(ANA).len(), 2);
    assert_eq!(app.readiness().await, "ready\n");
}

impl TestApp {
    /// Waits until `/readyz` calls the database held no more. The clock of the service stands
    /// still, which `/readyz` reports too.
    async fn until_ready(&self) {
        until_ready_says(self.admin(), |body| {
            body.starts_with("ready\n") && !body.contains("restored")
        })
        .await;
    }
}

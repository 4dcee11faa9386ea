//! `replyd backup` and `replyd restore`: beside a running service, at a full disk, and what a
//! restored copy may do.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use replyd::sandbox::Fault;
use tokio::process::Command;

use crate::process::{serve, write_until};
use crate::raw_http::get;
use crate::sqlite;
use crate::support::{ANA, ECHO, Options, TestApp, texts};

/// A person who gets an answer later.
const BEN: &str = "15550000002";
const EXTRA: &str = "[delivery]\nunknown_wait = \"1s\"\n";
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

/// Runs a command line in a shell, so that limits of processes can be set before it.
async fn shell(folder: &Path, line: &str) -> Output {
    let line = line.replace("replyd ", concat!(env!("CARGO_BIN_EXE_replyd"), " "));
    let mut command = Command::new("sh");
    let command = command.args(["-c", &line]).current_dir(folder);
    let command = command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.unwrap()
}

fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

#[track_caller]
fn done(output: &Output) -> String {
    let told = told(output);
    assert!(output.status.success(), "{told}");
    told
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(why), "`{why}` is not in:\n{told}");
}

/// A service whose folder has its configuration.
async fn service(rules: &'static str) -> TestApp {
    let app = TestApp::with(Options {
        rules,
        extra: EXTRA,
        ..Options::default()
    })
    .await;
    std::fs::write(app.folder().join("replyd.toml"), app.config()).unwrap();
    app
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_under_load_holds_all_that_was_acknowledged_before_it() {
    let mut app = service(ECHO).await;
    app.stop().await;
    let mut child = serve(app.folder(), &app.sandbox).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = write_until(&stop, &app.sandbox);
    let acknowledged = || app.sandbox.look(|state| state.acknowledged.clone());

    for round in 0..10 {
        let goal = acknowledged().len() + 30;
        let waiting = app.sandbox.wait_for("more messages", |state| {
            (state.acknowledged.len() >= goal).then_some(())
        });
        waiting.await;
        let before = acknowledged();

        let line = format!("umask 000; replyd backup copy{round}.db --json");
        let output = shell(app.folder(), &line).await;

        let told: serde_json::Value = serde_json::from_str(&done(&output)).unwrap();
        let copy = app.folder().join(format!("copy{round}.db"));
        let mode = copy.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(told["bytes"], copy.metadata().unwrap().len());
        let messages = sqlite::number(&copy, "SELECT count(*) FROM messages").await;
        assert_eq!(told["messages"], messages);
        let mut connection = sqlite::connect(&copy).await;
        let stored: Vec<String> =
            sqlx::query_scalar("SELECT wamid FROM messages WHERE direction = 'in'")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let lost: Vec<_> = before
            .iter()
            .filter(|one| !stored.iter().any(|wamid| one == &wamid))
            .collect();
        assert!(lost.is_empty(), "acknowledged and not in it: {lost:?}");
        let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(sound, "ok");
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    child.kill().await.unwrap();
    let copies: Vec<String> = names(app.folder())
        .into_iter()
        .filter(|name| name.starts_with("copy"))
        .collect();
    assert_eq!(copies.len(), 10, "one file for each: {copies:?}");
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_leaves_nothing_and_says_why() {
    let app = service(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    std::fs::write(app.folder().join("there"), "dear to somebody").unwrap();
    std::fs::hard_link(app.database(), app.folder().join("linked")).unwrap();
    std::fs::write(app.folder().join("half.db.part"), "of a killed command").unwrap();
    let before = names(app.folder());

    // The disk is full after 64 blocks.
    let full = "trap '' XFSZ; ulimit -f 64; replyd backup half.db";
    for (line, why) in [
        (full, "no backup was made"),
        ("replyd backup there", "`there` is there already"),
        ("replyd backup test.db --force", "it is the database itself"),
        ("replyd backup linked --force", "it is the database itself"),
        ("replyd backup ./test.db-wal --force", "or belongs to it"),
        ("replyd backup nowhere/copy.db", "its folder is not there"),
        ("replyd backup .", "it is a folder"),
        (
            "replyd backup copy.db --database sqlite:none.db",
            "there is no database at `none.db`",
        ),
    ] {
        refused(&shell(app.folder(), line).await, why);
    }

    let mut left = before.clone();
    left.retain(|name| name != "half.db.part");
    assert_eq!(names(app.folder()), left);
    let kept = std::fs::read_to_string(app.folder().join("there")).unwrap();
    assert_eq!(kept, "dear to somebody");
    done(&shell(app.folder(), "replyd backup there --force").await);
    assert_eq!(
        sqlite::number(&app.folder().join("there"), "SELECT count(*) FROM messages").await,
        2
    );
}

#[tokio::test]
async fn what_is_no_backup_of_ours_is_not_restored_and_a_running_service_is_left_alone() {
    let mut app = service(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    let folder = app.folder().to_owned();
    done(&shell(&folder, "replyd backup good.db").await);
    refused(
        &shell(&folder, "replyd restore good.db").await,
        &format!("is in use by process {}", std::process::id()),
    );
    app.stop().await;
    let good = std::fs::read(folder.join("good.db")).unwrap();
    let mut broken = good.clone();
    broken[5 * 4096..9 * 4096].fill(0xa5);
    std::fs::write(folder.join("broken.db"), broken).unwrap();
    std::fs::write(folder.join("short.db"), &good[..good.len() / 2]).unwrap();
    edit(&folder.join("good.db"), &folder.join("newer.db"), "INSERT INTO _sqlx_migrations \
        (version, description, success, checksum, execution_time) VALUES (99, 'later', true, x'00', 0)").await;
    edit(
        &folder.join("good.db"),
        &folder.join("other.db"),
        "DROP TABLE service_state",
    )
    .await;
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
        refused(
            &shell(&folder, &format!("replyd restore {file}")).await,
            why,
        );
    }

    assert_eq!(std::fs::read(app.database()).unwrap(), before);
    let left = names(&folder);
    assert!(!left.iter().any(|name| name.contains("restor")), "{left:?}");
}

/// A copy of a file with something done to it.
async fn edit(from: &Path, to: &Path, statement: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    std::fs::copy(from, to).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(to);
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
    let stalled = app
        .sandbox
        .wait_for("a send under way", |state| state.stalled().then_some(()));
    stalled.await;
    app.sandbox.say(ANA, "two").await;
    app.sandbox.say(BEN, "later").await;
    done(&shell(app.folder(), "replyd backup copy.db").await);
    app.sandbox.release();
    let sent = app.sandbox.wait_for("all of it", |state| {
        let all = state.replies(ANA).len() == 2 && state.replies(BEN).len() == 1;
        all.then_some(())
    });
    sent.await;
    app.stop().await;
    let told = done(&shell(app.folder(), "replyd restore copy.db").await);
    let aside = names(app.folder())
        .into_iter()
        .find(|name| name.starts_with("test.db.before-restore-"))
        .unwrap();
    assert!(told.contains(&aside), "{told}");
    let newer = sqlite::number(&app.folder().join(aside), "SELECT count(*) FROM messages").await;
    assert!(newer > sqlite::number(&app.database(), "SELECT count(*) FROM messages").await);
    app.run().await;
    app
}

/// Waits until the service has looked at its outbox again and again: the reply that was being sent
/// is put aside a second after it was found.
async fn looked_at(app: &TestApp) {
    app.until(
        "the reply of unknown fate is put aside",
        |store| async move {
            let entries = crate::support::transcript(&store, ANA).await;
            let mut ours = entries.iter().filter(|entry| entry.direction == "out");
            ours.any(|entry| entry.outbox_state.as_deref() == Some("held"))
                .then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn a_restored_copy_takes_messages_and_sends_nothing_until_it_is_released() {
    let mut app = restored().await;
    let requests = |app: &TestApp| app.sandbox.look(|state| state.requests.len());
    let before = requests(&app);

    app.sandbox.say(ANA, "three").await;
    looked_at(&app).await;
    app.restart().await;

    assert_eq!(
        texts(&app.transcript(ANA).await, "in"),
        ["one", "two", "three"]
    );
    assert_eq!(
        texts(&app.transcript(BEN).await, "out"),
        [] as [&str; 0],
        "timers wait too"
    );
    let ready = get(app.admin(), "/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(
        ready.body.contains("restored: this database is a copy of"),
        "{}",
        ready.body
    );
    assert_eq!(requests(&app), before, "nothing was sent");
    let asks = shell(app.folder(), "replyd restore --release").await;
    refused(
        &asks,
        "there is no terminal to ask on: send what stood queued in the backup",
    );
    assert!(
        told(&asks).contains("1 message queued in the backup already"),
        "{}",
        told(&asks)
    );

    done(&shell(app.folder(), "replyd restore --release --yes").await);

    let sent = app.sandbox.wait_for("what waited", |state| {
        (state.replies(ANA).len() == 4 && state.replies(BEN).len() == 2).then(|| {
            state
                .replies(ANA)
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        })
    });
    assert_eq!(sent.await[2..], ["you said two", "you said three"]);
    app.until_ready().await;
}

#[tokio::test]
async fn what_stood_queued_in_a_restored_copy_can_be_dropped() {
    let app = restored().await;
    app.sandbox.say(ANA, "three").await;
    looked_at(&app).await;

    done(&shell(app.folder(), "replyd restore --release --drop").await);

    let sent = app.sandbox.wait_for("the new answer", |state| {
        let replies = state.replies(ANA);
        (replies.len() == 3).then(|| replies[2].to_owned())
    });
    assert_eq!(sent.await, "you said three");
    app.until_ready().await;
    app.sandbox.say(BEN, "hello").await;
    app.drained().await;
    let to_ben: Vec<String> = app.sandbox.look(|state| {
        state
            .replies(BEN)
            .iter()
            .map(|text| (*text).to_owned())
            .collect()
    });
    assert_eq!(
        to_ben,
        ["a late answer", "you said hello"],
        "the late answer came once, before the restore"
    );
    let states: Vec<_> = app
        .transcript(ANA)
        .await
        .into_iter()
        .filter_map(|entry| entry.outbox_state)
        .collect();
    assert_eq!(states, ["held", "expired", "accepted"]);
    assert_eq!(
        done(&shell(app.folder(), "replyd restore --release").await).trim(),
        "the database is not held: it sends as always"
    );
}

#[tokio::test]
async fn a_stopped_copy_is_released_too() {
    let mut app = service(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    app.stop().await;
    done(&shell(app.folder(), "replyd backup copy.db").await);
    done(
        &shell(
            app.folder(),
            "replyd restore copy.db && replyd restore --release",
        )
        .await,
    );

    app.run().await;
    app.sandbox.say(ANA, "again").await;
    app.drained().await;

    assert_eq!(app.sandbox.look(|state| state.replies(ANA).len()), 2);
    assert_eq!(get(app.admin(), "/readyz").await.body, "ready\n");
}

impl TestApp {
    /// Waits until nothing says any more that it is held. Its clock stands still, which is told
    /// too.
    async fn until_ready(&self) {
        let admin = self.admin();
        self.until("readiness of a released copy", |_| async move {
            let body = get(admin, "/readyz").await.body;
            (body.starts_with("ready\n") && !body.contains("restored")).then_some(())
        })
        .await;
    }
}

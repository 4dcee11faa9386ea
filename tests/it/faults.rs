//! A disk that is full or does not write, a file that is locked or damaged: nothing acknowledged is
//! lost, `/readyz` shows the reason, and the service goes on by itself when the fault is over.

use std::path::{Path, PathBuf};
use std::process::Command;

use replyd::clock::Clock;
use replyd::sandbox::{Fault, Receipts, Sandbox, State};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::run::{self, Run, replyd};
use crate::support::served::Served;
use crate::support::{ECHO, assert_contains, bodies, in_time, service_config, start_sandbox};
use crate::{raw_http, sqlite};

const FULL: &str = "not ready\ndatabase: the disk is full: free some room; \
    webhooks are taken again seconds later, without a restart\n";
const UNWRITABLE: &str = "not ready\ndatabase: the disk does not read or write: \
    look at the system's log, and have a backup at hand\n";
const LOCKED: &str = "not ready\ndatabase: another program keeps the file locked: \
    end it (`lsof` with the file's path shows which)\n";
const DAMAGED: &str = "not ready\ndatabase: the file is damaged: stop the service and restore a backup; \
    nothing written from now on is safe\n";

/// Default of SQLite.
const PAGE_BYTES: usize = 4096;
/// More than one burst of webhooks, so that a line for each would be seen.
const REFUSED: usize = 30;

/// A small disk of its own, in memory, gone with the test.
struct Disk(PathBuf);

impl Disk {
    /// Only root may have one; for others the test says that it did not run.
    fn mount(place: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&place).unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&place)
            .output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(place))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: on a failure the service may still have its files open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

async fn writer(database: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database);
    options.connect().await.unwrap()
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

/// A service as a process, and the messages that it has acknowledged.
pub(crate) struct Service {
    pub(crate) served: Served,
    pub(crate) sandbox: Sandbox,
    folder: PathBuf,
    database: PathBuf,
    /// Ids of messages that were answered with 200.
    acknowledged: Vec<String>,
    posted: usize,
}

impl Service {
    /// Writes configuration and rules into the folder and starts the service, which outlives a
    /// signal for files that grow too large, as it does under a service manager that ignores it.
    pub(crate) async fn start(folder: &Path, database: &Path) -> Self {
        let sandbox = start_sandbox(Clock::System, Receipts::Normal).await;
        let config =
            service_config(database, &sandbox) + "[delivery]\nmessages_per_second = 1000\n";
        std::fs::write(folder.join("rules.toml"), ECHO).unwrap();
        std::fs::write(folder.join("replyd.toml"), config).unwrap();
        let mut command = run::shell(folder, "trap '' XFSZ; exec \"$0\" serve");
        let served = Served::spawn(&mut command).await;
        sandbox.connect(served.webhook());
        Self {
            served,
            sandbox,
            folder: folder.to_owned(),
            database: database.to_owned(),
            acknowledged: Vec::new(),
            posted: 0,
        }
    }

    /// Posts a new signed message once; gives the status, 0 when there was no response.
    pub(crate) async fn post(&mut self) -> u16 {
        self.posted += 1;
        let wamid = format!("wamid.{}", self.posted);
        let phone = format!("1555{:07}", self.posted);
        let body = bodies::with_text(&phone, &wamid, &"long ".repeat(200));
        let status = self.sandbox.post(body).await;
        if status == 200 {
            self.acknowledged.push(wamid);
        }
        status
    }

    /// Waits until the owner's `/readyz` has this body; the public one has its first word alone.
    async fn until(&self, body: &str) {
        self.served.until_ready_says(|ready| ready == body).await;
        let word = body.lines().next().unwrap();
        let public = raw_http::get(self.served.public, "/readyz").await;
        assert_eq!(public.body, format!("{word}\n"));
        assert_eq!(public.status, if word == "ready" { 200 } else { 503 });
    }

    /// Waits until a query of the database gives something else than 0.
    async fn until_stored(&self, query: &'static str) {
        let asking = async { while sqlite::number(&self.database, query).await == 0 {} };
        in_time(query, asking).await;
    }

    async fn healthcheck(&self) -> Run {
        let line = format!("healthcheck --address {}", self.served.public);
        replyd(&self.folder, &line).await
    }

    /// Takes one more message; every acknowledged one is in the database once. The fault is one
    /// line in the log when it begins and one when it ends, and none for each webhook between.
    async fn assert_it_recovered(mut self) {
        assert_eq!(self.post().await, 200, "{}", self.served.logs());
        let query = "SELECT wamid FROM messages WHERE direction = 'in'";
        let mut stored = sqlite::texts(&self.database, query).await;
        stored.sort();
        self.acknowledged.sort();
        assert_eq!(stored, self.acknowledged);
        let logs = self.served.kill().await;
        let count = |part: &str| logs.matches(part).count();
        let begun = count("\"message\":\"database takes no work");
        assert_eq!(begun, count("\"message\":\"database takes work again"));
        assert!((1..4).contains(&begun), "{logs}");
        assert_eq!(count("\"level\":\"ERROR\""), begun, "{logs}");
    }
}

#[tokio::test]
#[expect(
    clippy::print_stderr,
    reason = "whoever reads the result should know what was not tried"
)]
async fn after_a_full_disk_the_next_webhook_is_taken_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(folder.path().join("disk"), "3m") else {
        eprintln!("SKIPPED: only root can mount the small disk that this test fills");
        return;
    };
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![1; 1024 * 1024]).unwrap();
    let mut service = Service::start(folder.path(), &disk.0.join("test.db")).await;

    // A message may still find room after a larger write did not: then it is stored.
    let (mut taken, mut refused) = (0, 0);
    while refused < REFUSED {
        match service.post().await {
            200 => taken += 1,
            status => {
                assert_eq!(status, 503);
                refused += 1;
            }
        }
        assert!(taken < 5_000, "the disk does not fill");
    }
    service.until(FULL).await;
    service.healthcheck().await.refused();
    std::fs::remove_file(&ballast).unwrap();
    service.until("ready\n").await;

    assert!(taken > 0);
    service.healthcheck().await.done();
    service.assert_it_recovered().await;
}

/// From now on the process cannot write into any file beyond this size.
fn limit_files(service: &Service, bytes: &str) {
    let process = service.served.child.id().unwrap().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    let limited = Command::new("prlimit")
        .args(["--pid", &process, &limit])
        .output();
    assert!(limited.unwrap().status.success());
}

#[tokio::test]
async fn after_failed_writes_it_finds_its_way_back_without_a_webhook_and_settles_what_it_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path(), &folder.path().join("test.db")).await;
    service.sandbox.script(Fault::Stall);
    assert_eq!(service.post().await, 200);
    let stalled = |state: &State| state.stalled().then_some(());
    service.sandbox.wait_for("a send under way", stalled).await;

    limit_files(&service, "0");
    service.sandbox.release();
    for _ in 0..REFUSED {
        assert_eq!(service.post().await, 503);
    }
    service.until(UNWRITABLE).await;
    limit_files(&service, "unlimited");
    service.until("ready\n").await;

    let accepted = "SELECT count(*) FROM messages WHERE outbox_state = 'accepted'";
    service.until_stored(accepted).await;
    assert_eq!(service.sandbox.look(|state| state.accepted().count()), 1);
    service.assert_it_recovered().await;
}

#[tokio::test]
async fn while_another_program_holds_the_lock_it_is_not_ready_and_then_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path(), &folder.path().join("test.db")).await;
    let mut other = writer(&service.database).await;

    execute(&mut other, "BEGIN IMMEDIATE").await;
    let refused = service.post().await;
    service.until(LOCKED).await;
    execute(&mut other, "ROLLBACK").await;
    service.until("ready\n").await;

    assert_eq!(refused, 503);
    service.assert_it_recovered().await;
}

#[tokio::test]
async fn a_damaged_page_is_reported_and_the_whole_file_has_to_be_intact_before_it_is_ready_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path(), &folder.path().join("test.db")).await;
    assert_eq!(service.post().await, 200);
    // The service itself has nothing more to write.
    let is_quiet =
        "SELECT (SELECT count(*) FROM receipts) = 3 AND NOT EXISTS (SELECT 1 FROM outbox)";
    service.until_stored(is_quiet).await;
    // Whoever writes beside the service makes it read its pages again; the checkpoint brings them
    // into the file.
    let mut other = writer(&service.database).await;
    let change =
        "INSERT INTO quarantine (raw_key, reason, received_at_ms, raw) VALUES ('k', 'r', 1, x'00')";
    execute(&mut other, change).await;
    let page: i64 =
        sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'messages'")
            .fetch_one(&mut other)
            .await
            .unwrap();
    let busy = "PRAGMA wal_checkpoint(TRUNCATE)";
    while sqlx::query_scalar::<_, i64>(busy)
        .fetch_one(&mut other)
        .await
        .unwrap()
        != 0
    {}
    let place = usize::try_from(page - 1).unwrap() * PAGE_BYTES;

    let intact = std::fs::read(&service.database).unwrap();
    let intact = &intact[place..place + PAGE_BYTES];

    overwrite(&service.database, place, &[0xff; PAGE_BYTES]);
    let refused = service.post().await;
    service.until(DAMAGED).await;
    overwrite(&service.database, place, intact);
    service.until("ready\n").await;

    assert_eq!(refused, 503);
    service.assert_it_recovered().await;
}

/// Writes into the middle of a file, as a broken disk would.
fn overwrite(file: &Path, place: usize, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(bytes, place as u64).unwrap();
}

#[tokio::test]
async fn doctor_finds_a_database_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path(), &folder.path().join("test.db")).await;
    let doctor = async |limit: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" doctor");
        let mut command = run::shell(folder.path(), &script);
        Run::new("doctor", &mut command).await.stdout
    };

    let well = doctor("unlimited").await;
    let unwell = doctor("0").await;

    assert_contains(&well, "✓ database: ");
    assert_contains(&unwell, "✗ database: the disk does not read or write: ");
    assert_eq!(service.post().await, 200);
    service.served.kill().await;
}

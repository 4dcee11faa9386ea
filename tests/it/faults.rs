//! A disk that is full or does not write, a file that is locked or damaged: nothing acknowledged is
//! lost, whoever asks is told, and the service goes on by itself when the fault is over.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use replyd::sandbox::{Fault, State};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::sqlite;
use crate::support::served::Served;

const FULL: &str = "not ready\ndatabase: the disk is full: free some room; \
    webhooks are taken again seconds later, without a restart\n";
const UNWRITABLE: &str = "not ready\ndatabase: the disk does not read or write: \
    look at the system's log, and have a backup at hand\n";
const LOCKED: &str = "not ready\ndatabase: another program keeps the file locked: \
    end it (`lsof` with the file's path shows which)\n";
const DAMAGED: &str = "not ready\ndatabase: the file is damaged: stop the service and restore a backup; \
    nothing written from now on is safe\n";

/// Of SQLite, unless told otherwise.
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

/// Every message that was answered with 200 is in the database once.
async fn assert_nothing_is_lost(service: &Served) {
    let query = "SELECT wamid FROM messages WHERE direction = 'in'";
    let mut connection = sqlite::connect(&service.database).await;
    let mut stored: Vec<String> = sqlx::query_scalar(query)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    stored.sort();
    let mut acknowledged = service.acknowledged.clone();
    acknowledged.sort();
    assert_eq!(stored, acknowledged);
}

/// One line when it begins and one when it ends, and none for each webhook between.
fn assert_told_once(service: &Served) {
    let begun = service.logged("database takes no work");
    assert_eq!(begun, service.logged("database takes work again"));
    assert!((1..4).contains(&begun), "{}", service.logs());
    let errors = service.logs().matches("\"level\":\"ERROR\"").count();
    assert_eq!(errors, begun, "{}", service.logs());
}

fn healthcheck(service: &Served) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replyd"));
    let address = service.public.to_string();
    command.args(["healthcheck", "--address", &address]);
    command.output().unwrap()
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
    let mut service = Served::start(folder.path(), &disk.0.join("test.db")).await;

    let mut taken = 0;
    while service.post().await == 200 {
        taken += 1;
        assert!(taken < 5_000, "the disk does not fill");
    }
    for _ in 0..REFUSED {
        assert_eq!(service.post().await, 503);
    }
    service.until(FULL).await;
    let checked = healthcheck(&service);
    std::fs::remove_file(&ballast).unwrap();
    service.until("ready\n").await;
    let after = service.post().await;

    assert!(taken > 0);
    assert!(!checked.status.success());
    assert_eq!(after, 200, "{}", service.logs());
    assert!(healthcheck(&service).status.success());
    assert_nothing_is_lost(&service).await;
    assert_told_once(&service);
    service.child.kill().await.unwrap();
}

/// From now on the process cannot write into any file beyond this size.
fn limit_files(service: &Served, bytes: &str) {
    let process = service.child.id().unwrap().to_string();
    let limited = Command::new("prlimit")
        .args(["--pid", &process, &format!("--fsize={bytes}:unlimited")])
        .output()
        .unwrap();
    assert!(limited.status.success(), "{limited:?}");
}

#[tokio::test]
async fn after_failed_writes_it_finds_its_way_back_without_a_webhook_and_settles_what_it_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Served::start(folder.path(), &folder.path().join("test.db")).await;
    service.sandbox.script(Fault::Stall);
    assert_eq!(service.post().await, 200);
    let stalled = |state: &State| state.stalled().then_some(());
    service.sandbox.wait_for("a reply under way", stalled).await;

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
    assert_eq!(service.post().await, 200, "{}", service.logs());
    assert_nothing_is_lost(&service).await;
    assert_told_once(&service);
    service.child.kill().await.unwrap();
}

#[tokio::test]
async fn while_another_program_holds_the_lock_it_is_not_ready_and_then_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Served::start(folder.path(), &folder.path().join("test.db")).await;
    let mut other = writer(&service.database).await;

    execute(&mut other, "BEGIN IMMEDIATE").await;
    let refused = service.post().await;
    service.until(LOCKED).await;
    execute(&mut other, "ROLLBACK").await;
    service.until("ready\n").await;

    assert_eq!(refused, 503);
    assert_eq!(service.post().await, 200);
    assert_nothing_is_lost(&service).await;
    assert_told_once(&service);
    service.child.kill().await.unwrap();
}

#[tokio::test]
async fn a_damaged_page_is_told_and_the_whole_file_has_to_be_well_before_it_is_ready_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Served::start(folder.path(), &folder.path().join("test.db")).await;
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

    let sound = std::fs::read(&service.database).unwrap();
    let sound = &sound[place..place + PAGE_BYTES];

    overwrite(&service.database, place, &[0xff; PAGE_BYTES]);
    let refused = service.post().await;
    service.until(DAMAGED).await;
    overwrite(&service.database, place, sound);
    service.until("ready\n").await;

    assert_eq!(refused, 503);
    assert_eq!(service.post().await, 200, "{}", service.logs());
    assert_nothing_is_lost(&service).await;
    assert_told_once(&service);
    service.child.kill().await.unwrap();
}

/// Writes into the middle of a file, as a broken disk would.
fn overwrite(file: &Path, place: usize, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(bytes, place as u64).unwrap();
}

#[tokio::test]
async fn doctor_tells_of_a_database_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Served::start(folder.path(), &folder.path().join("test.db")).await;
    let doctor = |limit: &str| {
        let shell = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" doctor");
        let output = Command::new("sh")
            .args(["-c", &shell, env!("CARGO_BIN_EXE_replyd")])
            .current_dir(folder.path())
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };

    let well = doctor("unlimited");
    let unwell = doctor("0");

    assert!(well.contains("✓ database: "), "{well}");
    assert!(
        unwell.contains("✗ database: the disk does not read or write: "),
        "{unwell}"
    );
    assert_eq!(service.post().await, 200);
    service.child.kill().await.unwrap();
}

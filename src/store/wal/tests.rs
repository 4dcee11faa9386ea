//! Crash images of a database under random work: each must be accepted, and mixed files of
//! different images that are accepted must be as sound as the database was.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::{check, log_path};
use crate::store::error::StoreError;
use crate::store::integrity::renew_stamp;

const RUNS: usize = 5;
const STEPS: usize = 40;

/// Random numbers (`SplitMix64`), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    options.create_if_missing(true).connect().await.unwrap()
}

async fn run(connection: &mut SqliteConnection, text: String) {
    let text = AssertSqlSafe(text);
    sqlx::raw_sql(text).execute(connection).await.unwrap();
}

/// Returns a change or checkpoint as a service makes them.
fn step(random: &mut Random) -> String {
    let size = 1 + random.below(3000);
    match random.below(12) {
        0..=5 => format!("INSERT INTO t (x) VALUES (randomblob({size})), (randomblob({size}))"),
        6 => "UPDATE t SET x = randomblob(900) WHERE id % 5 = 0".to_owned(),
        7 => "DELETE FROM t WHERE id % 3 = 0".to_owned(),
        8 => "BEGIN; INSERT INTO t (x) VALUES (randomblob(9000)); DELETE FROM t WHERE id % 4 = 1; COMMIT".to_owned(),
        9 => "PRAGMA wal_checkpoint(PASSIVE)".to_owned(),
        10 => "PRAGMA wal_checkpoint(RESTART)".to_owned(),
        _ => "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
    }
}

/// Database and log after a crash.
type Image = (Vec<u8>, Vec<u8>);

fn image(path: &Path) -> Image {
    (
        fs::read(path).unwrap(),
        fs::read(log_path(path)).unwrap_or_default(),
    )
}

fn lay(folder: &Path, database: &[u8], log: &[u8]) -> PathBuf {
    let path = folder.join("laid.db");
    for end in ["-shm", "-journal"] {
        let _ = fs::remove_file(crate::store::sqlite::beside_path(&path, end));
    }
    fs::write(&path, database).unwrap();
    fs::write(log_path(&path), log).unwrap();
    path
}

async fn images(path: &Path) -> Vec<Image> {
    let mut random = Random(2026);
    let mut images = Vec::new();
    for start in 0..RUNS {
        if start > 0 {
            renew_stamp(path).await.unwrap();
        }
        let mut connection = open(path).await;
        let begin = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 40; \
            CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, x BLOB)";
        run(&mut connection, begin.to_owned()).await;
        for _ in 0..STEPS {
            run(&mut connection, step(&mut random)).await;
            images.push(image(path));
        }
        connection.close().await.unwrap();
    }
    images
}

#[tokio::test]
async fn no_crash_image_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(&folder.path().join("work.db")).await;

    for (database, log) in &images {
        let path = lay(folder.path(), database, log);
        assert!(check(&path).is_ok(), "{:?}", check(&path));
        // A log whose last part did not reach the disk.
        let path = lay(folder.path(), database, &log[..log.len() * 2 / 3]);
        assert!(check(&path).is_ok(), "{:?}", check(&path));
    }
}

#[tokio::test]
async fn older_files_of_another_start_are_refused_when_the_log_tells_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(&folder.path().join("work.db")).await;
    let (mut refused, mut taken, mut harmed) = (0, 0, 0);

    for (later, (_, log)) in images
        .iter()
        .enumerate()
        .filter(|(_, (_, log))| !log.is_empty())
    {
        for (database, _) in images[..later].iter().step_by(7) {
            let path = lay(folder.path(), database, log);
            match check(&path) {
                Err(StoreError::ForeignLog { .. }) => refused += 1,
                Err(other) => unreachable!("{other:?}"),
                Ok(()) => {
                    taken += 1;
                    harmed += u32::from(!is_sound(&path).await);
                }
            }
        }
    }

    // Accepted without proof: mostly a file of the same start and the same length.
    assert!(
        refused > 12 * harmed,
        "{refused} refused, {taken} taken, {harmed} of them harmed"
    );
}

async fn is_sound(path: &Path) -> bool {
    let mut connection = open(path).await;
    let check = sqlx::query_scalar::<_, String>("PRAGMA integrity_check(1)");
    let report = check.fetch_one(&mut connection).await;
    let sound = report.is_ok_and(|report| report == "ok");
    let _ = connection.close().await;
    sound
}

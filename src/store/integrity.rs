//! What is done to a database before the service works on it: its log must be its own, it must not
//! be damaged, and it gets a new stamp.
//!
//! The stamp is a random number in the file's header (`user_version`). It is changed only while
//! there is no write-ahead log, so every version of the first page in a log has the stamp of the
//! file it belongs to: an older copy that was put in the file's place is found out by it
//! ([`super::wal`]).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use uuid::Uuid;

use super::error::StoreError;
use super::{sql, wal};

/// A larger file is looked at while the service runs: this many bytes take half a second.
const LOOKED_AT_FIRST: u64 = 32 << 20;
/// What the name of a database ends in while it is being restored.
pub(super) const RESTORING: &str = ".restoring";
/// A long check looks this often whether it is still wanted, counted in SQLite's steps.
const STEPS: i32 = 100_000;
/// SQLite's codes for a file that is not as it must be: `SQLITE_CORRUPT`, `SQLITE_NOTADB`.
const DAMAGED: [u32; 2] = [11, 26];

/// How much of a database was checked for damage before it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Checked {
    /// The whole file, without a finding.
    #[default]
    Whole,
    /// Nothing: the file is too large to be checked first.
    NotYet,
}

/// Looks at the database that is there, and gives it a new stamp.
///
/// # Errors
/// `ForeignLog`, `HalfRestored`, `Damaged`, `File`, `Database`.
pub(super) async fn prepare(path: &Path) -> Result<Checked, StoreError> {
    wal::check(path)?;
    if !path.exists() && super::sqlite::beside_path(path, RESTORING).exists() {
        // A new and empty one in its place would look as if all were lost.
        return Err(StoreError::HalfRestored(path.to_owned()));
    }
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    if bytes == 0 {
        return Ok(Checked::Whole);
    }
    let checked = if bytes <= LOOKED_AT_FIRST {
        match damage(path, &Arc::default()).await? {
            None => Checked::Whole,
            Some(what) => {
                let path = path.to_owned();
                return Err(StoreError::Damaged { path, what });
            }
        }
    } else {
        Checked::NotYet
    };
    // Whoever reads the database now keeps its log open. Then the stamp stays what it was, which is
    // safe.
    let _ = renew_stamp(path).await;
    Ok(checked)
}

/// Gives a database a stamp that no other has. Its log goes, and comes back when it is opened for
/// service.
pub(super) async fn renew_stamp(path: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::ZERO);
    let mut connection = options.connect().await?;
    let alone = sqlx::query(sql::REMOVE_LOG).execute(&mut connection);
    let stamped = match alone.await {
        Ok(_) => stamp(&mut connection).await,
        Err(error) => Err(error),
    };
    connection.close().await?;
    stamped
}

/// The same on a connection to a database without a log.
pub(super) async fn stamp(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // 31 bits: SQLite reads the number with a sign.
    let stamp = Uuid::new_v4().as_u128() & 0x7fff_ffff;
    let text = AssertSqlSafe(format!("PRAGMA user_version = {stamp}"));
    sqlx::query(text).execute(connection).await?;
    Ok(())
}

/// What is damaged in the file; `None` when nothing is, or when `stop` was set meanwhile.
pub(super) async fn damage(
    path: &Path,
    stop: &Arc<AtomicBool>,
) -> Result<Option<String>, StoreError> {
    let looking = async {
        let options = SqliteConnectOptions::new().filename(path);
        let mut connection = options.connect().await?;
        let found = check(&mut connection, sql::QUICK_CHECK, stop).await;
        connection.close().await?;
        found
    };
    match looking.await {
        Ok(found) => Ok(found),
        Err(_) if stop.load(Ordering::Relaxed) => Ok(None),
        Err(error) => says_damaged(&error).map_or(Err(error.into()), |what| Ok(Some(what))),
    }
}

/// Runs one of SQLite's checks; it ends early when `stop` is set.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    text: &'static str,
    stop: &Arc<AtomicBool>,
) -> Result<Option<String>, sqlx::Error> {
    let stop = Arc::clone(stop);
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(STEPS, move || !stop.load(Ordering::Relaxed));
    drop(handle);
    let found: String = sqlx::query_scalar(text).fetch_one(connection).await?;
    Ok((found != "ok").then_some(found))
}

/// What SQLite says when the file is not as it must be.
pub(super) fn says_damaged(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?;
    let code = error.code()?;
    // Extended codes carry the plain one in their lowest byte.
    let plain = code.parse::<u32>().ok()? & 0xff;
    DAMAGED.contains(&plain).then(|| error.message().to_owned())
}

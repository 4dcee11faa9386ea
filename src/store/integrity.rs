//! Preparation of a database before the service opens it: the log beside it must be its own, it
//! must not be damaged, and it gets a new stamp.
//!
//! The stamp is a random number in the file's header (`user_version`). It changes only while there
//! is no write-ahead log, so every version of the first page in a log has the stamp of the file
//! that the log belongs to; an older copy put in the file's place has another one ([`super::wal`]).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use uuid::Uuid;

use super::error::StoreError;
use super::{sql, wal};

/// Upper bound in bytes of a file that is checked before it is opened, which takes half a second; a
/// larger one is checked while the service runs.
const CHECK_FIRST_BYTES: u64 = 32 << 20;
/// Suffix of a database while it is being restored.
pub(super) const RESTORING: &str = ".restoring";
/// Number of SQLite's steps after which a check looks whether it was stopped.
const STEPS: i32 = 100_000;
/// SQLite's codes of a damaged file: `SQLITE_CORRUPT`, `SQLITE_NOTADB`.
const DAMAGE_CODES: [u32; 2] = [11, 26];

/// Extent of the check for damage before a database was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Checked {
    /// The whole file was checked and is sound.
    #[default]
    Whole,
    /// Nothing was checked, because the file is too large.
    NotYet,
}

/// Checks an existing database, and gives it a new stamp.
///
/// # Errors
/// `ForeignLog`, `HalfRestored`, `Damaged`, `File`, `Database`.
pub(super) async fn prepare(path: &Path) -> Result<Checked, StoreError> {
    wal::check(path)?;
    if !path.exists() && super::sqlite::beside_path(path, RESTORING).exists() {
        // A new, empty database would look as if all data were lost.
        return Err(StoreError::HalfRestored(path.to_owned()));
    }
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    if bytes == 0 {
        return Ok(Checked::Whole);
    }
    let checked = if bytes <= CHECK_FIRST_BYTES {
        match damage(path, &Arc::default()).await? {
            None => Checked::Whole,
            Some(what) => return Err(StoreError::Damaged(path.to_owned(), what)),
        }
    } else {
        Checked::NotYet
    };
    // A command that reads the database keeps its log open. Then the stamp stays, which is safe.
    let _ = renew_stamp(path).await;
    Ok(checked)
}

/// Gives a database a unique stamp. The log is deleted, and created again when the database is
/// opened for service.
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

/// Writes a new stamp over a connection to a database without a log.
pub(super) async fn stamp(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // 31 bits, because SQLite reads the number with a sign.
    let stamp = Uuid::new_v4().as_u128() & 0x7fff_ffff;
    let text = AssertSqlSafe(format!("PRAGMA user_version = {stamp}"));
    sqlx::query(text).execute(connection).await?;
    Ok(())
}

/// Describes the damage of a file; `None` if it is sound, or if `stop` was set meanwhile.
pub(super) async fn damage(
    path: &Path,
    stop: &Arc<AtomicBool>,
) -> Result<Option<String>, StoreError> {
    let checking = async {
        let options = SqliteConnectOptions::new().filename(path);
        let mut connection = options.connect().await?;
        let damage = check(&mut connection, sql::QUICK_CHECK, stop).await;
        connection.close().await?;
        damage
    };
    match checking.await {
        Ok(damage) => Ok(damage),
        Err(_) if stop.load(Ordering::Relaxed) => Ok(None),
        Err(error) => says_damaged(&error).map_or(Err(error.into()), |what| Ok(Some(what))),
    }
}

/// Runs one of SQLite's checks; setting `stop` ends it early.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    text: &'static str,
    stop: &Arc<AtomicBool>,
) -> Result<Option<String>, sqlx::Error> {
    let stop = Arc::clone(stop);
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(STEPS, move || !stop.load(Ordering::Relaxed));
    drop(handle);
    let report: String = sqlx::query_scalar(text).fetch_one(connection).await?;
    Ok((report != "ok").then_some(report))
}

/// Message of an error that reports a damaged file.
pub(super) fn says_damaged(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?;
    let code = error.code()?;
    // The lowest byte of an extended code is the plain one.
    let plain = code.parse::<u32>().ok()? & 0xff;
    DAMAGE_CODES
        .contains(&plain)
        .then(|| error.message().to_owned())
}

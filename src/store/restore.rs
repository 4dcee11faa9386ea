//! Restores a backup: it replaces the database, which is renamed and never deleted.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use super::backup;
use super::backup::{Copied, CopyError, Part, Progress, is_same};
use super::error::StoreError;
use super::process_lock::Lock;
use super::sqlite::{beside_path, path_of};
use super::{integrity, sql, wal};
use crate::files;

/// First bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Suffixes of the files of one database; the log is moved after its file, so that the file is
/// never without its log.
const PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Result of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Contents of the database.
    pub copied: Copied,
    /// New path of the previous database; `None` if there was none.
    pub aside: Option<PathBuf>,
}

/// Replaces the database with a copy of a backup, held: nothing is sent from it until it is
/// released.
///
/// # Errors
/// Every [`CopyError`]; then the database is unchanged.
pub async fn restore(
    url: &str,
    from: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Restored, CopyError> {
    let database = path_of(url)?;
    check_source(from, &database)?;
    let folder = database.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), files::make_folder);
    made.map_err(StoreError::from)?;
    let _lock = Lock::take(&database)?;
    wal::check_when_alone(from)?;
    let log = wal::log_path(from).metadata();
    let has_log = log.is_ok_and(|log| log.len() > 0);
    let options = SqliteConnectOptions::new()
        .filename(from)
        .read_only(true)
        // Without a log there is no writer, and no file is left beside it.
        .immutable(!has_log);
    let blame = |error: sqlx::Error| backup::Failure::from(error).blaming(from, &database);
    let mut source = options.connect().await.map_err(blame)?;
    backup::inspect(&mut source, from).await?;
    let damage = backup::check(&mut source, sql::FULL_CHECK).await;
    if let Some(what) = damage.map_err(blame)? {
        return Err(CopyError::Damaged(from.to_owned(), what));
    }
    let part = Part::create(beside_path(&database, integrity::RESTORING))?;
    let copied = backup::copy(&mut source, &part, now, progress).await;
    let copied = copied.map_err(|error| error.blaming(from, &database))?;
    let aside = put_aside(&database, now);
    let aside = aside.map_err(|error| CopyError::File(database.clone(), error))?;
    part.publish(&database)?;
    Ok(Restored { copied, aside })
}

/// Rejects a file that is not SQLite's, and the database itself.
fn check_source(from: &Path, database: &Path) -> Result<(), CopyError> {
    let not_ours = |what: &str| CopyError::NotOurs(from.to_owned(), what.to_owned());
    if from.is_dir() {
        return Err(not_ours("it is a folder"));
    }
    let mut head = Vec::new();
    let read = std::fs::File::open(from)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
    read.map_err(|error| CopyError::File(from.to_owned(), error))?;
    if is_same(from, database) {
        return Err(not_ours("it is the database itself"));
    }
    if head != MAGIC {
        return Err(not_ours("it is no SQLite database"));
    }
    Ok(())
}

/// Renames the database with all its files, so that it can be opened under the new name.
fn put_aside(database: &Path, now: Timestamp) -> std::io::Result<Option<PathBuf>> {
    let exists = |end: &&str| beside_path(database, end).exists();
    let parts: Vec<&str> = PARTS.into_iter().filter(exists).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let aside = free_name(database, now);
    for end in parts {
        std::fs::rename(beside_path(database, end), beside_path(&aside, end))?;
    }
    backup::sync_folder(database)?;
    Ok(Some(aside))
}

/// Finds an unused name with the time in it, and with a number if that is taken.
fn free_name(database: &Path, now: Timestamp) -> PathBuf {
    let time = now.strftime("%Y%m%dT%H%M%SZ");
    let numbered = |number: u32| {
        let number = match number {
            0 => String::new(),
            number => format!("-{number}"),
        };
        beside_path(database, &format!(".before-restore-{time}{number}"))
    };
    let is_free = |name: &PathBuf| PARTS.iter().all(|end| !beside_path(name, end).exists());
    let free = (0..=u32::MAX).map(numbered).find(is_free);
    free.expect("a folder does not hold every name")
}

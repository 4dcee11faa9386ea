//! Copies of the database, made beside a running service and checked before they get their name.
//!
//! A copy of the file alone is incomplete: the latest commits are in the log beside it. `VACUUM
//! INTO` reads one snapshot of both while the service goes on writing, and gives one file without a
//! log. The copy is marked as held (`super::gate`), gets its own stamp ([`super::integrity`]), is
//! checked, synced and renamed.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::StoreError;
use super::migrate::MIGRATIONS;
use super::sqlite::path_of;
use super::{integrity, sql};
use crate::files;
use crate::message::counted;

/// Interval between reports of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Reports progress: bytes written so far, and expected bytes.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Contents of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Size of the file.
    pub bytes: u64,
    /// Number of messages, inbound and outbound.
    pub messages: i64,
    /// Number of conversations.
    pub conversations: i64,
    /// Time at which the last message was stored; `None` without messages.
    pub newest: Option<Timestamp>,
    /// Last migration of the schema.
    pub schema: i64,
}

/// Treatment of a file that has the name of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// The file stays, and no copy is made.
    Stays,
    /// The complete copy replaces the file.
    IsReplaced,
}

/// Reason why a copy was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database cannot be opened or is in use.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file has the name of the copy.
    #[error("`{}` is there already", .0.display())]
    Exists(PathBuf),
    /// A copy cannot or must not be written to this path.
    #[error("`{}` cannot be written: {}", .0.display(), .1)]
    Place(PathBuf, &'static str),
    /// Another command writes to the same file.
    #[error("another command is writing `{}` now", .0.display())]
    Busy(PathBuf),
    /// A file is missing, or cannot be read or written.
    #[error("could not use `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// The copy could not be written, or not read again.
    #[error("could not copy into `{}`", .0.display())]
    Copy(PathBuf, #[source] sqlx::Error),
    /// The file is not a copy of a replyd database.
    #[error("`{}` is no backup: {}", .0.display(), .1)]
    NotOurs(PathBuf, String),
    /// The copy has a newer schema.
    #[error(
        "`{}` was written by a newer replyd (schema {schema}, this one knows {known}): install that version or a newer one first",
        path.display()
    )]
    Newer {
        /// The copy.
        path: PathBuf,
        /// Last migration of the copy.
        schema: i64,
        /// Last migration of this program.
        known: i64,
    },
    /// A check found the file damaged.
    #[error("`{}` is damaged: {}", .0.display(), .1)]
    Damaged(PathBuf, String),
}

/// Copies the database into a file, beside a running service or without one.
///
/// # Errors
/// Every [`CopyError`]; then no part of the copy remains.
pub async fn backup(
    url: &str,
    to: &Path,
    present: Present,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Copied, CopyError> {
    let database = path_of(url)?;
    if !database.exists() {
        return Err(StoreError::Missing(database).into());
    }
    check_place(&database, to, present)?;
    let options = SqliteConnectOptions::new()
        .filename(&database)
        .read_only(true);
    let mut source = options.connect().await.map_err(StoreError::from)?;
    inspect(&mut source, &database).await?;
    let part = Part::create(super::sqlite::beside_path(to, ".part"))?;
    let copied = copy(&mut source, &part, now, progress).await;
    let copied = copied.map_err(|error| error.blaming(&database, to))?;
    // A file of this name may have been created meanwhile.
    check_place(&database, to, present)?;
    part.publish(to)?;
    Ok(copied)
}

/// Rejects a path where a copy cannot or must not be written.
fn check_place(database: &Path, to: &Path, present: Present) -> Result<(), CopyError> {
    let wrong = |what| Err(CopyError::Place(to.to_owned(), what));
    if to.is_dir() {
        return wrong("it is a folder; name a file in it");
    }
    if to.file_name().is_none() {
        return wrong("it names no file");
    }
    if !folder_of(to).is_dir() {
        return wrong("its folder is not there");
    }
    for end in ["", "-wal", "-shm", "-journal", ".lock"] {
        if is_same(&super::sqlite::beside_path(database, end), to) {
            return wrong("it is the database itself, or belongs to it");
        }
    }
    match present {
        Present::Stays if to.exists() => Err(CopyError::Exists(to.to_owned())),
        Present::Stays | Present::IsReplaced => Ok(()),
    }
}

/// Whether two paths lead to the same file, which may not exist yet.
pub(super) fn is_same(path: &Path, other: &Path) -> bool {
    let resolve = |path: &Path| {
        let whole = path.canonicalize().ok();
        let folder = || folder_of(path).canonicalize().ok();
        whole.or_else(|| Some(folder()?.join(path.file_name()?)))
    };
    resolve(path).is_some_and(|resolved| Some(resolved) == resolve(other)) || is_linked(path, other)
}

/// Whether two paths are hard links to one file.
#[cfg(unix)]
fn is_linked(path: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path: &Path| {
        let file = path.metadata().ok()?;
        Some((file.dev(), file.ino()))
    };
    id(path).is_some_and(|file| Some(file) == id(other))
}

#[cfg(not(unix))]
fn is_linked(_: &Path, _: &Path) -> bool {
    false
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Checks that an open database belongs to replyd, and returns the last migration of its schema.
pub(super) async fn inspect(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<i64, CopyError> {
    let not_ours = |what: String| CopyError::NotOurs(path.to_owned(), what);
    let blame = |error: sqlx::Error| match integrity::says_damaged(&error) {
        Some(what) => not_ours(what),
        None => CopyError::Store(error.into()),
    };
    let has_tables = sqlx::query_scalar(sql::HAS_TABLES).fetch_one(&mut *connection);
    let has_tables: bool = has_tables.await.map_err(blame)?;
    if !has_tables {
        return Err(not_ours(
            "it has not the tables of a replyd database".into(),
        ));
    }
    let applied = sqlx::query_as(sql::APPLIED_MIGRATIONS).fetch_all(connection);
    let applied: Vec<(i64, Vec<u8>)> = applied.await.map_err(blame)?;
    let migrator = super::migrate::migrator();
    let mut last = 0;
    for (version, checksum) in applied {
        last = version;
        let mut known = migrator.iter();
        let known = known.find(|migration| migration.version == version);
        if known.is_some_and(|migration| *migration.checksum != *checksum) {
            return Err(not_ours("its schema is of another build of replyd".into()));
        }
    }
    let known = MIGRATIONS.last().map_or(0, |(version, _, _)| *version);
    if last > known {
        return Err(CopyError::Newer {
            path: path.to_owned(),
            schema: last,
            known,
        });
    }
    Ok(last)
}

/// Failure of copying, without the paths as the operator knows them.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(sqlx::Error),
    Copy(CopyError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl Failure {
    /// Adds the paths. Damage is in the source: the copy is new.
    pub(super) fn blaming(self, source: &Path, to: &Path) -> CopyError {
        match self {
            Self::Copy(error) => error,
            Self::Sql(error) => match integrity::says_damaged(&error) {
                Some(what) => CopyError::Damaged(source.to_owned(), what),
                None => CopyError::Copy(to.to_owned(), error),
            },
        }
    }
}

/// Copies the database, marks the copy as held, and checks it.
pub(super) async fn copy(
    source: &mut SqliteConnection,
    part: &Part,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Copied, Failure> {
    let total = sqlx::query_scalar(sql::USED_BYTES).fetch_one(&mut *source);
    let total: i64 = total.await?;
    {
        let copying = sqlx::query(sql::COPY_INTO).bind(part.name()?);
        let mut copying = std::pin::pin!(copying.execute(source));
        loop {
            tokio::select! {
                done = &mut copying => break done?,
                () = tokio::time::sleep(PROGRESS_EVERY) => progress(part.bytes(), total.unsigned_abs()),
            };
        }
    };
    let options = SqliteConnectOptions::new().filename(&part.path);
    let mut copied = options.connect().await?;
    let held = sqlx::query(sql::HOLD_COPY).bind(now.as_millisecond());
    held.execute(&mut copied).await?;
    integrity::stamp(&mut copied).await?;
    copied.close().await?;
    let options = SqliteConnectOptions::new()
        .filename(&part.path)
        .immutable(true)
        .read_only(true);
    let mut copied = options.connect().await?;
    // Every index of the copy is new, so this finds as much as the full check.
    if let Some(what) = check(&mut copied, sql::QUICK_CHECK).await? {
        return Err(Failure::Copy(CopyError::Damaged(part.path.clone(), what)));
    }
    let schema = inspect(&mut copied, &part.path).await;
    let schema = schema.map_err(Failure::Copy)?;
    let contents = sqlx::query_as(sql::COPY_CONTENTS).fetch_one(&mut copied);
    let (messages, conversations, newest): (i64, i64, Option<i64>) = contents.await?;
    let contents = Copied {
        bytes: part.bytes(),
        messages,
        conversations,
        newest: newest.and_then(|at| Timestamp::from_millisecond(at).ok()),
        schema,
    };
    copied.close().await?;
    Ok(contents)
}

/// Describes the damage of an open database, by one of SQLite's checks and by references to missing
/// rows.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    text: &'static str,
) -> Result<Option<String>, sqlx::Error> {
    let damage = integrity::check(&mut *connection, text, &Arc::default()).await?;
    if damage.is_some() {
        return Ok(damage);
    }
    let orphans = sqlx::query_scalar(sql::COUNT_ORPHANS).fetch_one(connection);
    let orphans: i64 = orphans.await?;
    Ok((orphans > 0).then(|| {
        format!(
            "{} to rows that are not there",
            counted(orphans, "reference")
        )
    }))
}

/// A file that is being written under a temporary name. It is deleted unless it is published.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: Option<File>,
}

impl Part {
    /// Creates the file, readable only by its owner, over the rest of a command that was killed.
    pub(super) fn create(path: PathBuf) -> Result<Self, CopyError> {
        // SQLite gets an absolute path: it would read one that begins with `file:` as a URL.
        let path = std::path::absolute(&path).map_err(|error| CopyError::File(path, error))?;
        let failed = |error| CopyError::File(path.clone(), error);
        let file = files::open_private(&path).map_err(failed)?;
        // Where locks are mandatory, SQLite could not write.
        let locked = if cfg!(unix) { file.try_lock() } else { Ok(()) };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CopyError::Busy(path)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            file.set_permissions(mode).map_err(failed)?;
        }
        file.set_len(0).map_err(failed)?;
        Ok(Self {
            path,
            file: Some(file),
        })
    }

    fn name(&self) -> Result<&str, Failure> {
        self.path.to_str().ok_or_else(|| {
            let what = "its name is no text (UTF-8)";
            Failure::Copy(CopyError::Place(self.path.clone(), what))
        })
    }

    fn bytes(&self) -> u64 {
        self.path.metadata().map_or(0, |file| file.len())
    }

    /// Syncs the file and gives it its name, so that a power cut cannot undo it.
    pub(super) fn publish(mut self, name: &Path) -> Result<(), CopyError> {
        let failed = |error| CopyError::File(name.to_owned(), error);
        if let Some(file) = &self.file {
            file.sync_all().map_err(failed)?;
        }
        std::fs::rename(&self.path, name).map_err(failed)?;
        self.file = None;
        sync_folder(name).map_err(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // An error has no reader here, and the next command deletes the files.
            let _ = std::fs::remove_file(&self.path);
            let _ = std::fs::remove_file(super::sqlite::beside_path(&self.path, "-journal"));
        }
    }
}

/// Syncs the folder of a file, so that its name survives a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

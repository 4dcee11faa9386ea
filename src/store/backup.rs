//! Copies of the database, made beside a running service and checked before they get their name.
//!
//! A copy of the file alone is none: what was committed lately stands in the log beside it. `VACUUM
//! INTO` reads one snapshot of both while the service writes on, and gives one file without a log.
//! The copy is marked as one that sends nothing (`super::gate`), gets a stamp of its own
//! ([`super::integrity`]), is checked, synced and renamed.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::error::StoreError;
use super::migrate::MIGRATIONS;
use super::sqlite::path_of;
use super::{integrity, sql};
use crate::files;

/// How often it is told how far a copy is.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Told how many bytes are written, and how many there will be.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// A copy, as it was found when it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its size.
    pub bytes: u64,
    /// Of both sides.
    pub messages: i64,
    /// One for each person and number.
    pub conversations: i64,
    /// When the last message was stored; `None` without messages.
    pub newest: Option<Timestamp>,
    /// The last step of the schema.
    pub schema: i64,
}

/// What becomes of a file that has the name of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// It stays, and no copy is made.
    Stays,
    /// The copy takes its place, once it is complete.
    IsReplaced,
}

/// Why a copy was not made or not taken.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database cannot be opened or is in use.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a file of this name.
    #[error("`{}` is there already", .0.display())]
    Exists(PathBuf),
    /// A copy is a file in a folder that is there.
    #[error("`{}` cannot be written: {what}", path.display())]
    Place {
        /// Where it was to go.
        path: PathBuf,
        /// What is wrong with that.
        what: &'static str,
    },
    /// Two commands with the same file.
    #[error("another command is writing `{}` now", .0.display())]
    Busy(PathBuf),
    /// There is no such file, or it cannot be read or written.
    #[error("could not use `{}`", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The copy could not be written, or could not be read again.
    #[error("could not copy into `{}`", path.display())]
    Copy {
        /// Where it was to go.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Some other file.
    #[error("`{}` is no backup: {what}", path.display())]
    NotOurs {
        /// Which one.
        path: PathBuf,
        /// What it is not.
        what: String,
    },
    /// Its schema is from the future.
    #[error(
        "`{}` was written by a newer replyd (schema {schema}, this one knows {known}): install that version or a newer one first",
        path.display()
    )]
    Newer {
        /// Which one.
        path: PathBuf,
        /// Its last step.
        schema: i64,
        /// Ours.
        known: i64,
    },
    /// A check found something.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
}

/// Copies the database into a file, beside a running service or without one.
///
/// # Errors
/// Every [`CopyError`]; then nothing of the copy is left.
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
    // A file of that name that came meanwhile is somebody's too.
    check_place(&database, to, present)?;
    part.becomes(to)?;
    Ok(copied)
}

/// Refuses a place where no copy can or should go.
fn check_place(database: &Path, to: &Path, present: Present) -> Result<(), CopyError> {
    let wrong = |what| {
        let path = to.to_owned();
        Err(CopyError::Place { path, what })
    };
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

/// Whether two paths lead to one file, also one that is not there yet.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| {
        let whole = path.canonicalize().ok();
        let folder = || folder_of(path).canonicalize().ok();
        whole.or_else(|| Some(folder()?.join(path.file_name()?)))
    };
    real(one).is_some_and(|real_one| Some(real_one) == real(other)) || is_linked(one, other)
}

/// Two names of one file, as `ln` makes them.
#[cfg(unix)]
fn is_linked(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let of = |path: &Path| {
        let file = path.metadata().ok()?;
        Some((file.dev(), file.ino()))
    };
    of(one).is_some_and(|of_one| Some(of_one) == of(other))
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

/// Finds out whether an open database is one of ours, and gives the last step of its schema.
pub(super) async fn inspect(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<i64, CopyError> {
    let not_ours = |what: &str| CopyError::NotOurs {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    let blame = |error: sqlx::Error| match integrity::says_damaged(&error) {
        Some(what) => CopyError::NotOurs {
            path: path.to_owned(),
            what,
        },
        None => CopyError::Store(error.into()),
    };
    let ours: bool = sqlx::query_scalar(sql::HAS_TABLES)
        .fetch_one(&mut *connection)
        .await
        .map_err(blame)?;
    if !ours {
        return Err(not_ours("it has not the tables of a replyd database"));
    }
    let steps = sqlx::query(sql::APPLIED_MIGRATIONS)
        .fetch_all(connection)
        .await;
    let mut last = 0;
    for step in steps.map_err(blame)? {
        let version: i64 = step.try_get("version").map_err(blame)?;
        let checksum: Vec<u8> = step.try_get("checksum").map_err(blame)?;
        last = version;
        let known = super::migrate::migrator();
        let same = known.iter().find(|one| one.version == version);
        if same.is_some_and(|one| *one.checksum != *checksum) {
            return Err(not_ours("its schema is of another build of replyd"));
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

/// Why the copying itself failed, before it is known by what name the owner knows the files.
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
    /// Damage is the source's: the copy is new.
    pub(super) fn blaming(self, source: &Path, to: &Path) -> CopyError {
        match self {
            Self::Copy(error) => error,
            Self::Sql(error) => match integrity::says_damaged(&error) {
                Some(what) => CopyError::Damaged {
                    path: source.to_owned(),
                    what,
                },
                None => CopyError::Copy {
                    path: to.to_owned(),
                    source: error,
                },
            },
        }
    }
}

/// Copies, marks and checks.
pub(super) async fn copy(
    source: &mut SqliteConnection,
    part: &Part,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Copied, Failure> {
    let total: i64 = sqlx::query_scalar(sql::USED_BYTES)
        .fetch_one(&mut *source)
        .await?;
    {
        let copying = sqlx::query(sql::COPY_INTO)
            .bind(part.name()?)
            .execute(source);
        let mut copying = std::pin::pin!(copying);
        loop {
            tokio::select! {
                done = &mut copying => break done?,
                () = tokio::time::sleep(TELL_EVERY) => progress(part.bytes(), total.unsigned_abs()),
            };
        }
    };
    let options = SqliteConnectOptions::new().filename(&part.path);
    let mut copied = options.connect().await?;
    let held = sqlx::query(sql::HOLD_COPY).bind(now.as_millisecond());
    held.execute(&mut copied).await?;
    integrity::stamp(&mut copied).await?;
    copied.close().await?;
    let damaged = |what| {
        let path = part.path.clone();
        Failure::Copy(CopyError::Damaged { path, what })
    };
    let options = SqliteConnectOptions::new()
        .filename(&part.path)
        .immutable(true)
        .read_only(true);
    let mut copied = options.connect().await?;
    // Every index of the copy is new, so this finds what the longer check would.
    if let Some(what) = check(&mut copied, sql::QUICK_CHECK).await? {
        return Err(damaged(what));
    }
    let schema = inspect(&mut copied, &part.path)
        .await
        .map_err(Failure::Copy)?;
    let found = sqlx::query(sql::COPY_CONTENTS)
        .fetch_one(&mut copied)
        .await?;
    let newest: Option<i64> = found.try_get("newest_ms")?;
    let contents = Copied {
        bytes: part.bytes(),
        messages: found.try_get("messages")?,
        conversations: found.try_get("conversations")?,
        newest: newest.and_then(|at| Timestamp::from_millisecond(at).ok()),
        schema,
    };
    copied.close().await?;
    Ok(contents)
}

/// What is wrong in an open database, by one of SQLite's checks and by what rows say of each other.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    text: &'static str,
) -> Result<Option<String>, sqlx::Error> {
    let found = integrity::check(&mut *connection, text, &Arc::default()).await?;
    if found.is_some() {
        return Ok(found);
    }
    let loose: i64 = sqlx::query_scalar(sql::COUNT_ORPHANS)
        .fetch_one(connection)
        .await?;
    Ok((loose > 0).then(|| format!("{loose} rows name others that are not there")))
}

/// A file that is being written under a name of its own. It is gone when it does not become
/// anything.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: Option<File>,
}

impl Part {
    /// Makes the file, for its owner alone; what a killed command left there goes.
    pub(super) fn create(path: PathBuf) -> Result<Self, CopyError> {
        // SQLite is told the whole path: one that begins with `file:` would mean something else to
        // it.
        let path = std::path::absolute(&path).map_err(|source| CopyError::File { path, source })?;
        let failed = |source| CopyError::File {
            path: path.clone(),
            source,
        };
        let file = files::open_private(&path).map_err(failed)?;
        // Where locks bind everybody, SQLite could not write.
        let locked = if cfg!(unix) { file.try_lock() } else { Ok(()) };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CopyError::Busy(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
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
            let path = self.path.clone();
            let what = "its name is no text (UTF-8)";
            Failure::Copy(CopyError::Place { path, what })
        })
    }

    fn bytes(&self) -> u64 {
        self.path.metadata().map_or(0, |file| file.len())
    }

    /// Gives the file its name, in a way that a power cut cannot take back.
    pub(super) fn becomes(mut self, name: &Path) -> Result<(), CopyError> {
        let failed = |source| CopyError::File {
            path: name.to_owned(),
            source,
        };
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
            // Nobody is left to be told, and the next command clears it away.
            let _ = std::fs::remove_file(&self.path);
            let _ = std::fs::remove_file(super::sqlite::beside_path(&self.path, "-journal"));
        }
    }
}

/// Makes names in the folder of a file last.
pub(super) fn sync_folder(of: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(of))?.sync_all()?;
    }
    Ok(())
}

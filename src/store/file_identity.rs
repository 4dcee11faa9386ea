//! Whether the database that is open is still the one at its path.
//!
//! A file that was deleted, moved or replaced stays open and takes every write: SQLite does not
//! notice, and what it stores is gone when we stop. So the path is looked at before each
//! transaction and after each commit; that costs microseconds, a commit milliseconds.
//!
//! The file is looked at from outside, by its metadata: opening it a second time would do harm,
//! because closing that handle would end every lock of this process on it.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::StoreError;
use super::fault::Displaced;

/// Where the database is, and which file was there when it was opened.
#[derive(Debug)]
pub(super) struct FileIdentity {
    /// As configured, so that a link that leads elsewhere is seen.
    path: PathBuf,
    file: FileId,
    /// The write-ahead log stands beside the file itself, wherever links lead.
    log: PathBuf,
    /// Known from the first transaction on.
    log_file: Mutex<Option<FileId>>,
}

impl FileIdentity {
    /// Remembers which file is at this path, where SQLite has just opened it.
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::File {
            path: path.to_owned(),
            source,
        };
        let mut log = fs::canonicalize(path).map_err(failed)?.into_os_string();
        log.push("-wal");
        Ok(Self {
            path: path.to_owned(),
            file: FileId::new(&fs::metadata(path).map_err(failed)?),
            log: log.into(),
            log_file: Mutex::new(None),
        })
    }

    /// Looks whether the file is where it was.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match look(&self.path)? {
            None => Err(self.displaced(Displaced::Gone)),
            Some(found) if FileId::new(&found) != self.file => {
                Err(self.displaced(Displaced::Replaced))
            }
            // An open database has its first page at least.
            Some(found) if found.len() == 0 => Err(self.displaced(Displaced::Emptied)),
            Some(_) => Ok(()),
        }
    }

    /// Looks whether the write-ahead log is where it was. Only while a transaction is open: SQLite
    /// makes the log with the first connection and deletes it with the last.
    pub(super) fn check_log(&self) -> Result<(), StoreError> {
        let found = look(&self.log)?.map(|found| FileId::new(&found));
        let mut known = self.log_file.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_none() || known.is_some_and(|known| Some(known) != found) {
            return Err(self.displaced(Displaced::LogLost));
        }
        *known = found;
        Ok(())
    }

    /// A connection was closed: if it was the last one, the next makes a log of its own.
    pub(super) fn forget_log(&self) {
        *self.log_file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn displaced(&self, how: Displaced) -> StoreError {
        StoreError::Displaced {
            path: self.path.clone(),
            how,
        }
    }
}

/// What is at a path; `None` when nothing is. Any other answer than that tells nothing about the
/// file.
fn look(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(source) => Err(StoreError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// What tells two files apart. The number of a deleted file is given again as soon as nobody has it
/// open, so the time it was made belongs to it where the file system knows that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
    made: Option<std::time::SystemTime>,
}

impl FileId {
    #[cfg(unix)]
    fn new(found: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: found.dev(),
            number: found.ino(),
            made: found.created().ok(),
        }
    }

    /// An open file can be neither deleted nor replaced there.
    #[cfg(not(unix))]
    fn new(found: &Metadata) -> Self {
        Self {
            device: 0,
            number: 0,
            made: found.created().ok(),
        }
    }
}

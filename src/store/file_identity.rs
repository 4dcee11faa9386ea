//! Checks that the open database is still the file at its path.
//!
//! A file that was deleted, moved or replaced stays open and takes every write: SQLite does not
//! notice, and the writes are lost at the stop. So the path is checked before each transaction and
//! after each commit, which takes microseconds where a commit takes milliseconds.
//!
//! Only metadata is read: opening the file a second time would do harm, because closing that handle
//! ends every lock of this process on the file.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::StoreError;
use super::fault::Displaced;
use super::wal;

/// Path of the database and identity of the file that was opened there.
#[derive(Debug)]
pub(super) struct FileIdentity {
    /// Path as configured, so that a link with a new target is noticed.
    path: PathBuf,
    file: FileId,
    /// Path of the write-ahead log, which lies beside the target of links.
    log: PathBuf,
    /// Identity of the log, known from the first transaction on.
    log_file: Mutex<Option<FileId>>,
}

impl FileIdentity {
    /// Records the file at this path, which SQLite has just opened.
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let failed = StoreError::file(path);
        Ok(Self {
            path: path.to_owned(),
            file: FileId::new(&fs::metadata(path).map_err(&failed)?),
            log: wal::log_path(&fs::canonicalize(path).map_err(&failed)?),
            log_file: Mutex::new(None),
        })
    }

    /// Checks that the file is still at its path.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match metadata(&self.path)? {
            None => Err(self.displaced(Displaced::Gone)),
            Some(file) if FileId::new(&file) != self.file => {
                Err(self.displaced(Displaced::Replaced))
            }
            // An open database has at least its first page.
            Some(file) if file.len() == 0 => Err(self.displaced(Displaced::Emptied)),
            Some(_) => Ok(()),
        }
    }

    /// Checks that the write-ahead log is still at its path. Only during a transaction: SQLite
    /// creates the log with the first connection and deletes it with the last.
    pub(super) fn check_log(&self) -> Result<(), StoreError> {
        let current = metadata(&self.log)?.map(|log| FileId::new(&log));
        let mut known = self.log_file.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_none() || known.is_some_and(|known| Some(known) != current) {
            return Err(self.displaced(Displaced::LogLost));
        }
        *known = current;
        Ok(())
    }

    /// Forgets the log when a connection closes: after the last one, the next one creates another.
    pub(super) fn forget_log(&self) {
        *self.log_file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn displaced(&self, how: Displaced) -> StoreError {
        StoreError::Displaced(self.path.clone(), how)
    }
}

/// Reads the metadata of a file; `None` if there is none. Other errors say nothing about the file.
fn metadata(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(StoreError::file(path)(error)),
    }
}

/// Identity of a file. The number of a deleted file is reused as soon as no process has it open, so
/// the time of creation is included where the file system records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
    created: Option<std::time::SystemTime>,
}

impl FileId {
    #[cfg(unix)]
    fn new(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: file.dev(),
            number: file.ino(),
            created: file.created().ok(),
        }
    }

    /// Elsewhere an open file can be neither deleted nor replaced.
    #[cfg(not(unix))]
    fn new(file: &Metadata) -> Self {
        Self {
            device: 0,
            number: 0,
            created: file.created().ok(),
        }
    }
}

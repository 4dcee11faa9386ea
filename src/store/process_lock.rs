//! Lock that admits one process per database file; the operating system releases it at a crash.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::error::StoreError;
use crate::files;

/// Lock on `<database>.lock`, held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock and writes the id of this process into it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = super::sqlite::beside_path(database, ".lock");
        let failed = StoreError::file(&path);
        let mut file = files::open_private(&path).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // The id only makes the message better.
                let _ = file.read_to_string(&mut owner);
                let (path, owner) = (database.to_owned(), owner.trim().parse().ok());
                return Err(StoreError::Locked { path, owner });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(&failed)?;
        file.rewind().map_err(&failed)?;
        writeln!(file, "{}", std::process::id()).map_err(&failed)?;
        Ok(Self { _file: file })
    }
}

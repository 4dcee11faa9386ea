//! One process per database file, held by the operating system: a crash frees it at once.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::error::StoreError;
use crate::files;

/// Holds `<database>.lock` for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock and writes our process id into it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = super::sqlite::beside_path(database, ".lock");
        let failed = |source| StoreError::File {
            path: path.clone(),
            source,
        };
        let mut file = files::open_private(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // What is in the file only makes the message better.
                let _ = file.read_to_string(&mut owner);
                let owner = owner.trim().parse().ok();
                return Err(StoreError::Locked {
                    path: database.to_owned(),
                    owner,
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

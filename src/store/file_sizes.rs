//! Sizes of the database's files.

use std::io;

use super::{Store, wal};

/// Sizes of the database's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSizes {
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Bytes of the write-ahead log beside it; 0 without one.
    pub wal_bytes: u64,
}

impl Store {
    /// Reads the sizes from the file system.
    ///
    /// # Errors
    /// When they cannot be read; a missing write-ahead log is no error.
    pub async fn file_sizes(&self) -> io::Result<FileSizes> {
        let options = self.write.connect_options();
        let path = options.get_filename();
        let wal_bytes = match tokio::fs::metadata(wal::log_path(path)).await {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(FileSizes {
            database_bytes: tokio::fs::metadata(path).await?.len(),
            wal_bytes,
        })
    }
}

//! How much room the database takes on the disk.

use std::io;

use super::Store;

/// Bytes of the database's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSizes {
    /// The file itself.
    pub database_bytes: u64,
    /// The write-ahead log beside it; nothing when there is none.
    pub wal_bytes: u64,
}

impl Store {
    /// Asks the file system.
    ///
    /// # Errors
    /// When it does not tell; a missing write-ahead log is no error.
    pub async fn file_sizes(&self) -> io::Result<FileSizes> {
        let options = self.write.connect_options();
        let path = options.get_filename();
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let wal_bytes = match tokio::fs::metadata(wal).await {
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

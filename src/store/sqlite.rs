//! Paths and connection pools of SQLite databases.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqlitePoolOptions;

use super::error::StoreError;

pub(super) fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // A local file does not disconnect: a test before each use would cost a thread hand-off.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// `<database><end>`: a file beside the database.
pub(super) fn beside_path(database: &Path, end: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Path in a `sqlite:` URL.
///
/// # Errors
/// `Url`.
pub(super) fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    let path = path.map(|path| path.strip_prefix("//").unwrap_or(path));
    match path {
        Some(path) if !path.contains(":memory:") => Ok(Path::new(path).to_owned()),
        _ => Err(StoreError::Url(url.to_owned())),
    }
}

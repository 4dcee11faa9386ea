//! What can go wrong with the database, so that callers can tell what to do.

use std::io;
use std::path::PathBuf;

use super::fault::{Displaced, Fault};
use crate::files::WriteError;

/// Why a unit of work did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is not one we can open.
    #[error(
        "`{0}` is not a database url: write `sqlite:` and a path, such as `sqlite:data/replyd.db`"
    )]
    Url(String),
    /// A file cannot be opened.
    #[error("could not open `{}`", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file or its folder is not there and cannot be made.
    #[error(transparent)]
    NotMade(#[from] WriteError),
    /// Another process has it.
    #[error("`{}` is in use by {}; stop it first, or give this one a database of its own", path.display(), process(*owner))]
    Locked {
        /// The database.
        path: PathBuf,
        /// The other process's id, when it could be read.
        owner: Option<u32>,
    },
    /// There is nothing to read.
    #[error("there is no database at `{}`", .0.display())]
    Missing(PathBuf),
    /// The schema could not be brought up to date, or is newer than we are.
    #[error("could not bring the database up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// COMMIT failed: whether the work is in the database is unknown until it is asked.
    #[error("the commit failed, so it is unknown whether it took place")]
    CommitUnknown(#[source] sqlx::Error),
    /// A statement failed; the transaction was rolled back.
    #[error("the database refused a statement")]
    Database(#[from] sqlx::Error),
    /// What is written now is lost: the open file is not the one at its path.
    #[error("database `{}`: {}", path.display(), how.sentence())]
    Displaced {
        /// Where it was opened.
        path: PathBuf,
        /// What became of it.
        how: Displaced,
    },
    /// What is in the database is not what we wrote.
    #[error("table `{table}`, row {row}: {what}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// `id` of the row.
        row: i64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The write-ahead log beside the database is another database's: opening both would corrupt
    /// them.
    #[error(
        "`{}` and the write-ahead log `{}` do not belong together: {why}. Nothing was opened or changed. \
         To use a backup, run `replyd restore FILE`, which puts both aside; to use this file as it is, move the log away first",
        path.display(),
        log.display()
    )]
    ForeignLog {
        /// The database.
        path: PathBuf,
        /// Its `-wal`.
        log: PathBuf,
        /// What proves it.
        why: String,
    },
    /// A restore ended between putting the old database aside and naming the new one.
    #[error(
        "`{}` is not there, because a restore was interrupted: run `replyd restore FILE` again",
        .0.display()
    )]
    HalfRestored(PathBuf),
    /// A check found the file damaged.
    #[error(
        "`{}` is damaged: {what}. Nothing is written to it any more; restore a backup with `replyd restore FILE`",
        path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
}

impl StoreError {
    /// Fault of the database behind the error; `None` if the request is to blame and the database is
    /// well.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Database(error) => Fault::from_error(error),
            Self::CommitUnknown(error) => Some(Fault::from_error(error).unwrap_or(Fault::Refused)),
            Self::Displaced { how, .. } => Some(Fault::Displaced(*how)),
            Self::File { .. } => Some(Fault::Unopened),
            Self::Damaged { .. } => Some(Fault::Damaged),
            Self::Url(_)
            | Self::NotMade(_)
            | Self::ForeignLog { .. }
            | Self::HalfRestored(_)
            | Self::Locked { .. }
            | Self::Missing(_)
            | Self::Migrate(_)
            | Self::Corrupt { .. } => None,
        }
    }
}

fn process(owner: Option<u32>) -> String {
    owner.map_or_else(
        || "another process".to_owned(),
        |id| format!("process {id}"),
    )
}

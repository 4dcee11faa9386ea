//! Errors of the database, in kinds that callers treat differently.

use std::io;
use std::path::{Path, PathBuf};

use super::fault::{Displaced, Fault};
use crate::files::WriteError;

/// Error of a unit of work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL has another form.
    #[error(
        "`{0}` is not a database url: write `sqlite:` and a path, such as `sqlite:data/replyd.db`"
    )]
    Url(String),
    /// A file cannot be opened.
    #[error("could not open `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// The file or its folder is missing and cannot be created.
    #[error(transparent)]
    NotMade(#[from] WriteError),
    /// Another process uses the database.
    #[error("`{}` is in use by {}; stop it first, or give this one a database of its own", path.display(), process(*owner))]
    Locked {
        /// The database.
        path: PathBuf,
        /// Id of the other process, if it could be read.
        owner: Option<u32>,
    },
    /// There is no database.
    #[error("there is no database at `{}`", .0.display())]
    Missing(PathBuf),
    /// The schema could not be migrated, or is newer than this program.
    #[error("could not bring the database up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// COMMIT failed; the database may or may not contain the work.
    #[error("the commit failed, so it is unknown whether it took place")]
    CommitUnknown(#[source] sqlx::Error),
    /// A statement failed; the transaction was rolled back.
    #[error("the database refused a statement")]
    Database(#[from] sqlx::Error),
    /// Writes would be lost: the open file is not the one at its path.
    #[error("database `{}`: {}", .0.display(), .1.sentence())]
    Displaced(PathBuf, Displaced),
    /// The database holds unexpected data.
    #[error("table `{table}`, row {row}: {what}")]
    Corrupt {
        /// Table of the row.
        table: &'static str,
        /// `id` of the row.
        row: i64,
        /// Problem of the row.
        what: &'static str,
    },
    /// The write-ahead log beside the database belongs to another one: opening both would corrupt
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
        /// The log.
        log: PathBuf,
        /// Proof.
        why: String,
    },
    /// A restore was interrupted between renaming the old database and naming the new one.
    #[error(
        "`{}` is not there, because a restore was interrupted: run `replyd restore FILE` again",
        .0.display()
    )]
    HalfRestored(PathBuf),
    /// A check found the file damaged.
    #[error(
        "`{}` is damaged: {}. Nothing is written to it any more; restore a backup with `replyd restore FILE`",
        .0.display(), .1
    )]
    Damaged(PathBuf, String),
}

impl StoreError {
    /// Makes [`Self::File`] of each error of a file.
    pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        |error| Self::File(path.to_owned(), error)
    }

    pub(super) fn corrupt(table: &'static str, row: i64, what: &'static str) -> Self {
        Self::Corrupt { table, row, what }
    }

    /// Fault of the database behind the error; `None` if the request is to blame and the database
    /// is well.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Database(error) => Fault::from_error(error),
            Self::CommitUnknown(error) => Some(Fault::from_error(error).unwrap_or(Fault::Refused)),
            Self::Displaced(_, how) => Some(Fault::Displaced(*how)),
            Self::File(..) => Some(Fault::Unopened),
            Self::Damaged(..) => Some(Fault::Damaged),
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

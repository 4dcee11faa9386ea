//! Errors of writing files, with advice.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::folder_of;

/// Error of writing a file or creating a folder.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file was not written; an existing one is unchanged.
    #[error("could not write `{}`", path.display())]
    File {
        /// Path as it was given.
        path: PathBuf,
        /// Cause.
        #[source]
        reason: Reason,
    },
    /// A folder was not created.
    #[error("could not make folder `{}`", path.display())]
    Folder {
        /// Path as it was given.
        path: PathBuf,
        /// Cause.
        #[source]
        reason: Reason,
    },
}

/// Cause of an error.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The file exists and must not be replaced.
    #[error("it is there already")]
    Exists,
    /// The path is a folder.
    #[error("a folder has this name")]
    Folder,
    /// The path of the folder is a file.
    #[error("a file has this name")]
    File,
    /// A parent of the path is a file.
    #[error("a part of the path is a file, not a folder")]
    NotAFolder,
    /// The folder is missing.
    #[error("there is no folder `{}`", .0.display())]
    NoFolder(PathBuf),
    /// The user has no permission.
    #[error("this user may not write to it, or not to folder `{}`", .0.display())]
    Forbidden(PathBuf),
    /// The file system is read-only.
    #[error("the file system of folder `{}` is read-only", .0.display())]
    ReadOnly(PathBuf),
    /// The disk or the quota is full.
    #[error("the disk is full, or this user's share of it")]
    Full,
    /// Symbolic links form a circle.
    #[error("its symbolic links lead in a circle")]
    Circle,
    /// Any other error.
    #[error(transparent)]
    Other(io::Error),
}

impl WriteError {
    pub(super) fn file(path: &Path, reason: Reason) -> Self {
        Self::File {
            path: path.to_owned(),
            reason,
        }
    }

    pub(super) fn folder(path: &Path, error: io::Error) -> Self {
        let reason = match Reason::from_io(error, path) {
            Reason::Exists => Reason::File,
            reason => reason,
        };
        Self::Folder {
            path: path.to_owned(),
            reason,
        }
    }

    /// Cause of an error.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        match self {
            Self::File { reason, .. } | Self::Folder { reason, .. } => reason,
        }
    }
}

impl Reason {
    pub(super) fn from_io(error: io::Error, target: &Path) -> Self {
        let folder = || folder_of(target).to_owned();
        match error.kind() {
            ErrorKind::AlreadyExists => Self::Exists,
            ErrorKind::IsADirectory => Self::Folder,
            ErrorKind::NotADirectory => Self::NotAFolder,
            ErrorKind::NotFound => Self::NoFolder(folder()),
            ErrorKind::PermissionDenied => Self::Forbidden(folder()),
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(folder()),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Other(error),
        }
    }

    /// Advice for the operator.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Exists => "nothing is ever written over; name another file",
            Self::Folder => "name a file in it, or another file",
            Self::File => "name another folder, or move the file away",
            Self::NotAFolder | Self::NoFolder(_) => "make the folder first, or name another one",
            Self::Forbidden(_) => "run it as the user whom the folder belongs to",
            Self::ReadOnly(_) => "name a place that can be written to",
            Self::Full => "make room; nothing that was there is lost",
            Self::Circle => "look where the links lead, with `ls -l`",
            Self::Other(_) => "check that the folder exists, is yours and has room",
        }
    }
}

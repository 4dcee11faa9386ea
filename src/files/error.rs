//! Why a file was not written, in words that say what to do.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::folder_of;

/// A file or folder that was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file; one that was there before is as it was.
    #[error("could not write `{}`", path.display())]
    File {
        /// As it was named.
        path: PathBuf,
        /// Why.
        #[source]
        reason: Reason,
    },
    /// A folder.
    #[error("could not make folder `{}`", path.display())]
    Folder {
        /// As it was named.
        path: PathBuf,
        /// Why.
        #[source]
        reason: Reason,
    },
}

/// What stands in the way.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// A file that must not be replaced.
    #[error("it is there already")]
    Exists,
    /// A folder of this name.
    #[error("a folder has this name")]
    Folder,
    /// A file of this name, where a folder is to be.
    #[error("a file has this name")]
    File,
    /// A file where the path needs a folder.
    #[error("a part of the path is a file, not a folder")]
    NotAFolder,
    /// The folder is missing.
    #[error("there is no folder `{}`", .0.display())]
    NoFolder(PathBuf),
    /// The rights do not suffice.
    #[error("this user may not write to it, or not to folder `{}`", .0.display())]
    Forbidden(PathBuf),
    /// Nothing can be written there.
    #[error("the file system of folder `{}` is read-only", .0.display())]
    ReadOnly(PathBuf),
    /// There is no room.
    #[error("the disk is full, or this user's share of it")]
    Full,
    /// Links that lead to each other.
    #[error("its symbolic links lead in a circle")]
    Circle,
    /// Anything else.
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

    /// What stands in the way.
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

    /// What to do about it.
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

//! Writing of files: completely or not at all, and never over another program's file.
//!
//! A file is a [`Draft`] beside its path until it is complete; then it is published under its name.
//! A replaced file keeps its mode, owner and symbolic links. Files with conversations or secrets
//! are [`Access::Private`]: only their owner may read them, whatever the umask. Every writer of
//! this crate uses this module except SQLite, whose file is created by [`make_private`] before it
//! is opened.

mod error;
mod system;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

pub use error::{Reason, WriteError};

/// Prefix of incomplete files; one that is left by a crash may be deleted.
pub const DRAFT_PREFIX: &str = ".replyd-";

/// Upper bound of symbolic links in a row, as in Linux: more are a circle.
const MOST_LINKS: u32 = 40;

/// Mode of a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Mode 0600, whatever the umask.
    Private,
    /// Mode of the umask.
    Umask,
}

/// Treatment of an existing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// The file stays, and nothing is written: [`Reason::Exists`].
    Kept,
    /// The file is replaced; its mode, its owner and the links to it stay.
    Replaced,
}

/// A file that is being written beside its path. It is deleted unless it is published.
#[derive(Debug)]
pub struct Draft {
    file: File,
    /// Path as the caller gave it, for messages.
    named: PathBuf,
    way: Way,
}

/// Way of the bytes to the path.
#[derive(Debug)]
enum Way {
    /// Through a file beside it, by a rename.
    Beside {
        draft: PathBuf,
        target: PathBuf,
        existing: Existing,
    },
    /// Directly, to a terminal, a pipe or a device.
    Through,
}

impl Draft {
    /// Starts an empty draft; the path is checked now, so that a rejection costs no work.
    ///
    /// # Errors
    /// Every [`Reason`].
    pub fn begin(path: &Path, existing: Existing, access: Access) -> Result<Self, WriteError> {
        let failed = |reason| WriteError::file(path, reason);
        let target = match existing {
            // A link without a target exists, too.
            Existing::Kept if path.symlink_metadata().is_ok() => {
                return Err(failed(Reason::Exists));
            }
            Existing::Kept => Place::File(path.to_owned()),
            Existing::Replaced => place_of(path).map_err(failed)?,
        };
        let (file, way) = match target {
            Place::File(target) => {
                let (file, draft) = open_draft(&target, existing, access)
                    .map_err(|error| failed(Reason::from_io(error, &target)))?;
                let way = Way::Beside {
                    draft,
                    target,
                    existing,
                };
                (file, way)
            }
            Place::Stream(stream) => {
                let open = OpenOptions::new().append(true).open(&stream);
                let file = open.map_err(|error| failed(Reason::from_io(error, &stream)))?;
                (file, Way::Through)
            }
        };
        Ok(Self {
            file,
            named: path.to_owned(),
            way,
        })
    }

    /// File to write to.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file and gives it its name. Blocks while the disk works.
    ///
    /// # Errors
    /// [`Reason::Exists`] if another file has been created at the path meanwhile and must stay, and
    /// errors of the disk.
    pub fn publish(self) -> Result<(), WriteError> {
        let Way::Beside {
            draft,
            target,
            existing,
        } = &self.way
        else {
            return Ok(());
        };
        let published = self.file.sync_all().and_then(|()| match existing {
            Existing::Replaced => fs::rename(draft, target),
            Existing::Kept => rename_to_new(draft, target),
        });
        published.map_err(|error| self.failed(error))?;
        // The name is on the disk only after a sync of the folder, where the system supports that.
        let _ = File::open(folder_of(target)).and_then(|folder| folder.sync_all());
        Ok(())
    }

    /// Describes an error of writing to the draft.
    #[must_use]
    pub fn failed(&self, error: io::Error) -> WriteError {
        let target = match &self.way {
            Way::Beside { target, .. } => target,
            Way::Through => &self.named,
        };
        WriteError::file(&self.named, Reason::from_io(error, target))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Way::Beside { draft, .. } = &self.way {
            // Fails if the draft was renamed.
            let _ = fs::remove_file(draft);
        }
    }
}

/// Writes a new file.
///
/// # Errors
/// [`Reason::Exists`] if the path exists, and every other [`Reason`]; then no file is left behind.
pub fn create(path: &Path, text: &str, access: Access) -> Result<(), WriteError> {
    write(path, text, Existing::Kept, access)
}

/// Writes a file, replacing an existing one; `access` applies to a new one.
///
/// # Errors
/// Every [`Reason`] but `Exists`; then the old file is unchanged.
pub fn replace(path: &Path, text: &str, access: Access) -> Result<(), WriteError> {
    write(path, text, Existing::Replaced, access)
}

/// File that [`replace`] would replace; `None` if there is none, and for a pipe or a device, which
/// loses nothing.
#[must_use]
pub fn replaced(path: &Path) -> Option<PathBuf> {
    match place_of(path) {
        Ok(Place::File(file)) if file.exists() => Some(file),
        Ok(Place::File(_) | Place::Stream(_)) | Err(_) => None,
    }
}

fn write(path: &Path, text: &str, existing: Existing, access: Access) -> Result<(), WriteError> {
    let draft = Draft::begin(path, existing, access)?;
    let written = draft.file().write_all(text.as_bytes());
    written.map_err(|error| draft.failed(error))?;
    draft.publish()
}

/// Creates a folder and its missing parents for their owner alone (mode 0700). An existing folder
/// is unchanged.
///
/// # Errors
/// When it cannot be created, or its name is taken.
pub fn make_folder(folder: &Path) -> Result<(), WriteError> {
    make_folders(folder).map_err(|error| WriteError::folder(folder, error))
}

fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folders(above)?;
    }
    match system::make_private_folder(folder) {
        // Another process created it meanwhile.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Creates an empty file and the folders above it for their owner alone; existing ones are
/// unchanged. For files of other writers: SQLite gives its `-wal` and `-shm` the mode of the
/// database.
///
/// # Errors
/// When one of them cannot be created.
pub fn make_private(path: &Path) -> Result<(), WriteError> {
    make_folder(folder_of(path))?;
    let opened = open_private(path);
    opened.map_err(|error| WriteError::file(path, Reason::from_io(error, path)))?;
    Ok(())
}

/// Opens a file for reading and writing; a missing one is created for its owner alone.
///
/// # Errors
/// Errors of the system.
pub fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    system::private(&mut options);
    match options.create_new(true).open(path) {
        Ok(file) => {
            system::make_private(&file)?;
            Ok(file)
        }
        // The path exists, perhaps as a link whose target is missing.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => options
            .create_new(false)
            .create(true)
            .truncate(false)
            .open(path),
        Err(error) => Err(error),
    }
}

/// Kind of file at a path.
enum Place {
    /// A regular or a missing file.
    File(PathBuf),
    /// Any other receiver of bytes: `/dev/stdout`, a pipe.
    Stream(PathBuf),
}

/// Follows links, also one whose target is missing.
fn place_of(path: &Path) -> Result<Place, Reason> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        // Target of `/dev/stdout`: the file behind it belongs to the shell, which has it open.
        if at.starts_with("/proc") || at.starts_with("/dev/fd") {
            return Ok(Place::Stream(at));
        }
        match at.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => {
                let link = fs::read_link(&at).map_err(|error| Reason::from_io(error, &at))?;
                at = folder_of(&at).join(link);
            }
            Ok(metadata) if metadata.is_file() => return Ok(Place::File(at)),
            Ok(metadata) if metadata.is_dir() => return Err(Reason::Folder),
            Ok(_) => return Ok(Place::Stream(at)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::File(at)),
            Err(error) => return Err(Reason::from_io(error, &at)),
        }
    }
    Err(Reason::Circle)
}

fn open_draft(target: &Path, existing: Existing, access: Access) -> io::Result<(File, PathBuf)> {
    if target.file_name().is_none() {
        return Err(ErrorKind::IsADirectory.into());
    }
    // Short, so that it fits where the longest names fit.
    let name = format!("{DRAFT_PREFIX}{}.new", Uuid::new_v4().simple());
    let draft = target.with_file_name(name);
    let replaced = match existing {
        Existing::Replaced => fs::metadata(target).ok(),
        Existing::Kept => None,
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if replaced.is_some() || access == Access::Private {
        system::private(&mut options);
    }
    let file = options.open(&draft)?;
    // Before the first byte: the file may hold secrets.
    let protected = match &replaced {
        Some(replaced) => system::make_like(&file, replaced),
        None if access == Access::Private => system::make_private(&file),
        None => Ok(()),
    };
    match protected {
        Ok(()) => Ok((file, draft)),
        Err(error) => {
            let _ = fs::remove_file(&draft);
            Err(error)
        }
    }
}

/// Renames without replacing a file that was created meanwhile.
fn rename_to_new(draft: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(draft, target) {
        Ok(()) => fs::remove_file(draft),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Without hard links in the file system, the name is reserved by an empty file first.
        Err(_) => {
            File::create_new(target)?;
            fs::rename(draft, target).inspect_err(|_| {
                let _ = fs::remove_file(target);
            })
        }
    }
}

/// Folder of a file; `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;

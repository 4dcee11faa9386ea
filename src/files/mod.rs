//! Files that we write: whole or not at all, and never over what somebody else put there.
//!
//! A file is a [`Draft`] beside its place until it is whole; then it is published under its name.
//! Modes, owners and symbolic links of a file that is replaced stay. What holds conversations or
//! secrets is [`Access::Private`]: only its owner may read it, whatever the umask. Every writer of
//! this crate goes through here, but SQLite, whose file is made by [`make_private`] before it is
//! opened.

mod error;
mod system;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

pub use error::{Reason, WriteError};

/// Begins the names of files that are not whole yet; one that is left behind by a crash may be
/// deleted.
pub const DRAFT_PREFIX: &str = ".replyd-";

/// More links than this in a row lead in a circle; Linux gives up at the same number.
const MOST_LINKS: u32 = 40;

/// Who may read a file that is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone: mode 0600, whatever the umask.
    Private,
    /// As the umask has it.
    Umask,
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written: [`Reason::Exists`].
    Kept,
    /// It is replaced; its mode, its owner and the links that lead to it stay.
    Replaced,
}

/// A file that is being written beside its place. It goes away unless it is published.
#[derive(Debug)]
pub struct Draft {
    file: File,
    /// As the caller named it, for messages.
    named: PathBuf,
    way: Way,
}

/// How what is written comes to its place.
#[derive(Debug)]
enum Way {
    /// From a file of its own, by a rename.
    Beside {
        draft: PathBuf,
        target: PathBuf,
        existing: Existing,
    },
    /// At once: a terminal, a pipe or a device, of which there is no second one to rename.
    Through,
}

impl Draft {
    /// Begins a file, with nothing in it; its place is looked at now, so that a refusal costs no
    /// work.
    ///
    /// # Errors
    /// Every [`Reason`].
    pub fn begin(path: &Path, existing: Existing, access: Access) -> Result<Self, WriteError> {
        let failed = |reason| WriteError::file(path, reason);
        let target = match existing {
            // A link that leads nowhere is there, too.
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

    /// What to write to.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name, when every byte is on the disk. It blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`Reason::Exists`] when another file has come to its place meanwhile and is to stay, and
    /// what the disk says.
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
        // The name is on the disk only when the folder is; where folders cannot be synced this is
        // all there is.
        let _ = File::open(folder_of(target)).and_then(|folder| folder.sync_all());
        Ok(())
    }

    /// An error of writing it, as a sentence.
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
            // Not there any more once it was renamed.
            let _ = fs::remove_file(draft);
        }
    }
}

/// Writes a whole file that is not there yet.
///
/// # Errors
/// [`Reason::Exists`] when something has its name, and every other [`Reason`]; then nothing is left
/// behind.
pub fn create(path: &Path, text: &str, access: Access) -> Result<(), WriteError> {
    write(path, text, Existing::Kept, access)
}

/// Writes a whole file, in the place of one that is there; `access` is for one that is not.
///
/// # Errors
/// Every [`Reason`] but `Exists`; then the old file is as it was.
pub fn replace(path: &Path, text: &str, access: Access) -> Result<(), WriteError> {
    write(path, text, Existing::Replaced, access)
}

/// The file that [`replace`] would replace; `None` where there is none, and for a pipe or a device,
/// which takes what is written and loses nothing.
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

/// Makes a folder, and those above it that are missing, for their owner alone (mode 0700). One that
/// is there stays as it is.
///
/// # Errors
/// When it can not be made, or something else has its name.
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
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Makes a file without content and the folders above it, for their owner alone; what is there
/// stays as it is. For files that others write: SQLite gives its `-wal` and `-shm` the mode of the
/// database.
///
/// # Errors
/// When one of them can not be made.
pub fn make_private(path: &Path) -> Result<(), WriteError> {
    make_folder(folder_of(path))?;
    let opened = open_private(path);
    opened.map_err(|error| WriteError::file(path, Reason::from_io(error, path)))?;
    Ok(())
}

/// Opens a file for reading and writing, and makes it for its owner alone when it is not there.
///
/// # Errors
/// What the system says.
pub fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    system::private(&mut options);
    match options.create_new(true).open(path) {
        Ok(file) => {
            system::make_private(&file)?;
            Ok(file)
        }
        // It is there, perhaps as a link, whose target may have to be made.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => options
            .create_new(false)
            .create(true)
            .truncate(false)
            .open(path),
        Err(error) => Err(error),
    }
}

/// Where the bytes of a path go.
enum Place {
    /// A regular file, or one that is not there yet.
    File(PathBuf),
    /// Something else that takes bytes: `/dev/stdout`, a pipe.
    Stream(PathBuf),
}

/// Follows links, also one whose target is not there.
fn place_of(path: &Path) -> Result<Place, Reason> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        // `/dev/stdout` leads there: what stands behind it belongs to the shell, which has it open.
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
    // Short, so that a name of the greatest length has room for it.
    let name = format!("{DRAFT_PREFIX}{}.new", Uuid::new_v4().simple());
    let draft = target.with_file_name(name);
    let there = match existing {
        Existing::Replaced => fs::metadata(target).ok(),
        Existing::Kept => None,
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if there.is_some() || access == Access::Private {
        system::private(&mut options);
    }
    let file = options.open(&draft)?;
    // Before there is anything to read: the file may hold secrets.
    let protected = match &there {
        Some(there) => system::make_like(&file, there),
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

/// Renames where a plain rename would replace a file that has come meanwhile.
fn rename_to_new(draft: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(draft, target) {
        Ok(()) => fs::remove_file(draft),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // A file system without hard links: the name is taken first, with nothing behind it.
        Err(_) => {
            File::create_new(target)?;
            fs::rename(draft, target).inspect_err(|_| {
                let _ = fs::remove_file(target);
            })
        }
    }
}

/// The folder of a file; `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;

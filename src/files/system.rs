//! Modes and owners, on systems that have them.

#[cfg(not(unix))]
pub(super) use elsewhere::{make_like, make_private, make_private_folder, private};
#[cfg(unix)]
pub(super) use unix::{make_like, make_private, make_private_folder, private};

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
    };
    use std::path::Path;

    const PRIVATE_FILE: u32 = 0o600;
    const PRIVATE_FOLDER: u32 = 0o700;

    /// Restricts new files to their owner from the first moment.
    pub(crate) fn private(options: &mut OpenOptions) {
        options.mode(PRIVATE_FILE);
    }

    /// Sets the private mode, which an unusual umask may have reduced.
    pub(crate) fn make_private(file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))
    }

    pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
        DirBuilder::new().mode(PRIVATE_FOLDER).create(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER))
    }

    /// Gives a file the mode and, if permitted, the owner and group of another.
    pub(crate) fn make_like(file: &File, other: &Metadata) -> io::Result<()> {
        let current = file.metadata()?;
        if current.gid() != other.gid() {
            // Fails for a user outside the group; the mode is set all the same.
            let _ = fchown(file, None, Some(other.gid()));
        }
        if current.uid() != other.uid() {
            let _ = fchown(file, Some(other.uid()), None);
        }
        // After the owner, whose change clears bits of the mode.
        file.set_permissions(other.permissions())
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::{self, File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(crate) fn private(_: &mut OpenOptions) {}

    pub(crate) fn make_private(_: &File) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)
    }

    pub(crate) fn make_like(file: &File, other: &Metadata) -> io::Result<()> {
        file.set_permissions(other.permissions())
    }
}

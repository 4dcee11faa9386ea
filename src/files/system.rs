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

    /// A file that is made by these options is its owner's alone from the first moment.
    pub(crate) fn private(options: &mut OpenOptions) {
        options.mode(PRIVATE_FILE);
    }

    /// Gives back to the owner what an odd umask took.
    pub(crate) fn make_private(file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))
    }

    pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
        DirBuilder::new().mode(PRIVATE_FOLDER).create(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER))
    }

    /// Gives a file the mode and, where we may, the owner and group of another.
    pub(crate) fn make_like(file: &File, other: &Metadata) -> io::Result<()> {
        let current = file.metadata()?;
        if current.gid() != other.gid() {
            // Whoever is no member of the group cannot give it; the mode is kept all the same.
            let _ = fchown(file, None, Some(other.gid()));
        }
        if current.uid() != other.uid() {
            let _ = fchown(file, Some(other.uid()), None);
        }
        // After the owner, whose change takes bits of the mode away.
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

//! The folder that files of people go to, tried at the start: a file that cannot be put there would
//! be lost a week later, when Meta drops it.

use std::path::Path;

use anyhow::Context as _;

use crate::files;
use crate::files::Access;

/// Makes the folder and writes a file into it, which is gone again afterwards.
///
/// # Errors
/// When one of the two does not work.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    let said = || {
        format!(
            "could not write to `{}` (media.folder), where media.download puts the files that people send",
            folder.display()
        )
    };
    files::make_folder(folder).with_context(said)?;
    let trial = folder.join(format!(
        ".written-at-start-{}",
        uuid::Uuid::new_v4().simple()
    ));
    files::create(&trial, "", Access::Private).with_context(said)?;
    std::fs::remove_file(&trial).with_context(said)
}

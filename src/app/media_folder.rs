//! Check of the media folder at the start: a file that cannot be written there would be lost a week
//! later, when Meta deletes it.

use std::path::Path;

use anyhow::Context as _;

use crate::files;
use crate::files::Access;

/// Creates the folder, and writes and removes a file in it.
///
/// # Errors
/// When the folder cannot be created or written to.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    let context = || {
        format!(
            "could not write to `{}` (media.folder), where media.download puts the files that people send",
            folder.display()
        )
    };
    files::make_folder(folder).with_context(context)?;
    let trial = folder.join(format!(
        ".written-at-start-{}",
        uuid::Uuid::new_v4().simple()
    ));
    files::create(&trial, "", Access::Private).with_context(context)?;
    std::fs::remove_file(&trial).with_context(context)
}

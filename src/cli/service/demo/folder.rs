//! Folder of the demo: one of its own, or an empty one. Files of others are never opened, replaced
//! or deleted.
//!
//! The configuration marks the folder: its first line names the demo and holds a hash of the rest,
//! so that a file that an owner wrote or changed is not taken for the demo's. It stays when the
//! demo stops, for commands that read the conversations.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::cli::demo_files::CONFIG_FILE;
use crate::cli::terminal::overwrite::not_written;
use crate::cli::terminal::{self, Hint};
use crate::files::{self, Access, DRAFT_PREFIX};
use crate::message::hex;

const RULES_FILE: &str = "rules.toml";
/// Lock file of the running demo; empty.
const LOCK_FILE: &str = "demo.lock";
/// Beginning of the first line of the configuration; the hash of the rest follows it.
const MARK: &str = "# Written by `replyd demo`, anew at each start; copy it before you change it. ";

/// Locked folder of a running demo.
#[derive(Debug)]
pub(super) struct DemoFolder {
    path: PathBuf,
    /// Temporary files: names and texts.
    passing: Vec<(&'static str, String)>,
    _lock: File,
}

impl DemoFolder {
    /// Locks a folder, and creates it if it is missing.
    pub(super) fn take(path: PathBuf) -> anyhow::Result<Self> {
        files::make_folder(&path).map_err(|error| not_written(&error))?;
        // Checked before the lock file is written: nothing is left in a folder of others.
        refuse_foreign(&path)?;
        let lock = lock(&path)?;
        // Checked again under the lock: another demo may have been faster, and its files count.
        refuse_foreign(&path)?;
        Ok(Self {
            path,
            passing: Vec::new(),
            _lock: lock,
        })
    }

    /// Writes the configuration with the mark; returns its path and text.
    pub(super) fn write_config(&self, settings: &str) -> anyhow::Result<(PathBuf, String)> {
        let file = self.path.join(CONFIG_FILE);
        let text = marked(settings);
        files::replace(&file, &text, Access::Private).map_err(|error| not_written(&error))?;
        Ok((file, text))
    }

    /// Writes the rules, unless they exist.
    pub(super) fn write_rules(&self, rules: &str) -> anyhow::Result<()> {
        let file = self.path.join(RULES_FILE);
        match files::create(&file, rules, Access::Umask) {
            Err(error) if matches!(error.reason(), files::Reason::Exists) => Ok(()),
            written => written.map_err(|error| not_written(&error)),
        }
    }

    /// Writes a file that is removed when the demo ends.
    pub(super) fn write_passing(&mut self, name: &'static str, text: String) -> anyhow::Result<()> {
        let file = self.path.join(name);
        files::replace(&file, &text, Access::Private).map_err(|error| not_written(&error))?;
        self.passing.push((name, text));
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        for (name, text) in &self.passing {
            let file = self.path.join(name);
            // A changed file is not the demo's any more.
            if fs::read_to_string(&file).is_ok_and(|there| there == *text) {
                let _ = fs::remove_file(&file);
            }
        }
    }
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(LOCK_FILE);
    files::make_private(&path).map_err(|error| not_written(&error))?;
    let context = || format!("could not open `{}`", path.display());
    let file = files::open_private(&path).with_context(context)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Hint::error(
            format!("another demo is running in `{}`", shown(folder)),
            "use that one, stop it first, or name another folder: `replyd demo --data DIR`",
        )),
        Err(TryLockError::Error(error)) => Err(error).with_context(context),
    }
}

/// Refuses a folder with foreign files.
fn refuse_foreign(folder: &Path) -> anyhow::Result<()> {
    let context = || format!("could not look into folder `{}`", shown(folder));
    let config = folder.join(CONFIG_FILE);
    let hint = "name an empty folder, or one of an earlier demo: `replyd demo --data DIR`";
    match fs::read_to_string(&config) {
        Ok(text) if is_marked(&text) => return Ok(()),
        Ok(text) if text.starts_with(MARK) => {
            return Err(Hint::error(
                format!("`{}` was changed since the demo wrote it", shown(&config)),
                "the demo would write it anew: move it away, or name another folder with --data",
            ));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        // Not UTF-8, so not the demo's.
        Err(error) if error.kind() == ErrorKind::InvalidData => {}
        Err(error) => return Err(error).with_context(context),
    }
    let foreign = foreign_names(folder).with_context(context)?;
    if foreign.is_empty() {
        return Ok(());
    }
    let folder = shown(folder);
    Err(Hint::error(
        format!("`{folder}` holds files that are not the demo's: {foreign}"),
        hint.to_owned(),
    ))
}

/// First few names of foreign files in a folder; lock file and drafts of an interrupted demo do not
/// count.
fn foreign_names(folder: &Path) -> io::Result<String> {
    const SHOWN: usize = 3;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != LOCK_FILE && !name.starts_with(DRAFT_PREFIX) {
            names.push(terminal::visible(&name));
        }
    }
    names.sort_unstable();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let names = names.join(", ");
    Ok(match more {
        0 => names,
        more => format!("{names} and {more} more"),
    })
}

fn marked(settings: &str) -> String {
    format!("{MARK}{}\n{settings}", hex(&Sha256::digest(settings)))
}

fn is_marked(text: &str) -> bool {
    let settings = text.split_once('\n').map(|(_, settings)| settings);
    settings.is_some_and(|settings| text == marked(settings))
}

fn shown(path: &Path) -> String {
    terminal::visible(&path.display().to_string())
}

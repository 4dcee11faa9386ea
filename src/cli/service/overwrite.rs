//! Writing files for the owner: never over what another hand wrote, unless somebody says so.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;

pub(crate) use crate::cli::account::output::Consent;
use crate::cli::terminal;
use crate::cli::terminal::Hint;
use crate::cli::terminal::confirm;
pub(crate) use crate::cli::terminal::confirm::Answer;
use crate::files;
use crate::files::{Access, WriteError};

/// Writes a file that a command makes anew each time. One that is there and is not `ours` is asked
/// about.
pub(crate) fn replace(
    path: &Path,
    text: &str,
    is_ours: impl Fn(&str) -> bool,
    consent: Consent,
) -> anyhow::Result<()> {
    let is_foreign = files::replaced(path).is_some_and(|file| {
        let there = fs::read_to_string(file);
        !there.is_ok_and(|there| there.is_empty() || is_ours(&there))
    });
    if is_foreign && consent == Consent::Asked {
        ask_for(path)?;
    }
    files::replace(path, text, Access::Umask).map_err(|error| not_written(&error))
}

fn ask_for(path: &Path) -> anyhow::Result<()> {
    let shown = terminal::visible(&path.display().to_string());
    if !io::stdin().is_terminal() {
        return Err(Hint {
            message: format!("`{shown}` is there already, and this command has not written it"),
            hint: "name another file, move this one away, or say --force when it may go".to_owned(),
        }
        .into());
    }
    match confirm::confirm(&format!(
        "`{shown}` was not written by this command; write over it"
    ))? {
        Answer::Yes => Ok(()),
        Answer::No => anyhow::bail!("`{shown}` stays as it is; nothing was written"),
    }
}

/// A file that was not written, with why and what to do about it.
pub(crate) fn not_written(error: &WriteError) -> anyhow::Error {
    let reason = error.reason();
    Hint {
        message: terminal::visible(&format!("{error}: {reason}")),
        hint: reason.advice().to_owned(),
    }
    .into()
}

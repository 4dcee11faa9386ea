//! Files that commands write; one that the command did not write itself is replaced only with
//! consent.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use super::confirm::{Answer, Consent, confirm};
use super::error::Hint;
use super::untrusted_text::visible;
use crate::files::{self, Access, WriteError};

/// Writes a file that a command generates anew each time. Asks before it replaces a file whose text
/// `is_generated` does not recognize.
pub(crate) fn replace(
    path: &Path,
    text: &str,
    is_generated: impl Fn(&str) -> bool,
    consent: Consent,
) -> anyhow::Result<()> {
    let is_foreign = files::replaced(path).is_some_and(|file| {
        let text = fs::read_to_string(file);
        !text.is_ok_and(|text| text.is_empty() || is_generated(&text))
    });
    if is_foreign && consent == Consent::Asked {
        ask_for(path)?;
    }
    files::replace(path, text, Access::Umask).map_err(|error| not_written(&error))
}

fn ask_for(path: &Path) -> anyhow::Result<()> {
    let shown = visible(&path.display().to_string());
    if !io::stdin().is_terminal() {
        return Err(Hint::error(
            format!("`{shown}` is there already, and this command has not written it"),
            "name another file, move this one away, or say --force when it may go",
        ));
    }
    match confirm(&format!(
        "`{shown}` was not written by this command; write over it"
    ))? {
        Answer::Yes => Ok(()),
        Answer::No => anyhow::bail!("`{shown}` stays as it is; nothing was written"),
    }
}

/// Reports a file that could not be written, with the reason and advice.
pub(crate) fn not_written(error: &WriteError) -> anyhow::Error {
    let reason = error.reason();
    Hint::error(
        visible(&format!("{error}: {reason}")),
        reason.advice().to_owned(),
    )
}

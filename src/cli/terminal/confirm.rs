//! Confirmation of irreversible actions.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;

use super::error::Hint;
use super::output::ask;
use super::style::{WARN, paint};
use super::untrusted_text::one_line;

/// Answer of the user at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
}

/// Consent to an irreversible action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Given by a flag, such as `--yes`.
    Given,
    /// Must be asked for.
    Asked,
}

impl Consent {
    /// Reads a flag such as `--yes`.
    pub(crate) fn from_flag(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Asked }
    }

    /// Asks, unless consent was given by a flag.
    ///
    /// # Errors
    /// When the answer is no, or there is no terminal to ask on.
    pub(crate) fn obtain(self, consequence: &str) -> anyhow::Result<()> {
        match self.ask(&format!("{consequence}; go on"))? {
            Answer::Yes => Ok(()),
            Answer::No => anyhow::bail!("nothing was changed"),
        }
    }

    /// Asks, unless consent was given by a flag.
    ///
    /// # Errors
    /// When there is no terminal to ask on.
    pub(crate) fn ask(self, question: &str) -> anyhow::Result<Answer> {
        match self {
            Self::Given => Ok(Answer::Yes),
            Self::Asked => confirm(question),
        }
    }
}

/// Asks a question on the terminal.
///
/// # Errors
/// When standard input is not a terminal.
pub(crate) fn confirm(question: &str) -> anyhow::Result<Answer> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Hint::error(
            format!("there is no terminal to ask on: {question}?"),
            "say it beforehand with --yes",
        ));
    }
    let question = format!("{}?", one_line(question));
    ask(format_args!("{} [y/N] ", paint(WARN, question)));
    let mut typed = String::new();
    let read = input.lock().read_line(&mut typed);
    read.context("could not read what was typed")?;
    Ok(match typed.trim().to_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}

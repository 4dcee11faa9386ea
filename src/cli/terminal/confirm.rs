//! Asking before something is done that cannot be undone.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;

use super::{Hint, WARN, paint};
use crate::cli::terminal;

/// What the person at the terminal said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Go on.
    Yes,
    /// Anything else.
    No,
}

/// Asks on the terminal; where there is none, nobody is there to answer, and that is an error.
pub(crate) fn confirm(question: &str) -> anyhow::Result<Answer> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Hint {
            message: format!("nobody is there to ask: {question}?"),
            hint: "say it beforehand with --yes".to_owned(),
        }
        .into());
    }
    terminal::ask(format_args!(
        "{} [y/N] ",
        paint(WARN, format_args!("{}?", terminal::one_line(question)))
    ));
    let mut typed = String::new();
    input
        .lock()
        .read_line(&mut typed)
        .context("could not read what was typed")?;
    Ok(match typed.trim().to_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}

//! Errors as commands print them: the error, its causes, and a hint.

use std::fmt::Write as _;
use std::io;

use super::output::ask;
use super::style::{BAD, LITERAL, STRONG, paint};
use super::untrusted_text::{drawn, visible};
use crate::config::ReadError;
use crate::diagnostics::Colour;

/// Error with advice for the user.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Hint {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Hint {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Makes an [`anyhow::Error`] with advice.
    pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self::new(message, hint).into()
    }
}

/// Writes an error with its causes and the first hint among them to standard error.
pub(crate) fn error(error: &anyhow::Error) {
    ask(styled(error));
}

/// Formats the text that [`error`] writes, for another way to standard error; with colours if that
/// is a terminal.
pub(crate) fn error_text(error: &anyhow::Error) -> String {
    let text = styled(error);
    match anstream::AutoStream::choice(&io::stderr()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(&text).to_string(),
        _ => text,
    }
}

fn styled(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let heading = if depth == 0 {
            paint(BAD, "error:")
        } else {
            format!("  {}", paint(STRONG, "Caused by:"))
        };
        let message = match cause.downcast_ref() {
            Some(ReadError::Problems(problems)) => drawn(&problems.render(Colour::Styled)),
            _ => visible(&cause.to_string()),
        };
        let _ = writeln!(text, "{heading} {message}");
    }
    if let Some(hint) = error.chain().find_map(|cause| cause.downcast_ref::<Hint>()) {
        let hint = visible(&hint.hint);
        let _ = writeln!(text, "\n{} {hint}", paint(LITERAL, "hint:"));
    }
    text
}

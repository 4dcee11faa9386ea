//! The only file that prints. Answers go to standard output, talk to standard error.
//!
//! Colours vanish by themselves when the output is no terminal or `NO_COLOR` is set (anstream sees
//! to it). Foreign text is shown through [`visible`] and its sisters: see [`self::untrusted_text`].

pub(crate) mod bubble;
pub(crate) mod confirm;
pub(crate) mod progress;
mod untrusted_text;

use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Color, Style};

use crate::config::ReadError;
use crate::diagnostics::Colour;

pub(crate) use self::untrusted_text::{
    OURS, PERSON, behind, drawn, framed, json, name, one_line, path, shortened, visible,
};

/// What a person looks for first.
pub(crate) const STRONG: Style = Style::new().bold();
/// What may be passed over.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Done, delivered, open.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Worth a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// Went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Commands, paths and addresses to copy.
pub(crate) const LITERAL: Style = AnsiColor::Cyan.on_default();

/// Black on white, for what a camera reads.
pub(crate) const PAPER: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Black)))
    .bg_color(Some(Color::Ansi(AnsiColor::BrightWhite)));

/// Whether a person looks at standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether a person can be asked, and can answer.
pub(crate) fn can_ask() -> bool {
    is_terminal() && io::stdin().is_terminal()
}

/// Why standard output took no more: the first failure since the start.
static REFUSED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes one line to standard output. Never fails where it stands: [`finish`] tells whether all
/// was taken.
pub(crate) fn line(text: impl Display) {
    note_refusal(writeln!(anstream::stdout(), "{text}"));
}

/// Writes to standard output without a line end, at once: for prompts.
pub(crate) fn prompt(text: impl Display) {
    let mut out = anstream::stdout();
    note_refusal(write!(out, "{text}").and_then(|()| out.flush()));
}

fn note_refusal(written: io::Result<()>) {
    if let Err(error) = written {
        let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get_or_insert(error);
    }
}

/// What became of everything that was written to standard output, once nothing more comes.
///
/// # Errors
/// The first failure. A reader that has seen enough (`| head`) and closes its pipe is none.
pub(crate) fn finish() -> io::Result<()> {
    note_refusal(io::stdout().flush());
    let refused = REFUSED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match refused {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Writes one line to standard error; that it cannot be told is nothing that could be told.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes to standard error without a line end, at once: for questions.
pub(crate) fn ask(text: impl Display) {
    let mut out = anstream::stderr();
    let _ = write!(out, "{text}");
    let _ = out.flush();
}

/// Writes over the line of standard error that the cursor is in; an empty text clears it. For
/// terminals alone.
pub(crate) fn over(text: impl Display) {
    ask(format_args!("\r\x1b[2K{text}"));
}

/// Writes an error with its causes, and a hint when one of them gives one.
pub(crate) fn error(error: &anyhow::Error) {
    ask(styled(error));
}

/// What [`error`] writes, for another way to standard error; with colours when a person looks at
/// it.
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
        let said = visible(&hint.hint);
        let _ = writeln!(text, "\n{} {said}", paint(LITERAL, "hint:"));
    }
    text
}

/// An error that knows what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Hint {
    /// What was wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Text in a style.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

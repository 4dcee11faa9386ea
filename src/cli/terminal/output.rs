//! The only file that writes to standard output and standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use super::untrusted_text::json;

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard output and standard input are terminals, so that a question can be answered.
pub(crate) fn can_ask() -> bool {
    is_terminal() && io::stdin().is_terminal()
}

/// First failure to write to standard output.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes one line to standard output. A failure is reported by [`finish`].
pub(crate) fn line(text: impl Display) {
    record_failure(writeln!(anstream::stdout(), "{text}"));
}

/// Writes one formatted line to standard output, as [`line()`] does.
macro_rules! line_format {
    ($($text:tt)*) => { $crate::cli::terminal::line(format_args!($($text)*)) };
}
pub(crate) use line_format as line;

/// Writes one value as a line of JSON to standard output.
pub(crate) fn json_line(value: &impl Display) {
    line(json(value));
}

/// Writes to standard output without a line end and flushes: for prompts.
pub(crate) fn prompt(text: impl Display) {
    let mut out = anstream::stdout();
    record_failure(write!(out, "{text}").and_then(|()| out.flush()));
}

fn record_failure(written: io::Result<()>) {
    if let Err(error) = written {
        let mut failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }
}

/// Flushes standard output and reports whether everything was written.
///
/// # Errors
/// The first failure. A pipe closed by its reader (`| head`) does not count.
pub(crate) fn finish() -> io::Result<()> {
    record_failure(io::stdout().flush());
    let failure = FAILURE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match failure {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Writes one line to standard error. Failures are ignored: they could not be reported.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes one formatted line to standard error, as [`note()`] does.
macro_rules! note_format {
    ($($text:tt)*) => { $crate::cli::terminal::note(format_args!($($text)*)) };
}
pub(crate) use note_format as note;

/// Writes to standard error without a line end and flushes: for questions.
pub(crate) fn ask(text: impl Display) {
    let mut out = anstream::stderr();
    let _ = write!(out, "{text}");
    let _ = out.flush();
}

/// Replaces the current line of standard error; an empty text clears it. For terminals only.
pub(crate) fn over(text: impl Display) {
    ask(format_args!("\r\x1b[2K{text}"));
}

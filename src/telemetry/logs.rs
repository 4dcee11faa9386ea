//! Log lines to standard error, as text or JSON.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal as _, stderr};
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::fmt;

use super::stderr_queue::StderrQueue;

/// Format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text, coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// Reason why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter has no syntax of `EnvFilter`.
    #[error("log filter is not understood")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Logging was started before in this process.
    #[error("logs were started before")]
    Started(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Checks a filter.
///
/// # Errors
/// [`LogError::Filter`].
pub fn check_filter(filter: &str) -> Result<(), LogError> {
    EnvFilter::try_new(filter)?;
    Ok(())
}

/// Sends every log line of this process through `lines`, panics included.
///
/// # Errors
/// When the filter is invalid, or logging was started before.
pub fn start_logs(lines: &StderrQueue, format: LogFormat, filter: &str) -> Result<(), LogError> {
    // The layer would report errors of its writer with `eprintln!`, which panics; this writer has
    // none.
    let layer = fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(lines.writer());
    let started = match format {
        LogFormat::Json => layer.json().flatten_event(true).try_init(),
        LogFormat::Text => {
            // anstream follows NO_COLOR and similar variables; the terminal check handles pipes.
            let coloured = stderr().is_terminal()
                && anstream::AutoStream::choice(&stderr()) != anstream::ColorChoice::Never;
            layer.with_ansi(coloured).with_target(false).try_init()
        }
    };
    started.map_err(LogError::Started)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs the place of a panic. The standard hook would block at a pipe without a reader, and show
/// any text: one made at run time may quote a contact, so only a text from the source is logged.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let text = panic.payload().downcast_ref::<&'static str>().copied();
    // Captured only if `RUST_BACKTRACE` is set.
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(place, text, backtrace, "panicked: please report this");
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_told_by_its_place_and_never_by_a_text_made_of_what_somebody_wrote() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt().json().with_writer(move || writer.clone()).finish();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));

        tracing::subscriber::with_default(lines, || {
            let secret = "canary";
            for broken in [
                std::panic::catch_unwind(|| panic!("stands in the source")),
                std::panic::catch_unwind(|| panic!("cannot read {secret}")),
            ] {
                assert!(broken.is_err());
            }
        });
        std::panic::set_hook(before);

        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let place = "\"place\":\"src/telemetry/logs.rs:";
        assert_eq!(written.matches(place).count(), 2, "{written}");
        assert!(written.contains("stands in the source"), "{written}");
        assert!(!written.contains("canary"), "{written}");
    }
}

//! Log lines to standard error, as text or JSON.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal as _, stderr};
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::fmt;

use super::stderr_queue::StderrQueue;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// Why logs could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not one of `EnvFilter`'s.
    #[error("log filter is not understood")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else in this process logs already.
    #[error("logs were started before")]
    Started(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Says whether `filter` can be used.
///
/// # Errors
/// [`LogError::Filter`].
pub fn check_filter(filter: &str) -> Result<(), LogError> {
    EnvFilter::try_new(filter)?;
    Ok(())
}

/// Sends every log line of this process through `lines`, and what is to be told of panics too.
///
/// # Errors
/// When the filter is not understood, or logs were started before.
pub fn start_logs(lines: &StderrQueue, format: LogFormat, filter: &str) -> Result<(), LogError> {
    // The layer tells of its own errors with `eprintln!`, which panics; the writer has no error to
    // give it.
    let layer = fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(lines.writer());
    let started = match format {
        LogFormat::Json => layer.json().flatten_event(true).try_init(),
        LogFormat::Text => {
            // The choice of anstream minds NO_COLOR and its like; the terminal check minds pipes.
            let coloured = stderr().is_terminal()
                && anstream::AutoStream::choice(&stderr()) != anstream::ColorChoice::Never;
            layer.with_ansi(coloured).with_target(false).try_init()
        }
    };
    started.map_err(LogError::Started)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Says where a panic was. The standard hook would wait at a pipe that nobody reads, and show
/// whatever text a panic carries: such a text may quote what a person wrote, so only one that
/// stands in the source is shown.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let text = panic.payload().downcast_ref::<&'static str>().copied();
    // Only there when `RUST_BACKTRACE` asks for it.
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

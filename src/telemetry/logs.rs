//! Log lines to standard error, as text or JSON.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::fmt;

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

/// Sends every log line of this process to standard error.
///
/// # Errors
/// When the filter is not understood, or logs were started before.
pub fn start_logs(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let lines = fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(stderr);
    let started = match format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        LogFormat::Text => {
            // The choice of anstream minds NO_COLOR and its like; the terminal check minds pipes.
            let coloured = stderr().is_terminal()
                && anstream::AutoStream::choice(&stderr()) != anstream::ColorChoice::Never;
            lines.with_ansi(coloured).with_target(false).try_init()
        }
    };
    started.map_err(LogError::Started)
}

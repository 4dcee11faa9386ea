//! `replyd serve`: the service. It prints nothing but logs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app::App;
use crate::cli::terminal;
use crate::clock::Clock;
use crate::config;
use crate::shutdown::Shutdown;
use crate::telemetry::{self, StderrQueue};

/// The first signal lets requests and sends in flight finish, the second stops at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configuration file [default: replyd.toml when there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the service until a signal stops it.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let lines =
        StderrQueue::to_stderr().context("could not start the thread that writes log lines")?;
    match serve(arguments, &lines).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            // Printed through the queue of log lines, because a blocked pipe must not keep a failed
            // service alive.
            lines.push(terminal::error_text(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn serve(arguments: Arguments, lines: &StderrQueue) -> anyhow::Result<()> {
    let config = config::read(arguments.config.as_deref())?;
    telemetry::start_logs(lines, config.log.format, &config.log.filter)?;
    tracing::info!("replyd {} starts", env!("CARGO_PKG_VERSION"));
    // Before anything is opened: a signal during the start must not be lost.
    let shutdown = Shutdown::on_signals().context("could not listen for signals")?;
    let app = App::build(config, Clock::System).await?;
    app.run(shutdown).await
}

//! `replyd doctor`: checks everything that a running service depends on, and reports checks that
//! were not possible.
//!
//! It changes nothing. [`local`] checks this machine, [`watched`] recorded events, [`remote`] the
//! account behind the gateway, [`public`] the public address, [`permissions`] the access to files.

mod local;
mod outbox;
mod permissions;
mod public;
mod remote;
mod report;
mod watched;

use std::path::PathBuf;
use std::process::ExitCode;

use self::report::{Health, Report};
use crate::cli::terminal::Format;
use crate::config::{self, Calls, Config};
use crate::diagnostics::Colour;
use crate::gateway::Gateway;

/// Checks configuration, database, rules, gateway, numbers and webhook.
///
/// Exits with 1 when something is wrong that keeps messages from being answered.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configuration file [default: replyd.toml when there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The public address of the webhook, as Meta calls it: a signed test goes there.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let path = arguments.config.as_deref();
    let whole = configuration(&mut report, config::read(path));
    // The other checks need no secrets of the webhook.
    let calls = match &whole {
        Some(config) => Some(Calls::from(config)),
        None => config::read_calls(path).ok(),
    };
    if let Some(config) = &whole {
        permissions::app_secrets(&mut report, config);
    }
    let secrets = config::secret_places(path).unwrap_or_default();
    permissions::files(&mut report, calls.as_ref(), &secrets);
    if let Some(calls) = &calls {
        local::database(&mut report, calls, whole.as_ref()).await;
        local::rules(&mut report, calls, whole.as_ref());
        match Gateway::new(&calls.gateway) {
            Ok(gateway) => remote::all(&mut report, calls, whole.as_ref(), &gateway).await,
            Err(error) => report.add(Health::Bad, "gateway", error.to_string()),
        }
    } else {
        let detail = "not looked at: the configuration cannot be used";
        report.add(Health::Unknown, "everything else", detail);
    }
    public::webhook(&mut report, whole.as_ref(), arguments.url.as_deref()).await;
    report.print(Format::from_flag(arguments.json));
    Ok(if report.is_bad() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn configuration(report: &mut Report, read: Result<Config, config::ReadError>) -> Option<Config> {
    match read {
        Ok(config) => {
            report.add(Health::Good, "configuration", "complete");
            Some(config)
        }
        Err(error) => {
            let text = error.to_string();
            match error {
                config::ReadError::Problems(problems) => {
                    let drawn = problems.render(Colour::Styled);
                    report.add_drawn(Health::Bad, "configuration", text, drawn);
                }
                config::ReadError::File { .. } => report.add(Health::Bad, "configuration", text),
            }
            None
        }
    }
}

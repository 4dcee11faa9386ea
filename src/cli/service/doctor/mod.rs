//! `replyd doctor`: looks at everything a running service depends on, and says what it could not
//! look at.
//!
//! It changes nothing, anywhere. What is on this machine is looked at in [`local`], what came in so
//! far in [`watched`], what is behind the gateway in [`remote`], the public address in [`public`],
//! who else may read files in [`permissions`].

mod local;
mod outbox;
mod permissions;
mod public;
mod remote;
mod watched;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::terminal;
use crate::cli::terminal::{BAD, DIM, GOOD, WARN, paint};
use crate::config;
use crate::config::{Calls, Config};
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

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// As it should be.
    Good,
    /// Works, and is worth a look.
    Doubtful,
    /// Messages are not answered because of it.
    Bad,
    /// Could not be looked at.
    Unknown,
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    health: Health,
    /// What was looked at.
    subject: String,
    /// What was found.
    detail: String,
    /// `detail` with excerpts of files in colour.
    drawn: Option<String>,
    /// What to do.
    advice: Option<String>,
}

/// The report, as it grows.
#[derive(Debug, Default)]
struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, health: Health, subject: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(Finding {
            health,
            subject: subject.into(),
            detail: detail.into(),
            drawn: None,
            advice: None,
        });
    }

    fn advise(
        &mut self,
        health: Health,
        subject: impl Into<String>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(health, subject, detail);
        if let Some(finding) = self.findings.last_mut() {
            finding.advice = Some(advice.into());
        }
    }

    fn is_bad(&self) -> bool {
        let mut all = self.findings.iter();
        all.any(|finding| finding.health == Health::Bad)
    }
}

/// Looks at everything, tells everything.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let path = arguments.config.as_deref();
    let whole = configuration(&mut report, config::read(path));
    // Without the webhook's secrets the rest can still be looked at.
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
    tell(&report, arguments.json);
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
            report.add(Health::Bad, "configuration", error.to_string());
            if let config::ReadError::Problems(problems) = error
                && let Some(finding) = report.findings.last_mut()
            {
                finding.drawn = Some(problems.render(Colour::Styled));
            }
            None
        }
    }
}

fn tell(report: &Report, json: bool) {
    if json {
        for finding in &report.findings {
            terminal::line(terminal::json(&as_json(finding)));
        }
        return;
    }
    for finding in &report.findings {
        let (mark, style) = match finding.health {
            Health::Good => ("✓", GOOD),
            Health::Doubtful => ("!", WARN),
            Health::Bad => ("✗", BAD),
            Health::Unknown => ("–", DIM),
        };
        let detail = match &finding.drawn {
            Some(drawn) => terminal::drawn(drawn),
            None => terminal::visible(&finding.detail),
        };
        let detail = detail.replace('\n', "\n    ").replace("\n    \n", "\n\n");
        let subject = terminal::one_line(&finding.subject);
        terminal::line(format_args!("{} {subject}: {detail}", paint(style, mark)));
        if let Some(advice) = &finding.advice {
            terminal::line(paint(
                DIM,
                format_args!("    {}", terminal::one_line(advice)),
            ));
        }
    }
    let of = |health| {
        let found = report.findings.iter();
        found.filter(|finding| finding.health == health).count()
    };
    terminal::note(format_args!(
        "\n{} good, {} worth a look, {} wrong, {} not checked",
        of(Health::Good),
        of(Health::Doubtful),
        of(Health::Bad),
        of(Health::Unknown)
    ));
}

fn as_json(finding: &Finding) -> Value {
    let health = match finding.health {
        Health::Good => "good",
        Health::Doubtful => "doubtful",
        Health::Bad => "bad",
        Health::Unknown => "unknown",
    };
    json!({
        "health": health,
        "subject": finding.subject,
        "detail": finding.detail,
        "advice": finding.advice,
    })
}

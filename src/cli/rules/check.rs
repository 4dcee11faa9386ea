//! `replyd check`: prints every diagnostic of rules files, as a compiler does.
//!
//! Reads the files; [`crate::rules::compile()`] finds the problems.

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::tz::TimeZone;

use super::load;
use crate::app::rules_loader::RulesFiles;
use crate::cli::terminal::{self, paint};
use crate::clock::Clock;
use crate::config;
use crate::diagnostics::sources::SourceMap;
use crate::diagnostics::{Diagnostic, Severity};
use crate::message::counted;
use crate::rules::Compiled;

/// The rules are good, or have warnings only.
const GOOD: u8 = 0;
/// A file has errors.
const BROKEN: u8 = 1;
/// A file that was named could not be read.
const UNREADABLE: u8 = 2;

/// Checks rules files and shows every problem with its place.
///
/// Exits with 0 when the rules can be used, 1 when they have errors, 2 when one of FILE cannot be
/// read.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The files to check, each on its own.
    #[arg(value_name = "FILE", default_value = "rules.toml")]
    files: Vec<PathBuf>,
    /// How problems are shown: for people, or one line of JSON each for editors and CI.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Configuration file whose `[actions]` the calls are compared with.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Checks each file and exits with the worst result.
#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut worst = GOOD;
    let today = Clock::System.now().to_zoned(TimeZone::UTC).date();
    let hosts = arguments.config.as_deref();
    let hosts = hosts
        .map(|path| config::read_action_bases(Some(path)))
        .transpose()?;
    let compile = |files: &RulesFiles| files.compile_for(hosts.as_deref(), Some(today));
    for file in &arguments.files {
        worst = worst.max(match RulesFiles::read(file) {
            Ok(files) => match arguments.format {
                Format::Text => check(&terminal::path(file), &files.sources, compile(&files)),
                Format::Json => check_for_editors(&files.sources, compile(&files)),
            },
            Err(error) => {
                terminal::error(&error);
                UNREADABLE
            }
        });
    }
    Ok(ExitCode::from(worst))
}

/// One line of JSON for each diagnostic.
fn check_for_editors(sources: &SourceMap, compiled: Result<Compiled, Vec<Diagnostic>>) -> u8 {
    let (result, diagnostics) = match compiled {
        Ok(compiled) => (GOOD, compiled.warnings),
        Err(diagnostics) => (BROKEN, diagnostics),
    };
    for diagnostic in &diagnostics {
        terminal::json_line(&diagnostic.to_json(sources));
    }
    result
}

fn check(name: &str, sources: &SourceMap, compiled: Result<Compiled, Vec<Diagnostic>>) -> u8 {
    let (result, rules, diagnostics) = match compiled {
        Ok(compiled) => {
            let rules = counted(compiled.rules.rules.len(), "rule");
            (GOOD, Some(rules), compiled.warnings)
        }
        Err(diagnostics) => (BROKEN, None, diagnostics),
    };
    if !diagnostics.is_empty() {
        load::show(&diagnostics, sources);
        terminal::note("");
    }
    let of = |severity| {
        let has_severity = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        diagnostics.iter().filter(has_severity).count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let style = match (errors, warnings) {
        (0, 0) => terminal::GOOD,
        (0, _) => terminal::WARN,
        _ => terminal::BAD,
    };
    let counts = [counted(errors, "error"), counted(warnings, "warning")];
    let parts: Vec<String> = rules.into_iter().chain(counts).collect();
    terminal::line(paint!(style, "{name}: {}", parts.join(", ")));
    result
}

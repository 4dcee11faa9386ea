//! `replyd check`: prints every diagnostic of rules files, as a compiler does.
//!
//! Reads the files; [`crate::rules::compile()`] finds the problems.

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::load;
use crate::app::rules_loader::RulesFiles;
use crate::cli::terminal::{self, paint};
use crate::clock::Clock;
use crate::diagnostics::{Diagnostic, Severity};
use crate::message::counted;

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
    for file in &arguments.files {
        worst = worst.max(match RulesFiles::read(file) {
            Ok(files) => match arguments.format {
                Format::Text => check(&terminal::path(file), &files, today),
                Format::Json => check_for_editors(&files, today),
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
fn check_for_editors(files: &RulesFiles, today: Date) -> u8 {
    let (result, diagnostics) = match files.compile(Some(today)) {
        Ok(compiled) => (GOOD, compiled.warnings),
        Err(diagnostics) => (BROKEN, diagnostics),
    };
    for diagnostic in &diagnostics {
        terminal::json_line(&diagnostic.to_json(&files.sources));
    }
    result
}

fn check(name: &str, files: &RulesFiles, today: Date) -> u8 {
    let (result, rules, diagnostics) = match files.compile(Some(today)) {
        Ok(compiled) => {
            let rules = counted(compiled.rules.rules.len(), "rule");
            (GOOD, Some(rules), compiled.warnings)
        }
        Err(diagnostics) => (BROKEN, None, diagnostics),
    };
    if !diagnostics.is_empty() {
        load::show(&diagnostics, &files.sources);
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

//! `replyd test`: runs the examples and conversations that stand in rules files.

mod junit;

use std::path::PathBuf;
use std::process::ExitCode;

use super::{explanation, load};
use crate::app::rules_loader::RulesFiles;
use crate::cli::terminal::confirm::Consent;
use crate::cli::terminal::{self, BAD, DIM, GOOD, STRONG, overwrite, paint};
use crate::diagnostics::sources::SourceMap;
use crate::engine::Engine;
use crate::message::counted;
use crate::rules::RuleSet;
use crate::simulator::{self, Coverage, Finding};

/// Every test passes.
const PASSED: u8 = 0;
/// A test fails, or the rules have errors.
const FAILED: u8 = 1;
/// A file could not be read.
const UNREADABLE: u8 = 2;

/// Runs the tests of rules files: `examples` and `not_examples` of rules, and every `[[test]]`.
///
/// Exits with 0 when all pass, 1 when one fails or the rules have errors, 2 when a file cannot be
/// read.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The rules files, each on its own.
    #[arg(value_name = "FILE", default_value = "rules.toml")]
    files: Vec<PathBuf>,
    /// List the rules, steps and branches that no test reaches, and fail when there are some.
    #[arg(long)]
    coverage: bool,
    /// Write the results in the format of `JUnit`, which CI services read.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the results also over a file that holds none.
    #[arg(long, requires = "junit")]
    force: bool,
}

/// Runs them all; a file that cannot be used does not keep the others from being run.
#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut worst = PASSED;
    let mut suites = Vec::new();
    for file in &arguments.files {
        let name = terminal::path(file);
        let read = RulesFiles::read(file).map_err(|error| (UNREADABLE, error));
        let rules = read.and_then(|files| {
            let compiled = load::compile(&name, files);
            compiled.map_err(|error| (FAILED, error))
        });
        match rules {
            Ok((sources, rules)) => {
                let engine = Engine::new(rules);
                let (findings, coverage) = simulator::run(&engine);
                worst = worst.max(print(&name, &findings, &sources));
                if arguments.coverage {
                    worst = worst.max(print_coverage(&name, &coverage, engine.rules()));
                }
                suites.push(junit::suite(&name, &findings));
            }
            Err((code, error)) => {
                terminal::error(&error);
                worst = worst.max(code);
                suites.push(junit::unusable(&name, &error));
            }
        }
    }
    if let Some(path) = &arguments.junit {
        let consent = Consent::from_flag(arguments.force);
        overwrite::replace(path, &junit::document(&suites), junit::is_report, consent)?;
    }
    Ok(ExitCode::from(worst))
}

/// Prints every failure with its reason, and their number.
fn print(name: &str, findings: &[Finding], sources: &SourceMap) -> u8 {
    for finding in findings {
        show(finding, sources);
    }
    let failed = findings
        .iter()
        .filter(|finding| finding.failure.is_some())
        .count();
    let (code, style) = if failed == 0 {
        (PASSED, GOOD)
    } else {
        (FAILED, BAD)
    };
    let (tests, failures) = (counted(findings.len(), "test"), format!("{failed} failed"));
    terminal::line(paint!(style, "{name}: {tests}, {failures}"));
    code
}

fn print_coverage(name: &str, coverage: &Coverage, rules: &RuleSet) -> u8 {
    let missed = coverage.missed(rules);
    let whole = Coverage::count_parts(rules);
    terminal::line!(
        "{name}: {} of {whole} rules, steps and branches are reached",
        whole - missed.len()
    );
    for part in &missed {
        terminal::line!("  never reached: {}", terminal::one_line(&part.to_string()));
    }
    if missed.is_empty() { PASSED } else { FAILED }
}

fn show(finding: &Finding, sources: &SourceMap) {
    let Some(failure) = &finding.failure else {
        return;
    };
    let (file, line, column) = sources.line_and_column(&failure.span);
    let (file, name) = (terminal::one_line(file), terminal::one_line(&finding.name));
    terminal::line!("{} {name}", paint(BAD, "failed:"));
    terminal::line(paint!(DIM, "  {file}:{line}:{column}"));
    for message in &failure.transcript {
        terminal::line(terminal::framed("  ", message));
    }
    terminal::line(paint!(
        STRONG,
        "  {}",
        terminal::visible(&failure.message).replace('\n', "\n  ")
    ));
    for reason in explanation::reasons(&failure.explanation) {
        terminal::line(paint!(DIM, "    {}", terminal::one_line(&reason)));
    }
    terminal::line("");
}

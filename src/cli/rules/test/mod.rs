//! `replyd test`: runs the examples and conversations that stand in rules files.

mod junit;

use std::path::PathBuf;
use std::process::ExitCode;

use super::check::count;
use super::load;
use crate::app::rules_loader::RulesFiles;
pub(crate) use crate::cli::account::output::Consent;
use crate::cli::service::overwrite;
use crate::cli::terminal;
use crate::cli::terminal::{BAD, DIM, GOOD, STRONG, paint};
use crate::diagnostics::sources::SourceMap;
use crate::engine::{Engine, Verdict};
use crate::rules::RuleSet;
use crate::simulator;
use crate::simulator::{Coverage, Failure, Finding};

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
            let compiled = load::compile(file, files);
            compiled.map_err(|error| (FAILED, error))
        });
        match rules {
            Ok((sources, rules)) => {
                let engine = Engine::new(rules);
                let (findings, coverage) = simulator::run(&engine);
                worst = worst.max(tell(&name, &findings, &sources));
                if arguments.coverage {
                    worst = worst.max(tell_coverage(&name, &coverage, engine.rules()));
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
        let consent = if arguments.force {
            Consent::Given
        } else {
            Consent::Asked
        };
        overwrite::replace(path, &junit::document(&suites), junit::is_report, consent)?;
    }
    Ok(ExitCode::from(worst))
}

/// Every failure with its reason, and how many there are.
fn tell(name: &str, findings: &[Finding], sources: &SourceMap) -> u8 {
    for finding in findings {
        show(finding, sources);
    }
    let failed = findings.iter().filter(|one| one.failure.is_some()).count();
    let (code, style) = if failed == 0 {
        (PASSED, GOOD)
    } else {
        (FAILED, BAD)
    };
    let (tests, failures) = (count(findings.len(), "test"), format!("{failed} failed"));
    terminal::line(paint(style, format_args!("{name}: {tests}, {failures}")));
    code
}

fn tell_coverage(name: &str, coverage: &Coverage, rules: &RuleSet) -> u8 {
    let missed = coverage.missed(rules);
    let whole = Coverage::of(rules);
    terminal::line(format_args!(
        "{name}: {} of {whole} rules, steps and branches are reached",
        whole - missed.len()
    ));
    for part in &missed {
        terminal::line(format_args!(
            "  never reached: {}",
            terminal::one_line(&part.to_string())
        ));
    }
    if missed.is_empty() { PASSED } else { FAILED }
}

fn show(finding: &Finding, sources: &SourceMap) {
    let Some(failure) = &finding.failure else {
        return;
    };
    let (file, line, column) = sources.line_and_column(&failure.span);
    let (file, name) = (terminal::one_line(file), terminal::one_line(&finding.name));
    terminal::line(format_args!("{} {name}", paint(BAD, "failed:")));
    terminal::line(paint(DIM, format_args!("  {file}:{line}:{column}")));
    for said in &failure.transcript {
        terminal::line(terminal::framed("  ", said));
    }
    terminal::line(paint(
        STRONG,
        format_args!(
            "  {}",
            terminal::visible(&failure.message).replace('\n', "\n  ")
        ),
    ));
    for reason in reasons(failure) {
        terminal::line(paint(
            DIM,
            format_args!("    {}", terminal::one_line(&reason)),
        ));
    }
    terminal::line("");
}

/// Why the last turn came out as it did.
fn reasons(failure: &Failure) -> Vec<String> {
    let explanation = &failure.explanation;
    let read = explanation.normalized.iter();
    let read = read.map(|text| format!("read as: {text}"));
    let considered = explanation.considered.iter().map(|one| {
        let mark = match one.verdict {
            Verdict::Matched => "✓",
            Verdict::Quiet => "–",
            Verdict::No => "·",
        };
        format!("{mark} {}: {}", one.rule, one.because)
    });
    let note = explanation.note.iter().cloned();
    read.chain(considered).chain(note).collect()
}

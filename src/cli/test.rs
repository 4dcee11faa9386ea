//! `replyd test`: runs the examples and conversations that stand in rules files.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::check::count;
use super::ruleset;
use super::ui::{self, BAD, DIM, GOOD, STRONG, paint};
use crate::rules::Sources;
use crate::turn::Verdict;
use crate::turn::rehearsal::{self, Coverage, Failure, Finding};

/// Runs the tests of rules files: `examples` and `not_examples` of rules, and every `[[test]]`.
///
/// Exits with 0 when all pass, 1 when one fails or the rules have errors.
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
}

/// Runs them all.
#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    let mut good = true;
    for file in &arguments.files {
        let name = file.display().to_string();
        let (sources, rules) = ruleset::read(file)?;
        let (findings, coverage) = rehearsal::run(&rules);
        for finding in &findings {
            show(finding, &sources);
        }
        let failed = findings.iter().filter(|one| one.failure.is_some()).count();
        good &= failed == 0;
        let style = if failed == 0 { GOOD } else { BAD };
        let (tests, failures) = (count(findings.len(), "test"), format!("{failed} failed"));
        ui::line(paint(style, format_args!("{name}: {tests}, {failures}")));
        if arguments.coverage {
            let missed = coverage.missed(&rules);
            let whole = Coverage::of(&rules);
            ui::line(format_args!(
                "{name}: {} of {whole} rules, steps and branches are reached",
                whole - missed.len()
            ));
            for part in &missed {
                ui::line(format_args!("  never reached: {part}"));
            }
            good &= missed.is_empty();
        }
        all.push((name, findings));
    }
    if let Some(path) = &arguments.junit {
        std::fs::write(path, junit(&all))
            .with_context(|| format!("could not write `{}`", path.display()))?;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(finding: &Finding, sources: &Sources) {
    let Some(failure) = &finding.failure else {
        return;
    };
    let (file, line, column) = sources.line_and_column(&failure.span);
    let name = ui::visible(&finding.name);
    ui::line(format_args!("{} {name}", paint(BAD, "failed:")));
    ui::line(paint(DIM, format_args!("  {file}:{line}:{column}")));
    for said in &failure.transcript {
        ui::line(format_args!("  {}", ui::visible(said)));
    }
    ui::line(paint(
        STRONG,
        format_args!("  {}", ui::visible(&failure.message)),
    ));
    for reason in reasons(failure) {
        ui::line(paint(DIM, format_args!("    {}", ui::visible(&reason))));
    }
    ui::line("");
}

/// Why the last turn came out as it did.
fn reasons(failure: &Failure) -> Vec<String> {
    let explanation = &failure.explanation;
    let read = explanation.normalised.iter();
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

fn junit(all: &[(String, Vec<Finding>)]) -> String {
    let suites: Vec<String> = all
        .iter()
        .map(|(name, findings)| suite(name, findings))
        .collect();
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    format!("{head}\n<testsuites>\n{}</testsuites>\n", suites.concat())
}

fn suite(name: &str, findings: &[Finding]) -> String {
    let failed = findings.iter().filter(|one| one.failure.is_some()).count();
    let (name, tests) = (escaped(name), findings.len());
    let cases = findings.iter().map(|finding| {
        let test = escaped(&finding.name);
        let case = format!("    <testcase classname=\"{name}\" name=\"{test}\"");
        let Some(failure) = &finding.failure else {
            return case + "/>\n";
        };
        let message = escaped(&failure.message);
        let said = failure.transcript.iter().cloned().chain(reasons(failure));
        let said = escaped(&said.collect::<Vec<_>>().join("\n"));
        format!("{case}>\n      <failure message=\"{message}\">{said}</failure>\n    </testcase>\n")
    });
    let cases: Vec<String> = cases.collect();
    let head = format!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">");
    format!("{head}\n{}  </testsuite>\n", cases.concat())
}

/// Text as XML takes it, without characters that it does not.
fn escaped(text: &str) -> String {
    let plain = text.chars().filter(|one| !one.is_control() || *one == '\n');
    let text: String = plain.collect();
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

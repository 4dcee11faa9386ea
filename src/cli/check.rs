//! `replyd check`: says everything that is wrong with rules files, the way a compiler does.
//!
//! Reads the files and counts; what is wrong is found by [`crate::rules::compile()`].

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::ui;
use crate::app::templates;
use crate::message::TemplateFile;
use crate::rules::{self, Colour, Diagnostic, Severity};

/// The rules are good, or have warnings only.
const GOOD: u8 = 0;
/// A file has errors.
const BROKEN: u8 = 1;
/// A file could not be read.
const UNREADABLE: u8 = 2;

/// Checks rules files and shows every problem with its place.
///
/// Exits with 0 when the rules can be used, 1 when they have errors, 2 when a file cannot be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The files to check, each on its own.
    #[arg(value_name = "FILE", default_value = "rules.toml")]
    files: Vec<PathBuf>,
}

/// Checks each file and exits with the worst result.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut worst = GOOD;
    for file in &arguments.files {
        worst = worst.max(match read(file).await {
            Ok((text, fetched)) => check(&file.display().to_string(), &text, fetched.as_ref()),
            Err(error) => {
                ui::error(&error);
                UNREADABLE
            }
        });
    }
    Ok(ExitCode::from(worst))
}

async fn read(file: &Path) -> anyhow::Result<(String, Option<TemplateFile>)> {
    let text = tokio::fs::read_to_string(file)
        .await
        .with_context(|| format!("could not read `{}`", file.display()))?;
    Ok((text, templates::fetched(file)?))
}

fn check(name: &str, text: &str, fetched: Option<&TemplateFile>) -> u8 {
    let (result, rules, diagnostics) = match rules::compile(name, text, fetched) {
        Ok(compiled) => {
            let rules = count(compiled.rules.rules.len(), "rule");
            (GOOD, Some(rules), compiled.warnings)
        }
        Err(diagnostics) => (BROKEN, None, diagnostics),
    };
    if !diagnostics.is_empty() {
        // Colours vanish by themselves where there is no terminal.
        ui::note(rules::render(&diagnostics, name, text, Colour::Styled));
        ui::note("");
    }
    let of = |severity| {
        let found = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        diagnostics.iter().filter(found).count()
    };
    let errors = count(of(Severity::Error), "error");
    let warnings = count(of(Severity::Warning), "warning");
    let parts = rules.into_iter().chain([errors, warnings]);
    ui::line(format_args!(
        "{name}: {}",
        parts.collect::<Vec<_>>().join(", ")
    ));
    result
}

pub(super) fn count(number: usize, name: impl Display) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {name}{plural}")
}

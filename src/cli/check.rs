//! `replyd check`: every problem of a rules file in one run, the way compilers tell them.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::ui::{self, BAD, GOOD, WARN, paint};
use crate::rules::{self, Colour, Diagnostic};

/// Exit code 0: good, perhaps with warnings; 1: errors; 2: a file could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Rules files.
    #[arg(value_name = "FILE", default_value = "rules.toml")]
    files: Vec<PathBuf>,
}

/// Checks each file by itself; problems go to standard error, one line a file to standard output.
#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let codes = arguments.files.iter().map(|file| check(file));
    Ok(ExitCode::from(codes.max().unwrap_or_default()))
}

fn check(file: &Path) -> u8 {
    let name = file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            let hint = ui::Hint {
                message: format!("could not read the rules `{name}`: {error}"),
                hint: "write a first file with `replyd init`".to_owned(),
            };
            ui::error(&hint.into());
            return 2;
        }
    };
    let (rules, diagnostics) = match rules::compile(&name, &text) {
        Ok(compiled) => (Some(compiled.rules.rules.len()), compiled.warnings),
        Err(diagnostics) => (None, diagnostics),
    };
    if !diagnostics.is_empty() {
        ui::note(format_args!(
            "{}\n",
            rules::render(&diagnostics, &name, &text, colour())
        ));
    }
    ui::line(summary(&name, rules, &diagnostics));
    u8::from(rules.is_none())
}

fn colour() -> Colour {
    if std::io::stderr().is_terminal() {
        Colour::Styled
    } else {
        Colour::Plain
    }
}

fn summary(name: &str, rules: Option<usize>, diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    let warnings = diagnostics.len() - errors;
    let counted =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let counts = format!(
        "{}, {}",
        counted(errors, "error"),
        counted(warnings, "warning")
    );
    match rules {
        Some(rules) => {
            let style = if warnings == 0 { GOOD } else { WARN };
            format!(
                "{name}: {}, {}",
                counted(rules, "rule"),
                paint(style, counts)
            )
        }
        None => format!("{name}: {}", paint(BAD, counts)),
    }
}

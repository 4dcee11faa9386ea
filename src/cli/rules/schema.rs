//! `replyd schema`: the JSON Schema of rules files, for editors.

use std::process::ExitCode;

use crate::cli::terminal;
use crate::rules;

/// Prints the JSON Schema of rules files.
///
/// Editors that know TOML complete and check a file whose first line is `#:schema
/// ./rules.schema.json`, with what this prints in that file.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(_: Arguments) -> anyhow::Result<ExitCode> {
    terminal::line!("{:#}", rules::schema());
    Ok(ExitCode::SUCCESS)
}

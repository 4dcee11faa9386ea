//! Rules files of commands: read, compiled, and their mistakes shown.

use std::path::Path;

use crate::app::rules_loader::RulesFiles;
use crate::cli::terminal::{self, Hint};
use crate::diagnostics::sources::SourceMap;
use crate::diagnostics::{self, Colour, Diagnostic};
use crate::rules::RuleSet;

/// Reads and compiles a rules file; shows every mistake in it.
///
/// # Errors
/// When a file cannot be read or the rules cannot be used.
pub(crate) fn read(path: &Path) -> anyhow::Result<(SourceMap, RuleSet)> {
    compile(&terminal::path(path), RulesFiles::read(path)?)
}

/// Compiles rules, `name` being their name in the error; shows every mistake in them.
///
/// # Errors
/// When the rules cannot be used.
pub(crate) fn compile(name: &str, files: RulesFiles) -> anyhow::Result<(SourceMap, RuleSet)> {
    match files.compile(None) {
        Ok(compiled) => Ok((files.sources, compiled.rules)),
        Err(diagnostics) => {
            show(&diagnostics, &files.sources);
            Err(Hint::error(
                format!("the rules `{name}` cannot be used"),
                "mend what is shown above",
            ))
        }
    }
}

/// Shows diagnostics with the lines they are about.
pub(crate) fn show(diagnostics: &[Diagnostic], sources: &SourceMap) {
    let drawn = diagnostics::render(diagnostics, sources, Colour::Styled);
    terminal::note(terminal::drawn(&drawn));
}

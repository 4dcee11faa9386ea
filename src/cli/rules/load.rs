//! What commands share that need rules without a mistake.

use std::path::Path;

use crate::app::rules_loader::RulesFiles;
use crate::cli::terminal;
use crate::cli::terminal::Hint;
use crate::diagnostics;
use crate::diagnostics::Colour;
use crate::diagnostics::sources::SourceMap;
use crate::rules::RuleSet;

/// Reads and compiles; shows every mistake when there are some.
///
/// # Errors
/// When a file cannot be read or the rules cannot be used.
pub(crate) fn read(path: &Path) -> anyhow::Result<(SourceMap, RuleSet)> {
    compile(path, RulesFiles::read(path)?)
}

/// Compiles what was read; shows every mistake when there are some.
///
/// # Errors
/// When the rules cannot be used.
pub(crate) fn compile(path: &Path, files: RulesFiles) -> anyhow::Result<(SourceMap, RuleSet)> {
    match files.compile(None) {
        Ok(compiled) => Ok((files.sources, compiled.rules)),
        Err(found) => {
            let drawn = diagnostics::render(&found, &files.sources, Colour::Styled);
            terminal::note(terminal::drawn(&drawn));
            Err(Hint {
                message: format!("the rules `{}` cannot be used", terminal::path(path)),
                hint: "mend what is shown above".to_owned(),
            }
            .into())
        }
    }
}

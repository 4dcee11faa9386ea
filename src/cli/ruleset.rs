//! What commands share that need rules without a mistake.

use std::path::Path;

use super::ui::{self, Hint};
use crate::app::rules_files::RulesFiles;
use crate::rules::{self, Colour, RuleSet, Sources};

/// Reads and compiles; shows every mistake when there are some.
///
/// # Errors
/// When a file cannot be read or the rules cannot be used.
pub(crate) fn read(path: &Path) -> anyhow::Result<(Sources, RuleSet)> {
    compile(path, RulesFiles::read(path)?)
}

/// Compiles what was read; shows every mistake when there are some.
///
/// # Errors
/// When the rules cannot be used.
pub(crate) fn compile(path: &Path, files: RulesFiles) -> anyhow::Result<(Sources, RuleSet)> {
    match files.compile(None) {
        Ok(compiled) => Ok((files.sources, compiled.rules)),
        Err(found) => {
            let drawn = rules::render(&found, &files.sources, Colour::Styled);
            ui::note(ui::drawn(&drawn));
            Err(Hint {
                message: format!("the rules `{}` cannot be used", ui::path(path)),
                hint: "mend what is shown above".to_owned(),
            }
            .into())
        }
    }
}

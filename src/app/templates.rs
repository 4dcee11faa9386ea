//! The message templates that `replyd templates sync` fetched, for the check of the rules.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::message::TemplateFile;

/// Stands beside the rules file.
const FILE: &str = "templates.json";

/// Where the templates of a rules file are kept.
#[must_use]
pub fn path_beside(rules: &Path) -> PathBuf {
    rules.with_file_name(FILE)
}

/// Reads the templates beside a rules file; `None` when they were never fetched.
///
/// # Errors
/// When the file is there and cannot be read, or is not what `replyd templates sync` writes.
pub fn fetched(rules: &Path) -> anyhow::Result<Option<TemplateFile>> {
    let path = path_beside(rules);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("could not read `{}`", path.display()));
        }
    };
    let file = serde_json::from_str(&text).with_context(|| {
        format!(
            "`{}` is not what `replyd templates sync` writes; fetch it again",
            path.display()
        )
    })?;
    Ok(Some(file))
}

//! Rules on disk: the main file, the files it includes, and the message templates that `replyd templates sync` fetched.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::civil::Date;

use crate::message::TemplateFile;
use crate::rules::{self, Beside, Compiled, Diagnostic, Sources};

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

/// Everything a check of rules needs.
#[derive(Clone, Debug)]
pub struct RulesFiles {
    /// The texts.
    pub sources: Sources,
    /// Where they stand, the main file first.
    pub paths: Vec<PathBuf>,
    /// The templates beside them.
    pub templates: Option<TemplateFile>,
}

impl RulesFiles {
    /// Reads a rules file with everything it includes.
    ///
    /// # Errors
    /// When one of the files cannot be read, or nothing is where `include` says.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .with_context(|| format!("could not read rules file `{}`", path.display()))
        };
        let text = read(file)?;
        let mut sources = Sources::one(file.to_string_lossy(), &text);
        let mut paths = vec![file.to_owned()];
        for pattern in rules::includes(&text) {
            for path in included(file, &pattern)? {
                if !paths.contains(&path) {
                    sources.add(path.to_string_lossy(), &read(&path)?);
                    paths.push(path);
                }
            }
        }
        Ok(Self {
            sources,
            paths,
            templates: fetched(file)?,
        })
    }

    /// Compiles them; `today` is for holidays that are over.
    ///
    /// # Errors
    /// Everything that was found in them, when at least one is an error.
    pub fn compile(&self, today: Option<Date>) -> Result<Compiled, Vec<Diagnostic>> {
        let beside = Beside {
            templates: self.templates.as_ref(),
            today,
        };
        rules::compile(&self.sources, beside)
    }
}

/// The files that a pattern in `include` means, in name order; relative to the file it stands in.
fn included(file: &Path, pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let folder = file.parent().unwrap_or(Path::new(""));
    // The folder itself is no pattern, whatever it is called.
    let folder = glob::Pattern::escape(&folder.to_string_lossy());
    let whole = Path::new(&folder).join(pattern);
    let named = || format!("`include` of `{}` names `{pattern}`", file.display());
    // Locks of editors and the folders behind mounted files are hidden: they are no rules, or the same ones again.
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        ..glob::MatchOptions::default()
    };
    let found = glob::glob_with(&whole.to_string_lossy(), options);
    let found = found.with_context(|| format!("{}, which is no pattern", named()))?;
    let mut paths = Vec::new();
    for path in found {
        paths.push(path.with_context(|| format!("{}, which cannot be read", named()))?);
    }
    if paths.is_empty() {
        bail!("{}, and there is no such file", named());
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::RulesFiles;

    #[test]
    fn hidden_files_are_never_included() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("rules/..data")).unwrap();
        std::fs::write(
            at("rules.toml"),
            "version = 1\ninclude = [\"rules/**/*.toml\"]\n",
        )
        .unwrap();
        for name in ["a.toml", ".#a.toml", "..data/a.toml"] {
            std::fs::write(at("rules").join(name), "").unwrap();
        }

        let files = RulesFiles::read(&at("rules.toml")).unwrap();

        assert_eq!(files.paths, [at("rules.toml"), at("rules/a.toml")]);
    }
}

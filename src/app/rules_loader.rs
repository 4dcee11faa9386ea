//! Rules on disk: the main file, the files it includes, and the message templates written by
//! `replyd templates sync`.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::sources::{IncludeError, SourceMap};
use crate::message::{AccountStatusEvent, TemplateFile, TemplateStates};
use crate::rules;
use crate::rules::{CompileInput, Compiled};
use crate::whatsapp::template_status;

/// File name, in the folder of the rules file.
const FILE: &str = "templates.json";

/// Path of the message templates of a rules file.
#[must_use]
pub fn path_beside(rules: &Path) -> PathBuf {
    rules.with_file_name(FILE)
}

/// Reads the message templates of a rules file; `None` when they were never fetched.
///
/// # Errors
/// When the file is there and cannot be read, or is not what `replyd templates sync` writes.
pub fn fetched(rules: &Path) -> anyhow::Result<Option<TemplateFile>> {
    let path = path_beside(rules);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
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

/// Input of a check of rules.
#[derive(Clone, Debug)]
pub struct RulesFiles {
    /// Texts of the files.
    pub sources: SourceMap,
    /// Paths, the main file first.
    pub paths: Vec<PathBuf>,
    /// Message templates.
    pub templates: Option<TemplateFile>,
}

impl RulesFiles {
    /// Reads a rules file with everything it includes. A file that cannot be included is reported
    /// by [`Self::compile`], with all other errors.
    ///
    /// # Errors
    /// When the main file cannot be read, or the templates beside it cannot.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(file).map_err(anyhow::Error::from);
        let text = text.and_then(|bytes| decode(bytes).map_err(anyhow::Error::msg));
        let text =
            text.with_context(|| format!("could not read rules file `{}`", file.display()))?;
        let mut files = Self {
            sources: SourceMap::new(file.to_string_lossy(), &text),
            paths: vec![file.to_owned()],
            templates: fetched(file)?,
        };
        // By resolved path: one file may be written in several ways.
        let mut known = HashSet::from([resolved(file)]);
        for include in rules::includes(&text) {
            match included(file, &include.name) {
                Err(why) => files.sources.leave_out(include, why),
                Ok(paths) => {
                    for path in paths {
                        if known.insert(resolved(&path))
                            && let Err(why) = files.add(path)
                        {
                            files.sources.leave_out(include.clone(), why);
                        }
                    }
                }
            }
        }
        Ok(files)
    }

    fn add(&mut self, path: PathBuf) -> Result<(), IncludeError> {
        let name = path.to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => IncludeError::Missing,
            _ => IncludeError::Unreadable(name.clone(), error.to_string()),
        })?;
        let text = decode(bytes).map_err(|reason| IncludeError::NoText(name.clone(), reason))?;
        self.sources.add(name, &text);
        self.paths.push(path);
        Ok(())
    }

    /// Present states of the message templates: as fetched, and as Meta has reported since.
    #[must_use]
    pub fn template_states(&self, events: &[AccountStatusEvent]) -> TemplateStates {
        template_status::states(self.templates.as_ref(), events)
    }

    /// Compiles the rules; `today` is used to find holidays that have passed.
    ///
    /// # Errors
    /// All diagnostics, when at least one is an error.
    pub fn compile(&self, today: Option<Date>) -> Result<Compiled, Vec<Diagnostic>> {
        self.compile_for(None, today)
    }

    /// Compiles the rules and compares their calls with the hosts that may be called, each as
    /// scheme, host and port.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_for(
        &self,
        hosts: Option<&[String]>,
        today: Option<Date>,
    ) -> Result<Compiled, Vec<Diagnostic>> {
        let beside = CompileInput {
            templates: self.templates.as_ref(),
            today,
            hosts,
        };
        rules::compile(&self.sources, beside)
    }
}

/// Takes the text of a file; the reason when it is none.
fn decode(bytes: Vec<u8>) -> Result<String, String> {
    const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err("the file is written in UTF-16: save it with the encoding UTF-8".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let mut lines = error.as_bytes()[..good].split(|byte| *byte == b'\n');
        let line = lines.clone().count();
        let column = lines
            .next_back()
            .map_or(0, |line| String::from_utf8_lossy(line).chars().count())
            + 1;
        format!(
            "line {line}, character {column} is not UTF-8: save the file with the encoding UTF-8"
        )
    })
}

/// Lists the files that an entry of `include` names, in name order; relative to the including file.
fn included(file: &Path, name: &str) -> Result<Vec<PathBuf>, IncludeError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let itself = resolved(file);
    if !name.contains(['*', '?', '[']) {
        let path = folder.join(name);
        let is_itself = resolved(&path) == itself;
        return if is_itself {
            Err(IncludeError::Itself)
        } else {
            Ok(vec![path])
        };
    }
    // The folder name is never a pattern.
    let folder = glob::Pattern::escape(&folder.to_string_lossy());
    let whole = Path::new(&folder).join(name);
    // Hidden files are locks of editors or copies behind mounted files, not rules.
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        ..glob::MatchOptions::default()
    };
    let matches = glob::glob_with(&whole.to_string_lossy(), options);
    let matches = matches.map_err(|error| IncludeError::NoPattern(error.msg.to_owned()))?;
    let mut paths = Vec::new();
    for path in matches {
        let path = path.map_err(|error| {
            let path = error.path().to_string_lossy().into_owned();
            IncludeError::Unreadable(path, error.error().to_string())
        })?;
        // A pattern may match the including file itself.
        if resolved(&path) != itself {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(IncludeError::NoMatch);
    }
    Ok(paths)
}

/// Resolves a path, so that different spellings of one file are equal.
fn resolved(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
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

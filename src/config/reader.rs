//! Takes settings out of the layers as types, and gathers every problem on the way.
//!
//! Each method gives `None` after it has reported a problem, so that a caller can go on to the next
//! key and the owner sees all problems at once. Types of TOML are read by
//! [`crate::diagnostics::toml_reader`], as those of rules are.

use std::collections::BTreeMap;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layers::{Layers, Setting, Settings};
use crate::diagnostics::optional::read_each;
use crate::diagnostics::toml_reader::{self, Field, Table, Text};
use crate::diagnostics::{Diagnostic, codes};

/// Reads a file for `{ file = "…" }`.
pub(super) type ReadFile<'a> = dyn Fn(&Path) -> io::Result<String> + 'a;

/// Where the secrets of a configuration stand on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretPlaces {
    /// Files that hold one secret each.
    pub files: Vec<PathBuf>,
    /// The configuration file, when a secret stands in it.
    pub config: Option<PathBuf>,
}

/// The layers while they are being read.
pub(super) struct Reader<'d> {
    pub(super) toml: toml_reader::Reader<'d>,
    pub(super) layers: &'d Layers<'d>,
    pub(super) settings: Settings<'d>,
    /// Every key that was read: any other is unknown.
    pub(super) known: Vec<&'static str>,
    /// Secrets that no layer holds, by their keys.
    pub(super) missing: Vec<(String, Diagnostic)>,
    /// Keys that an unknown key was probably meant to be.
    pub(super) misspelt: Vec<String>,
    /// Where relative paths start.
    pub(super) folder: PathBuf,
    pub(super) environment: &'d [(String, String)],
    pub(super) read_file: &'d ReadFile<'d>,
    /// Where secrets were read, for checks of the permissions of files.
    pub(super) secret_places: SecretPlaces,
}

impl<'d> Reader<'d> {
    /// Reports a problem with the value of a key.
    pub(super) fn refuse<T>(
        &mut self,
        key: &str,
        span: &Range<usize>,
        message: impl AsRef<str>,
    ) -> Option<T> {
        let message = format!("`{key}` {}", message.as_ref());
        let error = Diagnostic::error(codes::VALUE, span.clone(), message);
        self.toml.report(error);
        None
    }

    /// Whether any layer holds a key that may be left out; if none does, the key counts as read.
    pub(super) fn is_set(&mut self, key: &'static str) -> bool {
        let is_set = self.settings.contains_key(key);
        if !is_set {
            self.known.push(key);
        }
        is_set
    }

    /// Takes a setting, as it was written.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Setting<'d>> {
        self.known.push(key);
        let mut setting = self.settings.remove(key)?;
        setting.field.name = key;
        if let Some(raw) = &mut setting.raw {
            raw.name = key;
        }
        Some(setting)
    }

    /// Takes a text; one that no layer holds is no problem.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Text<'d>> {
        let field = self.take(key)?.into_text();
        self.toml.string(&field)
    }

    /// Takes a whole number within `range`.
    pub(super) fn integer(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let field = self.take(key)?.field;
        self.toml.number(&field, &range)
    }

    /// Takes a length of time such as `"30s"`, with its place for cross-checks.
    pub(super) fn duration(&mut self, key: &'static str) -> Option<(Duration, Range<usize>)> {
        let field = self.take(key)?.into_text();
        Some((self.toml.duration(&field)?, field.span))
    }

    /// Takes `true` or `false`, with its place for cross-checks.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<(bool, Range<usize>)> {
        let field = self.take(key)?.field;
        Some((self.toml.boolean(&field)?, field.span))
    }

    /// Takes one of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, choice)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*choice);
        }
        let words = words.iter().map(|(word, _)| format!("\"{word}\""));
        let words = words.collect::<Vec<_>>().join(", ");
        self.refuse(key, &text.span, format!("must be one of {words}"))
    }

    /// Takes a path; a relative one starts at the folder of the configuration file.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key)?;
        if text.value.is_empty() {
            return self.refuse(key, &text.span, "must name a file");
        }
        Some(self.folder.join(text.value))
    }

    pub(super) fn list(&mut self, key: &'static str) -> Option<Vec<Field<'d>>> {
        let field = self.take(key)?.field;
        self.toml.list(&field)
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Text<'d>>> {
        read_each(&self.list(key)?, |element| self.toml.string(element))
    }

    /// Every problem noted. A missing secret is left out when its key is reported as misspelt.
    pub(super) fn into_problems(self) -> Vec<Diagnostic> {
        let missing = self.missing.into_iter();
        let missing = missing.filter(|(key, _)| !self.misspelt.contains(key));
        let missing = missing.map(|(_, diagnostic)| diagnostic);
        self.toml.diagnostics.into_iter().chain(missing).collect()
    }

    /// Reports every key of the owner that no method has asked for.
    pub(super) fn refuse_unknown(&mut self) {
        let mut sections: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        for path in &self.known {
            let (section, key) = path.split_once('.').unwrap_or((path, ""));
            let keys = sections.entry(section).or_default();
            keys.extend((!key.is_empty()).then_some(key));
        }
        let names: Vec<&'static str> = sections.keys().copied().collect();
        if let Some(mut root) = self.layers.file() {
            self.toml.known_keys(&mut root, &names);
            for (name, keys) in &sections {
                let section = root.get(name).filter(|_| !keys.is_empty());
                let table = section.and_then(|section| self.toml.table(&section, keys));
                let misspelt = keys.iter().filter(|key| {
                    let is_misspelt = |table: &Table<'_>| table.has_misspelt(key);
                    root.has_misspelt(name) || table.as_ref().is_some_and(is_misspelt)
                });
                let misspelt = misspelt.map(|key| format!("{name}.{key}"));
                self.misspelt.extend(misspelt);
            }
        }
        let variables = self.settings.iter();
        let variables = variables.filter(|(_, setting)| setting.raw.is_some());
        for (path, setting) in variables {
            let (section, key) = path.split_once('.').unwrap_or((path, path));
            let (name, keys) = match sections.get(section) {
                Some(keys) => (key, keys),
                None => (section, &names),
            };
            let place = setting.field.span.clone();
            let meant = self.toml.unknown_key(name, place, keys);
            self.misspelt
                .extend(meant.map(|key| format!("{section}.{key}")));
        }
    }
}

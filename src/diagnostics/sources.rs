//! The files that make up one set of rules, as one text with one numbering of its bytes.
//!
//! A rules file may include others. Every place in any of them is a byte of the joined text, so
//! that a diagnostic needs one number only and can point into two files at once. Next:
//! `mod@crate::rules::compile`.

use std::fmt::Write as _;
use std::ops::Range;

/// One or more rules files, the main one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    text: String,
    files: Vec<File>,
    /// Includes that could not be read, with the reason.
    left_out: Vec<(Include, IncludeError)>,
}

/// An entry of `include` in the main file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The name of a file, or a pattern of names.
    pub name: String,
    /// Where it stands.
    pub(crate) span: Range<usize>,
}

/// Why a file is not here that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncludeError {
    /// There is no such file.
    Missing,
    /// It is the main file.
    Itself,
    /// It is a pattern that cannot be read; why.
    NoPattern(String),
    /// It is a pattern that fits no file.
    NoMatch,
    /// This file is not text in UTF-8; where.
    NoText(String, String),
    /// This file cannot be read; why.
    Unreadable(String, String),
}

/// A file within [`SourceMap`].
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    name: String,
    range: Range<usize>,
    /// Its text is blank, and is not drawn.
    hidden: bool,
}

impl SourceMap {
    /// Takes the main file.
    #[must_use]
    pub fn new(name: impl Into<String>, text: &str) -> Self {
        let mut sources = Self::default();
        sources.add(name, text);
        sources
    }

    /// Adds a file that is included.
    pub fn add(&mut self, name: impl Into<String>, text: &str) {
        self.add_file(name.into(), text, false);
    }

    /// Adds a text of this many bytes that is named in diagnostics and never shown; gives its
    /// place.
    pub(crate) fn add_hidden(&mut self, name: impl Into<String>, bytes: usize) -> Range<usize> {
        let start = self.text.len();
        self.add_file(name.into(), &" ".repeat(bytes), true);
        start..start + bytes
    }

    fn add_file(&mut self, name: String, text: &str, hidden: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        let range = start..self.text.len();
        // No place of one file is a place of the next.
        self.text.push('\n');
        self.files.push(File {
            name,
            range,
            hidden,
        });
    }

    /// Every file's text, one after the other.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name and the text of every file, the main one first.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|file| (file.name.as_str(), &self.text[file.range.clone()]))
    }

    /// Notes that an entry of `include`, or a file it means, is not here.
    pub fn leave_out(&mut self, include: Include, why: IncludeError) {
        self.left_out.push((include, why));
    }

    /// Includes that could not be read, with the reason.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = (&Include, &IncludeError)> {
        self.left_out.iter().map(|(include, why)| (include, why))
    }

    /// Where each file begins, and its text.
    pub(crate) fn starts(&self) -> impl Iterator<Item = (usize, &str)> {
        let files = self.files.iter();
        files.map(|file| (file.range.start, &self.text[file.range.clone()]))
    }

    fn file_at(&self, span: &Range<usize>) -> Option<&File> {
        let files = &self.files;
        let index = files.partition_point(|file| file.range.start <= span.start);
        files.get(index.saturating_sub(1))
    }

    /// The name of the file a place is in, when its text is never shown.
    pub(crate) fn hidden(&self, span: &Range<usize>) -> Option<&str> {
        let file = self.file_at(span).filter(|file| file.hidden);
        file.map(|file| file.name.as_str())
    }

    /// The name of the file a place is in, its text, and the place within it.
    pub(crate) fn locate(&self, span: &Range<usize>) -> (&str, &str, Range<usize>) {
        let Some(file) = self.file_at(span) else {
            return ("", "", 0..0);
        };
        let text = &self.text[file.range.clone()];
        let start = span.start.saturating_sub(file.range.start);
        let end = span.end.saturating_sub(file.range.start).max(start);
        (&file.name, text, start..end)
    }

    /// Line and column of a place, both from 1, with the name of its file; columns count
    /// characters.
    #[must_use]
    pub fn line_and_column(&self, span: &Range<usize>) -> (&str, usize, usize) {
        let (name, text, span) = self.locate(span);
        let before = &text[..text.floor_char_boundary(span.start)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default();
        (name, line, column.chars().count() + 1)
    }

    /// Text of all files for the history, each under a line with its name.
    pub(crate) fn kept(&self) -> String {
        let mut kept = String::with_capacity(self.text.len() + 64);
        for (name, text) in self.files() {
            if !kept.is_empty() && !kept.ends_with('\n') {
                kept.push('\n');
            }
            let _ = write!(kept, "{KEPT_MARK}{name}\n{text}");
        }
        kept
    }

    /// Rebuilds the files from their text in the history.
    #[must_use]
    pub fn from_kept(kept: &str) -> Self {
        let mut sources = Self::default();
        let mut rest = kept.strip_prefix(KEPT_MARK);
        while let Some(file) = rest {
            let (name, text) = file.split_once('\n').unwrap_or((file, ""));
            let next = text.find(&format!("\n{KEPT_MARK}"));
            let file_text = next.map_or(text, |at| &text[..=at]);
            sources.add(name, file_text);
            rest = next.map(|at| &text[at + 1 + KEPT_MARK.len()..]);
        }
        sources
    }
}

/// Begins each file in the history.
const KEPT_MARK: &str = "# file: ";

#[cfg(test)]
mod tests {
    use super::SourceMap;

    fn two() -> SourceMap {
        let mut sources = SourceMap::new("rules.toml", "version = 1\n");
        sources.add("rules/a.toml", "é\n[[rule]]");
        sources
    }

    #[test]
    fn a_place_of_the_whole_is_found_in_its_file() {
        let sources = two();
        let at = sources.text().find("[[rule]]").unwrap();

        let (name, line, column) = sources.line_and_column(&(at..at + 2));

        assert_eq!((name, line, column), ("rules/a.toml", 2, 1));
        let (start, text) = sources.starts().nth(1).unwrap();
        assert_eq!(&text[at - start..], "[[rule]]");
        assert_eq!(sources.line_and_column(&(0..0)).0, "rules.toml");
        assert_eq!(sources.line_and_column(&(999..1000)).0, "rules/a.toml");
    }

    #[test]
    fn what_is_kept_gives_the_files_back() {
        let kept = two().kept();

        let again: Vec<_> = SourceMap::from_kept(&kept)
            .files()
            .map(|(name, text)| (name.to_owned(), text.trim_end().to_owned()))
            .collect();

        assert_eq!(
            again[0],
            ("rules.toml".to_owned(), "version = 1".to_owned())
        );
        assert_eq!(
            again[1],
            ("rules/a.toml".to_owned(), "é\n[[rule]]".to_owned())
        );
        assert_eq!(again.len(), 2);
    }
}

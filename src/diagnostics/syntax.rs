//! Parses TOML and keeps the place of every syntax error.
//!
//! The parser recovers from an error, so that the rest of the file can still be read and reported
//! on. Next: [`super::toml_reader`], which takes values out of the parsed table.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use super::toml_reader::shifted;
use super::{Diagnostic, codes};

/// A place where a file is not TOML, in bytes of all files together.
#[derive(Clone)]
pub(crate) struct SyntaxError {
    pub(crate) span: Range<usize>,
    message: String,
}

/// The table of a file with its syntax errors.
pub(crate) type Parsed<'d> = (Spanned<DeTable<'d>>, Vec<SyntaxError>);

/// Parses a file that begins at byte `start` of all files together.
pub(crate) fn parse(start: usize, text: &str) -> Parsed<'_> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let errors = errors.iter().map(|error| SyntaxError {
        span: shifted(error.span().unwrap_or(text.len()..text.len()), start),
        message: error.message().to_owned(),
    });
    (document, errors.collect())
}

impl SyntaxError {
    /// The parser's own words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Makes the diagnostic; `text` is the text of all files together.
    pub(crate) fn diagnostic(&self, text: &str) -> Diagnostic {
        let error = Diagnostic::error(codes::SYNTAX, self.span.clone(), self.message.as_str());
        error.help(self.escape_help(text))
    }

    /// Advice for a backslash, with which patterns in double quotes are often written.
    pub(crate) fn escape_help(&self, text: &str) -> Option<String> {
        let escape = text.get(..self.span.end).is_some_and(|before| {
            let start = before.floor_char_boundary(self.span.start.saturating_sub(1));
            before[start..].contains('\\')
        });
        escape.then(|| {
            "in single quotes a backslash stands for itself; in double quotes write two".to_owned()
        })
    }
}

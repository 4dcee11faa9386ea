//! Everything that is wrong with a configuration, drawn so that its owner finds the place.
//!
//! Values that may be secrets are never repeated: the text in excerpts is that of
//! [`super::redaction`].

use crate::diagnostics::sources::SourceMap;
use crate::diagnostics::{self, Colour, Diagnostic};
use crate::message::counted;

/// Every problem of a configuration, found in one run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render(Colour::Plain))]
pub struct Problems {
    diagnostics: Vec<Diagnostic>,
    places: SourceMap,
}

impl Problems {
    /// Sorts problems by their place: lines of the file first, then variables, then defaults.
    ///
    /// Other problems of a line that is not TOML are dropped, because its content was guessed.
    pub(super) fn new(
        mut diagnostics: Vec<Diagnostic>,
        syntax_errors: Vec<Diagnostic>,
        places: SourceMap,
    ) -> Self {
        let line = |diagnostic: &Diagnostic| {
            let (file, line, _) = places.line_and_column(&diagnostic.span);
            (file.to_owned(), line)
        };
        let broken: Vec<_> = syntax_errors.iter().map(line).collect();
        diagnostics.retain(|diagnostic| !broken.contains(&line(diagnostic)));
        diagnostics.extend(syntax_errors);
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        Self {
            diagnostics,
            places,
        }
    }

    /// Draws a heading and each problem with its line of the file.
    #[must_use]
    pub fn render(&self, colour: Colour) -> String {
        let problems = counted(self.diagnostics.len(), "problem");
        let drawn = diagnostics::render(&self.diagnostics, &self.places, colour);
        format!("the configuration has {problems}\n\n{drawn}")
    }
}

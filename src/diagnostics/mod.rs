//! Diagnostics about rules files and configuration, as data and drawn for a terminal.
//!
//! A diagnostic is data until [`render`] draws it; nothing here prints. Codes live in
//! [`crate::diagnostics::codes`]. Next: `crate::diagnostics::toml_reader`, which finds the first of
//! them.

pub mod codes;
pub(crate) mod duration;
pub(crate) mod optional;
pub(crate) mod repair;
pub mod sources;
mod string_literal;
pub(crate) mod suggest;
pub(crate) mod syntax;
pub(crate) mod toml_reader;

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};

use crate::diagnostics::sources::SourceMap;

/// One thing that is wrong, or doubtful, in a rules file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// One of [`crate::diagnostics::codes`].
    pub code: &'static str,
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// Description of the problem: lower case, no full stop.
    pub message: String,
    /// The bytes of the file it is about.
    pub span: Range<usize>,
    /// Label next to the underline; may be empty.
    pub label: String,
    /// Advice.
    pub help: Option<String>,
    /// Other places that belong to it, like the first of two definitions.
    pub related: Vec<Related>,
}

/// A second place that belongs to a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The bytes of the file.
    pub span: Range<usize>,
    /// Relation to the first place.
    pub label: String,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The rules cannot be used.
    Error,
    /// The rules work, but probably not as they are meant to.
    Warning,
}

/// Whether [`render`] uses colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal, or for a writer that takes colours out where there is none.
    Styled,
    /// Text only.
    Plain,
}

impl Diagnostic {
    pub(crate) fn error(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            help: None,
            related: Vec::new(),
        }
    }

    pub(crate) fn warning(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// One line of JSON for editors: place (lines and columns from 1, end excluded), message and
    /// help.
    #[must_use]
    pub fn to_json(&self, sources: &SourceMap) -> String {
        let place = |span: &Range<usize>| {
            let (file, line, column) = sources.line_and_column(span);
            let (_, end_line, end_column) = sources.line_and_column(&(span.end..span.end));
            serde_json::json!({
                "file": file, "line": line, "column": column,
                "end_line": end_line, "end_column": end_column,
            })
        };
        let related = self.related.iter();
        let related = related.map(
            |related| serde_json::json!({ "at": place(&related.span), "label": related.label }),
        );
        serde_json::json!({
            "code": self.code,
            "severity": match self.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "message": self.message,
            "at": place(&self.span),
            "label": self.label,
            "help": self.help,
            "related": related.collect::<Vec<_>>(),
        })
        .to_string()
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    pub(crate) fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related.push(Related {
            span,
            label: label.into(),
        });
        self
    }
}

/// Draws diagnostics with the lines of the file they are about, a blank line between two; no line
/// end after the last. `sources` are the files they were found in.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, colour: Colour) -> String {
    let renderer = match colour {
        Colour::Styled => Renderer::styled(),
        Colour::Plain => Renderer::plain(),
    };
    diagnostics
        .iter()
        .map(|diagnostic| renderer.render(&[report(diagnostic, sources)]))
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let help = diagnostic
        .help
        .as_deref()
        .map(|help| Element::from(Level::HELP.message(help)));
    if let Some(name) = sources.hidden(&diagnostic.span) {
        let mut title = format!("{name}: {}", diagnostic.message);
        if !diagnostic.label.is_empty() {
            title = format!("{title}: {}", diagnostic.label);
        }
        let title = level.primary_title(title).id(diagnostic.code);
        return title.elements(help);
    }
    let (name, text, span) = sources.locate(&diagnostic.span);
    let primary = AnnotationKind::Primary
        .span(within(&span, text))
        .label((!diagnostic.label.is_empty()).then_some(diagnostic.label.as_str()));
    let mut here = vec![primary];
    let mut elsewhere = Vec::new();
    for related in &diagnostic.related {
        let (file, text, span) = sources.locate(&related.span);
        let second = AnnotationKind::Context
            .span(within(&span, text))
            .label(related.label.as_str());
        if file == name {
            here.push(second);
        } else {
            elsewhere.push(Snippet::source(text).path(file).annotation(second));
        }
    }
    let snippet = Snippet::source(text).path(name).annotations(here);
    level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code)
        .element(snippet)
        .elements(elsewhere)
        .elements(help)
}

/// Keeps a span inside the text and on the borders of characters, so that drawing cannot fail.
fn within(span: &Range<usize>, text: &str) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::{Colour, Diagnostic, SourceMap, render};

    #[test]
    fn a_span_beyond_the_text_or_inside_a_character_is_still_drawn() {
        let text = "é";
        let spans = [0..1, 1..2, 1..9, 7..9];
        let diagnostics = spans.map(|span| Diagnostic::error("R0000", span, "odd"));

        let drawn = render(
            &diagnostics,
            &SourceMap::new("rules.toml", text),
            Colour::Plain,
        );

        assert_eq!(drawn.matches("rules.toml:1:").count(), 4, "{drawn}");
    }
}

//! What is wrong with a rules file, shown the way compilers show it.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One problem, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable, documented in `docs/rules.md`: `E…` stops the rules from being used, `W…` does not.
    pub code: &'static str,
    /// One sentence, lower case, no full stop.
    pub title: String,
    /// The bytes of the file it is about.
    pub span: Range<usize>,
    /// What stands under the underlined bytes.
    pub label: String,
    /// Another place that belongs to it.
    pub also: Option<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    Styled,
    /// For a pipe, a log, a file.
    Plain,
}

impl Diagnostic {
    /// A problem without label, second place and help.
    #[must_use]
    pub fn new(code: &'static str, span: Range<usize>, title: impl Into<String>) -> Self {
        let (title, label) = (title.into(), String::new());
        Self {
            code,
            title,
            span,
            label,
            also: None,
            help: None,
        }
    }

    /// Says what stands under the underlined bytes.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Points to another place.
    #[must_use]
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also = Some((span, label.into()));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the rules cannot be used before this is mended.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.code.starts_with('E')
    }
}

/// Shows problems with file, line, column and the excerpt, a blank line between them.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], file_name: &str, text: &str, colour: Colour) -> String {
    let renderer = match colour {
        Colour::Styled => Renderer::styled(),
        Colour::Plain => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let shown = diagnostics
        .iter()
        .map(|one| render_one(one, file_name, text, &renderer));
    shown.collect::<Vec<_>>().join("\n\n")
}

fn render_one(one: &Diagnostic, file_name: &str, text: &str, renderer: &Renderer) -> String {
    let level = if one.is_error() {
        Level::ERROR
    } else {
        Level::WARNING
    };
    let primary = AnnotationKind::Primary.span(one.span.clone());
    let primary = if one.label.is_empty() {
        primary
    } else {
        primary.label(&one.label)
    };
    let mut snippet = Snippet::source(text).path(file_name).annotation(primary);
    if let Some((span, label)) = &one.also {
        snippet = snippet.annotation(AnnotationKind::Context.span(span.clone()).label(label));
    }
    let mut group = level
        .primary_title(&one.title)
        .id(one.code)
        .element(snippet);
    if let Some(help) = &one.help {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

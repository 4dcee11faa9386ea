//! A mistake behind syntax errors, within one file.

use std::ops::Range;

use crate::diagnostics::{Diagnostic, codes};

/// A mistake within one file.
pub(super) struct Mistake {
    pub(super) span: Range<usize>,
    message: String,
    label: String,
    help: Option<String>,
    related: Option<(Range<usize>, String)>,
    /// Bytes without which the file can be read.
    pub(super) blank: Range<usize>,
}

impl Mistake {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>, blank: Range<usize>) -> Self {
        Self {
            span,
            message: message.into(),
            label: String::new(),
            help: None,
            related: None,
            blank,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }

    pub(super) fn diagnostic(&self, start: usize) -> Diagnostic {
        let moved = |span: &Range<usize>| span.start + start..span.end + start;
        let error = Diagnostic::error(codes::SYNTAX, moved(&self.span), self.message.as_str());
        let error = error.label(self.label.as_str()).help(self.help.clone());
        match &self.related {
            Some((span, label)) => error.related(moved(span), label.as_str()),
            None => error,
        }
    }
}

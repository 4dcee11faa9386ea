//! Step of a flow while its file is read, and the check of names.

use std::ops::Range;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Reader, Text};
use crate::rules::{Accept, Step};

/// Characters of a flow's name and of a step's id: both travel in the ids of buttons.
const NAME_MAX: usize = 32;

/// A step as far as it could be read.
pub(crate) struct StepDraft<'d> {
    pub(crate) id: Option<Text<'d>>,
    /// Every place it may go to, with where that is said.
    pub(crate) targets: Vec<Text<'d>>,
    /// Whether it may also go on to the step below it.
    pub(crate) falls_through: bool,
    /// The sub-flow.
    pub(crate) flow: Option<Text<'d>>,
    pub(crate) step: Option<Step>,
}

impl StepDraft<'_> {
    /// Whether it has an `if`.
    pub(crate) fn may_be_passed(&self) -> bool {
        let step = self.step.as_ref();
        step.is_none_or(|step| step.only_if.is_some())
    }

    /// Whether it goes on by itself.
    pub(crate) fn asks_nothing(&self) -> bool {
        let asks = |step: &Step| matches!(step.accept, Accept::Nothing) && step.flow.is_none();
        self.step.as_ref().is_some_and(asks)
    }
}

/// Reports a name that cannot travel in the ids of buttons.
pub(crate) fn named(reader: &mut Reader<'_>, name: &str, span: &Range<usize>, what: &str) {
    let valid = name
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || character == '_' || character == '-');
    if valid && !name.is_empty() && name.len() <= NAME_MAX {
        return;
    }
    let message = format!("`{name}` cannot be the name of {what}");
    let help = format!("use letters, digits, `_` and `-`, at most {NAME_MAX} of them");
    reader.report(Diagnostic::error(codes::ODD_ID, span.clone(), message).help(help));
}

//! Texts and expressions of flows: answers that are not given yet, choices that nobody can make, ends
//! without a word.

use std::ops::Range;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::toml_reader::{Field, Reader, Text};
use crate::diagnostics::{codes, suggest};
use crate::rules::compile::flow::{Draft as FlowDraft, StepDraft};
use crate::template::{comparisons, find_variable, variables};

/// Keys of a step whose value is an expression.
const EXPRESSIONS: [&str; 2] = ["if", "valid"];
/// Brackets that make a text with a block of an expression.
const BEFORE: &str = "{% if ";

/// Reports comparisons with a choice that a step does not offer, and parts that a choice has not.
pub(super) fn choices(reader: &mut Reader<'_>, flow: &FlowDraft<'_>) {
    let mut texts = Vec::new();
    collect(&flow.field, &mut texts);
    for (text, kind) in texts {
        let written = Written::new(&text, kind);
        for comparison in comparisons(&written.source) {
            let Some(step) = comparison.name.strip_suffix(".id") else {
                continue;
            };
            let ids: Vec<&str> = flow
                .steps
                .iter()
                .flat_map(|draft| ids_of(draft, step))
                .collect();
            let literal = comparison.literal;
            let has_variables = ids.iter().any(|id| id.contains("{{"));
            let is_known = ids.contains(&literal) || literal.is_empty();
            if ids.is_empty() || has_variables || is_known {
                continue;
            }
            let message = format!("`{step}` has no choice `{literal}`");
            let help = suggest::did_you_mean(literal, ids.iter().copied())
                .unwrap_or_else(|| format!("there are {}", ids.join(", ")));
            let span = written.locate(reader, &comparison.range);
            reader.warn(codes::UNKNOWN_NAME, &span, message, help);
        }
        for range in variables(&written.source) {
            let name = &written.source[range.clone()];
            let Some((step, part)) = name.split_once('.') else {
                continue;
            };
            let is_choice = flow
                .steps
                .iter()
                .any(|draft| !ids_of(draft, step).is_empty());
            if is_choice && !["id", "title"].contains(&part) {
                let message = format!("a choice has no `{part}`");
                let help = format!("write `{step}.id` or `{step}.title`");
                let span = written.locate(reader, &range);
                reader.warn(codes::TEMPLATE, &span, message, help);
            }
        }
    }
}

/// Form of a text of a flow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A text with variables in braces.
    Template,
    /// `if` and `valid`.
    Expression,
}

/// A text of a flow, written as a template whatever its form.
struct Written<'t, 'd> {
    text: &'t Text<'d>,
    source: String,
    /// Bytes of the source before the text.
    before: usize,
}

impl<'t, 'd> Written<'t, 'd> {
    fn new(text: &'t Text<'d>, form: Form) -> Self {
        let value = text.value;
        match form {
            Form::Template => Self {
                text,
                source: value.to_owned(),
                before: 0,
            },
            Form::Expression => Self {
                text,
                source: format!("{BEFORE}{value} %}}"),
                before: BEFORE.len(),
            },
        }
    }

    fn locate(&self, reader: &Reader<'_>, part: &Range<usize>) -> Range<usize> {
        let part = part.start - self.before..part.end - self.before;
        reader.locate(self.text, &part)
    }
}

/// The ids of the choices of a step.
fn ids_of<'s>(draft: &'s StepDraft<'_>, id: &str) -> Vec<&'s str> {
    let step = draft.step.as_ref().filter(|step| step.id == id);
    let choices = step.into_iter().flat_map(|step| &step.choices);
    choices.map(|choice| choice.id.as_str()).collect()
}

/// Reports that a step names the answer of a step that is always asked later, `later` being those.
pub(super) fn early_answers(reader: &mut Reader<'_>, step: &StepDraft<'_>, later: &[&str]) {
    let mut texts = Vec::new();
    for entry in step.field.entries() {
        if ["ask", "if"].contains(&entry.name) {
            collect_into(&entry, &mut texts);
        }
    }
    for (text, form) in texts {
        let written = Written::new(&text, form);
        // A text that reckons with a missing value is right.
        let reckons = form == Form::Template && text.value.contains("{%");
        if reckons || text.value.contains("default") {
            continue;
        }
        for name in later {
            let Some(range) = find_variable(&written.source, name) else {
                continue;
            };
            let span = written.locate(reader, &range);
            let message = format!("`{name}` has no value yet: it is asked later");
            let warning = Diagnostic::warning(codes::ASKED_LATER, span, message);
            let help = "move the step that asks it up, or use `default`";
            reader.report(warning.help(help.to_owned()));
        }
    }
}

/// Collects every text below a table, with its form.
fn collect<'d>(table: &Field<'d>, texts: &mut Vec<(Text<'d>, Form)>) {
    let inner = table.elements().unwrap_or_else(|| table.entries());
    for field in &inner {
        collect_into(field, texts);
    }
}

fn collect_into<'d>(field: &Field<'d>, texts: &mut Vec<(Text<'d>, Form)>) {
    match field.as_text() {
        Some(text) if EXPRESSIONS.contains(&field.name) => texts.push((text, Form::Expression)),
        Some(text) => texts.push((text, Form::Template)),
        None => collect(field, texts),
    }
}

//! Reads `[flow.NAME]` and its steps.

mod step;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::answer::Draft as AnswerDraft;
use super::answer::{self};
use super::bot::at_most;
use super::text::Symbols;
use super::words;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::{optional, or_default};
use crate::diagnostics::toml_reader::{Field, Reader, Table};
use crate::rules::{Answer, Flow};
use crate::template::ValueType;
pub(crate) use step::KEYS as STEP_KEYS;
use step::named;
pub(crate) use step::{StepDraft, target};

pub(crate) const KEYS: [&str; 9] = [
    "timeout",
    "on_timeout",
    "back",
    "cancel",
    "on_cancel",
    "on_give_up",
    "on_gone",
    "step",
    "end",
];
/// Maximum time for which a flow waits for an answer.
const TIMEOUT_MAX: Duration = Duration::from_hours(7 * 24);

/// A flow as far as it could be read.
pub(crate) struct Draft<'d> {
    pub(crate) name: &'d str,
    pub(crate) header: Range<usize>,
    pub(crate) steps: Vec<StepDraft<'d>>,
    /// Its answers: at the end, at a timeout and so on; the end first.
    pub(crate) answers: Vec<AnswerDraft<'d>>,
    /// The whole flow, as it stands in the file.
    pub(crate) field: Field<'d>,
    /// Whether it has an `end`, be it an empty one.
    pub(crate) has_end: bool,
    flow: Option<Flow>,
}

/// The flows of a file, each with its name.
pub(crate) fn headers<'d>(reader: &mut Reader<'_>, root: &Table<'d>) -> Vec<Field<'d>> {
    let Some(field) = root.get("flow") else {
        return Vec::new();
    };
    if !field.is_table() {
        reader.wrong_type::<()>(&field, "flows, each under a line with `[flow.name]`");
        return Vec::new();
    }
    field.entries()
}

pub(crate) fn read_all<'d>(
    reader: &mut Reader<'_>,
    headers: &[Field<'d>],
    known: Symbols<'_>,
) -> Vec<Draft<'d>> {
    let mut drafts: Vec<Draft<'d>> = Vec::new();
    for header in headers {
        if let Some(first) = drafts.iter().find(|draft| draft.name == header.name) {
            let message = format!("there is already a flow `{}`", header.name);
            let error = Diagnostic::error(codes::DUPLICATE_ID, header.span.clone(), message);
            reader.report(error.related(first.header.clone(), "first used here"));
            continue;
        }
        drafts.extend(read(reader, header, known));
    }
    drafts
}

/// Makes flows of the drafts; `None` when one of them could not be read.
pub(crate) fn finish(drafts: Vec<Draft<'_>>) -> Option<BTreeMap<String, Flow>> {
    let flows = drafts.into_iter().map(|draft| {
        let mut flow = draft.flow?;
        let steps = draft.steps.into_iter().map(|step| step.step);
        flow.steps = steps.collect::<Option<_>>()?;
        let mut answers = draft.answers.into_iter().map(|answer| answer.answer);
        flow.end = answers.next()??;
        flow.on_timeout = answers.next()??;
        flow.on_cancel = answers.next()??;
        flow.on_gone = answers.next()??;
        flow.on_give_up = match answers.next() {
            Some(answer) => Some(answer?),
            None => None,
        };
        Some((draft.name.to_owned(), flow))
    });
    flows.collect()
}

fn read<'d>(reader: &mut Reader<'_>, header: &Field<'d>, known: Symbols<'_>) -> Option<Draft<'d>> {
    let table = reader.table(header, &KEYS)?;
    named(reader, header.name, &header.span, "a flow");
    let steps = match reader.required(&table, "step") {
        Some(field) => {
            let steps = reader.list(&field);
            if steps.as_ref().is_some_and(Vec::is_empty) {
                let message = format!("the flow `{}` has no steps", header.name);
                let help = format!("begin one with `[[flow.{}.step]]`", header.name);
                reader.error(codes::MISSING_KEY, &field.span, message, help);
            }
            steps.unwrap_or_default()
        }
        None => Vec::new(),
    };
    // Every answer of the flow may be used everywhere in it: one that is not there yet is empty.
    let roots: Vec<String> = steps.iter().filter_map(step_id).collect();
    let short = steps.iter().filter(|step| is_short(step));
    let short_roots: Vec<String> = short.filter_map(step_id).collect();
    let types: Vec<(String, ValueType)> = steps.iter().filter_map(typed).collect();
    let known = Symbols {
        roots: &roots,
        short_roots: &short_roots,
        types: &types,
        ..known
    };
    let steps: Vec<StepDraft<'d>> = steps
        .iter()
        .filter_map(|field| step::step(reader, field, known))
        .collect();
    duplicate_steps(reader, &steps);
    let end = table.get("end");
    let has_end = end.is_some() || table.has_misspelt("end");
    let end = end.map(|field| answer::whole(reader, &field, known));
    let mut answers = vec![end.unwrap_or_else(AnswerDraft::none)];
    for key in ["on_timeout", "on_cancel", "on_gone"] {
        let answer = table.get(key);
        let answer = answer.map(|field| answer::short(reader, &field, known));
        answers.push(answer.unwrap_or_else(AnswerDraft::none));
    }
    if let Some(field) = table.get("on_give_up") {
        answers.push(answer::short(reader, &field, known));
    }
    let timeout = optional(table.get("timeout"), |field| {
        at_most(reader, &field, TIMEOUT_MAX)
    });
    let mut words = |key| or_default(table.get(key), |field| words::read(reader, &field));
    let (back, cancel) = (words("back"), words("cancel"));
    let flow = || {
        Some(Flow {
            steps: Vec::new(),
            timeout: timeout.ok()?,
            on_timeout: Answer::default(),
            back: back?,
            cancel: cancel?,
            on_cancel: Answer::default(),
            on_give_up: None,
            on_gone: Answer::default(),
            end: Answer::default(),
        })
    };
    Some(Draft {
        name: header.name,
        header: header.span.clone(),
        field: header.clone(),
        has_end,
        flow: flow(),
        steps,
        answers,
    })
}

fn step_id(field: &Field<'_>) -> Option<String> {
    let entries = field.entries();
    let id = entries.iter().find(|entry| entry.name == "id")?;
    id.text().map(str::to_owned)
}

/// Name and type of the answers to a step, if they are more than texts.
fn typed(step: &Field<'_>) -> Option<(String, ValueType)> {
    Some((step_id(step)?, value_type(step)?))
}

fn value_type(step: &Field<'_>) -> Option<ValueType> {
    let entries = step.entries();
    let accept = entries.iter().find(|entry| entry.name == "accept")?;
    match accept.text()? {
        "number" => Some(ValueType::Number),
        "date" => Some(ValueType::Date),
        "time" => Some(ValueType::Time),
        _ => None,
    }
}

/// Whether the answers to a step are short: a number, a date, a choice.
fn is_short(step: &Field<'_>) -> bool {
    const SHORT: [&str; 6] = ["number", "phone", "date", "time", "choice", "email"];
    const OFFERS: [&str; 2] = ["buttons", "list"];
    let entries = step.entries();
    let get = |name: &str| entries.iter().find(|entry| entry.name == name);
    if let Some(accept) = get("accept") {
        return accept.text().is_some_and(|kind| SHORT.contains(&kind));
    }
    let asked = get("ask").map(Field::entries).unwrap_or_default();
    get("choices").is_some() || asked.iter().any(|entry| OFFERS.contains(&entry.name))
}

fn duplicate_steps(reader: &mut Reader<'_>, steps: &[StepDraft<'_>]) {
    for (index, step) in steps.iter().enumerate() {
        let Some(id) = &step.id else { continue };
        let ids = steps[..index].iter().filter_map(|step| step.id.as_ref());
        if let Some(first) = ids.into_iter().find(|first| first.value == id.value) {
            let message = format!("there is already a step `{}` in this flow", id.value);
            let error = Diagnostic::error(codes::DUPLICATE_ID, id.span.clone(), message);
            reader.report(error.related(first.span.clone(), "first used here"));
        }
    }
}

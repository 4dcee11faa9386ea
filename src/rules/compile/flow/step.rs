//! Reads one `[[flow.NAME.step]]`.

use std::ops::Range;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::optional::{optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Reader, Table, Text, quoted};
use crate::diagnostics::{codes, suggest};
use crate::message::Outbound;
use crate::rules::compile::reply::{self, Offer};
use crate::rules::compile::text::{self, Buttons, Symbols};
use crate::rules::compile::{action, condition, words};
use crate::rules::{Accept, Branch, Choice, ReplyTemplate, Step, Target};
use crate::template::{Template, ValueType};
use crate::text::normalize::Phrase;

pub(crate) const KEYS: [&str; 11] = [
    "id", "if", "ask", "accept", "pattern", "choices", "valid", "retry", "retries", "flow", "go",
];
const ACCEPTS: [&str; 10] = [
    "text", "number", "email", "phone", "date", "time", "choice", "regex", "location", "media",
];
/// Targets that are no steps.
const WAYS_OUT: [&str; 2] = ["end", "cancel"];

/// Number of invalid inputs that a step allows by default.
const RETRIES: u64 = 3;
/// Maximum length of a choice's id in characters, because it is part of the id of a flow button.
const CHOICE_ID_MAX: usize = 100;

/// Maximum length of a flow's name and of a step's id in characters: both are part of the ids of
/// flow buttons.
const NAME_MAX: usize = 32;

/// A step as far as it could be read.
pub(crate) struct StepDraft<'d> {
    pub(crate) id: Option<Text<'d>>,
    /// Targets of the step, each with its place in the file.
    pub(crate) targets: Vec<Text<'d>>,
    /// Whether it may also go on to the step below it.
    pub(crate) falls_through: bool,
    pub(crate) flow: Option<Text<'d>>,
    pub(crate) step: Option<Step>,
    /// The whole step, as it stands in the file.
    pub(crate) field: Field<'d>,
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
    reader.error(codes::ODD_ID, span, message, help);
}

/// Reads a step; `None` when it is no table at all.
pub(crate) fn step<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
) -> Option<StepDraft<'d>> {
    let table = reader.table(field, &KEYS)?;
    let id = reader.required_string(&table, "id");
    if let Some(id) = &id {
        if WAYS_OUT.contains(&id.value) || !action::is_root(id.value) {
            let message = format!("`{}` cannot be the id of a step", id.value);
            let help = "the answer is a variable with this name: use small letters, digits and `_`, and no \
                        name that is a variable already";
            reader.error(codes::ODD_ID, &id.span, message, help);
        } else {
            named(reader, id.value, &id.span, "a step");
        }
    }
    let mut draft = StepDraft {
        id,
        targets: Vec::new(),
        falls_through: true,
        flow: None,
        step: None,
        field: field.clone(),
    };
    draft.step = step_of(reader, &table, known, &mut draft);
    Some(draft)
}

fn step_of<'d>(
    reader: &mut Reader<'_>,
    table: &Table<'d>,
    known: Symbols<'_>,
    draft: &mut StepDraft<'d>,
) -> Option<Step> {
    let only_if = optional(table.get("if"), |field| {
        text::expression(reader, &field, known)
    });
    let of_step = Symbols {
        buttons: Buttons::OfStep,
        ..known
    };
    let mut offered = Vec::new();
    let ask = or_default(table.get("ask"), |field| {
        let replies = reply::read(reader, &field, of_step);
        offered = replies.offered;
        replies.templates
    });
    long_ids(reader, &offered);
    let flow = optional(table.get("flow"), |field| reader.string(&field));
    draft.flow = flow.as_ref().ok().and_then(Clone::clone);
    let choices = match table.get("choices") {
        Some(field) => written_choices(reader, &field, known),
        None => ask
            .as_deref()
            .map(|ask| offered_choices(ask, &offered, draft)),
    };
    let accept = accept(reader, table, choices.as_deref());
    checks_fit(reader, table, accept.as_ref(), choices.as_deref());
    let with_answer = [known.roots, &["answer".to_owned()]].concat();
    let answer_type = match accept {
        Some(Accept::Number) => Some(ValueType::Number),
        Some(Accept::Date) => Some(ValueType::Date),
        Some(Accept::Time) => Some(ValueType::Time),
        _ => None,
    };
    let mut types = known.types.to_vec();
    types.extend(answer_type.map(|kind| ("answer".to_owned(), kind)));
    let of_answer = Symbols {
        roots: &with_answer,
        types: &types,
        ..known
    };
    let valid = optional(table.get("valid"), |field| {
        text::expression(reader, &field, of_answer)
    });
    let retry = or_default(table.get("retry"), |field| {
        reply::read(reader, &field, of_answer).templates
    });
    let retries = optional(table.get("retries"), |field| {
        reader.number(&field, &(0..=20)).map(u64::from)
    });
    let chosen = draft.targets.len();
    let always_tapped = !draft.falls_through;
    let go = or_default(table.get("go"), |field| {
        branches(reader, &field, of_answer, draft)
    });
    if always_tapped {
        // Every choice has a target, so the target of the step is never used.
        draft.targets.truncate(chosen);
    }
    Some(Step {
        id: draft.id.as_ref()?.value.to_owned(),
        only_if: only_if.ok()?,
        ask: ask?,
        accept: accept?,
        valid: valid.ok()?,
        retry: retry?,
        retries: retries.ok()?.unwrap_or(RETRIES),
        choices: choices?,
        flow: flow.ok()?.map(|name| name.value.to_owned()),
        go: go?,
    })
}

fn long_ids(reader: &mut Reader<'_>, offered: &[Offer<'_>]) {
    for offer in offered {
        if offer.id.value.chars().count() > CHOICE_ID_MAX {
            let message = "the id of a choice is too long";
            let error = Diagnostic::error(codes::TOO_MUCH, offer.id.span.clone(), message);
            reader.report(error.label(format!("at most {CHOICE_ID_MAX} characters in a flow")));
        }
    }
}

/// Reads `choices`, which are chosen by writing them: each a text, or a table with other words too.
fn written_choices(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    known: Symbols<'_>,
) -> Option<Vec<Choice>> {
    let elements = field.elements().unwrap_or_default();
    if !elements.iter().any(Field::is_table) {
        let titles = reader.strings(field)?;
        return read_each(&titles, |title| {
            written_choice(reader, title, Vec::new(), known)
        });
    }
    read_each(&elements, |element| {
        if element.is_string() {
            let title = reader.string(element)?;
            return written_choice(reader, &title, Vec::new(), known);
        }
        let table = reader.table(element, &["title", "words"])?;
        let title = reader.required_string(&table, "title");
        let words = or_default(table.get("words"), |field| words::read(reader, &field));
        written_choice(reader, &title?, words?, known)
    })
}

fn written_choice(
    reader: &mut Reader<'_>,
    title: &Text<'_>,
    words: Vec<Phrase>,
    known: Symbols<'_>,
) -> Option<Choice> {
    Some(Choice {
        id: title.value.to_owned(),
        title: text::literal(reader, title, known)?,
        words,
        go: None,
    })
}

/// Makes choices of the buttons and rows of the question.
fn offered_choices<'d>(
    ask: &[ReplyTemplate],
    offered: &[Offer<'d>],
    draft: &mut StepDraft<'d>,
) -> Vec<Choice> {
    let titles = ask.iter().flat_map(titles);
    let mut choices = Vec::new();
    for (offer, title) in offered.iter().zip(titles) {
        draft.targets.extend(offer.go.clone());
        choices.push(Choice {
            id: offer.id.value.to_owned(),
            title,
            words: offer.words.clone(),
            go: offer.go.as_ref().map(target),
        });
    }
    if !choices.is_empty() && choices.iter().all(|choice| choice.go.is_some()) {
        draft.falls_through = false;
    }
    choices
}

/// Titles of the buttons or rows of a message, in reading order.
fn titles(reply: &ReplyTemplate) -> Vec<Template> {
    match &reply.content {
        Outbound::Buttons { buttons, .. } => {
            buttons.iter().map(|button| button.title.clone()).collect()
        }
        Outbound::List { sections, .. } => {
            let rows = sections.iter().flat_map(|section| &section.rows);
            rows.map(|row| row.title.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn accept(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    choices: Option<&[Choice]>,
) -> Option<Accept> {
    let asks = table.get("ask").is_some();
    let Some(field) = table.get("accept") else {
        let offers = choices.is_none_or(|choices| !choices.is_empty());
        return Some(match (asks, table.get("pattern")) {
            (true, Some(pattern)) => Accept::Regex(Box::new(pattern_of(reader, &pattern)?)),
            (true, None) if offers => Accept::Choice,
            (true, None) => Accept::Text,
            (false, _) => Accept::Nothing,
        });
    };
    let text = reader.string(&field)?;
    Some(match text.value {
        "text" => Accept::Text,
        "number" => Accept::Number,
        "email" => Accept::Email,
        "phone" => Accept::Phone,
        "date" => Accept::Date,
        "time" => Accept::Time,
        "choice" => Accept::Choice,
        "location" => Accept::Location,
        "media" => Accept::Media,
        "regex" => {
            let pattern = reader.required(table, "pattern")?;
            Accept::Regex(Box::new(pattern_of(reader, &pattern)?))
        }
        other => {
            let help = suggest::did_you_mean(other, ACCEPTS)
                .unwrap_or_else(|| format!("there are {}", quoted(&ACCEPTS)));
            let message = format!("a step cannot accept `{other}`");
            reader.error(codes::VALUE, &text.span, message, help);
            return None;
        }
    })
}

fn pattern_of(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<regex::Regex> {
    let text = reader.string(field)?;
    let pattern = condition::regex(reader, &text)?;
    if condition::is_catch_all(&pattern) {
        reader.report(condition::matches_all(text.span));
    }
    Some(pattern)
}

/// Reports keys that have no effect without, or next to, other keys.
fn checks_fit(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    accept: Option<&Accept>,
    choices: Option<&[Choice]>,
) {
    let asks = table.get("ask").is_some();
    if !asks && !table.has_misspelt("ask") {
        for key in ["accept", "pattern", "choices", "valid", "retry", "retries"] {
            if let Some(field) = table.get(key) {
                let message = format!("`{key}` needs a question: `ask = …`");
                reader.report(Diagnostic::error(codes::MIXED_REPLY, field.span, message));
            }
        }
        if table.get("flow").is_none() && table.get("go").is_none() && !table.has_unknown() {
            let message = "the step does nothing";
            let help = "give it `ask`, `flow` or `go`";
            reader.error(codes::MISSING_KEY, &table.span, message, help);
        }
    }
    if let (Some(field), Some(_)) = (table.get("flow"), table.get("ask")) {
        let message = "a step asks, or goes through another flow";
        let help = "make two steps of it";
        reader.error(codes::MIXED_REPLY, &field.span, message, help);
    }
    if let (Some(Accept::Choice), Some(field)) = (accept, table.get("accept"))
        && choices.is_some_and(<[Choice]>::is_empty)
        && asks
    {
        let message = "there is nothing to choose from";
        let help = "add `choices`, or buttons or a list to `ask`";
        reader.error(codes::MISSING_KEY, &field.span, message, help);
    }
    let Some(accept) = accept.filter(|_| asks) else {
        return;
    };
    let beside = [
        ("choices", "choice", matches!(accept, Accept::Choice)),
        ("pattern", "regex", matches!(accept, Accept::Regex(_))),
    ];
    for (key, wanted, fits) in beside {
        if let Some(field) = table.get(key).filter(|_| !fits) {
            let message = format!(
                "`{key}` says nothing beside `accept = \"{}\"`",
                accept.name()
            );
            let help = format!("write `accept = \"{wanted}\"`, or leave `{key}` out");
            reader.error(codes::MIXED_REPLY, &field.span, message, help);
        }
    }
}

/// `go = "size"` or a list of `{ if = "…", to = "size" }`.
fn branches<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
    draft: &mut StepDraft<'d>,
) -> Option<Vec<Branch>> {
    if field.is_string() {
        let text = reader.string(field)?;
        draft.falls_through = false;
        let to = target(&text);
        draft.targets.push(text);
        return Some(vec![Branch { only_if: None, to }]);
    }
    let elements = reader.list(field)?;
    read_each(&elements, |element| {
        let table = reader.table(element, &["if", "to"])?;
        let only_if = optional(table.get("if"), |field| {
            text::expression(reader, &field, known)
        });
        let to = reader.required_string(&table, "to");
        if table.get("if").is_none() {
            draft.falls_through = false;
        }
        draft.targets.extend(to.clone());
        Some(Branch {
            only_if: only_if.ok()?,
            to: target(&to?),
        })
    })
}

/// Meaning of a word in `go`; `lint` checks that the step or flow exists.
pub(crate) fn target(text: &Text<'_>) -> Target {
    match text.value {
        "end" => Target::End,
        "cancel" => Target::Cancel,
        other => match other.strip_prefix("flow:") {
            Some(flow) => Target::Flow(flow.to_owned()),
            None => Target::Step(other.to_owned()),
        },
    }
}

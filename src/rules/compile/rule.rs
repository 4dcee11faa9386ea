//! Reads one `[[rule]]`.
//!
//! Next: [`super::condition`] and [`super::answer`], which read its two halves.

use std::ops::Range;
use std::time::Duration;

use super::answer;
use super::bot::at_most;
use super::condition;
use super::text::Symbols;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Field, Reader, Table, Text};
use crate::message::RuleId;
use crate::rules::{Condition, Example, Rule};

pub(crate) const KEYS: [&str; 20] = [
    "id",
    "when",
    "anywhere",
    "reply",
    "variants",
    "on_error",
    "set",
    "tag",
    "untag",
    "language",
    "handoff",
    "start",
    "call",
    "model",
    "once",
    "continue",
    "after",
    "chance",
    "examples",
    "not_examples",
];

/// Maximum length of a rule's id in characters: the history shows it on every line.
const ID_MAX: usize = 64;

/// Maximum delay of a reply: WhatsApp accepts free messages for 24 hours after the contact's last
/// message.
const AFTER_MAX: Duration = Duration::from_hours(23);

/// Rule under construction. A `None` in it has been reported.
pub(crate) struct Draft<'d> {
    pub(crate) id: Option<Text<'d>>,
    /// The `[[rule]]` line.
    pub(crate) header: Range<usize>,
    pub(crate) when: Option<Condition>,
    /// `when`, as it stands in the file.
    pub(crate) condition: Option<Field<'d>>,
    /// Patterns in it that match every text.
    pub(crate) catch_alls: Vec<Range<usize>>,
    /// The ids in `when.button`, wherever in the condition.
    pub(crate) wanted: Vec<Text<'d>>,
    /// The tokens in `when.form`, wherever in the condition.
    pub(crate) forms: Vec<Text<'d>>,
    /// Names that its regular expressions capture.
    pub(crate) captures: Vec<String>,
    pub(crate) answer: answer::Draft<'d>,
    pub(crate) once: Option<Duration>,
    pub(crate) continues: bool,
    pub(crate) chance: Option<f64>,
    after: Option<Duration>,
    pub(crate) anywhere: bool,
    examples: Vec<Example>,
    not_examples: Vec<Example>,
}

/// Reads one rule; `None` when it is no table at all.
pub(crate) fn read<'d>(
    reader: &mut Reader<'_>,
    header: &Field<'d>,
    known: Symbols<'_>,
) -> Option<Draft<'d>> {
    let table = reader.table(header, &KEYS)?;
    let id = id(reader, &table);
    let when = match table.get("when") {
        Some(field) => condition::read(reader, &field, known),
        None if table.has_misspelt("when") => condition::When::unknown(),
        None => condition::When::always(),
    };
    let known = Symbols {
        captures: &when.captures,
        ..known
    };
    let answer = answer::read(reader, &table, known);
    let once = table.get("once");
    let chance = table.get("chance");
    let after = table.get("after");
    let after = after.and_then(|field| {
        let after = at_most(reader, &field, AFTER_MAX);
        late_action(reader, &table, &field);
        after
    });
    let switch = |reader: &mut Reader<'_>, key: &str| {
        let field = table.get(key);
        field.and_then(|field| reader.boolean(&field)) == Some(true)
    };
    Some(Draft {
        id,
        header: header.span.clone(),
        when: when.condition,
        condition: table.get("when"),
        catch_alls: when.catch_alls,
        wanted: when.wanted,
        forms: when.forms,
        captures: when.captures,
        answer,
        once: once.and_then(|field| reader.duration(&field)),
        continues: switch(reader, "continue"),
        anywhere: switch(reader, "anywhere"),
        chance: chance.and_then(|field| share(reader, &field)),
        after,
        examples: examples(reader, &table, "examples"),
        not_examples: examples(reader, &table, "not_examples"),
    })
}

impl Draft<'_> {
    /// Where the rule is underlined: its id, or its header when it has none.
    pub(crate) fn place(&self) -> &Range<usize> {
        self.id.as_ref().map_or(&self.header, |id| &id.span)
    }

    /// Makes the rule; `None` when a part was wrong.
    pub(crate) fn finish(self) -> Option<Rule> {
        Some(Rule {
            id: RuleId::parse(self.id?.value)?,
            span: self.header,
            when: self.when?,
            anywhere: self.anywhere,
            answer: self.answer.answer?,
            once: self.once,
            continues: self.continues,
            after: self.after,
            chance: self.chance,
            examples: self.examples,
            not_examples: self.not_examples,
        })
    }
}

/// Messages that the rule should answer, or should not.
fn examples(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> Vec<Example> {
    let texts = table.get(key).and_then(|field| reader.any_strings(&field));
    let texts = texts.unwrap_or_default().into_iter();
    texts
        .map(|text| Example {
            text: text.value.to_owned(),
            span: text.span,
        })
        .collect()
}

/// Reads a share of contacts, above 0 and below 1.
fn share(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<f64> {
    let share = if field.is_string() {
        0.0
    } else {
        reader.decimal(field)?
    };
    if share > 0.0 && share < 1.0 {
        return Some(share);
    }
    let message = "`chance` is a share of contacts between 0 and 1";
    let help = "write `chance = 0.5` for every second contact";
    reader.refuse(codes::VALUE, &field.span, message, help)
}

/// Reports keys that a delayed rule cannot have.
fn late_action(reader: &mut Reader<'_>, table: &Table<'_>, after: &Field<'_>) {
    for key in ["call", "model", "start", "handoff"] {
        if let Some(field) = table.get(key) {
            let message = format!("a rule with `after` cannot have `{key}`");
            let error = Diagnostic::error(codes::MIXED_REPLY, field.span, message);
            reader.report(error.related(after.span.clone(), "what is sent later is a reply"));
        }
    }
}

fn id<'d>(reader: &mut Reader<'_>, table: &Table<'d>) -> Option<Text<'d>> {
    let field = reader.required(table, "id")?;
    let id = reader.string(&field)?;
    let length = id.value.chars().count();
    let odd = id
        .value
        .char_indices()
        .find(|(_, character)| !character.is_alphanumeric() && !"-_.".contains(*character));
    let problem = if let Some((at, character)) = odd {
        let part = at..at + character.len_utf8();
        Some((
            reader.locate(&id, &part),
            "a rule id has a character that ids do not have",
        ))
    } else if length == 0 {
        Some((id.span.clone(), "a rule id is empty"))
    } else if length > ID_MAX {
        Some((id.span.clone(), "a rule id is too long"))
    } else {
        None
    };
    if let Some((span, message)) = problem {
        let help = format!("use letters, digits, `-`, `_` and `.`, at most {ID_MAX} of them");
        reader.error(codes::ODD_ID, &span, message, help);
    }
    Some(id)
}

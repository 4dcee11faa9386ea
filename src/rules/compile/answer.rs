//! Reads answers: replies, variants, effects and actions. A rule and the end of a flow have the
//! same keys.

use super::action;
use super::bot::{PAUSE_MAX, at_most, language_tag};
use super::reply::{self, Offer};
use super::text::{self, Fallback, Reading, Symbols};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::{optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Reader, Table, Text};
use crate::rules::{Answer, Effects, ReplyTemplate};
use crate::template::Template;

pub(crate) const KEYS: [&str; 11] = [
    "reply", "variants", "on_error", "set", "tag", "untag", "language", "handoff", "start", "call",
    "model",
];

/// An answer as far as it could be read.
pub(crate) struct Draft<'d> {
    /// `None` when something in it is wrong.
    pub(crate) answer: Option<Answer>,
    /// The buttons and rows in its replies.
    pub(crate) offered: Vec<Offer<'d>>,
    /// The flow in `start`.
    pub(crate) starts: Option<Text<'d>>,
    /// The rules in `model.choose`.
    pub(crate) chooses: Vec<Text<'d>>,
    pub(crate) asks_model: bool,
}

impl Draft<'_> {
    /// An answer that does nothing.
    pub(crate) fn none() -> Self {
        Self {
            answer: Some(Answer::default()),
            offered: Vec::new(),
            starts: None,
            chooses: Vec::new(),
            asks_model: false,
        }
    }
}

/// Reads the keys of an answer out of a table.
pub(crate) fn read<'d>(
    reader: &mut Reader<'_>,
    table: &Table<'d>,
    known: Symbols<'_>,
) -> Draft<'d> {
    let mut draft = Draft::none();
    draft.asks_model = table.get("model").is_some();
    two_actions(reader, table);
    let action = optional(action_field(table), |field| {
        action::read(reader, &field, known, &mut draft.chooses)
    });
    no_on_error(reader, table);
    // Also of an action that is wrong, so that its result is no unknown variable.
    let saved = action_field(table).and_then(|field| action::saved(&field));
    let roots: Vec<String> = known.roots.iter().cloned().chain(saved).collect();
    let known = Symbols {
        roots: &roots,
        ..known
    };
    let caught = Symbols {
        fallback: match table.get("on_error") {
            Some(_) => Fallback::OnError,
            None => Fallback::Nothing,
        },
        ..known
    };
    let variants = variants(reader, table, caught, &mut draft);
    let on_error = optional(table.get("on_error"), |field| {
        let (template, offered) = reply::read_one(reader, &field, known);
        draft.offered.extend(offered);
        template
    });
    let effects = effects(reader, table, known, &mut draft);
    let answer = || {
        Some(Answer {
            variants: variants?,
            on_error: on_error.ok()?,
            effects: effects?,
            action: action.ok()?.map(Box::new),
        })
    };
    Draft {
        answer: answer(),
        ..draft
    }
}

/// Reads an answer that is a table of its own.
pub(crate) fn whole<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
) -> Draft<'d> {
    match reader.table(field, &KEYS) {
        Some(table) => read(reader, &table, known),
        None => Draft {
            answer: None,
            ..Draft::none()
        },
    }
}

/// Reads an answer that may also be written as its reply alone: `on_timeout = "Bye."`.
pub(crate) fn short<'d>(
    reader: &mut Reader<'_>,
    field: &Field<'d>,
    known: Symbols<'_>,
) -> Draft<'d> {
    let mut keys = field.entries().into_iter().map(|entry| entry.name);
    if keys.any(|key| KEYS.contains(&key)) {
        return whole(reader, field, known);
    }
    let replies = reply::read(reader, field, known);
    Draft {
        answer: replies.templates.map(|templates| Answer {
            variants: vec![templates],
            ..Answer::default()
        }),
        offered: replies.offered,
        ..Draft::none()
    }
}

/// `call` or `model`: one of the two.
fn action_field<'d>(table: &Table<'d>) -> Option<Field<'d>> {
    table.get("call").or_else(|| table.get("model"))
}

fn two_actions(reader: &mut Reader<'_>, table: &Table<'_>) {
    if let (Some(call), Some(model)) = (table.get("call"), table.get("model")) {
        let message = "`call` and `model` cannot stand in one rule";
        let error = Diagnostic::error(codes::MIXED_REPLY, model.span, message);
        reader.report(error.related(call.span, "the other one"));
    }
}

/// Warns of an action after whose failure a contact gets no reply.
fn no_on_error(reader: &mut Reader<'_>, table: &Table<'_>) {
    let replies = table.get("reply").or_else(|| table.get("variants"));
    let (Some(action), Some(_)) = (action_field(table), replies) else {
        return;
    };
    if table.get("on_error").is_none() && !table.has_misspelt("on_error") {
        let message = format!("nothing is sent when this `{}` fails", action.name);
        let help = "add `on_error = \"I cannot look that up right now.\"`";
        reader.warn(codes::NO_ON_ERROR, &action.key, message, help);
    }
}

fn variants<'d>(
    reader: &mut Reader<'_>,
    table: &Table<'d>,
    known: Symbols<'_>,
    draft: &mut Draft<'d>,
) -> Option<Vec<Vec<ReplyTemplate>>> {
    match (table.get("reply"), table.get("variants")) {
        (None, None) if table.has_misspelt("reply") => None,
        (None, None) => Some(Vec::new()),
        (Some(field), None) => {
            let replies = reply::read(reader, &field, known);
            draft.offered.extend(replies.offered);
            replies.templates.map(|templates| vec![templates])
        }
        (None, Some(field)) => {
            let elements = reader.list(&field)?;
            if elements.is_empty() {
                let message = "`variants` is an empty list";
                let help = "leave it out to send nothing";
                return reader.refuse(codes::EMPTY_REPLY, &field.span, message, help);
            }
            if elements.len() < 2 {
                let message = "`variants` needs two replies or more to choose from";
                let help = "write `reply = …` when there is one";
                reader.warn(codes::ONE_VARIANT, &field.span, message, help);
            }
            read_each(&elements, |element| {
                let replies = reply::read(reader, element, known);
                draft.offered.extend(replies.offered);
                replies.templates
            })
        }
        (Some(reply), Some(variants)) => {
            let message = "`reply` and `variants` cannot stand in one rule";
            let error = Diagnostic::error(codes::MIXED_REPLY, variants.span, message);
            reader.report(error.related(reply.span, "the other one"));
            None
        }
    }
}

fn effects<'d>(
    reader: &mut Reader<'_>,
    table: &Table<'d>,
    known: Symbols<'_>,
    draft: &mut Draft<'d>,
) -> Option<Effects> {
    let set = or_default(table.get("set"), |field| set(reader, &field, known));
    let mut names = |key| {
        or_default(table.get(key), |field| {
            let names = reader.strings(&field)?;
            Some(names.iter().map(|name| name.value.to_owned()).collect())
        })
    };
    let (tag, untag) = (names("tag"), names("untag"));
    let language = optional(table.get("language"), |field| {
        let tag = reader.string(&field)?;
        language_tag(reader, &tag).then(|| tag.value.to_owned())
    });
    let handoff = optional(table.get("handoff"), |field| {
        at_most(reader, &field, PAUSE_MAX)
    });
    let start = optional(table.get("start"), |field| {
        let name = reader.string(&field)?;
        draft.starts = Some(name.clone());
        Some(name.value.to_owned())
    });
    Some(Effects {
        set: set?,
        tag: tag?,
        untag: untag?,
        language: language.ok()?,
        handoff: handoff.ok()?,
        start: start.ok()?,
    })
}

fn set(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    known: Symbols<'_>,
) -> Option<Vec<(String, Template)>> {
    if !field.is_table() {
        return reader.wrong_type(field, "fields with their texts: `set.size = \"large\"`");
    }
    read_each(field.entries(), |entry| {
        let valid = entry
            .name
            .chars()
            .all(|character| character.is_alphanumeric() || character == '_');
        if !valid {
            let message = format!("`{}` cannot be the name of a field", entry.name);
            let help = "use letters, digits and `_`";
            reader.error(codes::ODD_ID, &entry.key, message, help);
        }
        let (text, _) = text::template(reader, &entry, known, Reading::Text).filter(|_| valid)?;
        Some((entry.name.to_owned(), text))
    })
}

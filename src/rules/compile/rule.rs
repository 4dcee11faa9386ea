//! Reads one `[[rule]]`.
//!
//! Next: [`super::when`] and [`super::reply`], which read its two halves.

use std::ops::Range;
use std::time::Duration;

use super::reply::{self, Known, Offer};
use super::when;
use crate::message::{RuleId, TemplateFile};
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::{Field, Reader, Table, Text};
use crate::rules::{Condition, ReplyTemplate, Rule, codes};

const KEYS: [&str; 6] = ["id", "when", "reply", "on_error", "once", "continue"];

/// Characters of a rule's id: it stands in every line of the history.
const ID_MAX: usize = 64;

/// A rule as far as it could be read. Where something is `None`, a diagnostic says why.
pub(super) struct Draft<'d> {
    /// `id`.
    pub(super) id: Option<Text<'d>>,
    /// The `[[rule]]` line.
    pub(super) header: Range<usize>,
    /// `when`.
    pub(super) when: Option<Condition>,
    /// The ids in `when.button`, wherever in the condition.
    pub(super) wanted: Vec<Text<'d>>,
    /// The replies.
    pub(super) replies: Option<Vec<ReplyTemplate>>,
    /// `on_error`.
    pub(super) on_error: OnError,
    /// The buttons and rows in the replies.
    pub(super) offered: Vec<Offer<'d>>,
    /// `once`.
    pub(super) once: Option<Duration>,
    /// `continue`.
    pub(super) goes_on: bool,
}

/// What becomes of a rule whose replies cannot be sent as they come out.
pub(super) enum OnError {
    /// This is sent.
    Send(Box<ReplyTemplate>),
    /// Nothing is sent.
    Fail,
    /// It could not be read.
    Wrong,
}

/// Reads one rule; `None` when it is no table at all.
pub(super) fn read<'d>(
    reader: &mut Reader<'_>,
    header: &Field<'d>,
    templates: Option<&TemplateFile>,
) -> Option<Draft<'d>> {
    let table = reader.table(header, &KEYS)?;
    let id = id(reader, &table);
    let when = match table.get("when") {
        Some(field) => when::read(reader, &field),
        None if table.has_misspelt("when") => when::When::unknown(),
        None => when::When::always(),
    };
    let known = Known {
        captures: &when.captures,
        templates,
    };
    let mut replies = match table.get("reply") {
        Some(field) => reply::read(reader, &field, known),
        None if table.has_misspelt("reply") => reply::Replies::unknown(),
        None => reply::Replies::none(),
    };
    let on_error = table.get("on_error").map(|field| {
        let (template, offered) = reply::read_one(reader, &field, known);
        replies.offered.extend(offered);
        template
    });
    let once = table.get("once");
    let goes_on = table.get("continue");
    Some(Draft {
        id,
        header: header.span.clone(),
        when: when.condition,
        wanted: when.wanted,
        replies: replies.templates,
        on_error: match on_error {
            Some(Some(template)) => OnError::Send(Box::new(template)),
            Some(None) => OnError::Wrong,
            None => OnError::Fail,
        },
        offered: replies.offered,
        once: once.and_then(|field| reader.duration(&field)),
        goes_on: goes_on.and_then(|field| reader.boolean(&field)) == Some(true),
    })
}

impl Draft<'_> {
    /// Makes the rule of it; `None` when a part could not be read.
    pub(super) fn finish(self) -> Option<Rule> {
        Some(Rule {
            id: RuleId::parse(self.id?.value)?,
            when: self.when?,
            replies: self.replies?,
            on_error: match self.on_error {
                OnError::Send(template) => Some(*template),
                OnError::Fail => None,
                OnError::Wrong => return None,
            },
            once: self.once,
            goes_on: self.goes_on,
        })
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
        reader.report(Diagnostic::error(codes::ODD_ID, span, message).help(help));
    }
    Some(id)
}

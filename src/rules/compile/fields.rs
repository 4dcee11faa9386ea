//! Reads TOML tables key by key, so that one wrong key never hides the next one.

use std::ops::Range;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::diagnostic::Diagnostic;

/// A value with its place.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Everything found so far.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) all: Vec<Diagnostic>,
}

impl Notes {
    pub(super) fn add(&mut self, diagnostic: Diagnostic) {
        self.all.push(diagnostic);
    }
}

/// A table whose keys are asked for one by one; those nobody asked for are unknown.
pub(super) struct Fields<'a, 'i> {
    table: &'a DeTable<'i>,
    span: Range<usize>,
    asked: Vec<&'static str>,
}

impl<'a, 'i> Fields<'a, 'i> {
    pub(super) fn new(table: &'a DeTable<'i>, span: Range<usize>) -> Self {
        Self {
            table,
            span,
            asked: Vec::new(),
        }
    }

    /// Takes a value as a table.
    pub(super) fn of(value: &'a Value<'i>, what: &str, notes: &mut Notes) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(table, value.span())),
            other => {
                notes.add(wrong_type(value.span(), what, "a table", other));
                None
            }
        }
    }

    /// Where the table is.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Value<'i>> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// Where a key itself stands.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        let keys = self.table.keys().find(|have| have.get_ref() == key);
        keys.map_or_else(|| self.span(), Spanned::span)
    }

    pub(super) fn string(&mut self, key: &'static str, notes: &mut Notes) -> Option<Text> {
        Text::of(self.get(key)?, key, notes)
    }

    pub(super) fn boolean(&mut self, key: &'static str, notes: &mut Notes) -> Option<bool> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(boolean) => Some(*boolean),
            other => {
                notes.add(wrong_type(value.span(), key, "true or false", other));
                None
            }
        }
    }

    pub(super) fn count(&mut self, key: &'static str, notes: &mut Notes) -> Option<u32> {
        let value = self.get(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            notes.add(wrong_type(
                value.span(),
                key,
                "a whole number",
                value.get_ref(),
            ));
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        if number.is_none() {
            let title = format!("`{key}` must be a number from 0 to {}", u32::MAX);
            notes.add(Diagnostic::new("E005", value.span(), title));
        }
        number
    }

    pub(super) fn duration(&mut self, key: &'static str, notes: &mut Notes) -> Option<Duration> {
        let text = self.string(key, notes)?;
        let duration = parse_duration(&text.value);
        if duration.is_none() {
            let title = format!("`{key}` is not a length of time");
            let help = "write a number with a unit: \"30s\", \"15m\", \"12h\" or \"2d\"";
            notes.add(Diagnostic::new("E005", text.span, title).help(help));
        }
        duration
    }

    /// The value of a key that must be there.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        of: &str,
        notes: &mut Notes,
    ) -> Option<&'a Value<'i>> {
        let value = self.get(key);
        if value.is_none() {
            let title = format!("{of} has no `{key}`");
            notes.add(Diagnostic::new("E004", self.span(), title).label("it belongs in here"));
        }
        value
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self, what: &str, notes: &mut Notes) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let title = format!("{what} has no key `{name}`");
            let help = match closest(name, self.asked.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("there are `{}`", self.asked.join("`, `")),
            };
            notes.add(Diagnostic::new("E002", key.span(), title).help(help));
        }
    }
}

/// A string with its place.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) span: Range<usize>,
}

impl Text {
    pub(super) fn of(value: &Value<'_>, what: &str, notes: &mut Notes) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) => Some(Self {
                value: text.to_string(),
                span: value.span(),
            }),
            other => {
                notes.add(wrong_type(value.span(), what, "a text in quotes", other));
                None
            }
        }
    }

    /// One string, or an array of them: a list inside one key means any of it.
    pub(super) fn one_or_many(value: &Value<'_>, what: &str, notes: &mut Notes) -> Vec<Self> {
        let texts: Vec<Self> = match value.get_ref() {
            DeValue::Array(array) => array
                .iter()
                .filter_map(|item| Self::of(item, what, notes))
                .collect(),
            _ => Self::of(value, what, notes).into_iter().collect(),
        };
        if texts.is_empty() && matches!(value.get_ref(), DeValue::Array(array) if array.is_empty())
        {
            let title = format!("`{what}` is empty, so it can never hold");
            notes.add(Diagnostic::new("E005", value.span(), title));
        }
        texts
    }
}

pub(super) fn wrong_type(
    span: Range<usize>,
    what: &str,
    wanted: &str,
    found: &DeValue<'_>,
) -> Diagnostic {
    let found = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    Diagnostic::new("E003", span, format!("`{what}` must be {wanted}"))
        .label(format!("this is {found}"))
}

/// The closest of the names, if one is close enough to be meant.
pub(super) fn closest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = (name.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|known| {
            (
                strsim::osa_distance(&name.to_lowercase(), &known.to_lowercase()),
                known,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// Reads `30s`, `15m`, `12h`, `2d`; a day is 24 hours.
fn parse_duration(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

//! Reads `when`: the condition of a rule.
//!
//! Words are folded and regular expressions built here, once. Next: [`super::reply`].

use regex::{Regex, RegexBuilder};

use crate::message::Kind;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::{Field, Reader, Table, Text, quoted};
use crate::rules::normalise::Phrase;
use crate::rules::{Condition, codes, suggest};

const KEYS: [&str; 8] = [
    "text",
    "button",
    "type",
    "first_contact",
    "ad",
    "any",
    "all",
    "not",
];
const TEXT_KEYS: [&str; 4] = ["is", "has", "starts", "matches"];

/// Bytes that one compiled regular expression may take, so that a rules file cannot eat the memory.
const REGEX_SIZE_MAX: usize = 1024 * 1024;

const SINGLE_QUOTES: &str = "write patterns in single quotes: there a backslash stands for itself";

/// A condition, and what the rest of the file has to know of it.
pub(super) struct When<'d> {
    /// `None` when something in it is wrong.
    pub(super) condition: Option<Condition>,
    /// The names that regular expressions put under `match`.
    pub(super) captures: Vec<String>,
    /// The ids in `button`.
    pub(super) wanted: Vec<Text<'d>>,
}

/// Whether what is read stands under a `not`, where nothing is captured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    Plain,
    Negated,
}

struct WhenReader<'r, 't, 'd> {
    reader: &'r mut Reader<'t>,
    captures: Vec<String>,
    wanted: Vec<Text<'d>>,
}

impl When<'_> {
    /// The condition of a rule without `when`.
    pub(super) fn always() -> Self {
        Self {
            condition: Some(Condition::Always),
            ..Self::unknown()
        }
    }

    /// A condition under a misspelt key.
    pub(super) fn unknown() -> Self {
        Self {
            condition: None,
            captures: Vec::new(),
            wanted: Vec::new(),
        }
    }
}

/// Reads the value of `when`.
pub(super) fn read<'d>(reader: &mut Reader<'_>, field: &Field<'d>) -> When<'d> {
    let mut when = WhenReader {
        reader,
        captures: Vec::new(),
        wanted: Vec::new(),
    };
    let condition = when.condition(field, Sense::Plain);
    When {
        condition,
        captures: when.captures,
        wanted: when.wanted,
    }
}

impl<'d> WhenReader<'_, '_, 'd> {
    fn condition(&mut self, field: &Field<'d>, sense: Sense) -> Option<Condition> {
        let table = self.reader.table(field, &KEYS)?;
        let mut parts = Vec::new();
        if let Some(field) = table.get("text") {
            parts.push(self.text(&field, sense));
        }
        if let Some(field) = table.get("button") {
            parts.push(self.button(&field));
        }
        if let Some(field) = table.get("type") {
            parts.push(self.kinds(&field));
        }
        if let Some(field) = table.get("first_contact") {
            let value = self.reader.boolean(&field);
            parts.push(value.map(Condition::FirstContact));
        }
        if let Some(field) = table.get("ad") {
            parts.push(self.ad(&field));
        }
        if let Some(field) = table.get("any") {
            parts.push(self.conditions(&field, sense).map(Condition::Any));
        }
        if let Some(field) = table.get("all") {
            parts.push(self.conditions(&field, sense).map(Condition::All));
        }
        if let Some(field) = table.get("not") {
            let inner = self.condition(&field, Sense::Negated);
            parts.push(inner.map(|inner| Condition::Not(Box::new(inner))));
        }
        self.all_of(parts, &table, &KEYS)
    }

    /// Several keys in one table must all hold.
    fn all_of(
        &mut self,
        parts: Vec<Option<Condition>>,
        table: &Table<'_>,
        keys: &[&str],
    ) -> Option<Condition> {
        if parts.is_empty() && table.has_unknown() {
            return None;
        }
        if parts.is_empty() {
            let message = "the condition is empty";
            let error = Diagnostic::error(codes::EMPTY_CONDITION, table.span.clone(), message);
            let help = format!("give it one of {}", quoted(keys));
            self.reader.report(error.help(help));
            return None;
        }
        let mut parts: Vec<Condition> = parts.into_iter().collect::<Option<_>>()?;
        match parts.len() {
            1 => parts.pop(),
            _ => Some(Condition::All(parts)),
        }
    }

    fn conditions(&mut self, field: &Field<'d>, sense: Sense) -> Option<Vec<Condition>> {
        let elements = self.reader.list(field)?;
        if elements.is_empty() {
            let message = format!("`{}` is an empty list", field.name);
            let error = Diagnostic::error(codes::EMPTY_CONDITION, field.span.clone(), message);
            self.reader
                .report(error.label("needs a condition in braces"));
            return None;
        }
        let conditions: Vec<_> = elements
            .iter()
            .map(|element| self.condition(element, sense))
            .collect();
        conditions.into_iter().collect()
    }

    fn text(&mut self, field: &Field<'d>, sense: Sense) -> Option<Condition> {
        if field.is_string() || field.elements().is_some() {
            self.reader.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    field.span.clone(),
                    "`text` does not say how the words are compared",
                )
                .help("write `text.has = …` to find them anywhere in the message".to_owned()),
            );
            return None;
        }
        let table = self.reader.table(field, &TEXT_KEYS)?;
        let mut parts = Vec::new();
        if let Some(field) = table.get("is") {
            parts.push(self.phrases(&field).map(Condition::TextIs));
        }
        if let Some(field) = table.get("has") {
            parts.push(self.phrases(&field).map(Condition::TextHas));
        }
        if let Some(field) = table.get("starts") {
            parts.push(self.phrases(&field).map(Condition::TextStarts));
        }
        if let Some(field) = table.get("matches") {
            parts.push(self.regexes(&field, sense).map(Condition::TextMatches));
        }
        self.all_of(parts, &table, &TEXT_KEYS)
    }

    fn phrases(&mut self, field: &Field<'d>) -> Option<Vec<Phrase>> {
        let texts = self.reader.strings(field)?;
        let mut phrases = Vec::with_capacity(texts.len());
        for text in &texts {
            let phrase = Phrase::parse(text.value);
            if phrase.is_none() {
                let message = format!("`{}` has a text without a word in it", field.name);
                let error = Diagnostic::error(codes::EMPTY_CONDITION, text.span.clone(), message);
                self.reader.report(
                    error
                        .label("can never match")
                        .help("words are compared without punctuation".to_owned()),
                );
            }
            phrases.push(phrase);
        }
        phrases.into_iter().collect()
    }

    fn regexes(&mut self, field: &Field<'d>, sense: Sense) -> Option<Vec<Regex>> {
        let texts = self.reader.strings(field)?;
        let regexes: Vec<_> = texts.iter().map(|text| self.regex(text)).collect();
        let regexes: Vec<Regex> = regexes.into_iter().collect::<Option<_>>()?;
        if sense == Sense::Plain {
            let names = regexes.iter().flat_map(|regex| regex.capture_names());
            self.captures.extend(names.flatten().map(str::to_owned));
        }
        Some(regexes)
    }

    fn regex(&mut self, text: &Text<'_>) -> Option<Regex> {
        // In double quotes TOML makes a backspace of `\b`, which is in no message.
        if text.value.contains('\u{8}') {
            let error = Diagnostic::error(
                codes::REGEX,
                text.span.clone(),
                "the pattern has a backspace in it",
            );
            self.reader.report(error.help(SINGLE_QUOTES.to_owned()));
            return None;
        }
        let (part, message) = match regex_syntax::parse(text.value) {
            Ok(_) => {
                let built = RegexBuilder::new(text.value)
                    .size_limit(REGEX_SIZE_MAX)
                    .build();
                match built {
                    Ok(regex) => return Some(regex),
                    Err(_) => (None, "the pattern takes too much memory".to_owned()),
                }
            }
            Err(regex_syntax::Error::Parse(error)) => {
                (Some(*error.span()), error.kind().to_string())
            }
            Err(regex_syntax::Error::Translate(error)) => {
                (Some(*error.span()), error.kind().to_string())
            }
            Err(_) => (None, "cannot be read".to_owned()),
        };
        let span = part.map_or_else(
            || text.span.clone(),
            |part| {
                self.reader
                    .locate(text, &(part.start.offset..part.end.offset))
            },
        );
        let error = Diagnostic::error(codes::REGEX, span, "the regular expression cannot be used");
        self.reader.report(error.label(message));
        None
    }

    fn button(&mut self, field: &Field<'d>) -> Option<Condition> {
        let texts = self.reader.strings(field)?;
        let ids = texts.iter().map(|text| text.value.to_owned()).collect();
        self.wanted.extend(texts);
        Some(Condition::Button(ids))
    }

    /// `true`, `false`, or the ids of ads.
    fn ad(&mut self, field: &Field<'d>) -> Option<Condition> {
        if field.is_string() || field.elements().is_some() {
            let ids = self.reader.strings(field)?;
            let ids = ids.iter().map(|id| id.value.to_owned()).collect();
            return Some(Condition::Ad(ids));
        }
        if !field.is_boolean() {
            let expected = "`true`, `false`, the id of an ad in quotes, or a list of ids";
            self.reader.wrong_type(field, expected);
            return None;
        }
        self.reader.boolean(field).map(Condition::FromAd)
    }

    fn kinds(&mut self, field: &Field<'d>) -> Option<Condition> {
        let texts = self.reader.strings(field)?;
        let kinds: Vec<Option<Kind>> = texts.iter().map(|text| self.kind(text)).collect();
        kinds
            .into_iter()
            .collect::<Option<Vec<Kind>>>()
            .map(Condition::Type)
    }

    fn kind(&mut self, text: &Text<'_>) -> Option<Kind> {
        let known = Kind::ALL.iter().find(|(name, _)| *name == text.value);
        if known.is_none() {
            let names = Kind::ALL.map(|(name, _)| name);
            let help = suggest::did_you_mean(text.value, names)
                .unwrap_or_else(|| format!("the types are {}", quoted(&names)));
            let message = "there is no such type of message";
            self.reader.report(
                Diagnostic::error(codes::MESSAGE_TYPE, text.span.clone(), message).help(help),
            );
        }
        known.map(|(_, kind)| *kind)
    }
}

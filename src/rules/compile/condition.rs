//! Reads `when`: the condition of a rule.
//!
//! Words are folded and regular expressions built here, once. Next: [`super::reply`].

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::bot::language_tag;
use super::text::{self, Symbols};
use super::words;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::optional::read_each;
use crate::diagnostics::toml_reader::{Field, Reader, Table, Text, quoted};
use crate::diagnostics::{codes, suggest};
use crate::message::Kind;
use crate::rules::{ButtonPattern, Condition};
use crate::template::kind_meant;
use crate::text::country;

pub(crate) const KEYS: [&str; 18] = [
    "text",
    "button",
    "type",
    "form",
    "first_contact",
    "returning_after",
    "language",
    "country",
    "tag",
    "field",
    "hours",
    "reply_to",
    "forwarded",
    "ad",
    "if",
    "any",
    "all",
    "not",
];
pub(crate) const TEXT_KEYS: [&str; 5] = ["is", "has", "starts", "like", "matches"];

/// Bytes that one compiled regular expression may take, so that a rules file cannot eat the memory.
const REGEX_SIZE_MAX: usize = 1024 * 1024;

const SINGLE_QUOTES: &str = "write patterns in single quotes: there a backslash stands for itself";

/// Condition with the captures and button ids in it.
pub(crate) struct When<'d> {
    /// `None` when something in it is wrong.
    pub(crate) condition: Option<Condition>,
    /// The names that regular expressions put under `match`.
    pub(crate) captures: Vec<String>,
    /// The ids in `button`.
    pub(crate) wanted: Vec<Text<'d>>,
    /// The tokens in `form`.
    pub(crate) forms: Vec<Text<'d>>,
    /// Patterns that match every text.
    pub(crate) catch_alls: Vec<Range<usize>>,
}

/// Whether a condition stands under a `not`, where captures have no value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    Plain,
    Negated,
}

struct WhenReader<'r, 't, 'd> {
    reader: &'r mut Reader<'t>,
    known: Symbols<'r>,
    captures: Vec<String>,
    wanted: Vec<Text<'d>>,
    forms: Vec<Text<'d>>,
    catch_alls: Vec<Range<usize>>,
}

impl When<'_> {
    /// The condition of a rule without `when`.
    pub(crate) fn always() -> Self {
        Self {
            condition: Some(Condition::Always),
            ..Self::unknown()
        }
    }

    /// A condition under a misspelt key.
    pub(crate) fn unknown() -> Self {
        Self {
            condition: None,
            captures: Vec::new(),
            wanted: Vec::new(),
            forms: Vec::new(),
            catch_alls: Vec::new(),
        }
    }
}

pub(crate) fn read<'d>(reader: &mut Reader<'_>, field: &Field<'d>, known: Symbols<'_>) -> When<'d> {
    if let Some(help) = whole_help(field) {
        let message = "`when` takes a table with conditions";
        reader.error(codes::WRONG_TYPE, &field.span, message, help);
        return When::unknown();
    }
    let mut when = WhenReader {
        reader,
        known,
        captures: Vec::new(),
        wanted: Vec::new(),
        forms: Vec::new(),
        catch_alls: Vec::new(),
    };
    let condition = when.condition(field, Sense::Plain);
    When {
        condition,
        captures: when.captures,
        wanted: when.wanted,
        forms: when.forms,
        catch_alls: when.catch_alls,
    }
}

/// How to write a condition that is a text or a list.
fn whole_help(field: &Field<'_>) -> Option<String> {
    if let Some(text) = field.text() {
        return Some(format!("write `when.text.has = \"{text}\"`"));
    }
    let elements = field.elements()?;
    let is_words = elements.iter().all(Field::is_string);
    let key = if is_words {
        "when.text.has"
    } else {
        "when.any"
    };
    Some(format!("write `{key} = [ … ]`"))
}

impl<'d> WhenReader<'_, '_, 'd> {
    fn condition(&mut self, field: &Field<'d>, sense: Sense) -> Option<Condition> {
        let table = self.reader.table(field, &KEYS)?;
        let fields = KEYS.iter().filter_map(|key| table.get(key));
        let parts = fields.map(|field| self.part(&field, sense)).collect();
        self.all_of(parts, &table, &KEYS)
    }

    /// Reads the condition under one of [`KEYS`].
    fn part(&mut self, field: &Field<'d>, sense: Sense) -> Option<Condition> {
        match field.name {
            "text" => self.text(field, sense),
            "button" => self.button(field, sense),
            "type" => self.kinds(field),
            "first_contact" => self.reader.boolean(field).map(Condition::FirstContact),
            "returning_after" => self.reader.duration(field).map(Condition::ReturningAfter),
            "language" => self.languages(field),
            "country" => self.countries(field),
            "hours" => self.hours(field),
            "tag" => self.tags(field),
            "field" => self.fields(field),
            "reply_to" => self.reader.boolean(field).map(Condition::ReplyTo),
            "forwarded" => self.reader.boolean(field).map(Condition::Forwarded),
            "ad" => self.ad(field),
            "form" => {
                let forms = self.reader.strings(field)?;
                let condition = Condition::Form(owned(&forms));
                self.forms.extend(forms);
                Some(condition)
            }
            "if" => {
                let expression = text::expression(self.reader, field, self.known)?;
                Some(Condition::If(Box::new(expression)))
            }
            "any" => self.conditions(field, sense).map(Condition::Any),
            "all" => self.conditions(field, sense).map(Condition::All),
            _ => {
                let inner = self.condition(field, Sense::Negated)?;
                Some(Condition::Not(Box::new(inner)))
            }
        }
    }

    fn tags(&mut self, field: &Field<'d>) -> Option<Condition> {
        let tags = self.reader.strings(field)?;
        for tag in &tags {
            self.tag_is_set(tag);
        }
        Some(Condition::Tag(owned(&tags)))
    }

    fn hours(&mut self, field: &Field<'d>) -> Option<Condition> {
        let text = self.reader.string(field)?;
        match text.value {
            "open" => Some(Condition::Open(true)),
            "closed" => Some(Condition::Open(false)),
            _ => {
                let message = "`hours` is `\"open\"` or `\"closed\"`";
                let error = Diagnostic::error(codes::VALUE, text.span, message);
                self.reader.report(error);
                None
            }
        }
    }

    fn languages(&mut self, field: &Field<'d>) -> Option<Condition> {
        let tags = self.reader.strings(field)?;
        let wrong = tags
            .iter()
            .filter(|tag| !language_tag(self.reader, tag))
            .count();
        (wrong == 0).then(|| Condition::Language(owned(&tags)))
    }

    fn countries(&mut self, field: &Field<'d>) -> Option<Condition> {
        let codes_read = self.reader.strings(field)?;
        let mut valid = true;
        for code in &codes_read {
            if !country::is_known(code.value) {
                valid = false;
                let message = "there is no such country";
                let help = "write two capital letters, like `\"US\"` or `\"ES\"`";
                self.reader.error(codes::VALUE, &code.span, message, help);
            }
        }
        valid.then(|| Condition::Country(owned(&codes_read)))
    }

    /// `{ name = "value" }`, `{ name = ["one", "two"] }` or `{ name = true }`.
    fn fields(&mut self, field: &Field<'d>) -> Option<Condition> {
        if !field.is_table() {
            let expected = "a table with the name of the field: `{ size = \"large\" }`";
            return self.reader.wrong_type(field, expected);
        }
        let entries = field.entries();
        let parts = read_each(&entries, |entry| {
            self.field_is_set(entry);
            if !entry.is_boolean() {
                let values = self.reader.phrases(entry)?;
                return Some(Condition::Field(entry.name.to_owned(), values));
            }
            let is_set = Condition::Field(entry.name.to_owned(), Vec::new());
            Some(if self.reader.boolean(entry)? {
                is_set
            } else {
                Condition::Not(Box::new(is_set))
            })
        });
        if entries.is_empty() {
            let message = "`field` names no field";
            let help = "write `when.field = { size = \"large\" }`, or `true` for any value";
            return self
                .reader
                .refuse(codes::EMPTY_CONDITION, &field.span, message, help);
        }
        parts.map(conjunction)
    }

    /// Warns of a tag that no rule sets. It is no error: earlier rules may have set it.
    fn tag_is_set(&mut self, tag: &Text<'_>) {
        let Some(tags) = self.known.tags.filter(|tags| !tags.contains(tag.value)) else {
            return;
        };
        let names = tags.iter().map(String::as_str);
        let help = suggest::did_you_mean(tag.value, names)
            .unwrap_or_else(|| format!("a rule sets one with `tag = \"{}\"`", tag.value));
        let message = format!("nothing sets the tag `{}`", tag.value);
        self.reader
            .warn(codes::UNKNOWN_NAME, &tag.span, message, help);
    }

    fn field_is_set(&mut self, entry: &Field<'d>) {
        let Some(fields) = self
            .known
            .fields
            .filter(|fields| !fields.contains(entry.name))
        else {
            return;
        };
        let names = fields.iter().map(String::as_str);
        let help = suggest::did_you_mean(entry.name, names)
            .unwrap_or_else(|| format!("a rule sets one with `set.{} = …`", entry.name));
        let message = format!("nothing sets the field `{}`", entry.name);
        self.reader
            .error(codes::UNKNOWN_NAME, &entry.key, message, help);
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
            let help = format!("give it one of {}", quoted(keys));
            return self
                .reader
                .refuse(codes::EMPTY_CONDITION, &table.span, message, help);
        }
        parts.into_iter().collect::<Option<_>>().map(conjunction)
    }

    fn conditions(&mut self, field: &Field<'d>, sense: Sense) -> Option<Vec<Condition>> {
        let expected = "a list of conditions: `[{ … }, { … }]`";
        let elements = field.elements();
        let elements = elements.or_else(|| self.reader.wrong_type(field, expected))?;
        if elements.is_empty() {
            let message = format!("`{}` is an empty list", field.name);
            let error = Diagnostic::error(codes::EMPTY_CONDITION, field.span.clone(), message);
            self.reader
                .report(error.label("needs a condition in braces"));
            return None;
        }
        read_each(&elements, |element| self.condition(element, sense))
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
        let fields = TEXT_KEYS.iter().filter_map(|key| table.get(key));
        let parts = fields.map(|field| {
            let condition = match field.name {
                "is" => Condition::TextIs,
                "has" => Condition::TextHas,
                "starts" => Condition::TextStarts,
                "like" => Condition::TextLike,
                _ => return self.regexes(&field, sense).map(Condition::TextMatches),
            };
            words::read(self.reader, &field).map(condition)
        });
        let parts = parts.collect();
        self.all_of(parts, &table, &TEXT_KEYS)
    }

    fn regexes(&mut self, field: &Field<'d>, sense: Sense) -> Option<Vec<Regex>> {
        let texts = self.reader.strings(field)?;
        let regexes = read_each(&texts, |text| regex(self.reader, text))?;
        for (text, regex) in texts.iter().zip(&regexes) {
            if has_empty_alternative(text.value) {
                self.reader.report(matches_all(text.span.clone()));
            } else if is_catch_all(regex) {
                self.catch_alls.push(text.span.clone());
            }
        }
        if sense == Sense::Plain {
            let names = regexes.iter().flat_map(|regex| regex.capture_names());
            self.captures.extend(names.flatten().map(str::to_owned));
        }
        Some(regexes)
    }

    fn button(&mut self, field: &Field<'d>, sense: Sense) -> Option<Condition> {
        let texts = self.reader.strings(field)?;
        let ids = texts.iter().map(|text| ButtonPattern::new(text.value));
        let ids: Vec<ButtonPattern> = ids.collect();
        if sense == Sense::Plain {
            let stars = texts.iter().map(|text| text.value.matches('*').count());
            let stars = stars.max().unwrap_or_default();
            self.captures.extend((stars > 0).then(|| "star".to_owned()));
            let numbered = (1..=stars).map(|number| format!("star{number}"));
            self.captures.extend(numbered);
        }
        self.wanted.extend(texts);
        Some(Condition::Button(ids))
    }

    /// `true`, `false`, or the ids of ads.
    fn ad(&mut self, field: &Field<'d>) -> Option<Condition> {
        if field.is_string() || field.elements().is_some() {
            let ids = self.reader.strings(field)?;
            return Some(Condition::Ad(owned(&ids)));
        }
        if !field.is_boolean() {
            let expected = "`true`, `false`, the id of an ad in quotes, or a list of ids";
            return self.reader.wrong_type(field, expected);
        }
        self.reader.boolean(field).map(Condition::FromAd)
    }

    fn kinds(&mut self, field: &Field<'d>) -> Option<Condition> {
        let texts = self.reader.strings(field)?;
        read_each(&texts, |text| self.kind(text)).map(Condition::Type)
    }

    fn kind(&mut self, text: &Text<'_>) -> Option<Kind> {
        let known = Kind::ALL.iter().find(|(name, _)| *name == text.value);
        if known.is_none() {
            let names = Kind::ALL.map(|(name, _)| name);
            let help = kind_meant(text.value)
                .unwrap_or_else(|| format!("the types are {}", quoted(&names)));
            let message = "there is no such type of message";
            self.reader
                .error(codes::MESSAGE_TYPE, &text.span, message, help);
        }
        known.map(|(_, kind)| *kind)
    }
}

/// Whether a pattern matches whatever is written: characters of every kind, and whole sentences.
pub(crate) fn is_catch_all(regex: &Regex) -> bool {
    const TEXTS: [&str; 7] = [
        "a",
        "7",
        "?",
        "é",
        "中",
        "👍",
        "Hello, can I order 2 cakes for tomorrow? We are 12 people, and one of us eats no nuts.",
    ];
    TEXTS.iter().all(|text| regex.is_match(text))
}

/// Whether one of the alternatives of a pattern is nothing: `order|`.
fn has_empty_alternative(pattern: &str) -> bool {
    use regex_syntax::ast::{Ast, parse::Parser};
    let parsed = Parser::new().parse(pattern);
    let is_empty = |ast: &Ast| matches!(ast, Ast::Empty(_));
    matches!(&parsed, Ok(Ast::Alternation(alternation)) if alternation.asts.iter().any(is_empty))
}

/// Warns of a pattern that matches every text.
pub(crate) fn matches_all(span: Range<usize>) -> Diagnostic {
    let message = "this pattern matches every text";
    let help = "write what must be there: `+` in place of `*`, no `|` at the beginning or the end";
    Diagnostic::warning(codes::MATCHES_ALL, span, message)
        .label("nothing in it has to be there")
        .help(help.to_owned())
}

/// Advice for a pattern that cannot be read.
fn pattern_help(message: &str) -> Option<String> {
    let help = if message.contains("look-around") {
        "write what must be there, and exclude the rest with `when.not`"
    } else if message.contains("repetition operator missing") {
        "`*`, `+` and `?` repeat what stands before them: any text is `.*`; a sign itself is `\\*`"
    } else if message.contains("unclosed") || message.contains("unopened") {
        "close every bracket; a bracket that is meant as a sign is written `\\(` or `\\[`"
    } else if message.contains("capture group") {
        "the name of a group has letters, digits and `_`"
    } else {
        return None;
    };
    Some(help.to_owned())
}

/// Warns of a pattern between slashes, which would have to be in the message.
fn slashes(reader: &mut Reader<'_>, text: &Text<'_>) {
    let inside = text
        .value
        .strip_prefix('/')
        .and_then(|rest| rest.rsplit_once('/'));
    let Some((inside, flags)) =
        inside.filter(|(_, flags)| ["", "i", "g", "gi", "ig"].contains(flags))
    else {
        return;
    };
    let flag = if flags.contains('i') { "(?i)" } else { "" };
    let message = "the slashes are a part of this pattern";
    let help = format!("write `'{flag}{inside}'`");
    reader.warn(codes::LOOSE_WORDS, &text.span, message, help);
}

pub(crate) fn regex(reader: &mut Reader<'_>, text: &Text<'_>) -> Option<Regex> {
    // In double quotes TOML makes a backspace of `\b`, which is in no message.
    if text.value.contains('\u{8}') {
        let error = Diagnostic::error(
            codes::REGEX,
            text.span.clone(),
            "the pattern has a backspace in it",
        );
        reader.report(error.help(SINGLE_QUOTES.to_owned()));
        return None;
    }
    let (part, message) = match regex_syntax::parse(text.value) {
        Ok(_) => {
            let mut builder = RegexBuilder::new(text.value);
            if let Ok(regex) = builder.size_limit(REGEX_SIZE_MAX).build() {
                slashes(reader, text);
                return Some(regex);
            }
            (None, "the pattern takes too much memory".to_owned())
        }
        Err(regex_syntax::Error::Parse(error)) => (Some(*error.span()), error.kind().to_string()),
        Err(regex_syntax::Error::Translate(error)) => {
            (Some(*error.span()), error.kind().to_string())
        }
        Err(_) => (None, "cannot be read".to_owned()),
    };
    let span = part.map_or_else(
        || text.span.clone(),
        |part| reader.locate(text, &(part.start.offset..part.end.offset)),
    );
    let error = Diagnostic::error(codes::REGEX, span, "the regular expression cannot be used");
    let help = pattern_help(&message);
    reader.report(error.label(message).help(help));
    None
}

/// A condition that holds when every part does; at least one part.
fn conjunction(mut parts: Vec<Condition>) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        _ => Condition::All(parts),
    }
}

fn owned(texts: &[Text<'_>]) -> Vec<String> {
    texts.iter().map(|text| text.value.to_owned()).collect()
}

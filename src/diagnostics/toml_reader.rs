//! The shape of a rules file: tables, keys and typed values, each with its place in the text.
//!
//! A [`Reader`] never stops at a problem: it reports a diagnostic and returns `None`, so that one
//! wrong value does not hide the next. The meaning of the keys is unknown here. Next:
//! `mod@crate::rules::compile`.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::optional::read_each;
use super::{Diagnostic, codes, duration, string_literal, suggest};
use crate::text::normalize::Phrase;

/// Words of other programs, each with the key that replyd has for it.
const OTHER_WORDS: [(&str, &str); 45] = [
    ("and", "all"),
    ("answer", "reply"),
    ("begins", "starts"),
    ("body", "text"),
    ("contains", "has"),
    ("contains", "text.has"),
    ("caption", "text"),
    ("condition", "when"),
    ("conditions", "when"),
    ("delay", "after"),
    ("equals", "is"),
    ("fallback", "on_error"),
    ("file", "document"),
    ("has", "text.has"),
    ("goto", "go"),
    ("img", "image"),
    ("if", "when"),
    ("is", "text.is"),
    ("keywords", "has"),
    ("keywords", "text.has"),
    ("label", "title"),
    ("keyword", "has"),
    ("keyword", "text.has"),
    ("matches", "text.matches"),
    ("message", "text"),
    ("name", "id"),
    ("name", "title"),
    ("next", "go"),
    ("options", "buttons"),
    ("options", "choices"),
    ("or", "any"),
    ("pdf", "document"),
    ("photo", "image"),
    ("picture", "image"),
    ("prompt", "ask"),
    ("question", "ask"),
    ("response", "reply"),
    ("regex", "matches"),
    ("regex", "text.matches"),
    ("starts", "text.starts"),
    ("text", "title"),
    ("trigger", "when"),
    ("txt", "text"),
    ("type", "accept"),
    ("url", "link"),
];

/// Keys that have another name now: the old name, the new one. A key that changes gets a line here.
const RENAMED_KEYS: [(&str, &str); 1] = [("settle", "debounce")];

/// Reads values as the types asked for and collects diagnostics.
pub(crate) struct Reader<'t> {
    text: &'t str,
    /// Everything found so far, in no order.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Every text that is written in several languages, with their tags.
    pub(crate) translations: Vec<(Range<usize>, Vec<String>)>,
    /// Token of every form that a reply sends; `None` for one that is known only when it is sent.
    pub(crate) form_tokens: Vec<Option<String>>,
    /// Addresses of calls, with their places.
    pub(crate) calls: Vec<(Range<usize>, String)>,
    /// Rules that lines of tests name, with their places.
    pub(crate) tested_rules: Vec<(Range<usize>, String)>,
    /// Where keys belong that stand in another table.
    places: &'static [(&'static str, Vec<&'static str>)],
}

/// A table of the file.
pub(crate) struct Table<'d> {
    entries: &'d DeTable<'d>,
    /// Where its file begins among all files.
    start: usize,
    /// Its header, its braces, or the key it stands under.
    pub(crate) span: Range<usize>,
    /// Key that was probably meant, for each unknown key.
    unknown: Vec<Option<&'d str>>,
}

/// A key with its value; for an element of a list, the key of the list.
#[derive(Clone)]
pub(crate) struct Field<'d> {
    pub(crate) name: &'d str,
    /// Where it is best underlined.
    pub(crate) span: Range<usize>,
    /// Place of the key, underlined when its name is wrong.
    pub(crate) key: Range<usize>,
    value: &'d DeValue<'d>,
    /// Where its file begins among all files.
    start: usize,
}

/// A string of the file.
#[derive(Clone)]
pub(crate) struct Text<'d> {
    /// Decoded text.
    pub(crate) value: &'d str,
    /// Its literal, quotes included.
    pub(crate) span: Range<usize>,
}

impl<'d> Table<'d> {
    /// Every key with its value, in no order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field<'d>> {
        let entries = self.entries.iter();
        entries.map(|(key, value)| Field::new(key, value, self.start))
    }

    /// Takes a whole file as a table, which begins at this byte of all files together.
    pub(crate) fn root(entries: &'d DeTable<'d>, start: usize) -> Self {
        Self {
            entries,
            start,
            span: start..start,
            unknown: Vec::new(),
        }
    }

    /// Whether there are unknown keys, one of which may be meant as a missing one.
    pub(crate) fn has_unknown(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// Whether an unknown key was probably meant to be this one.
    pub(crate) fn has_misspelt(&self, name: &str) -> bool {
        self.unknown.contains(&Some(name))
    }

    pub(crate) fn get(&self, name: &str) -> Option<Field<'d>> {
        let entry = self.entries.iter().find(|(key, _)| key.get_ref() == name);
        entry.map(|(key, value)| Field::new(key, value, self.start))
    }
}

impl<'d> Field<'d> {
    /// Takes a whole text, which stands at `span` of all files together, as the value of a key.
    pub(crate) fn whole(name: &'d str, value: &'d DeValue<'d>, span: Range<usize>) -> Self {
        Self {
            name,
            key: span.clone(),
            start: span.start,
            span,
            value,
        }
    }

    fn new(key: &'d Spanned<DeString<'d>>, value: &'d Spanned<DeValue<'d>>, start: usize) -> Self {
        Self {
            name: key.get_ref(),
            span: shifted(place(key.span(), value), start),
            key: shifted(key.span(), start),
            value: value.get_ref(),
            start,
        }
    }
}

impl<'d> Field<'d> {
    pub(crate) fn is_string(&self) -> bool {
        self.value.is_str()
    }

    /// The string that the value is, with its place.
    pub(crate) fn as_text(&self) -> Option<Text<'d>> {
        let value = self.value.as_str()?;
        let span = self.span.clone();
        Some(Text { value, span })
    }

    /// The string that the value is.
    pub(crate) fn text(&self) -> Option<&str> {
        self.value.as_str()
    }

    pub(crate) fn is_boolean(&self) -> bool {
        self.value.is_bool()
    }

    /// The keys of a table, as they stand in the file; none when it is something else.
    pub(crate) fn entries(&self) -> Vec<Self> {
        let table = self.value.as_table().into_iter().flatten();
        let entries = table.map(|(key, value)| Field::new(key, value, self.start));
        let mut entries: Vec<Self> = entries.collect();
        // The parser keeps them sorted by name.
        entries.sort_by_key(|entry| entry.key.start);
        entries
    }

    /// A number, `true`, `false` or a date, as JSON.
    pub(crate) fn plain(&self) -> Option<serde_json::Value> {
        match self.value {
            DeValue::Integer(integer) => {
                let number = i64::from_str_radix(integer.as_str(), integer.radix());
                number.ok().map(serde_json::Value::from)
            }
            DeValue::Float(float) => {
                let number: f64 = float.as_str().parse().ok()?;
                Some(serde_json::Value::from(number))
            }
            DeValue::Boolean(boolean) => Some(serde_json::Value::from(*boolean)),
            DeValue::Datetime(time) => Some(serde_json::Value::from(time.to_string())),
            DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// The elements, when the value is a list.
    pub(crate) fn elements(&self) -> Option<Vec<Self>> {
        let array = self.value.as_array()?;
        let elements = array.iter().map(|element| Field {
            name: self.name,
            span: shifted(element.span(), self.start),
            key: shifted(element.span(), self.start),
            value: element.get_ref(),
            start: self.start,
        });
        Some(elements.collect())
    }
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            diagnostics: Vec::new(),
            translations: Vec::new(),
            form_tokens: Vec::new(),
            calls: Vec::new(),
            tested_rules: Vec::new(),
            places: &[],
        }
    }

    /// Takes the tables of the language, each with words for where it is and with its keys.
    pub(crate) fn with_places(
        text: &'t str,
        places: &'static [(&'static str, Vec<&'static str>)],
    ) -> Self {
        Self {
            places,
            ..Self::new(text)
        }
    }

    /// Where a key belongs that is unknown in this table.
    fn elsewhere(&self, name: &str) -> Option<String> {
        let places = self.places.iter().filter(|(_, keys)| keys.contains(&name));
        let places: Vec<&str> = places.map(|(place, _)| *place).take(2).collect();
        (!places.is_empty()).then(|| format!("`{name}` belongs {}", places.join(", or ")))
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Notes a text that is written in several languages.
    pub(crate) fn translated(&mut self, span: Range<usize>, tags: Vec<String>) {
        self.translations.push((span, tags));
    }

    /// Takes words or phrases, folded.
    pub(crate) fn phrases(&mut self, field: &Field<'_>) -> Option<Vec<Phrase>> {
        let texts = self.strings(field)?;
        let mut phrases = Vec::with_capacity(texts.len());
        for text in &texts {
            let phrase = Phrase::parse(text.value);
            if phrase.is_none() {
                let message = format!("`{}` has a text without a word in it", field.name);
                let error = Diagnostic::error(codes::EMPTY_CONDITION, text.span.clone(), message);
                self.report(
                    error
                        .label("can never match")
                        .help("words are compared without punctuation".to_owned()),
                );
            }
            if let Some(letter) = phrase.as_ref().and_then(Phrase::lone_letter) {
                let message = format!("`{}` is compared as `{letter}`", text.value);
                let warning = Diagnostic::warning(codes::LONE_LETTER, text.span.clone(), message);
                let help = "words are compared without punctuation; `text.matches` sees all of it";
                self.report(warning.help(help.to_owned()));
            }
            phrases.push(phrase);
        }
        phrases.into_iter().collect()
    }

    /// Takes a table and reports every key in it that is none of `keys`.
    pub(crate) fn table<'d>(
        &mut self,
        field: &Field<'d>,
        keys: &[&'static str],
    ) -> Option<Table<'d>> {
        let Some(entries) = field.value.as_table() else {
            if self.header_begins_at(field.span.start) && field.elements().is_some() {
                let message = format!("there is only one `{}`", field.name);
                let help = "write the line with single brackets: `[…]`";
                return self.refuse(codes::WRONG_TYPE, &field.span, message, help);
            }
            let expected = format!("a table with {}", quoted(keys));
            return self.wrong_type(field, if keys.len() > 6 { "a table" } else { &expected });
        };
        let mut table = Table {
            span: field.span.clone(),
            ..Table::root(entries, field.start)
        };
        self.known_keys(&mut table, keys);
        Some(table)
    }

    /// Reports every key of a table that is none of `keys`.
    pub(crate) fn known_keys(&mut self, table: &mut Table<'_>, keys: &[&'static str]) {
        for (key, _) in table.entries {
            let name: &str = key.get_ref();
            if keys.contains(&name) {
                continue;
            }
            let meant = self.unknown_key(name, shifted(key.span(), table.start), keys);
            table.unknown.push(meant);
        }
    }

    /// Reports a key that is none of `keys`; gives the one that was probably meant.
    pub(crate) fn unknown_key(
        &mut self,
        name: &str,
        span: Range<usize>,
        keys: &[&'static str],
    ) -> Option<&'static str> {
        let mut renamed = RENAMED_KEYS.iter();
        let renamed = renamed.find(|(old, new)| *old == name && keys.contains(new));
        if let Some((_, new)) = renamed {
            let error =
                Diagnostic::error(codes::UNKNOWN_KEY, span, format!("unknown key `{name}`"))
                    .label(format!("is called `{new}` now"));
            self.report(error.help(format!("the key was renamed: write `{new}`")));
            return Some(*new);
        }
        let other = OTHER_WORDS.iter().find(|(word, meant)| {
            let first = meant.split('.').next().unwrap_or(meant);
            *word == name && keys.contains(&first)
        });
        let elsewhere = self.elsewhere(name);
        let is_plural = |key: &&&str| {
            key.strip_suffix('s') == Some(name) || name.strip_suffix('s') == Some(key)
        };
        let meant = other.map(|(_, meant)| *meant);
        let meant = meant.or_else(|| keys.iter().find(is_plural).copied());
        let meant = meant.or_else(|| {
            let is_close = elsewhere.is_none();
            is_close.then(|| suggest::closest(name, keys.iter().copied()))?
        });
        let help = match (meant, elsewhere) {
            (Some(name), _) => format!("did you mean `{name}`?"),
            (None, Some(help)) => help,
            (None, None) => format!("the keys here are {}", quoted(keys)),
        };
        let error = Diagnostic::error(codes::UNKNOWN_KEY, span, format!("unknown key `{name}`"));
        self.report(error.label("not known here").help(help));
        meant
    }

    /// Finds a key that must be there, and reports it when it is not.
    pub(crate) fn required<'d>(&mut self, table: &Table<'d>, name: &str) -> Option<Field<'d>> {
        let field = table.get(name);
        if field.is_none() && !table.has_misspelt(name) {
            self.report(
                Diagnostic::error(
                    codes::MISSING_KEY,
                    table.span.clone(),
                    format!("the key `{name}` is missing"),
                )
                .label(format!("needs `{name} = …`")),
            );
        }
        field
    }

    pub(crate) fn string<'d>(&mut self, field: &Field<'d>) -> Option<Text<'d>> {
        let value = field.value.as_str();
        let value = value.or_else(|| self.wrong_type(field, "a text in quotes"))?;
        let span = field.span.clone();
        Some(Text { value, span })
    }

    /// Takes a string that must be there.
    pub(crate) fn required_string<'d>(
        &mut self,
        table: &Table<'d>,
        name: &str,
    ) -> Option<Text<'d>> {
        let field = self.required(table, name)?;
        self.string(&field)
    }

    /// Takes a string, or a list of at least one.
    pub(crate) fn strings<'d>(&mut self, field: &Field<'d>) -> Option<Vec<Text<'d>>> {
        let texts = self.any_strings(field)?;
        if texts.is_empty() {
            self.report(
                Diagnostic::error(
                    codes::EMPTY_CONDITION,
                    field.span.clone(),
                    format!("`{}` is an empty list", field.name),
                )
                .label("nothing in it can ever match"),
            );
            return None;
        }
        Some(texts)
    }

    /// Takes a string, or a list of as many as there are.
    pub(crate) fn any_strings<'d>(&mut self, field: &Field<'d>) -> Option<Vec<Text<'d>>> {
        let Some(elements) = field.elements() else {
            if field.is_string() {
                return self.string(field).map(|text| vec![text]);
            }
            return self.wrong_type(field, "a text in quotes or a list of them");
        };
        read_each(&elements, |element| self.string(element))
    }

    /// Takes the elements of a list.
    pub(crate) fn list<'d>(&mut self, field: &Field<'d>) -> Option<Vec<Field<'d>>> {
        let elements = field.elements();
        elements.or_else(|| self.wrong_type(field, "a list in square brackets"))
    }

    /// Takes the tables of an array; none when the value is something else, which is reported.
    pub(crate) fn tables<'d>(&mut self, field: &Field<'d>, expected: &str) -> Vec<Field<'d>> {
        field.elements().unwrap_or_else(|| {
            self.wrong_type::<()>(field, expected);
            Vec::new()
        })
    }

    pub(crate) fn boolean(&mut self, field: &Field<'_>) -> Option<bool> {
        let value = field.value.as_bool();
        value.or_else(|| self.wrong_type(field, "`true` or `false`"))
    }

    /// Takes a whole number within a range.
    pub(crate) fn number(&mut self, field: &Field<'_>, range: &RangeInclusive<u32>) -> Option<u32> {
        let Some(integer) = field.value.as_integer() else {
            let (least, most) = (range.start(), range.end());
            let expected = if *most == u32::MAX {
                "a whole number".to_owned()
            } else {
                format!("a whole number from {least} to {most}")
            };
            return self.wrong_type(field, &expected);
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| range.contains(number));
        if number.is_none() {
            self.report(
                Diagnostic::error(
                    codes::VALUE,
                    field.span.clone(),
                    format!("the number for `{}` is out of range", field.name),
                )
                .label(format!("takes {} to {}", range.start(), range.end())),
            );
        }
        number
    }

    pub(crate) fn decimal(&mut self, field: &Field<'_>) -> Option<f64> {
        let number = match field.value {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(integer) => integer.as_str().parse().ok(),
            _ => None,
        };
        number.or_else(|| self.wrong_type(field, "a number"))
    }

    /// Takes a length of time like `"15m"`.
    pub(crate) fn duration(&mut self, field: &Field<'_>) -> Option<Duration> {
        if !field.is_string() {
            return self.wrong_type(field, "a length of time in quotes, like `\"15m\"`");
        }
        let duration = duration::parse(self.string(field)?.value);
        if duration.is_none() {
            self.report(
                Diagnostic::error(
                    codes::DURATION,
                    field.span.clone(),
                    format!("`{}` is not a length of time", field.name),
                )
                .label("a number and a unit, from one second to ten years")
                .help("write it like `\"30s\"`, `\"15m\"`, `\"12h\"` or `\"2d\"`".to_owned()),
            );
        }
        duration
    }

    /// Reports an error with advice. Returns `None`, the value of a key that is wrong.
    pub(crate) fn refuse<T>(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.error(code, span, message, help);
        None
    }

    /// Reports an error with advice.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let error = Diagnostic::error(code, span.clone(), message);
        self.report(error.help(help.into()));
    }

    /// Reports a warning with advice.
    pub(crate) fn warn(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let warning = Diagnostic::warning(code, span.clone(), message);
        self.report(warning.help(help.into()));
    }

    /// Reports a value of the wrong type; `expected` names the right one. Returns `None`.
    pub(crate) fn wrong_type<T>(&mut self, field: &Field<'_>, expected: &str) -> Option<T> {
        let wrong = match field.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        // The value itself is right when it is written as another type. It is not repeated: it may
        // be a secret.
        let is_bare = field.text().map(str::trim).is_some_and(|text| {
            let is_number = expected.contains("number") && text.parse::<f64>().is_ok();
            is_number || expected.contains("`true`") && ["true", "false"].contains(&text)
        });
        let is_quoted = expected.starts_with("a text in quotes") && field.plain().is_some();
        let help = match (is_bare, is_quoted) {
            (true, _) => Some("write it without quotes".to_owned()),
            (false, true) => Some("put it in quotes".to_owned()),
            (false, false) => None,
        };
        let error = Diagnostic::error(
            codes::WRONG_TYPE,
            field.span.clone(),
            format!("`{}` takes {expected}", field.name),
        );
        self.report(error.label(format!("this is {wrong}")).help(help));
        None
    }

    /// Whether a header begins at a byte of all files together.
    pub(crate) fn header_begins_at(&self, at: usize) -> bool {
        let before = self.text[..self.text.floor_char_boundary(at)]
            .chars()
            .next_back();
        self.text[at..].starts_with('[') && before.is_none_or(|character| character == '\n')
    }

    /// Finds the place of a part of a string in the file; if that is not exact, that of the whole
    /// literal.
    pub(crate) fn locate(&self, text: &Text<'_>, part: &Range<usize>) -> Range<usize> {
        self.text
            .get(text.span.clone())
            .and_then(|raw| string_literal::locate(raw, text.value, part))
            .map_or_else(
                || text.span.clone(),
                |part| text.span.start + part.start..text.span.start + part.end,
            )
    }
}

/// Where a key with its value is best underlined: at the value, but at the key when the value is a
/// table that is spread over lines of its own.
fn place(key: Range<usize>, value: &Spanned<DeValue<'_>>) -> Range<usize> {
    let span = value.span();
    // The span of a header starts before its key, that of an inline value behind it.
    if value.get_ref().is_table() && span.start <= key.start {
        key
    } else {
        span
    }
}

/// From bytes of one file to bytes of all files together.
pub(crate) fn shifted(span: Range<usize>, start: usize) -> Range<usize> {
    span.start + start..span.end + start
}

/// Names in backticks with commas between.
pub(crate) fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

//! Three layers of settings, each with the place it came from: built-in, file, environment.
//!
//! Knows TOML and names, not which keys there are: that is for [`super::sections`], through
//! [`super::reader::Reader`].

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Origin, Problem};

/// Begins the name of every environment variable that sets a key. Two underscores, so that secrets
/// named by `{ env = "REPLYD_APP_SECRET" }` are not taken for settings.
const PREFIX: &str = "REPLYD__";

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What a setting may hold.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    Array(Vec<Entry>),
    Table(BTreeMap<String, Entry>),
    /// From the environment, where nothing says whether `123` is a number or a text: the key
    /// decides.
    Written(String),
    /// No key takes it; the word says what it is.
    Other(&'static str),
}

impl Value {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Written(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// Settings by dotted path (`server.listen`); of all layers, the last that names a key holds.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) settings: BTreeMap<String, Entry>,
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    /// Lays a TOML text over what is there.
    pub(super) fn add_toml(&mut self, text: &str, origin: impl Fn(usize) -> Origin) {
        let at = |offset: usize| origin(line_of(text, offset));
        let (document, errors) = DeTable::parse_recoverable(text);
        self.problems.extend(errors.iter().map(|error| Problem {
            origin: at(error.span().map_or(0, |span| span.start)),
            key: None,
            message: format!("not valid TOML: {}", error.message()),
        }));
        for (section, value) in document.get_ref() {
            let section_origin = at(section.span().start);
            let section = section.get_ref();
            if let DeValue::Table(keys) = value.get_ref()
                && !keys.is_empty()
            {
                for (key, value) in keys {
                    let path = format!("{section}.{}", key.get_ref());
                    self.settings.insert(path, entry(value, &at));
                }
            } else if !value.get_ref().is_table() || !self.has_section(section) {
                let mut entry = entry(value, &at);
                entry.origin = section_origin;
                self.settings.insert(section.to_string(), entry);
            }
        }
    }

    /// Lays the variables `REPLYD__SECTION__KEY` over what is there; others are passed over.
    pub(super) fn add_environment(&mut self, environment: &[(String, String)]) {
        for (variable, written) in environment {
            if let Some(path) = variable.strip_prefix(PREFIX) {
                let entry = Entry {
                    value: Value::Written(written.clone()),
                    origin: Origin::Environment(variable.clone()),
                };
                let path = path.to_lowercase().replace("__", ".");
                self.settings.insert(path, entry);
            }
        }
    }

    fn has_section(&self, section: &str) -> bool {
        self.settings
            .keys()
            .any(|path| path.split_once('.').is_some_and(|(of, _)| of == section))
    }
}

/// An [`Origin::File`] for each line of the file of this name.
pub(super) fn in_file(name: &str) -> impl Fn(usize) -> Origin {
    let name: Arc<str> = name.into();
    move |line| Origin::File {
        name: Arc::clone(&name),
        line,
    }
}

/// Reads the value of an environment variable as TOML; `None` when it is no TOML value.
pub(super) fn read_written(written: &str, origin: &Origin) -> Option<Value> {
    let value = DeValue::parse(written).ok()?;
    Some(entry(&value, &|_| origin.clone()).value)
}

fn entry(value: &Spanned<DeValue<'_>>, at: &impl Fn(usize) -> Origin) -> Entry {
    let origin = at(value.span().start);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number beyond 64 bits"), Value::Integer),
        DeValue::Array(elements) => {
            Value::Array(elements.iter().map(|element| entry(element, at)).collect())
        }
        DeValue::Table(keys) => Value::Table(
            keys.iter()
                .map(|(key, value)| (key.get_ref().to_string(), entry(value, at)))
                .collect(),
        ),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Entry { value, origin }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.split(|byte| *byte == b'\n').count()
}

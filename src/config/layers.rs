//! Three layers of settings: built-in default, the owner's file, environment variables.
//!
//! Parses all of them into one numbering of bytes, so that a diagnostic can point into any layer.
//! Knows names and places, not which keys there are: that is for [`super::sections`], through
//! [`super::reader::Reader`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use toml::de::DeValue;

use super::redaction::redacted;
use crate::diagnostics::sources::SourceMap;
use crate::diagnostics::syntax::{Parsed, parse};
use crate::diagnostics::toml_reader::{Field, Table};

/// Layer 0: every key with its built-in value and what it means.
pub const DEFAULT: &str = include_str!("default.toml");

/// Where layers 1 and 2 come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The owner's file: its name as shown in messages, whose folder relative paths start at, and
    /// its text.
    pub file: Option<(PathBuf, String)>,
    /// Names and values; those that no key and no secret names are passed over.
    pub environment: Vec<(String, String)>,
}

/// Begins the name of every environment variable that sets a key. Two underscores, so that secrets
/// named by `{ env = "REPLYD_APP_SECRET" }` are not taken for settings.
const PREFIX: &str = "REPLYD__";

/// The layers after the parser.
pub(super) struct Layers<'d> {
    /// The owner's file with its secrets blotted out; the other layers are hidden.
    pub(super) places: SourceMap,
    file: Option<Parsed<'d>>,
    variables: Vec<Variable<'d>>,
    default: Parsed<'d>,
    pub(super) built_in: Range<usize>,
}

/// A variable `REPLYD__SECTION__KEY`.
struct Variable<'d> {
    path: String,
    /// Value as TOML, when it is TOML.
    value: Option<DeValue<'d>>,
    /// Value as it was written.
    raw: DeValue<'d>,
    place: Range<usize>,
}

/// A value with its place.
#[derive(Clone)]
pub(super) struct Setting<'d> {
    pub(super) field: Field<'d>,
    /// Value of an environment variable as it was written: nothing in it tells whether `123` is a
    /// number or a text, so the key decides.
    pub(super) raw: Option<Field<'d>>,
}

impl<'d> Setting<'d> {
    /// Takes the value as a text; another type only when it cannot be one.
    pub(super) fn into_text(self) -> Field<'d> {
        match self.raw {
            Some(raw) if !self.field.is_string() => raw,
            _ => self.field,
        }
    }
}

/// Settings by dotted path (`server.listen`), and whole sections by name. Of all layers, the last
/// that names a key holds.
pub(super) type Settings<'d> = BTreeMap<String, Setting<'d>>;

impl<'d> Layers<'d> {
    pub(super) fn parse(sources: &'d Sources) -> Self {
        let mut places = SourceMap::default();
        let file = sources.file.as_ref().map(|(name, text)| {
            let parsed = parse(0, text);
            let shown = redacted(text, &Table::root(parsed.0.get_ref(), 0));
            places.add(name.to_string_lossy(), &shown);
            parsed
        });
        let mut variables = Vec::new();
        for (name, written) in &sources.environment {
            let Some(path) = name.strip_prefix(PREFIX) else {
                continue;
            };
            variables.push(Variable {
                path: path.to_lowercase().replace("__", "."),
                value: DeValue::parse(written).ok().map(toml::Spanned::into_inner),
                raw: DeValue::String(written.as_str().into()),
                place: places.add_hidden(format!("environment {name}"), written.len()),
            });
        }
        let built_in = places.add_hidden("built-in default", DEFAULT.len());
        Self {
            places,
            file,
            variables,
            default: parse(built_in.start, DEFAULT),
            built_in,
        }
    }

    /// The top of the owner's file.
    pub(super) fn file(&self) -> Option<Table<'_>> {
        let (document, _) = self.file.as_ref()?;
        Some(Table::root(document.get_ref(), 0))
    }

    /// Places in the owner's file that are not TOML, as diagnostics.
    pub(super) fn syntax_errors(&self) -> Vec<crate::diagnostics::Diagnostic> {
        let errors = self.file.iter().flat_map(|(_, errors)| errors);
        let text = self.places.text();
        errors.map(|error| error.diagnostic(text)).collect()
    }

    /// Lays the layers over each other.
    pub(super) fn settings(&self) -> Settings<'_> {
        let default = Table::root(self.default.0.get_ref(), self.built_in.start);
        let mut settings = Settings::new();
        for table in [Some(default), self.file()].into_iter().flatten() {
            for section in table.fields() {
                for field in section.entries() {
                    let path = format!("{}.{}", section.name, field.name);
                    settings.insert(path, Setting { field, raw: None });
                }
                let name = section.name.to_owned();
                let field = section;
                settings.insert(name, Setting { field, raw: None });
            }
        }
        for variable in &self.variables {
            let field = |value| Field::whole(&variable.path, value, variable.place.clone());
            let setting = Setting {
                field: field(variable.value.as_ref().unwrap_or(&variable.raw)),
                raw: Some(field(&variable.raw)),
            };
            settings.insert(variable.path.clone(), setting);
        }
        settings
    }
}

//! Reads secrets and refuses texts that cannot be one.
//!
//! A blank or a byte-order mark around a secret comes from an editor or a copied line end; no
//! signature would ever match, without a visible reason. The diagnostic names key and place, never
//! the value.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;

use secrecy::SecretString;

use super::layers::Setting;
use super::reader::Reader;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::read_each;
use crate::diagnostics::toml_reader::Field;

/// Text of a secret before its checks.
struct Raw {
    text: String,
    /// Where it stands, as the beginning of a sentence about it: `in file `x` `, or nothing for the
    /// key itself.
    place: String,
    /// Message when the text is empty.
    missing: String,
}

impl Reader<'_> {
    pub(super) fn secret(&mut self, key: &'static str) -> Option<(SecretString, Range<usize>)> {
        let field = secret_field(self.take(key)?);
        self.secret_of(key, &field)
    }

    /// Takes a list of secrets, at least one; a single one may stand without brackets.
    pub(super) fn secrets(&mut self, key: &'static str) -> Option<Vec<SecretString>> {
        let field = secret_field(self.take(key)?);
        let elements = field.elements().unwrap_or_else(|| vec![field.clone()]);
        if elements.is_empty() {
            return self.refuse(
                key,
                &field.span,
                "is empty: unsigned webhooks are never accepted; set REPLYD_APP_SECRET or \
                 webhook.app_secrets to your Meta app's secret",
            );
        }
        read_each(&elements, |element| {
            let (secret, _) = self.secret_of(key, element)?;
            Some(secret)
        })
    }

    /// Reads `"text"`, `{ env = "NAME" }` or `{ file = "path" }`; an empty secret is a missing one.
    pub(super) fn secret_of(
        &mut self,
        key: &str,
        field: &Field<'_>,
    ) -> Option<(SecretString, Range<usize>)> {
        let raw = if let Some(text) = field.text() {
            self.literal(key, field, text)
        } else if field.is_table() {
            self.sourced(key, field)?
        } else {
            let expected = r#"a text in quotes, `{ env = "NAME" }` or `{ file = "path" }`"#;
            return self.toml.wrong_type(field, expected);
        };
        self.checked(key, &field.span, raw)
    }

    /// Takes the secret of an environment variable that the built-in default names.
    pub(super) fn default_secret(
        &mut self,
        key: &str,
        variable: &str,
    ) -> Option<(SecretString, Range<usize>)> {
        let raw = self.variable(key, variable);
        let built_in = self.layers.built_in.clone();
        self.checked(key, &built_in, raw)
    }

    fn checked(
        &mut self,
        key: &str,
        span: &Range<usize>,
        raw: Raw,
    ) -> Option<(SecretString, Range<usize>)> {
        if raw.text.is_empty() {
            let message = format!("`{key}` {}", raw.missing);
            let error = Diagnostic::error(codes::MISSING_KEY, span.clone(), message);
            self.missing.push((key.to_owned(), error));
            return None;
        }
        if let Some(fault) = fault(&raw.text) {
            return self.refuse(key, span, format!("{}{fault}", raw.place));
        }
        Some((raw.text.into(), span.clone()))
    }

    fn literal(&mut self, key: &str, field: &Field<'_>, text: &str) -> Raw {
        let places = &self.layers.places;
        if !text.is_empty() && places.hidden(&field.span).is_none() {
            let (name, _, _) = places.locate(&field.span);
            self.secret_places.config = Some(PathBuf::from(name));
        }
        Raw {
            text: text.to_owned(),
            place: String::new(),
            missing: format!("is empty: set {key}"),
        }
    }

    /// The text behind `{ env }` or `{ file }`.
    fn sourced(&mut self, key: &str, field: &Field<'_>) -> Option<Raw> {
        let entries = field.entries();
        let [source] = entries.as_slice() else {
            return self.refuse(key, &field.span, "must name either `env` or `file`");
        };
        let kind = source.name;
        let name = self.toml.string(source)?.value;
        match kind {
            "env" => Some(self.variable(key, name)),
            "file" => self.secret_file(key, &source.span, name),
            _ => self.refuse(
                key,
                &source.key,
                format!("takes `env` or `file`, not `{kind}`"),
            ),
        }
    }

    fn variable(&self, key: &str, name: &str) -> Raw {
        let mut variables = self.environment.iter();
        let value = variables.find(|(variable, _)| variable == name);
        let missing = match value {
            None => format!("is not set: set {name} or {key}"),
            Some(_) => format!("is empty in environment variable {name}: set {name} or {key}"),
        };
        Raw {
            text: value.map(|(_, value)| value.clone()).unwrap_or_default(),
            place: format!("in environment variable {name} "),
            missing,
        }
    }

    fn secret_file(&mut self, key: &str, span: &Range<usize>, name: &str) -> Option<Raw> {
        let path = self.folder.join(name);
        match (self.read_file)(&path) {
            Ok(text) => {
                self.secret_places.files.push(path);
                // Editors end a file with a line end.
                let line = text.strip_suffix('\n').unwrap_or(&text);
                let line = line.strip_suffix('\r').unwrap_or(line);
                Some(Raw {
                    text: line.to_owned(),
                    place: format!("in file `{name}` "),
                    missing: format!("is empty in file `{name}`"),
                })
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => self.refuse(
                key,
                span,
                format!("in file `{name}` is not UTF-8: save the file as plain text"),
            ),
            Err(error) => {
                let message = format!("cannot be read from file `{name}`: {error}");
                self.refuse(key, span, message)
            }
        }
    }
}

/// Reason why a text cannot be a secret, with advice and without the text.
fn fault(text: &str) -> Option<&'static str> {
    // A signature made with blanks fits nothing of Meta's, and one made with a mark looks right in
    // every editor.
    if text
        .chars()
        .all(|character| character.is_whitespace() || character == BYTE_ORDER_MARK)
    {
        return Some("holds only blanks: set it to the secret");
    }
    if text.contains(BYTE_ORDER_MARK) {
        return Some("holds a byte-order mark: save it as UTF-8 without one");
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Some("is not UTF-8: set it as plain text");
    }
    if text.trim() != text {
        return Some("begins or ends with a blank or a line end: set it without");
    }
    // Keys and tokens travel in HTTP headers and queries, where a line break would be someone's
    // mistake.
    if text.chars().any(char::is_control) {
        return Some("holds a line break or another control character: set it without");
    }
    if text.chars().any(is_invisible) {
        return Some("holds an invisible character, such as a zero-width space: type it anew");
    }
    None
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Format characters that come along when a text is copied from a page or a chat.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
    )
}

/// Takes the value of a secret: one in an environment variable may be a TOML text, table or list;
/// anything else is the secret itself.
fn secret_field(setting: Setting<'_>) -> Field<'_> {
    let has_parts = setting.field.is_table() || setting.field.elements().is_some();
    if has_parts {
        setting.field
    } else {
        setting.into_text()
    }
}

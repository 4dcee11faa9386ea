//! Secrets: where they are read from, and what no secret is.
//!
//! A blank or a byte-order mark around a secret is somebody's editor or a copied line end: the
//! signature would never fit and nobody would see why. So it is refused here, with the key and the
//! place, and never with the value.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use secrecy::SecretString;

use super::layers::{Entry, Value, read_written};
use super::problem::Origin;
use super::reader::Reader;

/// Where the secrets of a configuration stand on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretPlaces {
    /// Files that hold one secret each.
    pub files: Vec<PathBuf>,
    /// The configuration file, when a secret stands in it.
    pub config: Option<PathBuf>,
}

/// What was read, before it is looked at.
struct Raw {
    text: String,
    /// Where it stands, as the beginning of a sentence about it: `in file `x` `, or nothing for the
    /// key itself.
    place: String,
    /// What to say when it is empty.
    missing: String,
}

impl Reader<'_> {
    /// Takes a secret.
    pub(super) fn secret(&mut self, key: &str) -> Option<(SecretString, Origin)> {
        let entry = self.take(key)?;
        let entry = written_secret(entry);
        self.secret_of(key, entry)
    }

    /// Takes a list of secrets, at least one; a single one may stand without brackets.
    pub(super) fn secrets(&mut self, key: &str) -> Option<Vec<SecretString>> {
        let Entry { value, origin } = written_secret(self.take(key)?);
        let elements = match value {
            Value::Array(elements) => elements,
            value => vec![Entry {
                value,
                origin: origin.clone(),
            }],
        };
        if elements.is_empty() {
            return self.refuse(
                key,
                &origin,
                "is empty: unsigned webhooks are never accepted; set REPLYD_APP_SECRET or \
                 webhook.app_secrets to your Meta app's secret",
            );
        }
        // All of them first: `None` from one must not hide what is wrong with the next.
        let secrets: Vec<_> = elements
            .into_iter()
            .map(|element| self.secret_of(key, element))
            .collect();
        secrets
            .into_iter()
            .map(|secret| secret.map(|(secret, _)| secret))
            .collect()
    }

    /// Reads `"text"`, `{ env = "NAME" }` or `{ file = "path" }`; an empty secret is a missing one.
    pub(super) fn secret_of(&mut self, key: &str, entry: Entry) -> Option<(SecretString, Origin)> {
        let Entry { value, origin } = entry;
        let raw = match value {
            Value::Text(text) => self.literal(key, &origin, text),
            Value::Table(source) => self.sourced(key, &origin, source)?,
            other => {
                let message = format!(
                    r#"must be "text", {{ env = "NAME" }} or {{ file = "path" }}, not {}"#,
                    other.kind()
                );
                return self.refuse(key, &origin, message);
            }
        };
        if raw.text.is_empty() {
            return self.refuse(key, &origin, raw.missing);
        }
        if let Some(fault) = fault(&raw.text) {
            return self.refuse(key, &origin, format!("{}{fault}", raw.place));
        }
        Some((raw.text.into(), origin))
    }

    fn literal(&mut self, key: &str, origin: &Origin, text: String) -> Raw {
        if let Origin::File { name, .. } = origin
            && !text.is_empty()
        {
            self.found.config = Some(PathBuf::from(&**name));
        }
        Raw {
            text,
            place: String::new(),
            missing: format!("is empty: set {key}"),
        }
    }

    /// The text behind `{ env }` or `{ file }`.
    fn sourced(
        &mut self,
        key: &str,
        origin: &Origin,
        source: BTreeMap<String, Entry>,
    ) -> Option<Raw> {
        let mut parts = source.into_iter();
        let (Some((kind, entry)), None) = (parts.next(), parts.next()) else {
            return self.refuse(key, origin, r"must name either `env` or `file`");
        };
        let (name, _) = self.text_of(&format!("{key}.{kind}"), entry)?;
        match kind.as_str() {
            "env" => Some(self.variable(key, &name)),
            "file" => self.secret_file(key, origin, &name),
            _ => self.refuse(key, origin, format!(r"takes `env` or `file`, not `{kind}`")),
        }
    }

    fn variable(&self, key: &str, name: &str) -> Raw {
        let mut variables = self.environment.iter();
        let found = variables.find(|(variable, _)| variable == name);
        let missing = match found {
            None => format!("is not set: set {name} or {key}"),
            Some(_) => format!("is empty in environment variable {name}: set {name} or {key}"),
        };
        Raw {
            text: found.map(|(_, value)| value.clone()).unwrap_or_default(),
            place: format!("in environment variable {name} "),
            missing,
        }
    }

    fn secret_file(&mut self, key: &str, origin: &Origin, name: &str) -> Option<Raw> {
        let path = self.folder.join(name);
        match (self.read_file)(&path) {
            Ok(text) => {
                self.found.files.push(path);
                // One line end is what editors put at the end of a file.
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
                origin,
                format!("in file `{name}` is not UTF-8: save the file as plain text"),
            ),
            Err(error) => {
                let message = format!("cannot be read from file `{name}`: {error}");
                self.refuse(key, origin, message)
            }
        }
    }
}

/// What makes a text no secret, with what to do; never with the text.
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
        return Some(
            "holds a character that nobody sees, such as a zero-width space: type it anew",
        );
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

/// A secret in the environment may be a TOML table or list; anything else is the secret itself.
fn written_secret(entry: Entry) -> Entry {
    let Entry { value, origin } = entry;
    let value = match value {
        Value::Written(written) => match read_written(&written, &origin) {
            Some(value @ (Value::Text(_) | Value::Table(_) | Value::Array(_))) => value,
            _ => Value::Text(written),
        },
        value => value,
    };
    Entry { value, origin }
}

//! Takes settings out of the layers as types, and gathers every problem on the way.
//!
//! Each method answers `None` after it has noted a problem, so that a caller can go on to the next key and
//! the owner sees everything at once.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::layers::{Entry, Layers, Value, read_written};
use super::problem::{Origin, Problem};

/// Reads a file for `{ file = "…" }`.
pub(super) type ReadFile<'a> = dyn Fn(&Path) -> io::Result<String> + 'a;

/// The layers while they are being read.
pub(super) struct Reader<'a> {
    pub(super) layers: Layers,
    /// Every path that was asked for: what is left over is unknown.
    pub(super) known: Vec<String>,
    /// Where relative paths start.
    pub(super) folder: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    pub(super) read_file: &'a ReadFile<'a>,
}

impl Reader<'_> {
    /// Notes a problem.
    pub(super) fn refuse<T>(
        &mut self,
        key: &str,
        origin: &Origin,
        message: impl Into<String>,
    ) -> Option<T> {
        self.layers.problems.push(Problem {
            origin: origin.clone(),
            key: Some(key.to_owned()),
            message: message.into(),
        });
        None
    }

    /// Takes a setting out, as it was written.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry> {
        self.known.push(key.to_owned());
        self.layers.settings.remove(key)
    }

    /// Takes a text; one that no layer holds is no problem.
    pub(super) fn text(&mut self, key: &str) -> Option<(String, Origin)> {
        let entry = self.take(key)?;
        self.text_of(key, entry)
    }

    fn text_of(&mut self, key: &str, entry: Entry) -> Option<(String, Origin)> {
        let Entry { value, origin } = entry;
        match value {
            Value::Text(text) => Some((text, origin)),
            Value::Written(written) => match read_written(&written, &origin) {
                Some(Value::Text(text)) => Some((text, origin)),
                _ => Some((written, origin)),
            },
            other => self.refuse(
                key,
                &origin,
                format!("must be a text, not {}", other.kind()),
            ),
        }
    }

    /// Takes a whole number within `range`.
    pub(super) fn integer(&mut self, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let Entry { value, origin } = self.take(key)?;
        let value = match value {
            Value::Written(written) => {
                read_written(&written, &origin).unwrap_or(Value::Text(written))
            }
            value => value,
        };
        let number = match value {
            Value::Integer(number) => u32::try_from(number).ok(),
            other => {
                let message = format!("must be a whole number, not {}", other.kind());
                return self.refuse(key, &origin, message);
            }
        };
        match number.filter(|number| range.contains(number)) {
            None => {
                let message = format!("must be from {} to {}", range.start(), range.end());
                self.refuse(key, &origin, message)
            }
            number => number,
        }
    }

    /// Takes a length of time such as `"30s"`, with its origin for cross-checks.
    pub(super) fn duration(&mut self, key: &str) -> Option<(Duration, Origin)> {
        let Entry { value, origin } = self.take(key)?;
        let text = match value {
            Value::Text(text) | Value::Written(text) => text,
            _ => String::new(),
        };
        let duration = text
            .trim_matches('"')
            .parse::<SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .filter(|duration| !duration.is_zero());
        match duration {
            Some(duration) => Some((duration, origin)),
            None => self.refuse(
                key,
                &origin,
                r#"must be a length of time in quotes, such as "30s", "15m" or "12h""#,
            ),
        }
    }

    /// Takes `true` or `false`, with its origin for cross-checks.
    pub(super) fn flag(&mut self, key: &str) -> Option<(bool, Origin)> {
        let Entry { value, origin } = self.take(key)?;
        let value = match value {
            Value::Written(written) => {
                read_written(&written, &origin).unwrap_or(Value::Text(written))
            }
            value => value,
        };
        match value {
            Value::Flag(flag) => Some((flag, origin)),
            other => {
                let message = format!("must be true or false, not {}", other.kind());
                self.refuse(key, &origin, message)
            }
        }
    }

    /// Takes one of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let (text, origin) = self.text(key)?;
        if let Some((_, choice)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*choice);
        }
        let words: Vec<String> = words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        let message = format!("must be one of {}", words.join(", "));
        self.refuse(key, &origin, message)
    }

    /// Takes a path; a relative one starts at the folder of the configuration file.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let (text, origin) = self.text(key)?;
        if text.is_empty() {
            return self.refuse(key, &origin, "must name a file");
        }
        Some(self.folder.join(text))
    }

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
        let (text, missing) = match value {
            Value::Text(text) => (text, format!("is empty: set {key}")),
            Value::Table(source) => self.sourced(key, &origin, source)?,
            other => {
                let message = format!(
                    r#"must be "text", {{ env = "NAME" }} or {{ file = "path" }}, not {}"#,
                    other.kind()
                );
                return self.refuse(key, &origin, message);
            }
        };
        if text.is_empty() {
            return self.refuse(key, &origin, missing);
        }
        // Keys and tokens travel in HTTP headers and queries, where a line break would be someone's mistake.
        if text.chars().any(char::is_control) {
            return self.refuse(
                key,
                &origin,
                "holds a line break or another control character",
            );
        }
        Some((text.into(), origin))
    }

    /// The text behind `{ env }` or `{ file }`, and what to say when it is empty.
    fn sourced(
        &mut self,
        key: &str,
        origin: &Origin,
        source: BTreeMap<String, Entry>,
    ) -> Option<(String, String)> {
        let mut parts = source.into_iter();
        let (Some((kind, entry)), None) = (parts.next(), parts.next()) else {
            return self.refuse(key, origin, r"must name either `env` or `file`");
        };
        let (name, _) = self.text_of(&format!("{key}.{kind}"), entry)?;
        match kind.as_str() {
            "env" => {
                let value = self
                    .environment
                    .iter()
                    .find(|(variable, _)| *variable == name)
                    .map(|(_, value)| value.clone())
                    .unwrap_or_default();
                Some((value, format!("is not set: set {name} or {key}")))
            }
            "file" => match (self.read_file)(&self.folder.join(&name)) {
                Ok(text) => {
                    let text = text.strip_suffix('\n').unwrap_or(&text);
                    let text = text.strip_suffix('\r').unwrap_or(text);
                    Some((text.to_owned(), format!("is empty in file `{name}`")))
                }
                Err(error) => {
                    let message = format!("cannot be read from file `{name}`: {error}");
                    self.refuse(key, origin, message)
                }
            },
            _ => self.refuse(key, origin, format!(r"takes `env` or `file`, not `{kind}`")),
        }
    }

    /// Notes everything that nobody asked for.
    pub(super) fn refuse_unknown(&mut self) {
        for (path, entry) in std::mem::take(&mut self.layers.settings) {
            let message = unknown(&path, self.known.iter().map(String::as_str));
            self.refuse::<()>(&path, &entry.origin, message);
        }
    }
}

/// The message about a key that does not exist, with the closest one that does.
pub(super) fn unknown<'k>(path: &str, known: impl Iterator<Item = &'k str>) -> String {
    let closest = known
        .map(|candidate| (strsim::jaro_winkler(path, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match closest {
        Some((_, candidate)) => format!("is not a known key; did you mean `{candidate}`?"),
        None => "is not a known key".to_owned(),
    }
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

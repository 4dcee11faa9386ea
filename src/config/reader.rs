//! Takes settings out of the layers as types, and gathers every problem on the way.
//!
//! Each method answers `None` after it has noted a problem, so that a caller can go on to the next
//! key and the owner sees everything at once.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use super::layers::{Entry, Layers, Value, read_written};
use super::problem::{Origin, Problem};
use super::secrets::SecretPlaces;

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
    /// Where secrets were found, for those who look after the rights of files.
    pub(super) found: SecretPlaces,
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

    pub(super) fn text_of(&mut self, key: &str, entry: Entry) -> Option<(String, Origin)> {
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

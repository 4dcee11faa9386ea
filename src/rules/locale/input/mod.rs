//! Reads what people write in answer to a question: dates, times, numbers, addresses.
//!
//! Careful rather than clever: what could be two things is nothing, and the person is asked again.

mod dates;
mod reach;
mod times;

use regex::Regex;

use super::Locale;
use crate::rules::normalise::{self, Folded, Phrase};

pub use reach::{read_email, read_phone};

impl Locale {
    /// Reads a number: `2`, `2,5`, `1.234,56`, `1 000`, or a small one in words. There must be exactly one.
    #[must_use]
    pub fn read_number(&self, text: &str) -> Option<f64> {
        let text = western(text);
        let pattern = number_pattern();
        let mut found = pattern.find_iter(&text);
        match (found.next(), found.next()) {
            (Some(one), None) => self.number_of(one.as_str()),
            (None, _) => self.number_word(&text),
            (Some(_), Some(_)) => None,
        }
    }

    fn number_of(&self, written: &str) -> Option<f64> {
        let compact: String = written
            .chars()
            .filter(|character| !character.is_whitespace() && *character != '\'')
            .collect();
        let (comma, dot) = (compact.rfind(','), compact.rfind('.'));
        let decimal = match (comma, dot) {
            (None, None) => None,
            (Some(comma), Some(dot)) => Some(comma.max(dot)),
            (Some(at), None) => self.decimal_at(&compact, at, self.comma_groups()),
            (None, Some(at)) => self.decimal_at(&compact, at, !self.comma_groups()),
        };
        let mut plain = String::with_capacity(compact.len());
        for (at, character) in compact.char_indices() {
            match character {
                ',' | '.' if Some(at) == decimal => plain.push('.'),
                ',' | '.' => {}
                other => plain.push(other),
            }
        }
        plain.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Whether the only kind of mark in a number parts decimals: not when there are several, nor when it stands where
    /// this language parts thousands.
    #[expect(clippy::unused_self, reason = "it belongs to the language's reading")]
    fn decimal_at(&self, number: &str, at: usize, groups: bool) -> Option<usize> {
        let mark = &number[at..=at];
        if number.matches(mark).count() > 1 {
            return None;
        }
        let thousands = number.len() - at - 1 == 3 && at > 0 && !number.starts_with('0');
        (!(groups && thousands)).then_some(at)
    }

    /// One word that is a number from one to twelve.
    fn number_word(&self, text: &str) -> Option<f64> {
        let folded = Folded::of(text);
        let mut found = None;
        for (index, word) in self.words.numbers.iter().enumerate().rev() {
            if find(&folded, word).is_some() {
                if found.is_some() {
                    return None;
                }
                found = Some(index + 1);
            }
            // "on bir" has "bir" in it.
            if found.is_some() && word.contains(' ') {
                break;
            }
        }
        let number = found.and_then(|number| u8::try_from(number).ok());
        number.map(f64::from)
    }
}

fn number_pattern() -> &'static Regex {
    static PATTERN: std::sync::LazyLock<Regex> = std::sync::LazyLock::new(|| {
        Regex::new(r"[+-]?\d{1,3}(?:[ '\u{a0}\u{202f}]\d{3})+(?:[.,]\d+)?|[+-]?\d+(?:[.,]\d+)*")
            .expect("the pattern is fixed")
    });
    &PATTERN
}

/// The text with the digits of every script as 0 to 9, and full-width signs as plain ones.
fn western(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let digits = |character| normalise::digit(character).unwrap_or(character);
    let text: String = text.nfkc().map(digits).collect();
    // The Arabic marks for decimals and thousands.
    text.replace('\u{66b}', ".").replace('\u{66c}', ",")
}

/// Where a word or phrase stands in a folded text: its first word and the one behind it.
fn find(text: &Folded, phrase: &str) -> Option<(usize, usize)> {
    let phrase = Phrase::parse(phrase)?;
    let length = phrase.words.len();
    let mut windows = text.words().windows(length);
    let start = windows.position(|words| words == phrase.words)?;
    Some((start, start + length))
}

/// The first of some phrases that stands in a text.
fn find_any(text: &Folded, phrases: &[&str]) -> Option<(usize, usize)> {
    phrases.iter().find_map(|phrase| find(text, phrase))
}

#[cfg(test)]
mod tests;

//! Numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::tokens::Mentions;
use super::western;
use crate::text::locale::Locale;

/// Letters behind a number that make it another: `1k`, `2nd`.
const MULTIPLIERS: [&str; 18] = [
    "k", "m", "b", "bn", "mn", "mm", "mio", "mil", "mrd", "tsd", "st", "nd", "rd", "th", "er",
    "lakh", "к", "тыс",
];

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[+-]?\d{1,3}(?:[ '’\u{a0}\u{202f}]\d{3})+(?:[.,]\d+)?|[+-]?\d+(?:[.,]\d+)*|[+-]?[.,]\d+",
    )
    .expect("the pattern is fixed")
});

impl Locale {
    /// Reads a number: `2`, `2,5`, `1.234,56`, `1 000`, or one up to twenty in words. There must be
    /// exactly one, and no part of a larger one.
    #[must_use]
    pub fn read_number(&self, text: &str) -> Option<f64> {
        // What looks like a minus is one.
        let text = western(text).replace('\u{2212}', "-");
        let numbers = &self.words.numbers;
        let mentions = Mentions::new(&text);
        if mentions.has_any(&numbers.more) {
            return None;
        }
        let mut matches = NUMBER.find_iter(&text);
        match (matches.next(), matches.next()) {
            (Some(one), None) => {
                let (before, behind) = (&text[..one.start()], &text[one.end()..]);
                let words = numbers.words().any(|(name, _)| mentions.has_any(&[name]));
                let whole = !words && !is_of_a_word(before, behind);
                whole.then(|| self.number_of(one.as_str())).flatten()
            }
            (None, _) => self.number_word(mentions),
            (Some(_), Some(_)) => None,
        }
    }

    fn number_of(&self, written: &str) -> Option<f64> {
        let spaced = |character: char| character.is_whitespace() || matches!(character, '\'' | '’');
        let compact: String = written
            .chars()
            .filter(|character| !spaced(*character))
            .collect();
        let (comma, dot) = (compact.rfind(','), compact.rfind('.'));
        let decimal = match (comma, dot) {
            (None, None) => None,
            (Some(comma), Some(dot)) => Some(comma.max(dot)),
            (Some(at), None) => decimal_at(&compact, at, self.comma_groups()),
            (None, Some(at)) => decimal_at(&compact, at, !self.comma_groups()),
        };
        let (whole, fraction) = match decimal {
            Some(at) => (&compact[..at], &compact[at + 1..]),
            None => (compact.as_str(), ""),
        };
        if !well_grouped(whole) {
            return None;
        }
        let whole: String = whole
            .chars()
            .filter(|character| !matches!(character, ',' | '.'))
            .collect();
        let plain = format!("{whole}.{fraction}0");
        plain.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A word that is a number, when it is the only one.
    fn number_word(&self, mut mentions: Mentions) -> Option<f64> {
        let (numbers, days) = (&self.words.numbers, &self.words.dates);
        let words: Vec<_> = numbers.words().collect();
        let matches = mentions.take_longest(&words);
        match matches[..] {
            [(at, (_, number))] => {
                let no = numbers.no.iter().any(|word| mentions.ends_before(at, word));
                (number != 1 || !no).then_some(f64::from(number))
            }
            [] => {
                let one = mentions.find_any(&numbers.articles)?;
                mentions.take(one.0, one.1);
                let beside = [&days.polite[..], &numbers.person].concat();
                mentions.rest(&beside).is_empty().then_some(1.0)
            }
            _ => None,
        }
    }
}

/// Whether the only kind of mark in a number parts decimals: not when there are several, nor when
/// it stands where the language parts thousands.
fn decimal_at(number: &str, at: usize, groups: bool) -> Option<usize> {
    let mark = &number[at..=at];
    if number.matches(mark).count() > 1 {
        return None;
    }
    let thousands = number.len() - at - 1 == 3 && at > 0 && !number.starts_with('0');
    (!(groups && thousands)).then_some(at)
}

/// Whether the marks before the decimals part thousands, or hundreds as in India; a date is not
/// parted so.
fn well_grouped(whole: &str) -> bool {
    let digits = whole.trim_start_matches(['+', '-']);
    let groups: Vec<&str> = digits.split([',', '.']).collect();
    let [first, middle @ .., last] = &groups[..] else {
        return true;
    };
    let mixed = digits.contains(',') && digits.contains('.');
    let indian = digits.contains(',');
    let middle = middle
        .iter()
        .all(|group| group.len() == 3 || (indian && group.len() == 2));
    groups.len() == 1 || (!mixed && (1..=3).contains(&first.len()) && middle && last.len() == 3)
}

/// Whether letters beside digits make them something else: `1k`, `2nd`, `A4`.
fn is_of_a_word(before: &str, behind: &str) -> bool {
    let letters: String = behind
        .chars()
        .take_while(|character| character.is_alphabetic())
        .collect();
    let scaled = MULTIPLIERS.contains(&letters.to_lowercase().as_str());
    let in_front: Vec<char> = before
        .chars()
        .rev()
        .take_while(|character| character.is_alphabetic())
        .collect();
    let named =
        matches!(in_front[..], [one] if one.is_ascii_alphabetic() && !matches!(one, 'x' | 'X'));
    scaled || named
}

//! Numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::tokens::Mentions;
use super::western;
use crate::text::locale::Locale;

/// Letters behind a number that change its meaning: `1k`, `2nd`.
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
    /// Reads a number: `2`, `2,5`, `1.234,56`, `1 000`, or a word up to twenty. The text must have
    /// exactly one number, and not as a part of something longer.
    #[must_use]
    pub fn read_number(&self, text: &str) -> Option<f64> {
        let text = western(text).replace('\u{2212}', "-");
        let numbers = &self.words.numbers;
        let mentions = Mentions::new(&text);
        if mentions.has_any(&numbers.more) {
            return None;
        }
        let mut matches = NUMBER.find_iter(&text);
        match (matches.next(), matches.next()) {
            (Some(number), None) => {
                let (before, behind) = (&text[..number.start()], &text[number.end()..]);
                let words = numbers.words().any(|(name, _)| mentions.has_any(&[name]));
                let whole = !words && !is_of_a_word(before, behind);
                whole.then(|| self.number_of(number.as_str())).flatten()
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

    /// Reads a number in a word, if it is the only number.
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
                let (start, end) = mentions.find_any(&numbers.articles)?;
                mentions.take(start, end);
                let beside = [&days.polite[..], &numbers.person].concat();
                mentions.rest(&beside).is_empty().then_some(1.0)
            }
            _ => None,
        }
    }
}

/// Decides whether the only kind of mark in a number separates decimals: not if it is repeated, or
/// stands where the language separates thousands.
fn decimal_at(number: &str, at: usize, groups: bool) -> Option<usize> {
    let mark = &number[at..=at];
    if number.matches(mark).count() > 1 {
        return None;
    }
    let thousands = number.len() - at - 1 == 3 && at > 0 && !number.starts_with('0');
    (!(groups && thousands)).then_some(at)
}

/// Whether the marks before the decimals separate thousands, or hundreds as in India; those of a
/// date do not.
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

/// Whether letters beside digits change their meaning: `1k`, `2nd`, `A4`.
fn is_of_a_word(before: &str, behind: &str) -> bool {
    let letters = behind.chars().take_while(|letter| letter.is_alphabetic());
    let letters: String = letters.collect();
    let scaled = MULTIPLIERS.contains(&letters.to_lowercase().as_str());
    let in_front = before.chars().rev();
    let in_front: Vec<char> = in_front
        .take_while(|letter| letter.is_alphabetic())
        .collect();
    let is_name = |letter: char| letter.is_ascii_alphabetic() && !matches!(letter, 'x' | 'X');
    scaled || matches!(in_front[..], [letter] if is_name(letter))
}

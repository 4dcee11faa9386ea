//! Numbers.

use super::answer::Answer;
use super::dictionary::Meaning;
use super::tokens::{Kind, Token};
use crate::text::locale::Locale;

/// Signs of currencies, which stand before or behind a price.
const CURRENCY_SIGNS: &str = "$€£¥₹₽₺₩฿₫";

/// What a text says so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    number: Option<f64>,
    /// Whether the number is an article, which means one only beside a person.
    is_article: bool,
    /// Whether a thing is named that may have an article: a table.
    has_thing: bool,
}

impl Locale {
    /// Reads a number: `2`, `2,5`, `1.234,56`, `1 000`, or a word up to ninety-nine.
    ///
    /// `None` unless the text has exactly one number, and every word is explained.
    #[must_use]
    pub fn read_number(&self, text: &str) -> Option<f64> {
        let text = text.replace('\u{2212}', "-");
        let answer = Answer::new(self, &text, jiff::civil::date(2026, 1, 1))?;
        let mut counts = Vec::new();
        count(&answer, 0, Count::default(), &mut Vec::new(), &mut counts);
        let number = counts.first()?.number;
        number.filter(|_| counts.iter().all(|count| count.number == number))
    }

    fn number_of(&self, written: &str) -> Option<f64> {
        // 5'11 is a height.
        let mut groups = written.split(['\'', '’']).skip(1);
        let digits = |group: &str| group.bytes().take_while(u8::is_ascii_digit).count();
        if !groups.all(|group| digits(group) == 3) {
            return None;
        }
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
}

/// Collects every way to explain the tokens from a place on; what was `tried` is not tried again.
fn count(
    answer: &Answer<'_>,
    at: usize,
    so_far: Count,
    tried: &mut Vec<(usize, Count)>,
    counts: &mut Vec<Count>,
) {
    if tried.contains(&(at, so_far)) {
        return;
    }
    tried.push((at, so_far));
    if at == answer.tokens.len() {
        let is_alone = !(so_far.is_article && so_far.has_thing);
        if so_far.number.is_some() && is_alone && !counts.contains(&so_far) {
            counts.push(so_far);
        }
        return;
    }
    if matches!(answer.tokens[at].kind, Kind::Sign(sign) if CURRENCY_SIGNS.contains(sign)) {
        count(answer, at + 1, so_far, tried, counts);
    }
    for (end, number) in numbers(answer, at) {
        if so_far.number.is_none() {
            let number = Some(number);
            count(answer, end, Count { number, ..so_far }, tried, counts);
        }
    }
    let begins_number = |at| at < answer.tokens.len() && !numbers(answer, at).is_empty();
    for &(end, meaning) in answer.phrases(at) {
        let next = match meaning {
            // "Bir iki" is one or two.
            Meaning::Article if begins_number(end) => continue,
            Meaning::Filler | Meaning::Article if !answer.is_glued(at, end) => so_far,
            Meaning::Person | Meaning::Wish => so_far,
            Meaning::Counted => Count {
                has_thing: true,
                ..so_far
            },
            _ => continue,
        };
        count(answer, end, next, tried, counts);
        if meaning == Meaning::Article && so_far.number.is_none() && !answer.is_glued(at, end) {
            let one = Count {
                number: Some(1.0),
                is_article: true,
                ..so_far
            };
            count(answer, end, one, tried, counts);
        }
    }
}

/// Numbers at a place, in digits or in words: where they end, and their value.
fn numbers(answer: &Answer<'_>, at: usize) -> Vec<(usize, f64)> {
    let mut numbers = answer.find(at, |meaning| match meaning {
        Meaning::Number(number) => Some(f64::from(number)),
        _ => None,
    });
    let is_attached = |at: usize| answer.tokens.get(at).is_some_and(|token| token.attached);
    // "x2" is two, "A4" is a name, "-3" is a number with its sign, and "ber-4" has a hyphen.
    let (sign, start) = match &answer.tokens[at].kind {
        Kind::Sign('-') if is_attached(at + 1) && !is_attached(at) => ("-", at + 1),
        Kind::Sign('+') if is_attached(at + 1) => ("", at + 1),
        Kind::Word(word) if word == "x" => ("", at + 1),
        _ => ("", at),
    };
    let Some(first) = answer.tokens.get(start).and_then(Token::number) else {
        return numbers;
    };
    let mut written = format!("{sign}{first}");
    let mut end = start + 1;
    // "1 000"
    while let Some(group) = answer.tokens.get(end).and_then(Token::number)
        && group.len() >= 3
        && group.bytes().take(3).all(|byte| byte.is_ascii_digit())
        && group
            .as_bytes()
            .get(3)
            .is_none_or(|byte| !byte.is_ascii_digit())
        && first.len() <= 3
        && !is_attached(end)
    {
        written.push_str(group);
        end += 1;
    }
    numbers.extend(
        answer
            .locale
            .number_of(&written)
            .map(|number| (end, number)),
    );
    numbers
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

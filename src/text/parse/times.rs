//! Times of day.

use std::sync::LazyLock;

use jiff::civil::Time;
use regex::{Captures, Regex};
use unicode_segmentation::UnicodeSegmentation as _;

use super::tokens::Mentions;
use super::western;
use crate::text::lexicon::Times;
use crate::text::locale::Locale;
use crate::text::normalize::NormalizedText;

/// Hours and minutes, or hours with a word that marks them. Words of languages without a lexicon
/// are included.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        (?:^|[^\d.,:/\p{Pd}])
        (?P<all>
          (?P<hour>\d{1,2}) \s?[:.h]\s? (?P<minute>[0-5]\d) (?:\s?(?P<half>[ap]\.?\s?m\b\.?))?
        | (?P<hour2>\d{1,2}) \s? (?P<half2>[ap]\.?\s?m\b\.?)
        | (?P<hour3>\d{1,2}) \s? (?:uhr\b|h\b|hrs?\b|o['’]?clock\b|heures?\b|horas?\b|ore\b|uur\b|godzin\b|часов\b|часа\b|час\b|बजे|時|时|点|點)
          (?:\s?(?P<minute3>[0-5]\d)(?:\s?分|\b))?
        | (?:\bore|\bsaat|\bpukul|\bjam|الساعة) \s (?P<hour4>\d{1,2})\b
        )",
    )
    .expect("the pattern is fixed")
});

/// Hour alone, perhaps behind a word for "at".
static HOUR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^[\s,]*(?:at|a\s+las?|las|[àa]s|[àa]|um|alle|om|saat|o|в|pukul|jam|vers|around|about|gegen)?\s*
        (?P<hour>\d{1,2})[\s,]*[.!]?[\s,]*$",
    )
    .expect("the pattern is fixed")
});

/// Part of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Morning,
    Afternoon,
    Evening,
}

/// Half an hour in words beside an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    After,
    Before,
}

impl Locale {
    /// Reads a time of day: `15:30`, `3pm`, `15h30`, `15 Uhr`, `a las 3`, noon. Without a part of
    /// the day, the hour is taken as written.
    #[must_use]
    pub fn read_time(&self, text: &str) -> Option<Time> {
        let clock = &self.words.times;
        let text = self.digits_for_words(&western(text));
        let text = text.trim_end_matches(char::is_whitespace);
        let mut mentions = Mentions::new(text);
        let halves = take_halves(&mut mentions, clock);
        let parts = take_parts(&mut mentions, clock);
        let noon = mentions.has_any(&self.words.noon);
        let midnight = mentions.has_any(&self.words.midnight);
        if parts.len() > 1 || halves.len() > 1 {
            return None;
        }
        let (part, half) = (parts.first().copied(), halves.first().copied());
        let Some((hour, minute)) =
            self.clock_of(text, &mentions, part.is_some() || half.is_some())?
        else {
            return match (midnight, noon) {
                _ if half.is_some() => None,
                (true, false) => time_in_part(0, 0, None),
                (false, true) => time_in_part(12, 0, None),
                _ => None,
            };
        };
        // "12 noon" is one time; "between noon and 3" are two.
        if (noon || midnight) && (noon && midnight || hour != 12 || minute != 0 || half.is_some()) {
            return None;
        }
        let (hour, minute) = match half {
            None => (hour, minute),
            Some(_) if minute != 0 => return None,
            Some(Half::After) => (hour, 30),
            Some(Half::Before) if (1..=12).contains(&hour) => (hour - 1, 30),
            Some(Half::Before) => return None,
        };
        if midnight {
            time_in_part(0, 0, None)
        } else {
            time_in_part(hour, minute, part)
        }
    }

    /// Finds the only time in a text, on the 24-hour clock; in a text that names a part of the day,
    /// perhaps a number alone. The outer `None` means several times.
    #[expect(
        clippy::option_option,
        reason = "two times are something else than none"
    )]
    fn clock_of(
        &self,
        text: &str,
        mentions: &Mentions,
        in_words: bool,
    ) -> Option<Option<(i8, i8)>> {
        let mut captures = TIME.captures_iter(text);
        if let Some(first) = captures.next() {
            let whole = first.name("all")?;
            let (before, behind) = (&text[..whole.start()], &text[whole.end()..]);
            if captures.next().is_some() || self.is_part_of_more(before, behind) {
                return None;
            }
            return hour_and_minute(&first).map(Some);
        }
        if let Some(alone) = HOUR.captures(text) {
            return Some(Some((alone["hour"].parse().ok()?, 0)));
        }
        if !in_words {
            return Some(None);
        }
        let mut numbers = text
            .split(|character: char| !character.is_ascii_digit())
            .filter(|digits| !digits.is_empty());
        match (numbers.next(), numbers.next()) {
            (Some(hour), None) if mentions.has_any(&[hour]) || text.contains(hour) => {
                Some(Some((hour.parse().ok()?, 0)))
            }
            (None, _) => Some(None),
            _ => None,
        }
    }

    /// Whether a time stands in a range, in a date or in a longer number.
    fn is_part_of_more(&self, before: &str, behind: &str) -> bool {
        let joins = &self.words.dates.joins;
        let joined = |word: &str| {
            let word = NormalizedText::new(word);
            joins
                .iter()
                .any(|join| NormalizedText::new(join).words() == word.words())
        };
        let digit = |text: &str| text.starts_with(|character: char| character.is_ascii_digit());
        let last_digit = |text: &str| text.ends_with(|character: char| character.is_ascii_digit());
        let dash = |character: char| "-/–—~".contains(character);
        let blank_or_dash = |character: char| dash(character) || character.is_whitespace();
        let (front, back) = (before.trim_end(), behind.trim_start());
        let dashed = front.ends_with(dash) && last_digit(front.trim_end_matches(blank_or_dash))
            || back.starts_with(dash) && digit(back.trim_start_matches(blank_or_dash));
        let before = front.rsplit_once(char::is_whitespace);
        let before = before.is_some_and(|(rest, word)| joined(word) && last_digit(rest.trim_end()));
        let after = back.split_once(char::is_whitespace);
        let after = after.is_some_and(|(word, rest)| joined(word) && digit(rest.trim_start()));
        let longer = behind.starts_with([':', '/', '.']) && digit(&behind[1..]) || digit(behind);
        longer || dashed || before || after
    }

    /// Replaces numbers in words by digits, where each is a word of its own.
    fn digits_for_words(&self, text: &str) -> String {
        let numbers = &self.words.numbers;
        let number = |word: &str| {
            let word = NormalizedText::new(word);
            let mut numbers = numbers.words();
            numbers.find(|(name, _)| {
                !word.words().is_empty() && NormalizedText::new(name).words() == word.words()
            })
        };
        let words = text.split_word_bounds();
        let words = words.map(|word| {
            number(word).map_or_else(|| word.to_owned(), |(_, number)| number.to_string())
        });
        words.collect()
    }
}

/// Takes the parts of the day out of a text, without repetitions.
fn take_parts(mentions: &mut Mentions, clock: &Times) -> Vec<Part> {
    let mut phrases = Vec::new();
    let tables = [
        (&clock.morning, Part::Morning),
        (&clock.afternoon, Part::Afternoon),
        (&clock.evening, Part::Evening),
    ];
    for (table, part) in tables {
        phrases.extend(table.iter().map(|phrase| (*phrase, part)));
    }
    let mut parts: Vec<Part> = mentions
        .take_longest(&phrases)
        .into_iter()
        .map(|(_, (_, part))| part)
        .collect();
    parts.dedup();
    parts
}

/// Takes the half hours in words out of a text.
fn take_halves(mentions: &mut Mentions, clock: &Times) -> Vec<Half> {
    let after = clock.half_past.iter().chain(&clock.and_half);
    let mut phrases: Vec<_> = after.map(|phrase| (*phrase, Half::After)).collect();
    phrases.extend(clock.half_to.iter().map(|phrase| (*phrase, Half::Before)));
    mentions
        .take_longest(&phrases)
        .into_iter()
        .map(|(_, (_, half))| half)
        .collect()
}

fn hour_and_minute(captures: &Captures<'_>) -> Option<(i8, i8)> {
    let group = |names: &[&str]| names.iter().find_map(|name| captures.name(name));
    let hour: i8 = group(&["hour", "hour2", "hour3", "hour4"])?
        .as_str()
        .parse()
        .ok()?;
    let minute = match group(&["minute", "minute3"]) {
        Some(minute) => minute.as_str().parse().ok()?,
        None => 0,
    };
    let hour = match group(&["half", "half2"]).map(|half| half.as_str().to_lowercase()) {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) if half.starts_with('a') => hour % 12,
        Some(_) => hour % 12 + 12,
    };
    Some((hour, minute))
}

/// Makes a time of an hour in a part of the day; `None` if it is ambiguous.
fn time_in_part(hour: i8, minute: i8, part: Option<Part>) -> Option<Time> {
    let hour = match (part, hour) {
        (None, _)
        | (Some(Part::Morning), 0..=11)
        | (Some(Part::Afternoon), 12..=18)
        | (Some(Part::Evening), 16..=23) => hour,
        (Some(Part::Afternoon), 1..=11) | (Some(Part::Evening), 5..=11) => hour + 12,
        _ => return None,
    };
    Time::new(hour, minute, 0, 0).ok()
}

//! Dates.

use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use regex::Regex;

use super::{find, find_any, western};
use crate::rules::locale::Locale;
use crate::rules::normalise::Folded;

/// Two or three numbers with the same kind of mark between them.
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)(?:^|[^\d.,/-])
        (?: (?P<iso>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})
          | (?P<a>\d{1,2})\s?[/.-]\s?(?P<b>\d{1,2})(?:\s?[/.-]\s?(?P<y>\d{4}|\d{2}))?\.?
          | (?:(?P<jy>\d{4})年)?\s?(?P<jm>\d{1,2})\s?月\s?(?P<jd>\d{1,2})\s?[日号]
        ) (?:$|[^\d/:])",
    )
    .expect("the pattern is fixed")
});

/// A day of the month that says so: `24th`, `am 24.`, `el 24`.
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^\s*(?:(?:on|for|para|pour|für)\s+)?
        (?: (?:the\s+)?(?P<th>\d{1,2})(?:st|nd|rd|th)
          | the\s+(?P<the>\d{1,2})
          | (?:am|den|zum)\s+(?P<den>\d{1,2})\.?
          | (?:el|o|le|il|dia|día|el\s+d[ií]a|o\s+dia)\s+(?P<el>\d{1,2})
        )\s*[.!]?\s*$",
    )
    .expect("the pattern is fixed")
});

impl Locale {
    /// Reads a date as people write it. One without a year is the next on or after `today`; "yesterday" is the day before,
    /// so that a check can refuse it.
    #[must_use]
    pub fn read_date(&self, text: &str, today: Date) -> Option<Date> {
        let text = western(text);
        if let Some(numbers) = NUMBERS.captures(&text) {
            return self.of_numbers(&numbers, today);
        }
        let folded = Folded::of(&text);
        self.relative(&folded, today)
            .or_else(|| self.named_month(&folded, today))
            .or_else(|| self.named_day(&folded, today))
            .or_else(|| day_of_month(&text, today))
    }

    fn of_numbers(&self, found: &regex::Captures<'_>, today: Date) -> Option<Date> {
        let number = |name: &str| found.name(name)?.as_str().parse::<i16>().ok();
        let small = |name: &str| number(name).and_then(|number| i8::try_from(number).ok());
        if let Some(year) = number("iso") {
            return Date::new(year, small("m")?, small("d")?).ok();
        }
        if let Some(month) = small("jm") {
            return dated(number("jy"), month, small("jd")?, today);
        }
        let (first, second) = (small("a")?, small("b")?);
        let year = number("y").map(|year| if year < 100 { 2000 + year } else { year });
        let dot = found.get(0)?.as_str().contains('.');
        let (month, day) = if self.month_comes_first() && !dot {
            (first, second)
        } else {
            (second, first)
        };
        // What cannot be in one order is meant in the other.
        dated(year, month, day, today).or_else(|| dated(year, day, month, today))
    }

    /// Today, tomorrow, in three days.
    fn relative(&self, text: &Folded, today: Date) -> Option<Date> {
        let words = self.words;
        let one_of = |phrases: &[&str]| find_any(text, phrases).is_some();
        if one_of(words.after_tomorrow) {
            return today.checked_add(2.days()).ok();
        }
        if one_of(words.yesterday) {
            return today.checked_sub(1.day()).ok();
        }
        if one_of(words.tomorrow) {
            return today.checked_add(1.day()).ok();
        }
        if one_of(words.today) {
            return Some(today);
        }
        for (names, length) in [(words.days, 1), (words.weeks, 7)] {
            let Some((start, _)) = find_any(text, names) else {
                continue;
            };
            let before = start.checked_sub(1).and_then(|at| text.words().get(at))?;
            let count: i64 = self.count(before)?;
            let said = start.checked_sub(2).is_some_and(|at| {
                let before = &text.words()[..=at];
                let mut within = words.within.iter();
                within.any(|word| {
                    Folded::of(word)
                        .words()
                        .iter()
                        .rev()
                        .eq(before.iter().rev().take(Folded::of(word).words().len()))
                })
            });
            // Some languages say it behind the number, and their table has it there.
            if (said || words.within.is_empty()) && (1..=366).contains(&count) {
                return today.checked_add((count * length).days()).ok();
            }
        }
        None
    }

    /// A number of days, in digits or in a word.
    fn count(&self, word: &str) -> Option<i64> {
        let named = self
            .words
            .numbers
            .iter()
            .position(|name| Folded::of(name).words() == [word]);
        let named = named.and_then(|at| i64::try_from(at + 1).ok());
        word.parse()
            .ok()
            .or(named)
            .or_else(|| (word == "a").then_some(1))
    }

    /// `24 December`, `Dec 24th, 2026`, `24 de diciembre`.
    fn named_month(&self, text: &Folded, today: Date) -> Option<Date> {
        let (month, start, end) = (1..=12).find_map(|month| {
            let (start, end) = self.find_month(text, month)?;
            Some((month, start, end))
        })?;
        let words = text.words();
        let year_in = |word: &String| {
            let year = word.parse::<i16>().ok();
            year.filter(|year| (2000..=2200).contains(year))
        };
        let year = words.iter().find_map(year_in);
        // The day stands beside the month, perhaps with a small word between.
        let after = words[end..].iter().take(2);
        let before = words[..start].iter().rev().take(2);
        let day = before.chain(after).find_map(|word| day_number(word))?;
        dated(year, month, day, today)
    }

    fn find_month(&self, text: &Folded, month: i8) -> Option<(usize, usize)> {
        let names = self.names(jiff::civil::date(2026, month, 1)).months;
        for name in names {
            let folded = Folded::of(&name);
            // The longest word without the number of the day is the month's.
            let word = folded.words().iter();
            let word = word.filter(|word| !word.chars().any(|one| one.is_ascii_digit()));
            let Some(word) = word.max_by_key(|word| word.chars().count()) else {
                continue;
            };
            if word.chars().count() < 3 {
                continue;
            }
            let is = |said: &String| {
                let length = said.chars().count();
                said == word
                    || (length >= 3
                        && word.starts_with(said.as_str())
                        && self.is_short_for(said, month))
            };
            if let Some(at) = text.words().iter().position(is) {
                return Some((at, at + 1));
            }
        }
        None
    }

    /// Whether the beginning of a month's name is that of no other month.
    fn is_short_for(&self, said: &str, month: i8) -> bool {
        (1..=12).filter(|other| *other != month).all(|other| {
            let name = Folded::of(&self.month(other));
            !name.words().iter().any(|word| word.starts_with(said))
        })
    }

    /// `friday`, `next friday`.
    fn named_day(&self, text: &Folded, today: Date) -> Option<Date> {
        let monday = jiff::civil::date(2026, 1, 5);
        for ahead in 0..7_i64 {
            let day = monday.checked_add(ahead.days()).ok()?;
            let names = self.names(day).weekdays;
            let found = names.iter().any(|name| {
                let short = Folded::of(name).words().concat().chars().count() < 3;
                !short && find(text, name).is_some()
            });
            if found {
                let next = find_any(text, self.words.next).is_some();
                return on_or_after(today, day.weekday(), i64::from(next));
            }
        }
        None
    }
}

fn on_or_after(today: Date, weekday: Weekday, least: i64) -> Option<Date> {
    let from = today.checked_add(least.days()).ok()?;
    let days = (0..7_i64).map(|ahead| from.checked_add(ahead.days()));
    days.flatten().find(|day| day.weekday() == weekday)
}

/// `24`, `24th`, `1er`; not a year.
fn day_number(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|one: char| !one.is_ascii_digit());
    let suffix = &word[digits.len()..];
    let known = ["", "st", "nd", "rd", "th", "er", "o", "a", "e"].contains(&suffix);
    let day: i8 = digits.parse().ok()?;
    (known && (1..=31).contains(&day)).then_some(day)
}

fn day_of_month(text: &str, today: Date) -> Option<Date> {
    let found = DAY.captures(text)?;
    let names = ["th", "the", "den", "el"];
    let day: i8 = names
        .iter()
        .find_map(|name| found.name(name))?
        .as_str()
        .parse()
        .ok()?;
    let mut month = today.first_of_month();
    // A month may not have the day; one of the next two does.
    for _ in 0..3 {
        let date = Date::new(month.year(), month.month(), day).ok();
        if let Some(date) = date.filter(|date| *date >= today) {
            return Some(date);
        }
        month = month.checked_add(1.month()).ok()?;
    }
    None
}

/// The date of this year or, without one, the next on or after today.
fn dated(year: Option<i16>, month: i8, day: i8, today: Date) -> Option<Date> {
    if let Some(year) = year {
        return Date::new(year, month, day).ok();
    }
    // The 29th of February may be up to eight years away.
    let years = (0..=8).map(|ahead| today.year() + ahead);
    let mut dates = years.filter_map(|year| Date::new(year, month, day).ok());
    dates.find(|date| *date >= today)
}

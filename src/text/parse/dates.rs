//! Dates. All parts of a text that are about days must agree on one date.

use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use regex::{Captures, Regex};

use super::numeric_dates;
use super::numeric_dates::dated;
use super::tokens::Mentions;
use super::western;
use crate::text::lexicon::Dates;
use crate::text::locale::Locale;
use crate::text::normalize::NormalizedText;

/// Day of the month with a word or suffix that marks it: `24th`, `am 24.`, `el 24`; normalized.
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:(?:on|for|para|pour|fur)\s)?
        (?: (?:the\s)?(?P<th>\d{1,2})(?:st|nd|rd|th)
          | the\s(?P<the>\d{1,2})
          | (?:am|den|zum)\s(?P<den>\d{1,2})
          | (?:(?:el|o|no|le|il)\s(?:dia\s)?|dia\s)(?P<el>\d{1,2})(?:er)?
        )$",
    )
    .expect("the pattern is fixed")
});

/// Words between the day and the month.
const BETWEEN: [&str; 8] = ["of", "de", "del", "the", "th", "do", "d", "den"];

impl Locale {
    /// Reads a date. A date without a year is the next on or after `today`; "yesterday" is the day
    /// before, so that a check can refuse it. `None` if a text names two dates or is ambiguous.
    #[must_use]
    pub fn read_date(&self, text: &str, today: Date) -> Option<Date> {
        let days = &self.words.dates;
        let text = without_clock(&western(text));
        let (text, mut dates) = numeric_dates::take(self, &text, today)?;
        let mut mentions = Mentions::new(&text);

        let mut relative = self.take_relative(&mut mentions, today)?;
        let counted = self.take_counted(&mut mentions, days, today)?;
        self.take_months(&mut mentions, today, &mut dates)?;
        let weekday = self.take_weekday(&mut mentions)?;
        // "Freitag morgen" and "24. Dezember morgen" mean the morning.
        let full = !dates.is_empty() && !mentions.has_any(&days.joins);
        let morning = |at: usize| full || weekday.is_some_and(|(_, behind)| behind == at);
        relative.retain(|(_, at)| !at.is_some_and(morning));

        if let Some(date) = day_of_month(&mentions, days, weekday.is_some(), today) {
            dates.push(date);
        }
        let precise = !dates.is_empty();
        dates.extend(relative.into_iter().map(|(date, _)| date));
        let weekday = weekday.map(|(weekday, _)| weekday);
        match counted {
            Counted::Date(date) => dates.push(date),
            Counted::Stray if weekday.is_some() || !dates.is_empty() => return None,
            Counted::Stray | Counted::None => {}
        }
        let next_week =
            mentions.had_any(&days.next_week) && (weekday.is_none() || !dates.is_empty());
        if !precise && (next_week || mentions.has_any(&days.vague)) {
            return None;
        }
        dates.sort_unstable();
        dates.dedup();
        match (dates[..].first(), weekday) {
            (Some(date), _)
                if dates.len() > 1 || weekday.is_some_and(|day| day != date.weekday()) =>
            {
                None
            }
            (Some(date), _) => Some(*date),
            (None, Some(weekday)) => self.named_day(&mentions, days, weekday, today),
            (None, None) => None,
        }
    }

    /// Takes today, tomorrow, and the parts of a day. A date has the place of its word if that word
    /// also means the morning.
    fn take_relative(
        &self,
        mentions: &mut Mentions,
        today: Date,
    ) -> Option<Vec<(Date, Option<usize>)>> {
        const REFUSED: i64 = i64::MIN;

        let words = self.words;
        let (days, clock) = (&words.dates, &words.times);
        let phrases_for = |phrases: &[&'static str], meaning: Option<i64>| {
            phrases
                .iter()
                .map(move |phrase| (*phrase, meaning))
                .collect::<Vec<_>>()
        };
        let mut phrases = phrases_for(&words.after_tomorrow, Some(2));
        phrases.extend(phrases_for(&words.tomorrow, Some(1)));
        phrases.extend(phrases_for(&words.today, Some(0)));
        phrases.extend(phrases_for(&words.yesterday, Some(-1)));
        for part in [
            &clock.morning,
            &clock.afternoon,
            &clock.evening,
            &clock.half_past,
            &words.noon,
            &words.midnight,
        ] {
            phrases.extend(phrases_for(part, None));
        }
        // "дня" is "of the day", and "days" too: words that count days are left.
        phrases.retain(|(phrase, meaning)| meaning.is_some() || !words.days.contains(phrase));
        phrases.extend(phrases_for(&days.from_now, None));
        // A refused phrase may contain an accepted one: "the day before yesterday".
        phrases.extend(phrases_for(&days.refused, Some(REFUSED)));
        let mut dates = Vec::new();
        for (at, (phrase, meaning)) in mentions.take_longest(&phrases) {
            let Some(ahead) = meaning else { continue };
            if ahead == REFUSED {
                return None;
            }
            let morning = days.tomorrow_is_morning && words.tomorrow.contains(&phrase);
            if let Ok(date) = today.checked_add(ahead.days()) {
                dates.push((date, morning.then_some(at)));
            }
        }
        Some(dates)
    }

    /// Takes a number of days or weeks: in three days, two weeks from now.
    fn take_counted(&self, mentions: &mut Mentions, days: &Dates, today: Date) -> Option<Counted> {
        let words = self.words;
        for (names, length) in [(&words.days, 1), (&words.weeks, 7)] {
            let Some((start, end)) = mentions.find_any(names) else {
                continue;
            };
            let count = start
                .checked_sub(1)
                .and_then(|at| self.count(mentions.word(at)?));
            let Some(count) = count else { continue };
            let within = words
                .within
                .iter()
                .any(|word| mentions.ends_before(start - 1, word));
            let later = days
                .from_now
                .iter()
                .any(|word| mentions.stood_at(end, word));
            // Without a word in front, the language has its word behind the number.
            if !within && !later && !words.within.is_empty() {
                return Some(Counted::Stray);
            }
            // "In a week or two", "2 or 3 days from now".
            let joined = |at| days.joins.iter().any(|word| mentions.starts_at(at, word));
            let before = start.checked_sub(2).filter(|_| later);
            if !(1..=366).contains(&count) || joined(end) || before.is_some_and(joined) {
                return None;
            }
            mentions.take(start - 1, end);
            return today
                .checked_add((count * length).days())
                .ok()
                .map(Counted::Date);
        }
        Some(Counted::None)
    }

    /// Reads a number of days, in digits or in a word.
    fn count(&self, word: &str) -> Option<i64> {
        let numbers = &self.words.numbers;
        let is = |name: &str| NormalizedText::new(name).words() == [word];
        let named = numbers
            .words()
            .find(|(name, _)| is(name))
            .map(|(_, number)| i64::from(number));
        let article = || numbers.articles.iter().any(|name| is(name)).then_some(1);
        word.parse().ok().or(named).or_else(article)
    }

    /// Takes dates with the name of a month: `24 December`, `Dec 24th, 2026`, `24 de diciembre`.
    fn take_months(
        &self,
        mentions: &mut Mentions,
        today: Date,
        dates: &mut Vec<Date>,
    ) -> Option<()> {
        let names = self.words_for_months();
        for at in 0..mentions.len() {
            let Some(word) = mentions.word(at) else {
                continue;
            };
            let Some(month) = names.month_of(word) else {
                continue;
            };
            let Some(beside) = self.beside(mentions, at, today)? else {
                continue;
            };
            // "mar 24" in Spanish may be Tuesday the 24th.
            let is = |(name, _): &(String, Weekday)| NormalizedText::new(name).words() == [word];
            let behind = beside.start == at && beside.year.is_none();
            if behind && self.words_for_weekdays().iter().any(is) {
                return None;
            }
            dates.push(dated(beside.year, month, beside.day, today)?);
            mentions.take(beside.start, beside.end);
        }
        Some(())
    }

    /// Finds the day beside the month at a place; the outer `None` means that several numbers may
    /// be the day.
    #[expect(clippy::option_option, reason = "no day is something else than two")]
    fn beside(&self, mentions: &Mentions, at: usize, today: Date) -> Option<Option<Beside>> {
        let joins = &self.words.dates.joins;
        let word = |at: Option<usize>| mentions.word(at?);
        let small = |at: Option<usize>| word(at).is_some_and(|word| BETWEEN.contains(&word));
        let day = |at: Option<usize>| word(at).and_then(day_number);
        let back = |at: Option<usize>| at.and_then(|at: usize| at.checked_sub(1));
        let before = back(Some(at));
        let before = if small(before) { back(before) } else { before };
        // "24 de diciembre de 2026", "December the 24th".
        let behind = if small(Some(at + 1)) { at + 2 } else { at + 1 };
        // The place of the year, the place of a second day, and the end without a year.
        let (start, number, next, other, end);
        if let (Some(place), Some(day_before)) = (before, day(before)) {
            // "24 or 25 December", "24-25 December".
            let is_join = |word: &str| {
                let mut joins = joins.iter();
                joins.any(|join| NormalizedText::new(join).words() == [word])
            };
            let joined = word(back(before)).is_some_and(is_join);
            let earlier = back(before);
            if day(if joined { back(earlier) } else { earlier }).is_some() {
                return None;
            }
            (start, number, next, other, end) = (place, day_before, behind, behind, at + 1);
        } else if let Some(day_behind) = day(Some(behind)) {
            let rest = behind + 1;
            let joined = joins.iter().any(|join| mentions.starts_at(rest, join));
            let second = if joined { rest + 1 } else { rest };
            (start, number, next, other, end) = (at, day_behind, rest, second, rest);
        } else {
            return Some(None);
        }
        let year = year_at(mentions, next, today);
        if year.is_none() && day(Some(other)).is_some() {
            return None;
        }
        Some(Some(Beside {
            start,
            end: if year.is_some() { next + 1 } else { end },
            day: number,
            year,
        }))
    }

    /// Lists the names of the months that are long enough to be unambiguous.
    fn words_for_months(&self) -> MonthNames {
        let firsts: Vec<Date> = (1..=12)
            .map(|month| jiff::civil::date(2026, month, 1))
            .collect();
        let words = |names: [String; 4]| -> Vec<String> {
            let words = names.iter().filter_map(|name| {
                // The longest word without the number of the day is the month's.
                let folded = NormalizedText::new(name);
                let letters =
                    |word: &&String| !word.chars().any(|character| character.is_ascii_digit());
                let words = folded.words().iter().filter(letters);
                words.max_by_key(|word| word.chars().count()).cloned()
            });
            words.filter(|word| word.chars().count() >= 3).collect()
        };
        MonthNames(self.month_names(&firsts).into_iter().map(words).collect())
    }

    /// Lists the names of the days of the week that are long enough to be unambiguous.
    fn words_for_weekdays(&self) -> Vec<(String, Weekday)> {
        let extra = &self.words.dates.weekdays;
        let week: Vec<Date> = (5..12).map(|day| jiff::civil::date(2026, 1, day)).collect();
        let names = self.day_names(&week).into_iter().zip(extra);
        let words = week.iter().zip(names).flat_map(|(day, (names, extra))| {
            let sure =
                |name: &String| NormalizedText::new(name).words().concat().chars().count() >= 3;
            let names = names.into_iter().filter(sure);
            let names = names.chain(extra.iter().map(|name| (*name).to_owned()));
            names.map(|name| (name, day.weekday()))
        });
        words.collect()
    }

    /// Takes the weekday and the place of the word behind it; the outer `None` means two weekdays.
    #[expect(clippy::option_option, reason = "two of them are none at all")]
    fn take_weekday(&self, mentions: &mut Mentions) -> Option<Option<(Weekday, usize)>> {
        let names = self.words_for_weekdays();
        let names: Vec<(&str, Weekday)> = names
            .iter()
            .map(|(name, day)| (name.as_str(), *day))
            .collect();
        let mut weekday = None;
        for (at, (name, day)) in mentions.take_longest(&names) {
            if weekday.is_some_and(|(other, _)| other != day) {
                return None;
            }
            weekday = Some((day, at + NormalizedText::new(name).words().len()));
        }
        Some(weekday)
    }

    /// Finds the date of `friday`, `next friday`, `friday next week`.
    fn named_day(
        &self,
        mentions: &Mentions,
        days: &Dates,
        weekday: Weekday,
        today: Date,
    ) -> Option<Date> {
        if mentions.had_any(&days.next_week) {
            // Where weeks begin on a Sunday, the Sunday of next week is another date.
            let monday = today
                .checked_add((7 - i64::from(today.weekday().to_monday_zero_offset())).days())
                .ok()?;
            return on_or_after(monday, weekday, 0).filter(|_| weekday != Weekday::Sunday);
        }
        let next = mentions.had_any(&self.words.next);
        on_or_after(today, weekday, i64::from(next))
    }
}

/// Reads a day of the month in a text without other significant words.
fn day_of_month(mentions: &Mentions, days: &Dates, weekday: bool, today: Date) -> Option<Date> {
    let rest = mentions.rest(&days.polite);
    let named = |day: Captures<'_>| {
        let mut names = ["th", "the", "den", "el"].iter();
        names.find_map(|name| day.name(name)?.as_str().parse().ok())
    };
    // A number alone may count anything, except beside a weekday.
    let bare = || rest.parse().ok().filter(|_| weekday);
    let day: i8 = DAY.captures(&rest).and_then(named).or_else(bare)?;
    let mut month = today.first_of_month();
    // A month may not have the day; one of the next two has it.
    for _ in 0..3 {
        let date = Date::new(month.year(), month.month(), day).ok();
        if let Some(date) = date.filter(|date| *date >= today) {
            return Some(date);
        }
        month = month.checked_add(1.month()).ok()?;
    }
    None
}

/// Normalized names of the months; the first is January.
struct MonthNames(Vec<Vec<String>>);

impl MonthNames {
    /// Finds the month of a name, or of the beginning of one name.
    fn month_of(&self, word: &str) -> Option<i8> {
        let months = || (1_i8..).zip(&self.0);
        let exact = months().find(|(_, names)| names.iter().any(|name| name == word));
        if let Some((month, _)) = exact {
            return Some(month);
        }
        if word.chars().count() < 3 {
            return None;
        }
        let mut short =
            months().filter(|(_, names)| names.iter().any(|name| name.starts_with(word)));
        match (short.next(), short.next()) {
            (Some((month, _)), None) => Some(month),
            _ => None,
        }
    }
}

/// Removes times of day, so that their numbers are not taken for days.
fn without_clock(text: &str) -> String {
    static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?ix)(?P<before>^|[^\d.,/:-])
            (?: \d{1,2}\s?[:h]\s?\d{2}(?:\s?[ap]\.?\s?m\b\.?|\s?uhr\b)?
              | \d{1,2}(?:[.:]\d{2})?\s?(?:[ap]\.?\s?m\b\.?|(?:uhr|heures?|uur|horas|hrs|h)\b(?:\s[0-5]\d\b)?
                |o['’]?clock|часов|часа|बजे|(?:時|时|点|點)(?:\d{1,2}分|半)?)
              | (?:at|[àa]\s?las|[àa]s|à|um|alle|om|saat|в|o|pukul|jam)\s\d{1,2}(?:[.:]\d{2})?(?P<after>$|[\s,;!?])
            )",
        )
        .expect("the pattern is fixed")
    });
    CLOCK.replace_all(text, "$before , ").into_owned()
}

/// A number of days in a text.
enum Counted {
    Date(Date),
    /// The number is about something else: "for 3 days", "3 days after".
    Stray,
    None,
}

/// Day and year beside a month, and the range of words that they take with it.
struct Beside {
    start: usize,
    end: usize,
    day: i8,
    year: Option<i16>,
}

/// Reads a year at a place: in full, or in two digits as the last word if it is near.
fn year_at(mentions: &Mentions, at: usize, today: Date) -> Option<i16> {
    let word = mentions.word(at)?;
    let year: i16 = word.parse().ok()?;
    let century = today.year() / 100 * 100;
    let near = at + 1 == mentions.len() && word.len() == 2;
    match year {
        1900..=2200 => Some(year),
        0..=99 if near => {
            Some(century + year).filter(|year| (0..=10).contains(&(year - today.year())))
        }
        _ => None,
    }
}

fn on_or_after(today: Date, weekday: Weekday, least: i64) -> Option<Date> {
    let from = today.checked_add(least.days()).ok()?;
    let days = (0..7_i64).map(|ahead| from.checked_add(ahead.days()));
    days.flatten().find(|day| day.weekday() == weekday)
}

/// Reads a day of the month: `24`, `24th`, `1er`; not a year.
fn day_number(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|character: char| !character.is_ascii_digit());
    let suffix = &word[digits.len()..];
    let known = ["", "st", "nd", "rd", "th", "er", "o", "a", "e"].contains(&suffix);
    let day: i8 = digits.parse().ok()?;
    (known && (1..=31).contains(&day)).then_some(day)
}

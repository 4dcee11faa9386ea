//! Dates in digits, and the parts of dates that are numbers.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::answer::Answer;
use super::dictionary::Meaning;
use super::tokens::Token;
use crate::text::locale::FieldOrder;

/// Years, relative to this year, that two digits may stand for.
const SHORT_YEARS: std::ops::RangeInclusive<i16> = -1..=10;

/// Lists the dates in digits at a place: `24/12`, `24.12.2026`, `2026-12-24`, `24. 12. 2026`,
/// `12月24日`.
pub(super) fn dates(answer: &Answer<'_>, at: usize) -> Vec<(usize, Date)> {
    let mut dates = Vec::new();
    let number = |at: usize| answer.tokens.get(at).and_then(Token::number);
    let has_stop = |at: usize| answer.tokens.get(at).is_some_and(Token::has_stop);
    let Some(written) = number(at) else {
        return in_cjk(answer, at);
    };
    if let Some(date) = date_of(answer, written, has_stop(at)) {
        dates.push((at + 1, date));
    }
    // "24. 12." with spaces, and "24.12. 2026".
    let year_at = |at: usize| number(at).and_then(|digits| year(answer, digits, false));
    if has_stop(at)
        && has_stop(at + 1)
        && let Some(month) = number(at + 1)
    {
        let date = |year| with_stops(answer, small(written)?, small(month)?, year);
        dates.extend(date(None).map(|date| (at + 2, date)));
        if let Some(year) = year_at(at + 2) {
            dates.extend(date(Some(year)).map(|date| (at + 3, date)));
        }
    }
    if has_stop(at)
        && let Some((first, second)) = written.split_once('.')
        && let Some(year) = year_at(at + 1)
        && let Some((first, second)) = small(first).zip(small(second))
    {
        let date = with_stops(answer, first, second, Some(year));
        dates.extend(date.map(|date| (at + 2, date)));
    }
    dates.extend(in_cjk(answer, at));
    dates
}

/// Lists dates with the marks of Chinese and Japanese: a year, a month and a day.
fn in_cjk(answer: &Answer<'_>, at: usize) -> Vec<(usize, Date)> {
    let mut dates = Vec::new();
    let mut starts = vec![(at, None)];
    let digits = answer.tokens.get(at).and_then(Token::number);
    if let Some(year) = digits.and_then(|digits| year(answer, digits, false)) {
        let behind = answer.ends(at + 1, Meaning::YearSuffix);
        starts.extend(behind.into_iter().map(|end| (end, Some(year))));
    }
    for (start, year) in starts {
        for (behind, month) in answer.integers(start) {
            for day_at in answer.ends(behind, Meaning::MonthSuffix) {
                for (behind, day) in answer.integers(day_at) {
                    let month_and_day = i8::try_from(month).ok().zip(i8::try_from(day).ok());
                    let date = month_and_day
                        .and_then(|(month, day)| dated(year, month, day, answer.today));
                    let day_ends = answer.skip(behind, Meaning::DaySuffix).into_iter();
                    dates.extend(day_ends.filter_map(|end| Some((end, date?))));
                }
            }
        }
    }
    dates
}

/// Reads two or three numbers with the same mark between them.
fn date_of(answer: &Answer<'_>, written: &str, has_stop: bool) -> Option<Date> {
    let mark = written
        .chars()
        .find(|character| !character.is_ascii_digit())?;
    if !"/.-".contains(mark) {
        return None;
    }
    let parts: Vec<&str> = written.split(mark).collect();
    let (first, second, last) = match parts[..] {
        [first, second] => (first, second, None),
        [year_digits, month, day] if year_digits.len() == 4 => {
            let year = year(answer, year_digits, false)?;
            return Date::new(year, small(month)?, small(day)?).ok();
        }
        [first, second, last] => (first, second, Some(last)),
        _ => return None,
    };
    let (first, second) = (small(first)?, small(second)?);
    // Rising numbers with a hyphen are a range: 3-4 people.
    if mark == '-' && last.is_none() && first <= second {
        return None;
    }
    let year = match last {
        Some(digits) => Some(year(answer, digits, true)?),
        None => None,
    };
    if mark == '.' {
        let is_decimal = last.is_none() && !has_stop && answer.locale.comma_groups();
        return with_stops(answer, first, second, year).filter(|_| !is_decimal);
    }
    let day_first = || dated(year, second, first, answer.today);
    let month_first = || dated(year, first, second, answer.today);
    let order = match answer.locale.field_order() {
        // A language that puts the year first has no order with the year behind.
        FieldOrder::MonthFirst if last.is_some() && answer.locale.language() != "en" => {
            FieldOrder::Either
        }
        order => order,
    };
    // An order that gives no date is replaced by the other.
    match order {
        FieldOrder::DayFirst => day_first().or_else(month_first),
        FieldOrder::MonthFirst => month_first().or_else(day_first),
        FieldOrder::Either => agreed(day_first(), month_first()),
    }
}

/// The date of two numbers with full stops.
fn with_stops(answer: &Answer<'_>, first: i8, second: i8, year: Option<i16>) -> Option<Date> {
    let day_first = || dated(year, second, first, answer.today);
    let month_first = || dated(year, first, second, answer.today);
    match answer.locale.order_with_stops() {
        FieldOrder::DayFirst => day_first(),
        FieldOrder::MonthFirst if year.is_none() => month_first(),
        FieldOrder::MonthFirst | FieldOrder::Either => agreed(day_first(), month_first()),
    }
}

/// The date of two orders, unless they give two.
fn agreed(date: Option<Date>, other: Option<Date>) -> Option<Date> {
    match (date, other) {
        (Some(date), Some(other)) => (date == other).then_some(date),
        (date, other) => date.or(other),
    }
}

/// Reads a year in full, in the language's own calendar if it counts from elsewhere, or, where that
/// is `near`, in two digits.
pub(super) fn year(answer: &Answer<'_>, digits: &str, near: bool) -> Option<i16> {
    let year: i16 = digits.parse().ok()?;
    let offset = answer.locale.words.dates.year_offset;
    match (digits.len(), year) {
        (4, 1900..=2200) => Some(year),
        (4, _) if offset != 0 => Some(year - offset).filter(|year| (1900..=2200).contains(year)),
        // The century of a birthday in 99, or in 26, is unknown.
        (2, _) if near => {
            let year = answer.today.year() / 100 * 100 + year;
            SHORT_YEARS
                .contains(&(year - answer.today.year()))
                .then_some(year)
        }
        _ => None,
    }
}

/// Reads a number of one or two digits.
fn small(digits: &str) -> Option<i8> {
    let digits = Some(digits).filter(|digits| digits.len() <= 2);
    digits?.parse().ok()
}

/// Makes a date; without a year, the next on or after today.
pub(super) fn dated(year: Option<i16>, month: i8, day: i8, today: Date) -> Option<Date> {
    if let Some(year) = year {
        return Date::new(year, month, day).ok();
    }
    // The 29th of February may be up to eight years away.
    let years = (0..=8).map(|ahead| today.year() + ahead);
    let mut dates = years.filter_map(|year| Date::new(year, month, day).ok());
    dates.find(|date| *date >= today)
}

/// Finds the next day of this number: in this month, or in one of the next two that have it.
pub(super) fn day_of_month(day: i8, today: Date) -> Option<Date> {
    let mut month = today.first_of_month();
    for _ in 0..3 {
        let date = Date::new(month.year(), month.month(), day).ok();
        if let Some(date) = date.filter(|date| *date >= today) {
            return Some(date);
        }
        month = month.checked_add(1.month()).ok()?;
    }
    None
}

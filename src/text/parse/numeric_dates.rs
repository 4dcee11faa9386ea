//! Dates in digits.

use std::sync::LazyLock;

use jiff::civil::Date;
use regex::{Captures, Regex};

use crate::text::locale::{FieldOrder, Locale};

/// Two or three numbers with the same kind of mark between them.
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)(?:^|[^\d.,/-])
        (?P<all> (?P<iso>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})
          | (?P<a>\d{1,2})\s?(?P<mark>[/.-])\s?(?P<b>\d{1,2})(?:\s?[/.-]\s?(?P<y>\d{4}|\d{2}))?(?P<stop>\.)?
          | (?:(?P<jy>\d{4})年)?\s?(?P<jm>\d{1,2})\s?月\s?(?P<jd>\d{1,2})\s?[日号號]?
        )",
    )
    .expect("the pattern is fixed")
});

/// Years around this one that two digits may stand for.
const SHORT_YEARS: std::ops::RangeInclusive<i16> = -1..=10;

/// Takes the dates in digits out of a text; none when one of them is no date, or may be something
/// else.
pub(crate) fn take(locale: &Locale, text: &str, today: Date) -> Option<(String, Vec<Date>)> {
    let (mut rest, mut dates, mut at) = (String::new(), Vec::new(), 0);
    while let Some(captures) = NUMBERS.captures_at(text, at) {
        let all = captures.name("all")?;
        let behind = &text[all.end()..];
        rest.push_str(&text[at..all.start()]);
        at = all.end();
        if goes_on(behind) {
            return None;
        }
        let alone = (rest.clone() + behind)
            .chars()
            .all(|character| !character.is_alphanumeric());
        match locale.date_from_numbers(&captures, alone, today) {
            Read::Date(date) => dates.push(date),
            Read::Other => {}
            Read::Doubtful => return None,
        }
        rest.push_str(" , ");
    }
    rest.push_str(&text[at..]);
    Some((rest, dates))
}

/// Whether digits are only the beginning of something longer.
fn goes_on(behind: &str) -> bool {
    let mut behind = behind.chars();
    let (first, second) = (behind.next(), behind.next());
    let digit =
        |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
    let letter = first.is_some_and(|character| character.is_ascii_alphabetic());
    digit(first)
        || letter
        || (first.is_some_and(|character| "./:,-".contains(character)) && digit(second))
}

/// What some numbers are.
enum Read {
    Date(Date),
    /// A decimal or a range, which is no date but does no harm to one.
    Other,
    Doubtful,
}

impl Locale {
    fn date_from_numbers(&self, captures: &Captures<'_>, alone: bool, today: Date) -> Read {
        let has = |name: &str| captures.name(name).is_some();
        if captures
            .name("mark")
            .is_some_and(|mark| mark.as_str() != "/")
            && !has("y")
        {
            let number = |name: &str| captures[name].parse::<i16>().unwrap_or_default();
            // Rising with a hyphen between, it is a range: 3-4 people; and 2.5 is a number where a
            // point parts decimals.
            let hyphen = &captures["mark"] == "-";
            let range =
                hyphen && number("a") <= number("b") && !(alone && number("a") == number("b"));
            let decimal = !hyphen && !has("stop") && !alone && self.comma_groups();
            if range || decimal {
                return if alone { Read::Doubtful } else { Read::Other };
            }
        }
        self.date_of(captures, today)
            .map_or(Read::Doubtful, Read::Date)
    }

    fn date_of(&self, captures: &Captures<'_>, today: Date) -> Option<Date> {
        let number = |name: &str| captures.name(name)?.as_str().parse::<i16>().ok();
        let small = |name: &str| number(name).and_then(|number| i8::try_from(number).ok());
        if let Some(year) = number("iso") {
            return Date::new(year, small("m")?, small("d")?).ok();
        }
        if let Some(month) = small("jm") {
            return dated(number("jy"), month, small("jd")?, today);
        }
        let (first, second) = (small("a")?, small("b")?);
        let year = match number("y") {
            // Of a birthday in 99, or one in 26, the century is anybody's guess.
            Some(short) if short < 100 => {
                let year = 2000 + short;
                let near = SHORT_YEARS.contains(&(year - today.year()));
                Some(near.then_some(year)?)
            }
            year => year,
        };
        // A point between has the day first everywhere.
        let order = if &captures["mark"] == "." {
            FieldOrder::DayFirst
        } else {
            self.field_order()
        };
        let day_first = || dated(year, second, first, today);
        let month_first = || dated(year, first, second, today);
        // What cannot be in one order is meant in the other.
        match order {
            FieldOrder::DayFirst if &captures["mark"] == "." => day_first(),
            FieldOrder::DayFirst => day_first().or_else(month_first),
            FieldOrder::MonthFirst => month_first().or_else(day_first),
            FieldOrder::Either => match (day_first(), month_first()) {
                (Some(one), Some(other)) => (one == other).then_some(one),
                (one, other) => one.or(other),
            },
        }
    }
}

/// The date of this year or, without one, the next on or after today.
pub(crate) fn dated(year: Option<i16>, month: i8, day: i8, today: Date) -> Option<Date> {
    if let Some(year) = year {
        return Date::new(year, month, day).ok();
    }
    // The 29th of February may be up to eight years away.
    let years = (0..=8).map(|ahead| today.year() + ahead);
    let mut dates = years.filter_map(|year| Date::new(year, month, day).ok());
    dates.find(|date| *date >= today)
}

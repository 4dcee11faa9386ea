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

/// Years, relative to this year, that two digits may stand for.
const SHORT_YEARS: std::ops::RangeInclusive<i16> = -1..=10;

/// Takes the dates in digits out of a text; `None` if one is no date or is ambiguous.
pub(crate) fn take(locale: &Locale, text: &str, today: Date) -> Option<(String, Vec<Date>)> {
    let (mut rest, mut dates, mut at) = (String::new(), Vec::new(), 0);
    while let Some(captures) = NUMBERS.captures_at(text, at) {
        let whole = captures.name("all")?;
        let behind = &text[whole.end()..];
        rest.push_str(&text[at..whole.start()]);
        at = whole.end();
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
    let digit = |character: char| character.is_ascii_digit();
    let mark = behind.strip_prefix(|character: char| "./:,-".contains(character));
    behind.starts_with(|character: char| character.is_ascii_alphanumeric())
        || mark.is_some_and(|rest| rest.starts_with(digit))
}

/// Meaning of a group of numbers.
enum Read {
    Date(Date),
    /// A decimal or a range, which may stand beside a date.
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
            // Rising numbers with a hyphen are a range (3-4 people), and 2.5 is a number where a
            // point separates decimals.
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
            // The century of a birthday in 99, or in 26, is unknown.
            Some(short) if short < 100 => {
                let year = 2000 + short;
                let near = SHORT_YEARS.contains(&(year - today.year()));
                Some(near.then_some(year)?)
            }
            year => year,
        };
        // With a point, the day is first everywhere.
        let order = if &captures["mark"] == "." {
            FieldOrder::DayFirst
        } else {
            self.field_order()
        };
        let day_first = || dated(year, second, first, today);
        let month_first = || dated(year, first, second, today);
        // An order that gives no date is replaced by the other.
        match order {
            FieldOrder::DayFirst if &captures["mark"] == "." => day_first(),
            FieldOrder::DayFirst => day_first().or_else(month_first),
            FieldOrder::MonthFirst => month_first().or_else(day_first),
            FieldOrder::Either => match (day_first(), month_first()) {
                (Some(date), Some(other)) => (date == other).then_some(date),
                (date, other) => date.or(other),
            },
        }
    }
}

/// Makes a date; without a year, the next on or after today.
pub(crate) fn dated(year: Option<i16>, month: i8, day: i8, today: Date) -> Option<Date> {
    if let Some(year) = year {
        return Date::new(year, month, day).ok();
    }
    // The 29th of February may be up to eight years away.
    let years = (0..=8).map(|ahead| today.year() + ahead);
    let mut dates = years.filter_map(|year| Date::new(year, month, day).ok());
    dates.find(|date| *date >= today)
}

//! Reads `[hours]`.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::optional::or_default;
use crate::diagnostics::suggest;
use crate::diagnostics::toml_reader::{Field, Reader};
use crate::rules::opening_hours::{DAY, Days, Holiday, Schedule, Span};

const DAYS: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];
const HOLIDAY_KEYS: [&str; 5] = ["on", "from", "to", "every", "open"];

/// Reads the hours; `None` when something in them is wrong. Warns of holidays before `today`.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    timezone: &TimeZone,
    today: Option<Date>,
) -> Option<Schedule> {
    if !field.is_table() {
        return reader.wrong_type(
            field,
            "days with their hours: `mon-fri = [\"08:00-18:00\"]`",
        );
    }
    let before = reader.diagnostics.len();
    let mut schedule = Schedule {
        timezone: timezone.clone(),
        week: Default::default(),
        holidays: Vec::new(),
    };
    let mut named: [Option<Field<'_>>; 7] = Default::default();
    for entry in field.entries() {
        if entry.name == "holidays" {
            schedule.holidays = holidays(reader, &entry, today);
            continue;
        }
        let Some(days) = days(reader, &entry) else {
            continue;
        };
        let spans = spans(reader, &entry).unwrap_or_default();
        for day in days {
            if let Some(first) = &named[day] {
                let message = format!("`{}` is named twice", DAYS[day].1);
                let error = Diagnostic::error(codes::DAY, entry.key.clone(), message);
                reader.report(error.related(first.key.clone(), "the first time"));
            }
            named[day] = Some(entry.clone());
            schedule.week[day].clone_from(&spans);
        }
    }
    for day in 0..7 {
        over_midnight(reader, &schedule, &named, day);
    }
    if reader.diagnostics[before..]
        .iter()
        .any(Diagnostic::is_error)
    {
        return None;
    }
    never_open(reader, field, &schedule);
    Some(schedule)
}

/// `mon`, `monday`, `mon-fri`, `sat-mon` or `daily`, as indices from Monday.
fn days(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Vec<usize>> {
    if field.name == "daily" {
        return Some((0..7).collect());
    }
    let mut parts = field.name.split('-');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next());
    let day = |reader: &mut Reader<'_>, name: &str| {
        let lower = name.to_lowercase();
        let index = DAYS
            .iter()
            .position(|(short, long)| lower == *short || lower == *long);
        if index.is_none() {
            let names = DAYS.iter().flat_map(|(short, long)| [*short, *long]);
            let help = suggest::did_you_mean(name, names.chain(["daily", "holidays"]))
                .unwrap_or_else(|| "days are `mon` to `sun`, `mon-fri` or `daily`".to_owned());
            let message = format!("there is no day `{name}`");
            reader.error(codes::DAY, &field.key, message, help);
        }
        index
    };
    let first = day(reader, first);
    let last = match last {
        Some(last) => day(reader, last),
        None => first,
    };
    let (first, last) = (first?, last?);
    let length = (last + 7 - first) % 7;
    Some((first..=first + length).map(|day| day % 7).collect())
}

/// `"08:00-12:30"`, or a list of them; an empty list is closed.
fn spans(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Vec<Span>> {
    let elements = field.elements().unwrap_or_else(|| vec![field.clone()]);
    let mut spans: Vec<(Span, Field<'_>)> = Vec::new();
    for element in elements {
        if !element.is_string() {
            return reader.wrong_type(&element, "hours in quotes, like `\"08:00-18:00\"`");
        }
        let text = reader.string(&element)?;
        let Some(span) = span(text.value) else {
            let message = format!("`{}` is no span of time", text.value);
            let help = "write it like `\"08:00-12:30\"`";
            reader.error(codes::SPAN, &text.span, message, help);
            continue;
        };
        let other = spans
            .iter()
            .find(|(other, _)| span.from < other.to && other.from < span.to);
        if let Some((_, first)) = other {
            let message = "these hours lie over others of the day";
            let error = Diagnostic::error(codes::OVERLAPPING_HOURS, text.span, message);
            reader.report(error.related(first.span.clone(), "the others"));
        }
        spans.push((span, element));
    }
    Some(spans.into_iter().map(|(span, _)| span).collect())
}

fn span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once(['-', '–'])?;
    let (from, to) = (time(from)?, time(to)?);
    if from >= DAY || from == to {
        return None;
    }
    let to = if to < from { to + DAY } else { to };
    Some(Span { from, to })
}

/// Minutes from midnight; `24:00` is the end of a day.
fn time(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |digits: &str, most: u16| {
        let valid =
            (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u16 = digits.parse().ok().filter(|_| valid)?;
        (number <= most).then_some(number)
    };
    let (hour, minute) = (two(hour, 24)?, two(minute, 59)?);
    let minutes = hour * 60 + minute;
    (minutes <= DAY).then_some(minutes)
}

/// Reports hours that last over midnight into the hours of the next day.
fn over_midnight(
    reader: &mut Reader<'_>,
    schedule: &Schedule,
    named: &[Option<Field<'_>>; 7],
    day: usize,
) {
    let next = (day + 1) % 7;
    let late = schedule.week[day].iter().map(|span| span.to).max();
    let early = schedule.week[next].iter().map(|span| span.from).min();
    if let (Some(late), Some(early), Some(here), Some(there)) =
        (late, early, &named[day], &named[next])
        && late > DAY + early
    {
        let message = format!(
            "the hours of `{}` last into those of the next day",
            DAYS[day].1
        );
        let error = Diagnostic::error(codes::OVERLAPPING_HOURS, here.span.clone(), message);
        reader.report(error.related(there.span.clone(), "the next day"));
    }
}

/// Reports hours in which the shop is not open at all.
fn never_open(reader: &mut Reader<'_>, field: &Field<'_>, schedule: &Schedule) {
    let holidays = schedule.holidays.iter().map(|holiday| &holiday.open);
    if schedule.week.iter().chain(holidays).all(Vec::is_empty) {
        let message = "by these hours it is never open";
        let help = "days that are not named are closed: write `daily = [\"08:00-18:00\"]`";
        reader.warn(codes::NEVER_OPEN, &field.span, message, help);
    }
}

fn holidays(reader: &mut Reader<'_>, field: &Field<'_>, today: Option<Date>) -> Vec<Holiday> {
    let elements = reader.list(field).unwrap_or_default();
    let mut named: Vec<(Days, Range<usize>)> = Vec::new();
    let holidays = elements.iter().filter_map(|element| {
        let holiday = holiday(reader, element)?;
        let last = holiday.days.last();
        if let (Some(last), Some(today)) = (last, today)
            && last < today
        {
            let message = format!("the holiday {} is over", holiday.days);
            let help = "take it out, or write `every = \"MM-DD\"` when it comes each year";
            reader.warn(codes::PAST_HOLIDAY, &element.span, message, help);
        }
        let rival = named.iter().find_map(|(days, first)| {
            let day = days.rivals(holiday.days)?;
            Some((day, first.clone()))
        });
        if let Some((day, first)) = rival {
            let message = format!("the holiday {day} is named twice");
            let warning = Diagnostic::warning(codes::HOLIDAY_TWICE, element.span.clone(), message);
            let warning = warning.related(first, "these hours are taken");
            reader.report(warning.help("leave the day to one of them".to_owned()));
        }
        named.push((holiday.days, element.span.clone()));
        Some(holiday)
    });
    holidays.collect()
}

fn holiday(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Holiday> {
    if !field.is_table() {
        let days = Days::On(date(reader, field)?);
        let open = Vec::new();
        return Some(Holiday { days, open });
    }
    let table = reader.table(field, &HOLIDAY_KEYS)?;
    let open = or_default(table.get("open"), |field| spans(reader, &field));
    let days = match ["on", "from", "to", "every"].map(|key| table.get(key)) {
        [Some(on), None, None, None] => date(reader, &on).map(Days::On),
        [None, Some(first), Some(last), None] => {
            let range = date(reader, &first).zip(date(reader, &last));
            if range.is_some_and(|(first, last)| last < first) {
                let message = "the last day is before the first";
                reader.report(Diagnostic::error(codes::DATE, last.span.clone(), message));
            }
            range.map(|(first, last)| Days::Range(first, last))
        }
        [None, None, None, Some(every)] => yearly(reader, &every),
        _ if table.has_unknown() => None,
        _ => {
            let message = "a holiday has `on`, `from` and `to`, or `every`";
            let help = "write it like `{ on = \"2026-12-24\" }`";
            reader.refuse(codes::DATE, &table.span, message, help)
        }
    };
    Some(Holiday {
        days: days?,
        open: open?,
    })
}

/// A date, with or without quotes.
fn date(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Date> {
    let plain = field.plain();
    let text = field.text().or_else(|| plain.as_ref()?.as_str());
    let date = text
        .filter(|text| text.len() == 10)
        .and_then(|text| text.parse().ok());
    if date.is_none() {
        let message = "this is no date";
        let help = "write it like `\"2026-12-24\"`";
        reader.error(codes::DATE, &field.span, message, help);
    }
    date
}

fn yearly(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Days> {
    let text = reader.string(field)?;
    let parsed = text.value.split_once('-').and_then(|(month, day)| {
        let (month, day) = (month.parse().ok()?, day.parse().ok()?);
        // A leap year, so that the 29th of February may be named.
        Date::new(2024, month, day).ok()?;
        Some(Days::Every(month, day))
    });
    if parsed.is_none() {
        let message = "this is no day of a year";
        let help = "write month and day, like `\"12-25\"`";
        reader.error(codes::DATE, &text.span, message, help);
    }
    parsed
}

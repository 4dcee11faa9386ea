//! `replyd hours`: whether the business is open at a time, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::json;

use super::load;
use crate::cli::terminal::{self, BAD, DIM, GOOD, Hint, STRONG, paint};
use crate::clock::Clock;
use crate::rules::opening_hours::Schedule;

/// Number of days listed.
const DAYS: i64 = 7;

/// Says whether the business is open at a time, until when, and the hours of that day and the six
/// behind it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// When, by the clock of `[bot] timezone`: `at 2026-12-24T18:30` [default: now].
    #[arg(value_name = "at TIME", num_args = 1..=2)]
    at: Vec<String>,
    /// The rules file.
    #[arg(long, value_name = "FILE", default_value = "rules.toml")]
    rules: PathBuf,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

#[expect(clippy::unused_async, reason = "every subcommand has this form")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (_, rules) = load::read(&arguments.rules)?;
    let schedule = rules.hours.as_ref().ok_or_else(|| {
        Hint::new(
            format!("`{}` has no [hours]", terminal::path(&arguments.rules)),
            "write them like `[hours]` and below it `mon-fri = [\"08:00-18:00\"]`",
        )
    })?;
    let zone = schedule.timezone();
    let at = match arguments.at.as_slice() {
        [] => Clock::System.now(),
        [time] => read(time, zone)?,
        [word, time, ..] if word == "at" => read(time, zone)?,
        [word, ..] => return Err(no_time(word).into()),
    };
    let at = at.to_zoned(zone.clone());
    if arguments.json {
        terminal::json_line(&as_json(schedule, &at));
    } else {
        show(schedule, &at);
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a local time, or one with an offset or zone of its own.
fn read(written: &str, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    if let Ok(at) = written.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(at) = written.parse::<Zoned>() {
        return Ok(at.timestamp());
    }
    let local: DateTime = written.parse().map_err(|_| no_time(written))?;
    let at = zone.to_ambiguous_timestamp(local);
    let offset = at.offset();
    let taken = at.compatible().context("there is no such time")?;
    match offset {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { .. } => terminal::note!(
            "note: the clock never shows {}, as it is set forward then: this is {}",
            local.strftime("%H:%M"),
            taken.to_zoned(zone.clone()).strftime("%H:%M")
        ),
        AmbiguousOffset::Fold { after, .. } => terminal::note!(
            "note: the clock shows {} twice, as it is set back: this is the first time, `{}{}` is the second",
            local.strftime("%H:%M"),
            local.strftime("%Y-%m-%dT%H:%M"),
            after
                .to_timestamp(local)?
                .to_zoned(zone.clone())
                .strftime("%:z")
        ),
    }
    Ok(taken)
}

fn no_time(written: &str) -> Hint {
    Hint::new(
        format!("`{}` is no time", terminal::one_line(written)),
        "write it like `replyd hours at 2026-12-24T18:30`",
    )
}

/// Whether the business is open at a time, and the time of the next change.
fn facts(schedule: &Schedule, at: &Zoned) -> (bool, Option<Zoned>) {
    let now = at.timestamp();
    let open = schedule.is_open(now);
    let change = if open {
        schedule.next_close(now)
    } else {
        schedule.next_open(now)
    };
    (
        open,
        change.map(|change| change.to_zoned(at.time_zone().clone())),
    )
}

fn show(schedule: &Schedule, at: &Zoned) {
    let (open, change) = facts(schedule, at);
    let zone = at.time_zone().iana_name().unwrap_or("UTC");
    let time = at.strftime("%A, %-d %B %Y, %H:%M");
    terminal::line!("{time} {}", paint(DIM, zone));
    let change = change.map(|change| change.strftime("%A, %-d %B %Y, %H:%M").to_string());
    let sentence = match (open, change) {
        (true, Some(until)) => format!("open, until {until}"),
        (true, None) => "open, and never closed".to_owned(),
        (false, Some(from)) => format!("closed, and open again {from}"),
        (false, None) => "closed, and not open again within a year".to_owned(),
    };
    terminal::line(paint(if open { GOOD } else { BAD }, sentence));
    for day in days(schedule, at) {
        let name = format!("{:<10} {day}", day.strftime("%A").to_string());
        let hours = match schedule.spans(day) {
            [] => paint(BAD, "closed"),
            spans => spans
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        };
        let holiday = schedule.holiday(day);
        let holiday = holiday.map(|holiday| format!("holiday: {}", holiday.days));
        let name = if day == at.date() {
            paint(STRONG, name)
        } else {
            name
        };
        let holiday = holiday.map(|holiday| format!("  {}", paint(DIM, holiday)));
        let holiday = holiday.unwrap_or_default();
        terminal::line!("  {name}  {hours}{holiday}");
    }
}

fn as_json(schedule: &Schedule, at: &Zoned) -> serde_json::Value {
    let (open, change) = facts(schedule, at);
    let days = days(schedule, at).map(|day| {
        let spans = schedule.spans(day).iter().map(ToString::to_string);
        let holiday = schedule
            .holiday(day)
            .map(|holiday| holiday.days.to_string());
        json!({ "date": day, "open": spans.collect::<Vec<_>>(), "holiday": holiday })
    });
    json!({
        "at": at.timestamp(),
        "timezone": at.time_zone().iana_name(),
        "open": open,
        "until": change.map(|change| change.timestamp()),
        "days": days.collect::<Vec<_>>(),
    })
}

/// Days to list, from the day before if its hours last beyond `at`.
fn days(schedule: &Schedule, at: &Zoned) -> impl Iterator<Item = Date> {
    let minute = i16::from(at.hour()) * 60 + i16::from(at.minute());
    let goes_on = |day: &Date| {
        let late = |to: u16| i32::from(to) - 24 * 60 > i32::from(minute);
        schedule.spans(*day).iter().any(|span| late(span.to))
    };
    let yesterday = at.date().yesterday().ok().filter(goes_on);
    let first = yesterday.unwrap_or(at.date());
    (0..DAYS).filter_map(move |ahead| first.checked_add(ahead.days()).ok())
}

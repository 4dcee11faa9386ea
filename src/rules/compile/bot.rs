//! Reads `[bot]`.
//!
//! Next: [`super::rule`].

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::{Field, Reader, Table};
use crate::rules::{Bot, ReplyBudget, codes, suggest};

const KEYS: [&str; 7] = [
    "name",
    "timezone",
    "language",
    "mark_read",
    "max_age",
    "reply_budget",
    "human_pause",
];

/// What `reply_budget` takes. The upper ends bound the times of replies that each conversation remembers.
const PER_MINUTE: RangeInclusive<u32> = 1..=1000;
const PER_HOUR: RangeInclusive<u32> = 1..=1000;

/// Reads `[bot]`, or takes what holds when there is none; `None` when something in it is wrong.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<&Field<'_>>) -> Option<Bot> {
    let mut bot = Bot {
        name: String::new(),
        timezone: TimeZone::UTC,
        language: "en".to_owned(),
        mark_read: true,
        max_age: Duration::from_mins(15),
        reply_budget: ReplyBudget {
            per_minute: 5,
            per_hour: 30,
        },
        human_pause: Duration::from_hours(8),
    };
    let Some(field) = field else {
        return Some(bot);
    };
    let table = reader.table(field, &KEYS)?;
    if let Some(name) = table.get("name").and_then(|field| reader.string(&field)) {
        name.value.clone_into(&mut bot.name);
    }
    if let Some(field) = table.get("mark_read") {
        bot.mark_read = reader.boolean(&field).unwrap_or_default();
    }
    if let Some(field) = table.get("max_age") {
        bot.max_age = reader.duration(&field).unwrap_or_default();
    }
    if let Some(field) = table.get("human_pause") {
        bot.human_pause = reader.duration(&field).unwrap_or_default();
    }
    timezone(reader, &table, &mut bot);
    language(reader, &table, &mut bot);
    reply_budget(reader, &table, &mut bot);
    Some(bot)
}

fn timezone(reader: &mut Reader<'_>, table: &Table<'_>, bot: &mut Bot) {
    let Some(name) = table
        .get("timezone")
        .and_then(|field| reader.string(&field))
    else {
        return;
    };
    // The zones inside the program, not those of the machine: the same file is good or bad everywhere.
    let zones = TimeZoneDatabase::bundled();
    if let Ok(timezone) = zones.get(name.value) {
        bot.timezone = timezone;
        return;
    }
    let names: Vec<String> = zones.available().map(|zone| zone.to_string()).collect();
    let names = names.iter().map(String::as_str);
    // People know the city, seldom the continent before it.
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
    let wanted = city(name.value);
    let meant = suggest::closest(name.value, names.clone()).or_else(|| {
        names
            .filter(|name| name.contains('/'))
            .find(|name| city(name).eq_ignore_ascii_case(&wanted))
    });
    let help = meant.map_or_else(
        || "write it like `\"America/New_York\"`".to_owned(),
        |name| format!("did you mean `{name}`?"),
    );
    reader.report(
        Diagnostic::error(codes::TIMEZONE, name.span, "there is no such time zone")
            .label("not in the IANA list of time zones")
            .help(help),
    );
}

fn language(reader: &mut Reader<'_>, table: &Table<'_>, bot: &mut Bot) {
    let Some(tag) = table
        .get("language")
        .and_then(|field| reader.string(&field))
    else {
        return;
    };
    let mut parts = tag.value.split('-');
    let first = parts.next().unwrap_or_default();
    let sound = (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    if sound {
        tag.value.clone_into(&mut bot.language);
    } else {
        reader.report(
            Diagnostic::error(codes::VALUE, tag.span, "`language` is not a language tag")
                .help("write it like `\"en\"`, `\"es\"` or `\"pt-BR\"`".to_owned()),
        );
    }
}

fn reply_budget(reader: &mut Reader<'_>, table: &Table<'_>, bot: &mut Bot) {
    let Some(field) = table.get("reply_budget") else {
        return;
    };
    let Some(table) = reader.table(&field, &["per_minute", "per_hour"]) else {
        return;
    };
    let budget = &mut bot.reply_budget;
    for (name, value, range) in [
        ("per_minute", &mut budget.per_minute, &PER_MINUTE),
        ("per_hour", &mut budget.per_hour, &PER_HOUR),
    ] {
        if let Some(number) = table
            .get(name)
            .and_then(|field| reader.number(&field, range))
        {
            *value = number;
        }
    }
}

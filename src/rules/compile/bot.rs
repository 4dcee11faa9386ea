//! Reads `[bot]`.
//!
//! Next: [`super::rule`].

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::diagnostics::Diagnostic;
use crate::diagnostics::toml_reader::{Field, Reader, Table, Text};
use crate::diagnostics::{codes, suggest};
use crate::rules::{Bot, Budget};
use crate::text::language;

pub(super) const KEYS: [&str; 10] = [
    "name",
    "timezone",
    "language",
    "mark_read",
    "max_age",
    "reply_budget",
    "action_budget",
    "loop_guard",
    "human_pause",
    "debounce",
];

/// Allowed values of budgets. The upper bounds limit the times stored per conversation.
const PER_MINUTE: RangeInclusive<u32> = 1..=1000;
const PER_HOUR: RangeInclusive<u32> = 1..=1000;

/// Allowed values of `loop_guard`: contacts do repeat a text.
const LOOP_GUARD: RangeInclusive<u32> = 3..=1000;

const LOOP_GUARD_DEFAULT: u32 = 8;

/// Maximum `debounce`, for which every reply is delayed.
const DEBOUNCE_MAX: Duration = Duration::from_mins(1);

/// Maximum pause after a handoff, so that a conversation does not stay without answers for ever.
pub(crate) const PAUSE_MAX: Duration = Duration::from_hours(7 * 24);

/// Reads `[bot]`; an absent table gives the defaults, a wrong one `None`.
pub(crate) fn read(reader: &mut Reader<'_>, field: Option<&Field<'_>>) -> Option<Bot> {
    let mut bot = Bot {
        name: String::new(),
        timezone: TimeZone::UTC,
        language: "en".to_owned(),
        mark_read: true,
        max_age: Duration::from_mins(15),
        reply_budget: Budget {
            // A contact in a flow gets many replies in a minute.
            per_minute: 12,
            per_hour: 60,
        },
        action_budget: Budget {
            // One answer may need two actions: a model that chooses a rule, and the call of that
            // rule.
            per_minute: 20,
            per_hour: 100,
        },
        loop_guard: LOOP_GUARD_DEFAULT,
        human_pause: Duration::from_hours(8),
        debounce: None,
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
        bot.human_pause = at_most(reader, &field, PAUSE_MAX).unwrap_or_default();
    }
    if let Some(field) = table.get("debounce") {
        bot.debounce = at_most(reader, &field, DEBOUNCE_MAX);
    }
    if let Some(field) = table.get("loop_guard") {
        bot.loop_guard = loop_guard(reader, &field).unwrap_or_default();
    }
    timezone(reader, &table, &mut bot);
    language(reader, &table, &mut bot);
    budget(reader, &table, "reply_budget", &mut bot.reply_budget);
    budget(reader, &table, "action_budget", &mut bot.action_budget);
    Some(bot)
}

/// A number of texts, or `false` for none.
fn loop_guard(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<u32> {
    if field.is_boolean() {
        let is_on = reader.boolean(field)?;
        return Some(if is_on { LOOP_GUARD_DEFAULT } else { u32::MAX });
    }
    if field.is_string() {
        let (least, most) = (LOOP_GUARD.start(), LOOP_GUARD.end());
        let message = format!("`loop_guard` takes a whole number from {least} to {most}");
        let help = "`loop_guard = false` turns it off";
        return reader.refuse(codes::WRONG_TYPE, &field.span, message, help);
    }
    reader.number(field, &LOOP_GUARD)
}

fn timezone(reader: &mut Reader<'_>, table: &Table<'_>, bot: &mut Bot) {
    let Some(name) = table
        .get("timezone")
        .and_then(|field| reader.string(&field))
    else {
        return;
    };
    // The zones inside the program, not those of the machine: the same file is good or bad
    // everywhere.
    let zones = TimeZoneDatabase::bundled();
    if let Ok(timezone) = zones.get(name.value) {
        bot.timezone = timezone;
        return;
    }
    let names: Vec<String> = zones.available().map(|zone| zone.to_string()).collect();
    let names = names.iter().map(String::as_str);
    // Owners know the city, seldom the region before it.
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
    if language_tag(reader, &tag) {
        tag.value.clone_into(&mut bot.language);
    }
}

/// Reports a text that is no language tag.
pub(crate) fn language_tag(reader: &mut Reader<'_>, tag: &Text<'_>) -> bool {
    let valid = language::is_known(tag.value);
    if !valid {
        let message = "this is not a language tag";
        let help = "write it like `\"en\"`, `\"es\"` or `\"pt-BR\"`";
        reader.error(codes::VALUE, &tag.span, message, help);
    }
    valid
}

/// Reads a length of time that may not be longer than `most`.
pub(crate) fn at_most(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    most: Duration,
) -> Option<Duration> {
    let length = reader.duration(field)?;
    if length <= most {
        return Some(length);
    }
    let seconds = most.as_secs();
    let most = match seconds {
        0..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    };
    let message = format!("`{}` is too long", field.name);
    let error = Diagnostic::error(codes::VALUE, field.span.clone(), message);
    reader.report(error.label(format!("at most `{most}`")));
    None
}

fn budget(reader: &mut Reader<'_>, table: &Table<'_>, name: &str, budget: &mut Budget) {
    let Some(field) = table.get(name) else {
        return;
    };
    let Some(table) = reader.table(&field, &["per_minute", "per_hour"]) else {
        return;
    };
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

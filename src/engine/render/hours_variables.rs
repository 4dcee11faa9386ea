//! The opening hours around now: the group `hours`.
//!
//! The next opening may be a year away, and most texts do not ask for it, so the group is computed
//! when the first text does.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::{Timestamp, Zoned};
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;

use crate::rules::opening_hours::Schedule;
use crate::template::LazyGroup;
use crate::text::locale::Locale;

#[derive(Debug, Serialize)]
struct Hours {
    open: bool,
    /// In words of the contact's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_open: Option<String>,
    /// Local time, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_open_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_close: Option<String>,
}

/// Makes the group; `None` without `[hours]`.
pub(crate) fn lazy(
    schedule: Option<&Arc<Schedule>>,
    language: &str,
    local: Zoned,
) -> Option<LazyGroup> {
    let (schedule, language) = (Arc::clone(schedule?), language.to_owned());
    let (for_method, now) = (Arc::clone(&schedule), local.clone());
    let open_at = move |arguments: &[Value]| is_open_at(&for_method, &now, arguments);
    let compute = move || {
        let now = local.timestamp();
        let zoned = |at: Timestamp| at.to_zoned(local.time_zone().clone());
        let in_words = |at: Timestamp| Locale::parse(&language).when(&zoned(at), &local);
        let exact = |at: Timestamp| zoned(at).strftime("%Y-%m-%dT%H:%M").to_string();
        let next = schedule.next_open(now);
        Hours {
            open: schedule.is_open(now),
            next_open: next.map(in_words),
            next_open_at: next.map(exact),
            next_close: schedule.next_close(now).map(in_words),
        }
    };
    Some(LazyGroup::with_method(compute, "open_at", open_at))
}

/// `hours.open_at(day, time)`, `hours.open_at(day)` for any time of that day, `hours.open_at(time)`
/// for today.
fn is_open_at(schedule: &Schedule, now: &Zoned, arguments: &[Value]) -> Result<Value, Error> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts: Vec<String> = arguments.iter().map(text).collect();
    let (date, time): (Option<Date>, Option<Time>) = match &texts[..] {
        [day, time] => (day.parse().ok(), time.parse().ok()),
        [only] => match only.parse::<Date>() {
            Ok(date) => return Ok(Value::from(!schedule.spans(date).is_empty())),
            Err(_) => (Some(now.date()), only.parse().ok()),
        },
        _ => (None, None),
    };
    let Some((date, time)) = date.zip(time) else {
        let message = "`hours.open_at` takes a day and a time, or one of them";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    };
    let at = date.to_datetime(time).to_zoned(now.time_zone().clone());
    let at = at.map_err(|_| Error::from(ErrorKind::InvalidOperation))?;
    Ok(Value::from(schedule.is_open(at.timestamp())))
}

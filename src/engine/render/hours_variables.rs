//! The opening hours around now: the group `hours`.
//!
//! The next opening may be a year away, and most texts do not ask for it, so the group is computed
//! when the first text does.

use std::sync::Arc;

use jiff::{Timestamp, Zoned};
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
    Some(LazyGroup::new(move || {
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
    }))
}

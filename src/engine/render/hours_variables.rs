//! The opening hours around now: `hours.open` and what begins so.
//!
//! The next opening may be a year away, and most texts do not ask for it. So nothing is worked out
//! before one does.

use std::cell::OnceCell;

use jiff::{Timestamp, Zoned};
use serde::{Serialize, Serializer};

use crate::rules::opening_hours::Schedule;
use crate::text::locale::Locale;

/// The hours, worked out when the first text asks for them.
#[derive(Debug)]
pub(crate) struct Hours<'a> {
    schedule: Option<&'a Schedule>,
    /// Of the person.
    language: &'a str,
    local: Zoned,
    known: OnceCell<Known>,
}

#[derive(Debug, Serialize)]
struct Known {
    open: bool,
    /// As people say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_open: Option<String>,
    /// Local time, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_open_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_close: Option<String>,
}

impl<'a> Hours<'a> {
    pub(crate) fn later(schedule: Option<&'a Schedule>, language: &'a str, local: Zoned) -> Self {
        Self {
            schedule,
            language,
            local,
            known: OnceCell::new(),
        }
    }

    /// Whether nobody has asked yet, or there are none.
    pub(crate) fn is_unknown(&self) -> bool {
        self.known.get().is_none()
    }

    pub(crate) fn work_out(&self) {
        if let Some(schedule) = self.schedule {
            self.known.get_or_init(|| self.look(schedule));
        }
    }

    fn look(&self, schedule: &Schedule) -> Known {
        let now = self.local.timestamp();
        let zoned = |at: Timestamp| at.to_zoned(self.local.time_zone().clone());
        let said = |at: Timestamp| Locale::parse(self.language).when(&zoned(at), &self.local);
        let exact = |at: Timestamp| zoned(at).strftime("%Y-%m-%dT%H:%M").to_string();
        let next = schedule.next_open(now);
        Known {
            open: schedule.is_open(now),
            next_open: next.map(said),
            next_open_at: next.map(exact),
            next_close: schedule.next_close(now).map(said),
        }
    }
}

impl Serialize for Hours<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.known.get().serialize(serializer)
    }
}

//! Opening hours: when a shop is open, by the clock on its wall.
//!
//! A span is what the owner wrote, in local time; an opening is what comes of it on one date, as
//! two points in time. So the two days a year on which clocks are changed need no rules of their
//! own: a span that begins in the hour that is left out begins behind it, and one that ends in the
//! hour that comes twice ends the second time.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

/// Number of days ahead in which the next opening is searched for; beyond that the shop counts as
/// permanently closed.
const LOOK_AHEAD_DAYS: i64 = 400;

pub(crate) const DAY: u16 = 24 * 60;

/// When a shop is open.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(crate) timezone: TimeZone,
    /// From Monday.
    pub(crate) week: [Vec<Span>; 7],
    pub(crate) holidays: Vec<Holiday>,
}

/// From one time of day to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Minutes from midnight.
    pub from: u16,
    /// Minutes from the same midnight, not included; above a day when it ends on the next.
    pub to: u16,
}

/// Days that are not like others of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Which.
    pub days: Days,
    /// Open then; empty: closed.
    pub open: Vec<Span>,
}

/// The days of a holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// One day.
    On(Date),
    /// From the first to the last, both included.
    Range(Date, Date),
    /// Month and day, every year.
    Every(i8, i8),
}

/// The years that a day is meant in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Years {
    /// The one that is named.
    One,
    /// Each.
    All,
}

impl Days {
    fn contains(self, date: Date) -> bool {
        match self {
            Self::On(day) => day == date,
            Self::Range(first, last) => (first..=last).contains(&date),
            Self::Every(month, day) => date.month() == month && date.day() == day,
        }
    }

    /// Sort key: the holiday with the fewest days wins; a fixed year wins over every year.
    #[must_use]
    pub fn breadth(self) -> (i32, Years) {
        match self {
            Self::On(_) => (1, Years::One),
            Self::Range(first, last) => ((last - first).get_days() + 1, Years::One),
            Self::Every(..) => (1, Years::All),
        }
    }

    /// A day that both name, when none of the two is broader.
    #[must_use]
    pub fn rivals(self, other: Self) -> Option<String> {
        if self.breadth() != other.breadth() {
            return None;
        }
        if self == other {
            return Some(self.to_string());
        }
        let (first, last) = self.ends()?;
        let (other_first, other_last) = other.ends()?;
        let first = first.max(other_first);
        (first <= last.min(other_last)).then(|| first.to_string())
    }

    /// The first and the last of them; none when they come again.
    fn ends(self) -> Option<(Date, Date)> {
        match self {
            Self::On(day) => Some((day, day)),
            Self::Range(first, last) => Some((first, last)),
            Self::Every(..) => None,
        }
    }

    /// The last of them; none when they come again.
    #[must_use]
    pub fn last(self) -> Option<Date> {
        self.ends().map(|(_, last)| last)
    }
}

impl std::fmt::Display for Days {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::On(day) => write!(f, "{day}"),
            Self::Range(first, last) => write!(f, "{first} to {last}"),
            Self::Every(month, day) => write!(f, "{month:02}-{day:02} of every year"),
        }
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let to = if self.to > DAY {
            self.to - DAY
        } else {
            self.to
        };
        let (from, minute) = (self.from / 60, self.from % 60);
        write!(f, "{from:02}:{minute:02}-{:02}:{:02}", to / 60, to % 60)
    }
}

impl Schedule {
    /// The zone of its times.
    #[must_use]
    pub fn timezone(&self) -> &TimeZone {
        &self.timezone
    }

    /// The holiday that a date is one of; of several that with the fewest days, of equals the first
    /// in the file.
    #[must_use]
    pub fn holiday(&self, date: Date) -> Option<&Holiday> {
        let holidays = self.holidays.iter();
        let named = holidays.filter(|holiday| holiday.days.contains(date));
        named.min_by_key(|holiday| holiday.days.breadth())
    }

    /// The spans that begin on a date: those of its holiday, else those of its day of the week.
    #[must_use]
    pub fn spans(&self, date: Date) -> &[Span] {
        match self.holiday(date) {
            Some(holiday) => &holiday.open,
            None => &self.week[usize::from(day_index(date.weekday()))],
        }
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.opening_at(at).is_some()
    }

    /// The next time it opens after a point in time, whether it is open then or not; `None`: not in
    /// sight.
    #[must_use]
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        let today = at.to_zoned(self.timezone.clone()).date();
        if self.never_closes_from(today) {
            return None;
        }
        let days = (-1..=LOOK_AHEAD_DAYS).map_while(|ahead| today.checked_add(ahead.days()).ok());
        for day in days {
            let starts = self.openings(day).map(|(start, _)| start);
            // Spans that touch are one opening.
            let mut new = starts.filter(|start| *start > at && !self.is_open_just_before(*start));
            if let Some(first) = new.next() {
                return Some(new.fold(first, Timestamp::min));
            }
        }
        None
    }

    /// The time it closes, when it is open; `None`: it is closed, or open for ever.
    #[must_use]
    pub fn next_close(&self, at: Timestamp) -> Option<Timestamp> {
        let (_, mut end) = self.opening_at(at)?;
        if self.never_closes_from(at.to_zoned(self.timezone.clone()).date()) {
            return None;
        }
        let limit = at.checked_add((LOOK_AHEAD_DAYS * 24).hours()).ok()?;
        while let Some((_, later)) = self.opening_at(end) {
            end = later;
            if end > limit {
                return None;
            }
        }
        Some(end)
    }

    /// Whether there is no closed minute from this date on: no holiday is to come, and the week has
    /// none. Spares a walk over every day of a year.
    fn never_closes_from(&self, today: Date) -> bool {
        // An opening of yesterday may last into today.
        let is_over = |holiday: &Holiday| {
            let last = holiday.days.last().and_then(|last| last.tomorrow().ok());
            last.is_some_and(|behind| behind < today)
        };
        self.holidays.iter().all(is_over) && self.week_has_no_gap()
    }

    fn week_has_no_gap(&self) -> bool {
        let late = |day: usize| self.week[day].iter().map(|span| span.to).max();
        (0..7).all(|day| {
            let mut spans = self.week[day].clone();
            spans.sort_unstable_by_key(|span| span.from);
            let mut open_until = late((day + 6) % 7).unwrap_or(0).saturating_sub(DAY);
            for span in spans {
                if span.from > open_until {
                    return false;
                }
                open_until = open_until.max(span.to);
            }
            open_until >= DAY
        })
    }

    fn is_open_just_before(&self, at: Timestamp) -> bool {
        let before = at.checked_sub(1.nanosecond());
        before.is_ok_and(|before| self.is_open(before))
    }

    /// The opening that a point in time is in.
    fn opening_at(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let today = at.to_zoned(self.timezone.clone()).date();
        let yesterday = today.yesterday().ok();
        let days = yesterday.into_iter().chain([today]);
        let mut openings = days.flat_map(|day| self.openings(day));
        openings.find(|(start, end)| (*start..*end).contains(&at))
    }

    /// Openings that the spans of a date result in.
    fn openings(&self, date: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let spans = self.spans(date).iter();
        spans.filter_map(move |span| {
            let start = self.begin(local(date, span.from)?)?;
            let end = self.end(local(date, span.to)?)?;
            (start < end).then_some((start, end))
        })
    }

    /// The first time the clock shows this, or passes it.
    fn begin(&self, at: DateTime) -> Option<Timestamp> {
        match self.timezone.to_ambiguous_timestamp(at).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(at).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(at).ok(),
            AmbiguousOffset::Gap { after, .. } => self.end_of_gap(after.to_timestamp(at).ok()?),
        }
    }

    /// The last time the clock shows this, or passes it.
    fn end(&self, at: DateTime) -> Option<Timestamp> {
        match self.timezone.to_ambiguous_timestamp(at).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(at).ok(),
            AmbiguousOffset::Fold { after, .. } => after.to_timestamp(at).ok(),
            AmbiguousOffset::Gap { after, .. } => self.end_of_gap(after.to_timestamp(at).ok()?),
        }
    }

    /// A time that is left out, counted with the offset behind the gap, lies before the gap.
    fn end_of_gap(&self, before: Timestamp) -> Option<Timestamp> {
        let mut transitions = self.timezone.following(before);
        transitions.next().map(|transition| transition.timestamp())
    }
}

/// 0 for Monday.
pub(crate) fn day_index(day: Weekday) -> u8 {
    u8::try_from(day.to_monday_zero_offset()).unwrap_or(0)
}

fn local(date: Date, minutes: u16) -> Option<DateTime> {
    let midnight = date.at(0, 0, 0, 0);
    midnight.checked_add(i64::from(minutes).minutes()).ok()
}

#[cfg(test)]
mod tests;

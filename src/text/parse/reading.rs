//! One way to explain an answer, and the day and the time on which its parts agree.

use jiff::ToSpan as _;
use jiff::civil::{Date, Time, Weekday};

use super::dictionary::{Meaning, Part};
use super::numeric_dates::day_of_month;

pub(super) const NOON: i16 = 12 * 60;
pub(super) const MIDNIGHT: i16 = 0;

/// A part of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Words that add nothing.
    Nothing,
    /// Words of wanting or before a day: a number alone is not an hour.
    Wish,
    /// A number of people.
    People,
    Date(Date),
    /// A day that has a name, counted from today.
    Relative(Date),
    /// A day a number of days or weeks from today.
    Counted(Date),
    /// A part of such a day: tonight.
    RelativeIn(Date, Part),
    Weekday(Weekday, Which),
    NextWeek,
    WeekAfterNext,
    /// A day of the month; bare if only a weekday beside it makes the number one.
    Day {
        day: i8,
        is_bare: bool,
    },
    Clock(Clock),
    Part(Part),
    /// Noon or midnight, in minutes of the day.
    Named(i16),
}

/// How a weekday is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// `friday`, `this friday`
    Coming,
    /// `next friday`: some mean the coming one, others that of next week.
    Next,
}

impl Which {
    pub(super) fn from_meaning(meaning: Meaning) -> Option<Self> {
        match meaning {
            Meaning::This => Some(Self::Coming),
            Meaning::Next => Some(Self::Next),
            _ => None,
        }
    }
}

/// Hour and minute as written, on the 12-hour or the 24-hour clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// Minutes since midnight, as far as the hour says; below 0 for a quarter to midnight.
    pub(super) minutes: i16,
    /// Whether no word or sign marks the number as an hour.
    pub(super) is_bare: bool,
    /// Whether a bare hour is a word, not digits.
    pub(super) is_word: bool,
    /// Whether minutes were taken away from the hour.
    pub(super) is_before: bool,
}

/// One way to explain a text: an item for each group of tokens.
#[derive(Debug)]
pub(super) struct Reading(Vec<Item>);

impl Reading {
    /// Makes a reading; `None` if a number is taken for a day or an hour without a reason.
    pub(super) fn new(items: &[Item]) -> Option<Self> {
        let has = |is_wanted: fn(&Item) -> bool| items.iter().any(is_wanted);
        let has_weekday = has(|item| matches!(item, Item::Weekday(..)));
        let has_bare_day = has(|item| matches!(item, Item::Day { is_bare: true, .. }));
        let has_bare_clock = has(|item| matches!(item, Item::Clock(clock) if clock.is_bare));
        let has_part = has(|item| matches!(item, Item::Part(_) | Item::RelativeIn(..)));
        let has_day = has(|item| {
            matches!(
                item,
                Item::Date(_)
                    | Item::Weekday(..)
                    | Item::NextWeek
                    | Item::WeekAfterNext
                    | Item::Day { .. }
                    | Item::Wish
            )
        });
        let has_counted = has(|item| matches!(item, Item::Counted(_)));
        let has_relative = has_counted || has(|item| matches!(item, Item::Relative(_)));
        let has_word = has(|item| matches!(item, Item::Clock(clock) if clock.is_word));
        let is_unsure = has_bare_clock && !has_part && (has_day || has_relative && has_word);
        // "Friday in a week" counts from Friday.
        let is_doubtful = is_unsure || has_weekday && has_counted;
        (!is_doubtful && (has_weekday || !has_bare_day)).then(|| Self(items.to_vec()))
    }

    /// Finds the only value of some kind; the outer `None` means two that differ.
    #[expect(clippy::option_option, reason = "no value is something else than two")]
    fn only<T: PartialEq>(&self, value_of: impl Fn(Item) -> Option<T>) -> Option<Option<T>> {
        let mut values = self.0.iter().filter_map(|item| value_of(*item));
        let first = values.next();
        let agree = values.all(|value| Some(&value) == first.as_ref());
        agree.then_some(first)
    }

    /// Finds the day on which all parts agree.
    pub(super) fn date(&self, today: Date) -> Option<Date> {
        let date = self.only(|item| match item {
            Item::Date(date)
            | Item::Relative(date)
            | Item::Counted(date)
            | Item::RelativeIn(date, _) => Some(Some(date)),
            Item::Day { day, .. } => Some(day_of_month(day, today)),
            _ => None,
        })?;
        let weekday = self.only(|item| match item {
            Item::Weekday(weekday, which) => Some((weekday, which)),
            _ => None,
        })?;
        if self.names_time() {
            // Of a time in the night, people name the day before or the day after.
            let (time, part) = (self.time()?, self.part()?);
            let is_named = part.is_some() || self.0.contains(&Item::Named(MIDNIGHT));
            if time.hour() == 0 && is_named || time.hour() < 6 && part == Some(Part::Night) {
                return None;
            }
        }
        let mut weeks = self.0.iter().filter_map(|item| match item {
            Item::NextWeek => Some(1),
            Item::WeekAfterNext => Some(2),
            _ => None,
        });
        let week = weeks.next();
        if weeks.next().is_some() {
            return None;
        }
        match (date, weekday) {
            (Some(date), None) => date.filter(|_| week.is_none()),
            (Some(date), Some((weekday, Which::Coming))) if week.is_none() => {
                date.filter(|date| date.weekday() == weekday)
            }
            (date, Some((weekday, which))) => {
                let named = named_day(weekday, which, week, today);
                named.filter(|named| date.is_none_or(|date| date == Some(*named)))
            }
            (None, None) => None,
        }
    }

    /// Finds the time on which all parts agree.
    pub(super) fn time(&self) -> Option<Time> {
        let named = self.only(|item| match item {
            Item::Named(minutes) => Some(minutes),
            _ => None,
        })?;
        let clock = self.only(|item| match item {
            Item::Clock(clock) => Some(clock),
            _ => None,
        })?;
        let part = self.part()?;
        match (named, clock) {
            (None, Some(clock)) => clock.in_part(part),
            // "12 noon" is one time; "noon at 3" are two.
            (Some(named), Some(clock)) => [named, NOON]
                .contains(&clock.minutes)
                .then(|| at(named))
                .flatten(),
            (Some(named), None) => {
                let its_parts = if named == NOON {
                    [Part::Afternoon, Part::Midday]
                } else {
                    [Part::Evening, Part::Night]
                };
                let is_its = part.is_none_or(|part| its_parts.contains(&part));
                is_its.then(|| at(named)).flatten()
            }
            (None, None) => None,
        }
    }

    /// Finds the part of the day; the outer `None` means two.
    #[expect(clippy::option_option, reason = "no part is something else than two")]
    fn part(&self) -> Option<Option<Part>> {
        let mut parts = self.0.iter().filter_map(|item| match item {
            Item::Part(part) | Item::RelativeIn(_, part) => Some(*part),
            _ => None,
        });
        parts.try_fold(None, |merged: Option<Part>, part| match merged {
            None => Some(Some(part)),
            Some(other) => other.with(part).map(Some),
        })
    }

    fn names_time(&self) -> bool {
        let is_time = |item: &Item| matches!(item, Item::Clock(_) | Item::Named(_));
        self.0.iter().any(is_time)
    }
}

impl Part {
    /// Whether it is a half of the 12-hour clock.
    pub(super) fn is_half(self) -> bool {
        matches!(self, Self::FirstHalf | Self::SecondHalf)
    }

    /// Merges parts of one time: `am` and `in the morning` may stand together.
    fn with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (part, other) if part == other => Some(part),
            (Self::FirstHalf, Self::Morning) | (Self::Morning, Self::FirstHalf) => {
                Some(Self::Morning)
            }
            (Self::SecondHalf, part @ (Self::Afternoon | Self::Evening))
            | (part @ (Self::Afternoon | Self::Evening), Self::SecondHalf) => Some(part),
            (half @ (Self::FirstHalf | Self::SecondHalf), Self::Night)
            | (Self::Night, half @ (Self::FirstHalf | Self::SecondHalf)) => Some(half),
            (Self::Evening, Self::Night) | (Self::Night, Self::Evening) => Some(Self::Night),
            _ => None,
        }
    }
}

impl Clock {
    /// An hour that a word marks, and minutes to add to it.
    pub(super) fn new(hour: i16, minutes: i16) -> Self {
        Self {
            minutes: hour * 60 + minutes,
            is_bare: false,
            is_word: false,
            is_before: minutes < 0,
        }
    }

    /// Makes a time of an hour in a part of the day; `None` if it is ambiguous.
    fn in_part(self, part: Option<Part>) -> Option<Time> {
        let hour = self.minutes.div_euclid(60);
        // A quarter to one and a quarter to twelve are in the other half of the day.
        if self.is_before && (part.is_none() && hour < 1 || part.is_some() && hour == 11) {
            return None;
        }
        let hour = match (part, hour) {
            (None, _)
            | (Some(Part::Morning), 0..=11)
            | (Some(Part::Afternoon), 12..=18)
            | (Some(Part::Evening), 16..=23)
            | (Some(Part::Midday), 10..=15)
            | (Some(Part::Night), 0..=5 | 18..=23) => hour,
            (Some(Part::FirstHalf), 0..=12) => hour % 12,
            (Some(Part::SecondHalf), 0..=12) => hour % 12 + 12,
            (Some(Part::Afternoon), 1..=9)
            | (Some(Part::Evening), 5..=11)
            | (Some(Part::Midday), 1..=3)
            | (Some(Part::Night), 7..=11) => hour + 12,
            (Some(Part::Night), 12) => 0,
            _ => return None,
        };
        at(hour * 60 + self.minutes.rem_euclid(60))
    }
}

/// Makes a time of the minutes of a day.
fn at(minutes: i16) -> Option<Time> {
    let hour = i8::try_from(minutes.div_euclid(60)).ok()?;
    let minute = i8::try_from(minutes.rem_euclid(60)).ok()?;
    Time::new(hour, minute, 0, 0).ok()
}

/// Finds the day of `friday`, `next friday`, `friday next week`; `None` where people disagree. The
/// week is counted from this one.
fn named_day(weekday: Weekday, which: Which, week: Option<i64>, today: Date) -> Option<Date> {
    let days_to_monday = 7 * week.unwrap_or(1) - i64::from(today.weekday().to_monday_zero_offset());
    // Where weeks begin on a Sunday, the Sunday of next week is another date.
    let in_next_week = || {
        let monday = today.checked_add(days_to_monday.days()).ok()?;
        on_or_after(monday, weekday).filter(|_| weekday != Weekday::Sunday)
    };
    if week.is_some() {
        return in_next_week();
    }
    match which {
        Which::Coming => on_or_after(today, weekday),
        Which::Next => {
            let coming = on_or_after(today.tomorrow().ok()?, weekday)?;
            in_next_week().filter(|date| *date == coming)
        }
    }
}

fn on_or_after(from: Date, weekday: Weekday) -> Option<Date> {
    let days = (0..7_i64).map(|ahead| from.checked_add(ahead.days()));
    days.flatten().find(|day| day.weekday() == weekday)
}

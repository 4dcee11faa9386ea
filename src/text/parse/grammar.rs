//! Finds the readings of an answer: every way to explain all of its tokens, as parts of a day, of a
//! time, or as words that add nothing. A text with a token that nothing explains has no reading.

use jiff::ToSpan as _;

use super::answer::Answer;
use super::dictionary::Meaning;
use super::numeric_dates;
use super::reading::{Item, MIDNIGHT, NOON, Reading, Which};
use super::tokens::Token;

/// Upper bound of the steps of one text: a longer search ends without a reading.
const STEPS_MAX: usize = 20_000;

impl Answer<'_> {
    /// Lists the readings of the whole text.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let mut readings = Vec::new();
        let mut steps = 0;
        self.read_on(0, &mut Vec::new(), &mut readings, &mut steps);
        if steps > STEPS_MAX {
            readings.clear();
        }
        readings
    }

    fn read_on(
        &self,
        at: usize,
        items: &mut Vec<Item>,
        readings: &mut Vec<Reading>,
        steps: &mut usize,
    ) {
        *steps += 1;
        if at == self.tokens.len() {
            readings.extend(Reading::new(items));
            return;
        }
        for (end, item) in self.items(at) {
            if *steps <= STEPS_MAX {
                items.push(item);
                self.read_on(end, items, readings, steps);
                items.pop();
            }
        }
    }

    fn items(&self, at: usize) -> Vec<(usize, Item)> {
        let mut items = Vec::new();
        for (end, meaning) in self.phrases(at) {
            self.push_phrase(at, end, meaning, &mut items);
        }
        self.push_dates(at, &mut items);
        self.push_days(at, &mut items);
        self.push_counted(at, &mut items);
        for (end, clock) in self.clocks(at) {
            items.push((end, Item::Clock(clock)));
        }
        for start in self.skip(at, Meaning::Counted) {
            for (number, _) in self.integers(start) {
                let people = self.ends(number, |meaning| meaning == Meaning::Person);
                items.extend(people.into_iter().map(|end| (end, Item::People)));
            }
        }
        items
    }

    fn push_phrase(&self, at: usize, end: usize, meaning: Meaning, items: &mut Vec<(usize, Item)>) {
        let item = match meaning {
            Meaning::Filler if !self.is_glued(at, end) => Item::Nothing,
            Meaning::At if self.begins_time(end) => Item::Nothing,
            Meaning::On if self.begins_day(end) => Item::Nothing,
            Meaning::Wish => Item::Wish,
            Meaning::Day(ahead, part) => match self.today.checked_add(ahead.days()) {
                Ok(date) => match part {
                    Some(part) => Item::RelativeIn(date, part),
                    None => Item::Relative(date),
                },
                Err(_) => return,
            },
            Meaning::Weekday(weekday) => {
                items.push((end, Item::Weekday(weekday, Which::Coming)));
                for (behind, meaning) in self.phrases(end) {
                    match meaning {
                        Meaning::This => {
                            items.push((behind, Item::Weekday(weekday, Which::Coming)));
                        }
                        Meaning::Next => items.push((behind, Item::Weekday(weekday, Which::Next))),
                        _ => {}
                    }
                }
                return;
            }
            Meaning::This | Meaning::Next => {
                let which = if meaning == Meaning::Next {
                    Which::Next
                } else {
                    Which::Coming
                };
                for (behind, meaning) in self.phrases(end) {
                    if let Meaning::Weekday(weekday) = meaning {
                        items.push((behind, Item::Weekday(weekday, which)));
                    }
                }
                return;
            }
            Meaning::NextWeek => Item::NextWeek,
            Meaning::Part(part) => Item::Part(part),
            Meaning::Noon => Item::Named(NOON),
            Meaning::Midnight => Item::Named(MIDNIGHT),
            _ => return,
        };
        items.push((end, item));
    }

    /// Whether more of a time follows, to which a word like "at" may belong.
    fn begins_time(&self, at: usize) -> bool {
        let is_time = |meaning| {
            matches!(
                meaning,
                Meaning::At | Meaning::Noon | Meaning::Midnight | Meaning::BeforeHour(_)
            )
        };
        !self.ends(at, is_time).is_empty()
    }

    /// Whether a weekday or a number follows, to which a word like "on" may belong.
    fn begins_day(&self, at: usize) -> bool {
        let is_day = |meaning| {
            matches!(
                meaning,
                Meaning::Weekday(_) | Meaning::This | Meaning::Next | Meaning::NextWeek
            )
        };
        let is_number = self
            .tokens
            .get(at)
            .is_some_and(|token| token.number().is_some());
        is_number || !self.ends(at, is_day).is_empty()
    }

    /// Dates in digits, and dates with the name of a month.
    fn push_dates(&self, at: usize, items: &mut Vec<(usize, Item)>) {
        for (end, date) in numeric_dates::dates(self, at) {
            for end in self.skip(end, Meaning::YearSuffix) {
                items.push((end, Item::Date(date)));
            }
        }
        for start in self.skip(at, Meaning::On) {
            for (behind, day) in self.day_numbers(start) {
                for of in self.skip(behind, Meaning::Of) {
                    for (end, month) in self.months(of) {
                        self.push_month(end, month, day, items);
                    }
                }
            }
            for (behind, month) in self.months(start) {
                // "mar 24" in Spanish may be Tuesday the 24th.
                let is_weekday = |meaning| matches!(meaning, Meaning::Weekday(_));
                if !self.ends(start, is_weekday).is_empty() {
                    continue;
                }
                for on in self.skip(behind, Meaning::On) {
                    for (end, day) in self.day_numbers(on) {
                        self.push_month(end, month, day, items);
                    }
                }
            }
        }
    }

    /// Adds the date of a day and a month, with the year that may follow.
    fn push_month(&self, end: usize, month: i8, day: i8, items: &mut Vec<(usize, Item)>) {
        let mut push = |end: usize, year: Option<i16>| {
            if let Some(date) = numeric_dates::dated(year, month, day, self.today) {
                items.push((end, Item::Date(date)));
            }
        };
        push(end, None);
        for of in self.skip(end, Meaning::Of) {
            let digits = self.tokens.get(of).and_then(Token::number);
            let is_last = of + 1 == self.tokens.len();
            let year = digits.and_then(|digits| numeric_dates::year(self, digits, is_last));
            if let Some(year) = year {
                for end in self.skip(of + 1, Meaning::YearSuffix) {
                    push(end, Some(year));
                }
            }
        }
    }

    fn months(&self, at: usize) -> Vec<(usize, i8)> {
        let phrases = self.phrases(at).into_iter();
        let months = phrases.filter_map(|(end, meaning)| match meaning {
            Meaning::Month(month) => Some((end, month)),
            _ => None,
        });
        months.collect()
    }

    /// Days of the month: `24`, `24th`, `24.`, `first`.
    fn day_numbers(&self, at: usize) -> Vec<(usize, i8)> {
        let mut days = Vec::new();
        for (end, number) in self.integers(at) {
            let Some(day) = i8::try_from(number)
                .ok()
                .filter(|day| (1..=31).contains(day))
            else {
                continue;
            };
            days.push((end, day));
            // "5 o 6" in Spanish are two numbers.
            let has_suffix = self.tokens.get(end).is_some_and(|token| token.attached);
            let suffixes = self.ends(end, |meaning| has_suffix && meaning == Meaning::DaySuffix);
            days.extend(suffixes.into_iter().map(|end| (end, day)));
        }
        for (end, meaning) in self.phrases(at) {
            if let Meaning::Ordinal(day) = meaning {
                days.push((end, day));
            }
        }
        days
    }

    /// Days of the month without a month: `the 24th`, `am 24.`, and a number beside a weekday.
    fn push_days(&self, at: usize, items: &mut Vec<(usize, Item)>) {
        let ons = self.ends(at, |meaning| meaning == Meaning::On);
        for on in &ons {
            for (end, day) in self.day_numbers(*on) {
                items.push((
                    end,
                    Item::Day {
                        day,
                        is_bare: false,
                    },
                ));
            }
        }
        for (end, day) in self.day_numbers(at) {
            let is_bare = self.integers(at).iter().any(|(number, _)| *number == end);
            items.push((end, Item::Day { day, is_bare }));
        }
    }

    /// Numbers of days and weeks from today: `in 3 days`, `two weeks from now`.
    fn push_counted(&self, at: usize, items: &mut Vec<(usize, Item)>) {
        let loose_days = &self.locale.words.dates.loose_days;
        let within = self.ends(at, |meaning| meaning == Meaning::Within);
        let starts = within
            .iter()
            .map(|start| (*start, true))
            .chain([(at, false)]);
        for (start, is_within) in starts {
            let mut counts = self.integers(start);
            let articles = self.ends(start, |meaning| meaning == Meaning::Article);
            counts.extend(articles.into_iter().map(|end| (end, 1)));
            for (behind, count) in counts {
                for (end, meaning) in self.phrases(behind) {
                    let length = match meaning {
                        Meaning::Days if !loose_days.contains(&count) => 1,
                        Meaning::Weeks => 7,
                        _ => continue,
                    };
                    let days = i64::from(count) * length;
                    let date = self.today.checked_add(days.days());
                    let Some(date) = date.ok().filter(|_| (1..=366).contains(&days)) else {
                        continue;
                    };
                    if is_within {
                        items.push((end, Item::Counted(date)));
                    }
                    let later = self.ends(end, |meaning| meaning == Meaning::FromNow);
                    items.extend(later.into_iter().map(|end| (end, Item::Counted(date))));
                }
            }
        }
    }
}

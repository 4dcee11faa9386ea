//! Finds the readings of an answer: every way to explain all of its tokens, as parts of a day, of a
//! time, or as words that add nothing. A text with a token that nothing explains has no reading.

use jiff::ToSpan as _;

use super::answer::Answer;
use super::dictionary::Meaning;
use super::numeric_dates;
use super::reading::{Item, MIDNIGHT, NOON, Reading, Which};
use super::tokens::Token;

/// Shortest word that makes the number before it a day without touching it, in letters.
const DETACHED_MIN: usize = 3;
/// Upper bound of the steps of one text: a longer search ends without a reading.
const STEPS_MAX: usize = 20_000;

/// Search through the items of all places.
struct Search {
    /// The items that begin at each place, and where they end.
    places: Vec<Vec<(usize, Item)>>,
    /// The items up to the place that the search has come to.
    items: Vec<Item>,
    readings: Vec<Reading>,
    steps: usize,
}

impl Search {
    fn read_on(&mut self, at: usize) {
        self.steps += 1;
        if at == self.places.len() {
            self.readings.extend(Reading::new(&self.items));
            return;
        }
        for index in 0..self.places[at].len() {
            if self.steps <= STEPS_MAX {
                let (end, item) = self.places[at][index];
                self.items.push(item);
                self.read_on(end);
                self.items.pop();
            }
        }
    }
}

impl Answer<'_> {
    /// Lists the readings of the whole text.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let places = (0..self.tokens.len()).map(|at| self.items(at));
        let mut search = Search {
            places: places.collect(),
            items: Vec::new(),
            readings: Vec::new(),
            steps: 0,
        };
        search.read_on(0);
        if search.steps > STEPS_MAX {
            search.readings.clear();
        }
        search.readings
    }

    fn items(&self, at: usize) -> Vec<(usize, Item)> {
        let mut items = Vec::new();
        let phrases = self.phrases(at);
        let is_unclear = |(_, meaning): &(usize, Meaning)| *meaning == Meaning::Unclear;
        if phrases.iter().any(is_unclear) {
            return items;
        }
        for &(end, meaning) in phrases {
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
                let people = self.ends(number, Meaning::Person);
                items.extend(people.into_iter().map(|end| (end, Item::People)));
            }
        }
        items
    }

    fn push_phrase(&self, at: usize, end: usize, meaning: Meaning, items: &mut Vec<(usize, Item)>) {
        let item = match meaning {
            Meaning::Filler if !self.is_glued(at, end) => Item::Nothing,
            Meaning::At if self.begins_time(end) && !self.follows_number(at) => Item::Nothing,
            // A number behind it is a day, not an hour.
            Meaning::On if self.begins_day(end) => Item::Wish,
            Meaning::Wish => Item::Wish,
            Meaning::Day(ahead, part) => match self.today.checked_add(ahead.days()) {
                Ok(date) => match part {
                    Some(part) => Item::RelativeIn(date, part),
                    None => Item::Relative(date),
                },
                Err(_) => return,
            },
            Meaning::Weekday(weekday) => {
                let behind = self.find(end, Which::from_meaning).into_iter();
                items.extend(behind.map(|(end, which)| (end, Item::Weekday(weekday, which))));
                Item::Weekday(weekday, Which::Coming)
            }
            Meaning::This | Meaning::Next => {
                items.extend(self.find(end, |behind| match behind {
                    Meaning::Weekday(weekday) => {
                        Which::from_meaning(meaning).map(|which| Item::Weekday(weekday, which))
                    }
                    _ => None,
                }));
                return;
            }
            Meaning::NextWeek => Item::NextWeek,
            Meaning::WeekAfterNext => Item::WeekAfterNext,
            Meaning::Part(part) => Item::Part(part),
            Meaning::Noon => Item::Named(NOON),
            Meaning::Midnight => Item::Named(MIDNIGHT),
            _ => return,
        };
        items.push((end, item));
    }

    /// Whether a number ends here: the word of an hour behind it makes a length of time, as in
    /// Indonesian "2 jam".
    fn follows_number(&self, at: usize) -> bool {
        (0..at).any(|start| self.integers(start).iter().any(|(end, _)| *end == at))
    }

    /// Whether more of a time follows, to which a word like "at" may belong.
    fn begins_time(&self, at: usize) -> bool {
        let is_time = |meaning| {
            matches!(
                meaning,
                Meaning::At | Meaning::Noon | Meaning::Midnight | Meaning::BeforeHour(_)
            )
        };
        self.has(at, is_time)
    }

    /// Whether a weekday or a number follows, to which a word like "on" may belong.
    fn begins_day(&self, at: usize) -> bool {
        let is_day = |meaning| {
            matches!(
                meaning,
                Meaning::Weekday(_)
                    | Meaning::This
                    | Meaning::Next
                    | Meaning::NextWeek
                    | Meaning::WeekAfterNext
            )
        };
        let is_number = self
            .tokens
            .get(at)
            .is_some_and(|token| token.number().is_some());
        is_number || self.has(at, is_day)
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
                if self.has(start, is_weekday) {
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
        self.find(at, |meaning| match meaning {
            Meaning::Month(month) => Some(month),
            _ => None,
        })
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
            // "5 o 6" in Spanish are two numbers, but "24 числа" in Russian is a day.
            let is_suffix = |token: &Token| {
                let letters = token.word().map_or(0, |word| word.chars().count());
                token.attached || letters >= DETACHED_MIN
            };
            if self.tokens.get(end).is_some_and(is_suffix) {
                let suffixes = self.ends(end, Meaning::DaySuffix).into_iter();
                days.extend(suffixes.map(|end| (end, day)));
            }
        }
        days.extend(self.find(at, |meaning| match meaning {
            Meaning::Ordinal(day) => Some(day),
            _ => None,
        }));
        days
    }

    /// Days of the month without a month: `the 24th`, `am 24.`, and a number beside a weekday.
    fn push_days(&self, at: usize, items: &mut Vec<(usize, Item)>) {
        for start in self.skip(at, Meaning::On) {
            let numbers = self.integers(start);
            for (end, day) in self.day_numbers(start) {
                let is_bare = start == at && numbers.iter().any(|(number, _)| *number == end);
                items.push((end, Item::Day { day, is_bare }));
            }
        }
    }

    /// Numbers of days and weeks from today: `in 3 days`, `two weeks from now`.
    fn push_counted(&self, at: usize, items: &mut Vec<(usize, Item)>) {
        let loose_days = &self.locale.words.dates.loose_days;
        for start in self.skip(at, Meaning::Within) {
            let mut counts = self.integers(start);
            counts.extend(self.find(start, |meaning| (meaning == Meaning::Article).then_some(1)));
            for (behind, count) in counts {
                for &(end, meaning) in self.phrases(behind) {
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
                    if start > at {
                        items.push((end, Item::Counted(date)));
                    }
                    let later = self.ends(end, Meaning::FromNow);
                    items.extend(later.into_iter().map(|end| (end, Item::Counted(date))));
                }
            }
        }
    }
}

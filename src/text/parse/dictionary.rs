//! Meanings of the words of a language: its lexicon, and the months and weekdays of Unicode's data.

use std::collections::HashMap;
use std::sync::OnceLock;

use jiff::civil::Weekday;

use crate::text::lexicon::{self, Times, Words};
use crate::text::locale::Locale;
use crate::text::normalize::NormalizedText;

/// Shortest name of a month or weekday that is unambiguous, and shortest beginning of a month's
/// name that is one, in letters.
const NAME_MIN: usize = 3;

/// What a phrase means within an answer. A phrase may mean several things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Adds nothing: `please`.
    Filler,
    /// Says what a command is about: `stop it`.
    Object,
    /// A place in a list of choices.
    Place(u8),
    /// A word for one of several choices.
    Choice,
    Yes,
    No,
    /// Says that somebody wants something, perhaps a number of things.
    Wish,
    /// This many days from today, in a part of the day if the phrase names one: `tonight`.
    Day(i64, Option<Part>),
    Weekday(Weekday),
    Month(i8),
    This,
    Next,
    NextWeek,
    WeekAfterNext,
    /// Leaves open which day or time is meant.
    Unclear,
    /// Before a number of days: `in 3 days`.
    Within,
    Days,
    Weeks,
    FromNow,
    /// Before a day of the month: `on the 24th`, `am 24.`
    On,
    /// Between day and month, and before a year: `24th of December`.
    Of,
    /// Makes a number a day of the month: `24th`.
    DaySuffix,
    MonthSuffix,
    YearSuffix,
    /// A day of the month in a word: `first`.
    Ordinal(i8),
    Part(Part),
    Noon,
    Midnight,
    /// Before an hour: `at`.
    At,
    /// Behind an hour: `Uhr`.
    Hour,
    /// Behind an hour, unless it may be a duration: `2 hours`.
    Hours,
    /// The name of an hour that is not a number.
    HourName(i16),
    /// Behind minutes.
    Minute,
    /// An hour with its minutes, in minutes of the day: `half past five` where that is one word.
    Named(i16),
    /// Minutes to add to the hour behind the phrase: 30 for `half past`, -15 for `quarter to`.
    BeforeHour(i16),
    /// Minutes to add to the hour before the phrase: 30 for `y media`.
    AfterHour(i16),
    /// Between minutes and an hour: `ten past five`.
    Past,
    To,
    /// Between an hour and minutes: `las 5 y diez`.
    AndMinutes,
    LessMinutes,
    Number(u8),
    /// One, where no other number stands: `a`.
    Article,
    /// A person, or whatever else a plain number counts.
    Person,
    /// Before a number of people: `table for`.
    Counted,
}

/// Part of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `am`
    FirstHalf,
    /// `pm`
    SecondHalf,
    Morning,
    Afternoon,
    Evening,
    /// Around noon.
    Midday,
    /// From late evening to early morning.
    Night,
}

/// Phrases of one language, by their first words.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) hours: Vec<CountedHours>,
    phrases: HashMap<String, Vec<(Vec<String>, Meaning)>>,
    months: Vec<(String, i8)>,
}

/// Hours that words before and behind a number count: the normalized words, the numbers that they
/// may stand beside, and the hour from which these count.
#[derive(Debug)]
pub(super) struct CountedHours {
    pub(super) before: Vec<String>,
    pub(super) behind: Vec<String>,
    pub(super) numbers: std::ops::RangeInclusive<i16>,
    pub(super) after: i16,
}

impl Dictionary {
    /// Returns the dictionary of a language (ISO 639), empty for one without a lexicon.
    pub(super) fn of_language(language: &str) -> &'static Self {
        static BUILT: [OnceLock<Dictionary>; lexicon::COUNT] =
            [const { OnceLock::new() }; lexicon::COUNT];
        static EMPTY: OnceLock<Dictionary> = OnceLock::new();
        match lexicon::find(language) {
            Some((index, words)) => {
                BUILT[index].get_or_init(|| Self::new(words, &Locale::parse(language)))
            }
            None => EMPTY.get_or_init(Self::default),
        }
    }

    /// Lists the dictionaries of all languages that have a lexicon.
    pub(super) fn of_every_language() -> impl Iterator<Item = &'static Self> {
        lexicon::languages().map(Self::of_language)
    }

    /// Finds the phrases at the start of some words: the number of words, and the meaning.
    pub(super) fn phrases<'w>(
        &self,
        words: &(impl Iterator<Item = &'w str> + Clone),
    ) -> Vec<(usize, Meaning)> {
        let Some(first) = words.clone().next() else {
            return Vec::new();
        };
        let phrases = self.phrases.get(first).into_iter().flatten();
        let mut matches: Vec<(usize, Meaning)> = phrases
            .filter(|(phrase, _)| {
                let mut words = words.clone();
                phrase.iter().all(|word| words.next() == Some(word))
            })
            .map(|(phrase, meaning)| (phrase.len(), *meaning))
            .collect();
        if let Some(month) = self.month_beginning_with(first)
            && !matches
                .iter()
                .any(|(_, meaning)| matches!(meaning, Meaning::Month(_)))
        {
            matches.push((1, Meaning::Month(month)));
        }
        matches
    }

    /// Finds the only month whose name begins with a word.
    fn month_beginning_with(&self, word: &str) -> Option<i8> {
        if word.chars().count() < NAME_MIN {
            return None;
        }
        let mut months = self
            .months
            .iter()
            .filter(|(name, _)| name.starts_with(word));
        let (_, month) = months.next()?;
        months.all(|(_, other)| other == month).then_some(*month)
    }

    /// Splits a compound of a day and a part of it: `Freitagabend`.
    pub(super) fn split<'w>(&self, word: &'w str) -> Option<(&'w str, &'w str)> {
        let means = |word: &str, is_wanted: fn(Meaning) -> bool| {
            let phrases = self.phrases.get(word).into_iter().flatten();
            let mut words = phrases.filter(|(phrase, _)| phrase.len() == 1);
            words.any(|(_, meaning)| is_wanted(*meaning))
        };
        let is_day = |meaning| matches!(meaning, Meaning::Weekday(_) | Meaning::Day(_, None));
        let is_part = |meaning| matches!(meaning, Meaning::Part(_));
        let mut halves = word.char_indices().map(|(at, _)| word.split_at(at));
        halves.find(|(day, part)| means(day, is_day) && means(part, is_part))
    }

    fn new(words: &Words, locale: &Locale) -> Self {
        let mut dictionary = Self::default();
        dictionary.add_days(words);
        dictionary.add_times(words);
        dictionary.add_numbers(words);
        dictionary.add_names(words, locale);
        dictionary
    }

    fn add(&mut self, phrase: &str, meaning: Meaning) {
        let words = NormalizedText::new(phrase).words().to_vec();
        let Some(first) = words.first() else {
            return;
        };
        let phrases = self.phrases.entry(first.clone()).or_default();
        if !phrases.contains(&(words.clone(), meaning)) {
            phrases.push((words, meaning));
        }
    }

    fn add_each(&mut self, phrases: &[&str], meaning: Meaning) {
        for phrase in phrases {
            self.add(phrase, meaning);
        }
    }

    fn add_days(&mut self, words: &Words) {
        let (days, times) = (&words.dates, &words.times);
        for phrase in &words.today {
            let mut parts = parts(times).into_iter();
            let part = parts.find(|(list, _)| list.contains(phrase));
            self.add(phrase, Meaning::Day(0, part.map(|(_, part)| part)));
        }
        for (phrase, ahead) in &days.ahead {
            self.add(phrase, Meaning::Day(*ahead, None));
        }
        for (list, ahead) in [
            (&words.yesterday, -1),
            (&words.tomorrow, 1),
            (&words.after_tomorrow, 2),
        ] {
            self.add_each(list, Meaning::Day(ahead, None));
        }
        for (list, meaning) in [
            (&words.fillers, Meaning::Filler),
            (&words.wishes, Meaning::Wish),
            (&words.objects, Meaning::Object),
            (&words.choices, Meaning::Choice),
            (&words.yes, Meaning::Yes),
            (&words.no, Meaning::No),
            (&days.this, Meaning::This),
            (&days.next, Meaning::Next),
            (&days.next_week, Meaning::NextWeek),
            (&days.week_after_next, Meaning::WeekAfterNext),
            (&words.unclear, Meaning::Unclear),
            (&days.within, Meaning::Within),
            (&days.days, Meaning::Days),
            (&days.weeks, Meaning::Weeks),
            (&days.from_now, Meaning::FromNow),
            (&days.on, Meaning::On),
            (&days.of, Meaning::Of),
            (&days.day_suffix, Meaning::DaySuffix),
            (&days.month_suffix, Meaning::MonthSuffix),
            (&days.year_suffix, Meaning::YearSuffix),
        ] {
            self.add_each(list, meaning);
        }
        for (place, names) in (1..).zip(&words.places) {
            for name in names.split('/') {
                self.add(name, Meaning::Place(place));
            }
        }
        for (day, names) in (1..).zip(&days.ordinals) {
            for name in names.split('/') {
                self.add(name, Meaning::Ordinal(day));
            }
        }
    }

    fn add_times(&mut self, words: &Words) {
        let times = &words.times;
        for (list, meaning) in [
            (&words.noon, Meaning::Noon),
            (&words.midnight, Meaning::Midnight),
            (&times.am, Meaning::Part(Part::FirstHalf)),
            (&times.pm, Meaning::Part(Part::SecondHalf)),
            (&times.at, Meaning::At),
            (&times.hour, Meaning::Hour),
            (&times.hours, Meaning::Hours),
            (&times.minute, Meaning::Minute),
            (&times.past, Meaning::Past),
            (&times.to, Meaning::To),
            (&times.and_minutes, Meaning::AndMinutes),
            (&times.less_minutes, Meaning::LessMinutes),
        ] {
            self.add_each(list, meaning);
        }
        for (list, part) in parts(times) {
            let phrases = list.iter().filter(|phrase| !words.today.contains(phrase));
            for phrase in phrases {
                self.add(phrase, Meaning::Part(part));
            }
        }
        for (phrase, time) in &times.named {
            let time = jiff::civil::Time::strptime("%H:%M", time);
            let time = time.expect("the built-in files have times");
            let minutes = i16::from(time.hour()) * 60 + i16::from(time.minute());
            self.add(phrase, Meaning::Named(minutes));
        }
        let normalized = |phrase: &str| NormalizedText::new(phrase).words().to_vec();
        self.hours = (times.counted_hours.iter())
            .map(|hours| CountedHours {
                before: normalized(hours.before),
                behind: normalized(hours.behind),
                numbers: hours.from..=hours.to,
                after: hours.after,
            })
            .collect();
        for (hour, names) in (1..).zip(&times.hour_names) {
            for name in names.split('/') {
                self.add(name, Meaning::HourName(hour));
            }
        }
        for (phrase, minutes) in &times.before_hour {
            self.add(phrase, Meaning::BeforeHour(*minutes));
        }
        for (phrase, minutes) in &times.after_hour {
            self.add(phrase, Meaning::AfterHour(*minutes));
        }
    }

    fn add_numbers(&mut self, words: &Words) {
        let numbers = &words.numbers;
        for (name, number) in numbers.names() {
            self.add(&name, Meaning::Number(number));
        }
        self.add_each(&numbers.articles, Meaning::Article);
        self.add_each(&numbers.person, Meaning::Person);
        self.add_each(&numbers.counted, Meaning::Counted);
    }

    /// Adds the names of months and weekdays that are long enough to be unambiguous.
    fn add_names(&mut self, words: &Words, locale: &Locale) {
        let firsts: Vec<_> = (1..=12)
            .map(|month| jiff::civil::date(2026, month, 1))
            .collect();
        for (month, names) in (1..).zip(locale.month_names(&firsts)) {
            for name in names {
                let normalized = NormalizedText::new(&name);
                let is_name = |word: &&String| !word.contains(|c: char| c.is_ascii_digit());
                let letters = normalized.words().iter().filter(is_name);
                // Words beside the name belong to the date; letters of scripts without spaces do not.
                let longest = letters.clone().max_by_key(|word| word.chars().count());
                let Some(longest) = longest else { continue };
                let is_spaced = longest.chars().count() > 1;
                let name = if is_spaced {
                    longest.clone()
                } else {
                    letters.cloned().collect()
                };
                if name.chars().count() >= NAME_MIN {
                    self.add(&name, Meaning::Month(month));
                    if is_spaced {
                        self.months.push((name, month));
                    }
                }
            }
        }
        for (month, names) in (1..).zip(&words.dates.months) {
            self.add_each(names, Meaning::Month(month));
        }
        let week: Vec<_> = (5..12).map(|day| jiff::civil::date(2026, 1, day)).collect();
        let names = locale
            .day_names(&week)
            .into_iter()
            .zip(&words.dates.weekdays);
        for (day, (names, colloquial)) in week.iter().zip(names) {
            let is_sure = |name: &&String| {
                NormalizedText::new(name).words().concat().chars().count() >= NAME_MIN
            };
            for name in names.iter().filter(is_sure) {
                self.add(name, Meaning::Weekday(day.weekday()));
            }
            self.add_each(colloquial, Meaning::Weekday(day.weekday()));
        }
    }
}

/// Lists the phrases of each part of the day.
fn parts(times: &Times) -> [(&[&'static str], Part); 5] {
    [
        (&times.morning, Part::Morning),
        (&times.afternoon, Part::Afternoon),
        (&times.evening, Part::Evening),
        (&times.midday, Part::Midday),
        (&times.night, Part::Night),
    ]
}

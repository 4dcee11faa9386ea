//! Times of day.

use jiff::civil::Time;

use super::answer::Answer;
use super::dictionary::{Meaning, Part};
use super::reading::{Clock, Reading};
use super::tokens::Token;
use crate::text::locale::Locale;

impl Locale {
    /// Reads a time of day: `15:30`, `3pm`, `15h30`, `15 Uhr`, `a las 3`, noon. Without a part of
    /// the day, the hour is taken as written.
    ///
    /// `None` unless every word is explained, and all explanations give the same time.
    #[must_use]
    pub fn read_time(&self, text: &str) -> Option<Time> {
        // The day of a relative date does not matter here.
        let readings = Answer::new(self, text, jiff::civil::date(2026, 1, 1))?.readings();
        let mut times = readings.iter().filter_map(Reading::time);
        let time = times.next()?;
        times.all(|other| other == time).then_some(time)
    }
}

impl Answer<'_> {
    /// Lists the times at a place, without the part of the day.
    pub(super) fn clocks(&self, at: usize) -> Vec<(usize, Clock)> {
        let mut clocks = Vec::new();
        for start in self.ends(at, |meaning| meaning == Meaning::At) {
            let mut hours = self.hours(start);
            let articles = self.ends(start, |meaning| meaning == Meaning::Article);
            hours.extend(articles.into_iter().map(|end| (end, 1)));
            self.push_clocks(start, &hours, true, &mut clocks);
        }
        self.push_clocks(at, &self.hours(at), false, &mut clocks);
        clocks
    }

    /// Hours of the 24-hour clock.
    fn hours(&self, at: usize) -> Vec<(usize, i16)> {
        let mut hours = self.integers(at);
        hours.retain(|(_, hour)| (0..24).contains(hour));
        hours
    }

    fn push_clocks(
        &self,
        at: usize,
        hours: &[(usize, i16)],
        is_marked: bool,
        clocks: &mut Vec<(usize, Clock)>,
    ) {
        self.push_digits(at, is_marked, clocks);
        self.push_counted_hours(at, clocks);
        for (end, meaning) in self.phrases(at) {
            match meaning {
                Meaning::Named(minutes) => {
                    for end in self.skip(end, Meaning::Hour) {
                        let clock = Clock::new(minutes / 60, minutes % 60);
                        clocks.push((end, clock));
                        if minutes % 60 == 0 {
                            self.push_marked(end, minutes / 60, clocks);
                        }
                    }
                }
                // "half past five"
                Meaning::BeforeHour(minutes) => self.push_hours(end, minutes, clocks),
                // "une heure"
                Meaning::Article => {
                    for behind in self.ends(end, |meaning| meaning == Meaning::Hour) {
                        self.push_marked(behind, 1, clocks);
                    }
                }
                _ => {}
            }
        }
        // "ten past five"
        for (end, minutes) in self.integers(at) {
            for end in self.skip(end, Meaning::Minute) {
                for (end, meaning) in self.phrases(end) {
                    match meaning {
                        Meaning::Past if minutes < 60 => self.push_hours(end, minutes, clocks),
                        Meaning::To if minutes < 60 => self.push_hours(end, -minutes, clocks),
                        _ => {}
                    }
                }
            }
        }
        for (end, hour) in hours {
            let clock = Clock {
                is_bare: !is_marked,
                is_word: self.tokens[end - 1].number().is_none(),
                ..Clock::new(*hour, 0)
            };
            clocks.push((*end, clock));
            self.push_behind(*end, *hour, clocks);
            for end in self.ends(*end, |meaning| meaning == Meaning::Hour) {
                self.push_marked(end, *hour, clocks);
            }
            let is_half =
                |meaning| matches!(meaning, Meaning::Part(Part::FirstHalf | Part::SecondHalf));
            if (1..=12).contains(hour) && !self.ends(*end, is_half).is_empty() {
                clocks.push((*end, Clock::new(*hour, 0)));
            }
        }
    }

    /// Hours that a word counts from another hour: `2 thum` for 20:00.
    fn push_counted_hours(&self, at: usize, clocks: &mut Vec<(usize, Clock)>) {
        let has_words = |at: usize, words: &[String]| {
            let tokens = self.tokens.get(at..at + words.len());
            let mut pairs = tokens.into_iter().flatten().zip(words);
            tokens.is_some() && pairs.all(|(token, word)| token.word() == Some(word))
        };
        for form in &self.dictionary.hours {
            if !has_words(at, &form.before) {
                continue;
            }
            for (behind, number) in self.integers(at + form.before.len()) {
                if form.numbers.contains(&number) && has_words(behind, &form.behind) {
                    let end = behind + form.behind.len();
                    self.push_marked(end, form.after + number, clocks);
                }
            }
        }
    }

    /// Hours behind minutes that change them: `half past` `five o'clock`.
    fn push_hours(&self, at: usize, minutes: i16, clocks: &mut Vec<(usize, Clock)>) {
        let hours = self.hours(at);
        let articles = self.ends(at, |meaning| meaning == Meaning::Article);
        let hours = hours
            .into_iter()
            .chain(articles.into_iter().map(|end| (end, 1)));
        for (end, hour) in hours.filter(|(_, hour)| (1..=12).contains(hour) || minutes > 0) {
            for end in self.skip(end, Meaning::Hour) {
                clocks.push((end, Clock::new(hour, minutes)));
            }
        }
    }

    /// What may follow the word of an hour: nothing, minutes, and minutes in words.
    fn push_marked(&self, at: usize, hour: i16, clocks: &mut Vec<(usize, Clock)>) {
        clocks.push((at, Clock::new(hour, 0)));
        for (end, minutes) in self.integers(at) {
            let digits = self.tokens[end - 1].number();
            let is_whole = digits.is_none_or(|digits| digits.len() == 2);
            if is_whole && (0..60).contains(&minutes) {
                for end in self.skip(end, Meaning::Minute) {
                    clocks.push((end, Clock::new(hour, minutes)));
                }
            }
        }
        self.push_behind(at, hour, clocks);
    }

    /// Minutes in words behind an hour.
    fn push_behind(&self, at: usize, hour: i16, clocks: &mut Vec<(usize, Clock)>) {
        for (end, meaning) in self.phrases(at) {
            let sign = match meaning {
                Meaning::AfterHour(minutes) => {
                    clocks.push((end, Clock::new(hour, minutes)));
                    continue;
                }
                Meaning::AndMinutes => 1,
                Meaning::LessMinutes => -1,
                _ => continue,
            };
            for (end, minutes) in self.integers(end) {
                for end in self.skip(end, Meaning::Minute) {
                    if (1..60).contains(&minutes) {
                        clocks.push((end, Clock::new(hour, sign * minutes)));
                    }
                }
            }
        }
    }

    /// Hours and minutes in digits: `15:30`, `15.30`, `15:30 Uhr`.
    fn push_digits(&self, at: usize, is_marked: bool, clocks: &mut Vec<(usize, Clock)>) {
        let Some(written) = self.tokens.get(at).and_then(Token::number) else {
            return;
        };
        let has_colon = written.contains(':');
        let Some((hour, minutes)) = written.split_once([':', '.']) else {
            return;
        };
        let is_clock = (1..=2).contains(&hour.len()) && minutes.len() == 2;
        let numbers = hour.parse::<i16>().ok().zip(minutes.parse::<i16>().ok());
        let numbers = numbers.filter(|(hour, minutes)| is_clock && *hour < 24 && *minutes < 60);
        let Some((hour, minutes)) = numbers.filter(|_| has_colon || !self.tokens[at].has_stop())
        else {
            return;
        };
        let clock = Clock::new(hour, minutes);
        let is_bare = !has_colon && !is_marked;
        clocks.push((at + 1, Clock { is_bare, ..clock }));
        for end in self.ends(at + 1, |meaning| meaning == Meaning::Hour) {
            clocks.push((end, clock));
        }
    }
}

//! Times of day.

use jiff::civil::Time;

use super::answer::Answer;
use super::dictionary::{Dictionary, Meaning, Part};
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
        for start in self.ends(at, Meaning::At) {
            self.push_clocks(start, &self.marked_hours(start), true, &mut clocks);
        }
        self.push_clocks(at, &self.hours(at), false, &mut clocks);
        clocks
    }

    /// Hours of the 24-hour clock.
    fn hours(&self, at: usize) -> Vec<(usize, i16)> {
        let mut hours = self.integers(at);
        hours.retain(|(_, hour)| (0..24).contains(hour));
        hours.extend(self.find(at, |meaning| match meaning {
            Meaning::HourName(hour) => Some(hour),
            _ => None,
        }));
        hours
    }

    /// Hours behind a word that marks them, which may be articles: `um ein Uhr`.
    fn marked_hours(&self, at: usize) -> Vec<(usize, i16)> {
        let mut hours = self.hours(at);
        hours.extend(self.find(at, |meaning| (meaning == Meaning::Article).then_some(1)));
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
        for &(end, meaning) in self.phrases(at) {
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
                // "za pięć szósta"
                Meaning::LessMinutes => {
                    for (end, minutes) in self.minutes(end) {
                        self.push_hours(end, -minutes, clocks);
                    }
                }
                // "midi et demi"
                Meaning::Noon => self.push_behind(end, 12, clocks),
                Meaning::Midnight => self.push_behind(end, 0, clocks),
                // "une heure"
                Meaning::Article => {
                    // "una y media"
                    self.push_behind(end, 1, clocks);
                    for behind in self.hour_ends(end, is_marked) {
                        self.push_marked(behind, 1, clocks);
                    }
                }
                _ => {}
            }
        }
        self.push_past(at, clocks);
        for (end, hour) in hours {
            let is_word = self.tokens[end - 1].number().is_none();
            let clock = Clock {
                is_bare: !is_marked,
                is_word,
                ..Clock::new(*hour, 0)
            };
            clocks.push((*end, clock));
            self.push_behind(*end, *hour, clocks);
            for end in self.hour_ends(*end, is_marked || *hour >= 12) {
                self.push_marked(end, *hour, clocks);
            }
            // "seven thirty"
            let minutes = self.integers(*end).into_iter().filter(|(end, minutes)| {
                let is_word = is_word && self.tokens[end - 1].number().is_none();
                is_word && (10..60).contains(minutes) && minutes % 5 == 0
            });
            clocks.extend(minutes.map(|(end, minutes)| (end, Clock::new(*hour, minutes))));
            if (1..=12).contains(hour) && self.has_part(*end, Part::is_half) {
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
        let dictionary = Dictionary::of_language(self.locale.language());
        for form in &dictionary.hours {
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

    /// Minutes before an hour: `ten past five`.
    fn push_past(&self, at: usize, clocks: &mut Vec<(usize, Clock)>) {
        for (end, minutes) in self.minutes(at) {
            for &(end, meaning) in self.phrases(end) {
                let minutes = match meaning {
                    Meaning::Past => minutes,
                    Meaning::To => -minutes,
                    _ => continue,
                };
                self.push_hours(end, minutes, clocks);
                // "fünf nach halb neun"
                for &(end, meaning) in self.phrases(end) {
                    if meaning == Meaning::BeforeHour(-30) {
                        self.push_hours(end, minutes - 30, clocks);
                    }
                }
            }
        }
    }

    /// Ends of the words that mark the number before them as an hour. Some of them also make
    /// durations, and count only if something else marks the hour.
    fn hour_ends(&self, at: usize, is_sure: bool) -> Vec<usize> {
        let mut ends = self.ends(at, Meaning::Hours);
        ends.retain(|end| is_sure || self.has_part(*end, |_| true));
        ends.extend(self.ends(at, Meaning::Hour));
        ends
    }

    /// Whether a part of the day follows.
    fn has_part(&self, at: usize, is_wanted: fn(Part) -> bool) -> bool {
        self.has(
            at,
            |meaning| matches!(meaning, Meaning::Part(part) if is_wanted(part)),
        )
    }

    /// Hours behind minutes that change them: `half past` `five o'clock`.
    fn push_hours(&self, at: usize, minutes: i16, clocks: &mut Vec<(usize, Clock)>) {
        for (end, hour) in self.marked_hours(at) {
            if minutes > 0 || (1..=12).contains(&hour) {
                let ends = self.skip(end, Meaning::Hour).into_iter();
                clocks.extend(ends.map(|end| (end, Clock::new(hour, minutes))));
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
        for &(end, meaning) in self.phrases(at) {
            let sign = match meaning {
                Meaning::AfterHour(minutes) => {
                    clocks.push((end, Clock::new(hour, minutes)));
                    continue;
                }
                Meaning::AndMinutes => 1,
                Meaning::LessMinutes => -1,
                _ => continue,
            };
            // "Las 4 y 5" may be two hours.
            let minutes = self.minutes(end).into_iter();
            let minutes = minutes.filter(|(_, minutes)| *minutes != hour + 1);
            clocks.extend(minutes.map(|(end, minutes)| (end, Clock::new(hour, sign * minutes))));
        }
    }

    /// Numbers of minutes: any with the word for minutes, or those that people round to.
    fn minutes(&self, at: usize) -> Vec<(usize, i16)> {
        let mut minutes = Vec::new();
        for (end, number) in self.integers(at) {
            if (1..60).contains(&number) {
                let ends = self.ends(end, Meaning::Minute).into_iter();
                let is_round = number % 5 == 0;
                minutes.extend(ends.chain(is_round.then_some(end)).map(|end| (end, number)));
            }
        }
        minutes
    }

    /// Hours and minutes in digits: `15:30`, `15.30`, `1530`, `15:30 Uhr`.
    fn push_digits(&self, at: usize, is_marked: bool, clocks: &mut Vec<(usize, Clock)>) {
        let Some(written) = self.tokens.get(at).and_then(Token::number) else {
            return;
        };
        let has_colon = written.contains(':');
        let has_half = self.has_part(at + 1, Part::is_half);
        let has_mark = written.contains(|character: char| !character.is_ascii_digit());
        let Some((hour, minutes)) = written.split_once([':', '.']).or_else(|| {
            // "1730", "730pm"; "230" and "4711" alone are any numbers.
            let is_round = written.len() == 4 && written.ends_with(['0', '5']);
            let is_sure = !has_mark && (is_round || is_marked || has_half);
            is_sure.then(|| written.split_at(written.len().saturating_sub(2)))
        }) else {
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
        let is_bare = !has_colon && !is_marked && !has_half;
        clocks.push((at + 1, Clock { is_bare, ..clock }));
        let ends = self.hour_ends(at + 1, true).into_iter();
        clocks.extend(ends.map(|end| (end, clock)));
    }
}

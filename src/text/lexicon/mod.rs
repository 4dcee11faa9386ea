//! Words of answers that Unicode's data has no table for: today, in three days, half past, please.
//!
//! A file per language, `en.toml` and its siblings, holds the words; this file describes the keys.
//! The parser compares words as [`crate::text::normalize`] normalizes them: case, accents and
//! apostrophes do not matter. To add a language, write a file, add its code to the list below, and
//! add cases to `tests/cases/locale/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The words of one language. The first word of `today`, `tomorrow` and `at` is also the one that
/// replies use.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Words {
    /// Today. A phrase that is also listed as a part of the day means both: `tonight`.
    pub(crate) today: List,
    pub(crate) tomorrow: List,
    pub(crate) after_tomorrow: List,
    pub(crate) yesterday: List,
    pub(crate) noon: List,
    pub(crate) midnight: List,
    /// Phrases that leave the day or the time open although their words would name one: "minggu
    /// ini", which is this week or this Sunday.
    pub(crate) unclear: List,
    /// Word between a day and a time; empty where the language has none.
    pub(crate) at: &'static str,
    /// Phrases that add nothing to any answer: please, thanks, around. A word that changes
    /// what is said, such as not, before, about or or, never stands here.
    pub(crate) fillers: List,
    /// Phrases of wanting and of counting people: "I would like", "we are". They add nothing either,
    /// but a number beside them is not an hour unless something says so.
    pub(crate) wishes: List,
    /// Places in a list of choices, from the first: "the *second* one"; `/` separates forms of the
    /// same place.
    pub(crate) places: List,
    /// Words for one of several choices, beside its number: "*option* 2".
    pub(crate) choices: List,
    /// Words that say what a command is about: stop *these messages*, unsubscribe *me*.
    pub(crate) objects: List,
    /// Words that mean the choice "Yes".
    pub(crate) yes: List,
    /// Words that mean the choice "No".
    pub(crate) no: List,
    pub(crate) dates: Dates,
    pub(crate) times: Times,
    pub(crate) numbers: Numbers,
}

type List = Vec<&'static str>;

/// Words of dates.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Dates {
    /// Before a day of the month or a weekday: on, the.
    pub(crate) on: List,
    /// Between day and month, and before a year: of.
    pub(crate) of: List,
    /// Beside a weekday, for the coming one.
    pub(crate) this: List,
    /// Beside a weekday, for one of which some say it is the coming one, others that of next week.
    pub(crate) next: List,
    /// A week without a day; a weekday beside it lies in that week.
    pub(crate) next_week: List,
    /// The week after next week; a weekday beside it lies in that week.
    pub(crate) week_after_next: List,
    /// Before a number of days: "in 3 days".
    pub(crate) within: List,
    pub(crate) days: List,
    pub(crate) weeks: List,
    /// Behind a number of days: "3 days from now".
    pub(crate) from_now: List,
    /// Numbers of days by which people also mean one or two weeks: 8 and 15 in French.
    pub(crate) loose_days: Vec<i16>,
    /// Days from today that a phrase means: "in a fortnight" = 14.
    pub(crate) ahead: BTreeMap<&'static str, i64>,
    /// Colloquial names of the weekdays, Monday first, that Unicode's data does not list.
    pub(crate) weekdays: [List; 7],
    /// Other names of the months, from January, that Unicode's data does not list.
    pub(crate) months: [List; 12],
    /// Days of the month in words, from the first; `/` separates forms of the same day.
    pub(crate) ordinals: List,
    /// Behind the number of a day: the "th" of 24th.
    pub(crate) day_suffix: List,
    /// Behind the number of a month, in Chinese and Japanese.
    pub(crate) month_suffix: List,
    /// Behind a year.
    pub(crate) year_suffix: List,
    /// Years by which the language's own calendar is ahead: 543 in Thai.
    pub(crate) year_offset: i16,
}

/// Words of times of day.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Times {
    /// Before an hour: at.
    pub(crate) at: List,
    /// Behind an hour: o'clock.
    pub(crate) hour: List,
    /// Behind an hour that something else marks as one, or that no duration has: "at 9 hours". Alone,
    /// "2 hours" are a duration.
    pub(crate) hours: List,
    /// Names of the hours from one on that are not the numbers; `/` separates forms.
    pub(crate) hour_names: List,
    /// Behind minutes.
    pub(crate) minute: List,
    /// From midnight to noon on the 12-hour clock.
    pub(crate) am: List,
    /// From noon to midnight on the 12-hour clock.
    pub(crate) pm: List,
    /// From midnight to noon.
    pub(crate) morning: List,
    /// From noon to the evening.
    pub(crate) afternoon: List,
    /// From the end of the afternoon to midnight.
    pub(crate) evening: List,
    /// Around noon: 11, 12 and 1 o'clock keep their side of it.
    pub(crate) midday: List,
    /// From late evening to early morning: 12 is midnight, 2 o'clock comes behind it.
    pub(crate) night: List,
    /// Phrases that say an hour and its minutes, on the 12-hour clock if a part of the day may
    /// stand beside them: "half past five" in one word = "5:30".
    pub(crate) named: BTreeMap<&'static str, &'static str>,
    /// Hours counted from another hour than midnight and noon, as in Thai.
    pub(crate) counted_hours: Vec<CountedHours>,
    /// Minutes that a phrase adds to the hour behind it: "half past" = 30, "quarter to" = -15.
    pub(crate) before_hour: BTreeMap<&'static str, i16>,
    /// Minutes that a phrase adds to the hour before it: "y media" = 30, "menos cuarto" = -15.
    pub(crate) after_hour: BTreeMap<&'static str, i16>,
    /// Between minutes and an hour: "ten past five".
    pub(crate) past: List,
    /// Between minutes and an hour: "minutes to" five. A word that also makes ranges is not one.
    pub(crate) to: List,
    /// Between an hour and minutes to add: "las 5 y diez".
    pub(crate) and_minutes: List,
    /// Between an hour and minutes to take away, "las 5 menos diez", or before both: pl "za pięć
    /// szósta".
    pub(crate) less_minutes: List,
}

/// Hours that a word counts from some hour of the day: "2 thum" is 20:00.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CountedHours {
    /// Word before the number; empty if there is none.
    pub(crate) before: &'static str,
    /// Word behind the number; empty if there is none.
    pub(crate) behind: &'static str,
    /// Smallest and largest number that the words stand beside.
    pub(crate) from: i16,
    pub(crate) to: i16,
    /// Hour from which the number counts.
    pub(crate) after: i16,
}

/// Numbers in words, up to 99. A word of a larger number stands nowhere, so that a number with it is
/// asked again.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Numbers {
    /// From zero on in order, at least to ten; `/` separates other forms of the same number. The
    /// entry is empty where the only word is in `articles`.
    names: List,
    /// The tens from twenty to ninety, where `compounds` makes the numbers between them.
    tens: List,
    /// How a number between the tens is written: `{tens} {unit}`, `{unit}und{tens}`.
    compounds: List,
    /// Numbers that the rules above do not give.
    others: BTreeMap<&'static str, u8>,
    /// Words that mean one only where no other number stands: in many languages they are articles.
    pub(crate) articles: List,
    /// Words for people and pieces, which a plain number counts.
    pub(crate) person: List,
    /// Before a number of people: for, table for. A thing that may have a number of its own, as in
    /// table 5, stands here only together with the word behind it.
    pub(crate) counted: List,
}

impl Numbers {
    /// Lists every phrase that always means a number, with the number.
    pub(crate) fn names(&self) -> Vec<(String, u8)> {
        let forms = |names: &'static str| names.split('/').filter(|name| !name.is_empty());
        let mut numbers = Vec::new();
        for (number, names) in (0..).zip(&self.names) {
            numbers.extend(forms(names).map(|name| (name.to_owned(), number)));
        }
        for (tens, names) in (2..).zip(&self.tens) {
            numbers.extend(forms(names).map(|name| (name.to_owned(), tens * 10)));
            for (unit, units) in (1..10).zip(self.names.iter().skip(1)) {
                let articles = self.articles.iter().copied().filter(|_| unit == 1);
                for unit_name in forms(units).chain(articles) {
                    for (name, pattern) in forms(names)
                        .flat_map(|name| self.compounds.iter().map(move |pattern| (name, *pattern)))
                    {
                        let compound = pattern.replace("{tens}", name).replace("{unit}", unit_name);
                        numbers.push((compound, tens * 10 + unit));
                    }
                }
            }
        }
        let others = self.others.iter();
        numbers.extend(others.map(|(name, number)| ((*name).to_owned(), *number)));
        numbers
    }
}

/// Finds the words of a language (ISO 639), and their place among all languages.
pub(crate) fn find(language: &str) -> Option<(usize, &'static Words)> {
    let index = LANGUAGES.iter().position(|(code, _)| *code == language)?;
    Some((index, &LANGUAGES[index].1))
}

/// Lists the languages that have a file.
pub(crate) fn languages() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(code, _)| *code)
}

/// Returns the words of a language, or those of English for a language without a file.
pub(crate) fn for_language(language: &str) -> &'static Words {
    find(language).map_or(&LANGUAGES[0].1, |(_, words)| words)
}

macro_rules! languages {
    ($($code:literal)*) => {
        /// Number of languages that have a file.
        pub(crate) const COUNT: usize = [$($code),*].len();

        /// Every language that has a file, English first.
        static LANGUAGES: [(&str, LazyLock<Words>); COUNT] = [$((
            $code,
            LazyLock::new(|| read(include_str!(concat!($code, ".toml")))),
        )),*];
    };
}

languages! { "en" "es" "pt" "fr" "de" "it" "nl" "tr" "pl" "ru" "ar" "hi" "id" "ja" "zh" "th" }

fn read(file: &'static str) -> Words {
    toml::from_str(file).expect("the built-in files have only the keys of `Words`")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::LANGUAGES;

    #[test]
    fn every_language_can_name_a_day_and_count() {
        for (code, words) in &LANGUAGES {
            assert!(
                !words.today.is_empty() && !words.tomorrow.is_empty(),
                "{code}"
            );
            let numbers: BTreeSet<u8> = words
                .numbers
                .names()
                .into_iter()
                .map(|(_, number)| number)
                .collect();
            let missing: Vec<u8> = (2..=99)
                .filter(|number| !numbers.contains(number))
                .collect();
            assert!(missing.is_empty(), "{code}: {missing:?}");
        }
    }
}

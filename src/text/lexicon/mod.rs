//! Words that Unicode's data has no table for: today, tomorrow, in three days, noon.
//!
//! A file per language, `en.toml` and its siblings, holds the words; this file describes the keys.
//! The parser compares words as [`crate::text::normalize`] normalizes them. The first word of each
//! list is also the one that replies use, so it is spelt in full.

use std::sync::LazyLock;

use serde::Deserialize;

/// The words of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Words {
    pub(crate) today: List,
    pub(crate) tomorrow: List,
    pub(crate) after_tomorrow: List,
    pub(crate) yesterday: List,
    /// Words beside a weekday that exclude today.
    pub(crate) next: List,
    /// Words before a number of days: "in 3 days".
    pub(crate) within: List,
    pub(crate) days: List,
    pub(crate) weeks: List,
    pub(crate) noon: List,
    pub(crate) midnight: List,
    /// Word between a day and a time; empty where the language has none.
    pub(crate) at: &'static str,
    pub(crate) dates: Dates,
    pub(crate) times: Times,
    pub(crate) numbers: Numbers,
}

type List = Vec<&'static str>;

/// Words that stand beside a day. Words of other meaning are skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Dates {
    /// Words that make the day uncertain: last friday, two weeks ago, every monday.
    pub(crate) refused: List,
    /// Words that make the day uncertain unless a full date stands beside them: in a month.
    pub(crate) vague: List,
    /// Words that join two days of which either may be meant.
    pub(crate) joins: List,
    /// A week without a day; a weekday beside it lies in that week.
    pub(crate) next_week: List,
    /// Words behind a number of days: "3 days from now".
    pub(crate) from_now: List,
    /// Words that add nothing to a day.
    pub(crate) polite: List,
    /// Colloquial names of the weekdays, Monday first, that Unicode's data does not list.
    pub(crate) weekdays: [List; 7],
    /// Whether the word for tomorrow also means the morning.
    pub(crate) tomorrow_is_morning: bool,
}

/// Words that stand beside a time of day.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Times {
    /// From midnight to noon.
    pub(crate) morning: List,
    /// From noon to the evening.
    pub(crate) afternoon: List,
    /// From the end of the afternoon to midnight.
    pub(crate) evening: List,
    /// Words before the hour that add half an hour: "half past five".
    pub(crate) half_past: List,
    /// Words behind the hour that add half an hour: "5 y media".
    pub(crate) and_half: List,
    /// Words before the hour that take half an hour away: "halb 6".
    pub(crate) half_to: List,
}

/// Numbers in words, from zero to twenty. Larger numbers are not read; the words in `more` keep a
/// part of one from being read as the whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Numbers {
    /// From zero to twenty in order; `/` separates other forms of the same number. The entry is
    /// empty where the only word is in `articles`.
    names: List,
    /// Words that mean one only where no other number stands: in many languages they are articles.
    pub(crate) articles: List,
    /// Words that may stand beside an article that means one.
    pub(crate) person: List,
    /// Words of larger numbers and of fractions.
    pub(crate) more: List,
    /// Words before "one" that make it no number: "no one", "this one".
    pub(crate) no: List,
}

impl Numbers {
    /// Every word that always means a number, with the number.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, u8)> {
        (0..).zip(&self.names).flat_map(|(number, names)| {
            let names = names.split('/').filter(|name| !name.is_empty());
            names.map(move |name| (name, number))
        })
    }
}

/// Returns the words of a language (ISO 639), or those of English for a language without a file.
pub(crate) fn for_language(language: &str) -> &'static Words {
    let words = LANGUAGES.iter().find(|(code, _)| *code == language);
    &words.unwrap_or(&LANGUAGES[0]).1
}

macro_rules! languages {
    ($($code:literal)*) => {
        /// Every language that has a file, English first.
        static LANGUAGES: [(&str, LazyLock<Words>); [$($code),*].len()] = [$((
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
    use super::LANGUAGES;

    #[test]
    fn every_language_can_name_a_day_and_count() {
        for (code, words) in &LANGUAGES {
            assert!(
                !words.today.is_empty() && !words.tomorrow.is_empty(),
                "{code}"
            );
            assert!(words.numbers.words().count() >= 12, "{code}");
        }
    }
}

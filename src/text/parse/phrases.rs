//! Phrases among words that add nothing: commands such as "please stop", and choices such as "the
//! small one, thanks".

use super::dictionary::{Dictionary, Meaning};
use super::tokens::is_friendly_emoji;
use crate::text::fuzzy::is_like;
use crate::text::locale::Locale;
use crate::text::normalize::{NormalizedText, Phrase};

/// What a text without other content means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// `yep`, `ok`, `👍`
    Yes,
    /// `nope`, `👎`
    No,
}

impl Locale {
    /// Whether a text is a command: its words, and others that only add politeness or say what the
    /// command is about (`please stop`, `unsubscribe me`), in this language or in English.
    #[must_use]
    pub fn is_command(&self, text: &NormalizedText, command: &Phrase) -> bool {
        let english = Dictionary::of_language("en");
        let dictionaries = [Dictionary::of_language(self.language()), english];
        let adds_nothing = |meaning| {
            matches!(
                meaning,
                Meaning::Filler | Meaning::Wish | Meaning::Object | Meaning::Yes
            )
        };
        let is_rest = |words: &[String]| {
            let is_explained =
                |dictionary: &&Dictionary| are_explained(dictionary, words, &adds_nothing);
            dictionaries.iter().any(is_explained)
        };
        let length = command.words.len();
        let words = text.words();
        (0..(words.len() + 1).saturating_sub(length)).any(|at| {
            words[at..at + length] == command.words
                && is_rest(&words[..at])
                && is_rest(&words[at + length..])
        })
    }

    /// Whether a text says a phrase, perhaps with typing errors, and nothing else that means
    /// anything.
    #[must_use]
    pub fn says(&self, text: &NormalizedText, phrase: &Phrase) -> bool {
        let words = text.words();
        let length = phrase.words.len();
        (0..(words.len() + 1).saturating_sub(length)).any(|at| {
            let mut pairs = words[at..].iter().zip(&phrase.words);
            pairs.all(|(word, other)| is_like(word, other))
                && self.adds_nothing(&words[..at])
                && self.adds_nothing(&words[at + length..])
        })
    }

    /// Whether every word of a text that means anything is one of the words of a title, perhaps
    /// with typing errors: `the small one` of `Small cake`.
    #[must_use]
    pub fn abridges(&self, text: &NormalizedText, title: &NormalizedText) -> bool {
        let is_of_title = |word: &String| title.words().iter().any(|other| is_like(word, other));
        let mut rest: Vec<String> = Vec::new();
        let mut has_word = false;
        for word in text.words() {
            if is_of_title(word) {
                has_word |= !self.adds_nothing(std::slice::from_ref(word));
            } else {
                rest.push(word.clone());
            }
        }
        has_word && self.adds_nothing(&rest)
    }

    /// Reads a text that only says yes or no.
    #[must_use]
    pub fn consent(&self, text: &NormalizedText) -> Option<Consent> {
        let dictionary = Dictionary::of_language(self.language());
        let says = |wanted: Meaning| {
            let is_allowed = |meaning| meaning == wanted || meaning == Meaning::Filler;
            let words = text.words();
            let is_wanted = |at: usize| {
                let phrases = dictionary.phrases(&words[at..].iter().map(String::as_str));
                phrases.iter().any(|(_, meaning)| *meaning == wanted)
            };
            (0..words.len()).any(is_wanted) && are_explained(dictionary, words, &is_allowed)
        };
        match (says(Meaning::Yes), says(Meaning::No)) {
            (true, false) => Some(Consent::Yes),
            (false, true) => Some(Consent::No),
            _ => None,
        }
    }

    fn adds_nothing(&self, words: &[String]) -> bool {
        let dictionary = Dictionary::of_language(self.language());
        are_explained(dictionary, words, &|meaning| {
            matches!(
                meaning,
                Meaning::Filler
                    | Meaning::Wish
                    | Meaning::Article
                    | Meaning::On
                    | Meaning::Number(1)
            )
        })
    }
}

/// Whether phrases of the wanted meanings explain all words.
fn are_explained(
    dictionary: &Dictionary,
    words: &[String],
    is_wanted: &dyn Fn(Meaning) -> bool,
) -> bool {
    // Whether the words up to each place are explained.
    let mut reached = vec![false; words.len() + 1];
    reached[0] = true;
    for at in 0..words.len() {
        if !reached[at] {
            continue;
        }
        if is_friendly_emoji(&words[at]) {
            reached[at + 1] = true;
        }
        for (length, meaning) in dictionary.phrases(&words[at..].iter().map(String::as_str)) {
            if is_wanted(meaning) {
                reached[at + length] = true;
            }
        }
    }
    reached[words.len()]
}

//! Phrases among words that add nothing: commands such as "please stop", and choices such as "the
//! small one, thanks".

use super::dictionary::{Dictionary, Meaning};
use super::tokens::is_friendly_emoji;
use crate::text::fuzzy::{is_like, is_slip};
use crate::text::locale::Locale;
use crate::text::normalize::{NormalizedText, Phrase};

/// Shortest polite words of another language beside a command, in letters.
const FOREIGN_MIN: usize = 4;

/// What a text without other content means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// `yep`, `ok`, `👍`
    Yes,
    /// `nope`, `👎`
    No,
}

/// One of several choices, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `the second one`
    Ordinal(u8),
    /// `two`, `option 2`
    Number(u8),
}

/// Whether a text is a command: its words, perhaps repeated or with a slip (`stop stpo`), and
/// others that only add politeness or say what the command is about (`please stop`,
/// `unsubscribe me`). These may be of any language, because people write in their own; `language`
/// (ISO 639, perhaps with a region) is the one of the conversation.
#[must_use]
pub fn is_command(text: &NormalizedText, command: &Phrase, language: &str) -> bool {
    let length = command.words.len();
    let is_here = |words: &[String]| {
        let mut pairs = words.iter().zip(&command.words);
        words.len() >= length && pairs.all(|(word, other)| is_slip(word, other))
    };
    let mut rest: Vec<String> = Vec::new();
    let mut words = text.words();
    let mut is_named = false;
    while let Some(word) = words.first() {
        if is_here(words) {
            is_named = true;
            words = &words[length..];
        } else {
            // "Stop 🚫" refuses, and so says the same.
            if word.contains(char::is_alphanumeric) {
                rest.push(word.clone());
            }
            words = &words[1..];
        }
    }
    // Nearly every message ends here, before a dictionary is asked.
    if !is_named {
        return false;
    }
    let is_polite = |meaning| matches!(meaning, Meaning::Filler | Meaning::Wish | Meaning::Object);
    // "Yes, stop"; a word that is a yes in some other language may be a no here.
    let is_polite_here = |meaning| is_polite(meaning) || meaning == Meaning::Yes;
    // A few letters mean too much elsewhere: "mas" is polite in Indonesian, "más baja" lower.
    let is_short = rest.concat().is_ascii() && rest.concat().len() < FOREIGN_MIN;
    let language = language.split('-').next().unwrap_or(language);
    let mut near = [language, "en"].map(Dictionary::of_language).into_iter();
    let mut far = Dictionary::of_every_language().filter(|_| !is_short);
    // "I'll come back" is no command to go back.
    let is_said_of_oneself = near.clone().any(|dictionary| {
        let words = text.words();
        let is_unclear = |at: usize| {
            let phrases = dictionary.phrases(&words[at..].iter().map(String::as_str));
            phrases
                .iter()
                .any(|(_, meaning)| *meaning == Meaning::Unclear)
        };
        (0..words.len()).any(is_unclear)
    });
    !is_said_of_oneself
        && (near.any(|dictionary| are_explained(dictionary, &rest, &is_polite_here))
            || far.any(|dictionary| are_explained(dictionary, &rest, &is_polite)))
}

impl Locale {
    /// Reads a text that only names one of several choices by its place or number: `the second one`,
    /// `option 2`, `two`.
    #[must_use]
    pub fn place(&self, text: &NormalizedText) -> Option<Place> {
        let dictionary = Dictionary::of_language(self.language());
        let words = text.words();
        let mut places: Vec<Place> = Vec::new();
        for at in 0..words.len() {
            let mut phrases = dictionary.phrases(&words[at..].iter().map(String::as_str));
            if let Ok(number) = words[at].parse() {
                phrases.push((1, Meaning::Number(number)));
            }
            for (length, meaning) in phrases {
                let place = match meaning {
                    Meaning::Place(place) => Place::Ordinal(place),
                    Meaning::Number(number) => Place::Number(number),
                    _ => continue,
                };
                let is_rest = |other| match other {
                    Meaning::Filler | Meaning::Wish | Meaning::On | Meaning::Choice => true,
                    // "The second one."
                    Meaning::Article | Meaning::Number(1) => matches!(place, Place::Ordinal(_)),
                    _ => false,
                };
                let rest = [&words[..at], &words[at + length..]].concat();
                if are_explained(dictionary, &rest, &is_rest) && !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        let is_ordinal = |place: &Place| matches!(place, Place::Ordinal(_));
        if places.iter().any(is_ordinal) {
            places.retain(is_ordinal);
        }
        match places[..] {
            [place] => Some(place),
            _ => None,
        }
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

    /// Reads a text that only says yes or no, in this language or, if it means neither there, in
    /// English.
    #[must_use]
    pub fn consent(&self, text: &NormalizedText) -> Option<Consent> {
        let own = Dictionary::of_language(self.language());
        match consents_in(own, text) {
            // "No" is a Polish yes.
            (true, true) => None,
            (true, false) => Some(Consent::Yes),
            (false, true) => Some(Consent::No),
            (false, false) => match consents_in(Dictionary::of_language("en"), text) {
                (true, false) => Some(Consent::Yes),
                (false, true) => Some(Consent::No),
                _ => None,
            },
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
                    | Meaning::Choice
                    | Meaning::Number(1)
            )
        })
    }
}

/// Whether a text says yes, and whether it says no, in one language.
fn consents_in(dictionary: &Dictionary, text: &NormalizedText) -> (bool, bool) {
    let words = text.words();
    let says = |wanted: Meaning| {
        let other = match wanted {
            Meaning::Yes => Meaning::No,
            _ => Meaning::Yes,
        };
        // "Yes" adds nothing to a date, but to a no.
        let is_allowed = |meanings: &[Meaning]| {
            let is_filler = meanings.contains(&Meaning::Filler) && !meanings.contains(&other);
            meanings.contains(&wanted) || is_filler
        };
        let is_wanted = |at: usize| {
            let phrases = dictionary.phrases(&words[at..].iter().map(String::as_str));
            phrases.iter().any(|(_, meaning)| *meaning == wanted)
        };
        (0..words.len()).any(is_wanted) && are_all_explained(dictionary, words, &is_allowed)
    };
    (says(Meaning::Yes), says(Meaning::No))
}

/// Whether phrases of the wanted meanings explain all words.
fn are_explained(
    dictionary: &Dictionary,
    words: &[String],
    is_wanted: &dyn Fn(Meaning) -> bool,
) -> bool {
    are_all_explained(dictionary, words, &|meanings| {
        meanings.iter().any(|meaning| is_wanted(*meaning))
    })
}

/// Whether phrases explain all words; the meanings of each phrase are judged together.
fn are_all_explained(
    dictionary: &Dictionary,
    words: &[String],
    is_wanted: &dyn Fn(&[Meaning]) -> bool,
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
        let phrases = dictionary.phrases(&words[at..].iter().map(String::as_str));
        for (length, _) in &phrases {
            let same = phrases.iter().filter(|(other, _)| other == length);
            let meanings: Vec<Meaning> = same.map(|(_, meaning)| *meaning).collect();
            if is_wanted(&meanings) {
                reached[at + length] = true;
            }
        }
    }
    reached[words.len()]
}

//! Counts the texts that nobody understood, while they come from the database one after the other.
//!
//! What is kept grows with the number of different texts, up to a limit, not with the number of
//! messages. Next: [`super::cluster`], which puts alike ones together.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::text::normalize::NormalizedText;

/// So many different texts are kept apart; of further ones only the number is.
pub(super) const TEXTS_MAX: usize = 100_000;
/// Texts are compared and shown by their first characters, so many: a question is seldom longer.
const CHARACTERS_MAX: usize = 200;
/// So many spellings of one text are counted: the usual one is among the first that come.
const SPELLINGS_MAX: usize = 8;

/// The different texts, each with how often it came.
pub(super) struct Texts {
    most: usize,
    /// By the text as rules see it.
    known: HashMap<String, Counted>,
    /// How many messages there were, the ones that are left out too.
    pub(super) messages: u64,
    /// How many messages had a text beyond the limit.
    pub(super) left_out: u64,
}

struct Counted {
    times: u64,
    spellings: Vec<(String, u64)>,
}

/// A text, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// As rules see it: its words with a space between.
    pub(super) folded: String,
    /// In the spelling that was used most.
    pub(super) written: String,
    /// How often.
    pub(super) times: u64,
}

impl Text {
    /// The words as rules see them.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.folded.split(' ').filter(|word| !word.is_empty())
    }
}

impl Texts {
    /// Counts up to `most` different ones.
    pub(super) fn up_to(most: usize) -> Self {
        Self {
            most,
            known: HashMap::new(),
            messages: 0,
            left_out: 0,
        }
    }

    /// Counts one message.
    pub(super) fn add(&mut self, text: &str) {
        self.messages += 1;
        let written = shortened(text, CHARACTERS_MAX);
        let folded = NormalizedText::new(&written).joined();
        if self.known.len() >= self.most && !self.known.contains_key(&folded) {
            self.left_out += 1;
            return;
        }
        let counted = self.known.entry(folded).or_insert_with(|| Counted {
            times: 0,
            spellings: Vec::new(),
        });
        counted.times += 1;
        let spellings = &mut counted.spellings;
        if let Some((_, times)) = spellings.iter_mut().find(|(one, _)| *one == written) {
            *times += 1;
        } else if spellings.len() < SPELLINGS_MAX {
            spellings.push((written, 1));
        }
    }

    /// All of them, the most frequent first.
    pub(super) fn sorted(self) -> Vec<Text> {
        let usual = |counted: Counted| {
            let spellings = counted.spellings.into_iter();
            let usual = spellings
                .min_by(|one, other| (Reverse(one.1), &one.0).cmp(&(Reverse(other.1), &other.0)));
            usual.map(|(written, _)| written).unwrap_or_default()
        };
        let known = self.known.into_iter();
        let texts = known.map(|(folded, counted)| Text {
            folded,
            times: counted.times,
            written: usual(counted),
        });
        let mut texts: Vec<Text> = texts.collect();
        texts.sort_unstable_by(|one, other| {
            let times = other.times.cmp(&one.times);
            times.then_with(|| one.folded.cmp(&other.folded))
        });
        texts
    }
}

/// The words of a text by which it is compared.
pub(super) fn compared(text: &str) -> NormalizedText {
    NormalizedText::new(&shortened(text, CHARACTERS_MAX))
}

/// A text in one line; a long one is cut behind a word.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let text = text.trim();
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text.replace(['\r', '\n'], " ");
    };
    let cut = &text[..end];
    let ends_a_word = text[end..].starts_with(char::is_whitespace);
    let last = cut.rfind(char::is_whitespace).filter(|_| !ends_a_word);
    let cut = last.map_or(cut, |last| &cut[..last]);
    format!("{}…", cut.trim_end().replace(['\r', '\n'], " "))
}

#[cfg(test)]
mod tests {
    use super::{Text, Texts, shortened};

    #[test]
    fn each_message_counts_however_many_spellings_there_are() {
        let mut texts = Texts::up_to(10);
        // 4,096 spellings of one text, then two of another.
        for spelling in 0..4_096_u32 {
            let letters = "wherecanipark".chars().enumerate();
            let text = letters.map(|(at, letter)| match spelling >> at & 1 {
                1 => letter.to_ascii_uppercase(),
                _ => letter,
            });
            texts.add(&text.collect::<String>());
        }
        texts.add("Vegan?");
        texts.add("vegan");
        texts.add("vegan");

        assert_eq!((texts.messages, texts.left_out), (4_099, 0));
        let sorted = texts.sorted();
        let shown: Vec<_> = sorted
            .iter()
            .map(|text| (text.folded.as_str(), text.times))
            .collect();
        assert_eq!(shown, [("wherecanipark", 4_096), ("vegan", 3)]);
        assert_eq!(sorted[1].written, "vegan", "the usual spelling");
    }

    #[test]
    fn beyond_the_limit_messages_are_counted_and_known_texts_still_found() {
        let mut texts = Texts::up_to(2);
        for text in ["one", "two", "three", "One!", "four"] {
            texts.add(text);
        }

        assert_eq!((texts.messages, texts.left_out), (5, 2));
        let two = texts.sorted();
        let one = Text {
            folded: "one".to_owned(),
            written: "One!".to_owned(),
            times: 2,
        };
        assert_eq!(two[0], one);
        assert_eq!(two[1].folded, "two");
    }

    #[test]
    fn a_long_text_is_cut_behind_a_word() {
        assert_eq!(shortened("one two three", 13), "one two three");
        assert_eq!(shortened("one two three", 12), "one two…");
        assert_eq!(shortened("one two three", 7), "one two…");
        assert_eq!(shortened("one\ntwo three", 8), "one two…");
        assert_eq!(shortened("éééééé", 3), "ééé…");
    }
}

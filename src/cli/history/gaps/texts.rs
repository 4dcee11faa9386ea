//! Counts unmatched texts while they are read from the database.
//!
//! Memory grows with the number of distinct texts, up to a limit, not with the number of messages.
//! Next: [`super::cluster`].

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::text::normalize::NormalizedText;

/// Number of distinct texts; further ones are only counted.
pub(super) const TEXTS_MAX: usize = 100_000;
/// Number of first characters by which texts are compared and shown: a question is seldom longer.
const CHARACTERS_MAX: usize = 200;
/// Number of spellings counted per text: the usual one is among the first.
const SPELLINGS_MAX: usize = 8;

/// Distinct texts with their frequency.
pub(super) struct Texts {
    most: usize,
    /// Counts by normalized text.
    known: HashMap<String, Counted>,
    /// Number of messages, including those left out.
    pub(super) messages: u64,
    /// Number of messages whose text was beyond the limit.
    pub(super) left_out: u64,
}

struct Counted {
    times: u64,
    spellings: Vec<(String, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// Normalized text: words joined by spaces.
    pub(super) folded: String,
    /// Most frequent spelling.
    pub(super) written: String,
    pub(super) times: u64,
}

impl Text {
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.folded.split(' ').filter(|word| !word.is_empty())
    }
}

impl Texts {
    /// Makes a counter for up to `most` distinct texts.
    pub(super) fn up_to(most: usize) -> Self {
        Self {
            most,
            known: HashMap::new(),
            messages: 0,
            left_out: 0,
        }
    }

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
        if let Some((_, times)) = spellings
            .iter_mut()
            .find(|(spelling, _)| *spelling == written)
        {
            *times += 1;
        } else if spellings.len() < SPELLINGS_MAX {
            spellings.push((written, 1));
        }
    }

    /// Lists the texts, the most frequent first.
    pub(super) fn sorted(self) -> Vec<Text> {
        let usual = |counted: Counted| {
            let spellings = counted.spellings.into_iter();
            let usual = spellings.min_by(|left, right| {
                (Reverse(left.1), &left.0).cmp(&(Reverse(right.1), &right.0))
            });
            usual.map(|(written, _)| written).unwrap_or_default()
        };
        let known = self.known.into_iter();
        let texts = known.map(|(folded, counted)| Text {
            folded,
            times: counted.times,
            written: usual(counted),
        });
        let mut texts: Vec<Text> = texts.collect();
        texts.sort_unstable_by(|left, right| {
            let times = right.times.cmp(&left.times);
            times.then_with(|| left.folded.cmp(&right.folded))
        });
        texts
    }
}

/// Normalizes the part of a text by which it is compared.
pub(super) fn compared(text: &str) -> NormalizedText {
    NormalizedText::new(&shortened(text, CHARACTERS_MAX))
}

/// Formats a text in one line of at most `most` characters, cut behind a word.
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
        let first = Text {
            folded: "one".to_owned(),
            written: "One!".to_owned(),
            times: 2,
        };
        assert_eq!(two[0], first);
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

//! Words with slips of the finger in them: `text.like`.
//!
//! Two words are alike when one becomes the other by few slips: a letter too many, too few, another
//! one, or two neighbours swapped. How many are forgiven depends on the keyword: none below four
//! characters, one below eight, two from there on; words with a digit are taken exactly, and so are
//! words of more than [`LENGTH_MAX`] characters, because the work grows with the square of the
//! length. Most words of most languages that differ by one letter are short, so this seldom takes
//! one word for another.

use super::normalize::{NormalizedText, Phrase};

/// Keywords shorter than this are taken exactly.
const ONE_SLIP_FROM: usize = 4;
/// Keywords of this length or longer forgive two slips.
const TWO_SLIPS_FROM: usize = 8;
/// Longer words, of the owner's as of the people's, are taken exactly.
pub const LENGTH_MAX: usize = 32;

/// How many slips a keyword forgives.
#[must_use]
pub fn max_edits(keyword: &str) -> usize {
    let length = keyword.chars().count();
    if length < ONE_SLIP_FROM || is_exact(keyword) {
        0
    } else if length < TWO_SLIPS_FROM {
        1
    } else {
        2
    }
}

/// Whether a word is never another one misspelt, whatever it is compared with: it is a number, or
/// too long.
pub(crate) fn is_exact(word: &str) -> bool {
    let is_digit = |character: char| character.is_ascii_digit();
    word.contains(is_digit) || word.chars().nth(LENGTH_MAX).is_some()
}

/// Whether a word is the keyword, or the keyword with few slips. Both are folded.
#[must_use]
pub fn is_like(word: &str, keyword: &str) -> bool {
    if word == keyword {
        return true;
    }
    let allowed = max_edits(keyword);
    if allowed == 0 || is_exact(word) {
        return false;
    }
    let apart = word.chars().count().abs_diff(keyword.chars().count());
    apart <= allowed && strsim::osa_distance(word, keyword) <= allowed
}

/// Where a phrase stands in a text, slips forgiven: the index of its first word.
#[must_use]
pub fn find_like(text: &NormalizedText, phrase: &Phrase) -> Option<usize> {
    text.words().windows(phrase.words.len()).position(|words| {
        let mut pairs = words.iter().zip(&phrase.words);
        pairs.all(|(word, keyword)| is_like(word, keyword))
    })
}

/// What is left of a word when up to `count` characters are taken out, the word itself included:
/// two words that are alike have one of these in common. Not more than some hundred, as long as
/// nothing is taken out of words that are exact.
pub(crate) fn deletions(word: &str, count: usize) -> Vec<String> {
    let mut all = vec![word.to_owned()];
    delete_from(word, 0, count, &mut all);
    all
}

/// Takes out one character at `from` or behind it, then more behind that one, so that nothing comes
/// twice by two ways.
fn delete_from(word: &str, from: usize, count: usize, all: &mut Vec<String>) {
    if count == 0 {
        return;
    }
    for (at, character) in word.char_indices().skip_while(|(at, _)| *at < from) {
        let mut left = String::with_capacity(word.len());
        left.push_str(&word[..at]);
        left.push_str(&word[at + character.len_utf8()..]);
        delete_from(&left, at, count - 1, all);
        all.push(left);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LENGTH_MAX, deletions, find_like, is_like, max_edits};
    use crate::text::normalize::{NormalizedText, Phrase};

    #[test]
    fn short_words_and_numbers_are_exact_and_longer_ones_forgive() {
        for (word, keyword) in [
            ("menu", "menu"),
            ("mneu", "menu"),
            ("men", "menu"),
            ("menue", "menu"),
            ("apointmnt", "appointment"),
            ("dleivery", "delivery"),
        ] {
            assert!(is_like(word, keyword), "{word} for {keyword}");
        }
        for (word, keyword) in [
            ("hat", "has"),
            ("me", "menu"),
            ("mn", "menu"),
            ("bread", "dream"),
            ("4711", "4712"),
            ("menu1", "menu"),
            ("delive", "deliveries"),
        ] {
            assert!(!is_like(word, keyword), "{word} for {keyword}");
        }
        assert_eq!(
            (
                max_edits("cat"),
                max_edits("cake"),
                max_edits("delivery"),
                max_edits("a1b2c3d4")
            ),
            (0, 1, 2, 0)
        );
    }

    #[test]
    fn words_that_are_too_long_are_exact_and_cost_nothing() {
        let longest = "a".repeat(LENGTH_MAX);
        let longer = "a".repeat(LENGTH_MAX + 1);
        let shorter = "a".repeat(LENGTH_MAX - 1);

        assert!(is_like(&shorter, &longest));
        assert!(!is_like(&longer, &longest), "the word is too long");
        assert!(!is_like(&longest, &longer), "the keyword is too long");
        assert!(is_like(&longer, &longer));
        assert_eq!((max_edits(&longest), max_edits(&longer)), (2, 0));
        assert!(deletions(&longest, max_edits(&longest)).len() < 600);
    }

    #[test]
    fn every_word_of_a_phrase_may_have_its_slips() {
        let phrase = Phrase::parse("opening hours").unwrap();

        assert_eq!(
            find_like(&NormalizedText::new("Your openning huors, please"), &phrase),
            Some(1)
        );
        assert_eq!(
            find_like(&NormalizedText::new("hours of opening"), &phrase),
            None
        );
    }

    proptest! {
        #[test]
        fn alike_words_have_a_deletion_in_common(keyword in "[a-e]{4,9}", word in "[a-e]{2,11}") {
            if is_like(&word, &keyword) {
                let count = max_edits(&keyword);
                let theirs = deletions(&word, count);
                prop_assert!(deletions(&keyword, count).iter().any(|one| theirs.contains(one)));
            }
        }
    }
}

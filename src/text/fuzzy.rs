//! Matching of words with typing errors: `text.like`.
//!
//! Two words are alike when few edits turn one into the other: an added, missing or wrong letter,
//! or two neighbours swapped. The number of edits allowed depends on the keyword: none below four
//! characters, one below eight, two from eight on. Words with a digit must match exactly, and so
//! must words of more than [`LENGTH_MAX`] characters, because the work grows with the square of the
//! length. In most languages, most words that differ by one letter are short, so that one word is
//! seldom taken for another.

use super::normalize::{NormalizedText, Phrase};

/// Minimum number of characters of keywords that allow one edit.
const ONE_EDIT_FROM: usize = 4;
/// Minimum number of characters of keywords that allow two edits.
const TWO_EDITS_FROM: usize = 8;
/// Maximum number of characters of words and keywords that need not match exactly.
pub const LENGTH_MAX: usize = 32;

/// Returns the number of edits that a keyword allows.
#[must_use]
pub fn max_edits(keyword: &str) -> usize {
    let length = keyword.chars().count();
    if length < ONE_EDIT_FROM || is_exact(keyword) {
        0
    } else if length < TWO_EDITS_FROM {
        1
    } else {
        2
    }
}

/// Whether a word must match exactly, because it contains a digit or is too long.
pub(crate) fn is_exact(word: &str) -> bool {
    let is_digit = |character: char| character.is_ascii_digit();
    word.contains(is_digit) || word.chars().nth(LENGTH_MAX).is_some()
}

/// Whether a word equals the keyword within its allowed edits. Both are normalized.
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

/// Whether a word is a command with a slip of the fingers: two neighbours behind the first letter
/// swapped (`stpo`), letters repeated (`stooop`), or, from eight letters on, any one edit. Stricter
/// than [`is_like`], because `shop` and `step` are no `stop`.
#[must_use]
pub fn is_slip(word: &str, command: &str) -> bool {
    if word == command {
        return true;
    }
    let edits = max_edits(command);
    if edits == 0 || is_exact(word) || word.chars().next() != command.chars().next() {
        return false;
    }
    let (length, other) = (word.chars().count(), command.chars().count());
    let is_repeated = length > other && squeezed(word) == squeezed(command);
    let is_swapped = length == other && is_swap(word, command);
    let is_edited = edits > 1 && length.abs_diff(other) < edits;
    is_repeated || is_swapped || is_edited && strsim::osa_distance(word, command) == 1
}

/// A word with one letter in place of several equal ones.
fn squeezed(word: &str) -> String {
    let mut squeezed: Vec<char> = word.chars().collect();
    squeezed.dedup();
    squeezed.into_iter().collect()
}

/// Whether two words of the same length differ in two neighbours that are swapped.
fn is_swap(word: &str, other: &str) -> bool {
    let pairs = word.chars().zip(other.chars()).enumerate();
    let differing: Vec<_> = pairs
        .filter(|(_, (first, second))| first != second)
        .collect();
    matches!(differing[..], [(at, pair), (next, (first, second))]
        if next == at + 1 && pair == (second, first))
}

/// Finds a phrase in a text within the allowed edits; returns the index of its first word.
#[must_use]
pub fn find_like(text: &NormalizedText, phrase: &Phrase) -> Option<usize> {
    text.words().windows(phrase.words.len()).position(|words| {
        let mut pairs = words.iter().zip(&phrase.words);
        pairs.all(|(word, keyword)| is_like(word, keyword))
    })
}

/// Lists a word and its remainders after up to `count` deletions. Two words that are alike share
/// one of them. Some hundred at most, if exact words are given no deletions.
pub(crate) fn deletions(word: &str, count: usize) -> Vec<String> {
    let mut deletions = vec![word.to_owned()];
    delete_from(word, 0, count, &mut deletions);
    deletions
}

/// Deletes a character at byte `from` or later, then further ones behind it, so that no combination
/// occurs twice.
fn delete_from(word: &str, from: usize, count: usize, deletions: &mut Vec<String>) {
    if count == 0 {
        return;
    }
    for (at, character) in word.char_indices().skip_while(|(at, _)| *at < from) {
        let mut left = String::with_capacity(word.len());
        left.push_str(&word[..at]);
        left.push_str(&word[at + character.len_utf8()..]);
        delete_from(&left, at, count - 1, deletions);
        deletions.push(left);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LENGTH_MAX, deletions, find_like, is_like, is_slip, max_edits};
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
        let keywords = ["cat", "cake", "delivery", "a1b2c3d4"];
        assert_eq!(keywords.map(max_edits), [0, 1, 2, 0]);
    }

    #[test]
    fn a_slip_in_a_command_makes_no_other_word() {
        for (word, command) in [
            ("stpo", "stop"),
            ("sotp", "stop"),
            ("stooop", "stop"),
            ("stopp", "stop"),
            ("cancell", "cancel"),
            ("unsuscribe", "unsubscribe"),
        ] {
            assert!(is_slip(word, command), "{word} for {command}");
        }
        for (word, command) in [
            ("shop", "stop"),
            ("step", "stop"),
            ("top", "stop"),
            ("tsop", "stop"),
            ("spot", "stop"),
            ("stops", "stop"),
            ("subscribe", "unsubscribe"),
            ("nno", "no"),
            ("lata", "alta"),
        ] {
            assert!(!is_slip(word, command), "{word} for {command}");
        }
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

        let find = |text| find_like(&NormalizedText::new(text), &phrase);
        assert_eq!(find("Your openning huors, please"), Some(1));
        assert_eq!(find("hours of opening"), None);
    }

    proptest! {
        #[test]
        fn alike_words_have_a_deletion_in_common(keyword in "[a-e]{4,9}", word in "[a-e]{2,11}") {
            if is_like(&word, &keyword) {
                let count = max_edits(&keyword);
                let of_word = deletions(&word, count);
                prop_assert!(deletions(&keyword, count).iter().any(|deletion| of_word.contains(deletion)));
            }
        }
    }
}

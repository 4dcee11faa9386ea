//! Normalization, which makes texts of contacts and keywords of owners comparable.
//!
//! It ignores case, accents, width, look-alike digits, invisible characters and punctuation, and
//! splits into words. Nothing matches inside a word, except in scripts without spaces between
//! words, where each character is a word of its own.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

/// Keyword or phrase, normalized once when the rules are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// Original text, for explanations.
    pub written: String,
    /// Normalized words, in order; never empty.
    pub words: Vec<String>,
}

/// Text split into normalized words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NormalizedText {
    words: Vec<String>,
}

impl Phrase {
    /// Normalizes a keyword; `None` if it consists of punctuation only.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let words = NormalizedText::new(written).words;
        (!words.is_empty()).then(|| Self {
            written: written.to_owned(),
            words,
        })
    }

    /// Returns the single letter that remains of a keyword with signs, for example of `C++` and of
    /// `C#`.
    #[must_use]
    pub fn lone_letter(&self) -> Option<&str> {
        let [word] = &self.words[..] else {
            return None;
        };
        let is_letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
        let is_sign = |character: char| {
            let is_part = character.is_alphanumeric() || is_combining_mark(character);
            !is_part && !character.is_whitespace() && !is_invisible(character)
        };
        (is_letter && self.written.contains(is_sign)).then_some(word)
    }
}

impl NormalizedText {
    /// Normalizes a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut tokenizer = Tokenizer::default();
        // Invisible characters are removed before the split, because they would be word boundaries;
        // the joiner of emoji stays.
        let visible = text.chars().filter(|character| !is_invisible(*character));
        let text: String = visible.collect();
        for segment in text.split_word_bounds() {
            for character in segment.nfkd().flat_map(char::to_lowercase).nfkd() {
                tokenizer.push(character);
            }
            tokenizer.end_word();
        }
        Self {
            words: tokenizer.words,
        }
    }

    /// Returns the normalized words, in order.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether the whole text equals the phrase.
    #[must_use]
    pub fn is(&self, phrase: &Phrase) -> bool {
        self.words == phrase.words
    }

    /// Whether the text contains the phrase.
    #[must_use]
    pub fn has(&self, phrase: &Phrase) -> bool {
        self.find(phrase).is_some()
    }

    /// Finds the phrase; returns the index of its first word.
    #[must_use]
    pub fn find(&self, phrase: &Phrase) -> Option<usize> {
        let mut windows = self.words.windows(phrase.words.len());
        windows.position(|words| words == phrase.words)
    }

    /// Whether the text begins with the phrase.
    #[must_use]
    pub fn starts_with(&self, phrase: &Phrase) -> bool {
        self.words.starts_with(&phrase.words)
    }

    /// Joins the words by spaces: the text as rules see it.
    #[must_use]
    pub fn joined(&self) -> String {
        self.words.join(" ")
    }
}

/// Collects normalized characters into words.
#[derive(Default)]
struct Tokenizer {
    words: Vec<String>,
    word: String,
    kind: Option<Part>,
    /// Whether a ring of Thai or Lao was read whose letter follows.
    has_ring: bool,
}

/// Arabic hamza above a `ي`, unresolved until the next letter.
const HAMZA_CARRIER: char = 'ئ';

/// Role of a character within words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Joins adjacent letters and digits.
    Letter,
    /// Joins adjacent emoji.
    Emoji,
    /// Forms a word alone: the script has no spaces.
    Alone,
}

impl Tokenizer {
    fn push(&mut self, character: char) {
        // Shortcut: ASCII characters are no marks.
        if !character.is_ascii() && self.push_mark(character) {
            return;
        }
        let character = self.combine_ring(character);
        self.resolve_hamza(character);
        let Some(part) = part_of(character) else {
            return self.end_word();
        };
        if self
            .kind
            .is_some_and(|kind| kind != part || part == Part::Alone)
        {
            self.end_word();
        }
        self.kind = Some(part);
        match plain_letters(character) {
            Some(letters) => self.word.push_str(letters),
            None => self.word.push(digit(character).unwrap_or(character)),
        }
    }

    /// Applies a mark to the previous character, or drops it; returns whether the character was a
    /// mark.
    fn push_mark(&mut self, character: char) -> bool {
        if is_dropped(character) || self.extend_previous(character) {
            return true;
        }
        let is_mark = is_combining_mark(character);
        if is_mark {
            self.resolve_hamza(character);
            if self.kind.is_some() {
                self.word.push(plain_mark(character));
            }
        }
        is_mark
    }

    /// Applies characters that belong to the previous one or to the next; returns whether it was
    /// one.
    fn extend_previous(&mut self, character: char) -> bool {
        match character {
            // The flags of England and Scotland are a black flag with invisible letters.
            '\u{e0020}'..='\u{e007f}' => {
                if self.kind == Some(Part::Emoji) {
                    self.word.push(character);
                }
                true
            }
            // The next letter decides which letter this stands for.
            '\u{654}' => {
                if self.word.ends_with('ي') {
                    self.word.pop();
                    self.word.push(HAMZA_CARRIER);
                }
                true
            }
            // `شيء` is also written `شئ`. Elsewhere the hamza stays: `ماء` is water, and `ما` is
            // "what".
            'ء' => self.word.ends_with('ي'),
            // Tones are typed on either side of the vowel `am`.
            '\u{e48}'..='\u{e4b}' | '\u{ec8}'..='\u{ecb}' => match self.words.last_mut() {
                Some(before) if ["ำ", "ຳ"].contains(&self.word.as_str()) => {
                    before.push(character);
                    true
                }
                _ => false,
            },
            '\u{e4d}' | '\u{ecd}' => {
                self.has_ring = true;
                true
            }
            _ => false,
        }
    }

    /// Recombines the vowel `am` of Thai and Lao, which NFKD decomposes into a ring and an `a`;
    /// without the ring, "water" would equal "aunt".
    fn combine_ring(&mut self, letter: char) -> char {
        match (std::mem::take(&mut self.has_ring), letter) {
            (true, 'า') => 'ำ',
            (true, 'າ') => 'ຳ',
            _ => letter,
        }
    }

    /// Resolves a hamza carrier: `مسئول` is also written `مسؤول`, so that the carrier becomes a `و`
    /// before a `و` and a `ي` elsewhere.
    fn resolve_hamza(&mut self, next: char) {
        if self.word.ends_with(HAMZA_CARRIER) {
            self.word.pop();
            self.word.push(if next == 'و' { 'و' } else { 'ي' });
        }
    }

    fn end_word(&mut self) {
        self.resolve_hamza(' ');
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
        self.kind = None;
    }
}

pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{2060}' | '\u{feff}'
        | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // directions
    )
}

/// Whether a character changes only the look of a word. Other marks stay: they are vowels in Hindi
/// and Thai.
fn is_dropped(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}'            // Latin, Greek and Cyrillic accents
        | '\u{64b}'..='\u{652}' | '\u{670}' | '\u{640}' // Arabic vowel signs, and the stretch
        | '\u{653}' | '\u{655}'          // madda and lower hamza that NFKD splits off their letter
        | '\u{591}'..='\u{5c7}'          // Hebrew points
        | '\u{93c}'                      // the dot of Hindi letters, which many leave out
        | '\u{200d}'                     // joins emoji
        | '\u{20e3}'                     // the key around a digit
        | '\u{fe00}'..='\u{fe0f}'        // variation selectors
        | '\u{1f3fb}'..='\u{1f3ff}'      // skin tones
    )
}

/// Unifies marks that are used interchangeably.
fn plain_mark(mark: char) -> char {
    match mark {
        '\u{901}' => '\u{902}', // Hindi candrabindu, for which most write anusvara
        mark => mark,
    }
}

fn part_of(character: char) -> Option<Part> {
    if has_no_spaces(character) {
        Some(Part::Alone)
    } else if character.is_alphanumeric() || character == '🔟' {
        Some(Part::Letter)
    } else if is_emoji(character) {
        Some(Part::Emoji)
    } else {
        None
    }
}

/// Whether a word is of a script without spaces between words.
pub(crate) fn is_unspaced(word: &str) -> bool {
    word.starts_with(has_no_spaces)
}

/// Whether a character belongs to Thai, Lao, Burmese, Khmer, kana or Han.
fn has_no_spaces(character: char) -> bool {
    matches!(character,
        '\u{e01}'..='\u{e4e}' | '\u{e81}'..='\u{ece}' | '\u{1000}'..='\u{103f}'
        | '\u{1780}'..='\u{17d3}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{1f000}'..='\u{1faff}' | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}'
        | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}'
        | '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}')
}

/// Replaces letters that do not decompose but are often typed as plain ones, and interchangeable
/// variants of Arabic letters.
fn plain_letters(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'þ' => "th",
        'ς' => "σ",
        'ٱ' => "ا",
        'ى' | 'ی' => "ي",
        'ة' => "ه",
        'ک' => "ك",
        '🔟' => "10",
        _ => return None,
    })
}

/// Returns the ASCII digit of a decimal digit of another script.
pub(crate) fn digit(character: char) -> Option<char> {
    if character.is_ascii() {
        return None;
    }
    let at = DIGITS.partition_point(|(_, last)| *last < character);
    let (zero, _) = DIGITS.get(at).filter(|(zero, _)| *zero <= character)?;
    // Each script has ten consecutive digits; adjacent scripts form one longer range.
    let from_zero = u32::from(character) - u32::from(*zero);
    char::from_digit(from_zero % 10, 10)
}

/// Ranges of the decimal digits of all scripts, in order: `\d` of patterns.
static DIGITS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let parsed = regex_syntax::parse(r"\d").expect("it is a pattern");
    match parsed.into_kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.iter();
            ranges.map(|range| (range.start(), range.end())).collect()
        }
        _ => Vec::new(),
    }
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NormalizedText, Phrase};

    fn folded(text: &str) -> String {
        NormalizedText::new(text).joined()
    }

    /// Iterates over the lines of a table without empty ones and comments.
    fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
        let is_row = |line: &&str| !line.is_empty() && !line.starts_with('#');
        table.lines().filter(is_row)
    }

    #[test]
    fn texts_of_many_languages_fold_to_what_people_mean() {
        let cases = include_str!("../../tests/cases/normalize/folded.txt");
        for line in rows(cases) {
            let (text, expected) = line.split_once(" => ").expect("`text => folded`");
            assert_eq!(folded(text), expected, "for `{text}`");
        }
        assert!(rows(cases).count() > 25, "the table was not read");
    }

    #[test]
    fn keywords_are_found_as_words_and_never_inside_one() {
        let cases = include_str!("../../tests/cases/normalize/found.txt");
        for line in rows(cases) {
            let (keyword, rest) = line.split_once(' ').expect("`keyword in|not in text`");
            let (expected, text) = rest
                .strip_prefix("in ")
                .map(|text| (true, text))
                .or_else(|| rest.strip_prefix("not in ").map(|text| (false, text)))
                .expect("`in` or `not in`");
            let phrase = Phrase::parse(&keyword.replace('_', " ")).expect("a word");
            assert_eq!(NormalizedText::new(text).has(&phrase), expected, "{line}");
        }
        assert!(rows(cases).count() > 20, "the table was not read");
    }

    #[test]
    fn punctuation_alone_is_no_phrase() {
        assert_eq!(Phrase::parse(" …?! "), None);
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn a_phrase_is_found_in_a_text_made_of_it(
            before in "([a-zäöü]{1,6} ){0,3}", phrase in "[a-zA-ZéÉ]{1,8}( [a-z]{1,5})?", after in "( [a-z]{1,6}){0,3}",
        ) {
            let text = format!("{before}{}{after}", phrase.to_uppercase());
            let phrase = Phrase::parse(&phrase).expect("letters");
            prop_assert!(NormalizedText::new(&text).has(&phrase));
            let inside = format!("x{}x", phrase.words.concat());
            prop_assert!(!NormalizedText::new(&inside).has(&phrase), "found inside a word");
        }
    }
}

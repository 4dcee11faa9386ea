//! Tokens of an answer: numbers with the marks inside them, normalized words, and signs.

use unicode_segmentation::UnicodeSegmentation as _;

use super::western;
use crate::text::normalize::NormalizedText;

/// Largest number of tokens of an answer; a longer text is no answer.
const TOKENS_MAX: usize = 40;
/// Marks that may stand between two digits of one number, date or time.
const INNER_MARKS: &str = ".,:/-'’";
/// Signs that mean nothing beside a value.
const PUNCTUATION: &str = ".,;:!?…()[]\"'’‘“”„«»¡¿*_~`@、。，！？「」،؛؟।ฯ•·";
/// Emoji that refuse something, unlike all others.
const REFUSING_EMOJI: &str = "❌🚫👎⛔🙅❎✖";

/// One token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Whether nothing stands between it and the token before.
    pub(super) attached: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, with marks between them: `24`, `15:30`, `24/12/2026`, `1,234.5`.
    Number {
        written: String,
        /// Whether a full stop is attached, as in `24.12.`
        stop: bool,
    },
    /// A normalized word; in scripts without spaces, a character.
    Word(String),
    /// A sign that is no punctuation: `$`, `-`, `+`, `%`.
    Sign(char),
}

impl Token {
    /// Makes a token of a word that stands apart.
    pub(super) fn from_word(word: &str) -> Self {
        Self {
            kind: Kind::Word(word.to_owned()),
            attached: false,
        }
    }

    /// Returns the word, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            Kind::Number { .. } | Kind::Sign(_) => None,
        }
    }

    /// Returns the digits and marks, if it is a number.
    pub(super) fn number(&self) -> Option<&str> {
        match &self.kind {
            Kind::Number { written, .. } => Some(written),
            Kind::Word(_) | Kind::Sign(_) => None,
        }
    }

    /// Whether a full stop is attached to a number.
    pub(super) fn has_stop(&self) -> bool {
        matches!(self.kind, Kind::Number { stop: true, .. })
    }
}

/// Splits a text into tokens; `None` if it is too long for an answer.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    // People type a degree sign for the sign of an ordinal: "1° dicembre".
    let text = western(text).replace('°', "º");
    let mut rest = text.as_str();
    let mut attached = false;
    while let Some(first) = rest.chars().next() {
        if tokens.len() > TOKENS_MAX {
            return None;
        }
        // ".5" is a number; a full stop behind a word is not a part of one.
        let is_decimal = |text: &str| {
            !attached
                && text.starts_with(['.', ','])
                && text[1..].starts_with(|character: char| character.is_ascii_digit())
        };
        let is_number = first.is_ascii_digit() || is_decimal(rest);
        let length = if is_number {
            number_length(rest)
        } else {
            let is_start = |(at, character): &(usize, char)| {
                let before = rest[..*at].chars().next_back();
                let is_apart = before.is_none_or(char::is_whitespace);
                character.is_ascii_digit()
                    || is_apart
                        && *at > 0
                        && matches!(character, '.' | ',')
                        && rest[at + 1..].starts_with(|next: char| next.is_ascii_digit())
            };
            let start = rest.char_indices().find(is_start);
            start.map_or(rest.len(), |(at, _)| at)
        };
        let (part, behind) = rest.split_at(length);
        rest = behind;
        if !is_number {
            push_words(part, &mut tokens, &mut attached);
            continue;
        }
        let stop = rest.starts_with('.') && !rest.starts_with("..");
        let kind = Kind::Number {
            written: part.replace('’', "'"),
            stop,
        };
        tokens.push(Token { kind, attached });
        attached = true;
    }
    Some(tokens)
}

/// Length of the number at the start of a text, with single marks between digits.
fn number_length(text: &str) -> usize {
    let mut end = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let goes_on = characters
            .peek()
            .is_some_and(|(_, next)| next.is_ascii_digit());
        if !(character.is_ascii_digit() || INNER_MARKS.contains(character) && goes_on) {
            break;
        }
        end = at + character.len_utf8();
    }
    end
}

/// Splits a text without digits.
fn push_words(text: &str, tokens: &mut Vec<Token>, attached: &mut bool) {
    let mut segments = text.split_word_bounds().peekable();
    while let Some(segment) = segments.next() {
        let follows_letter = segments
            .peek()
            .is_some_and(|next| next.starts_with(char::is_alphabetic));
        // The hyphen of a compound word.
        if ["-", "‐", "‑"].contains(&segment) && *attached && follows_letter {
            continue;
        }
        let words = NormalizedText::new(segment);
        for word in words.words() {
            if is_friendly_emoji(word) {
                *attached = false;
                continue;
            }
            let kind = Kind::Word(word.clone());
            tokens.push(Token {
                kind,
                attached: *attached,
            });
            *attached = true;
        }
        if !words.words().is_empty() {
            continue;
        }
        for character in segment.chars() {
            let is_nothing = character.is_whitespace()
                || PUNCTUATION.contains(character)
                || character.is_control()
                || crate::text::normalize::is_invisible(character)
                || unicode_normalization::char::is_combining_mark(character);
            if !is_nothing {
                tokens.push(Token {
                    kind: Kind::Sign(character),
                    attached: *attached,
                });
            }
            // An apostrophe joins a number and its ending: 24'ü.
            let is_apostrophe = matches!(character, '\'' | '’' | 'ʼ');
            *attached = !is_nothing || is_apostrophe && *attached;
        }
    }
}

/// Whether a word is emoji that people add to an answer without changing it.
pub(super) fn is_friendly_emoji(word: &str) -> bool {
    !word.contains(char::is_alphanumeric)
        && !word.contains(|character: char| REFUSING_EMOJI.contains(character))
        && !word.contains(unicode_normalization::char::is_combining_mark)
}

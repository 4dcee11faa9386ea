//! An answer to read: its tokens, and what the words among them mean.

use jiff::civil::Date;

use super::dictionary::{Dictionary, Meaning};
use super::tokens::{Kind, Token};
use crate::text::locale::Locale;

/// Answer to a question: its tokens and the dictionary of its language.
pub(super) struct Answer<'l> {
    pub(super) tokens: Vec<Token>,
    pub(super) locale: &'l Locale,
    pub(super) today: Date,
    /// The phrases at each place.
    phrases: Vec<Vec<(usize, Meaning)>>,
}

impl<'l> Answer<'l> {
    /// Splits a text; `None` if it is too long.
    pub(super) fn new(locale: &'l Locale, text: &str, today: Date) -> Option<Self> {
        let dictionary = Dictionary::of_language(locale.language());
        let mut tokens = super::tokens::tokens(text)?;
        for at in (0..tokens.len()).rev() {
            let compound = tokens[at].word().and_then(|word| dictionary.split(word));
            if let Some((day, part)) = compound {
                let (day, part) = (Token::from_word(day), Token::from_word(part));
                tokens.splice(at..=at, [day, part]);
            }
        }
        let phrases = (0..tokens.len()).map(|at| phrases(&tokens, at, dictionary));
        Some(Self {
            phrases: phrases.collect(),
            tokens,
            locale,
            today,
        })
    }

    /// Returns the phrases at a place: where they end, and what they mean.
    pub(super) fn phrases(&self, at: usize) -> &[(usize, Meaning)] {
        self.phrases.get(at).map_or(&[], Vec::as_slice)
    }

    /// Finds the phrases that give a value: where they end, and the value.
    pub(super) fn find<T>(
        &self,
        at: usize,
        value_of: impl Fn(Meaning) -> Option<T>,
    ) -> Vec<(usize, T)> {
        let phrases = self.phrases(at).iter();
        phrases
            .filter_map(|(end, meaning)| Some((*end, value_of(*meaning)?)))
            .collect()
    }

    /// Finds where phrases of a meaning end.
    pub(super) fn ends(&self, at: usize, wanted: Meaning) -> Vec<usize> {
        let phrases = self.phrases(at).iter();
        let phrases = phrases.filter(|(_, meaning)| *meaning == wanted);
        phrases.map(|(end, _)| *end).collect()
    }

    /// Whether some phrase at a place means what is wanted.
    pub(super) fn has(&self, at: usize, is_wanted: impl Fn(Meaning) -> bool) -> bool {
        let mut phrases = self.phrases(at).iter();
        phrases.any(|(_, meaning)| is_wanted(*meaning))
    }

    /// The place itself, and where phrases of some meaning end: the phrase may be left out.
    pub(super) fn skip(&self, at: usize, meaning: Meaning) -> Vec<usize> {
        let mut ends = self.ends(at, meaning);
        ends.push(at);
        ends
    }

    /// Whether a phrase that adds nothing touches a number, so that it may be a part of it: `4a`.
    pub(super) fn is_glued(&self, start: usize, end: usize) -> bool {
        let is_number = |at: usize| {
            let token = self.tokens.get(at);
            token.is_some_and(|token| matches!(token.kind, Kind::Number { .. }))
        };
        let has_spaces = |at: usize| {
            let word = self.tokens.get(at).and_then(Token::word);
            word.is_some_and(|word| !crate::text::normalize::is_unspaced(word))
        };
        let is_attached = |at: usize| self.tokens.get(at).is_some_and(|token| token.attached);
        (has_spaces(start) && is_attached(start) && start > 0 && is_number(start - 1))
            || (has_spaces(end - 1) && is_attached(end) && is_number(end))
    }

    /// Lists whole numbers at a place, in digits or words: where they end, the number, and whether
    /// a full stop is attached.
    pub(super) fn integers(&self, at: usize) -> Vec<(usize, i16)> {
        let digits = self.tokens.get(at).and_then(Token::number);
        let digits = digits.filter(|digits| digits.len() <= 4);
        let number = digits.and_then(|digits| digits.parse().ok());
        let mut numbers: Vec<(usize, i16)> =
            number.map(|number| (at + 1, number)).into_iter().collect();
        numbers.extend(self.find(at, |meaning| match meaning {
            Meaning::Number(number) => Some(i16::from(number)),
            _ => None,
        }));
        numbers
    }
}

/// Finds the phrases at a place.
fn phrases(tokens: &[Token], at: usize, dictionary: &Dictionary) -> Vec<(usize, Meaning)> {
    let words = tokens[at..].iter().map_while(Token::word);
    let mut phrases = dictionary.phrases(&words);
    // "Twenty two" is not twenty.
    let is_number = |meaning: &Meaning| matches!(meaning, Meaning::Number(_));
    let numbers = phrases.iter().filter(|(_, meaning)| is_number(meaning));
    if let Some(longest) = numbers.map(|(length, _)| *length).max() {
        phrases.retain(|(length, meaning)| *length == longest || !is_number(meaning));
    }
    for (end, _) in &mut phrases {
        *end += at;
    }
    phrases
}

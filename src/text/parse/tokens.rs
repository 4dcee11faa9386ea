//! Words of a text. Each reader takes the words that it understands; the rest can be inspected.

use crate::text::normalize::{NormalizedText, Phrase};

/// Words of a text in order. Taken words are not found any more; the others keep their places.
pub(crate) struct Mentions {
    whole: NormalizedText,
    left: Vec<Option<String>>,
}

impl Mentions {
    pub(crate) fn new(text: &str) -> Self {
        let whole = NormalizedText::new(text);
        let left = whole.words().iter().cloned().map(Some).collect();
        Self { whole, left }
    }

    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn word(&self, at: usize) -> Option<&str> {
        self.left.get(at)?.as_deref()
    }

    pub(crate) fn take(&mut self, start: usize, end: usize) {
        self.left[start..end].fill(None);
    }

    fn is_at(&self, at: usize, phrase: &Phrase) -> bool {
        let words = self.left.get(at..at + phrase.words.len());
        words.is_some_and(|words| {
            let words = words.iter().map(Option::as_deref);
            words.eq(phrase.words.iter().map(|word| Some(word.as_str())))
        })
    }

    /// Whether a phrase stands at a place.
    pub(crate) fn starts_at(&self, at: usize, phrase: &str) -> bool {
        Phrase::parse(phrase).is_some_and(|phrase| self.is_at(at, &phrase))
    }

    /// Whether a phrase stands at a place, taken or not.
    pub(crate) fn stood_at(&self, at: usize, phrase: &str) -> bool {
        let words = self.whole.words().get(at..);
        let phrase = Phrase::parse(phrase);
        words
            .zip(phrase)
            .is_some_and(|(words, phrase)| words.starts_with(&phrase.words))
    }

    /// Whether a phrase stands in front of a place.
    pub(crate) fn ends_before(&self, at: usize, phrase: &str) -> bool {
        let length = NormalizedText::new(phrase).words().len();
        at.checked_sub(length)
            .is_some_and(|start| self.starts_at(start, phrase))
    }

    /// Finds the first phrase that is left: the range of its words.
    pub(crate) fn find_any(&self, phrases: &[&str]) -> Option<(usize, usize)> {
        phrases.iter().find_map(|phrase| {
            let at = (0..self.len()).find(|at| self.starts_at(*at, phrase))?;
            Some((at, at + NormalizedText::new(phrase).words().len()))
        })
    }

    /// Whether one of the phrases is left.
    pub(crate) fn has_any(&self, phrases: &[&str]) -> bool {
        self.find_any(phrases).is_some()
    }

    /// Whether one of the phrases stands in the text, taken or not.
    pub(crate) fn had_any(&self, phrases: &[&str]) -> bool {
        let phrases = phrases.iter().filter_map(|phrase| Phrase::parse(phrase));
        phrases.into_iter().any(|phrase| self.whole.has(&phrase))
    }

    /// Takes every occurrence of some phrases, the longest first, and gives their places in order.
    pub(crate) fn take_longest<'a, T: Copy>(
        &mut self,
        phrases: &[(&'a str, T)],
    ) -> Vec<(usize, (&'a str, T))> {
        let mut sorted: Vec<(Phrase, (&'a str, T))> = phrases
            .iter()
            .filter_map(|phrase| Some((Phrase::parse(phrase.0)?, *phrase)))
            .collect();
        sorted.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.words.len()));
        let mut phrases = Vec::new();
        for (phrase, meaning) in sorted {
            while let Some(start) = (0..self.len()).find(|at| self.is_at(*at, &phrase)) {
                phrases.push((start, meaning));
                self.take(start, start + phrase.words.len());
            }
        }
        phrases.sort_by_key(|(start, _)| *start);
        phrases
    }

    /// Joins the words that are left, without some phrases.
    pub(crate) fn rest(&self, without: &[&str]) -> String {
        let mut rest = Self {
            whole: NormalizedText::default(),
            left: self.left.clone(),
        };
        while let Some((start, end)) = rest.find_any(without) {
            rest.take(start, end);
        }
        let words: Vec<&str> = rest.left.iter().flatten().map(String::as_str).collect();
        words.join(" ")
    }
}

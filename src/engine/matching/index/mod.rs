//! Index of the rules: finds the candidates for a message without evaluating each rule.
//!
//! Every rule is filed under keys of which at least one is present when its condition holds: words,
//! patterns, ids of buttons, types. All words are searched in one pass over the text, all patterns
//! in another, so the cost grows with the text and not with the number of rules. Conditions without
//! such a key (hours, tags, expressions, negations) are always candidates. The index never decides:
//! [`Condition::evaluate`] does, on the candidates.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Regex, RegexSet, RegexSetBuilder};

use super::evaluate::MatchContext;
use crate::message::Kind;
use crate::rules::{ButtonPattern, Condition};
use crate::text::fuzzy;
use crate::text::normalize::Phrase;

/// Character around every word of the searched text; no normalized word contains it.
const BORDER: char = '\u{1}';
/// Number of bytes that the set of all patterns may take; beyond it, rules with patterns are always
/// candidates.
const PATTERNS_SIZE_MAX: usize = 64 * 1024 * 1024;

/// Index of rules. A rule is known by its place in the rule set.
#[derive(Debug, Default)]
pub(crate) struct Index {
    words: Option<AhoCorasick>,
    /// Rules for each phrase of `words`.
    by_words: Vec<Vec<Filed>>,
    patterns: RegexSet,
    /// Rules for each of `patterns`.
    by_pattern: Vec<Vec<usize>>,
    /// By a keyword without some of its characters.
    by_deletion: HashMap<String, Vec<usize>>,
    /// Largest number of edits that any keyword allows.
    max_edits: usize,
    by_button: HashMap<String, Vec<usize>>,
    by_button_prefix: HashMap<String, Vec<usize>>,
    by_kind: Vec<(Kind, Vec<usize>)>,
    /// Rules that are always candidates.
    always: Vec<usize>,
}

/// A rule under a phrase.
#[derive(Clone, Copy, Debug)]
struct Filed {
    rule: usize,
    place: Place,
}

/// Required place of a phrase in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Whole,
    Start,
    Anywhere,
}

/// Property that a message has when a condition holds.
#[derive(Clone, Copy)]
enum Key<'c> {
    Words(&'c Phrase, Place),
    Like(&'c Phrase),
    Pattern(&'c Regex),
    Button(&'c ButtonPattern),
    Kind(Kind),
}

impl Key<'_> {
    /// Estimated share of messages that have the key; lower is better.
    fn breadth(self) -> usize {
        match self {
            Self::Button(_) => 1,
            Self::Words(..) => 2,
            Self::Like(_) => 3,
            Self::Pattern(_) => 4,
            Self::Kind(_) => 100,
        }
    }
}

impl Index {
    /// Builds the index; conditions are numbered by their place.
    pub(crate) fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Self {
        let mut index = Self::default();
        let mut words: HashMap<String, usize> = HashMap::new();
        let mut patterns: HashMap<&str, usize> = HashMap::new();
        for (rule, condition) in conditions.into_iter().enumerate() {
            let Some(keys) = keys(condition) else {
                index.always.push(rule);
                continue;
            };
            for key in keys {
                match key {
                    Key::Words(phrase, place) => {
                        let next = words.len();
                        let at = *words.entry(bordered(&phrase.words)).or_insert(next);
                        index.by_words.resize_with(words.len(), Vec::new);
                        index.by_words[at].push(Filed { rule, place });
                    }
                    Key::Pattern(regex) => {
                        let next = patterns.len();
                        let at = *patterns.entry(regex.as_str()).or_insert(next);
                        index.by_pattern.resize_with(patterns.len(), Vec::new);
                        index.by_pattern[at].push(rule);
                    }
                    key => index.file(rule, key),
                }
            }
        }
        index.build_words(words);
        index.build_patterns(&patterns);
        index
    }

    /// Files a rule under a key that needs no automaton.
    fn file(&mut self, rule: usize, key: Key<'_>) {
        match key {
            Key::Like(phrase) => {
                // One word is enough to find the rule; the longest is the rarest.
                let longest = phrase.words.iter().max_by_key(|word| word.len());
                let keyword = longest.map_or("", String::as_str);
                let max_edits = fuzzy::max_edits(keyword);
                self.max_edits = self.max_edits.max(max_edits);
                for rest in fuzzy::deletions(keyword, max_edits) {
                    self.by_deletion.entry(rest).or_default().push(rule);
                }
            }
            Key::Button(id) if id.has_stars() => {
                let prefix = id.prefix().to_owned();
                self.by_button_prefix.entry(prefix).or_default().push(rule);
            }
            Key::Button(id) => {
                let id = id.written.clone();
                self.by_button.entry(id).or_default().push(rule);
            }
            Key::Kind(kind) => {
                let place = self.by_kind.iter().position(|(known, _)| *known == kind);
                match place {
                    Some(at) => self.by_kind[at].1.push(rule),
                    None => self.by_kind.push((kind, vec![rule])),
                }
            }
            Key::Words(..) | Key::Pattern(_) => {}
        }
    }

    fn build_words(&mut self, words: HashMap<String, usize>) {
        if words.is_empty() {
            return;
        }
        let mut phrases = vec![String::new(); words.len()];
        for (phrase, at) in words {
            phrases[at] = phrase;
        }
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&phrases);
        if let Ok(automaton) = built {
            self.words = Some(automaton);
        } else {
            // Too many phrases for an automaton: slower, but correct.
            let filed = self.by_words.drain(..).flatten();
            self.always.extend(filed.map(|filed| filed.rule));
        }
    }

    fn build_patterns(&mut self, patterns: &HashMap<&str, usize>) {
        let mut in_order = vec![""; patterns.len()];
        for (pattern, at) in patterns {
            in_order[*at] = pattern;
        }
        let built = RegexSetBuilder::new(&in_order)
            .size_limit(PATTERNS_SIZE_MAX)
            .dfa_size_limit(PATTERNS_SIZE_MAX)
            .build();
        match built {
            Ok(set) => self.patterns = set,
            Err(_) => self.always.extend(self.by_pattern.drain(..).flatten()),
        }
    }

    /// Finds the places of all rules whose condition may hold, in order. Every rule whose condition
    /// holds is among them.
    pub(crate) fn candidates(&self, context: &MatchContext<'_>) -> Vec<usize> {
        let mut rules = self.always.clone();
        if let Some(text) = context.text() {
            self.find_words(text.words(), &mut rules);
            self.find_similar(text.words(), &mut rules);
        }
        if let Some(text) = context.searched().filter(|_| !self.patterns.is_empty()) {
            for pattern in self.patterns.matches(text) {
                rules.extend(&self.by_pattern[pattern]);
            }
        }
        if let Some(tapped) = context.tapped() {
            rules.extend(self.by_button.get(tapped).into_iter().flatten());
            let ends = tapped.char_indices().map(|(at, _)| at);
            for end in ends.chain([tapped.len()]) {
                let filed = self.by_button_prefix.get(&tapped[..end]);
                rules.extend(filed.into_iter().flatten());
            }
        }
        for (kind, filed) in &self.by_kind {
            if context.content().is(*kind) {
                rules.extend(filed);
            }
        }
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    fn find_words(&self, words: &[String], rules: &mut Vec<usize>) {
        let Some(automaton) = &self.words else {
            return;
        };
        let text = bordered(words);
        for hit in automaton.find_overlapping_iter(&text) {
            let start = hit.start() == 0;
            let whole = start && hit.end() == text.len();
            for filed in &self.by_words[hit.pattern().as_usize()] {
                let stands = match filed.place {
                    Place::Whole => whole,
                    Place::Start => start,
                    Place::Anywhere => true,
                };
                if stands {
                    rules.push(filed.rule);
                }
            }
        }
    }

    fn find_similar(&self, words: &[String], rules: &mut Vec<usize>) {
        if self.by_deletion.is_empty() {
            return;
        }
        for word in words {
            let max_edits = if fuzzy::is_exact(word) {
                0
            } else {
                self.max_edits
            };
            for rest in fuzzy::deletions(word, max_edits) {
                rules.extend(self.by_deletion.get(&rest).into_iter().flatten());
            }
        }
    }
}

/// Finds keys of which at least one is present when the condition holds; `None` if there are none.
fn keys(condition: &Condition) -> Option<Vec<Key<'_>>> {
    match condition {
        Condition::TextIs(phrases) => Some(words(phrases, Place::Whole)),
        Condition::TextHas(phrases) => Some(words(phrases, Place::Anywhere)),
        Condition::TextStarts(phrases) => Some(words(phrases, Place::Start)),
        Condition::TextLike(phrases) => Some(phrases.iter().map(Key::Like).collect()),
        Condition::TextMatches(patterns) => Some(patterns.iter().map(Key::Pattern).collect()),
        Condition::Button(ids) => Some(ids.iter().map(Key::Button).collect()),
        Condition::Type(kinds) => Some(kinds.iter().copied().map(Key::Kind).collect()),
        Condition::Any(parts) => {
            let keys: Option<Vec<Vec<Key<'_>>>> = parts.iter().map(keys).collect();
            Some(keys?.into_iter().flatten().collect())
        }
        Condition::All(parts) => {
            let breadth = |keys: &Vec<Key<'_>>| keys.iter().map(|key| key.breadth()).sum::<usize>();
            parts.iter().filter_map(keys).min_by_key(breadth)
        }
        Condition::Always
        | Condition::FirstContact(_)
        | Condition::ReturningAfter(_)
        | Condition::Language(_)
        | Condition::Country(_)
        | Condition::Open(_)
        | Condition::Tag(_)
        | Condition::Field(..)
        | Condition::ReplyTo(_)
        | Condition::Forwarded(_)
        | Condition::FromAd(_)
        | Condition::Ad(_)
        | Condition::Form(_)
        | Condition::If(_)
        | Condition::Not(_) => None,
    }
}

fn words(phrases: &[Phrase], place: Place) -> Vec<Key<'_>> {
    let keys = phrases.iter();
    keys.map(|phrase| Key::Words(phrase, place)).collect()
}

fn bordered(words: &[String]) -> String {
    let length = words.iter().map(|word| word.len() + 1).sum::<usize>() + 1;
    let mut text = String::with_capacity(length);
    text.push(BORDER);
    for word in words {
        text.push_str(word);
        text.push(BORDER);
    }
    text
}

#[cfg(test)]
mod tests;

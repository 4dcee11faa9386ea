//! Finds the rules that a message may meet, without looking at each of them.
//!
//! Every rule is filed under keys one of which must be there when its condition holds: words,
//! patterns, ids of buttons, types. All words are looked for in one walk over the text, all
//! patterns in another, so the cost grows with the text and not with the number of rules. What has
//! no such key (hours, tags, expressions, negations) is looked at each time. The index never
//! decides: [`Condition::evaluate`] does, on the few rules that are left.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Regex, RegexSet, RegexSetBuilder};

use super::evaluate::MatchContext;
use crate::message::Kind;
use crate::rules::{ButtonPattern, Condition};
use crate::text::fuzzy;
use crate::text::normalize::Phrase;

/// Stands around every word in what the automaton searches; no folded word has it.
const BORDER: char = '\u{1}';
/// Bytes that all patterns together may take; more, and each is looked at by itself.
const PATTERNS_SIZE_MAX: usize = 64 * 1024 * 1024;

/// Where each rule is filed. Rules are known by their place in the rule set.
#[derive(Debug, Default)]
pub struct Index {
    words: Option<AhoCorasick>,
    /// For each pattern of `words`.
    by_words: Vec<Vec<Filed>>,
    patterns: RegexSet,
    /// For each of `patterns`.
    by_pattern: Vec<Vec<usize>>,
    /// By what is left of a keyword without some of its characters.
    by_slip: HashMap<String, Vec<usize>>,
    /// The most slips that any keyword forgives.
    max_edits: usize,
    by_button: HashMap<String, Vec<usize>>,
    by_button_prefix: HashMap<String, Vec<usize>>,
    by_kind: Vec<(Kind, Vec<usize>)>,
    /// Looked at each time.
    always: Vec<usize>,
}

/// A rule under a phrase.
#[derive(Clone, Copy, Debug)]
struct Filed {
    rule: usize,
    place: Place,
}

/// Where in the text a phrase must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Whole,
    Start,
    Anywhere,
}

/// What must be there when a condition holds.
#[derive(Clone, Copy)]
enum Key<'c> {
    Words(&'c Phrase, Place),
    Like(&'c Phrase),
    Pattern(&'c Regex),
    Button(&'c ButtonPattern),
    Kind(Kind),
}

impl Key<'_> {
    /// How many messages have it, roughly: the fewer the better.
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
    /// Files conditions, each under its place.
    #[must_use]
    pub fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Self {
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
                // One of its words is enough to find it; the longest is the rarest.
                let longest = phrase.words.iter().max_by_key(|word| word.len());
                let keyword = longest.map_or("", String::as_str);
                let max_edits = fuzzy::max_edits(keyword);
                self.max_edits = self.max_edits.max(max_edits);
                for left in fuzzy::deletions(keyword, max_edits) {
                    self.by_slip.entry(left).or_default().push(rule);
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
        let mut in_order = vec![String::new(); words.len()];
        for (phrase, at) in words {
            in_order[at] = phrase;
        }
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&in_order);
        if let Ok(automaton) = built {
            self.words = Some(automaton);
        } else {
            // More phrases than an automaton numbers: slow, but right.
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

    /// The places of the rules whose condition may hold, in order. Every rule whose condition does
    /// hold is among them.
    #[must_use]
    pub fn candidates(&self, context: &MatchContext<'_>) -> Vec<usize> {
        let mut found = self.always.clone();
        if let Some(folded) = context.folded() {
            self.find_words(folded.words(), &mut found);
            self.find_slips(folded.words(), &mut found);
        }
        if let Some(text) = context.searched().filter(|_| !self.patterns.is_empty()) {
            for pattern in self.patterns.matches(text) {
                found.extend(&self.by_pattern[pattern]);
            }
        }
        if let Some(tapped) = context.tapped() {
            found.extend(self.by_button.get(tapped).into_iter().flatten());
            let ends = tapped.char_indices().map(|(at, _)| at);
            for end in ends.chain([tapped.len()]) {
                let filed = self.by_button_prefix.get(&tapped[..end]);
                found.extend(filed.into_iter().flatten());
            }
        }
        for (kind, rules) in &self.by_kind {
            if context.content().is(*kind) {
                found.extend(rules);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn find_words(&self, words: &[String], found: &mut Vec<usize>) {
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
                    found.push(filed.rule);
                }
            }
        }
    }

    fn find_slips(&self, words: &[String], found: &mut Vec<usize>) {
        if self.by_slip.is_empty() {
            return;
        }
        for word in words {
            let max_edits = if fuzzy::is_exact(word) {
                0
            } else {
                self.max_edits
            };
            for left in fuzzy::deletions(word, max_edits) {
                found.extend(self.by_slip.get(&left).into_iter().flatten());
            }
        }
    }
}

/// One of these is there when the condition holds; `None` when it can hold without any.
fn keys(condition: &Condition) -> Option<Vec<Key<'_>>> {
    match condition {
        Condition::TextIs(phrases) => Some(words(phrases, Place::Whole)),
        Condition::TextHas(phrases) => Some(words(phrases, Place::Anywhere)),
        Condition::TextStarts(phrases) => Some(words(phrases, Place::Start)),
        Condition::TextLike(phrases) => Some(phrases.iter().map(Key::Like).collect()),
        Condition::TextMatches(patterns) => Some(patterns.iter().map(Key::Pattern).collect()),
        Condition::Button(ids) => Some(ids.iter().map(Key::Button).collect()),
        Condition::Type(kinds) => Some(kinds.iter().copied().map(Key::Kind).collect()),
        Condition::Any(all) => {
            let keys: Option<Vec<Vec<Key<'_>>>> = all.iter().map(keys).collect();
            Some(keys?.into_iter().flatten().collect())
        }
        Condition::All(all) => {
            let breadth = |keys: &Vec<Key<'_>>| keys.iter().map(|key| key.breadth()).sum::<usize>();
            all.iter().filter_map(keys).min_by_key(breadth)
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

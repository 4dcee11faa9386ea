//! Clusters similar texts.
//!
//! A text is not compared with all others: an index by word finds the few groups that can be
//! similar, so that many thousands of texts take seconds. The same texts always give the same
//! groups. Next: [`super::suggest_rule`].

use std::collections::HashMap;

use super::texts::Text;
use crate::text::fuzzy;

/// Similarity, from 0 to 1, from which texts belong to one group.
const ALIKE: f64 = 0.5;
/// Number of groups indexed per word, the most frequent first: a word of more groups says little.
const GROUPS_BY_WORD_MAX: usize = 200;
/// Number of most frequent words whose misspellings are recognized.
const WORDS_WITH_SLIPS_MAX: usize = 50_000;
/// Longest word, in letters, whose misspellings are recognized; each letter costs a copy of the
/// word.
const LETTERS_WITH_SLIPS_MAX: usize = 40;

pub(super) struct Group {
    pub(super) messages: u64,
    /// Texts, the most frequent first.
    pub(super) texts: Vec<Text>,
}

/// Word of a [`Vocabulary`] with its misspellings; the lower, the more frequent.
pub(super) type Word = u32;

pub(super) struct Vocabulary {
    /// Number of each spelling; a misspelling has the number of the intended word.
    words: HashMap<String, Word>,
    weights: Vec<u32>,
}

struct Draft {
    group: Group,
    /// Words of its first text.
    words: Words,
    /// Weight of the indexed words by which the current text reached this group.
    found_by: u32,
}

/// Distinct words of a text.
struct Words {
    rarest_first: Vec<Word>,
    weight: u32,
    /// Number of rarest words that together hold at least half the weight. Prefix filter: two
    /// similar texts share at least half of each, so the rarest shared word is among these of both.
    telling: usize,
    /// Weight of the other words.
    rest: u32,
}

impl Vocabulary {
    /// Collects the words of texts.
    pub(super) fn new(texts: &[Text]) -> Self {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for text in texts {
            for word in text.words() {
                *counts.entry(word).or_default() += text.times;
            }
        }
        let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
        counts.sort_unstable_by(|left, right| {
            let times = right.1.cmp(&left.1);
            times.then_with(|| left.0.cmp(right.0))
        });
        let mut meant: HashMap<String, usize> = HashMap::new();
        let mut words = HashMap::with_capacity(counts.len());
        let mut weights = Vec::with_capacity(counts.len());
        for (place, (word, _)) in counts.iter().enumerate() {
            let letters = word.chars().count();
            let near = if letters <= LETTERS_WITH_SLIPS_MAX {
                fuzzy::deletions(word, 1)
            } else {
                Vec::new()
            };
            let meaning = near.iter().filter_map(|near| meant.get(near)).copied();
            let meaning = meaning
                .filter(|place| fuzzy::is_like(word, counts[*place].0))
                .min();
            let forgives = fuzzy::max_edits(word) > 0 && place < WORDS_WITH_SLIPS_MAX;
            if meaning.is_none() && forgives {
                for near in near {
                    meant.entry(near).or_insert(place);
                }
            }
            let number = Word::try_from(meaning.unwrap_or(place)).unwrap_or(Word::MAX);
            words.insert((*word).to_owned(), number);
            // Long words count more: short ones are in every question.
            weights.push(u32::try_from(letters.min(10)).unwrap_or(10));
        }
        Self { words, weights }
    }

    /// Looks a word up; `None` when no text has it.
    pub(super) fn get(&self, word: &str) -> Option<Word> {
        self.words.get(word).copied()
    }

    /// Weight of a word: its number of letters, at most ten.
    pub(super) fn weight(&self, word: Word) -> u32 {
        let place = usize::try_from(word).unwrap_or(usize::MAX);
        self.weights.get(place).copied().unwrap_or_default()
    }

    /// Lists the distinct words of a text, the rarest first.
    pub(super) fn words_of<'w>(&self, words: impl Iterator<Item = &'w str>) -> Vec<Word> {
        let mut words: Vec<Word> = words.filter_map(|word| self.get(word)).collect();
        words.sort_unstable_by(|left, right| right.cmp(left));
        words.dedup();
        words
    }

    /// Lists the words of a text with their weights.
    fn weighed(&self, text: &Text) -> Words {
        let rarest_first = self.words_of(text.words());
        let weights = || rarest_first.iter().map(|word| self.weight(*word));
        let weight = weights().sum();
        let mut rest: u32 = weight;
        let telling = weights().take_while(|word_weight| {
            let is_needed = rest * 2 >= weight;
            rest -= if is_needed { *word_weight } else { 0 };
            is_needed
        });
        let telling = telling.count();
        Words {
            rarest_first,
            weight,
            telling,
            rest,
        }
    }

    /// Similarity of two texts: weight of the shared words divided by the weight of all their
    /// words.
    fn likeness(&self, left: &Words, right: &Words) -> f64 {
        let (mut at, mut both) = (0, 0);
        for word in &left.rarest_first {
            let words = &right.rarest_first;
            while words.get(at).is_some_and(|rarer| rarer > word) {
                at += 1;
            }
            if words.get(at) == Some(word) {
                both += self.weight(*word);
            }
        }
        let union = left.weight + right.weight - both;
        f64::from(both) / f64::from(union.max(1))
    }
}

impl Words {
    fn telling(&self) -> &[Word] {
        &self.rarest_first[..self.telling]
    }

    /// Whether two texts that share this weight of their rarest words can be similar: other shared
    /// words are among the rest of one of them, and similar texts share a third of their joint
    /// weight.
    fn may_be_like(&self, other: &Self, telling: u32) -> bool {
        (telling + self.rest.max(other.rest)) * 3 >= self.weight + other.weight
    }
}

/// Clusters texts, given most frequent first: each joins the most similar group, or starts one.
pub(super) fn grouped(texts: Vec<Text>, vocabulary: &Vocabulary) -> Vec<Group> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut by_word: HashMap<Word, Vec<usize>> = HashMap::new();
    for text in texts {
        let words = vocabulary.weighed(&text);
        if let Some(place) = most_alike(&words, &mut drafts, &by_word, vocabulary) {
            let group = &mut drafts[place].group;
            group.messages += text.times;
            group.texts.push(text);
            continue;
        }
        for word in words.telling() {
            let groups = by_word.entry(*word).or_default();
            if groups.len() < GROUPS_BY_WORD_MAX {
                groups.push(drafts.len());
            }
        }
        let group = Group {
            messages: text.times,
            texts: vec![text],
        };
        drafts.push(Draft {
            group,
            words,
            found_by: 0,
        });
    }
    let mut groups: Vec<Group> = drafts.into_iter().map(|draft| draft.group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.messages));
    groups
}

/// Finds the group most similar to a text; of equals the first, which is the more frequent.
fn most_alike(
    words: &Words,
    drafts: &mut [Draft],
    by_word: &HashMap<Word, Vec<usize>>,
    vocabulary: &Vocabulary,
) -> Option<usize> {
    let mut places = Vec::new();
    for word in words.telling() {
        for place in by_word.get(word).into_iter().flatten() {
            let found_by = &mut drafts[*place].found_by;
            if *found_by == 0 {
                places.push(*place);
            }
            *found_by += vocabulary.weight(*word);
        }
    }
    places.sort_unstable();
    let mut best = None;
    for place in places {
        let draft = &mut drafts[place];
        let telling = std::mem::take(&mut draft.found_by);
        if !words.may_be_like(&draft.words, telling) {
            continue;
        }
        let likeness = vocabulary.likeness(&draft.words, words);
        if likeness >= ALIKE && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, place));
        }
    }
    best.map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::{Group, Vocabulary, grouped};
    use crate::cli::history::gaps::texts::Texts;

    fn groups(texts: &[&str]) -> Vec<Group> {
        let mut counted = Texts::up_to(100_000);
        for text in texts {
            counted.add(text);
        }
        let texts = counted.sorted();
        let vocabulary = Vocabulary::new(&texts);
        grouped(texts, &vocabulary)
    }

    fn shown(groups: &[Group]) -> Vec<String> {
        let of = |group: &Group| {
            let texts: Vec<&str> = group
                .texts
                .iter()
                .map(|text| text.written.as_str())
                .collect();
            format!("{} × {}", group.messages, texts.join(" | "))
        };
        groups.iter().map(of).collect()
    }

    #[test]
    fn texts_with_most_words_in_common_are_one_group_slips_forgiven() {
        let groups = groups(&[
            "parking?",
            "Do you have vegan cakes",
            "do you have vegan cakes?",
            "vegan cake",
            "do you hav vegn cakes",
            "Is there parking",
            "???",
            "!",
        ]);

        assert_eq!(
            shown(&groups),
            [
                "4 × Do you have vegan cakes | do you hav vegn cakes | vegan cake",
                "2 × !",
                "2 × Is there parking | parking?",
            ]
        );
    }

    #[test]
    fn no_group_is_lost_among_thousands_of_texts_and_order_does_not_matter() {
        let mut texts: Vec<String> = Vec::new();
        for number in 0..5_000 {
            texts.push(format!("question{number} about thing{} please", number * 7));
        }
        for place in ["park my car", "park the car", "park a car here"] {
            texts.extend(std::iter::repeat_n(format!("where can I {place}"), 6));
        }
        let forth: Vec<&str> = texts.iter().map(String::as_str).collect();
        let back: Vec<&str> = texts.iter().rev().map(String::as_str).collect();

        let groups = [groups(&forth), groups(&back)];

        let [forth, back] = groups.each_ref().map(|groups| shown(groups));
        assert_eq!(forth, back);
        assert_eq!(
            forth[0],
            "18 × where can I park a car here | where can I park my car | where can I park the car"
        );
        let messages: u64 = groups[0].iter().map(|group| group.messages).sum();
        assert_eq!(messages, 5_018);
        assert_eq!(forth[1], "1 × question0 about thing0 please");
    }
}

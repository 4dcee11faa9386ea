//! Puts texts together that ask the same.
//!
//! No text is held against all others: words lead to the few groups that can be alike, so that many
//! thousands of texts take seconds. The same texts always give the same groups. Next:
//! [`super::suggest_rule`].

use std::collections::HashMap;

use super::texts::Text;
use crate::text::fuzzy;

/// Texts that have so much in common, of 1, ask the same.
const ALIKE: f64 = 0.5;
/// A word leads to so many groups, the most frequent ones: a word that more have tells little of
/// what is asked.
const GROUPS_BY_WORD_MAX: usize = 200;
/// Slips are forgiven towards the most frequent words, so many.
const WORDS_WITH_SLIPS_MAX: usize = 50_000;
/// Slips are looked for in words up to this length; each letter costs a copy of the word.
const LETTERS_WITH_SLIPS_MAX: usize = 40;

/// Texts that ask the same.
pub(super) struct Group {
    /// How many messages.
    pub(super) messages: u64,
    /// The most frequent first.
    pub(super) texts: Vec<Text>,
}

/// A word of a [`Vocabulary`], whatever slips are in it; the lower, the more frequent.
pub(super) type Word = u32;

/// Every word of some texts.
pub(super) struct Vocabulary {
    /// A word with a slip in it is the word that was meant.
    words: HashMap<String, Word>,
    /// How much each counts.
    weights: Vec<u32>,
}

/// A group in the making.
struct Draft {
    group: Group,
    /// Of its first text.
    words: Words,
    /// How much of these words those have that led from the text at hand to this group.
    found_by: u32,
}

/// The words of a text, each once.
struct Words {
    rarest_first: Vec<Word>,
    weight: u32,
    /// So many of the rarest, that the rest weighs less than half. Two texts that are alike share
    /// at least half of each, so the rarest word that they share is among these of both.
    telling: usize,
    /// What the others weigh.
    rest: u32,
}

impl Vocabulary {
    /// Of these texts.
    pub(super) fn of(texts: &[Text]) -> Self {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for text in texts {
            for word in text.words() {
                *counts.entry(word).or_default() += text.times;
            }
        }
        let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
        counts.sort_unstable_by(|one, other| {
            let times = other.1.cmp(&one.1);
            times.then_with(|| one.0.cmp(other.0))
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
            let found = near.iter().filter_map(|near| meant.get(near)).copied();
            let found = found
                .filter(|place| fuzzy::is_like(word, counts[*place].0))
                .min();
            let forgives = fuzzy::max_edits(word) > 0 && place < WORDS_WITH_SLIPS_MAX;
            if found.is_none() && forgives {
                for near in near {
                    meant.entry(near).or_insert(place);
                }
            }
            let number = Word::try_from(found.unwrap_or(place)).unwrap_or(Word::MAX);
            words.insert((*word).to_owned(), number);
            // Long words count more: the short ones are in every question.
            weights.push(u32::try_from(letters.min(10)).unwrap_or(10));
        }
        Self { words, weights }
    }

    /// What a word is here; `None` when no text has it.
    pub(super) fn get(&self, word: &str) -> Option<Word> {
        self.words.get(word).copied()
    }

    /// How many letters it has, up to ten.
    pub(super) fn weight(&self, word: Word) -> u32 {
        let place = usize::try_from(word).unwrap_or(usize::MAX);
        self.weights.get(place).copied().unwrap_or_default()
    }

    /// The words of a text, the rarest first, each once.
    pub(super) fn words_of<'w>(&self, words: impl Iterator<Item = &'w str>) -> Vec<Word> {
        let mut words: Vec<Word> = words.filter_map(|word| self.get(word)).collect();
        words.sort_unstable_by(|one, other| other.cmp(one));
        words.dedup();
        words
    }

    /// The same, with what they weigh.
    fn weighed(&self, text: &Text) -> Words {
        let rarest_first = self.words_of(text.words());
        let weights = || rarest_first.iter().map(|word| self.weight(*word));
        let weight = weights().sum();
        let mut rest: u32 = weight;
        let telling = weights().take_while(|one| {
            let is_needed = rest * 2 >= weight;
            rest -= if is_needed { *one } else { 0 };
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

    /// How much two texts have in common: the words of both among all their words.
    fn likeness(&self, one: &Words, other: &Words) -> f64 {
        let (mut at, mut both) = (0, 0);
        for word in &one.rarest_first {
            let theirs = &other.rarest_first;
            while theirs.get(at).is_some_and(|rarer| rarer > word) {
                at += 1;
            }
            if theirs.get(at) == Some(word) {
                both += self.weight(*word);
            }
        }
        let all = one.weight + other.weight - both;
        f64::from(both) / f64::from(all.max(1))
    }
}

impl Words {
    fn telling(&self) -> &[Word] {
        &self.rarest_first[..self.telling]
    }

    /// Whether they can be alike that share so much of their telling words: what they share beside
    /// that is among the rest of one of them, and of both together two texts that are alike share a
    /// third.
    fn may_be_like(&self, other: &Self, telling: u32) -> bool {
        (telling + self.rest.max(other.rest)) * 3 >= self.weight + other.weight
    }
}

/// Puts texts together, which come the most frequent first: each joins the group it is most alike,
/// or begins one.
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

/// The group that a text is most alike; of equals the first, which is the more frequent one.
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
        let mut all = Texts::up_to(100_000);
        for text in texts {
            all.add(text);
        }
        let texts = all.sorted();
        let vocabulary = Vocabulary::of(&texts);
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

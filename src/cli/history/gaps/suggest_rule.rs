//! Suggests a rule for a group of similar texts.
//!
//! The rule matches a word that most texts of the group and few other messages have. Without such a
//! word it matches a phrase, so that it never takes messages that other rules should answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::cluster::{Group, Vocabulary, Word};
use super::texts::{Text, compared};

/// Shorter words are in texts of every kind.
const LETTERS_MIN: usize = 3;
/// Longer words are addresses or the like.
const LETTERS_MAX: usize = 40;
/// Number of spellings of a word in a rule.
const FORMS_MAX: usize = 4;
/// Longest text, in words, used as a phrase as a whole.
const PHRASE_WORDS_MAX: usize = 8;
/// Number of words taken from a longer text.
const PART_WORDS: usize = 5;
/// Number of examples in a rule.
const EXAMPLES_MAX: usize = 3;
/// Longest id, in characters, without its number.
const ID_CHARACTERS_MAX: usize = 24;

/// Number of messages, answered or not, that have the words and phrases of groups.
pub(super) struct Everywhere<'v> {
    vocabulary: &'v Vocabulary,
    words: HashMap<Word, u64>,
    /// Counts of phrases, by their rarest word.
    phrases: HashMap<Word, Vec<(String, u64)>>,
}

enum By {
    Words(Vec<String>),
    Phrase(String),
    /// The whole text, because other messages have the phrase too.
    Whole(String),
}

impl<'v> Everywhere<'v> {
    /// Collects words and phrases of groups, with counts of 0.
    pub(super) fn new(groups: &[Group], vocabulary: &'v Vocabulary) -> Self {
        let mut everywhere = Self {
            vocabulary,
            words: HashMap::new(),
            phrases: HashMap::new(),
        };
        for group in groups {
            for text in &group.texts {
                let words = vocabulary.words_of(text.words());
                everywhere
                    .words
                    .extend(words.into_iter().map(|word| (word, 0)));
            }
            let phrase = &group.texts[0];
            if let Some(rarest) = vocabulary.words_of(phrase.words()).first() {
                let same = everywhere.phrases.entry(*rarest).or_default();
                same.push((phrase.folded.clone(), 0));
            }
        }
        everywhere
    }

    pub(super) fn count(&mut self, text: &str) {
        let folded = compared(text);
        let words = folded.words().iter().map(String::as_str);
        let joined = folded.joined();
        for word in self.vocabulary.words_of(words) {
            if let Some(messages) = self.words.get_mut(&word) {
                *messages += 1;
            }
            for (phrase, messages) in self.phrases.get_mut(&word).into_iter().flatten() {
                *messages += u64::from(has(&joined, phrase));
            }
        }
    }

    fn with_word(&self, word: Word) -> u64 {
        self.words.get(&word).copied().unwrap_or_default()
    }

    fn with_phrase(&self, phrase: &Text) -> u64 {
        let rarest = self.vocabulary.words_of(phrase.words()).first().copied();
        let same = rarest.and_then(|word| self.phrases.get(&word));
        let phrase_count = same
            .into_iter()
            .flatten()
            .find(|(listed, _)| *listed == phrase.folded);
        phrase_count.map_or(0, |(_, messages)| *messages)
    }

    /// Spellings of the word that best distinguishes these texts from all other messages.
    fn best_word(&self, group: &Group) -> Option<Vec<String>> {
        // How many messages of the group have each word, and in which spellings.
        let mut here: BTreeMap<Word, (u64, BTreeMap<&str, u64>)> = BTreeMap::new();
        for text in &group.texts {
            let mut once = BTreeSet::new();
            for form in text.words() {
                let Some(word) = self.vocabulary.get(form) else {
                    continue;
                };
                let (messages, forms) = here.entry(word).or_default();
                if once.insert(word) {
                    *messages += text.times;
                }
                *forms.entry(form).or_default() += text.times;
            }
        }
        let best = here.into_iter().filter_map(|(word, (messages, forms))| {
            let letters = forms.keys().map(|form| form.chars().count()).max()?;
            let fits =
                (LETTERS_MIN..=LETTERS_MAX).contains(&letters) && messages * 2 > group.messages;
            let others = self.with_word(word).saturating_sub(messages) + unseen(letters);
            (fits && !is_common(messages, others)).then_some((messages, others, letters, forms))
        });
        let (.., forms) = best.min_by(|left, right| {
            order(left)
                .cmp(&order(right))
                .then_with(|| left.3.cmp(&right.3))
        })?;
        let mut forms: Vec<(&str, u64)> = forms.into_iter().collect();
        forms.sort_by_key(|(_, times)| Reverse(*times));
        let forms = forms.into_iter().take(FORMS_MAX);
        Some(forms.map(|(form, _)| form.to_owned()).collect())
    }

    /// Chooses the condition of the rule; `None` when the texts have no ordinary word.
    fn by(&self, group: &Group) -> Option<By> {
        if let Some(forms) = self.best_word(group) {
            return Some(By::Words(forms));
        }
        let first = &group.texts[0];
        let words: Vec<&str> = first.words().collect();
        if words.is_empty() || words.iter().any(|word| word.chars().count() > LETTERS_MAX) {
            return None;
        }
        if words.len() > PHRASE_WORDS_MAX {
            let known = |word: &&str| {
                self.vocabulary
                    .get(word)
                    .map_or(0, |word| self.with_word(word))
            };
            let rarest = words.windows(PART_WORDS).min_by_key(|part| {
                let messages: u64 = part.iter().map(known).sum();
                messages
            });
            return rarest.map(|part| By::Phrase(part.join(" ")));
        }
        let texts = group
            .texts
            .iter()
            .filter(|text| has(&text.folded, &first.folded));
        let messages: u64 = texts.map(|text| text.times).sum();
        let others = self.with_phrase(first).saturating_sub(messages);
        Some(if is_common(messages, others) {
            By::Whole(first.written.clone())
        } else {
            By::Phrase(first.written.clone())
        })
    }

    /// Writes a rule that matches these texts; `taken` holds the ids in use.
    pub(super) fn rule(&self, group: &Group, taken: &mut BTreeSet<String>) -> Option<String> {
        let by = self.by(group)?;
        let (key, values) = match &by {
            By::Words(forms) => ("has", forms.as_slice()),
            By::Phrase(phrase) => ("has", std::slice::from_ref(phrase)),
            By::Whole(text) => ("is", std::slice::from_ref(text)),
        };
        let folded: Vec<String> = values.iter().map(|text| compared(text).joined()).collect();
        let fits = |text: &&Text| match by {
            By::Whole(_) => folded.contains(&text.folded),
            By::Words(_) | By::Phrase(_) => folded.iter().any(|phrase| has(&text.folded, phrase)),
        };
        let examples = group.texts.iter().filter(fits).take(EXAMPLES_MAX);
        let examples: Vec<String> = examples.map(|text| quoted(&text.written)).collect();
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        Some(format!(
            "[[rule]]\nid = {}\nwhen.text.{key} = [{}]\nreply = \"…\"\nexamples = [{}]",
            quoted(&free_id(&folded[0], taken)),
            values.join(", "),
            examples.join(", ")
        ))
    }
}

/// Number of unseen messages assumed to have a word of this many letters: short words are in all
/// kinds of texts, and a small database holds few of them.
fn unseen(letters: usize) -> u64 {
    // 8 for three letters, half of it for each further one, none from seven on.
    (1..letters).fold(32, |messages, _| messages / 2)
}

/// Whether most messages with a word or a phrase are outside of the group.
fn is_common(here: u64, others: u64) -> bool {
    others > 2 * here
}

/// Sort key, lowest first: words that many of these and few other messages have, then the longest,
/// then those with the fewest spellings.
fn order(
    (here, others, letters, forms): &(u64, u64, usize, BTreeMap<&str, u64>),
) -> impl Ord + use<> {
    // The share of these messages that have it, times the share of these among all that have it; in
    // thousandths.
    let worth = u128::from(*here).pow(2) * 1_000 / u128::from(here + others).max(1);
    (Reverse(worth), Reverse(*letters), forms.len())
}

/// Whether a normalized text contains a normalized phrase.
fn has(text: &str, phrase: &str) -> bool {
    let (text, phrase) = (format!(" {text} "), format!(" {phrase} "));
    text.contains(&phrase)
}

/// Makes an unused id from words.
fn free_id(words: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() {
            character
        } else {
            '-'
        }
    };
    let id: String = words.chars().take(ID_CHARACTERS_MAX).map(plain).collect();
    let id = id.trim_matches('-');
    let id = if id.is_empty() { "question" } else { id };
    let mut free = id.to_owned();
    for number in 2.. {
        if taken.insert(free.clone()) {
            break;
        }
        free = format!("{id}-{number}");
    }
    free
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

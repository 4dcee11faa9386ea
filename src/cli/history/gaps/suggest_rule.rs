//! A rule to begin with, for texts that ask the same.
//!
//! It goes by a word that most of these texts have and few other messages do, whoever answered
//! those. Where there is no such word it goes by the phrase, so that no rule is ever suggested that
//! takes what other rules should.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::cluster::{Group, Vocabulary, Word};
use super::texts::{Text, compared};

/// Shorter words are in texts of every kind.
const LETTERS_MIN: usize = 3;
/// No word that people write is longer; what is, is an address or the like.
const LETTERS_MAX: usize = 40;
/// So many spellings of a word are told in a rule.
const FORMS_MAX: usize = 4;
/// A longer text is not taken as a phrase as a whole.
const PHRASE_WORDS_MAX: usize = 8;
/// What is taken of a longer text.
const PART_WORDS: usize = 5;
/// So many examples stand in a rule.
const EXAMPLES_MAX: usize = 3;
/// The longest beginning of an id.
const ID_CHARACTERS_MAX: usize = 24;

/// How many messages have the words and phrases of some groups, whoever answered them.
pub(super) struct Everywhere<'v> {
    vocabulary: &'v Vocabulary,
    words: HashMap<Word, u64>,
    /// By their rarest word.
    phrases: HashMap<Word, Vec<(String, u64)>>,
}

/// What a rule goes by.
enum By {
    Words(Vec<String>),
    Phrase(String),
    /// A phrase that other messages have too: this text alone.
    Whole(String),
}

impl<'v> Everywhere<'v> {
    /// Of these groups; nothing is counted yet.
    pub(super) fn of(groups: &[Group], vocabulary: &'v Vocabulary) -> Self {
        let mut all = Self {
            vocabulary,
            words: HashMap::new(),
            phrases: HashMap::new(),
        };
        for group in groups {
            for text in &group.texts {
                let words = vocabulary.words_of(text.words());
                all.words.extend(words.into_iter().map(|word| (word, 0)));
            }
            let phrase = &group.texts[0];
            if let Some(rarest) = vocabulary.words_of(phrase.words()).first() {
                let same = all.phrases.entry(*rarest).or_default();
                same.push((phrase.folded.clone(), 0));
            }
        }
        all
    }

    /// Counts a message.
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
        let found = same
            .into_iter()
            .flatten()
            .find(|(one, _)| *one == phrase.folded);
        found.map_or(0, |(_, messages)| *messages)
    }

    /// Spellings of the word that tells these texts best from all other messages.
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
        let (.., forms) = best.min_by(|one, other| {
            order(one)
                .cmp(&order(other))
                .then_with(|| one.3.cmp(&other.3))
        })?;
        let mut forms: Vec<(&str, u64)> = forms.into_iter().collect();
        forms.sort_by_key(|(_, times)| Reverse(*times));
        let forms = forms.into_iter().take(FORMS_MAX);
        Some(forms.map(|(form, _)| form.to_owned()).collect())
    }

    /// What a rule for these texts goes by; `None` when there is no word in them that people write.
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

    /// A rule that takes these texts; `taken` are the ids there are.
    pub(super) fn rule(&self, group: &Group, taken: &mut BTreeSet<String>) -> Option<String> {
        let by = self.by(group)?;
        let (key, values) = match &by {
            By::Words(forms) => ("has", forms.as_slice()),
            By::Phrase(phrase) => ("has", std::slice::from_ref(phrase)),
            By::Whole(text) => ("is", std::slice::from_ref(text)),
        };
        let folded: Vec<String> = values.iter().map(|one| compared(one).joined()).collect();
        let fits = |text: &&Text| match by {
            By::Whole(_) => folded.contains(&text.folded),
            By::Words(_) | By::Phrase(_) => folded.iter().any(|one| has(&text.folded, one)),
        };
        let examples = group.texts.iter().filter(fits).take(EXAMPLES_MAX);
        let examples: Vec<String> = examples.map(|text| quoted(&text.written)).collect();
        let values: Vec<String> = values.iter().map(|one| quoted(one)).collect();
        Some(format!(
            "[[rule]]\nid = {}\nwhen.text.{key} = [{}]\nreply = \"…\"\nexamples = [{}]",
            quoted(&free_id(&folded[0], taken)),
            values.join(", "),
            examples.join(", ")
        ))
    }
}

/// How many more messages are taken to have a word than were seen: short words are in texts of
/// every kind, and a small database has seen few of them.
fn unseen(letters: usize) -> u64 {
    // 8 for three letters, half of it for each further one, none from seven on.
    (1..letters).fold(32, |messages, _| messages / 2)
}

/// Whether most messages with a word or a phrase are others than these.
fn is_common(here: u64, others: u64) -> bool {
    others > 2 * here
}

/// The lowest is the best: a word that many of these and few others have, then the longest, then
/// the one in the fewest spellings.
fn order(
    (here, others, letters, forms): &(u64, u64, usize, BTreeMap<&str, u64>),
) -> impl Ord + use<> {
    // The share of these messages that have it, times the share of these among all that have it; in
    // thousandths.
    let worth = u128::from(*here).pow(2) * 1_000 / u128::from(here + others).max(1);
    (Reverse(worth), Reverse(*letters), forms.len())
}

/// Whether a phrase stands in a text, both as rules see them.
fn has(text: &str, phrase: &str) -> bool {
    let (text, phrase) = (format!(" {text} "), format!(" {phrase} "));
    text.contains(&phrase)
}

/// An id that no rule has, made of the words.
fn free_id(words: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = |one: char| {
        if one.is_ascii_alphanumeric() {
            one
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

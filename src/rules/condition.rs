//! Whether a rule matches a message, and the sentence that says why.

use std::collections::BTreeMap;

use regex::Regex;

use super::normalise::{Folded, Phrase};
use super::set::Condition;
use crate::message::{Content, Inbound, Kind, Referral};

/// Only the beginning of a long text is searched by regular expressions: the engine is linear, and people
/// who write to a shop say what they want within 4 KiB.
const SEARCHED_BYTES: usize = 4096;

/// What conditions look at, worked out once for a message.
#[derive(Debug)]
pub struct Facts<'a> {
    content: &'a Content,
    ad: Option<&'a Referral>,
    first_contact: bool,
    folded: Option<Folded>,
}

/// The answer of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whether it holds.
    pub holds: bool,
    /// What was found, or what was missing: a short sentence for people.
    pub because: String,
    /// Named groups of regular expressions.
    pub captures: BTreeMap<String, String>,
}

impl<'a> Facts<'a> {
    /// Folds the message's words, if it has any.
    #[must_use]
    pub fn of(message: &'a Inbound, first_contact: bool) -> Self {
        Self {
            content: &message.content,
            ad: message.ad.as_ref(),
            first_contact,
            folded: message.content.words().map(Folded::of),
        }
    }

    /// The text as conditions see it.
    #[must_use]
    pub fn normalised(&self) -> Option<String> {
        self.folded.as_ref().map(Folded::joined)
    }
}

impl Held {
    fn new(holds: bool, because: impl Into<String>) -> Self {
        Self {
            holds,
            because: because.into(),
            captures: BTreeMap::new(),
        }
    }
}

impl Condition {
    /// Looks whether the condition holds.
    #[must_use]
    pub fn look(&self, facts: &Facts<'_>) -> Held {
        match self {
            Self::Always => Held::new(true, "it has no `when`"),
            Self::FirstContact(wanted) => Held::new(
                facts.first_contact == *wanted,
                if facts.first_contact {
                    "this is the first contact"
                } else {
                    "they wrote before"
                },
            ),
            Self::TextIs(phrases) => text(facts, phrases, Folded::is, "is the text"),
            Self::TextHas(phrases) => text(facts, phrases, Folded::has, "is in the text"),
            Self::TextStarts(phrases) => {
                text(facts, phrases, Folded::starts_with, "begins the text")
            }
            Self::TextMatches(patterns) => matches(facts, patterns),
            Self::Button(ids) => match facts.content.button() {
                None => Held::new(false, "no button was tapped"),
                Some(tapped) => Held::new(
                    ids.iter().any(|id| id == tapped),
                    format!("`{tapped}` was tapped"),
                ),
            },
            Self::Type(kinds) => Held::new(
                kinds.iter().any(|kind| facts.content.is(*kind)),
                format!("the message is of type `{}`", facts.content.kind_name()),
            ),
            Self::FromAd(wanted) => Held::new(
                facts.ad.is_some() == *wanted,
                if facts.ad.is_some() {
                    "the message came from an ad or post"
                } else {
                    "the message came from no ad or post"
                },
            ),
            Self::Ad(ids) => match facts.ad {
                None => Held::new(false, "the message came from no ad or post"),
                Some(ad) => {
                    let id = ad.source_id.as_deref().unwrap_or("without an id");
                    let because = format!("the message came from ad `{id}`");
                    Held::new(ids.iter().any(|wanted| wanted == id), because)
                }
            },
            Self::Any(all) => any(all, facts),
            Self::All(all) => every(all, facts),
            Self::Not(one) => {
                let held = one.look(facts);
                Held::new(!held.holds, held.because)
            }
        }
    }

    /// Whether it asks for a kind of message in so many words.
    #[must_use]
    pub fn names(&self, kind: Kind) -> bool {
        match self {
            Self::Type(kinds) => kinds.contains(&kind),
            Self::Any(all) | Self::All(all) => all.iter().any(|one| one.names(kind)),
            Self::Always
            | Self::FirstContact(_)
            | Self::TextIs(_)
            | Self::TextHas(_)
            | Self::TextStarts(_)
            | Self::TextMatches(_)
            | Self::Button(_)
            | Self::FromAd(_)
            | Self::Ad(_)
            | Self::Not(_) => false,
        }
    }
}

fn text(
    facts: &Facts<'_>,
    phrases: &[Phrase],
    found: impl Fn(&Folded, &Phrase) -> bool,
    how: &str,
) -> Held {
    let Some(folded) = &facts.folded else {
        return Held::new(false, "the message has no text");
    };
    match phrases.iter().find(|phrase| found(folded, phrase)) {
        Some(phrase) => Held::new(true, format!("\"{}\" {how}", phrase.written)),
        None => Held::new(false, format!("{} {how}", none_of(phrases))),
    }
}

fn none_of(phrases: &[Phrase]) -> String {
    let shown: Vec<String> = phrases
        .iter()
        .take(3)
        .map(|phrase| format!("\"{}\"", phrase.written))
        .collect();
    match (phrases.len(), shown.len()) {
        (1, _) => format!("not so: {}", shown[0]),
        (all, some) if all > some => {
            format!("none of {} and {} more", shown.join(", "), all - some)
        }
        _ => format!("none of {}", shown.join(", ")),
    }
}

fn matches(facts: &Facts<'_>, patterns: &[Regex]) -> Held {
    let Some(words) = facts.content.words() else {
        return Held::new(false, "the message has no text");
    };
    let text = &words[..words.floor_char_boundary(SEARCHED_BYTES)];
    for pattern in patterns {
        let Some(found) = pattern.captures(text) else {
            continue;
        };
        let captures = pattern
            .capture_names()
            .flatten()
            .filter_map(|name| Some((name.to_owned(), found.name(name)?.as_str().to_owned())));
        return Held {
            captures: captures.collect(),
            ..Held::new(true, format!("the pattern `{pattern}` matches"))
        };
    }
    Held::new(false, "no pattern matches")
}

fn any(all: &[Condition], facts: &Facts<'_>) -> Held {
    let mut reasons = Vec::new();
    for one in all {
        let held = one.look(facts);
        if held.holds {
            return held;
        }
        reasons.push(held.because);
    }
    Held::new(false, reasons.join("; "))
}

fn every(all: &[Condition], facts: &Facts<'_>) -> Held {
    let mut reasons = Vec::new();
    let mut captures = BTreeMap::new();
    for one in all {
        let held = one.look(facts);
        if !held.holds {
            return held;
        }
        reasons.push(held.because);
        captures.extend(held.captures);
    }
    Held {
        captures,
        ..Held::new(true, reasons.join(", and "))
    }
}

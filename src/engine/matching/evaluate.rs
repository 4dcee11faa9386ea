//! Whether a rule matches a message, and the sentence that says why.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::engine::render::variables::{RenderContext, Variables, language_of};
use crate::engine::time::rough;
use crate::message::{Content, Forwarded, Kind};
use crate::rules::button_id;
pub(crate) use crate::rules::{ButtonPattern, Condition};
use crate::template::Expression;
use crate::text::country;
use crate::text::fuzzy;
use crate::text::normalize::{NormalizedText, Phrase};

/// Characters of a text that regular expressions search: as many as one message of WhatsApp's has.
/// Only texts that are answered together are longer.
const SEARCHED_MAX: usize = 4096;
/// Characters of what a pattern found that are told; the whole text stands beside it anyway.
const FOUND_TOLD: usize = 60;

/// What conditions look at, worked out once for a message.
#[derive(Debug)]
pub struct MatchContext<'a> {
    scene: RenderContext<'a>,
    first_contact: bool,
    folded: Option<NormalizedText>,
    /// Made when the first expression asks for them.
    variables: OnceCell<Variables<'a>>,
}

/// The answer of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Whether it holds.
    pub holds: bool,
    /// What was found, or what was missing: a short sentence for people.
    pub because: String,
    /// Named groups of regular expressions, and what the stars of a button's id stood for.
    pub captures: BTreeMap<String, String>,
}

impl<'a> MatchContext<'a> {
    /// Folds the message's words, if it has any.
    #[must_use]
    pub fn new(scene: RenderContext<'a>, first_contact: bool) -> Self {
        Self {
            folded: scene.message.content.typed_text().map(NormalizedText::new),
            scene,
            first_contact,
            variables: OnceCell::new(),
        }
    }

    /// The text as conditions see it.
    #[must_use]
    pub fn normalized(&self) -> Option<String> {
        self.folded.as_ref().map(NormalizedText::joined)
    }

    /// The folded words; `None` when the message has no text.
    #[must_use]
    pub fn folded(&self) -> Option<&NormalizedText> {
        self.folded.as_ref()
    }

    /// What was sent.
    #[must_use]
    pub fn content(&self) -> &'a Content {
        &self.scene.message.content
    }

    /// The text as it was written, as far as patterns look at it.
    #[must_use]
    pub fn searched(&self) -> Option<&'a str> {
        let words = self.content().typed_text()?;
        Some(&words[..searched_end(words).unwrap_or(words.len())])
    }

    /// Said where patterns do not see all of the text.
    fn cut(&self) -> String {
        let words = self.content().typed_text();
        match words.and_then(searched_end) {
            Some(_) => format!(" in the first {SEARCHED_MAX} characters of a longer text"),
            None => String::new(),
        }
    }

    /// The id of the tapped button, as its owner gave it.
    #[must_use]
    pub fn tapped(&self) -> Option<&'a str> {
        self.content().button().map(button_id::owner_id)
    }

    fn variables(&self) -> &Variables<'a> {
        let made = || Variables::new(self.scene.clone());
        self.variables.get_or_init(made)
    }

    /// How long the person had not written; `None` when nothing is remembered.
    fn away(&self) -> Option<SignedDuration> {
        let heard: Timestamp = self.scene.state.last_inbound_at?;
        Some(self.scene.now.duration_since(heard))
    }

    fn country(&self) -> Option<&'static str> {
        let digits = self.scene.contact.identity.wa_id()?;
        country::from_phone(digits.as_str())
    }
}

impl Evaluation {
    fn new(holds: bool, because: impl Into<String>) -> Self {
        Self {
            holds,
            because: because.into(),
            captures: BTreeMap::new(),
        }
    }
}

impl Condition {
    /// Whether it holds only when a button is tapped, of those that it names.
    #[must_use]
    pub fn is_about_buttons(&self) -> bool {
        match self {
            Self::Button(_) => true,
            Self::Any(all) | Self::All(all) => all.iter().any(Self::is_about_buttons),
            _ => false,
        }
    }

    /// Looks whether the condition holds.
    #[must_use]
    pub fn evaluate(&self, context: &MatchContext<'_>) -> Evaluation {
        match self {
            Self::Always => Evaluation::new(true, "it has no `when`"),
            Self::TextIs(phrases) => text(context, phrases, "is the text", |folded, phrase| {
                folded.is(phrase).then(String::new)
            }),
            Self::TextHas(phrases) => text(context, phrases, "is in the text", |folded, phrase| {
                Some(place(folded.find(phrase)?, phrase))
            }),
            Self::TextStarts(phrases) => {
                text(context, phrases, "begins the text", |folded, phrase| {
                    folded.starts_with(phrase).then(String::new)
                })
            }
            Self::TextLike(phrases) => like(context, phrases),
            Self::TextMatches(patterns) => matches(context, patterns),
            Self::Button(ids) => button(context, ids),
            Self::Type(kinds) => Evaluation::new(
                kinds.iter().any(|kind| context.content().is(*kind)),
                format!("the message is of type `{}`", context.content().kind_name()),
            ),
            Self::FirstContact(_)
            | Self::ReturningAfter(_)
            | Self::Language(_)
            | Self::Country(_)
            | Self::Tag(_)
            | Self::Field(..) => self.look_at_person(context),
            Self::Open(_)
            | Self::ReplyTo(_)
            | Self::Forwarded(_)
            | Self::FromAd(_)
            | Self::Ad(_) => self.look_around(context),
            Self::If(expression) => decide(context, expression),
            Self::Any(all) => any(all, context),
            Self::All(all) => every(all, context),
            Self::Not(one) => {
                let held = one.evaluate(context);
                Evaluation::new(!held.holds, held.because)
            }
        }
    }

    /// The conditions about who writes.
    fn look_at_person(&self, context: &MatchContext<'_>) -> Evaluation {
        let state = context.scene.state;
        match self {
            Self::FirstContact(wanted) => Evaluation::new(
                context.first_contact == *wanted,
                if context.first_contact {
                    "this is the first contact"
                } else {
                    "they wrote before"
                },
            ),
            Self::ReturningAfter(least) => returning(context, *least),
            Self::Language(wanted) => {
                let spoken = language_of(context.scene.rules, state);
                let plain = spoken.split('-').next().unwrap_or(spoken);
                let is = |tag: &String| {
                    tag.eq_ignore_ascii_case(spoken) || tag.eq_ignore_ascii_case(plain)
                };
                Evaluation::new(
                    wanted.iter().any(is),
                    format!("their language is `{spoken}`"),
                )
            }
            Self::Country(wanted) => match context.country() {
                None => Evaluation::new(false, "the country of their phone is not known"),
                Some(code) => Evaluation::new(
                    wanted.iter().any(|one| one == code),
                    format!("their phone is of `{code}`"),
                ),
            },
            Self::Tag(wanted) => match wanted.iter().find(|tag| state.tags.contains(*tag)) {
                Some(tag) => Evaluation::new(true, format!("they have the tag `{tag}`")),
                None => Evaluation::new(false, format!("they have no tag {}", one_of(wanted))),
            },
            Self::Field(name, values) => match state.fields.get(name) {
                None => Evaluation::new(false, format!("their field `{name}` is not set")),
                Some(value) => {
                    let folded = NormalizedText::new(value);
                    let is = values.is_empty() || values.iter().any(|one| folded.is(one));
                    Evaluation::new(is, format!("their field `{name}` is \"{value}\""))
                }
            },
            _ => Evaluation::new(false, "it is not about the person"),
        }
    }

    /// The conditions about when and from where the message came.
    fn look_around(&self, context: &MatchContext<'_>) -> Evaluation {
        let message = context.scene.message;
        let whether = |is: bool, wanted: bool, yes: &str, no: &str| {
            Evaluation::new(is == wanted, if is { yes } else { no })
        };
        match self {
            Self::Open(wanted) => match &context.scene.rules.hours {
                None => Evaluation::new(false, "there are no `[hours]`"),
                Some(schedule) => {
                    let open = schedule.is_open(context.scene.now);
                    whether(open, *wanted, "it is open now", "it is closed now")
                }
            },
            Self::ReplyTo(wanted) => {
                let quotes = message.context.quoted.is_some();
                whether(
                    quotes,
                    *wanted,
                    "it quotes a message",
                    "it quotes no message",
                )
            }
            Self::Forwarded(wanted) => {
                let forwarded = message.context.forwarded != Forwarded::No;
                whether(
                    forwarded,
                    *wanted,
                    "it was forwarded",
                    "it was not forwarded",
                )
            }
            Self::FromAd(wanted) => whether(
                message.ad.is_some(),
                *wanted,
                "the message came from an ad or post",
                "the message came from no ad or post",
            ),
            Self::Ad(ids) => match &message.ad {
                None => Evaluation::new(false, "the message came from no ad or post"),
                Some(ad) => {
                    let id = ad.source_id.as_deref().unwrap_or("without an id");
                    let because = format!("the message came from ad `{id}`");
                    Evaluation::new(ids.iter().any(|wanted| wanted == id), because)
                }
            },
            _ => Evaluation::new(false, "it is not about the message"),
        }
    }

    /// Whether it asks for a kind of message in so many words.
    #[must_use]
    pub fn names(&self, kind: Kind) -> bool {
        match self {
            Self::Type(kinds) => kinds.contains(&kind),
            Self::Any(all) | Self::All(all) => all.iter().any(|one| one.names(kind)),
            _ => false,
        }
    }
}

fn returning(context: &MatchContext<'_>, least: Duration) -> Evaluation {
    let least = SignedDuration::try_from(least).unwrap_or(SignedDuration::MAX);
    match context.away() {
        None => Evaluation::new(false, "it is not known when they wrote last"),
        Some(away) => Evaluation::new(
            away >= least,
            format!("they wrote last {} ago", rough(away)),
        ),
    }
}

fn one_of(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}

fn button(context: &MatchContext<'_>, ids: &[ButtonPattern]) -> Evaluation {
    let Some(tapped) = context.tapped() else {
        return Evaluation::new(false, "no button was tapped");
    };
    let because = format!("`{tapped}` was tapped");
    let caught = ids.iter().find_map(|id| id.capture(tapped));
    let Some(caught) = caught else {
        return Evaluation::new(false, because);
    };
    // The stars are numbered; the first is also called `star`, because most patterns have one.
    let numbered = caught.iter().enumerate();
    let mut captures: BTreeMap<String, String> = numbered
        .map(|(index, part)| (format!("star{}", index + 1), (*part).to_owned()))
        .collect();
    if let Some(first) = caught.first() {
        captures.insert("star".to_owned(), (*first).to_owned());
    }
    Evaluation {
        captures,
        ..Evaluation::new(true, because)
    }
}

fn decide(context: &MatchContext<'_>, expression: &Expression) -> Evaluation {
    let written = expression.written();
    match expression.holds(context.variables()) {
        Ok(true) => Evaluation::new(true, format!("`{written}` holds")),
        Ok(false) => Evaluation::new(false, format!("`{written}` does not hold")),
        Err(error) => Evaluation::new(false, format!("`{written}` cannot be decided: {error}")),
    }
}

fn like(context: &MatchContext<'_>, phrases: &[Phrase]) -> Evaluation {
    let Some(folded) = context.folded() else {
        return Evaluation::new(false, "the message has no text");
    };
    for phrase in phrases {
        let Some(at) = fuzzy::find_like(folded, phrase) else {
            continue;
        };
        let found = folded.words()[at..at + phrase.words.len()].join(" ");
        let (written, place) = (&phrase.written, place(at, phrase));
        let because = if found == phrase.words.join(" ") {
            format!("\"{written}\" is in the text{place}")
        } else {
            format!("\"{found}\" in the text{place}, is like \"{written}\"")
        };
        return Evaluation::new(true, because);
    }
    let (phrase, more) = (&phrases[0].written, phrases.len() - 1);
    Evaluation::new(
        false,
        match more {
            0 => format!("nothing in the text is like \"{phrase}\""),
            more => format!("nothing in the text is like \"{phrase}\" or {more} more"),
        },
    )
}

/// Looks for the first phrase that `found` finds; it tells where.
fn text(
    context: &MatchContext<'_>,
    phrases: &[Phrase],
    how: &str,
    found: impl Fn(&NormalizedText, &Phrase) -> Option<String>,
) -> Evaluation {
    let Some(folded) = &context.folded else {
        return Evaluation::new(false, "the message has no text");
    };
    for phrase in phrases {
        if let Some(place) = found(folded, phrase) {
            return Evaluation::new(true, format!("\"{}\" {how}{place}", phrase.written));
        }
    }
    Evaluation::new(false, format!("{} {how}", none_of(phrases)))
}

/// Where a phrase stands, counted as people count.
fn place(at: usize, phrase: &Phrase) -> String {
    match phrase.words.len() {
        0 | 1 => format!(", word {}", at + 1),
        words => format!(", words {} to {}", at + 1, at + words),
    }
}

/// What a pattern found, on one line and not too long.
fn told(found: &str) -> String {
    let line = found.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(FOUND_TOLD) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
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

/// The bytes of a text that patterns see, when it goes on behind them.
fn searched_end(words: &str) -> Option<usize> {
    let (end, _) = words.char_indices().nth(SEARCHED_MAX)?;
    Some(end)
}

fn matches(context: &MatchContext<'_>, patterns: &[Regex]) -> Evaluation {
    let Some(text) = context.searched() else {
        return Evaluation::new(false, "the message has no text");
    };
    for pattern in patterns {
        let Some(found) = pattern.captures(text) else {
            continue;
        };
        let captures = pattern
            .capture_names()
            .flatten()
            .filter_map(|name| Some((name.to_owned(), found.name(name)?.as_str().to_owned())));
        return Evaluation {
            captures: captures.collect(),
            ..Evaluation::new(
                true,
                format!(
                    "the pattern `{pattern}` matches \"{}\"{}",
                    told(&found[0]),
                    context.cut()
                ),
            )
        };
    }
    Evaluation::new(false, format!("no pattern matches{}", context.cut()))
}

fn any(all: &[Condition], context: &MatchContext<'_>) -> Evaluation {
    let mut reasons = Vec::new();
    for one in all {
        let held = one.evaluate(context);
        if held.holds {
            return held;
        }
        reasons.push(held.because);
    }
    Evaluation::new(false, reasons.join("; "))
}

fn every(all: &[Condition], context: &MatchContext<'_>) -> Evaluation {
    let mut reasons = Vec::new();
    let mut captures = BTreeMap::new();
    for one in all {
        let held = one.evaluate(context);
        if !held.holds {
            return held;
        }
        reasons.push(held.because);
        captures.extend(held.captures);
    }
    Evaluation {
        captures,
        ..Evaluation::new(true, reasons.join(", and "))
    }
}

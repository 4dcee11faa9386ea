//! Evaluates conditions on a message, with a sentence that gives the reason.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::Value;

use crate::engine::render::variables::{RenderContext, Variables, language_of};
use crate::engine::time::rough;
use crate::message::{Content, Forwarded};
use crate::rules::button_id;
use crate::rules::{ButtonPattern, Condition};
use crate::template::Expression;
use crate::text::country;
use crate::text::fuzzy;
use crate::text::normalize::{NormalizedText, Phrase};

/// Number of characters of a text that regular expressions search: the most that one WhatsApp
/// message has. Only debounced texts are longer.
const SEARCHED_MAX: usize = 4096;
/// Number of characters of a match that an explanation quotes.
const QUOTED_MAX: usize = 60;

// Reasons of conditions that are true or false: when the fact holds, and when it does not.
const FIRST_CONTACT: [&str; 2] = ["this is the first contact", "they wrote before"];
const OPEN: [&str; 2] = ["it is open now", "it is closed now"];
const QUOTES: [&str; 2] = ["it quotes a message", "it quotes no message"];
const FORWARDED: [&str; 2] = ["it was forwarded", "it was not forwarded"];
const FROM_AD: [&str; 2] = [
    "the message came from an ad or post",
    "the message came from no ad or post",
];

/// Everything that conditions look at, computed once for a message.
#[derive(Debug)]
pub(crate) struct MatchContext<'a> {
    render: RenderContext<'a>,
    first_contact: bool,
    text: Option<NormalizedText>,
    /// Computed for the first expression.
    variables: OnceCell<Variables<'a>>,
}

/// Result of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evaluation {
    /// Whether it holds.
    pub(crate) holds: bool,
    /// The reason, as a short sentence for people.
    pub(crate) because: String,
    /// Named groups of regular expressions, and the parts that stars of a button's id matched.
    pub(crate) captures: BTreeMap<String, String>,
}

impl<'a> MatchContext<'a> {
    /// Normalizes the message's text, if it has one.
    pub(crate) fn new(render: RenderContext<'a>, first_contact: bool) -> Self {
        Self {
            text: render.message.content.typed_text().map(NormalizedText::new),
            render,
            first_contact,
            variables: OnceCell::new(),
        }
    }

    /// The normalized text; `None` when the message has none.
    pub(crate) fn text(&self) -> Option<&NormalizedText> {
        self.text.as_ref()
    }

    /// Content of the message.
    pub(crate) fn content(&self) -> &'a Content {
        &self.render.message.content
    }

    /// The part of the written text that patterns search.
    pub(crate) fn searched(&self) -> Option<&'a str> {
        let words = self.content().typed_text()?;
        Some(&words[..searched_end(words).unwrap_or(words.len())])
    }

    /// Suffix of the reason when the text is longer than patterns search.
    fn cut(&self) -> String {
        let words = self.content().typed_text();
        match words.and_then(searched_end) {
            Some(_) => format!(" in the first {SEARCHED_MAX} characters of a longer text"),
            None => String::new(),
        }
    }

    /// Id of the tapped button, as the rules write it.
    pub(crate) fn tapped(&self) -> Option<&'a str> {
        self.content().button().map(button_id::owner_id)
    }

    fn variables(&self) -> &Variables<'a> {
        let variables = || Variables::new(self.render.clone());
        self.variables.get_or_init(variables)
    }

    /// Time since the contact's last message; `None` when there is none.
    fn away(&self) -> Option<SignedDuration> {
        let last: Timestamp = self.render.state.last_inbound_at?;
        Some(self.render.now.duration_since(last))
    }

    fn country(&self) -> Option<&'static str> {
        let digits = self.render.contact.identity.wa_id()?;
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
    /// Evaluates the condition.
    pub(crate) fn evaluate(&self, context: &MatchContext<'_>) -> Evaluation {
        match self {
            Self::Always => Evaluation::new(true, "it has no `when`"),
            Self::TextIs(phrases) => text(context, phrases, "is the text", |text, phrase| {
                text.is(phrase).then(String::new)
            }),
            Self::TextHas(phrases) => text(context, phrases, "is in the text", |text, phrase| {
                Some(place(text.find(phrase)?, phrase))
            }),
            Self::TextStarts(phrases) => {
                text(context, phrases, "begins the text", |text, phrase| {
                    text.starts_with(phrase).then(String::new)
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
            | Self::Field(..) => self.evaluate_contact(context),
            Self::Open(_)
            | Self::ReplyTo(_)
            | Self::Forwarded(_)
            | Self::FromAd(_)
            | Self::Ad(_) => self.evaluate_origin(context),
            Self::Form(wanted) => form(context, wanted),
            Self::If(expression) => decide(context, expression),
            Self::Any(parts) => any(parts, context),
            Self::All(parts) => every(parts, context),
            Self::Not(negated) => {
                let evaluation = negated.evaluate(context);
                Evaluation::new(!evaluation.holds, evaluation.because)
            }
        }
    }

    /// Evaluates the conditions about the contact.
    fn evaluate_contact(&self, context: &MatchContext<'_>) -> Evaluation {
        let state = context.render.state;
        let (holds, because) = match self {
            Self::FirstContact(wanted) => {
                return either(context.first_contact, *wanted, FIRST_CONTACT);
            }
            Self::ReturningAfter(least) => match context.away() {
                None => (false, "it is not known when they wrote last".to_owned()),
                Some(away) => {
                    let least = SignedDuration::try_from(*least).unwrap_or(SignedDuration::MAX);
                    (
                        away >= least,
                        format!("they wrote last {} ago", rough(away)),
                    )
                }
            },
            Self::Language(wanted) => {
                let spoken = language_of(context.render.rules, state);
                let plain = spoken.split('-').next().unwrap_or(spoken);
                let is = |tag: &String| {
                    [spoken, plain]
                        .iter()
                        .any(|code| tag.eq_ignore_ascii_case(code))
                };
                (
                    wanted.iter().any(is),
                    format!("their language is `{spoken}`"),
                )
            }
            Self::Country(wanted) => match context.country() {
                None => (false, "the country of their phone is not known".to_owned()),
                Some(code) => {
                    let is = wanted.iter().any(|country| country == code);
                    (is, format!("their phone is of `{code}`"))
                }
            },
            Self::Tag(wanted) => match wanted.iter().find(|tag| state.tags.contains(*tag)) {
                Some(tag) => (true, format!("they have the tag `{tag}`")),
                None => (false, format!("they have no tag {}", one_of(wanted))),
            },
            Self::Field(name, values) => match state.fields.get(name) {
                None => (false, format!("their field `{name}` is not set")),
                Some(value) => {
                    let text = NormalizedText::new(value);
                    let is = values.is_empty() || values.iter().any(|phrase| text.is(phrase));
                    (is, format!("their field `{name}` is \"{value}\""))
                }
            },
            _ => (false, "it is not about the contact".to_owned()),
        };
        Evaluation::new(holds, because)
    }

    /// Evaluates the conditions about the time and the origin of the message.
    fn evaluate_origin(&self, context: &MatchContext<'_>) -> Evaluation {
        let message = context.render.message;
        let (is, wanted, texts) = match self {
            Self::Open(wanted) => match &context.render.rules.hours {
                None => return Evaluation::new(false, "there are no `[hours]`"),
                Some(schedule) => (schedule.is_open(context.render.now), wanted, OPEN),
            },
            Self::ReplyTo(wanted) => (message.context.quoted.is_some(), wanted, QUOTES),
            Self::Forwarded(wanted) => {
                let is_forwarded = message.context.forwarded != Forwarded::No;
                (is_forwarded, wanted, FORWARDED)
            }
            Self::FromAd(wanted) => (message.ad.is_some(), wanted, FROM_AD),
            Self::Ad(ids) => {
                let Some(ad) = &message.ad else {
                    return Evaluation::new(false, FROM_AD[1]);
                };
                let id = ad.source_id.as_deref().unwrap_or("without an id");
                let because = format!("the message came from ad `{id}`");
                return Evaluation::new(ids.iter().any(|wanted| wanted == id), because);
            }
            _ => return Evaluation::new(false, "it is not about the message"),
        };
        either(is, *wanted, texts)
    }
}

fn either(is: bool, wanted: bool, [yes, no]: [&str; 2]) -> Evaluation {
    Evaluation::new(is == wanted, if is { yes } else { no })
}

fn one_of(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}

fn form(context: &MatchContext<'_>, wanted: &[String]) -> Evaluation {
    let Content::Form { answers, .. } = context.content() else {
        return Evaluation::new(false, "the message has no form's answers");
    };
    let token = match answers.get("flow_token") {
        Some(Value::String(token)) => token.clone(),
        // The id of a form is a number.
        Some(Value::Number(token)) => token.to_string(),
        _ => return Evaluation::new(false, "it is not known which form came back"),
    };
    let holds = wanted.contains(&token);
    Evaluation::new(holds, format!("the form `{token}` came back"))
}

fn button(context: &MatchContext<'_>, ids: &[ButtonPattern]) -> Evaluation {
    let Some(tapped) = context.tapped() else {
        return Evaluation::new(false, "no button was tapped");
    };
    let because = format!("`{tapped}` was tapped");
    let Some(parts) = ids.iter().find_map(|id| id.capture(tapped)) else {
        return Evaluation::new(false, because);
    };
    // The stars are numbered; the first is also called `star`, because most patterns have one star.
    let numbered = parts.iter().enumerate();
    let mut captures: BTreeMap<String, String> = numbered
        .map(|(index, part)| (format!("star{}", index + 1), (*part).to_owned()))
        .collect();
    if let Some(first) = parts.first() {
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
    let Some(text) = context.text() else {
        return Evaluation::new(false, "the message has no text");
    };
    for phrase in phrases {
        let Some(at) = fuzzy::find_like(text, phrase) else {
            continue;
        };
        let words = text.words()[at..at + phrase.words.len()].join(" ");
        let (written, place) = (&phrase.written, place(at, phrase));
        let because = if words == phrase.words.join(" ") {
            format!("\"{written}\" is in the text{place}")
        } else {
            format!("\"{words}\" in the text{place}, is like \"{written}\"")
        };
        return Evaluation::new(true, because);
    }
    let (phrase, more) = (&phrases[0].written, phrases.len() - 1);
    let more = match more {
        0 => String::new(),
        more => format!(" or {more} more"),
    };
    Evaluation::new(
        false,
        format!("nothing in the text is like \"{phrase}\"{more}"),
    )
}

/// Finds the first phrase that `find` accepts; `find` gives its place as a text.
fn text(
    context: &MatchContext<'_>,
    phrases: &[Phrase],
    how: &str,
    find: impl Fn(&NormalizedText, &Phrase) -> Option<String>,
) -> Evaluation {
    let Some(text) = context.text() else {
        return Evaluation::new(false, "the message has no text");
    };
    for phrase in phrases {
        if let Some(place) = find(text, phrase) {
            return Evaluation::new(true, format!("\"{}\" {how}{place}", phrase.written));
        }
    }
    Evaluation::new(false, format!("{} {how}", none_of(phrases)))
}

/// Describes the place of a phrase; words are counted from 1.
fn place(at: usize, phrase: &Phrase) -> String {
    match phrase.words.len() {
        0 | 1 => format!(", word {}", at + 1),
        words => format!(", words {} to {}", at + 1, at + words),
    }
}

/// Quotes a match on one line, cut to [`QUOTED_MAX`].
fn quoted(matched: &str) -> String {
    let line = matched.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED_MAX) {
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
    match phrases.len() {
        1 => format!("not so: {}", shown[0]),
        count @ 4.. => format!("none of {} and {} more", shown.join(", "), count - 3),
        _ => format!("none of {}", shown.join(", ")),
    }
}

/// Number of bytes of a text that patterns search; `None` when they search all of it.
fn searched_end(text: &str) -> Option<usize> {
    let (end, _) = text.char_indices().nth(SEARCHED_MAX)?;
    Some(end)
}

fn matches(context: &MatchContext<'_>, patterns: &[Regex]) -> Evaluation {
    let Some(text) = context.searched() else {
        return Evaluation::new(false, "the message has no text");
    };
    for pattern in patterns {
        let Some(groups) = pattern.captures(text) else {
            continue;
        };
        let names = pattern.capture_names().flatten();
        let captures = names
            .filter_map(|name| Some((name.to_owned(), groups.name(name)?.as_str().to_owned())));
        let (matched, cut) = (quoted(&groups[0]), context.cut());
        let because = format!("the pattern `{pattern}` matches \"{matched}\"{cut}");
        return Evaluation {
            captures: captures.collect(),
            ..Evaluation::new(true, because)
        };
    }
    Evaluation::new(false, format!("no pattern matches{}", context.cut()))
}

fn any(parts: &[Condition], context: &MatchContext<'_>) -> Evaluation {
    let mut reasons = Vec::new();
    for part in parts {
        let evaluation = part.evaluate(context);
        if evaluation.holds {
            return evaluation;
        }
        reasons.push(evaluation.because);
    }
    Evaluation::new(false, reasons.join("; "))
}

fn every(parts: &[Condition], context: &MatchContext<'_>) -> Evaluation {
    let mut reasons = Vec::new();
    let mut captures = BTreeMap::new();
    for part in parts {
        let evaluation = part.evaluate(context);
        if !evaluation.holds {
            return evaluation;
        }
        reasons.push(evaluation.because);
        captures.extend(evaluation.captures);
    }
    Evaluation {
        captures,
        ..Evaluation::new(true, reasons.join(", and "))
    }
}

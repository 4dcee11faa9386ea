//! `[[rule]]`: its id, when it matches, what it does.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use toml::de::DeValue;

use super::super::diagnostic::Diagnostic;
use super::super::normalise::Phrase;
use super::super::set::{Condition, Rule};
use super::fields::{Fields, Notes, Text, Value, closest, wrong_type};
use super::reply;
use crate::message::{Kind, RuleId};

/// A compiled pattern may take this much memory; a pattern over it would slow every message down.
const PATTERN_BYTES: usize = 1 << 20;
/// Ids are shown in tables and stored with every message.
const ID_CHARACTERS: usize = 64;

/// Where the parts of a rule stand, for what only shows in the whole file.
pub(super) struct Place {
    /// The value of `id`.
    pub(super) id: Range<usize>,
    /// Each id in `when.button`.
    pub(super) asked: Vec<(String, Range<usize>)>,
    /// Each id of a button or row in `reply`.
    pub(super) offered: Vec<(String, Range<usize>)>,
}

/// Reads one rule; `None` when it has no usable id.
pub(super) fn read(value: &Value<'_>, text: &str, notes: &mut Notes) -> Option<(Rule, Place)> {
    let mut fields = Fields::of(value, "rule", notes)?;
    let id = fields.required("id", "this rule", notes);
    let id = id
        .and_then(|value| Text::of(value, "id", notes))
        .and_then(|text| rule_id(text, notes));

    let mut when = When {
        text,
        asked: Vec::new(),
        captures: Vec::new(),
    };
    let condition = match fields.get("when") {
        Some(value) => when.condition(value, notes),
        None => Condition::Always,
    };
    let mut replies = reply::Reader::new(text, &when.captures);
    let replies_read = fields.get("reply").map(|value| replies.read(value, notes));
    let once = fields.duration("once", notes);
    let goes_on = fields.boolean("continue", notes).unwrap_or(false);
    fields.finish("a rule", notes);

    let (id, id_span) = id?;
    let offered = replies.offered;
    let rule = Rule {
        id,
        when: condition,
        replies: replies_read.unwrap_or_default(),
        once,
        goes_on,
    };
    Some((
        rule,
        Place {
            id: id_span,
            asked: when.asked,
            offered,
        },
    ))
}

fn rule_id(text: Text, notes: &mut Notes) -> Option<(RuleId, Range<usize>)> {
    let good = |character: char| character.is_alphanumeric() || "-_.:".contains(character);
    if text.value.chars().count() > ID_CHARACTERS || !text.value.chars().all(good) {
        let title = "an id is made of letters, digits and `-` `_` `.` `:`, 64 at most";
        notes.add(Diagnostic::new("E007", text.span.clone(), title));
    }
    let id = RuleId::parse(text.value);
    if id.is_none() {
        notes.add(Diagnostic::new(
            "E007",
            text.span.clone(),
            "an id must not be empty",
        ));
    }
    Some((id?, text.span))
}

/// Reads `when`, and remembers what it asks for.
struct When<'t> {
    text: &'t str,
    asked: Vec<(String, Range<usize>)>,
    captures: Vec<String>,
}

impl When<'_> {
    /// A table of conditions that must all hold.
    fn condition(&mut self, value: &Value<'_>, notes: &mut Notes) -> Condition {
        let Some(mut fields) = Fields::of(value, "when", notes) else {
            return Condition::Always;
        };
        let mut all = Vec::new();
        if let Some(value) = fields.get("text") {
            self.text(value, &mut all, notes);
        }
        if let Some(value) = fields.get("button") {
            let ids = Text::one_or_many(value, "button", notes);
            self.asked
                .extend(ids.iter().map(|id| (id.value.clone(), id.span.clone())));
            all.push(Condition::Button(
                ids.into_iter().map(|id| id.value).collect(),
            ));
        }
        if let Some(value) = fields.get("type") {
            let names = Text::one_or_many(value, "type", notes);
            all.push(Condition::Type(
                names
                    .into_iter()
                    .filter_map(|name| kind(&name, notes))
                    .collect(),
            ));
        }
        if let Some(first) = fields.boolean("first_contact", notes) {
            all.push(Condition::FirstContact(first));
        }
        if let Some(value) = fields.get("any") {
            all.push(Condition::Any(self.many(value, "any", notes)));
        }
        if let Some(value) = fields.get("all") {
            all.push(Condition::All(self.many(value, "all", notes)));
        }
        if let Some(value) = fields.get("not") {
            all.push(Condition::Not(Box::new(self.condition(value, notes))));
        }
        let (span, found) = (fields.span(), notes.all.len());
        fields.finish("a condition", notes);
        if all.is_empty() && notes.all.len() == found {
            let title = "this condition says nothing";
            let help = "leave `when` out to match every message";
            notes.add(Diagnostic::new("E005", span, title).help(help));
        }
        match all.len() {
            1 => all.swap_remove(0),
            _ => Condition::All(all),
        }
    }

    fn many(&mut self, value: &Value<'_>, key: &str, notes: &mut Notes) -> Vec<Condition> {
        let DeValue::Array(array) = value.get_ref() else {
            notes.add(wrong_type(
                value.span(),
                key,
                "an array of conditions",
                value.get_ref(),
            ));
            return Vec::new();
        };
        if array.is_empty() {
            let title = format!("`{key}` is empty, so it says nothing");
            notes.add(Diagnostic::new("E005", value.span(), title));
        }
        array
            .iter()
            .map(|value| self.condition(value, notes))
            .collect()
    }

    fn text(&mut self, value: &Value<'_>, all: &mut Vec<Condition>, notes: &mut Notes) {
        let Some(mut fields) = Fields::of(value, "text", notes) else {
            all.push(Condition::TextIs(Vec::new())); // so that nothing around it seems empty
            if let Some(last) = notes.all.last_mut() {
                last.help =
                    Some("say how: `text.has`, `text.is`, `text.starts`, `text.matches`".into());
            }
            return;
        };
        let before = all.len();
        for (key, made) in [
            ("is", Condition::TextIs as fn(Vec<Phrase>) -> Condition),
            ("has", Condition::TextHas),
            ("starts", Condition::TextStarts),
        ] {
            if let Some(value) = fields.get(key) {
                let texts = Text::one_or_many(value, key, notes);
                all.push(made(
                    texts
                        .iter()
                        .filter_map(|text| phrase(text, notes))
                        .collect(),
                ));
            }
        }
        if let Some(value) = fields.get("matches") {
            let texts = Text::one_or_many(value, "matches", notes);
            let patterns: Vec<Regex> = texts
                .iter()
                .filter_map(|text| self.pattern(text, notes))
                .collect();
            all.push(Condition::TextMatches(patterns));
        }
        let (span, found) = (fields.span(), notes.all.len());
        fields.finish("`text`", notes);
        if all.len() == before {
            if notes.all.len() == found {
                notes.add(Diagnostic::new("E005", span, "`text` says nothing"));
            }
            all.push(Condition::TextIs(Vec::new())); // so that nothing around it seems empty
        }
    }

    fn pattern(&mut self, text: &Text, notes: &mut Notes) -> Option<Regex> {
        match RegexBuilder::new(&text.value)
            .size_limit(PATTERN_BYTES)
            .build()
        {
            Ok(pattern) => {
                self.captures
                    .extend(pattern.capture_names().flatten().map(str::to_owned));
                Some(pattern)
            }
            Err(error) => {
                let (title, label) = regex_problem(&error);
                let diagnostic = Diagnostic::new("E008", text.span.clone(), title).label(label);
                let literal = self.text.get(text.span.clone()).unwrap_or_default();
                notes.add(if literal.starts_with('"') && text.value.contains('\\') {
                    diagnostic.help("in 'single quotes' a backslash needs no second one")
                } else {
                    diagnostic
                });
                None
            }
        }
    }
}

/// Title and label of what is wrong with a pattern.
fn regex_problem(error: &regex::Error) -> (String, String) {
    match error {
        regex::Error::CompiledTooBig(_) => {
            let title = "this pattern is too large to be matched quickly";
            (
                title.to_owned(),
                "repeat less, or match a shorter part".to_owned(),
            )
        }
        other => {
            // The last line of the library's text says what is wrong; the lines before it draw the place.
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default().trim();
            let reason = reason.trim_start_matches("error: ").to_owned();
            ("this is not a regular expression".to_owned(), reason)
        }
    }
}

fn phrase(text: &Text, notes: &mut Notes) -> Option<Phrase> {
    let phrase = Phrase::parse(&text.value);
    if phrase.is_none() {
        let title = "there is no letter, digit or emoji in this keyword, so it is never found";
        notes.add(Diagnostic::new("E012", text.span.clone(), title));
    }
    phrase
}

fn kind(name: &Text, notes: &mut Notes) -> Option<Kind> {
    let kind = Kind::ALL.iter().find(|(known, _)| *known == name.value);
    if kind.is_none() {
        let title = format!("there is no message type `{}`", name.value);
        let names = || Kind::ALL.iter().map(|(known, _)| *known);
        let help = match closest(&name.value, names()) {
            Some(known) => format!("did you mean \"{known}\"?"),
            None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        };
        notes.add(Diagnostic::new("E005", name.span.clone(), title).help(help));
    }
    kind.map(|(_, kind)| *kind)
}

/// Warns of rules behind one that takes every message.
pub(super) fn check_reachable(rules: &[Rule], places: &[Place], notes: &mut Notes) {
    let takes_all = |rule: &Rule| {
        matches!(rule.when, Condition::Always) && !rule.goes_on && rule.once.is_none()
    };
    let Some(last) = rules.iter().position(takes_all) else {
        return;
    };
    let asks_by_name = |rule: &Rule| rule.when.names(Kind::Reaction);
    for (rule, place) in rules.iter().zip(places).skip(last + 1) {
        if asks_by_name(rule) {
            continue; // reactions pass by rules that do not ask for them
        }
        let title = format!("the rule `{}` can never answer", rule.id);
        let label = format!("`{}` takes every message before it", rules[last].id);
        notes.add(
            Diagnostic::new("W103", place.id.clone(), title)
                .also(places[last].id.clone(), label)
                .help("put the rule without `when` at the end of the file"),
        );
    }
}

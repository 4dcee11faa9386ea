//! From the text of a rules file to a [`RuleSet`], or to every problem it has.
//!
//! `fields` reads tables key by key, `rule` knows `[[rule]]`, `reply` knows `reply`, `buttons` looks at what
//! only shows in the whole file.

mod buttons;
mod fields;
mod reply;
mod rule;

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use sha2::{Digest as _, Sha256};
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use super::set::{Bot, ReplyBudget, Rule, RuleSet};
use crate::message::{RulesVersion, hex};
use fields::{Fields, Notes, closest, wrong_type};
use rule::Place;

/// The version of the language this is.
const VERSION: u32 = 1;

/// A rules file that can be used.
#[derive(Debug)]
pub struct Compiled {
    /// The rules.
    pub rules: RuleSet,
    /// What looks wrong and may be meant.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles a rules file.
///
/// # Errors
/// Every problem, warnings too, in the order of the file.
pub fn compile(file_name: &str, text: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let (root, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        return Err(syntax
            .iter()
            .map(|error| syntax_error(error, text))
            .collect());
    }
    let mut notes = Notes::default();
    let mut fields = Fields::new(root.get_ref(), 0..text.len().min(1));
    version(&mut fields, &mut notes);
    let bot = bot(&mut fields, &mut notes);
    let (rules, places) = rules(&mut fields, text, &mut notes);
    fields.finish("a rules file", &mut notes);
    buttons::check(&rules, &places, &mut notes);
    rule::check_reachable(&rules, &places, &mut notes);

    let mut all = notes.all;
    all.sort_by_key(|diagnostic| diagnostic.span.start);
    if all.iter().any(Diagnostic::is_error) {
        return Err(all);
    }
    let source = format!("# {file_name}\n{text}");
    let version = RulesVersion::parse(hash(text)).expect("a hash has digits");
    Ok(Compiled {
        rules: RuleSet {
            version,
            source: source.into(),
            bot,
            rules,
        },
        warnings: all,
    })
}

fn syntax_error(error: &toml::de::Error, text: &str) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let end = span.end.min(text.len());
    let title = format!("this is not TOML: {}", error.message());
    Diagnostic::new("E001", span.start.min(end)..end, title)
}

/// The first 128 bits of SHA-256 over the text.
fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..16])
}

fn version(fields: &mut Fields<'_, '_>, notes: &mut Notes) {
    if fields.required("version", "the file", notes).is_none() {
        if let Some(last) = notes.all.last_mut() {
            last.help = Some(format!("write `version = {VERSION}` as the first line"));
        }
        return;
    }
    let span = fields.get("version").map_or(0..0, toml::Spanned::span);
    if fields
        .count("version", notes)
        .is_some_and(|version| version != VERSION)
    {
        let title = format!("this replyd reads rules of version {VERSION} only");
        notes.add(Diagnostic::new("E005", span, title));
    }
}

fn bot(fields: &mut Fields<'_, '_>, notes: &mut Notes) -> Bot {
    let mut bot = Bot {
        name: String::new(),
        timezone: TimeZone::UTC,
        language: "en".to_owned(),
        mark_read: true,
        max_age: Duration::from_mins(15),
        reply_budget: ReplyBudget {
            per_minute: 5,
            per_hour: 30,
        },
    };
    let table = fields
        .get("bot")
        .and_then(|value| Fields::of(value, "bot", notes));
    let Some(mut table) = table else { return bot };
    if let Some(name) = table.string("name", notes) {
        bot.name = name.value;
    }
    if let Some(name) = table.string("timezone", notes) {
        match TimeZoneDatabase::bundled().get(&name.value) {
            Ok(zone) => bot.timezone = zone,
            Err(_) => notes.add(unknown_zone(&name.value, name.span)),
        }
    }
    if let Some(language) = table.string("language", notes) {
        bot.language = language.value;
    }
    if let Some(mark_read) = table.boolean("mark_read", notes) {
        bot.mark_read = mark_read;
    }
    if let Some(max_age) = table.duration("max_age", notes) {
        bot.max_age = max_age;
    }
    let budget = table.get("reply_budget");
    if let Some(mut budget) = budget.and_then(|value| Fields::of(value, "reply_budget", notes)) {
        if let Some(count) = budget.count("per_minute", notes) {
            bot.reply_budget.per_minute = count;
        }
        if let Some(count) = budget.count("per_hour", notes) {
            bot.reply_budget.per_hour = count;
        }
        budget.finish("`reply_budget`", notes);
    }
    table.finish("`[bot]`", notes);
    bot
}

fn unknown_zone(name: &str, span: Range<usize>) -> Diagnostic {
    let zones: Vec<String> = TimeZoneDatabase::bundled()
        .available()
        .map(|zone| zone.to_string())
        .collect();
    let help = match closest(name, zones.iter().map(String::as_str)) {
        Some(zone) => format!("did you mean \"{zone}\"?"),
        None => "zones are named after cities, such as \"America/New_York\"".to_owned(),
    };
    Diagnostic::new("E005", span, "there is no such time zone").help(help)
}

/// Every rule that could be read, with the places its parts stand at.
fn rules(fields: &mut Fields<'_, '_>, text: &str, notes: &mut Notes) -> (Vec<Rule>, Vec<Place>) {
    let Some(value) = fields.get("rule") else {
        return (Vec::new(), Vec::new());
    };
    let DeValue::Array(array) = value.get_ref() else {
        let wanted = "written `[[rule]]`, once for each rule";
        notes.add(wrong_type(value.span(), "rule", wanted, value.get_ref()));
        return (Vec::new(), Vec::new());
    };
    let mut seen: HashMap<String, Range<usize>> = HashMap::new();
    let mut rules = Vec::new();
    let mut places = Vec::new();
    for value in array {
        let Some((rule, place)) = rule::read(value, text, notes) else {
            continue;
        };
        if let Some(first) = seen.get(rule.id.as_str()) {
            let title = format!("there are two rules with the id `{}`", rule.id);
            notes.add(
                Diagnostic::new("E006", place.id.clone(), title)
                    .also(first.clone(), "the first one is here")
                    .help("give each rule an id of its own: history names rules by it"),
            );
        } else {
            seen.insert(rule.id.as_str().to_owned(), place.id.clone());
        }
        rules.push(rule);
        places.push(place);
    }
    (rules, places)
}

//! `replyd gaps`: what people asked that no rule understood, with a rule to begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::ui::{self, DIM, GOOD, LITERAL, STRONG, paint};
use super::{reading, ruleset};
use crate::clock::Clock;
use crate::rules::normalise::Folded;
use crate::rules::{Condition, RuleSet};

/// So many different texts are compared, the most frequent ones.
const TEXTS_MAX: u32 = 3_000;
/// Texts that have so much in common, of 1, ask the same.
const ALIKE: f64 = 0.5;

/// Lists what people asked that only the fallback answered, or nobody: alike ones together, the most frequent first.
///
/// The fallback is each rule without `when`; --fallback names others.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The rules file.
    #[arg(long, value_name = "FILE", default_value = "rules.toml")]
    rules: PathBuf,
    /// A rule that answers what no other understands.
    #[arg(long, value_name = "ID")]
    fallback: Vec<String>,
    /// Only messages since then: 30d, 12h, 2w.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The most groups to list.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    reading: reading::Options,
}

/// Texts that ask the same.
struct Gap {
    count: u64,
    /// With how often each was written, the most frequent first.
    texts: Vec<(String, u64)>,
    words: BTreeSet<String>,
}

/// Lists them.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (_, rules) = ruleset::read(&arguments.rules)?;
    let since = match &arguments.since {
        Some(length) => reading::ago(length, Clock::System.now())?,
        None => Timestamp::UNIX_EPOCH,
    };
    let fallbacks = fallbacks(&rules, &arguments.fallback);
    let store = arguments.reading.open().await?;
    let found = store.unmatched(&fallbacks, since, TEXTS_MAX).await;
    let found = found.context("could not read the messages")?;
    store.close().await;
    let gaps = grouped(found);
    let total: u64 = gaps.iter().map(|gap| gap.count).sum();
    if !arguments.reading.json {
        let what = format!("{total} messages that no rule understood");
        let style = if total == 0 { GOOD } else { STRONG };
        ui::line(paint(style, what));
    }
    let mut taken: BTreeSet<String> = rules.rules.iter().map(|rule| rule.id.to_string()).collect();
    for gap in gaps.iter().take(arguments.limit) {
        let rule = suggestion(gap, &gaps, &mut taken);
        if arguments.reading.json {
            let texts = gap.texts.iter().map(|(text, _)| text);
            let texts: Vec<&String> = texts.collect();
            ui::line(json!({ "count": gap.count, "texts": texts, "rule": rule }));
        } else {
            show(gap, &rule);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn fallbacks<'a>(rules: &'a RuleSet, named: &'a [String]) -> Vec<&'a str> {
    if !named.is_empty() {
        return named.iter().map(String::as_str).collect();
    }
    let always = rules.rules.iter();
    let always = always.filter(|rule| matches!(rule.when, Condition::Always) && !rule.goes_on);
    always.map(|rule| rule.id.as_str()).collect()
}

fn show(gap: &Gap, rule: &str) {
    let others = gap.texts.len().saturating_sub(1);
    let (first, _) = &gap.texts[0];
    let first = ui::visible(first).replace('\n', " ");
    ui::line(format_args!("\n{} × {}", gap.count, paint(STRONG, first)));
    for (text, count) in gap.texts.iter().skip(1).take(3) {
        let text = ui::visible(text).replace('\n', " ");
        ui::line(paint(DIM, format_args!("    {count} × {text}")));
    }
    if others > 3 {
        ui::line(paint(DIM, format_args!("    and {} more", others - 3)));
    }
    for line in rule.lines() {
        ui::line(paint(LITERAL, format_args!("    {}", ui::visible(line))));
    }
}

/// Puts texts together that have most of their words in common.
fn grouped(texts: Vec<(String, u64)>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for (text, count) in in_one_spelling(texts) {
        let words: BTreeSet<String> = Folded::of(&text).words().iter().cloned().collect();
        let alike = gaps
            .iter_mut()
            .map(|gap| (likeness(&gap.words, &words), gap))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .max_by(|one, other| one.0.total_cmp(&other.0));
        if let Some((_, gap)) = alike {
            gap.count += count;
            gap.texts.push((text, count));
        } else {
            let texts = vec![(text, count)];
            gaps.push(Gap {
                count,
                texts,
                words,
            });
        }
    }
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.count));
    gaps
}

/// Texts that differ in capitals, accents and punctuation alone become one, in the spelling that was used most.
fn in_one_spelling(texts: Vec<(String, u64)>) -> Vec<(String, u64)> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<(String, u64)> = Vec::new();
    for (text, count) in texts {
        let place = *places
            .entry(Folded::of(&text).joined())
            .or_insert(all.len());
        match all.get_mut(place) {
            Some((_, times)) => *times += count,
            None => all.push((text, count)),
        }
    }
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all
}

/// How much two texts have in common: the words of both among all their words, a word with a slip in it counting too.
/// Long words count more: the short ones are in every question.
fn likeness(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    if one.is_empty() || other.is_empty() {
        return if one == other { 1.0 } else { 0.0 };
    }
    let found = |word: &String| {
        other.contains(word)
            || other
                .iter()
                .any(|like| crate::rules::typo::is_like(like, word))
    };
    let letters = |word: &String| {
        u32::try_from(word.chars().count())
            .unwrap_or(u32::MAX)
            .min(10)
    };
    let both: u32 = one.iter().filter(|word| found(word)).map(letters).sum();
    let all: u32 = one.iter().chain(other).map(letters).sum();
    f64::from(both) / f64::from(all.saturating_sub(both).max(1))
}

/// A rule that takes these texts: by the word that most of them and few others have.
fn suggestion(gap: &Gap, gaps: &[Gap], taken: &mut BTreeSet<String>) -> String {
    let mut here: BTreeMap<String, u64> = BTreeMap::new();
    for (text, count) in &gap.texts {
        let words: BTreeSet<String> = Folded::of(text).words().iter().cloned().collect();
        for word in words {
            *here.entry(word).or_default() += count;
        }
    }
    let elsewhere = |word: &str| gaps.iter().filter(|one| one.words.contains(word)).count();
    let best = here
        .iter()
        .filter(|(_, count)| **count * 2 > gap.count)
        .max_by_key(|(word, count)| {
            let rare = std::cmp::Reverse(elsewhere(word));
            (rare, **count, word.chars().count())
        });
    let word = best.map_or_else(|| gap.texts[0].0.clone(), |(word, _)| word.clone());
    let plain = |one: char| {
        if one.is_ascii_alphanumeric() {
            one
        } else {
            '-'
        }
    };
    let id: String = word.chars().take(24).map(plain).collect();
    let id = id.trim_matches('-');
    let id = if id.is_empty() { "question" } else { id };
    let mut free = id.to_owned();
    for number in 2.. {
        if taken.insert(free.clone()) {
            break;
        }
        free = format!("{id}-{number}");
    }
    let quoted = |text: &str| toml::Value::from(text.replace('\n', " ")).to_string();
    let examples: Vec<String> = gap
        .texts
        .iter()
        .take(3)
        .map(|(text, _)| quoted(text))
        .collect();
    format!(
        "[[rule]]\nid = {}\nwhen.text.has = [{}]\nreply = \"…\"\nexamples = [{}]",
        quoted(&free),
        quoted(&word),
        examples.join(", ")
    )
}

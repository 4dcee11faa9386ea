//! `replyd gaps`: lists inbound texts that no rule matched, each group with a rule to begin with.
//!
//! Reads the messages twice: first for the unmatched texts ([`texts`], `cluster`), then for the
//! frequency of their words in all messages (`suggest_rule`).

mod cluster;
mod suggest_rule;
mod texts;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::options;
use crate::cli::rules::load;
use crate::cli::terminal::{self, DIM, GOOD, Hint, LITERAL, STRONG, paint};
use crate::clock::Clock;
use crate::diagnostics::suggest;
use crate::engine::{Explanation, Verdict};
use crate::message::counted;
use crate::rules::{Condition, RuleSet};
use crate::store::{InboundText, Store};
use cluster::{Group, Vocabulary, grouped};
use suggest_rule::Everywhere;
use texts::{TEXTS_MAX, Texts, shortened};

/// Number of messages per page.
const TOGETHER: u32 = 2_000;
/// Maximum length of a listed text in characters.
const LINE_CHARACTERS_MAX: usize = 100;

/// Lists what people asked that only the fallback answered, or nobody: alike ones together, the
/// most frequent first.
///
/// The fallback is each rule without `when`; --fallback names others. A rule with `continue` that
/// answered before it makes no difference.
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
    options: options::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (_, rules) = load::read(&arguments.rules)?;
    let since = options::since(arguments.since.as_deref(), Clock::System.now())?;
    let understood = Understood::by(&rules, &arguments)?;
    let store = arguments.options.open().await?;
    let mut texts = Texts::up_to(TEXTS_MAX);
    each(&store, since, |asked| {
        if !understood.is(asked) {
            texts.add(&asked.text);
        }
    })
    .await?;
    let (messages, left_out) = (texts.messages, texts.left_out);
    let texts = texts.sorted();
    let vocabulary = Vocabulary::new(&texts);
    let mut groups = grouped(texts, &vocabulary);
    groups.truncate(arguments.limit);
    let mut everywhere = Everywhere::new(&groups, &vocabulary);
    each(&store, since, |asked| everywhere.count(&asked.text)).await?;
    store.close().await;
    if !arguments.options.json {
        let style = if messages == 0 { GOOD } else { STRONG };
        let messages = counted(messages, "message");
        terminal::line(paint!(style, "{messages} that no rule understood"));
    }
    if left_out > 0 {
        let earliest = counted(left_out, "message");
        terminal::note!(
            "there are more than {TEXTS_MAX} different texts: the groups leave out the earliest {earliest}; \
             a shorter time with --since takes all"
        );
    }
    let mut taken: BTreeSet<String> = rules.rules.iter().map(|rule| rule.id.to_string()).collect();
    for group in &groups {
        let rule = everywhere.rule(group, &mut taken);
        if arguments.options.json {
            let texts: Vec<&str> = group
                .texts
                .iter()
                .map(|text| text.written.as_str())
                .collect();
            terminal::json_line(&json!({ "count": group.messages, "texts": texts, "rule": rule }));
        } else {
            show(group, rule.as_deref());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Calls `take` with every inbound text since `since`, the latest first.
async fn each(
    store: &Store,
    since: Timestamp,
    mut take: impl FnMut(&InboundText),
) -> anyhow::Result<()> {
    let mut before = i64::MAX;
    loop {
        let page = store.inbound_texts(before, since, TOGETHER).await;
        let page = page.context("could not read the messages")?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        before = last.id;
        page.iter().for_each(&mut take);
    }
}

/// Decides whether a rule matched a message.
struct Understood<'a> {
    /// Fallback rules, which match when no other rule does.
    fallbacks: Vec<&'a str>,
    /// Rules after which the search goes on.
    going_on: Vec<&'a str>,
}

impl<'a> Understood<'a> {
    fn by(rules: &'a RuleSet, arguments: &'a Arguments) -> Result<Self, Hint> {
        let ids = || rules.rules.iter().map(|rule| rule.id.as_str());
        for named in &arguments.fallback {
            if !ids().any(|id| id == named) {
                let names = || format!("its rules are {}", ids().collect::<Vec<_>>().join(", "));
                return Err(Hint::new(
                    format!(
                        "`{}` has no rule `{}`",
                        terminal::path(&arguments.rules),
                        terminal::one_line(named)
                    ),
                    suggest::did_you_mean(named, ids()).unwrap_or_else(names),
                ));
            }
        }
        let always = rules.rules.iter();
        let always =
            always.filter(|rule| matches!(rule.when, Condition::Always) && !rule.continues);
        let fallbacks = match &arguments.fallback[..] {
            [] => always.map(|rule| rule.id.as_str()).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        let going_on = rules.rules.iter().filter(|rule| rule.continues);
        Ok(Self {
            fallbacks,
            going_on: going_on.map(|rule| rule.id.as_str()).collect(),
        })
    }

    /// Whether a rule other than a fallback ended the search, or no search took place.
    fn is(&self, asked: &InboundText) -> bool {
        if asked.decision == "no_match" {
            return false;
        }
        // Pending messages have no result yet, and no rule was searched for while the bot was
        // suppressed.
        if !["answered", "silent", "rate_limited", "failed"].contains(&asked.decision.as_str()) {
            return true;
        }
        let explanation = asked.explanation.as_deref().unwrap_or_default();
        let Ok(explanation) = serde_json::from_str::<Explanation>(explanation) else {
            return true;
        };
        let considered = explanation.considered.iter();
        // A flow step that reads the text as an answer, `flow/step`, ends the search too, even when
        // it rejects it.
        let last = considered
            .rev()
            .map(|rule| (rule.rule.as_str(), rule.verdict));
        let last =
            last.filter(|(rule, verdict)| *verdict == Verdict::Matched || rule.contains('/'));
        let Some((last, _)) = { last }.next() else {
            return true;
        };
        let is_over = ["rate_limited", "failed"].contains(&asked.decision.as_str());
        let went_through = self.going_on.contains(&last) && !is_over;
        !(self.fallbacks.contains(&last) || went_through)
    }
}

fn show(group: &Group, rule: Option<&str>) {
    let shown = |text: &str| terminal::one_line(&shortened(text, LINE_CHARACTERS_MAX));
    let others = group.texts.len().saturating_sub(1);
    let first = shown(&group.texts[0].written);
    terminal::line("");
    let times = format!("{} × ", group.messages);
    terminal::line(terminal::behind(&times, "      ", STRONG, &first));
    for text in group.texts.iter().skip(1).take(3) {
        let (times, text) = (text.times, shown(&text.written));
        let times = paint!(DIM, "    {times} × ");
        terminal::line(terminal::behind(&times, "          ", DIM, &text));
    }
    if others > 3 {
        terminal::line(paint!(DIM, "    and {} more", others - 3));
    }
    for line in rule.into_iter().flat_map(str::lines) {
        terminal::line(terminal::behind("    ", "      ", LITERAL, line));
    }
}

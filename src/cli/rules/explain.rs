//! `replyd explain`: says for every rule whether it would take a message, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::load;
use crate::cli::history::options;
use crate::cli::terminal;
use crate::cli::terminal::{BAD, DIM, GOOD, Hint, STRONG, WARN, paint};
use crate::clock::Clock;
use crate::engine::{Considered, Engine, Explanation, Turn, Verdict};
use crate::simulator;

/// Says for every rule whether it would take a message, and why.
///
/// The message comes from somebody who wrote before; with --first from somebody new, with --as from
/// somebody in the database, as the conversation stands now.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What somebody writes.
    text: String,
    /// The rules file.
    #[arg(long, value_name = "FILE", default_value = "rules.toml")]
    rules: PathBuf,
    /// It is their first message.
    #[arg(long, conflicts_with = "who")]
    first: bool,
    /// Somebody of the database: the number of a conversation, the phone number, or a part of the
    /// name or the phone.
    #[arg(long = "as", value_name = "CONVERSATION|NAME|PHONE")]
    who: Option<String>,
    #[command(flatten)]
    reading: options::Options,
}

/// Explains.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (_, rules) = load::read(&arguments.rules)?;
    let engine = Engine::new(rules);
    let now = Clock::System.now();
    let turn = match &arguments.who {
        None => simulator::ask(&engine, &arguments.text, u64::from(!arguments.first), now),
        Some(who) => {
            let store = arguments.reading.open().await?;
            let id = options::one_conversation(&store, who).await?.id;
            let conversation = store.conversation(id).await;
            let conversation = conversation.context("could not read the conversation")?;
            let conversation = conversation.ok_or_else(|| options::nobody(who))?;
            store.close().await;
            simulator::ask_as(&engine, conversation, &arguments.text, now)
        }
    };
    if arguments.reading.json {
        terminal::line(terminal::json(&json(&turn)));
    } else {
        show(&turn.explanation);
        terminal::line(format_args!("{}:", turn.decision.name()));
        for reply in &turn.replies {
            let text = reply.content.transcript_text();
            terminal::line(terminal::framed(terminal::OURS, &text));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn json(turn: &Turn) -> serde_json::Value {
    let replies = turn.replies.iter().map(|reply| {
        let text = reply.content.transcript_text();
        serde_json::json!({ "rule": reply.rule, "text": text })
    });
    serde_json::json!({
        "decision": turn.decision,
        "explanation": turn.explanation,
        "replies": replies.collect::<Vec<_>>(),
    })
}

/// The text as the rules saw it, and the verdict on each rule.
pub(crate) fn show(explanation: &Explanation) {
    if let Some(read) = &explanation.normalized {
        terminal::line(paint(
            STRONG,
            format_args!("read as: {}", terminal::one_line(read)),
        ));
    }
    for one in &explanation.considered {
        let (mark, style) = match one.verdict {
            Verdict::Matched => ("✓", GOOD),
            Verdict::Quiet => ("–", WARN),
            Verdict::No => ("·", DIM),
        };
        let (rule, because) = (
            terminal::name(one.rule.as_str()),
            terminal::one_line(&one.because),
        );
        terminal::line(paint(style, format_args!("{mark} {rule}: {because}")));
    }
    if explanation.not_told > 0 {
        let others = explanation.not_told;
        terminal::line(paint(DIM, format_args!("· {others} more could not match")));
    }
    if let Some(note) = &explanation.note {
        terminal::line(paint(BAD, terminal::one_line(note)));
    }
    show_behind(explanation);
}

/// The rules that were not looked at any more.
fn show_behind(explanation: &Explanation) {
    if explanation.behind.is_empty() {
        return;
    }
    let (why, would) = match answering(&explanation.considered) {
        Some(one) => (
            format!(
                "not looked at any more, because `{}` answers:",
                terminal::name(one.rule.as_str())
            ),
            "would match too",
        ),
        None => ("not looked at:".to_owned(), "would match"),
    };
    terminal::line(paint(STRONG, why));
    for one in &explanation.behind {
        let (mark, style, verdict) = match one.verdict {
            Verdict::Matched => ("+", WARN, would),
            Verdict::Quiet => ("–", DIM, "would stay quiet"),
            Verdict::No => ("·", DIM, "no"),
        };
        let (rule, because) = (
            terminal::name(one.rule.as_str()),
            terminal::one_line(&one.because),
        );
        terminal::line(paint(
            style,
            format_args!("{mark} {rule}: {verdict}: {because}"),
        ));
    }
}

/// The rule that ended the search, or the question of a flow that took the message for an answer,
/// good or not.
fn answering(considered: &[Considered]) -> Option<&Considered> {
    let matched = |one: &&Considered| one.verdict == Verdict::Matched;
    let is_step = |one: &&Considered| one.rule.as_str().contains('/');
    let last = considered.iter().rfind(matched);
    last.or_else(|| considered.iter().rfind(is_step))
}

/// There is no message of this id.
pub(crate) fn no_message(wamid: &str) -> Hint {
    Hint {
        message: format!("there is no message `{}`", terminal::one_line(wamid)),
        hint: "`replyd history NAME --json` shows the ids of messages".to_owned(),
    }
}

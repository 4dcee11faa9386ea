//! `replyd explain`: prints for every rule whether it matches a message, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::{explanation, load};
use crate::cli::history::options;
use crate::cli::terminal;
use crate::clock::Clock;
use crate::engine::{Engine, Turn};
use crate::simulator;

/// Says for every rule whether it would take a message, and why.
///
/// The contact has written before; with --first has not; with --as is one of the database, in the
/// current state of the conversation.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Text of the message.
    text: String,
    /// The rules file.
    #[arg(long, value_name = "FILE", default_value = "rules.toml")]
    rules: PathBuf,
    /// Take it as the first message of the contact.
    #[arg(long, conflicts_with = "who")]
    first: bool,
    /// Contact in the database: the number of a conversation, the phone number, or a part of the
    /// name or the phone.
    #[arg(long = "as", value_name = "CONVERSATION|NAME|PHONE")]
    who: Option<String>,
    #[command(flatten)]
    options: options::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (_, rules) = load::read(&arguments.rules)?;
    let engine = Engine::new(rules);
    let now = Clock::System.now();
    let turn = match &arguments.who {
        None => simulator::ask(&engine, &arguments.text, u64::from(!arguments.first), now),
        Some(who) => {
            let store = arguments.options.open().await?;
            let id = options::find_conversation(&store, who).await?.id;
            let conversation = store.conversation(id).await;
            let conversation = conversation.context("could not read the conversation")?;
            let conversation = conversation.ok_or_else(|| options::no_conversation(who))?;
            store.close().await;
            simulator::ask_as(&engine, conversation, &arguments.text, now)
        }
    };
    if arguments.options.json {
        terminal::json_line(&json(&turn));
    } else {
        explanation::show(&turn.explanation);
        terminal::line!("{}:", turn.decision.name());
        for reply in &turn.replies {
            let text = reply.content.transcript_text();
            terminal::line(terminal::framed(terminal::BUSINESS, &text));
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

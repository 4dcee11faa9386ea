//! `replyd why`: says why a message of the past was answered as it was, from what is stored.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::options::{self, minute};
use crate::cli::rules::explanation;
use crate::cli::terminal::{self, DIM, Hint, LITERAL, STRONG, WARN, paint};
use crate::engine::Explanation;
use crate::store::TranscriptMessage;

/// Says why a message was answered as it was.
///
/// It tells what was decided then, by the rules of then. The id may also be that of our answer, or
/// of a message that we sent by ourselves.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The id of the message at WhatsApp: wamid.…
    wamid: String,
    #[command(flatten)]
    options: options::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.options.zone()?;
    let store = arguments.options.open().await?;
    let meant = store.find_message(&arguments.wamid).await;
    let (message, conversation) = meant
        .context("could not look the message up")?
        .ok_or_else(|| no_message(&arguments.wamid))?;
    let entries = store.transcript(conversation, u32::MAX).await;
    let entries = entries.context("could not read the messages")?;
    let notes = store.conversation_events(conversation).await;
    let notes = notes.context("could not read the notes")?;
    store.close().await;
    let entry = entries.iter().find(|row| row.id == message);
    let entry = entry.ok_or_else(|| no_message(&arguments.wamid))?;
    let explanation = entry.explanation.as_deref().unwrap_or("{}");
    let explanation: Explanation =
        serde_json::from_str(explanation).context("the stored explanation cannot be read")?;
    let answers: Vec<_> = entries
        .iter()
        .filter(|row| row.reply_to == Some(message))
        .collect();
    let notes: Vec<_> = notes
        .iter()
        .filter(|note| note.message_id == Some(message))
        .collect();
    if arguments.options.json {
        let answers = answers.iter().map(|row| {
            serde_json::json!({ "rule": row.rule, "text": row.text, "wamid": row.wamid, "status": row.delivery_status })
        });
        let notes = notes
            .iter()
            .map(|note| serde_json::json!({ "kind": note.kind, "text": note.text }));
        terminal::json_line(&serde_json::json!({
            "wamid": entry.wamid, "by": entry.origin, "rule": entry.rule, "text": entry.text, "sent_at": entry.sent_at,
            "decision": entry.decision, "rules_version": entry.rules_version,
            "explanation": explanation, "answers": answers.collect::<Vec<_>>(), "notes": notes.collect::<Vec<_>>(),
        }));
        return Ok(ExitCode::SUCCESS);
    }
    show(entry, &explanation, &zone);
    for row in answers {
        let rule = terminal::name(row.rule.as_deref().unwrap_or("?"));
        terminal::line(paint!(DIM, "  {rule}:"));
        terminal::line(terminal::framed(terminal::BUSINESS, &row.text));
    }
    for note in notes {
        terminal::line(paint!(WARN, "  note: {}", terminal::one_line(&note.text)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The message, and what was decided on it; for one of ours that answers none of theirs, why it was
/// sent.
fn show(entry: &TranscriptMessage, explanation: &Explanation, zone: &TimeZone) {
    let at = paint(DIM, minute(entry.sent_at, zone));
    let version = entry.rules_version.as_deref().unwrap_or("unknown");
    let by_rules = paint!(DIM, "by rules {version}");
    if entry.direction == "in" {
        let first = format!("{at} {}", paint(LITERAL, "› "));
        terminal::line(terminal::behind(
            &first,
            terminal::CONTACT,
            LITERAL,
            &entry.text,
        ));
        explanation::show(explanation);
        let decision = entry.decision.as_deref().unwrap_or("not decided");
        let decision = paint!(STRONG, "{decision}:");
        terminal::line!("{decision} {by_rules}");
        return;
    }
    let (who, why) = match entry.origin.as_str() {
        "phone_app" => ("a colleague", "written in the phone app"),
        "operator" => ("by hand", "sent with `replyd send`"),
        _ => (
            entry.rule.as_deref().unwrap_or("?"),
            "sent by itself, to no message of theirs:",
        ),
    };
    let who = paint(DIM, terminal::name(who));
    terminal::line!("{at} {who}");
    terminal::line(terminal::framed(terminal::BUSINESS, &entry.text));
    let why = paint(STRONG, why);
    if entry.origin == "bot" {
        explanation::show(explanation);
        terminal::line!("{why} {by_rules}");
    } else {
        terminal::line(why);
    }
}

fn no_message(wamid: &str) -> Hint {
    Hint::new(
        format!("there is no message `{}`", terminal::one_line(wamid)),
        "`replyd history NAME --json` shows the ids of messages",
    )
}

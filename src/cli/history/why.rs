//! `replyd why`: explains the recorded decision on a message.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::conversations::fate;
use super::options::{self, minute};
use crate::cli::rules::explanation;
use crate::cli::terminal::{self, DIM, Hint, LITERAL, STRONG, WARN, paint};
use crate::engine::Explanation;
use crate::store::TranscriptMessage;

/// Says why a message was answered as it was.
///
/// Shows the recorded decision. The id may also be that of an outbound message.
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
    let lookup = store.find_message(&arguments.wamid).await;
    let (message, conversation) = lookup
        .context("could not look the message up")?
        .ok_or_else(|| no_message(&arguments.wamid))?;
    let entries = store.transcript(conversation, u32::MAX).await;
    let entries = entries.context("could not read the messages")?;
    let events = store.conversation_events(conversation).await;
    let events = events.context("could not read the conversation events")?;
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
    // Those of the failure of an answer belong to the answer.
    let is_about = |id: i64| id == message || answers.iter().any(|answer| answer.id == id);
    let events = events.iter();
    let events = events.filter(|event| event.message_id.is_some_and(is_about));
    if arguments.options.json {
        let answers = answers.iter().map(|row| {
            serde_json::json!({
                "rule": row.rule, "text": row.text, "wamid": row.wamid, "outbox_state": row.outbox_state,
                "status": row.delivery_status, "send_error": row.send_error, "error_code": row.error_code,
            })
        });
        let events =
            events.map(|event| serde_json::json!({ "kind": event.kind, "text": event.text }));
        terminal::json_line(&serde_json::json!({
            "wamid": entry.wamid, "by": entry.origin, "rule": entry.rule, "text": entry.text, "sent_at": entry.sent_at,
            "decision": entry.decision, "rules_version": entry.rules_version,
            "outbox_state": entry.outbox_state, "status": entry.delivery_status,
            "send_error": entry.send_error, "error_code": entry.error_code,
            "explanation": explanation, "answers": answers.collect::<Vec<_>>(), "events": events.collect::<Vec<_>>(),
        }));
        return Ok(ExitCode::SUCCESS);
    }
    show(entry, &explanation, &zone);
    for row in &answers {
        let rule = terminal::name(row.rule.as_deref().unwrap_or("?"));
        terminal::line(paint!(DIM, "  {rule}:"));
        terminal::line(terminal::framed(terminal::BUSINESS, &row.text));
        show_failure(row);
    }
    for event in events {
        terminal::line(paint!(WARN, "  event: {}", terminal::one_line(&event.text)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows a message and the decision on it; for an outbound message that is no reply, why it was
/// sent.
fn show(entry: &TranscriptMessage, explanation: &Explanation, zone: &TimeZone) {
    let at = paint(DIM, minute(entry.sent_at, zone));
    let version = entry.rules_version.as_deref().unwrap_or("unknown");
    let by_rules = paint!(DIM, "by rules {version}");
    if entry.direction == "in" {
        let first = format!("{at} {}", paint(LITERAL, "› "));
        let (further, text) = (terminal::CONTACT, &entry.text);
        terminal::line(terminal::behind(&first, further, LITERAL, text));
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
            "sent by itself, not in reply to a message:",
        ),
    };
    let who = paint(DIM, terminal::name(who));
    terminal::line!("{at} {who}");
    terminal::line(terminal::framed(terminal::BUSINESS, &entry.text));
    show_failure(entry);
    let why = paint(STRONG, why);
    if entry.origin == "bot" {
        explanation::show(explanation);
        terminal::line!("{why} {by_rules}");
    } else {
        terminal::line(why);
    }
}

/// Shows what went wrong with an outbound message.
fn show_failure(entry: &TranscriptMessage) {
    if entry.send_error.is_some() {
        terminal::line!("  {}", fate(entry));
    }
}

fn no_message(wamid: &str) -> Hint {
    Hint::new(
        format!("there is no message `{}`", terminal::one_line(wamid)),
        "`replyd history NAME --json` shows the ids of messages",
    )
}

//! `replyd history`: the conversations, and one of them as a transcript.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use serde_json::json;

use super::options::{self, minute};
use crate::cli::terminal::{self, BAD, DIM, GOOD, LITERAL, STRONG, WARN, paint, table};
use crate::message::DeliveryStatus;
use crate::store::{ConversationSummary, StoredConversationEvent, TranscriptMessage};

/// Reads beside a running service, or without one.
///
/// One conversation is meant by the number before it in the list. If none has that number, it is
/// meant by a whole phone number or user id, and if none has that, by a part of the name or six
/// digits of the phone. When several are meant it is an error that names them, with --json too.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Whose: the number before a conversation, the phone number, or a part of the name or the
    /// phone.
    #[arg(value_name = "CONVERSATION|NAME|PHONE")]
    who: Option<String>,
    /// The most lines of a list, or messages of a conversation.
    #[arg(long, default_value_t = 200)]
    limit: u32,
    #[command(flatten)]
    options: options::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.options.zone()?;
    let store = arguments.options.open().await?;
    if let Some(who) = &arguments.who {
        let conversation = options::find_conversation(&store, who).await?;
        let entries = store.transcript(conversation.id, arguments.limit).await;
        let entries = entries.context("could not read the messages")?;
        let notes = store.conversation_events(conversation.id).await;
        let notes = notes.context("could not read the notes")?;
        if arguments.options.json {
            print_json(&conversation, &entries, &notes);
        } else {
            show_transcript(&conversation, &entries, &notes, &zone);
        }
    } else {
        let rows = store.conversations(None, arguments.limit).await;
        let rows = rows.context("could not read the conversations")?;
        let empty = "there are no conversations yet";
        let table = || list(&rows, &zone);
        let format = arguments.options.format();
        format.print_rows(&rows, summary_json, empty, table);
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Messages and notes in the order they came.
fn print_json(
    conversation: &ConversationSummary,
    entries: &[TranscriptMessage],
    notes: &[StoredConversationEvent],
) {
    let mut notes = notes.iter().peekable();
    for entry in entries {
        while let Some(note) = notes.next_if(|note| is_before(note, entry)) {
            terminal::json_line(&note_json(conversation, note));
        }
        terminal::json_line(&entry_json(conversation, entry));
    }
    for note in notes {
        terminal::json_line(&note_json(conversation, note));
    }
}

fn list(conversations: &[ConversationSummary], zone: &TimeZone) -> String {
    let header = [
        "",
        "who",
        "phone",
        "last message",
        "when",
        "messages",
        "waiting since",
    ];
    let rows = conversations.iter().map(|conversation| {
        let last_message = conversation.last_message.as_deref().unwrap_or_default();
        let phone = conversation.phone.as_ref();
        let unanswered_since = conversation.unanswered_since;
        [
            conversation.id.to_string(),
            terminal::name(&conversation.contact),
            phone.map(|digits| format!("+{digits}")).unwrap_or_default(),
            terminal::shortened(last_message, 40),
            minute(conversation.last_at, zone),
            conversation.inbound_count.to_string(),
            unanswered_since
                .map(|at| minute(at, zone))
                .unwrap_or_default(),
        ]
    });
    table::plain(header, rows)
}

fn show_transcript(
    conversation: &ConversationSummary,
    entries: &[TranscriptMessage],
    notes: &[StoredConversationEvent],
    zone: &TimeZone,
) {
    let phone = conversation
        .phone
        .as_ref()
        .map(|digits| format!(" · +{digits}"));
    let name = terminal::name(&conversation.contact);
    terminal::line!(
        "{}{}",
        paint(STRONG, &name),
        paint!(
            DIM,
            "{} · to {}",
            phone.unwrap_or_default(),
            terminal::one_line(&conversation.phone_number_id)
        )
    );
    let mut day = String::new();
    let mut notes = notes.iter().peekable();
    for entry in entries {
        // Those from before the first message that is shown belong to messages that are not.
        while let Some(note) = notes.next_if(|note| is_before(note, entry)) {
            if !day.is_empty() {
                terminal::line(noted(note, zone));
            }
        }
        let at = entry.sent_at.to_zoned(zone.clone());
        let today = at.strftime("%A, %-d %B %Y").to_string();
        if today != day {
            terminal::line!("\n{}", paint!(STRONG, "— {today} —"));
            day = today;
        }
        let time = paint(DIM, at.strftime("%H:%M:%S"));
        if entry.direction == "in" {
            let first = format!("{time} {}", paint!(LITERAL, "{name} › "));
            terminal::line(terminal::behind(
                &first,
                terminal::CONTACT,
                LITERAL,
                &entry.text,
            ));
            if let Some(line) = file(entry) {
                terminal::line!("           {line}");
            }
            if let Some(line) = undecided(entry) {
                terminal::line!("           {line}");
            }
        } else {
            terminal::line!("{time}");
            terminal::line(terminal::framed(terminal::BUSINESS, &entry.text));
            terminal::line!("  {}", fate(entry));
        }
    }
    for note in notes {
        terminal::line(noted(note, zone));
    }
}

/// Whether a note was made before a message was stored.
fn is_before(note: &StoredConversationEvent, entry: &TranscriptMessage) -> bool {
    match note.message_id {
        Some(message) => message < entry.id,
        None => note.at < entry.stored_at,
    }
}

/// What happened beside what was said.
fn noted(note: &StoredConversationEvent, zone: &TimeZone) -> String {
    let time = note
        .at
        .to_zoned(zone.clone())
        .strftime("%H:%M:%S")
        .to_string();
    let text = paint!(WARN, "— {}", terminal::one_line(&note.text));
    format!("{} {text}", paint(DIM, time))
}

/// Where the file of a message is, or why it is not here.
fn file(entry: &TranscriptMessage) -> Option<String> {
    match (&entry.file, &entry.file_error) {
        (Some(path), _) => Some(paint!(DIM, "file: {}", terminal::one_line(path))),
        (None, Some(error)) => Some(paint!(WARN, "no file: {}", terminal::one_line(error))),
        (None, None) => None,
    }
}

/// What is worth telling of a message that no rule answered.
fn undecided(entry: &TranscriptMessage) -> Option<String> {
    let decision = match entry.decision.as_deref()? {
        "answered" => return None,
        "silent" => "a rule matched and says nothing",
        "no_match" => "no rule matched",
        "too_old" => "too old to be answered",
        "rate_limited" => "over the person's reply budget",
        "unsupported" => "never answered",
        "handed_off" => "left to a colleague",
        other => other,
    };
    let explanation: Option<serde_json::Value> = entry
        .explanation
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    let note = explanation.and_then(|explanation| Some(explanation["note"].as_str()?.to_owned()));
    let note = note
        .map(|note| format!(": {}", terminal::one_line(&note)))
        .unwrap_or_default();
    let style = if entry.decision.as_deref() == Some("failed") {
        BAD
    } else {
        WARN
    };
    Some(paint!(style, "({decision}{note})"))
}

/// Author and ticks of one of ours, the way WhatsApp shows them.
fn fate(entry: &TranscriptMessage) -> String {
    let author = match entry.origin.as_str() {
        "phone_app" => "a colleague, in the phone app".to_owned(),
        "operator" => "by hand".to_owned(),
        _ => format!(
            "rule {}",
            terminal::name(entry.rule.as_deref().unwrap_or("?"))
        ),
    };
    let ticks = match entry
        .delivery_status
        .as_deref()
        .and_then(DeliveryStatus::parse)
    {
        Some(DeliveryStatus::Sent) => paint(DIM, "✓ sent"),
        Some(DeliveryStatus::Delivered) => paint(DIM, "✓✓ delivered"),
        Some(DeliveryStatus::Read) => paint(GOOD, "✓✓ read"),
        Some(DeliveryStatus::Played) => paint(GOOD, "✓✓ played"),
        Some(DeliveryStatus::Failed) => paint(BAD, "✗ failed"),
        None => match entry.outbox_state.as_deref().unwrap_or_default() {
            "accepted" => paint(DIM, "accepted by the gateway"),
            "queued" | "sending" => paint(DIM, "waiting to be sent"),
            "unknown" => paint(WARN, "? may have been sent"),
            "held" => paint(WARN, held(entry)),
            "expired" => paint(BAD, "✗ not sent in time"),
            other => paint!(BAD, "✗ {other}"),
        },
    };
    let error = entry
        .send_error
        .as_deref()
        .map(|why| format!(" {}", paint(BAD, terminal::one_line(why))));
    format!(
        "{} {ticks}{}",
        paint!(DIM, "{author} ·"),
        error.unwrap_or_default()
    )
}

/// What is to be done with a message that waits for a person.
fn held(entry: &TranscriptMessage) -> String {
    let what = "? may or may not have been sent; held for you";
    match entry.outbox_id {
        Some(id) => format!("{what}: `replyd outbox show {id}`"),
        None => what.to_owned(),
    }
}

fn summary_json(conversation: &ConversationSummary) -> serde_json::Value {
    json!({
        "conversation_id": conversation.id,
        "contact": conversation.contact,
        "phone": conversation.phone,
        "phone_number_id": conversation.phone_number_id,
        "last_message": conversation.last_message,
        "last_at": conversation.last_at,
        "inbound_count": conversation.inbound_count,
        "unanswered_since": conversation.unanswered_since,
        "window_open_until": conversation.window_open_until,
    })
}

/// What happened beside what was said: `note` says what, in one word.
fn note_json(
    conversation: &ConversationSummary,
    note: &StoredConversationEvent,
) -> serde_json::Value {
    json!({
        "conversation_id": conversation.id,
        "contact": conversation.contact,
        "message_id": note.message_id,
        "at": note.at,
        "note": note.kind,
        "text": note.text,
    })
}

fn entry_json(conversation: &ConversationSummary, entry: &TranscriptMessage) -> serde_json::Value {
    let explanation: Option<serde_json::Value> = entry
        .explanation
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    json!({
        "conversation_id": conversation.id,
        "contact": conversation.contact,
        "message_id": entry.id,
        "who": if entry.direction == "in" { "them" } else { "us" },
        "at": entry.sent_at,
        "by": entry.origin,
        "kind": entry.kind,
        "text": entry.text,
        "file": entry.file,
        "wamid": entry.wamid,
        "decision": entry.decision,
        "explanation": explanation,
        "rule": entry.rule,
        "rules_version": entry.rules_version,
        "outbox_state": entry.outbox_state,
        "delivery_status": entry.delivery_status,
        "send_error": entry.send_error,
        "outbox_id": entry.outbox_id,
    })
}

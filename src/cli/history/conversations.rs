//! `replyd history`: the conversations, and one of them as a transcript.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use serde_json::json;

use super::options::{self, minute};
use crate::cli::terminal::{self, BAD, DIM, GOOD, LITERAL, STRONG, WARN, paint, table};
use crate::message::{DeliveryStatus, PhoneNumberId, Referral};
use crate::store::{ConversationSummary, StoredConversationEvent, TranscriptMessage};
use crate::whatsapp::inbound::read_message;

/// Width to which a quoted message is cut.
const QUOTED_COLUMNS: usize = 60;

/// Reads beside a running service, or without one.
///
/// One conversation is meant by the number before it in the list. If none has that number, it is
/// meant by a whole phone number or user id, and if none has that, by a part of the name or six
/// digits of the phone. When several are meant it is an error that names them, with --json too.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Conversation to show: its number in the list, the phone number, or a part of the name or the
    /// phone.
    #[arg(value_name = "CONVERSATION|NAME|PHONE")]
    who: Option<String>,
    /// Maximum number of conversations listed, or of messages shown.
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
        let events = store.conversation_events(conversation.id).await;
        let events = events.context("could not read the conversation events")?;
        if arguments.options.json {
            print_json(&conversation, &entries, &events);
        } else {
            show_transcript(&conversation, &entries, &events, &zone);
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

/// Prints messages and conversation events in the order in which they were stored.
fn print_json(
    conversation: &ConversationSummary,
    entries: &[TranscriptMessage],
    events: &[StoredConversationEvent],
) {
    let mut events = events.iter().peekable();
    for entry in entries {
        while let Some(event) = events.next_if(|event| is_before(event, entry)) {
            terminal::json_line(&event_json(conversation, event));
        }
        terminal::json_line(&entry_json(conversation, entry));
    }
    for event in events {
        terminal::json_line(&event_json(conversation, event));
    }
}

fn list(conversations: &[ConversationSummary], zone: &TimeZone) -> String {
    let header = [
        "",
        "contact",
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
    events: &[StoredConversationEvent],
    zone: &TimeZone,
) {
    let name = terminal::name(&conversation.contact);
    let phone = conversation.phone.as_ref();
    let phone = phone.map(|digits| format!(" · +{digits}"));
    let phone = phone.unwrap_or_default();
    let number = terminal::one_line(&conversation.phone_number_id);
    let details = paint!(DIM, "{phone} · to {number}");
    terminal::line!("{}{details}", paint(STRONG, &name));
    let mut day = String::new();
    let mut events = events.iter().peekable();
    for entry in entries {
        // Events before the first message shown belong to messages that are not shown.
        while let Some(event) = events.next_if(|event| is_before(event, entry)) {
            if !day.is_empty() {
                terminal::line(event_line(event, zone));
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
            let (further, text) = (terminal::CONTACT, &entry.text);
            terminal::line(terminal::behind(&first, further, LITERAL, text));
            let origin = quoted(entry).into_iter().chain(ad_line(entry));
            for line in origin.chain(file(entry)).chain(undecided(entry)) {
                terminal::line!("           {line}");
            }
        } else {
            terminal::line!("{time}");
            if let Some(line) = quoted(entry) {
                terminal::line!("           {line}");
            }
            terminal::line(terminal::framed(terminal::BUSINESS, &entry.text));
            terminal::line!("  {}", author_and_fate(entry));
        }
    }
    for event in events {
        terminal::line(event_line(event, zone));
    }
}

/// Whether an event happened before a message was stored.
fn is_before(event: &StoredConversationEvent, entry: &TranscriptMessage) -> bool {
    match event.message_id {
        Some(message) => message < entry.id,
        None => event.at < entry.stored_at,
    }
}

/// Formats a conversation event.
fn event_line(event: &StoredConversationEvent, zone: &TimeZone) -> String {
    let at = event.at.to_zoned(zone.clone());
    let text = paint!(WARN, "— {}", terminal::one_line(&event.text));
    format!("{} {text}", paint(DIM, at.strftime("%H:%M:%S")))
}

/// The message that another one quotes, answers by a button or reacts to.
fn quoted(entry: &TranscriptMessage) -> Option<String> {
    // A tap shows its label.
    let is_tap = ["button_reply", "list_reply", "button", "form"].contains(&entry.kind.as_str());
    entry.quoted_wamid.as_ref().filter(|_| !is_tap)?;
    let text = entry.quoted_text.as_deref();
    let text = text.map(|text| format!("\"{}\"", terminal::shortened(text, QUOTED_COLUMNS)));
    let text = text.unwrap_or_else(|| "a message that is not stored".to_owned());
    Some(paint!(DIM, "(on {text})"))
}

/// The ad or post that led the contact here with a message.
fn ad(entry: &TranscriptMessage) -> Option<Referral> {
    let raw = entry.raw_with_ad.as_deref()?;
    let number = PhoneNumberId::parse(entry.phone_number_id.clone())?;
    read_message(raw, &number, entry.sent_at)?.ad
}

fn ad_line(entry: &TranscriptMessage) -> Option<String> {
    let ad = ad(entry)?;
    let kind = ad.source_type.as_deref().unwrap_or("ad");
    let click = ad.ctwa_clid.map(|id| format!("ctwa_clid {id}"));
    let parts = [ad.headline, ad.source_url, ad.source_id, click];
    let parts: Vec<String> = std::iter::once(format!("came from this {kind}"))
        .chain(parts.into_iter().flatten())
        .map(|part| terminal::one_line(&part))
        .collect();
    Some(paint!(DIM, "({})", parts.join(" · ")))
}

fn ad_json(ad: &Referral) -> serde_json::Value {
    json!({
        "type": ad.source_type,
        "id": ad.source_id,
        "link": ad.source_url,
        "headline": ad.headline,
        "text": ad.body,
        "media": ad.media_url,
        "media_type": ad.media_type,
        "ctwa_clid": ad.ctwa_clid,
    })
}

/// Path of the file of a message, or the reason why it was not downloaded.
fn file(entry: &TranscriptMessage) -> Option<String> {
    match (&entry.file, &entry.file_error) {
        (Some(path), _) => Some(paint!(DIM, "file: {}", terminal::one_line(path))),
        (None, Some(error)) => Some(paint!(WARN, "no file: {}", terminal::one_line(error))),
        (None, None) => None,
    }
}

/// Decision on a message that was not answered, with its note.
fn undecided(entry: &TranscriptMessage) -> Option<String> {
    let decision = match entry.decision.as_deref()? {
        "answered" => return None,
        "silent" => "a rule matched and says nothing",
        "no_match" => "no rule matched",
        "too_old" => "too old to be answered",
        "rate_limited" => "over the contact's reply budget",
        "unsupported" => "never answered",
        "handed_off" => "left to a colleague",
        other => other,
    };
    let explanation = explanation(entry).unwrap_or_default();
    let note = explanation["note"].as_str();
    let note = note.map(|note| format!(": {}", terminal::one_line(note)));
    let note = note.unwrap_or_default();
    let style = if entry.decision.as_deref() == Some("failed") {
        BAD
    } else {
        WARN
    };
    Some(paint!(style, "({decision}{note})"))
}

fn explanation(entry: &TranscriptMessage) -> Option<serde_json::Value> {
    serde_json::from_str(entry.explanation.as_deref()?).ok()
}

/// Author and fate of an outbound message.
fn author_and_fate(entry: &TranscriptMessage) -> String {
    let author = match entry.origin.as_str() {
        "phone_app" => "a colleague, in the phone app".to_owned(),
        "operator" => "by hand".to_owned(),
        _ => {
            let rule = entry.rule.as_deref().unwrap_or("?");
            format!("rule {}", terminal::name(rule))
        }
    };
    format!("{} {}", paint!(DIM, "{author} ·"), fate(entry))
}

/// Ticks of an outbound message, as WhatsApp shows them, and what went wrong.
pub(super) fn fate(entry: &TranscriptMessage) -> String {
    let status = entry.delivery_status.as_deref();
    let ticks = match status.and_then(DeliveryStatus::parse) {
        Some(DeliveryStatus::Sent) => paint(DIM, "✓ sent"),
        Some(DeliveryStatus::Delivered) => paint(DIM, "✓✓ delivered"),
        Some(DeliveryStatus::Read) => paint(GOOD, "✓✓ read"),
        Some(DeliveryStatus::Played) => paint(GOOD, "✓✓ played"),
        Some(DeliveryStatus::Failed) => paint(BAD, "✗ failed"),
        None => match entry.outbox_state.as_deref().unwrap_or_default() {
            // WhatsApp reports a colleague's message only after it was sent.
            "accepted" if entry.origin == "phone_app" => paint(DIM, "✓ sent"),
            "accepted" => paint(DIM, "accepted by the gateway"),
            "queued" | "sending" => paint(DIM, "waiting to be sent"),
            "unknown" => paint(WARN, "? may have been sent"),
            "held" => paint(WARN, held(entry)),
            "expired" => paint(BAD, "✗ not sent in time"),
            other => paint!(BAD, "✗ {other}"),
        },
    };
    let error = entry.send_error.as_ref();
    let error = error.map(|error| format!(" {}", paint(BAD, terminal::one_line(error))));
    let error = error.unwrap_or_default();
    format!("{ticks}{error}")
}

/// State of a held message, with the command that shows it.
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

/// Conversation event as JSON; `event` is its kind.
fn event_json(
    conversation: &ConversationSummary,
    event: &StoredConversationEvent,
) -> serde_json::Value {
    json!({
        "conversation_id": conversation.id,
        "contact": conversation.contact,
        "message_id": event.message_id,
        "at": event.at,
        "event": event.kind,
        "text": event.text,
    })
}

fn entry_json(conversation: &ConversationSummary, entry: &TranscriptMessage) -> serde_json::Value {
    json!({
        "conversation_id": conversation.id,
        "contact": conversation.contact,
        "message_id": entry.id,
        "direction": if entry.direction == "in" { "inbound" } else { "outbound" },
        "at": entry.sent_at,
        "by": entry.origin,
        "kind": entry.kind,
        "text": entry.text,
        "file": entry.file,
        "wamid": entry.wamid,
        "quoted": entry.quoted_wamid.as_ref().map(|wamid| {
            json!({ "wamid": wamid, "text": entry.quoted_text })
        }),
        "ad": ad(entry).as_ref().map(ad_json),
        "decision": entry.decision,
        "explanation": explanation(entry),
        "rule": entry.rule,
        "rules_version": entry.rules_version,
        "outbox_state": entry.outbox_state,
        "delivery_status": entry.delivery_status,
        "send_error": entry.send_error,
        "error_code": entry.error_code,
        "replaced_by": entry.replaced_by,
        "outbox_id": entry.outbox_id,
    })
}

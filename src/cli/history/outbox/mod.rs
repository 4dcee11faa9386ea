//! `replyd outbox`: shows pending rows of the outbox and retries or drops them.
//!
//! `list` and `show` are here, `retry` and `drop` in `manual`. All work with or without a running
//! service, which polls the outbox every second.

mod manual;
mod row;

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::options::{self, minute, second};
use crate::cli::terminal::table::{self, pairs};
use crate::cli::terminal::{self, BAD, DIM, GOOD, Hint, STRONG, WARN, bubble, paint};
use crate::clock::Clock;
use crate::store::{OutboxRow, Repeat, RetryByHand, Try};
use row::{State, recipient, refusal};

/// Shows, retries and drops rows of the outbox.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List messages that are queued, being sent or held.
    List(ListArguments),
    /// Show one row: its text, every try, and what retry and drop would do.
    Show(ShowArguments),
    /// Send rows again, before all others. What may have been sent already may then arrive twice.
    Retry(manual::Chosen),
    /// End rows without sending them (again).
    Drop(manual::Chosen),
}

#[derive(Debug, clap::Args)]
struct ListArguments {
    /// Only rows in this state.
    #[arg(long)]
    state: Option<State>,
    /// The most rows.
    #[arg(long, default_value_t = 200)]
    limit: u32,
    #[command(flatten)]
    options: options::Options,
}

#[derive(Debug, clap::Args)]
struct ShowArguments {
    /// The number before a row of `replyd outbox list`.
    id: i64,
    #[command(flatten)]
    options: options::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show(arguments).await,
        Command::Retry(arguments) => manual::retry(arguments).await,
        Command::Drop(arguments) => manual::drop(arguments).await,
    }
}

async fn list(arguments: ListArguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.options.zone()?;
    let store = arguments.options.open().await?;
    let state = arguments.state.map(State::word);
    let rows = store.list_outbox(state, arguments.limit).await;
    let rows = rows.context("could not read the outbox")?;
    store.close().await;
    let now = Clock::System.now();
    let empty = match state {
        None => "nothing waits to be sent".to_owned(),
        Some(state) => format!("nothing is {state}"),
    };
    let format = arguments.options.format();
    format.print_rows(&rows, as_json, &empty, || table(&rows, now, &zone));
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[OutboxRow], now: Timestamp, zone: &TimeZone) -> String {
    let header = [
        "id",
        "state",
        "kind",
        "to",
        "waiting since",
        "tries",
        "next try",
        "reason",
    ];
    let rows = rows.iter().map(|row| {
        [
            row.id.to_string(),
            row.state.clone(),
            row.kind.clone(),
            first_line(&recipient(row), 40),
            row.since.map(|at| minute(at, zone)).unwrap_or_default(),
            row.attempts.to_string(),
            next_try(row, now, zone),
            first_line(&reason(row), 80),
        ]
    });
    table::plain(header, rows)
}

fn next_try(row: &OutboxRow, now: Timestamp, zone: &TimeZone) -> String {
    match row.state.as_str() {
        "queued" if row.due_at <= now => "now".to_owned(),
        "queued" => second(row.due_at, zone),
        "sending" => "being sent".to_owned(),
        "unknown" => "when a receipt is late".to_owned(),
        _ => "never by itself".to_owned(),
    }
}

fn reason(row: &OutboxRow) -> String {
    let reason = row
        .reason
        .as_deref()
        .map(terminal::visible)
        .unwrap_or_default();
    match (row.behind, reason.is_empty()) {
        (Some(behind), true) => format!("waits for #{behind} of the same conversation"),
        (Some(behind), false) => format!("waits for #{behind}; {reason}"),
        (None, _) => reason,
    }
}

/// Cuts a text to its first line, of at most `max` characters.
fn first_line(text: &str, max: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn gone(id: i64) -> Hint {
    Hint::new(
        format!("there is no row {id} in the outbox"),
        "it was sent, or given up: `replyd history` shows what became of each message; `replyd outbox list` \
               shows what waits",
    )
}

async fn show(arguments: ShowArguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.options.zone()?;
    let give_up_after = arguments.options.database.give_up_after()?;
    let store = arguments.options.open().await?;
    let rows = store.find_outbox_rows(&[arguments.id]).await;
    let rows = rows.context("could not read the outbox")?;
    store.close().await;
    let Some(row) = rows.first() else {
        return Err(gone(arguments.id).into());
    };
    if arguments.options.json {
        terminal::json_line(&as_json(row));
        return Ok(ExitCode::SUCCESS);
    }
    let now = Clock::System.now();
    terminal::line!(
        "{} {} {}",
        paint!(STRONG, "#{}", row.id),
        row.kind,
        paint(if row.state == "held" { WARN } else { DIM }, &row.state)
    );
    if let Some(text) = &row.text {
        terminal::line(bubble::framed(&terminal::visible(text)));
    }
    terminal::line(facts(row, now, &zone));
    for attempt in &row.tries {
        terminal::line(tried(attempt, &zone));
    }
    let request = RetryByHand {
        ids: vec![row.id],
        repeat: Repeat::Accepted,
        give_up_after,
        now,
    };
    terminal::line(effects(row, &request, &zone));
    Ok(ExitCode::SUCCESS)
}

fn facts(row: &OutboxRow, now: Timestamp, zone: &TimeZone) -> String {
    let by = row.rule.as_ref().map(|rule| format!("rule {rule}"));
    pairs(&[
        ("to", recipient(row)),
        ("conversation", row.conversation_id.to_string()),
        ("from", row.phone_number_id.clone()),
        ("by", by.unwrap_or_default()),
        (
            "waiting since",
            row.since.map(|at| second(at, zone)).unwrap_or_default(),
        ),
        ("tries", row.attempts.to_string()),
        ("next try", next_try(row, now, zone)),
        ("given up at", second(row.expires_at, zone)),
        ("why it waits", reason(row)),
    ])
}

fn tried(attempt: &Try, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(attempt.at_ms)
        .map(|at| second(at, zone))
        .unwrap_or_default();
    let reason = terminal::visible(&attempt.reason);
    paint!(DIM, "  try {} · {at} · {reason}", attempt.attempt)
}

/// Describes the effects of `retry` and `drop` on a row.
fn effects(row: &OutboxRow, request: &RetryByHand, zone: &TimeZone) -> String {
    let id = row.id;
    let retry = match row.check_retry(request) {
        Ok(_) if row.may_have_been_sent() => paint(
            WARN,
            "sends it again: it may arrive twice, because it may have been sent already",
        ),
        Ok(_) => paint(GOOD, "tries it at once, before all others"),
        Err(reason) => paint(BAD, refusal(row, reason, zone)),
    };
    let drop = match row.check_drop(request.now) {
        Ok(_) if row.may_have_been_sent() => {
            "ends it; the history says that it was dropped, and that it may have been sent"
                .to_owned()
        }
        Ok(_) => "ends it unsent; the history says that it was dropped".to_owned(),
        Err(reason) => paint(BAD, refusal(row, reason, zone)),
    };
    format!("replyd outbox retry {id}  {retry}\nreplyd outbox drop {id}   {drop}")
}

fn as_json(row: &OutboxRow) -> Value {
    let tries = row.tries.iter().map(|attempt| {
        json!({
            "attempt": attempt.attempt,
            "at": Timestamp::from_millisecond(attempt.at_ms).ok(),
            "code": attempt.code,
            "reason": attempt.reason,
        })
    });
    json!({
        "id": row.id,
        "state": row.state,
        "kind": row.kind,
        "conversation_id": row.conversation_id,
        "contact": row.contact,
        "phone": row.phone,
        "phone_number_id": row.phone_number_id,
        "host": row.host,
        "message_kind": row.message_kind,
        "text": row.text,
        "rule": row.rule,
        "since": row.since,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "expires_at": row.expires_at,
        "behind": row.behind,
        "reason": row.reason,
        "may_have_been_sent": row.may_have_been_sent(),
        "tries": tries.collect::<Vec<_>>(),
    })
}

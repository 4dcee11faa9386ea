//! `replyd outbox`: what still has to be sent, and what a person decides about it.
//!
//! Looking is done here, deciding in `manual`. Both work beside a running service, which looks at
//! the outbox every second, and without one.

mod manual;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::options;
use super::options::when;
use crate::cli::account::output::pairs;
use crate::cli::terminal;
use crate::cli::terminal::bubble;
use crate::cli::terminal::{BAD, DIM, GOOD, Hint, STRONG, WARN, paint};
use crate::clock::Clock;
use crate::store::{NotDone, OutboxRow, Repeat, RetryByHand, Try};

/// Looks at and decides about what still has to reach WhatsApp.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what waits, is being sent, or is held for you.
    List(ListArguments),
    /// Show one row: its text, every try, and what retry and drop would do.
    Show(ShowArguments),
    /// Send rows again, before all others. What may have been sent already may then arrive twice.
    Retry(manual::RetryArguments),
    /// End rows without sending them (again).
    Drop(manual::DropArguments),
}

/// How far a row has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// Waits for its time.
    Queued,
    /// Is on its way to the gateway.
    Sending,
    /// May have been sent: a receipt would tell.
    Unknown,
    /// May have been sent, no receipt came: a person decides.
    Held,
}

impl State {
    /// As in `outbox.state`.
    fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Held => "held",
        }
    }
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
    reading: options::Options,
}

#[derive(Debug, clap::Args)]
struct ShowArguments {
    /// The number before a row of `replyd outbox list`.
    id: i64,
    #[command(flatten)]
    reading: options::Options,
}

/// Looks, or does what was asked.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show(arguments).await,
        Command::Retry(arguments) => manual::retry(arguments).await,
        Command::Drop(arguments) => manual::drop(arguments).await,
    }
}

async fn list(arguments: ListArguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.reading.zone()?;
    let store = arguments.reading.open().await?;
    let state = arguments.state.map(State::word);
    let rows = store.look_at_outbox(state, arguments.limit).await;
    let rows = rows.context("could not read the outbox")?;
    store.close().await;
    let now = Clock::System.now();
    if arguments.reading.json {
        for row in &rows {
            terminal::line(as_json(row));
        }
    } else if rows.is_empty() {
        terminal::note(match arguments.state {
            None => "nothing waits to be sent".to_owned(),
            Some(state) => format!("nothing is {}", state.word()),
        });
    } else {
        terminal::line(table(&rows, now, &zone));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[OutboxRow], now: Timestamp, zone: &TimeZone) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "id",
        "state",
        "kind",
        "to",
        "waiting since",
        "tries",
        "next try",
        "reason",
    ]);
    for row in rows {
        table.add_row([
            row.id.to_string(),
            row.state.clone(),
            row.kind.clone(),
            shortened(&whom(row), 40),
            row.since.map(|at| when(at, zone)).unwrap_or_default(),
            row.attempts.to_string(),
            next_try(row, now, zone),
            shortened(&why(row), 80),
        ]);
    }
    table.trim_fmt()
}

/// Name and phone, as the history shows them; of an action, whom it asks.
fn whom(row: &OutboxRow) -> String {
    if let Some(host) = &row.host {
        return terminal::visible(host);
    }
    let contact = terminal::visible(&row.contact);
    match &row.phone {
        Some(phone) if contact != format!("+{phone}") => format!("{contact} · +{phone}"),
        _ => contact,
    }
}

fn next_try(row: &OutboxRow, now: Timestamp, zone: &TimeZone) -> String {
    match row.state.as_str() {
        "queued" if row.due_at <= now => "now".to_owned(),
        "queued" => clock_time(row.due_at, zone),
        "sending" => "being sent".to_owned(),
        "unknown" => "when a receipt is late".to_owned(),
        _ => "never by itself".to_owned(),
    }
}

fn why(row: &OutboxRow) -> String {
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

/// The first line, cut where a table would grow too wide.
fn shortened(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn clock_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// There is no such row.
fn gone(id: i64) -> Hint {
    Hint {
        message: format!("there is no row {id} in the outbox"),
        hint: "it was sent, or given up: `replyd history` shows what became of each message; `replyd outbox list` \
               shows what waits"
            .to_owned(),
    }
}

async fn show(arguments: ShowArguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.reading.zone()?;
    let give_up_after = arguments.reading.give_up_after()?;
    let store = arguments.reading.open().await?;
    let rows = store.look_at_rows(&[arguments.id]).await;
    let rows = rows.context("could not read the outbox")?;
    store.close().await;
    let Some(row) = rows.first() else {
        return Err(gone(arguments.id).into());
    };
    if arguments.reading.json {
        terminal::line(as_json(row));
        return Ok(ExitCode::SUCCESS);
    }
    let now = Clock::System.now();
    terminal::line(format_args!(
        "{} {} {}",
        paint(STRONG, format_args!("#{}", row.id)),
        row.kind,
        paint(if row.state == "held" { WARN } else { DIM }, &row.state)
    ));
    if let Some(text) = &row.text {
        terminal::line(bubble::framed(&terminal::visible(text)));
    }
    terminal::line(facts(row, now, &zone));
    for one in &row.tries {
        terminal::line(tried(one, &zone));
    }
    let asked = RetryByHand {
        ids: vec![row.id],
        repeat: Repeat::Accepted,
        give_up_after,
        now,
    };
    terminal::line(would(row, &asked, &zone));
    Ok(ExitCode::SUCCESS)
}

fn facts(row: &OutboxRow, now: Timestamp, zone: &TimeZone) -> String {
    let by = row.rule.as_ref().map(|rule| format!("rule {rule}"));
    pairs(&[
        ("to", whom(row)),
        ("conversation", row.conversation_id.to_string()),
        ("from", row.phone_number_id.clone()),
        ("by", by.unwrap_or_default()),
        (
            "waiting since",
            row.since.map(|at| clock_time(at, zone)).unwrap_or_default(),
        ),
        ("tries", row.attempts.to_string()),
        ("next try", next_try(row, now, zone)),
        ("given up at", clock_time(row.expires_at, zone)),
        ("why it waits", why(row)),
    ])
}

fn tried(one: &Try, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(one.at_ms)
        .map(|at| clock_time(at, zone))
        .unwrap_or_default();
    let what = terminal::visible(&one.reason);
    paint(DIM, format_args!("  try {} · {at} · {what}", one.attempt))
}

/// What retry and drop would do with it.
fn would(row: &OutboxRow, asked: &RetryByHand, zone: &TimeZone) -> String {
    let id = row.id;
    let retry = match row.retried(asked) {
        Ok(_) if row.may_have_been_sent() => paint(
            WARN,
            "sends it again: it may arrive twice, because it may have been sent already",
        ),
        Ok(_) => paint(GOOD, "tries it at once, before all others"),
        Err(why) => paint(BAD, refusal(row, why, zone)),
    };
    let drop = match row.dropped(asked.now) {
        Ok(_) if row.may_have_been_sent() => {
            "ends it; the history says that it was dropped, and that it may have been sent"
                .to_owned()
        }
        Ok(_) => "ends it unsent; the history says that it was dropped".to_owned(),
        Err(why) => paint(BAD, refusal(row, why, zone)),
    };
    format!("replyd outbox retry {id}  {retry}\nreplyd outbox drop {id}   {drop}")
}

/// Why nothing is done, with the time where that helps.
fn refusal(row: &OutboxRow, why: NotDone, zone: &TimeZone) -> String {
    match (why, row.lease_until) {
        (NotDone::BeingSent, Some(until)) => {
            format!("{why}: look again after {}", clock_time(until, zone))
        }
        _ => why.to_string(),
    }
}

fn as_json(row: &OutboxRow) -> Value {
    let tries = row.tries.iter().map(|one| {
        json!({
            "attempt": one.attempt,
            "at": Timestamp::from_millisecond(one.at_ms).ok(),
            "code": one.code,
            "reason": one.reason,
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

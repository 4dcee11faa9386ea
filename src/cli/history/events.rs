//! `replyd events`: the account events that Meta sent beside messages.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::options::{self, minute};
use crate::cli::terminal::{self, table};
use crate::store::AccountEventRow;

/// Templates, quality, limits, calls, groups, old history: kept, never answered.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this one of Meta's fields, such as `message_template_status_update`.
    #[arg(long)]
    field: Option<String>,
    /// The most lines.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    options: options::Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.options.zone()?;
    let store = arguments.options.open().await?;
    let events = store
        .account_events(arguments.field.as_deref(), arguments.limit)
        .await;
    let events = events.context("could not read the account events")?;
    store.close().await;
    let empty = "Meta has sent no account events yet";
    let format = arguments.options.format();
    format.print_rows(&events, as_json, empty, || list(&events, &zone));
    Ok(ExitCode::SUCCESS)
}

fn list(events: &[AccountEventRow], zone: &TimeZone) -> String {
    let rows = events.iter().map(|event| {
        [
            minute(event.received_at, zone),
            terminal::name(&event.field),
            terminal::one_line(event.phone_number_id.as_deref().unwrap_or_default()),
            terminal::one_line(&event.summary),
        ]
    });
    table::plain(["when", "what", "number", "it says"], rows)
}

fn as_json(event: &AccountEventRow) -> Value {
    let raw: Option<Value> = serde_json::from_str(&event.raw).ok();
    json!({
        "id": event.id,
        "at": event.received_at,
        "field": event.field,
        "phone_number_id": event.phone_number_id,
        "summary": event.summary,
        "raw": raw,
    })
}

//! `replyd events`: what Meta told about the account, beside messages.

use std::process::ExitCode;

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::options;
use super::options::when;
use crate::cli::terminal;
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
    reading: options::Options,
}

/// Prints the latest news, oldest first.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let zone = arguments.reading.zone()?;
    let store = arguments.reading.open().await?;
    let news = store
        .news(arguments.field.as_deref(), arguments.limit)
        .await;
    let news = news.context("could not read the account events")?;
    store.close().await;
    if arguments.reading.json {
        for one in &news {
            terminal::line(terminal::json(&as_json(one)));
        }
    } else if news.is_empty() {
        terminal::note("Meta has told nothing about the account yet");
    } else {
        terminal::line(table(&news, &zone));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(news: &[AccountEventRow], zone: &TimeZone) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["when", "what", "number", "it says"]);
    for one in news {
        table.add_row([
            when(one.received_at, zone),
            terminal::name(&one.field),
            terminal::one_line(one.phone_number_id.as_deref().unwrap_or_default()),
            terminal::one_line(&one.summary),
        ]);
    }
    table.trim_fmt()
}

fn as_json(one: &AccountEventRow) -> Value {
    let raw: Option<Value> = serde_json::from_str(&one.raw).ok();
    json!({
        "id": one.id,
        "at": one.received_at,
        "field": one.field,
        "phone_number_id": one.phone_number_id,
        "summary": one.summary,
        "raw": raw,
    })
}

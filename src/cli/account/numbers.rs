//! `replyd numbers`: the account's business numbers.

use std::process::ExitCode;

use serde_json::Value;

use super::session::{self, Session, checked_id};
use crate::cli::terminal::table::{self, coloured};
use crate::cli::terminal::{self, STRONG, paint};
use crate::whatsapp::account_api::numbers::{self, BusinessNumber};

pub(crate) type Arguments = session::Arguments<Action>;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// List the numbers of the account.
    List,
    /// Show one number.
    Get {
        /// Its phone number id [default: the one of --number or of the configuration].
        id: Option<String>,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session::open(&arguments.options)?;
    match arguments.action {
        Action::List => list(&session).await?,
        Action::Get { id } => get(&session, id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session) -> anyhow::Result<()> {
    let waba = session.waba()?;
    let Some(rows) = session
        .all_rows(|after| numbers::list(&waba, after))
        .await?
    else {
        return Ok(());
    };
    let table = || table::statuses(COLUMNS, rows.iter().map(list_row));
    let empty = "the account has no numbers";
    session
        .format()
        .print_rows(&rows, Value::clone, empty, table);
    Ok(())
}

const COLUMNS: [&str; 7] = [
    "id",
    "number",
    "name",
    "status",
    "quality",
    "throughput",
    "limit",
];

fn list_row(row: &Value) -> [String; COLUMNS.len()] {
    let number = BusinessNumber::read(row);
    [
        number.id,
        number.display_phone_number,
        number.verified_name,
        number.status,
        number.quality_rating,
        number.throughput,
        number.messaging_limit,
    ]
}

async fn get(session: &Session, id: Option<String>) -> anyhow::Result<()> {
    let id = match id {
        Some(id) => checked_id("number", &id)?.to_owned(),
        None => session.number()?.as_str().to_owned(),
    };
    let Some(answer) = session.call_for_text(&numbers::get(&id)).await? else {
        return Ok(());
    };
    let number = BusinessNumber::read(&answer);
    terminal::line(paint(
        STRONG,
        terminal::one_line(&number.display_phone_number),
    ));
    terminal::line(table::pairs(&[
        ("id", terminal::one_line(&number.id)),
        ("name", terminal::one_line(&number.verified_name)),
        ("name status", coloured(&number.name_status)),
        ("status", coloured(&number.status)),
        ("quality", coloured(&number.quality_rating)),
        ("verification", coloured(&number.code_verification_status)),
        ("throughput", terminal::one_line(&number.throughput)),
        (
            "messaging limit",
            terminal::one_line(&number.messaging_limit),
        ),
        ("platform", terminal::one_line(&number.platform_type)),
        (
            "webhook",
            terminal::one_line(number.webhook_configuration.effective_url()),
        ),
    ]));
    Ok(())
}

//! `replyd read`: the blue ticks by hand, with "typing…" when an answer is being written.

use std::process::ExitCode;

use serde_json::json;

use super::session::{Options, Session};
use crate::cli::terminal::{GOOD, paint};
use crate::message::Wamid;
use crate::whatsapp::api_call::Call;
use crate::whatsapp::outbound::{ReadMarkBody, Typing};

/// Marks a contact's message, and all before it, read.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Id of the message, as `replyd history --json` shows it.
    wamid: String,
    /// Show "typing…" for up to 25 seconds; only when an answer follows.
    #[arg(long)]
    typing: bool,
    #[command(flatten)]
    options: Options,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session::open(&arguments.options)?;
    let number = session.number()?;
    let Some(wamid) = Wamid::parse(arguments.wamid) else {
        anyhow::bail!("no message is named");
    };
    let typing = if arguments.typing {
        Typing::Shown
    } else {
        Typing::No
    };
    let body = ReadMarkBody::new(&wamid, typing);
    let call = Call::post(&[number.as_str(), "messages"], json!(body));
    if session.call(&call).await?.is_some() {
        let json = json!({ "success": true });
        session.format().print(&json, paint(GOOD, "marked read"));
    }
    Ok(ExitCode::SUCCESS)
}

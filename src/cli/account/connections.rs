//! `replyd connections`: Maton's logins at Meta. The address of a login holds a session token, so
//! only `create` shows it, once.

use std::process::ExitCode;

use anyhow::Context as _;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::session::{self, Session, checked_id, explain};
use crate::cli::terminal::confirm::Consent;
use crate::cli::terminal::table::{self, coloured};
use crate::cli::terminal::{self, Hint, LITERAL, STRONG, overwrite, paint};
use crate::config;
use crate::files::{self, Access};
use crate::gateway::{SendError, Unknown};
use crate::whatsapp::account_api::connections::{self, Connection};

pub(crate) type Arguments = session::Arguments<Action>;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// List the connections to WhatsApp.
    List {
        /// Only those with this status: ACTIVE, PENDING or FAILED.
        #[arg(long)]
        status: Option<String>,
        /// Only those with this method, such as OAUTH2.
        #[arg(long)]
        method: Option<String>,
    },
    /// Begin a connection, and show the address to open in a browser.
    Create {
        /// How to log in, such as OAUTH2 [default: Maton's choice].
        #[arg(long)]
        method: Option<String>,
        /// Draw the address as a QR code even when this is no terminal.
        #[arg(long)]
        qr: bool,
    },
    /// Show one connection.
    Get {
        /// Its id.
        id: String,
    },
    /// Delete a connection: nothing is sent with it any more.
    Delete {
        /// Its id.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Send with this connection from now on: writes `gateway.connection` into replyd.toml.
    Default {
        /// Its id.
        id: String,
    },
}

/// Noun for ids in error messages.
const ID: &str = "connection";

/// Whether the address of a new connection is drawn as a QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QrDrawing {
    Drawn,
    LeftOut,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session::open(&arguments.options)?;
    session.needs_maton()?;
    match arguments.action {
        Action::List { status, method } => {
            list(&session, status.as_deref(), method.as_deref()).await?;
        }
        Action::Create { method, qr } => {
            let qr_code = if qr || terminal::is_terminal() {
                QrDrawing::Drawn
            } else {
                QrDrawing::LeftOut
            };
            create(&session, method.as_deref(), qr_code).await?;
        }
        Action::Get { id } => get(&session, checked_id(ID, &id)?).await?,
        Action::Delete { id, yes } => {
            let consent = Consent::from_flag(yes);
            delete(&session, checked_id(ID, &id)?, consent).await?;
        }
        Action::Default { id } => make_default(&session, checked_id(ID, &id)?).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session, status: Option<&str>, method: Option<&str>) -> anyhow::Result<()> {
    let Some(answer) = session.call(&connections::list(status, method)).await? else {
        return Ok(());
    };
    let mut rows = connections::rows(&answer);
    if !session.options.json {
        rows.retain(|row| Connection::read(row).is_some());
    }
    let header = ["connection", "status", "method", "created", ""];
    let connections = || rows.iter().filter_map(Connection::read);
    let table = || table::statuses(header, connections().map(|row| list_row(session, row)));
    let json = |row: &Value| connections::without_url(row.clone());
    let empty = "there are no such connections; `replyd connections create` begins one";
    session.format().print_rows(&rows, json, empty, table);
    Ok(())
}

fn list_row(session: &Session, connection: Connection) -> [String; 5] {
    let default = is_default(session, &connection.connection_id);
    [
        connection.connection_id,
        connection.status,
        connection.method,
        connection.creation_time,
        if default { "default" } else { "" }.to_owned(),
    ]
}

fn is_default(session: &Session, id: &str) -> bool {
    session.settings.gateway.connection.as_deref() == Some(id)
}

async fn create(session: &Session, method: Option<&str>, qr_code: QrDrawing) -> anyhow::Result<()> {
    let Some(mut answer) = session.call(&connections::create(method)).await? else {
        return Ok(());
    };
    let mut connection = read(&answer)?;
    if connection.url.is_none() {
        // The response holds only an id; the rest is fetched.
        let call = connections::get(&connection.connection_id);
        if let Some(whole) = session.call(&call).await? {
            connection = read(&whole)?;
            answer = whole;
        }
    }
    if session.options.json {
        terminal::json_line(&answer);
        return Ok(());
    }
    let id = terminal::one_line(&connection.connection_id);
    let status = coloured(&connection.status);
    terminal::line!("made connection {id}: {status}");
    let Some(url) = &connection.url else {
        terminal::note("Maton gave no address to open: look for it in Maton's own pages");
        return Ok(());
    };
    terminal::line(
        "\nOpen this address once, in a browser, and log in at Meta. It is shown only now; who has it can finish the login:\n",
    );
    terminal::line(paint(LITERAL, terminal::one_line(url.expose_secret())));
    if qr_code == QrDrawing::Drawn {
        terminal::line!("\n{}", drawn(url)?);
    }
    let default = paint!(LITERAL, "replyd connections default {id}");
    terminal::note!("\nthen send with it: {default}");
    Ok(())
}

/// Draws a QR code dark on light, whatever the colours of the terminal, with the quiet zone that
/// readers need.
fn drawn(url: &SecretString) -> anyhow::Result<String> {
    let code = QrCode::new(url.expose_secret()).context("the address is too long for a QR code")?;
    let image = code.render::<Dense1x2>().quiet_zone(true).build();
    Ok(image
        .lines()
        .map(|line| paint(terminal::PAPER, line))
        .collect::<Vec<_>>()
        .join("\n"))
}

fn read(answer: &Value) -> anyhow::Result<Connection> {
    Connection::read(answer).ok_or_else(|| {
        Hint::error(
            "what answered names no connection",
            "check gateway.control_url; `replyd connections list` shows what there is",
        )
    })
}

async fn get(session: &Session, id: &str) -> anyhow::Result<()> {
    let Some(answer) = session.call(&connections::get(id)).await? else {
        return Ok(());
    };
    let connection = read(&answer)?;
    if session.options.json {
        let inner = answer.get("connection").unwrap_or(&answer).clone();
        terminal::json_line(&connections::without_url(inner));
        return Ok(());
    }
    terminal::line(paint(STRONG, terminal::one_line(&connection.connection_id)));
    terminal::line(table::pairs(&[
        ("status", coloured(&connection.status)),
        ("method", terminal::one_line(&connection.method)),
        ("created", terminal::one_line(&connection.creation_time)),
        ("changed", terminal::one_line(&connection.last_updated_time)),
    ]));
    if !connection.is_active() {
        terminal::note(
            "nothing can be sent with it; `replyd connections create` begins another one",
        );
    }
    Ok(())
}

async fn delete(session: &Session, id: &str, consent: Consent) -> anyhow::Result<()> {
    let call = connections::delete(id);
    if session.options.dry_run {
        session.show(&call);
        return Ok(());
    }
    let used = if is_default(session, id) {
        ", which replyd.toml names: nothing can be sent without it"
    } else {
        ""
    };
    consent.obtain(&format!("connection {id} will be deleted{used}"))?;
    match session.gateway.call(&call).await {
        // Maton does not document its response, so every success counts.
        Ok(_) | Err(SendError::Unknown(Unknown::Answer { status: 200 })) => {}
        Err(error) => return Err(explain(&call, &error)),
    }
    let text = format!("deleted connection {}", terminal::one_line(id));
    session.format().print(&json!({ "deleted": id }), text);
    Ok(())
}

async fn make_default(session: &Session, id: &str) -> anyhow::Result<()> {
    let Some(answer) = session.call(&connections::get(id)).await? else {
        terminal::note(
            "and when it is ACTIVE, gateway.connection would be written into the configuration",
        );
        return Ok(());
    };
    let connection = read(&answer)?;
    if !connection.is_active() {
        return Err(Hint::error(
            format!(
                "connection {id} is {} and not ACTIVE: nothing could be sent with it",
                terminal::one_line(&connection.status)
            ),
            "finish its login in the browser, or begin another one with `replyd connections create`",
        ));
    }
    let named = session.options.config.as_deref();
    let path = config::file(named);
    let shown = terminal::path(path);
    let text = std::fs::read_to_string(path).map_err(|_| {
        Hint::new(
            format!("there is no configuration file `{shown}` to write it to"),
            format!("set REPLYD__GATEWAY__CONNECTION={id}, or write a file with `replyd init`"),
        )
    })?;
    let text = config::with_connection(&text, id)
        .with_context(|| format!("could not change `{shown}`"))?;
    files::replace(path, &text, Access::Private).map_err(|error| overwrite::not_written(&error))?;
    let now = config::read_calls(named)?.gateway.connection;
    let json = json!({ "file": path, "connection": id });
    let text = format!("wrote gateway.connection = \"{id}\" into {shown}");
    session.format().print(&json, text);
    if now.as_deref() == Some(id) {
        terminal::note("a running service takes it when it starts again");
    } else {
        terminal::note(
            "but REPLYD__GATEWAY__CONNECTION is set to another one, and wins over the file",
        );
    }
    Ok(())
}

//! The `replyd` command: the table of subcommands, each in a file of its room.
//!
//! `service` runs and maintains the service, `rules` works on rules files, `history` on the
//! database, `account` on the WhatsApp account. `terminal` is the only room that prints; `database`
//! opens the database for all of them.
//!
//! Exit codes: 0 success, 1 failure, 2 invalid arguments.

pub mod account;
mod database;
mod demo_files;
mod history;
pub(crate) mod phone_number;
pub mod rules;
pub mod service;
pub(crate) mod terminal;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Answers WhatsApp for a business, by rules you write in TOML.
#[derive(Debug, Parser)]
#[command(name = "replyd", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything on this machine: example rules and a pretend WhatsApp.
    Demo(service::demo::Arguments),
    /// Run the service: take webhooks in, send replies out.
    Serve(service::serve::Arguments),
    /// Write a configuration and rules to start from.
    Init(service::init::Arguments),
    /// Find every mistake in rules files.
    Check(rules::check::Arguments),
    /// Run the examples and conversations that stand in rules files.
    Test(rules::test::Arguments),
    /// Say for every rule whether it would take a message, and why.
    Explain(rules::explain::Arguments),
    /// Say why a message of the past was answered as it was.
    Why(history::why::Arguments),
    /// Show what other rules would have answered in the past.
    Replay(history::replay::Arguments),
    /// List messages that no rule matched, and suggest rules.
    Gaps(history::gaps::Arguments),
    /// Say whether the business is open at a time, and why.
    Hours(rules::hours::Arguments),
    /// Print the JSON Schema of rules files, for editors.
    Schema(rules::schema::Arguments),
    /// Talk to the rules in the terminal.
    Chat(rules::chat::Arguments),
    /// Read the conversations.
    History(history::conversations::Arguments),
    /// Look at what still has to be sent; send it again or drop it.
    Outbox(history::outbox::Arguments),
    /// Upload, look at, fetch and delete files at WhatsApp.
    Media(account::media::Arguments),
    /// Look at everything that the service depends on.
    Doctor(service::doctor::Arguments),
    /// Show the account events that Meta sent.
    Events(history::events::Arguments),
    /// Copy the database, also of a running service, and check the copy.
    Backup(service::backup::Arguments),
    /// Put a backup in the database's place; nothing is sent from it until you release it.
    Restore(service::restore::Arguments),
    /// Send one message by hand.
    Send(Box<account::send::Arguments>),
    /// Mark a message read.
    Read(account::mark_read::Arguments),
    /// Manage message templates: list, show, create, delete, sync.
    Templates(account::templates::Arguments),
    /// Look at the business numbers.
    Numbers(account::numbers::Arguments),
    /// Show or change the business profile.
    Profile(account::profile::Arguments),
    /// Manage Maton's connections: list, create, get, delete, choose the default.
    Connections(account::connections::Arguments),
    /// Use the phone of a running demo.
    Sandbox(service::sandbox::Arguments),
    /// Ask a running service whether it is ready.
    Healthcheck(service::healthcheck::Arguments),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let (code, has_effect) = match Arguments::try_parse() {
        Ok(arguments) => {
            let has_effect = arguments.command.has_effect();
            let code = run(arguments).unwrap_or_else(|error| {
                terminal::error(&error);
                ExitCode::FAILURE
            });
            (code, has_effect)
        }
        Err(error) => (print_usage(&error), false),
    };
    match terminal::finish() {
        Ok(()) => code,
        Err(error) => {
            let cut_short = anyhow::Error::new(error)
                .context("standard output did not take everything: what is there is cut short");
            terminal::error(&cut_short);
            if code == ExitCode::SUCCESS && !has_effect {
                ExitCode::FAILURE
            } else {
                code
            }
        }
    }
}

/// Prints help, the version, or the error in the command line; without clap's colours when the text
/// repeats characters that could harm a terminal. Returns the exit code.
fn print_usage(error: &clap::Error) -> ExitCode {
    let rendered = error.render();
    let plain = rendered.to_string();
    let visible = terminal::visible(&plain);
    let text = if visible == plain {
        rendered.ansi().to_string()
    } else {
        visible
    };
    if error.use_stderr() {
        terminal::ask(text);
    } else {
        terminal::prompt(text);
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

impl Command {
    /// Whether the command is run for its effect and not for its output. Truncated output is then
    /// no failure: a message that was sent must not be sent again because a disk is full.
    fn has_effect(&self) -> bool {
        matches!(
            self,
            Self::Demo(_)
                | Self::Serve(_)
                | Self::Init(_)
                | Self::Backup(_)
                | Self::Restore(_)
                | Self::Send(_)
                | Self::Read(_)
                | Self::Sandbox(_)
                | Self::Healthcheck(_)
        )
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    runtime.block_on(async {
        match arguments.command {
            Command::Demo(arguments) => service::demo::run(arguments).await,
            Command::Serve(arguments) => service::serve::run(arguments).await,
            Command::Init(arguments) => service::init::run(arguments).await,
            Command::Check(arguments) => rules::check::run(arguments).await,
            Command::Test(arguments) => rules::test::run(arguments).await,
            Command::Explain(arguments) => rules::explain::run(arguments).await,
            Command::Why(arguments) => history::why::run(arguments).await,
            Command::Replay(arguments) => history::replay::run(arguments).await,
            Command::Gaps(arguments) => history::gaps::run(arguments).await,
            Command::Hours(arguments) => rules::hours::run(arguments).await,
            Command::Schema(arguments) => rules::schema::run(arguments).await,
            Command::Chat(arguments) => rules::chat::run(arguments).await,
            Command::History(arguments) => history::conversations::run(arguments).await,
            Command::Outbox(arguments) => history::outbox::run(arguments).await,
            Command::Media(arguments) => account::media::run(arguments).await,
            Command::Doctor(arguments) => service::doctor::run(arguments).await,
            Command::Events(arguments) => history::events::run(arguments).await,
            Command::Backup(arguments) => service::backup::run(arguments).await,
            Command::Restore(arguments) => service::restore::run(arguments).await,
            Command::Send(arguments) => account::send::run(*arguments).await,
            Command::Read(arguments) => account::mark_read::run(arguments).await,
            Command::Templates(arguments) => account::templates::run(arguments).await,
            Command::Numbers(arguments) => account::numbers::run(arguments).await,
            Command::Profile(arguments) => account::profile::run(arguments).await,
            Command::Connections(arguments) => account::connections::run(arguments).await,
            Command::Sandbox(arguments) => service::sandbox::run(arguments).await,
            Command::Healthcheck(arguments) => service::healthcheck::run(arguments).await,
        }
    })
}

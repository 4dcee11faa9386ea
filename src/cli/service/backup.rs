//! `replyd backup`: a checked copy of the database in one file, made beside the running service.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::cli::database::DatabaseOptions;
use crate::cli::history::options;
use crate::cli::terminal::confirm::{Answer, confirm};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{self, GOOD, Hint, paint};
use crate::clock::Clock;
use crate::message::counted;
use crate::message::media_file::readable;
use crate::store::{self, Copied, CopyError, Present, StoreError};

/// The service goes on meanwhile. The copy is opened and checked before it gets its name, holds
/// everything that was acknowledged when it was begun, and sends nothing when it is restored until
/// you say so.
///
/// Exits with 0 when the copy is complete and sound, and with 1 when there is none.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the copy goes; its folder must be there.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a file that is there, once the copy is complete.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    database: DatabaseOptions,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let url = arguments.database.url()?;
    let file = &arguments.file;
    let mut present = Present::Stays;
    if arguments.force {
        present = Present::IsReplaced;
    } else if file.is_file() && terminal::can_ask() {
        match confirm(&format!("replace `{}`", file.display()))? {
            Answer::Yes => present = Present::IsReplaced,
            Answer::No => return Ok(ExitCode::FAILURE),
        }
    }
    let progress = CopyProgress::new("copying");
    let now = Clock::System.now();
    let follow = |bytes, total| progress.at(bytes, total);
    let copying = store::backup(&url, file, present, now, &follow);
    let copied = or_interrupted(copying).await;
    progress.done();
    let copied = copied.map_err(with_hint)?;
    if arguments.json {
        terminal::json_line(&as_json(&copied, file));
    } else {
        terminal::line!(
            "{} {}: {}",
            paint(GOOD, "backed up to"),
            file.display(),
            contents(&copied)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops at Ctrl-C, which removes the unfinished copy.
pub(super) async fn or_interrupted<T>(
    copying: impl Future<Output = Result<T, CopyError>>,
) -> anyhow::Result<T> {
    tokio::select! {
        done = copying => Ok(done?),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("could not listen for signals")?;
            anyhow::bail!("interrupted; nothing was changed")
        }
    }
}

/// Adds advice to an error.
fn with_hint(error: anyhow::Error) -> anyhow::Error {
    let hint = match error.downcast_ref::<CopyError>() {
        Some(CopyError::Exists(_)) => "name another file, or replace it with --force",
        Some(CopyError::Damaged { .. }) => {
            "keep the file, and put your last good backup in its place: `replyd restore FILE`"
        }
        Some(CopyError::Store(StoreError::Missing(_))) => {
            "name it with --database sqlite:PATH, or the configuration with --config"
        }
        _ => return error.context("no backup was made"),
    };
    Hint::error(format!("no backup was made: {error}"), hint.to_owned())
}

/// Progress whose total becomes known with the first step.
pub(super) struct CopyProgress {
    what: &'static str,
    bar: std::sync::OnceLock<Progress>,
}

impl CopyProgress {
    pub(super) fn new(what: &'static str) -> Self {
        let bar = std::sync::OnceLock::new();
        Self { what, bar }
    }

    pub(super) fn at(&self, bytes: u64, total: u64) {
        let bar = self
            .bar
            .get_or_init(|| Progress::new(self.what, Some(total)));
        bar.at(bytes);
    }

    pub(super) fn done(&self) {
        if let Some(bar) = self.bar.get() {
            bar.done();
        }
    }
}

/// Formats the content of a copy in one line.
pub(super) fn contents(copied: &Copied) -> String {
    let newest = copied.newest.map_or_else(String::new, |at| {
        format!(", the last of {}", options::minute(at, &TimeZone::system()))
    });
    format!(
        "{}, {} in {}{newest}; checked",
        readable(copied.bytes),
        counted(copied.messages, "message"),
        counted(copied.conversations, "conversation")
    )
}

/// Content of a copy as JSON.
pub(super) fn as_json(copied: &Copied, file: &Path) -> Value {
    json!({
        "file": file,
        "bytes": copied.bytes,
        "messages": copied.messages,
        "conversations": copied.conversations,
        "newest_message_at": copied.newest,
        "schema": copied.schema,
    })
}

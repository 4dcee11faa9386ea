//! `replyd restore`: puts a backup in the database's place, held; and releases it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::backup::{self, CopyProgress, contents};
use crate::cli::database::DatabaseOptions;
use crate::cli::terminal::confirm::{Answer, confirm};
use crate::cli::terminal::{self, DIM, GOOD, Hint, LITERAL, WARN, paint};
use crate::clock::Clock;
use crate::store::{
    self, CopyError, CopyRows, PendingRows, Restored, RowOrigin, Store, StoreError,
};

/// The service must be stopped to restore. The backup is checked first; the database that is there
/// is put aside under a name with the time in it, never deleted.
///
/// A restored database sends nothing: no reply, read mark, action, download or timer, because some
/// may have been sent after the backup was made. `replyd restore --release` ends that, beside a
/// running service too.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct Arguments {
    /// The backup.
    #[arg(value_name = "FILE", required_unless_present = "release")]
    file: Option<PathBuf>,
    /// Let the restored database send again.
    #[arg(long, conflicts_with = "file")]
    release: bool,
    /// With --release: drop what stood queued in the backup, and timers that are overdue.
    #[arg(long, requires = "release")]
    drop: bool,
    /// With --release: do not ask.
    #[arg(long, requires = "release")]
    yes: bool,
    #[command(flatten)]
    database: DatabaseOptions,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let url = arguments.database.url()?;
    match &arguments.file {
        Some(file) => restore(&arguments, &url, file).await,
        None => release(&arguments, &url).await,
    }
}

async fn restore(arguments: &Arguments, url: &str, file: &Path) -> anyhow::Result<ExitCode> {
    let progress = CopyProgress::new("restoring");
    let now = Clock::System.now();
    let follow = |bytes, total| progress.at(bytes, total);
    let restoring = store::restore(url, file, now, &follow);
    let restored = backup::or_interrupted(restoring).await;
    progress.done();
    let restored = restored.map_err(with_hint)?;
    if arguments.json {
        let mut json = backup::as_json(&restored.copied, file);
        json["database"] = url.into();
        json["put_aside"] = json!(restored.aside);
        terminal::json_line(&json);
    } else {
        print(&restored, url, file);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(restored: &Restored, url: &str, file: &Path) {
    terminal::line!(
        "{} {} into {url}: {}",
        paint(GOOD, "restored"),
        file.display(),
        contents(&restored.copied)
    );
    if let Some(aside) = &restored.aside {
        terminal::line!("the database that was there is `{}` now", aside.display());
    }
    terminal::line!(
        "{} until you run {}",
        paint(WARN, "nothing is sent from it"),
        paint(LITERAL, "replyd restore --release")
    );
}

async fn release(arguments: &Arguments, url: &str) -> anyhow::Result<ExitCode> {
    let opened = Store::open_for_cli(url).await;
    let store = opened.with_context(|| format!("could not open database `{url}`"))?;
    let released = let_go(arguments, &store).await;
    store.close().await;
    released
}

async fn let_go(arguments: &Arguments, store: &Store) -> anyhow::Result<ExitCode> {
    const UNREAD: &str = "could not read the outbox";
    let since = store.held_since().await.context(UNREAD)?;
    let waits = store.pending_rows().await.context(UNREAD)?;
    if since.is_none() {
        if arguments.json {
            terminal::json_line(&json!({ "released": false, "waits": waits_as_json(&waits) }));
        } else {
            terminal::line("the database is not held: it sends as always");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.json {
        show(&waits);
    }
    let old = if arguments.drop {
        CopyRows::Drop
    } else {
        CopyRows::Send
    };
    let may_repeat = waits.iter().any(|row| {
        row.origin == RowOrigin::InCopy && row.kind != "download" && row.state == "queued"
    });
    if may_repeat && old == CopyRows::Send && !arguments.yes {
        let question = "send what stood queued in the backup, as far as its time is not over \
                        (it may have been sent before; --drop drops it)";
        if confirm(question)? == Answer::No {
            return Ok(ExitCode::FAILURE);
        }
    }
    let now = Clock::System.now();
    let done = store.release(old, now).await;
    done.context("could not release the database")?;
    if arguments.json {
        terminal::json_line(&json!({
            "released": true,
            "dropped": arguments.drop,
            "waits": waits_as_json(&waits),
        }));
    } else {
        terminal::line!(
            "{}: a running service sends again within seconds",
            paint(GOOD, "released")
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn show(waits: &[PendingRows]) {
    if waits.is_empty() {
        terminal::line("nothing waits in the outbox");
    }
    for row in waits {
        let since = match row.origin {
            RowOrigin::InCopy => "in the backup already",
            RowOrigin::Since => "since it was restored",
        };
        terminal::line!(
            "{:>6} {} {} {}",
            row.rows,
            row.kind,
            row.state,
            paint(DIM, since)
        );
    }
}

fn waits_as_json(waits: &[PendingRows]) -> Value {
    let rows = waits.iter().map(|row| {
        json!({
            "kind": row.kind,
            "state": row.state,
            "from_backup": row.origin == RowOrigin::InCopy,
            "rows": row.rows,
        })
    });
    rows.collect()
}

/// Adds advice to an error.
fn with_hint(error: anyhow::Error) -> anyhow::Error {
    let hint = match error.downcast_ref::<CopyError>() {
        Some(CopyError::Store(StoreError::Locked { .. })) => {
            "stop the service, restore, and start it again"
        }
        Some(CopyError::NotOurs { .. } | CopyError::Damaged { .. }) => {
            "take another one; `replyd backup FILE` makes them"
        }
        _ => return error.context("nothing was restored"),
    };
    Hint::error(format!("nothing was restored: {error}"), hint.to_owned())
}

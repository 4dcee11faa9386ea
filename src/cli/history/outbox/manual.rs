//! `replyd outbox retry` and `drop`: each asks where something cannot be taken back, and is one
//! short transaction.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::row::{State, recipient, refusal};
use crate::cli::history::options::{self, second};
use crate::cli::terminal::confirm::{Answer, confirm};
use crate::cli::terminal::{self, BAD, DIM, GOOD, WARN, paint};
use crate::clock::Clock;
use crate::message::counted;
use crate::store::{Done, NotDone, OutboxRow, Repeat, RetryByHand, Store};

/// Maximum number of rows that one command changes.
const MOST: u32 = 10_000;

/// Rows of the outbox to change, and whether to ask first.
#[derive(Debug, clap::Args)]
pub(super) struct Chosen {
    /// The numbers before rows of `replyd outbox list`.
    #[arg(
        value_name = "ID",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    ids: Vec<i64>,
    /// All rows in the state that --state names.
    #[arg(long, requires = "state")]
    all: bool,
    /// With --all: which.
    #[arg(long, requires = "all")]
    state: Option<State>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    options: options::Options,
}

/// Result for each row, by its id.
type Ends = Vec<(i64, Result<Done, NotDone>)>;

impl Chosen {
    /// Opens the database, read-only with `--dry-run`.
    async fn open(&self) -> anyhow::Result<Store> {
        if self.dry_run {
            self.options.open().await
        } else {
            self.options.database.open_for_cli().await
        }
    }

    /// Reads the chosen rows; returns their ids in the order in which they were named.
    async fn rows(&self, store: &Store) -> anyhow::Result<(Vec<i64>, Vec<OutboxRow>)> {
        let rows = match self.state {
            Some(state) => store.list_outbox(Some(state.word()), MOST).await,
            None => store.find_outbox_rows(&self.ids).await,
        };
        let rows = rows.context("could not read the outbox")?;
        let mut ids = self.ids.clone();
        if self.state.is_some() {
            ids.extend(rows.iter().map(|row| row.id));
        }
        // A row named twice is changed once.
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(*id));
        Ok((ids, rows))
    }
}

/// Queues rows again, before all others.
pub(super) async fn retry(chosen: Chosen) -> anyhow::Result<ExitCode> {
    let give_up_after = chosen.options.database.give_up_after()?;
    let store = chosen.open().await?;
    let (ids, rows) = chosen.rows(&store).await?;
    let mut asked = RetryByHand {
        ids,
        repeat: Repeat::Accepted,
        give_up_after,
        now: Clock::System.now(),
    };
    let expected = judged(&asked.ids, &rows, |row| row.check_retry(&asked));
    let twice = rows.iter().filter(|row| {
        row.may_have_been_sent()
            && expected
                .iter()
                .any(|(id, end)| *id == row.id && end.is_ok())
    });
    let twice = twice.count();
    if chosen.dry_run {
        return tell(&chosen, &rows, &expected);
    }
    if twice == 0 {
        // A row may become `unknown` before it is changed.
        asked.repeat = Repeat::Refused;
    } else if !chosen.yes {
        let question = format!(
            "{} may have been sent already and may then arrive twice; send again",
            counted(twice, "message")
        );
        if confirm(&question)? == Answer::No {
            terminal::note("nothing was changed");
            return Ok(ExitCode::FAILURE);
        }
        // The question may have been open for a while.
        asked.now = Clock::System.now();
    }
    let ends = store.retry_by_hand(&asked).await;
    let ends = ends.context("could not change the outbox")?;
    store.close().await;
    tell(&chosen, &rows, &ends)
}

/// Drops rows.
pub(super) async fn drop(chosen: Chosen) -> anyhow::Result<ExitCode> {
    let store = chosen.open().await?;
    let (ids, rows) = chosen.rows(&store).await?;
    let expected = judged(&ids, &rows, |row| row.check_drop(Clock::System.now()));
    if chosen.dry_run {
        return tell(&chosen, &rows, &expected);
    }
    let droppable = expected.iter().filter(|(_, end)| end.is_ok()).count();
    if droppable > 0 && !chosen.yes {
        let question = format!(
            "{} will not be sent (again) and cannot be taken back; drop",
            counted(droppable, "row")
        );
        if confirm(&question)? == Answer::No {
            terminal::note("nothing was changed");
            return Ok(ExitCode::FAILURE);
        }
    }
    let ends = store.drop_by_hand(&ids, Clock::System.now()).await;
    let ends = ends.context("could not change the outbox")?;
    store.close().await;
    tell(&chosen, &rows, &ends)
}

fn judged(
    ids: &[i64],
    rows: &[OutboxRow],
    judge: impl Fn(&OutboxRow) -> Result<Done, NotDone>,
) -> Ends {
    let of = |id: &i64| rows.iter().find(|row| row.id == *id);
    ids.iter()
        .map(|id| (*id, of(id).ok_or(NotDone::Gone).and_then(&judge)))
        .collect()
}

/// Prints one line per row. The exit code is a failure when a row was not changed.
fn tell(chosen: &Chosen, rows: &[OutboxRow], ends: &Ends) -> anyhow::Result<ExitCode> {
    let zone = chosen.options.zone()?;
    for (id, end) in ends {
        let row = rows.iter().find(|row| row.id == *id);
        if chosen.options.json {
            terminal::json_line(&json!({
                "id": id,
                "done": match end {
                    Ok(Done::Queued { .. }) => Some("queued"),
                    Ok(Done::Dropped) => Some("dropped"),
                    Err(_) => None,
                },
                "expires_at": match end {
                    Ok(Done::Queued { expires_at }) => Some(expires_at),
                    Ok(Done::Dropped) | Err(_) => None,
                },
                "not_done": end.as_ref().err().map(ToString::to_string),
                "dry_run": chosen.dry_run,
            }));
            continue;
        }
        let to = row
            .map(|row| format!(" to {}", recipient(row)))
            .unwrap_or_default();
        let what = match end {
            Ok(Done::Queued { expires_at }) => {
                let until = second(*expires_at, &zone);
                let twice = row.is_some_and(OutboxRow::may_have_been_sent);
                let twice = if twice {
                    paint(WARN, " (it may arrive twice)")
                } else {
                    String::new()
                };
                let queued = paint(
                    GOOD,
                    if chosen.dry_run {
                        "would be queued"
                    } else {
                        "queued"
                    },
                );
                format!(
                    "{queued}: goes out as soon as the service runs, and is tried until {until}{twice}"
                )
            }
            Ok(Done::Dropped) if chosen.dry_run => paint(DIM, "would be dropped"),
            Ok(Done::Dropped) => paint(DIM, "dropped"),
            Err(why) => {
                let why = row.map_or_else(|| why.to_string(), |row| refusal(row, *why, &zone));
                format!("{} {why}", paint(BAD, "nothing done:"))
            }
        };
        terminal::line!("#{id}{to}  {what}");
    }
    if ends.is_empty() {
        terminal::note("there is none");
    }
    let all_done = ends.iter().all(|(_, end)| end.is_ok());
    Ok(if all_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

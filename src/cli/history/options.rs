//! What commands share that read the database: which one, and in whose time zone.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::terminal;
use crate::cli::terminal::Hint;
use crate::config;
use crate::store::{ConversationSummary, Store, StoreError};

/// So many conversations are named when several are meant.
const CANDIDATES_MAX: usize = 10;

/// Options of every command that reads the database.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Database, such as sqlite:data/replyd.db [default: the one of the configuration].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Configuration file [default: replyd.toml when there is one].
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    config: Option<PathBuf>,
    /// Time zone to show times in [default: this machine's].
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Options {
    /// Opens the database for looking, beside a running service or without one.
    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        let url = self.url()?;
        Store::open_read_only(&url)
            .await
            .map_err(|error| not_opened(error, &url))
    }

    /// Opens the database for short writes, beside a running service or without one.
    pub(crate) async fn open_for_cli(&self) -> anyhow::Result<Store> {
        let url = self.url()?;
        Store::open_for_cli(&url)
            .await
            .map_err(|error| not_opened(error, &url))
    }

    /// How long a reply is tried.
    pub(crate) fn give_up_after(&self) -> anyhow::Result<Duration> {
        Ok(config::read_delivery(self.config.as_deref())?.give_up_after)
    }

    fn url(&self) -> anyhow::Result<String> {
        Ok(match &self.database {
            Some(url) => url.clone(),
            None => config::read_database(self.config.as_deref())?.url,
        })
    }

    /// The time zone that is meant.
    pub(crate) fn zone(&self) -> anyhow::Result<TimeZone> {
        match &self.timezone {
            Some(name) => {
                TimeZone::get(name).with_context(|| format!("unknown time zone `{name}`"))
            }
            None => Ok(TimeZone::system()),
        }
    }
}

fn not_opened(error: StoreError, url: &str) -> anyhow::Error {
    match error {
        StoreError::Missing(path) => Hint {
            message: format!("there is no database at `{}`", terminal::path(&path)),
            hint: "name it with --database sqlite:PATH, or the configuration with --config"
                .to_owned(),
        }
        .into(),
        other => anyhow::Error::from(other).context(format!("could not read `{url}`")),
    }
}

/// The one conversation that is meant: by the number before it, else by a whole phone number or
/// user id, else by a part of the name or the phone.
///
/// # Errors
/// When there is none, or several.
pub(crate) async fn one_conversation(
    store: &Store,
    who: &str,
) -> anyhow::Result<ConversationSummary> {
    let most = u32::try_from(CANDIDATES_MAX + 1).unwrap_or(u32::MAX);
    let found = store.conversations(Some(who), most).await;
    let mut found = found.context("could not read the conversations")?;
    if found.len() > 1 {
        return Err(several(who, &found).into());
    }
    found.pop().ok_or_else(|| nobody(who).into())
}

/// More than one are meant.
fn several(who: &str, found: &[ConversationSummary]) -> Hint {
    let candidates = found.iter().take(CANDIDATES_MAX).map(|one| {
        let (name, number) = (
            terminal::name(&one.contact),
            terminal::one_line(&one.phone_number_id),
        );
        format!("\n  {}  {name} · to {number}", one.id)
    });
    let candidates: String = candidates.collect();
    let more = if found.len() > CANDIDATES_MAX {
        "\n  and more"
    } else {
        ""
    };
    let who = terminal::one_line(who);
    Hint {
        message: format!("several conversations are meant by `{who}`:{candidates}{more}"),
        hint: "name one by the number before it".to_owned(),
    }
}

/// There is no such conversation.
pub(crate) fn nobody(who: &str) -> Hint {
    Hint {
        message: format!("no conversation is meant by `{}`", terminal::one_line(who)),
        hint: "`replyd history` lists all of them".to_owned(),
    }
}

/// A moment so long ago: `30d`, `12h`, `2w`.
///
/// # Errors
/// When that is no length of time.
pub(crate) fn ago(length: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let span: Result<jiff::Span, _> = length.parse();
    let then = span.and_then(|span| now.to_zoned(TimeZone::UTC).checked_sub(span));
    let then = then.map_err(|_| Hint {
        message: format!("`{}` is no length of time", terminal::one_line(length)),
        hint: "write it like `30d`, `12h` or `2w`".to_owned(),
    })?;
    Ok(then.timestamp())
}

/// A time in a table.
pub(crate) fn when(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

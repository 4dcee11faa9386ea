//! Options of commands that read the database, and the values those options name: a conversation, a
//! point in time.

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::database::DatabaseOptions;
use crate::cli::phone_number;
use crate::cli::terminal::{self, Format, Hint};
use crate::store::{ConversationSummary, Store};

/// Number of candidates listed when a name fits several conversations.
const CANDIDATES_MAX: usize = 10;

/// Options of every command that reads the database.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
    /// Time zone to show times in [default: this machine's].
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Options {
    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        self.database.open().await
    }

    pub(crate) fn zone(&self) -> anyhow::Result<TimeZone> {
        match &self.timezone {
            Some(name) => {
                TimeZone::get(name).with_context(|| format!("unknown time zone `{name}`"))
            }
            None => Ok(TimeZone::system()),
        }
    }

    pub(crate) fn format(&self) -> Format {
        Format::from_flag(self.json)
    }
}

/// Finds the conversation that `name` identifies: by its id, else by a whole phone number or user
/// id, else by a part of the contact's name or phone number.
///
/// # Errors
/// When `name` fits none or several.
pub(crate) async fn find_conversation(
    store: &Store,
    name: &str,
) -> anyhow::Result<ConversationSummary> {
    let limit = u32::try_from(CANDIDATES_MAX + 1).unwrap_or(u32::MAX);
    let term = phone_number::search_term(name);
    let matches = store.conversations(Some(&term), limit).await;
    let mut matches = matches.context("could not read the conversations")?;
    if matches.len() > 1 {
        return Err(ambiguous(name, &matches).into());
    }
    matches.pop().ok_or_else(|| no_conversation(name).into())
}

fn ambiguous(name: &str, matches: &[ConversationSummary]) -> Hint {
    let candidates = matches.iter().take(CANDIDATES_MAX).map(|conversation| {
        let contact = terminal::name(&conversation.contact);
        let number = terminal::one_line(&conversation.phone_number_id);
        format!("\n  {}  {contact} · to {number}", conversation.id)
    });
    let candidates: String = candidates.collect();
    let rest = if matches.len() > CANDIDATES_MAX {
        "\n  and more"
    } else {
        ""
    };
    let name = terminal::one_line(name);
    Hint::new(
        format!("several conversations are meant by `{name}`:{candidates}{rest}"),
        "name one by the number before it",
    )
}

/// Reports that no conversation fits `name`.
pub(crate) fn no_conversation(name: &str) -> Hint {
    Hint::new(
        format!("no conversation is meant by `{}`", terminal::one_line(name)),
        "`replyd history` lists all of them",
    )
}

/// Reads `--since`, a length of time before now such as `30d`, `12h` or `2w`; without it,
/// everything.
///
/// # Errors
/// When the text is not a length of time.
pub(crate) fn since(length: Option<&str>, now: Timestamp) -> anyhow::Result<Timestamp> {
    let Some(length) = length else {
        return Ok(Timestamp::UNIX_EPOCH);
    };
    let span: Result<jiff::Span, _> = length.parse();
    let start = span.and_then(|span| now.to_zoned(TimeZone::UTC).checked_sub(span));
    let start = start.map_err(|_| {
        Hint::new(
            format!("`{}` is no length of time", terminal::one_line(length)),
            "write it like `30d`, `12h` or `2w`",
        )
    })?;
    Ok(start.timestamp())
}

/// Formats a time for a table, to the minute.
pub(crate) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// Formats a time to the second.
pub(crate) fn second(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

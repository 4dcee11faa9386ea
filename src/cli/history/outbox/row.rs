//! Texts about one row of the outbox, shared by looking and by deciding.

use clap::ValueEnum;
use jiff::tz::TimeZone;

use crate::cli::history::options::second;
use crate::cli::terminal;
use crate::store::{NotDone, OutboxRow};

/// State of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum State {
    /// Waits for its time.
    Queued,
    /// Is on its way to the gateway.
    Sending,
    /// May have been sent; a receipt would confirm it.
    Unknown,
    /// May have been sent, no receipt came; retry or drop it.
    Held,
}

impl State {
    /// Value of the column `outbox.state`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Held => "held",
        }
    }
}

/// Formats name and phone of the contact; of an action, the host it calls.
pub(super) fn recipient(row: &OutboxRow) -> String {
    if let Some(host) = &row.host {
        return terminal::visible(host);
    }
    let contact = terminal::visible(&row.contact);
    match &row.phone {
        Some(phone) if contact != format!("+{phone}") => format!("{contact} · +{phone}"),
        _ => contact,
    }
}

/// Formats the reason why nothing is done, with the time when the lease of a row being sent ends.
pub(super) fn refusal(row: &OutboxRow, reason: NotDone, zone: &TimeZone) -> String {
    match (reason, row.lease_until) {
        (NotDone::BeingSent, Some(until)) => {
            format!("{reason}: look again after {}", second(until, zone))
        }
        _ => reason.to_string(),
    }
}

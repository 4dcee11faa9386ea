//! Checks of messages that were held or given up.

use jiff::{SignedDuration, Timestamp};

use super::report::{Health, Report};
use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// Age of a given-up message beyond which it is not reported.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Reports held messages, and those given up recently.
pub(super) async fn sends(report: &mut Report, store: &Store) {
    const SUBJECT: &str = "sends";
    let (held, given_up) = match counts(store).await {
        Ok(counts) => counts,
        Err(error) => return report.add(Health::Bad, SUBJECT, error.to_string()),
    };
    if held > 0 {
        report.advise(
            Health::Doubtful,
            SUBJECT,
            format!("{held} held: may or may not have been sent"),
            "look at them with `replyd outbox list --state held`, then retry or drop each",
        );
    }
    if given_up > 0 {
        report.advise(
            Health::Doubtful,
            SUBJECT,
            format!("{given_up} given up in the last 24 hours"),
            "`replyd history` tells why, below each message",
        );
    }
    if held + given_up == 0 {
        let detail = "none held, none given up in the last 24 hours";
        report.add(Health::Good, SUBJECT, detail);
    }
}

async fn counts(store: &Store) -> Result<(u64, u64), StoreError> {
    let since = Clock::System.now().saturating_sub(LATELY);
    let held = store.count_held().await?;
    let given_up = store
        .count_given_up(since.unwrap_or(Timestamp::MIN))
        .await?;
    Ok((held, given_up))
}

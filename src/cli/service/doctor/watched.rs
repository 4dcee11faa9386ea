//! Checks of recorded events: signatures of webhooks, news of the account, quarantined updates.

use jiff::{SignedDuration, Timestamp};

use super::report::{Health, Report};
use crate::clock::Clock;
use crate::config::Config;
use crate::message::counted;
use crate::store::{Quarantine, Store, StoreError};
use crate::whatsapp::account_status;
use crate::whatsapp::account_status::Severity;
use crate::whatsapp::signature;

/// Time without webhooks after which a test message is advised.
const LONG_SILENCE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Runs every check of recorded events.
pub(super) async fn all(report: &mut Report, store: &Store, config: Option<&Config>) {
    let now = Clock::System.now();
    let looked = [
        secret(report, store, config, now).await,
        account(report, store, now).await,
        quarantine(report, store, now).await,
    ];
    for error in looked.into_iter().filter_map(Result::err) {
        report.add(Health::Bad, "database", error.to_string());
    }
}

/// A webhook in the database proves that Meta's signature fits the secrets the service had when it
/// came: those of today only if the service has run with them since before.
async fn secret(
    report: &mut Report,
    store: &Store,
    config: Option<&Config>,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SUBJECT: &str = "app secret";
    const WRITE: &str = "write to the number from a phone; a wrong secret shows as 401 in the log";
    let (last, in_use) = (store.last_webhook().await?, store.secrets_in_use().await?);
    let (Some(last), Some(in_use)) = (last, in_use) else {
        let detail = "not proven: no signed webhook was ever stored";
        report.advise(Health::Unknown, SUBJECT, detail, WRITE);
        return Ok(());
    };
    let Some(config) = config else {
        let detail = "not looked at: the configuration cannot be used";
        report.add(Health::Unknown, SUBJECT, detail);
        return Ok(());
    };
    let secrets = &config.webhook.app_secrets;
    if in_use.fingerprint != signature::fingerprint(secrets) {
        let detail = "not proven: the service was last started with another one";
        let advice = "restart the service, then write to the number from a phone";
        report.advise(Health::Doubtful, SUBJECT, detail, advice);
    } else if last < in_use.since {
        let ago = readable(now.duration_since(in_use.since));
        let detail = format!("not proven: no signed webhook came since it was changed {ago} ago");
        report.advise(Health::Unknown, SUBJECT, detail, WRITE);
    } else {
        let ago = now.duration_since(last);
        let fits = match secrets.len() {
            1 => "fits".to_owned(),
            several => format!("one of the {several} fits"),
        };
        let detail = format!("{fits}: a signed webhook came {} ago", readable(ago));
        if ago < LONG_SILENCE {
            report.add(Health::Good, SUBJECT, detail);
        } else {
            let advice = "write to the number from a phone, to see that webhooks still come";
            report.advise(Health::Doubtful, SUBJECT, detail, advice);
        }
    }
    Ok(())
}

/// Reports bans, restrictions, flags and limits of the account.
async fn account(report: &mut Report, store: &Store, now: Timestamp) -> Result<(), StoreError> {
    const SUBJECT: &str = "news of the account";
    let news = store.account_status_events().await?;
    if news.is_empty() {
        let advice = "subscribe your Meta app to account_update, account_alerts, business_capability_update and \
                      phone_number_quality_update too";
        report.advise(Health::Unknown, SUBJECT, "none ever came", advice);
        return Ok(());
    }
    let issues = account_status::issues(&news, now);
    if issues.is_empty() {
        report.add(Health::Good, SUBJECT, "nothing hinders it");
    }
    for issue in issues {
        let health = match issue.severity {
            Severity::Critical => Health::Bad,
            Severity::Warning => Health::Doubtful,
        };
        report.add(health, SUBJECT, issue.message);
    }
    Ok(())
}

/// Reports quarantined updates, if there are any.
async fn quarantine(report: &mut Report, store: &Store, now: Timestamp) -> Result<(), StoreError> {
    if let Quarantine {
        rows,
        newest: Some(newest),
    } = store.quarantine().await?
    {
        let rows = counted(rows, "update");
        let ago = readable(now.duration_since(newest));
        let detail = format!("{rows} that could not be read, the newest {ago} ago");
        let advice = "SELECT id, reason, raw FROM quarantine: report what replyd should understand";
        report.advise(Health::Doubtful, "quarantine", detail, advice);
    }
    Ok(())
}

/// Formats a duration in its largest unit.
fn readable(ago: SignedDuration) -> String {
    let seconds = ago.as_secs().max(0);
    let (count, unit) = match seconds {
        0..=119 => (seconds, "s"),
        120..=7_199 => (seconds / 60, "min"),
        7_200..=172_799 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

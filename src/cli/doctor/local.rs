//! What is on this machine: database and rules.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::SignedDuration;

use super::{Health, Report};
use crate::app::rules_files::RulesFiles;
use crate::cli::check::count;
use crate::clock::Clock;
use crate::config::{Calls, Config};
use crate::rules::Severity;
use crate::store::{Store, StoreError};

/// Webhooks are worth a question when none came for so long.
const LONG_SILENCE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Opens the database for reading, and looks when a signed webhook came last.
pub(super) async fn database(report: &mut Report, calls: &Calls) {
    const SUBJECT: &str = "database";
    let url = &calls.database.url;
    let store = match Store::open_read_only(url).await {
        Ok(store) => store,
        Err(StoreError::Missing(path)) => {
            let detail = format!("`{}` is not there yet", path.display());
            return report.advise(Health::Doubtful, SUBJECT, detail, "`replyd serve` makes it");
        }
        Err(error) => {
            let error = anyhow::Error::from(error);
            return report.add(Health::Bad, SUBJECT, format!("{error:#}"));
        }
    };
    match store.damage().await {
        Ok(None) => report.add(Health::Good, SUBJECT, format!("`{url}` is sound")),
        Ok(Some(damage)) => report.advise(
            Health::Bad,
            SUBJECT,
            damage,
            "stop the service and restore a backup: `replyd restore FILE`; nothing written from now on is safe",
        ),
        Err(error) => report.add(Health::Bad, SUBJECT, error.to_string()),
    }
    if let Ok(Some(since)) = store.held_since().await {
        let since = since.strftime("%Y-%m-%d %H:%M UTC");
        report.advise(
            Health::Bad,
            "restored",
            format!("the database is a copy of {since}, and nothing is sent from it"),
            "`replyd restore --release` shows what waits and lets it go",
        );
    }
    last_webhook(report, &store).await;
    store.close().await;
}

/// A message in the database proves that Meta's signature fits one of our app secrets.
async fn last_webhook(report: &mut Report, store: &Store) {
    const SUBJECT: &str = "app secret";
    match store.last_webhook().await {
        Ok(Some(at)) => {
            let ago = Clock::System.now().duration_since(at);
            let detail = format!("fits: a signed webhook came {} ago", readable(ago));
            if ago < LONG_SILENCE {
                report.add(Health::Good, SUBJECT, detail);
            } else {
                let advice = "write to the number from a phone, to see that webhooks still come";
                report.advise(Health::Doubtful, SUBJECT, detail, advice);
            }
        }
        Ok(None) => report.advise(
            Health::Unknown,
            SUBJECT,
            "not proven: no signed webhook was ever stored",
            "write to the number from a phone; a wrong secret shows as 401 in the log",
        ),
        Err(error) => report.add(Health::Bad, SUBJECT, error.to_string()),
    }
}

/// The largest unit is enough.
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

/// Compiles every rules file that the configuration names.
pub(super) fn rules(report: &mut Report, calls: &Calls, config: Option<&Config>) {
    let numbers = config.map_or(&calls.numbers, |config| &config.numbers);
    let named = numbers.iter().map(|number| {
        let own = number.rules.as_ref();
        own.unwrap_or(&calls.rules.file).clone()
    });
    let mut files: BTreeSet<PathBuf> = named.collect();
    if files.is_empty() {
        files.insert(calls.rules.file.clone());
    }
    for file in files {
        let name = file.display().to_string();
        let subject = format!("rules `{name}`");
        let files = match RulesFiles::read(&file) {
            Ok(files) => files,
            Err(error) => {
                report.add(Health::Bad, subject, format!("{error:#}"));
                continue;
            }
        };
        let advice = format!("`replyd check {name}` shows them");
        match files.compile(None) {
            Ok(compiled) if compiled.warnings.is_empty() => {
                let detail = count(compiled.rules.rules.len(), "rule");
                report.add(Health::Good, subject, detail);
            }
            Ok(compiled) => {
                let detail = count(compiled.warnings.len(), "warning");
                report.advise(Health::Doubtful, subject, detail, advice);
            }
            Err(found) => {
                let errors = found.iter().filter(|one| one.severity == Severity::Error);
                let detail = count(errors.count(), "error");
                report.advise(Health::Bad, subject, detail, advice);
            }
        }
    }
}

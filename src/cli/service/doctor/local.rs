//! Checks of this machine: database and rules.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::report::{Health, Report};
use super::{outbox, watched};
use crate::app::rules_loader::RulesFiles;
use crate::cli::terminal;
use crate::config::{Calls, Config};
use crate::diagnostics::Severity;
use crate::message::counted;
use crate::store::{Fault, Store, StoreError};

/// Checks the database and the events recorded in it.
pub(super) async fn database(report: &mut Report, calls: &Calls, config: Option<&Config>) {
    const SUBJECT: &str = "database";
    let url = &calls.database.url;
    let store = match Store::open_read_only(url).await {
        Ok(store) => store,
        Err(StoreError::Missing(path)) => {
            let detail = format!("`{}` is not there yet", terminal::path(&path));
            return report.advise(Health::Doubtful, SUBJECT, detail, "`replyd serve` makes it");
        }
        Err(error) => {
            let error = anyhow::Error::from(error);
            return report.add(Health::Bad, SUBJECT, format!("{error:#}"));
        }
    };
    match store.damage().await {
        Ok(None) => match try_to_write(url).await {
            Ok(()) => report.add(Health::Good, SUBJECT, format!("`{url}` is sound")),
            Err(error) => {
                let fault = error.fault().map(Fault::sentence);
                let detail = fault.map_or_else(|| error.to_string(), str::to_owned);
                report.add(Health::Bad, SUBJECT, detail);
            }
        },
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
    watched::all(report, &store, config).await;
    outbox::sends(report, &store).await;
    store.close().await;
}

/// Checks that a service could write; the test write is rolled back.
async fn try_to_write(url: &str) -> Result<(), StoreError> {
    let store = Store::open_for_cli(url).await?;
    let written = store.try_to_write().await;
    store.close().await;
    written
}

/// Compiles every rules file that the configuration names.
pub(super) fn rules(report: &mut Report, calls: &Calls, config: Option<&Config>) {
    let numbers = config.map_or(&calls.numbers, |config| &config.numbers);
    let files = numbers.iter().map(|number| {
        let rules = number.rules.as_ref();
        rules.unwrap_or(&calls.rules.file).clone()
    });
    let mut files: BTreeSet<PathBuf> = files.collect();
    if files.is_empty() {
        files.insert(calls.rules.file.clone());
    }
    for file in files {
        let name = terminal::path(&file);
        let subject = format!("rules `{name}`");
        let files = match RulesFiles::read(&file) {
            Ok(files) => files,
            Err(error) => {
                report.add(Health::Bad, subject, format!("{error:#}"));
                continue;
            }
        };
        let advice = format!("`replyd check {name}` shows them");
        let hosts = config.map(|config| config.actions.bases());
        match files.compile_for(hosts.as_deref(), None) {
            Ok(compiled) if compiled.warnings.is_empty() => {
                let detail = counted(compiled.rules.rules.len(), "rule");
                report.add(Health::Good, subject, detail);
            }
            Ok(compiled) => {
                let detail = counted(compiled.warnings.len(), "warning");
                report.advise(Health::Doubtful, subject, detail, advice);
            }
            Err(diagnostics) => {
                let errors = diagnostics.iter();
                let errors = errors.filter(|error| error.severity == Severity::Error);
                let detail = counted(errors.count(), "error");
                report.advise(Health::Bad, subject, detail, advice);
            }
        }
    }
}

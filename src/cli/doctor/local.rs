//! What is on this machine: database and rules.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Health, Report, watched};
use crate::app::rules_files::RulesFiles;
use crate::cli::check::count;
use crate::config::{Calls, Config};
use crate::rules::Severity;
use crate::store::{Store, StoreError};

/// Opens the database for reading, and looks at what the service has seen.
pub(super) async fn database(report: &mut Report, calls: &Calls, config: Option<&Config>) {
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
            "restore a backup; nothing written from now on is safe",
        ),
        Err(error) => report.add(Health::Bad, SUBJECT, error.to_string()),
    }
    watched::all(report, &store, config).await;
    store.close().await;
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

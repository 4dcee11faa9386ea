//! Reload of changed rules, and of rules whose templates Meta has paused or changed, while the
//! service runs.
//!
//! The whole rule set is checked first; while it has errors, the last good rules stay in use, which
//! shows in the log, in the admin listener's `/readyz` and in the metrics. Each decision uses one
//! version from beginning to end.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::sleep;

use super::rulebook::{Rejected, Rulebook};
use super::rules_loader::RulesFiles;
use crate::clock::Clock;
use crate::config::Config;
use crate::message::AccountStatusEvent;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::telemetry::{Condition, Conditions, Metrics};

/// Interval between reads of the files. Reading works on every file system and through links,
/// unlike file notifications.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Rules in use.
#[derive(Debug)]
pub(super) struct Current(RwLock<Arc<Rulebook>>);

impl Current {
    pub(super) fn new(rulebook: Rulebook) -> Self {
        Self(RwLock::new(Arc::new(rulebook)))
    }

    /// Returns the rules for one decision.
    pub(super) fn get(&self) -> Arc<Rulebook> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn set(&self, rulebook: Rulebook) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(rulebook);
    }
}

/// Worker that reloads rules.
pub(super) struct Reload {
    pub(super) current: Arc<Current>,
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) conditions: Arc<Conditions>,
    /// Fingerprint of the files from before the start read them.
    pub(super) at_start: u64,
}

impl Reload {
    /// Runs until either stop.
    pub(super) async fn run(self, shutdown: Shutdown) {
        shutdown.run(self.work()).await;
    }

    async fn work(&self) {
        let mut hangup = Hangup::listen();
        // Fingerprint of the files when they were last accepted or rejected.
        let mut seen = Some(self.at_start);
        loop {
            let was_requested = tokio::select! {
                () = sleep(LOOK_EVERY) => false,
                () = hangup.wait() => true,
            };
            // A hangup signal reloads the files, changed or not.
            seen = self
                .reload_if_changed(seen.filter(|_| !was_requested))
                .await;
        }
    }

    /// Reloads the files if their fingerprint differs from `seen`; returns the new fingerprint once
    /// they are accepted or rejected.
    async fn reload_if_changed(&self, seen: Option<u64>) -> Option<u64> {
        let Ok(events) = self.store.template_status_events().await else {
            // A fault of the database is logged once, when it begins.
            return seen;
        };
        let now = fingerprint(&self.config, &events);
        if Some(now) == seen {
            return seen;
        }
        match self.reload(&events).await {
            Reloaded::Settled => Some(now),
            // The next attempt may succeed with the same files.
            Reloaded::NotStored => None,
        }
    }

    async fn reload(&self, events: &[AccountStatusEvent]) -> Reloaded {
        let loaded = match Rulebook::load(&self.config, events) {
            Ok(loaded) => loaded,
            Err(error) => {
                let place = error.downcast_ref::<Rejected>().map(Rejected::place);
                let place = place.unwrap_or_else(|| "a file cannot be read".to_owned());
                self.stale(format!("those on the disk do not pass the check: {place}"));
                tracing::error!(
                    error = format!("{error:#}"),
                    "changed rules are not taken; the last good ones go on answering"
                );
                return Reloaded::Settled;
            }
        };
        // A reply must never name a version whose text is not stored.
        for (_, rules) in loaded.files() {
            let recorded = self
                .store
                .record_rules(&rules.version, &rules.source, self.clock.now());
            if let Err(error) = recorded.await {
                self.stale("the changed ones could not be stored yet".to_owned());
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "changed rules could not be stored; they are not taken yet"
                );
                return Reloaded::NotStored;
            }
        }
        for (file, rules) in loaded.files() {
            let (file, version) = (file.display(), &rules.version);
            let rules = rules.rules.len();
            tracing::info!(%file, rules, %version, "rules are taken into use");
        }
        self.metrics.rules_stale.set(0);
        self.conditions.set(Condition::Rules, None);
        self.current.set(loaded);
        Reloaded::Settled
    }

    fn stale(&self, why: String) {
        self.metrics.rules_stale.set(1);
        self.conditions.set(Condition::Rules, Some(why));
    }
}

/// Result of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reloaded {
    /// The rules were accepted, or rejected for their errors.
    Settled,
    /// The rules are valid, but could not be stored and are not in use yet.
    NotStored,
}

/// Computes a fingerprint that changes when a file changes or becomes unreadable, and with each event
/// of a template.
pub(super) fn fingerprint(config: &Config, events: &[AccountStatusEvent]) -> u64 {
    let mut hasher = DefaultHasher::new();
    events.hash(&mut hasher);
    let rules_files = config.numbers.iter();
    let rules_files = rules_files.filter_map(|number| number.rules.as_ref());
    for file in std::iter::once(&config.rules.file).chain(rules_files) {
        match RulesFiles::read(file) {
            Ok(files) => {
                files.sources.text().hash(&mut hasher);
                let templates = serde_json::to_string(&files.templates);
                templates.unwrap_or_default().hash(&mut hasher);
            }
            Err(error) => format!("{error:#}").hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// SIGHUP, the signal that requests a reload.
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn wait(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal {
            signal.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Current, Reload, fingerprint};
    use crate::app::rulebook::Rulebook;
    use crate::clock::Clock;
    use crate::config;
    use crate::config::{Config, Sources};
    use crate::store::Store;

    fn config(folder: &tempfile::TempDir) -> Config {
        let text =
            "webhook = { app_secrets = \"a\", verify_token = \"v\" }\ngateway.api_key = \"k\"\n";
        config::load(&Sources {
            file: Some((folder.path().join("replyd.toml"), text.to_owned())),
            environment: Vec::new(),
        })
        .unwrap()
    }

    fn write(folder: &tempfile::TempDir, reply: &str) {
        let rules = format!("version = 1\n[[rule]]\nid = \"all\"\nreply = \"{reply}\"\n");
        std::fs::write(folder.path().join("rules.toml"), rules).unwrap();
    }

    #[tokio::test]
    async fn rules_that_could_not_be_stored_are_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "old");
        let url = format!("sqlite:{}", folder.path().join("replyd.db").display());
        let writable = Store::open(&url).await.unwrap();
        let config = config(&folder);
        let at_start = fingerprint(&config, &[]);
        let current = Arc::new(Current::new(Rulebook::load(&config, &[]).unwrap()));
        let version = || {
            let rules = current.get();
            rules.files().next().unwrap().1.version.clone()
        };
        let old = version();
        let mut reload = Reload {
            current: Arc::clone(&current),
            config,
            // A store that cannot write.
            store: Store::open_read_only(&url).await.unwrap(),
            clock: Clock::System,
            metrics: Arc::default(),
            conditions: Arc::default(),
            at_start,
        };
        write(&folder, "new");

        let seen = reload.reload_if_changed(Some(at_start)).await;
        assert_eq!((seen, version()), (None, old.clone()));
        assert_eq!(reload.metrics.rules_stale.get(), 1);

        reload.store = writable;
        let seen = reload.reload_if_changed(seen).await;
        assert_eq!(seen, Some(fingerprint(&reload.config, &[])));
        assert_ne!(version(), old);
        assert_eq!(reload.metrics.rules_stale.get(), 0);
    }
}

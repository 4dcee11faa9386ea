//! Takes changed rules into use while the service runs.
//!
//! The whole set is checked first; while it does not pass, the last good rules go on answering, and that is visible in the
//! log, in `/readyz` and in the metrics. Each decision uses one version from its beginning to its end.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::sleep;

use super::rulebook::Rulebook;
use super::rules_files::RulesFiles;
use crate::clock::Clock;
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::telemetry::Metrics;

/// The files are read this often. Reading tells more than watching: it works on every file system and over links.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The rules that answer now.
#[derive(Debug)]
pub(super) struct Current(RwLock<Arc<Rulebook>>);

impl Current {
    pub(super) fn of(rulebook: Rulebook) -> Self {
        Self(RwLock::new(Arc::new(rulebook)))
    }

    /// The rules for one decision.
    pub(super) fn get(&self) -> Arc<Rulebook> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn set(&self, rulebook: Rulebook) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(rulebook);
    }
}

/// The worker.
pub(super) struct Reload {
    pub(super) current: Arc<Current>,
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
}

impl Reload {
    /// Works until told to stop.
    pub(super) async fn run(self, shutdown: Shutdown) {
        let stop = async {
            tokio::select! {
                () = shutdown.soft.cancelled() => {}
                () = shutdown.hard.cancelled() => {}
            }
        };
        tokio::select! {
            biased;
            () = stop => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        let mut asked = Hangup::listen();
        // What the files said when they were looked at last; the start has read them.
        let mut seen = self.fingerprint();
        loop {
            let told = tokio::select! {
                () = sleep(LOOK_EVERY) => false,
                () = asked.wait() => true,
            };
            let now = self.fingerprint();
            if now != seen || told {
                seen = now;
                self.reload().await;
            }
        }
    }

    /// Changes when one of the files does, or cannot be read any more.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let own = self.config.numbers.iter();
        let own = own.filter_map(|number| number.rules.as_ref());
        for file in std::iter::once(&self.config.rules.file).chain(own) {
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

    async fn reload(&self) {
        let loaded = match Rulebook::load(&self.config) {
            Ok(loaded) => loaded,
            Err(error) => {
                self.metrics.rules_stale.set(1);
                tracing::error!(
                    error = format!("{error:#}"),
                    "changed rules are not taken; the last good ones go on answering"
                );
                return;
            }
        };
        // An answer must never name a version whose text is not kept.
        for (_, rules) in loaded.files() {
            let kept = self
                .store
                .record_rules(&rules.version, &rules.source, self.clock.now());
            if let Err(error) = kept.await {
                self.metrics.rules_stale.set(1);
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "changed rules could not be stored; they are not taken"
                );
                return;
            }
        }
        for (file, rules) in loaded.files() {
            let (file, version) = (file.display(), &rules.version);
            let rules = rules.rules.len();
            tracing::info!(%file, rules, %version, "rules are taken into use");
        }
        self.metrics.rules_stale.set(0);
        self.current.set(loaded);
    }
}

/// The signal by which people ask a service to read its files again.
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

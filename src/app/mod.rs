//! Composition root: builds every part from a [`Config`] and runs them together.
//!
//! No work of a part is done here. The path of a message through the parts begins at
//! [`crate::web`].

mod account_monitor;
mod maintenance;
mod media_folder;
mod reload;
mod rulebook;
pub mod rules_loader;
mod supervisor;
mod write_probe;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::actions::ActionExecutor;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::{Downloader, Gateway, GatewayError, Hosts};
use crate::intake;
use crate::intake::Intake;
use crate::shutdown::Shutdown;
use crate::store::{Decide, MediaPolicy, Store};
use crate::telemetry::{Conditions, HealthSignals, Metrics, RateLimitedLog};
use crate::web;
use crate::web::{Health, Limits, TrustedProxies, Webhook};
use crate::whatsapp::signature;
use crate::workers::outbox;
use crate::workers::outbox::{Delivery, DeliverySettings};
use crate::workers::{MediaDownloader, Timers, TimersAndActions};

use account_monitor::{AccountMonitor, Reported};
use maintenance::Maintenance;
use reload::{Current, Reload};
use rulebook::Rulebook;
use supervisor::Supervisor;
use write_probe::WriteProbe;

/// Length of the system's queue of connections to accept. With tokio's 128 a burst fills the queue,
/// and a rejected client retries only after a second.
const CONNECTION_QUEUE: u32 = 4_096;

/// Service that is ready to run: database open, rules valid, ports bound.
#[derive(Debug)]
pub struct App {
    config: Config,
    clock: Clock,
    store: Store,
    gateway: Gateway,
    downloader: Downloader,
    executor: Arc<ActionExecutor>,
    metrics: Arc<Metrics>,
    rules: Arc<Current>,
    conditions: Arc<Conditions>,
    health_signals: Arc<HealthSignals>,
    /// Fingerprint of the rules files from before they were read: see [`reload::fingerprint`].
    at_start: u64,
    public: TcpListener,
    admin: TcpListener,
    addresses: Addresses,
    /// Limits of the public listener.
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
struct Addresses {
    webhook: SocketAddr,
    admin: SocketAddr,
}

impl App {
    /// Compiles the rules, opens the database and binds both listeners.
    ///
    /// # Errors
    /// When a rules file does not pass the check (the error shows every diagnostic), the database
    /// cannot be opened or is in use, or an address is taken.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let limits = Limits::default();
        let connections =
            web::connections_within_limit(web::raise_open_file_limit(), limits.connections)?;
        // Rules first: a mistake in them must not leave a new database behind. The fingerprint
        // comes before them, so that a change made meanwhile is noticed.
        let mut at_start = reload::fingerprint(&config, &[]);
        let mut rulebook = Rulebook::load(&config, &[])?;
        let gateway = Gateway::new(&config.gateway).context("could not set up the gateway")?;
        let downloader = downloader(&config).context("could not set up the fetching of files")?;
        let executor = ActionExecutor::new(&config.actions, config.model.as_ref())
            .context("could not set up the client of actions")?;
        if config.media.download {
            media_folder::check(&config.media.folder)?;
        }
        let store = Store::open(&config.database.url)
            .await
            .with_context(|| format!("could not open database `{}`", config.database.url))?;
        let events = store.template_status_events().await;
        let events = events.context("could not read the account events about templates")?;
        if !events.is_empty() {
            at_start = reload::fingerprint(&config, &events);
            rulebook = Rulebook::load(&config, &events)?;
        }
        for (_, rules) in rulebook.files() {
            store
                .record_rules(&rules.version, &rules.source, clock.now())
                .await
                .context("could not store the text of the rules")?;
        }
        store
            .record_secrets(
                &signature::fingerprint(&config.webhook.app_secrets),
                clock.now(),
            )
            .await
            .context("could not store which app secrets are in use")?;
        let public = bind(config.server.listen, "server.listen")?;
        let admin = bind(config.admin.listen, "admin.listen")?;
        let addresses = Addresses {
            webhook: public.local_addr().context("a listener has no address")?,
            admin: admin.local_addr().context("a listener has no address")?,
        };
        Ok(Self {
            config,
            clock,
            store,
            gateway,
            downloader,
            executor: Arc::new(executor),
            metrics: Arc::new(Metrics::default()),
            rules: Arc::new(Current::new(rulebook)),
            conditions: Arc::default(),
            health_signals: Arc::default(),
            at_start,
            public,
            admin,
            addresses,
            limits: limits.with_connections(connections),
        })
    }

    /// Address of the webhook listener.
    #[must_use]
    pub fn webhook_address(&self) -> SocketAddr {
        self.addresses.webhook
    }

    /// Address of the admin listener.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.addresses.admin
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Every counter of this application.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Serves until `shutdown`.
    ///
    /// A soft stop lets requests, commits and sends in flight finish; a hard one returns at once.
    ///
    /// # Errors
    /// When a part ends or panics by itself (the others are stopped softly first), and on a hard
    /// stop.
    pub async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        self.announce();
        let store = self.store.clone();
        let wake = Arc::new(Notify::new());
        let maintenance = Maintenance {
            store: store.clone(),
            conditions: Arc::clone(&self.conditions),
            wake: Arc::clone(&wake),
        };
        let begun = maintenance.begin().await;
        begun.context("could not ask whether the database is held")?;
        // The admin listener stays open while the rest stops, so that the stop can be observed.
        let finished = CancellationToken::new();
        let mut monitor = self.monitor();
        monitor.begin().await;
        let write_probe = WriteProbe {
            store: store.clone(),
            conditions: Arc::clone(&self.conditions),
        };
        let mut tasks = self.start(&shutdown, &finished, wake);
        tasks.start("write probe", write_probe.run(shutdown.clone()));
        tasks.start("account monitor", monitor.run(shutdown.clone()));
        tasks.start("maintenance", maintenance.run(shutdown.clone()));
        let stopped = tokio::select! {
            biased;
            () = shutdown.hard.cancelled() => {
                anyhow::bail!("stopped at once by a second signal; what was begun goes on at the next start");
            }
            stopped = tasks.run(&shutdown.soft, &finished) => stopped,
        };
        store.close().await;
        tracing::info!("stopped");
        // A fault of the database explains more than the end of a task.
        match store.outage().filter(|outage| outage.fault.is_final()) {
            Some(outage) => anyhow::bail!("database: {}", outage.fault.sentence()),
            None => stopped,
        }
    }

    fn start(
        self,
        shutdown: &Shutdown,
        finished: &CancellationToken,
        wake: Arc<Notify>,
    ) -> Supervisor {
        let files = self.files();
        let rules = Arc::clone(&self.rules);
        let reload = self.reload();
        let decide: Arc<Decide> = Arc::new(move |conversation, incoming, now| {
            rules.get().decide(conversation, incoming, now)
        });
        let timers = Timers {
            store: self.store.clone(),
            decide: Arc::clone(&decide),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            wake: Arc::clone(&wake),
            reply_expires_after: self.config.delivery.give_up_after,
        };
        let timers_and_actions = TimersAndActions::new(timers, Arc::clone(&self.executor));
        let (delivery, direct) = Delivery::new(self.outbox());
        let (intake, committing) = Intake::start(intake::Parts {
            direct,
            undelivered: RateLimitedLog::default(),
            store: self.store.clone(),
            decide,
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            health_signals: self.health_signals,
            wake: Arc::clone(&wake),
            reply_expires_after: self.config.delivery.give_up_after,
            files: media_policy(&self.config),
        });
        let health = Health {
            store: self.store,
            clock: self.clock,
            metrics: Arc::clone(&self.metrics),
            conditions: self.conditions,
            stopping: shutdown.soft.clone(),
        };
        let metrics = Arc::clone(&self.metrics);
        let webhook = Webhook::new(&self.config.webhook, self.limits, intake, metrics);
        let public = web::Server {
            listener: self.public,
            router: web::public(&self.config.webhook.path, webhook, health.clone()),
            limits: self.limits,
            proxies: TrustedProxies::new(&self.config.server.trusted_proxies),
            metrics: Arc::clone(&self.metrics),
        };
        let mut tasks = Supervisor::default();
        tasks.start("webhook listener", public.serve(shutdown.soft.clone()));
        tasks.start("intake", async move {
            if let Err(error) = committing.await {
                std::panic::resume_unwind(error.into_panic());
            }
        });
        tasks.start("delivery", delivery.run(wake, shutdown.clone()));
        tasks.start("reload", reload.run(shutdown.clone()));
        tasks.start(
            "timers and actions",
            timers_and_actions.run(shutdown.clone()),
        );
        if let Some(files) = files {
            tasks.start("files", files.run(shutdown.clone()));
        }
        let router = web::admin(health, self.config.admin.hosts);
        let admin = web::Server::for_the_owner(self.admin, router, self.limits, self.metrics);
        tasks.start_last("admin listener", admin.serve(finished.clone()));
        tasks
    }

    /// Parts of the outbox worker.
    fn outbox(&self) -> outbox::Parts {
        outbox::Parts {
            store: self.store.clone(),
            gateway: self.gateway.clone(),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            conditions: Arc::clone(&self.conditions),
            settings: delivery_settings(&self.config),
        }
    }

    /// Builds the worker that watches the account and the clock.
    fn monitor(&self) -> AccountMonitor {
        AccountMonitor {
            store: self.store.clone(),
            gateway: self.gateway.clone(),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            conditions: Arc::clone(&self.conditions),
            health_signals: Arc::clone(&self.health_signals),
            reported: Reported::default(),
        }
    }

    /// Builds the worker that reloads rules.
    fn reload(&self) -> Reload {
        Reload {
            current: Arc::clone(&self.rules),
            config: self.config.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            conditions: Arc::clone(&self.conditions),
            at_start: self.at_start,
        }
    }

    /// Builds the worker that downloads contacts' media, if configured.
    fn files(&self) -> Option<MediaDownloader> {
        self.config.media.download.then(|| MediaDownloader {
            store: self.store.clone(),
            gateway: self.gateway.clone(),
            downloader: self.downloader.clone(),
            clock: self.clock.clone(),
            folder: self.config.media.folder.clone(),
            max_bytes: self.config.media.max_bytes,
        })
    }

    fn announce(&self) {
        let host = reqwest::Url::parse(&self.config.gateway.base_url)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default();
        tracing::info!(
            address = %self.addresses.webhook,
            path = self.config.webhook.path,
            "listening for webhooks"
        );
        tracing::info!(address = %self.addresses.admin, "listening for metrics and health");
        tracing::info!(url = self.config.database.url, "database is open");
        for (file, rules) in self.rules.get().files() {
            tracing::info!(
                file = %file.display(),
                rules = rules.rules.len(),
                version = %rules.version,
                "rules are loaded"
            );
        }
        tracing::info!(preset = %self.config.gateway.preset, host, "gateway is set");
        if self.config.media.download {
            let folder = self.config.media.folder.display();
            tracing::info!(%folder, "files that people send are fetched");
        }
        let numbers = self.config.numbers.len();
        if numbers == 0 {
            tracing::info!(
                "messages to every number are answered: none is listed under [[number]]"
            );
        } else {
            tracing::info!(numbers, "messages to the listed numbers are answered");
        }
    }
}

fn media_policy(config: &Config) -> MediaPolicy {
    if config.media.download {
        MediaPolicy::Download
    } else {
        MediaPolicy::Ignore
    }
}

fn delivery_settings(config: &Config) -> DeliverySettings {
    DeliverySettings {
        messages_per_second: config.delivery.messages_per_second,
        requests_per_second: config.gateway.requests_per_second,
        max_in_flight: config.delivery.max_in_flight,
        lease: config.delivery.lease,
        unknown_wait: config.delivery.unknown_wait,
    }
}

fn downloader(config: &Config) -> Result<Downloader, GatewayError> {
    let gateway = &config.gateway;
    let hosts = Hosts::beside(&gateway.base_url);
    Downloader::new(config.media.token.as_ref(), hosts, gateway.timeout)
}

fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    let bound = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // Lets the port be bound right after a stop; on Windows it would let other programs take
        // it.
        socket.set_reuseaddr(cfg!(not(windows)))?;
        socket.bind(address)?;
        socket.listen(CONNECTION_QUEUE)
    };
    bound().with_context(|| format!("could not listen on {address} ({key})"))
}

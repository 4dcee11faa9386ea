//! A whole service in the test's process, wired to a pretend WhatsApp over real sockets.

pub(crate) mod bodies;
pub(crate) mod commands;
#[cfg(target_os = "linux")]
pub(crate) mod served;
pub(crate) mod test_cli;

use std::path::PathBuf;
use std::time::Duration;

use replyd::app::App;
use replyd::clock::Clock;
use replyd::config;
use replyd::config::Sources;
use replyd::message::PhoneNumberId;
use replyd::sandbox::{Receipts, Sandbox, Settings};
use replyd::shutdown::Shutdown;
use replyd::store::{Store, TranscriptMessage};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const APP_SECRET: &str = "test-app-secret";
pub(crate) const API_KEY: &str = "test-api-key";
/// The number people write to, and two more.
pub(crate) const NUMBERS: [&str; 3] = ["106540000000001", "106540000000002", "106540000000003"];
/// A person.
pub(crate) const ANA: &str = "15550000001";
/// What is waited for comes within milliseconds; this long passes only when something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers every message, so that nothing hides behind silence; the budget is out of the way.
pub(crate) const ECHO: &str = r#"
version = 1
[bot]
reply_budget = { per_minute = 1000, per_hour = 1000 }
loop_guard = 1000
[[rule]]
id = "echo"
reply = "you said {{ message.text }}"
"#;

/// Service, pretend WhatsApp and database of one test.
pub(crate) struct TestApp {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    folder: TempDir,
    running: Option<Running>,
    extra: &'static str,
}

struct Running {
    webhook: String,
    admin: std::net::SocketAddr,
    store: Store,
    shutdown: Shutdown,
    task: JoinHandle<anyhow::Result<()>>,
}

/// How a test wants its service.
pub(crate) struct Options {
    pub(crate) rules: &'static str,
    pub(crate) receipts: Receipts,
    pub(crate) clock: Clock,
    /// More lines of configuration.
    pub(crate) extra: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        let (receipts, clock) = (Receipts::Normal, Clock::System);
        Self {
            rules: ECHO,
            receipts,
            clock,
            extra: "",
        }
    }
}

impl TestApp {
    pub(crate) async fn start(rules: &'static str) -> Self {
        Self::with(Options {
            rules,
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.toml"), options.rules).unwrap();
        let sandbox = start_sandbox(options.clock.clone(), options.receipts).await;
        let (clock, extra) = (options.clock, options.extra);
        let mut app = Self {
            sandbox,
            clock,
            folder,
            running: None,
            extra,
        };
        app.run().await;
        app
    }

    /// The configuration as a file would have it.
    pub(crate) fn config(&self) -> String {
        format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
             [database]\nurl = \"sqlite:{}\"\n\
             [webhook]\napp_secrets = [\"{APP_SECRET}\"]\nverify_token = \"test-token\"\n\
             [gateway]\npreset = \"graph\"\nbase_url = \"{}\"\napi_key = \"{API_KEY}\"\ntimeout = \"5s\"\n\
             [rules]\nfile = \"rules.toml\"\n{}",
            self.database().display(),
            self.sandbox.base_url(),
            self.extra,
        )
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts it, on the database that is there.
    pub(crate) async fn run(&mut self) {
        let file = Some((self.folder.path().join("replyd.toml"), self.config()));
        let config = config::load(&Sources {
            file,
            environment: Vec::new(),
        })
        .unwrap();
        let app = App::build(config, self.clock.clone()).await.unwrap();
        let webhook = app.webhook_address();
        let (admin, store) = (app.admin_address(), app.store().clone());
        let webhook = format!("http://{webhook}/webhook");
        self.sandbox.connect(&webhook);
        let shutdown = Shutdown::default();
        let task = tokio::spawn(app.run(shutdown.clone()));
        self.running = Some(Running {
            webhook,
            admin,
            store,
            shutdown,
            task,
        });
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Where Meta's webhook arrives.
    pub(crate) fn webhook(&self) -> &str {
        &self.running().webhook
    }

    pub(crate) fn store(&self) -> &Store {
        &self.running().store
    }

    /// Stops softly, as the first SIGTERM does.
    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.soft.cancel();
        running.task.await.unwrap().unwrap();
    }

    /// Stops at once, in the middle of whatever is under way.
    pub(crate) async fn kill(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.hard.cancel();
        running.task.await.unwrap().unwrap_err();
        drop(running.store);
        // Its tasks are gone once they have been scheduled once more; then the database is free.
        let url = format!("sqlite:{}", self.database().display());
        let free = async {
            while Store::open(&url).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, free).await.unwrap();
    }

    /// Where the owner's listener is.
    pub(crate) fn admin(&self) -> std::net::SocketAddr {
        self.running().admin
    }

    /// What `/metrics` shows.
    pub(crate) async fn metrics(&self) -> String {
        crate::raw_http::get(self.running().admin, "/metrics")
            .await
            .body
    }

    /// Stops softly and starts again on the same database.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// Posts a signed body; gives the HTTP status.
    pub(crate) async fn post(&self, body: &str) -> u16 {
        self.sandbox.post(body).await
    }

    /// Waits until nothing is left to be sent.
    #[track_caller]
    pub(crate) fn drained(&self) -> impl Future<Output = ()> {
        self.until("an empty outbox", |store| async move {
            (store.count_unsent().await.unwrap() == 0).then_some(())
        })
    }

    /// Waits until a question to the database has an answer.
    #[track_caller]
    pub(crate) fn until<T, A>(
        &self,
        what: &str,
        mut ask: impl FnMut(Store) -> A,
    ) -> impl Future<Output = T>
    where
        A: Future<Output = Option<T>>,
    {
        let place = std::panic::Location::caller();
        async move {
            let asking = async {
                loop {
                    if let Some(answer) = ask(self.store().clone()).await {
                        break answer;
                    }
                    // Each question is a round trip to the database: this does not spin for
                    // nothing.
                    tokio::task::yield_now().await;
                }
            };
            let answer = tokio::time::timeout(PATIENCE, asking).await;
            assert!(answer.is_ok(), "{place}: waited in vain for {what}");
            answer.unwrap()
        }
    }

    /// The only conversation of this person, oldest message first.
    pub(crate) async fn transcript(&self, phone: &str) -> Vec<TranscriptMessage> {
        transcript(self.store(), phone).await
    }

    /// Waits until every message of ours to this person has been read.
    #[track_caller]
    pub(crate) fn all_read(
        &self,
        phone: &'static str,
    ) -> impl Future<Output = Vec<TranscriptMessage>> {
        self.until("receipts of every message", move |store| async move {
            let entries = transcript(&store, phone).await;
            let mut ours = entries.iter().filter(|entry| entry.direction == "out");
            ours.all(|entry| entry.delivery_status.as_deref() == Some("read"))
                .then_some(entries)
        })
    }
}

/// A pretend WhatsApp that knows our numbers and key.
pub(crate) async fn start_sandbox(clock: Clock, receipts: Receipts) -> Sandbox {
    let numbers = NUMBERS.into_iter().filter_map(PhoneNumberId::parse);
    let sandbox = Sandbox::start(Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        app_secret: APP_SECRET.into(),
        api_key: API_KEY.into(),
        numbers: numbers.collect(),
        clock,
        receipts,
    });
    sandbox.await.unwrap()
}

/// Every message with this person, oldest first.
pub(crate) async fn transcript(store: &Store, phone: &str) -> Vec<TranscriptMessage> {
    let found = store.conversations(Some(phone), 2).await.unwrap();
    assert!(found.len() < 2, "several conversations");
    match found.first() {
        Some(one) => store.transcript(one.id, 100_000).await.unwrap(),
        None => Vec::new(),
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown.hard.cancel();
        }
    }
}

/// What one side said, as lines.
pub(crate) fn texts<'a>(entries: &'a [TranscriptMessage], direction: &str) -> Vec<&'a str> {
    let said = entries.iter().filter(|entry| entry.direction == direction);
    said.map(|entry| entry.text.as_str()).collect()
}

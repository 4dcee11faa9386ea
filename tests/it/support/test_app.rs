//! A whole service in the test's process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use replyd::app::App;
use replyd::clock::Clock;
use replyd::config;
use replyd::config::Sources;
use replyd::sandbox::{Receipts, Request, Sandbox, State};
use replyd::shutdown::Shutdown;
use replyd::store::{Store, TranscriptMessage};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::run::{self, Run};
use super::served::Served;
use super::{ECHO, PATIENCE, in_time, service_config, start_sandbox, texts, transcript};
use crate::raw_http;
use crate::sqlite;

/// Service, sandbox and database of one test.
pub(crate) struct TestApp {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    folder: TempDir,
    running: Option<Running>,
    config: String,
}

struct Running {
    webhook: String,
    admin: SocketAddr,
    store: Store,
    shutdown: Shutdown,
    task: JoinHandle<anyhow::Result<()>>,
}

/// Settings of a [`TestApp`] that is about to start; without any, it echoes.
pub(crate) struct Builder {
    rules: String,
    config: String,
    clock: Clock,
    receipts: Receipts,
}

impl Builder {
    /// Replaces the echo by these rules.
    pub(crate) fn rules(self, rules: impl Into<String>) -> Self {
        let rules = rules.into();
        Self { rules, ..self }
    }

    /// Adds lines of configuration.
    pub(crate) fn config(mut self, lines: &str) -> Self {
        self.config += lines;
        self
    }

    /// Gives it a clock that stands still until the test advances it.
    pub(crate) fn at(self, now: jiff::Timestamp) -> Self {
        let clock = Clock::manual(now);
        Self { clock, ..self }
    }

    /// Sets the receipts that the sandbox sends for each message.
    pub(crate) fn receipts(self, receipts: Receipts) -> Self {
        Self { receipts, ..self }
    }

    /// Writes rules and configuration into a new folder and starts the service and its sandbox.
    pub(crate) async fn start(self) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = start_sandbox(self.clock.clone(), self.receipts).await;
        let config = service_config(&folder.path().join("test.db"), &sandbox) + &self.config;
        std::fs::write(folder.path().join("rules.toml"), self.rules).unwrap();
        std::fs::write(folder.path().join("replyd.toml"), &config).unwrap();
        let mut app = TestApp {
            sandbox,
            clock: self.clock,
            folder,
            running: None,
            config,
        };
        app.run().await;
        app
    }

    /// Starts and stops it, so that its folder has a database.
    pub(crate) async fn stopped(self) -> TestApp {
        let mut app = self.start().await;
        app.stop().await;
        app
    }
}

impl TestApp {
    /// Begins a service that echoes, by the time of the machine.
    pub(crate) fn builder() -> Builder {
        Builder {
            rules: ECHO.to_owned(),
            config: String::new(),
            clock: Clock::System,
            receipts: Receipts::Normal,
        }
    }

    /// Starts a service with these rules.
    pub(crate) async fn start(rules: impl Into<String>) -> Self {
        Self::builder().rules(rules).start().await
    }

    /// The configuration, which stands in `replyd.toml` too.
    pub(crate) fn config(&self) -> &str {
        &self.config
    }

    /// File of its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path("test.db")
    }

    /// Folder with its configuration, rules and database.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Path of a file in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file of its folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Starts it, on the database that is there.
    pub(crate) async fn run(&mut self) {
        let file = Some((self.path("replyd.toml"), self.config.clone()));
        let environment = Vec::new();
        let config = config::load(&Sources { file, environment }).unwrap();
        let app = App::build(config, self.clock.clone()).await.unwrap();
        let webhook = format!("http://{}/webhook", app.webhook_address());
        let (admin, store) = (app.admin_address(), app.store().clone());
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

    /// Address of the public listener.
    pub(crate) fn public(&self) -> SocketAddr {
        self.webhook().split('/').nth(2).unwrap().parse().unwrap()
    }

    /// Address of the owner's listener.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.running().admin
    }

    /// Store that it works on.
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
        in_time("a free database", free).await;
    }

    /// Stops softly and starts again on the same database.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// Serves the folder by a process of its own, which takes the webhooks of the sandbox.
    pub(crate) async fn served(&self) -> Served {
        self.served_by(run::command(self.folder()).arg("serve"))
            .await
    }

    /// The same by another command.
    pub(crate) async fn served_by(&self, command: &mut Command) -> Served {
        let served = Served::spawn(command).await;
        self.sandbox.connect(served.webhook());
        served
    }

    /// Runs `replyd LINE` in the folder of the service.
    pub(crate) async fn replyd(&self, line: &str) -> Run {
        run::replyd(self.folder(), line).await
    }

    /// The same with the database named on the command line, and times in UTC.
    pub(crate) async fn looks_back(&self, line: &str) -> Run {
        let database = format!("sqlite:{}", self.database().display());
        let mut command = run::command(self.folder());
        command.args(run::arguments(line));
        command.args(["--timezone", "UTC", "--database", &database]);
        Run::new(line, &mut command).await
    }

    /// Body of `/readyz` as the owner sees it.
    pub(crate) async fn readiness(&self) -> String {
        raw_http::get(self.admin(), "/readyz").await.body
    }

    /// Body of `/metrics`.
    pub(crate) async fn metrics(&self) -> String {
        raw_http::get(self.admin(), "/metrics").await.body
    }

    /// Number that a query of the database gives.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        sqlite::number(&self.database(), query).await
    }

    /// Posts a signed body; gives the HTTP status.
    pub(crate) async fn post(&self, body: &str) -> u16 {
        self.sandbox.post(body).await
    }

    /// Posts a signed body, which must be answered with 200.
    #[track_caller]
    pub(crate) fn accept(&self, body: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move { assert_eq!(self.post(body).await, 200, "{place}") }
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

    /// Waits until the messages with this contact fit; gives what `fits` makes of them.
    #[track_caller]
    pub(crate) fn until_transcript<T>(
        &self,
        what: &str,
        phone: &'static str,
        fits: impl Fn(Vec<TranscriptMessage>) -> Option<T> + Copy,
    ) -> impl Future<Output = T> {
        self.until(what, move |store| async move {
            fits(transcript(&store, phone).await)
        })
    }

    /// Waits until the database has this many outbound messages to a contact; gives their texts.
    #[track_caller]
    pub(crate) fn answers(
        &self,
        phone: &'static str,
        count: usize,
    ) -> impl Future<Output = Vec<String>> {
        self.until_transcript("answers", phone, move |messages| {
            let answers = texts(&messages, "out").into_iter().map(str::to_owned);
            let answers: Vec<String> = answers.collect();
            (answers.len() >= count).then_some(answers)
        })
    }

    /// Waits until the phone of a contact shows this many replies; gives all it shows.
    #[track_caller]
    pub(crate) fn until_replies(
        &self,
        phone: &str,
        count: usize,
    ) -> impl Future<Output = Vec<String>> {
        self.sandbox.wait_for("replies", move |state| {
            let replies = replies(state, phone);
            (replies.len() >= count).then_some(replies)
        })
    }

    /// Waits until the phone of a contact shows a button or row with this id.
    #[track_caller]
    pub(crate) fn until_option(&self, phone: &str, id: &str) -> impl Future<Output = ()> {
        self.sandbox.wait_for("an option", move |state| {
            state.option(phone, id).map(|_| ())
        })
    }

    /// Waits until this many messages of contacts have been answered with 200.
    #[track_caller]
    pub(crate) fn until_acknowledged(&self, count: usize) -> impl Future<Output = ()> {
        self.sandbox.wait_for("more messages", move |state| {
            (state.acknowledged.len() >= count).then_some(())
        })
    }

    /// Waits until a send is stalled by `Fault::Stall`.
    #[track_caller]
    pub(crate) fn until_stalled(&self) -> impl Future<Output = ()> {
        let stalled = |state: &State| state.stalled().then_some(());
        self.sandbox.wait_for("a send under way", stalled)
    }

    /// Waits until every outbound message to this contact has been read.
    #[track_caller]
    pub(crate) fn until_read(
        &self,
        phone: &'static str,
    ) -> impl Future<Output = Vec<TranscriptMessage>> {
        self.until_transcript("receipts of every message", phone, |messages| {
            let mut outbound = messages.iter().filter(|message| message.direction == "out");
            outbound
                .all(|message| message.delivery_status.as_deref() == Some("read"))
                .then_some(messages)
        })
    }

    /// Texts of the business that the phone of a contact shows.
    pub(crate) fn replies(&self, phone: &str) -> Vec<String> {
        self.sandbox.look(|state| replies(state, phone))
    }

    /// Bodies of the messages that the sandbox accepted.
    pub(crate) fn accepted(&self) -> Vec<Value> {
        let body = |request: &Request| request.body.clone();
        self.sandbox
            .look(|state| state.accepted().map(body).collect())
    }

    /// Number of messages and read marks that reached the sandbox.
    pub(crate) fn requests(&self) -> usize {
        self.sandbox.look(|state| state.requests.len())
    }

    /// Messages of the only conversation with this contact, oldest first.
    pub(crate) async fn transcript(&self, phone: &str) -> Vec<TranscriptMessage> {
        transcript(self.store(), phone).await
    }

    /// Decisions on the messages of this contact, oldest first.
    pub(crate) async fn decisions(&self, phone: &str) -> Vec<String> {
        let messages = self.transcript(phone).await.into_iter();
        messages.filter_map(|message| message.decision).collect()
    }
}

fn replies(state: &State, phone: &str) -> Vec<String> {
    let replies = state.replies(phone).into_iter();
    replies.map(str::to_owned).collect()
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown.hard.cancel();
        }
    }
}

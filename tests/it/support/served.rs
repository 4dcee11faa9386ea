//! The service as a process of its own, on a database of the test's choice.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use replyd::sandbox::{Receipts, Sandbox};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::{API_KEY, APP_SECRET, ECHO, bodies, start_sandbox};
use crate::raw_http;
use crate::sqlite;

/// What is waited for comes within seconds; this long passes only when something is broken.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process that serves, its pretend WhatsApp, and everything it has logged.
pub(crate) struct Served {
    pub(crate) sandbox: Sandbox,
    pub(crate) child: Child,
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) database: PathBuf,
    logs: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
    /// Ids of messages that were answered with 200.
    pub(crate) acknowledged: Vec<String>,
    posted: usize,
}

impl Served {
    /// Writes configuration and rules into the folder and starts the service, which outlives a
    /// signal for files that grow too large, as it does under a service manager that ignores it.
    pub(crate) async fn start(folder: &Path, database: &Path) -> Self {
        let sandbox = start_sandbox(replyd::clock::Clock::System, Receipts::Normal).await;
        std::fs::write(folder.join("rules.toml"), ECHO).unwrap();
        std::fs::write(folder.join("replyd.toml"), config(database, &sandbox)).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" serve --config replyd.toml"])
            .arg(env!("CARGO_BIN_EXE_replyd"))
            .current_dir(folder)
            .env("REPLYD__LOG__FORMAT", "json")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut seen, mut addresses) = (String::new(), Vec::new());
        while addresses.len() < 2 {
            let line = lines.next_line().await.unwrap();
            let Some(line) = line else {
                unreachable!("it ended early: {seen}");
            };
            let fields: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = fields["address"].as_str() {
                addresses.push(address.parse().unwrap());
            }
            seen = seen + &line + "\n";
        }
        sandbox.connect(format!("http://{}/webhook", addresses[0]));
        let logs = Arc::new(Mutex::new(seen));
        let more = Arc::clone(&logs);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut logs = more.lock().unwrap();
                logs.push_str(&line);
                logs.push('\n');
            }
        });
        Self {
            sandbox,
            child,
            public: addresses[0],
            admin: addresses[1],
            database: database.to_owned(),
            logs,
            reading,
            acknowledged: Vec::new(),
            posted: 0,
        }
    }

    /// Posts a new signed message once; gives the status, 0 when nobody answers.
    pub(crate) async fn post(&mut self) -> u16 {
        self.posted += 1;
        let wamid = format!("wamid.{}", self.posted);
        let person = format!("1555{:07}", self.posted);
        let message = bodies::text(&person, &wamid, &"long ".repeat(200));
        let status = self.sandbox.post(bodies::of_messages(&[message])).await;
        if status == 200 {
            self.acknowledged.push(wamid);
        }
        status
    }

    /// What the owner is told.
    pub(crate) async fn readiness(&self) -> String {
        raw_http::get(self.admin, "/readyz").await.body
    }

    /// Waits until the owner is told this; strangers are told no more than the first word.
    pub(crate) async fn until(&self, wanted: &str) {
        let mut told = String::new();
        let asking = async {
            while told != wanted {
                told = self.readiness().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, asking).await;
        assert!(
            in_time.is_ok(),
            "not `{wanted}` but `{told}`: {}",
            self.logs()
        );
        let word = wanted.lines().next().unwrap();
        let public = raw_http::get(self.public, "/readyz").await;
        assert_eq!(public.body, format!("{word}\n"));
        assert_eq!(public.status, if word == "ready" { 200 } else { 503 });
    }

    /// Waits until a question to the database gives something else than 0.
    pub(crate) async fn until_stored(&self, query: &'static str) {
        let asking = async { while sqlite::number(&self.database, query).await == 0 {} };
        let in_time = tokio::time::timeout(PATIENCE, asking).await;
        assert!(in_time.is_ok(), "never so: {query}: {}", self.logs());
    }

    pub(crate) fn logs(&self) -> String {
        self.logs.lock().unwrap().clone()
    }

    /// How many lines it has logged with this message.
    pub(crate) fn logged(&self, message: &str) -> usize {
        let wanted = format!("\"message\":\"{message}");
        self.logs().matches(&wanted).count()
    }

    /// Waits until it has ended by itself; gives its exit code and what it said.
    pub(crate) async fn ended(&mut self) -> (Option<i32>, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("it ends by itself").unwrap();
        (&mut self.reading).await.unwrap();
        (status.code(), self.logs())
    }
}

pub(crate) fn config(database: &Path, sandbox: &Sandbox) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [database]\nurl = \"sqlite:{}\"\n\
         [webhook]\napp_secrets = [\"{APP_SECRET}\"]\nverify_token = \"test-token\"\n\
         [gateway]\npreset = \"graph\"\nbase_url = \"{}\"\napi_key = \"{API_KEY}\"\ntimeout = \"5s\"\n\
         [rules]\nfile = \"rules.toml\"\n[delivery]\nmessages_per_second = 1000\n",
        database.display(),
        sandbox.base_url(),
    )
}

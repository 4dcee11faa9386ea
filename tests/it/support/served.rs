//! `replyd serve` as a process of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::in_time;
use crate::raw_http;

/// A process that serves, and everything it has logged.
pub(crate) struct Served {
    pub(crate) child: Child,
    /// Where webhooks arrive.
    pub(crate) public: SocketAddr,
    /// The owner's listener.
    pub(crate) admin: SocketAddr,
    logs: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Served {
    /// Starts a command that serves, and reads its log until it does.
    pub(crate) async fn spawn(command: &mut Command) -> Self {
        command.env("REPLYD__LOG__FORMAT", "json");
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut seen, mut addresses) = (String::new(), Vec::new());
        // The last line of a start.
        while !seen.contains("gateway is set") {
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
        let logs = Arc::new(Mutex::new(seen));
        let more = Arc::clone(&logs);
        // A pipe that is not read would stop the process once it is full.
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                *more.lock().unwrap() += &(line + "\n");
            }
        });
        Self {
            child,
            public: addresses[0],
            admin: addresses[1],
            logs,
            reading,
        }
    }

    /// Address for the sandbox to send webhooks to.
    pub(crate) fn webhook(&self) -> String {
        format!("http://{}/webhook", self.public)
    }

    /// Everything it has logged so far.
    pub(crate) fn logs(&self) -> String {
        self.logs.lock().unwrap().clone()
    }

    /// Waits until it has logged this.
    pub(crate) async fn until_logged(&self, part: &str) {
        let logged = async {
            while !self.logs().contains(part) {
                assert!(!self.reading.is_finished(), "it ended: {}", self.logs());
                tokio::task::yield_now().await;
            }
        };
        in_time(part, logged).await;
    }

    /// Waits until the owner's `/readyz` has a body that fits; gives it.
    pub(crate) async fn until_ready_says(&self, fits: impl Fn(&str) -> bool) -> String {
        until_ready_says(self.admin, fits).await
    }

    /// Sends it a signal by its name without `SIG`.
    pub(crate) async fn signal(&self, name: &str) {
        signal(&self.child, name).await;
    }

    /// Waits until it has ended; gives its exit code and everything it has logged.
    pub(crate) async fn ended(&mut self) -> (Option<i32>, String) {
        let status = in_time("its end", self.child.wait()).await.unwrap();
        (&mut self.reading).await.unwrap();
        (status.code(), self.logs())
    }

    /// Stops it softly, which must go well; gives everything it has logged.
    pub(crate) async fn stop(&mut self) -> String {
        self.signal("TERM").await;
        let (code, logs) = self.ended().await;
        assert_eq!(code, Some(0), "{logs}");
        logs
    }

    /// Kills it; gives everything it has logged.
    pub(crate) async fn kill(&mut self) -> String {
        self.child.kill().await.unwrap();
        self.ended().await.1
    }
}

/// Sends a signal to a process, by its name without `SIG`.
pub(crate) async fn signal(child: &Child, name: &str) {
    let id = child.id().unwrap().to_string();
    let status = Command::new("kill").args(["-s", name, &id]).status().await;
    assert!(status.unwrap().success());
}

/// Waits until the `/readyz` of the owner's listener has a body that fits; gives it.
pub(crate) async fn until_ready_says(admin: SocketAddr, fits: impl Fn(&str) -> bool) -> String {
    let asking = async {
        loop {
            let body = raw_http::get(admin, "/readyz").await.body;
            if fits(&body) {
                break body;
            }
        }
    };
    in_time("readiness", asking).await
}

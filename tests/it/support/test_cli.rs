//! A folder with a configuration, in which commands are run against the sandbox.

use std::path::{Path, PathBuf};

use replyd::clock::Clock;
use replyd::sandbox::{Receipts, Sandbox, WABA};
use serde_json::Value;
use tempfile::TempDir;

use super::run::{self, Run};
use super::{API_KEY, NUMBERS, start_sandbox};

/// A sandbox, and a folder whose `replyd.toml` leads to it: one number, Maton's gateway.
pub(crate) struct TestCli {
    pub(crate) sandbox: Sandbox,
    folder: TempDir,
}

impl TestCli {
    /// Starts a sandbox and writes the configuration.
    pub(crate) async fn new() -> Self {
        let clock = Clock::manual("2026-11-23T15:00:00Z".parse().unwrap());
        let sandbox = start_sandbox(clock, Receipts::Never).await;
        let folder = tempfile::tempdir().unwrap();
        let url = sandbox.base_url();
        let text = format!(
            "# Luna Bakery\n[gateway]\npreset = \"maton\"   # who carries it\n\
             base_url = \"{url}\"\ncontrol_url = \"{url}\"\napi_key = \"{API_KEY}\"\n\n\
             # the only number\n[[number]]\nphone_number_id = \"{}\"\nwaba_id = \"{WABA}\"\n",
            NUMBERS[0],
        );
        let cli = Self { sandbox, folder };
        cli.write("replyd.toml", text);
        cli
    }

    /// The same with Meta's own gateway, which takes and gives files too.
    pub(crate) async fn with_graph() -> Self {
        let cli = Self::new().await;
        cli.edit("\"maton\"", "\"graph\"");
        cli
    }

    /// Replaces a part of the configuration.
    #[track_caller]
    pub(crate) fn edit(&self, part: &str, other: &str) {
        let before = self.read("replyd.toml");
        let after = before.replace(part, other);
        assert_ne!(before, after, "`{part}` is not in the configuration");
        self.write("replyd.toml", after);
    }

    /// Writes a file of the folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Reads a file of the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Folder in which the commands run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Runs `replyd LINE` in the folder.
    pub(crate) async fn replyd(&self, line: &str) -> Run {
        self.replyd_with(line, &[]).await
    }

    /// As [`Self::replyd`], with environment variables.
    pub(crate) async fn replyd_with(&self, line: &str, environment: &[(&str, &str)]) -> Run {
        let mut command = run::command(self.folder());
        command.args(run::arguments(line));
        let run = Run::new(line, command.envs(environment.iter().copied())).await;
        run.replace(&self.sandbox.base_url(), "http://gateway")
    }

    /// Runs several commands, one after the other; gives the text of a terminal.
    pub(crate) async fn session(&self, lines: &[&str]) -> String {
        let mut runs = Vec::new();
        for line in lines {
            runs.push(self.replyd(line).await.to_string());
        }
        runs.join("\n")
    }

    /// Calls that reached the account's side of the sandbox, by method, path and query.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.sandbox.look(|state| state.account.calls.clone())
    }

    /// Number of messages and read marks that reached the sandbox.
    pub(crate) fn requests(&self) -> usize {
        self.sandbox.look(|state| state.requests.len())
    }

    /// Body of the last message that the sandbox accepted.
    pub(crate) fn last_body(&self) -> Value {
        let last = |request: &replyd::sandbox::Request| request.body.clone();
        let body = self.sandbox.look(|state| state.accepted().last().map(last));
        body.unwrap()
    }
}

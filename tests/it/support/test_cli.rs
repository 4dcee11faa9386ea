//! The command line as a person uses it, in a folder of its own, against a pretend WhatsApp.

use replyd::clock::Clock;
use replyd::sandbox::{Receipts, Sandbox};
use tempfile::TempDir;
use tokio::process::Command;

use super::{API_KEY, NUMBERS};

/// A pretend WhatsApp, and a folder with a configuration that leads to it.
pub(crate) struct TestCli {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
}

impl TestCli {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more lines of configuration.
    pub(crate) async fn with(extra: &str) -> Self {
        let sandbox = super::start_sandbox(Clock::System, Receipts::Normal).await;
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "[gateway]\npreset = \"graph\"\nbase_url = \"{}\"\napi_key = \"{API_KEY}\"\n\
             [[number]]\nphone_number_id = \"{}\"\n{extra}",
            sandbox.base_url(),
            NUMBERS[0]
        );
        std::fs::write(folder.path().join("replyd.toml"), config).unwrap();
        Self { sandbox, folder }
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `replyd`; exit code and both outputs as one text, without what differs from run to run.
    pub(crate) async fn replyd(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert!(
            !out.contains('\u{1b}') && !error.contains('\u{1b}'),
            "colours in a pipe"
        );
        format!(
            "{}\n----- stdout -----\n{out}----- stderr -----\n{error}",
            output.status
        )
        .replace(&self.sandbox.address().to_string(), "HOST")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_replyd"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(std::process::Stdio::null());
        command
    }
}

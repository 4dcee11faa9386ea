//! The command as a process, against a pretend WhatsApp, with what it said as one text.

use std::path::PathBuf;
use std::process::Stdio;

use replyd::clock::Clock;
use replyd::message::PhoneNumberId;
use replyd::sandbox::{Receipts, Sandbox, Settings, WABA};
use tempfile::TempDir;
use tokio::process::Command;

use super::{API_KEY, NUMBERS};

/// A pretend WhatsApp, and a folder with a configuration that leads to it.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    folder: TempDir,
}

impl Bench {
    /// A configuration as people have it: one number, Maton's gateway.
    pub(crate) async fn start() -> Self {
        let settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            app_secret: "unused".into(),
            api_key: API_KEY.into(),
            numbers: NUMBERS
                .into_iter()
                .filter_map(PhoneNumberId::parse)
                .collect(),
            clock: Clock::manual("2026-11-23T15:00:00Z".parse().unwrap()),
            receipts: Receipts::Never,
        };
        let sandbox = Sandbox::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { sandbox, folder };
        bench.configure("maton", API_KEY);
        bench
    }

    /// Writes the configuration anew.
    pub(crate) fn configure(&self, preset: &str, api_key: &str) {
        let url = self.sandbox.base_url();
        let text = format!(
            "# Luna Bakery\n[gateway]\npreset = \"{preset}\"   # who carries it\n\
             base_url = \"{url}\"\ncontrol_url = \"{url}\"\napi_key = \"{api_key}\"\n\n\
             # the only number\n[[number]]\nphone_number_id = \"{}\"\nwaba_id = \"{WABA}\"\n",
            NUMBERS[0],
        );
        self.write("replyd.toml", &text);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `replyd` in the folder, in a pipe; gives exit code and output in one text, without what
    /// changes from run to run.
    pub(crate) async fn replyd(&self, line: &str) -> String {
        self.replyd_with(line, &[]).await
    }

    /// As [`Self::replyd`], with environment variables. Spaces part arguments; U+00A0 stands for
    /// one inside.
    pub(crate) async fn replyd_with(&self, line: &str, environment: &[(&str, &str)]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
            .args(
                line.split(' ')
                    .map(|argument| argument.replace('\u{a0}', " ")),
            )
            .current_dir(self.folder.path())
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output();
        let output = output.await.unwrap();
        let said = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains('\u{1b}'), "no colour in a pipe: {text:?}");
            assert!(!text.contains(API_KEY), "the key is never shown: {text}");
            text.replace(&self.sandbox.base_url(), "http://gateway")
        };
        let (out, error) = (said(output.stdout), said(output.stderr));
        let code = output.status.code().unwrap();
        let error = if error.is_empty() {
            error
        } else {
            format!("--- stderr\n{error}")
        };
        format!("$ replyd {line}\n{out}{error}--- exit {code}\n").replace('\u{a0}', " ")
    }

    /// Runs several commands, one after the other.
    pub(crate) async fn all(&self, lines: &[&str]) -> String {
        let mut said = Vec::new();
        for line in lines {
            said.push(self.replyd(line).await);
        }
        said.join("\n")
    }

    /// What reached the pretend WhatsApp, by method, path and query.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.sandbox.look(|state| state.account.calls.clone())
    }
}

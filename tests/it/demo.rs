//! `replyd demo`, and the other commands pointed at it.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A running demo in a folder of its own; it ends with the test.
struct Demo {
    folder: TempDir,
    _process: Child,
}

impl Demo {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_replyd"))
            .arg("demo")
            .current_dir(folder.path())
            .env_clear()
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("Ctrl-C stops") {
                return Self {
                    folder,
                    _process: process,
                };
            }
        }
        unreachable!("the demo ended before it was ready");
    }

    async fn replyd(&self, line: &str) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
            .args(line.split(' '))
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.success(), text.concat())
    }
}

#[tokio::test]
async fn the_demo_answers_and_every_other_command_works_on_it() {
    let demo = Demo::start().await;

    let (good, answer) = demo.replyd("sandbox say hello").await;
    assert!(good && answer.contains("Order a cake"), "{answer}");
    for line in [
        "doctor",
        "send 15550000001 ready",
        "history",
        "events",
        "templates sync",
        "templates list",
        "numbers list",
        "profile get",
        "connections list",
    ] {
        let line = format!("{line} --config data/demo/replyd.toml");
        let (good, told) = demo.replyd(&line).await;
        assert!(good, "{line}: {told}");
    }
    let (good, checked) = demo.replyd("check data/demo/rules.toml").await;
    assert!(good, "{checked}");
}

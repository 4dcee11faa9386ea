//! `replyd demo` and its folder: no file of the owner is opened, written over or deleted.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use super::contents;
use crate::support::assert_contains;
use crate::support::run::{self, replyd};
use crate::support::served::signal;

/// A running demo; it is killed with the test.
struct Demo(Child);

impl Demo {
    /// Starts one in `demo`, under this umask, and waits until it is ready.
    async fn start(folder: &Path, umask: &str) -> Self {
        Self::run(
            folder,
            &format!("umask {umask} && exec \"$0\" demo --data demo"),
        )
        .await
    }

    async fn run(folder: &Path, script: &str) -> Self {
        let mut process = run::shell(folder, script).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("Ctrl-C stops") {
                return Self(process);
            }
        }
        unreachable!("the demo ended before it was ready");
    }

    /// Ctrl-C.
    async fn stop(mut self) {
        signal(&self.0, "INT").await;
        assert!(self.0.wait().await.unwrap().success());
    }
}

/// Commands by which the doctor wants files of the demo to be narrower.
async fn repairs(folder: &Path) -> Vec<String> {
    let run = replyd(folder, "doctor --config demo/replyd.toml").await;
    let lines = run.stdout.lines().map(str::trim);
    let repairs = lines.filter(|line| line.starts_with("chmod"));
    repairs.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_demo_answers_and_every_other_command_works_on_it() {
    let (folder, _) = empty();
    let _running = Demo::run(folder.path(), "exec \"$0\" demo").await;

    let answer = replyd(folder.path(), "sandbox say hello").await;
    assert_contains(&answer.done(), "Order a cake");
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
        replyd(folder.path(), &line).await.done();
    }
    replyd(folder.path(), "check data/demo/rules.toml")
        .await
        .done();
}

#[tokio::test]
async fn a_command_beside_the_demo_names_its_configuration() {
    let (folder, _) = empty();
    let without = replyd(folder.path(), "history").await;
    let demo = folder.path().join("data/demo");
    fs::create_dir_all(&demo).unwrap();
    fs::write(demo.join("replyd.toml"), "").unwrap();

    let beside = replyd(folder.path(), "history").await;

    assert_contains(&without.refused(), "name it with --database sqlite:PATH");
    let hint = "the demo's conversations are shown with --config data/demo/replyd.toml";
    assert_contains(&beside.refused(), hint);
}

fn empty() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let demo = folder.path().join("demo");
    (folder, demo)
}

#[tokio::test]
async fn a_folder_with_files_of_the_owners_is_refused_and_stays_as_it_is() {
    let (folder, demo) = empty();
    replyd(folder.path(), "init demo").await.done();
    let before = contents(&demo);

    let run = replyd(folder.path(), "demo --data demo").await;

    insta::assert_snapshot!(run.refused(), @"
    error: `demo` holds files that are not the demo's: replyd.toml, rules.schema.json, rules.toml

    hint: name an empty folder, or one of an earlier demo: `replyd demo --data DIR`
    ");
    assert_eq!(contents(&demo), before);
}

#[tokio::test]
async fn no_single_file_of_an_owner_is_taken_for_the_demos() {
    for name in [
        "replyd.toml",
        "rules.toml",
        "demo.db",
        "replyd.db",
        "sandbox.json",
        "photo.jpg",
    ] {
        let (folder, demo) = empty();
        fs::create_dir(&demo).unwrap();
        let content = "# Written by `replyd demo`, says the owner\n";
        fs::write(demo.join(name), content).unwrap();
        let before = contents(&demo);

        let run = replyd(folder.path(), "demo --data demo").await;

        assert_contains(&run.refused(), "holds files that are not the demo's");
        assert_eq!(contents(&demo), before, "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_demos_files_are_private_whatever_the_umask_and_its_configuration_stays() {
    use super::unix::mode;

    for umask in ["000", "077"] {
        let (folder, demo) = empty();

        let running = Demo::start(folder.path(), umask).await;

        let private = [
            "replyd.toml",
            "sandbox.json",
            "demo.lock",
            "demo.db",
            "demo.db-wal",
            "demo.db-shm",
            "demo.db.lock",
        ];
        for name in private {
            assert_eq!(mode(&demo.join(name)), 0o600, "{name} under umask {umask}");
        }
        assert_eq!(mode(&demo), 0o700);
        let doctor = replyd(folder.path(), "doctor --config demo/replyd.toml").await;
        assert_contains(&doctor.stdout, "✓ rights of files");
        replyd(folder.path(), "sandbox say hello --data demo")
            .await
            .done();

        running.stop().await;

        assert!(!demo.join("sandbox.json").exists());
        let history = replyd(folder.path(), "history --config demo/replyd.toml").await;
        assert_contains(&history.done(), "15550000001");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_demo_on_one_folder_is_refused_and_a_killed_one_begins_again() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, demo) = empty();
    let first = Demo::start(folder.path(), "022").await;
    let config = fs::read(demo.join("replyd.toml")).unwrap();

    let run = replyd(folder.path(), "demo --data demo").await;
    assert_contains(&run.refused(), "another demo is running in `demo`");
    assert_eq!(fs::read(demo.join("replyd.toml")).unwrap(), config);
    // Killed, so that it tidies nothing up.
    let Demo(mut killed) = first;
    killed.kill().await.unwrap();
    assert!(demo.join("sandbox.json").exists());
    assert_eq!(repairs(folder.path()).await, [""; 0]);
    for name in ["demo.db", "demo.db-wal", "demo.db-shm", "demo.db.lock"] {
        fs::set_permissions(demo.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    let expected =
        ["", "-wal", "-shm", ".lock"].map(|ending| format!("chmod 600 demo/demo.db{ending}"));
    assert_eq!(repairs(folder.path()).await, expected);
    fs::write(demo.join("rules.toml"), super::EXAMPLE).unwrap();

    Demo::start(folder.path(), "022").await.stop().await;

    let rules = fs::read_to_string(demo.join("rules.toml")).unwrap();
    assert_eq!(rules, super::EXAMPLE, "the owner's rules stay");
}

#[cfg(unix)]
#[tokio::test]
async fn a_configuration_of_the_demos_that_was_changed_is_the_owners() {
    let (folder, demo) = empty();
    Demo::start(folder.path(), "022").await.stop().await;
    let file = demo.join("replyd.toml");
    let changed = fs::read_to_string(&file).unwrap() + "# mine\n";
    fs::write(&file, &changed).unwrap();

    let run = replyd(folder.path(), "demo --data demo").await;

    let refusal = "`demo/replyd.toml` was changed since the demo wrote it";
    assert_contains(&run.refused(), refusal);
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
}

#[cfg(unix)]
#[tokio::test]
async fn a_demo_that_was_cut_off_while_it_began_is_no_owners_folder() {
    let (folder, demo) = empty();
    fs::create_dir(&demo).unwrap();
    fs::write(demo.join("demo.lock"), "").unwrap();
    fs::write(demo.join(".replyd-0123.new"), "half").unwrap();

    Demo::start(folder.path(), "022").await.stop().await;
}

//! The demo's folder, seen from outside: nothing of the owner's is opened, written over or deleted.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{contents, replyd};

/// A running demo; it is killed with the test.
struct Demo(Child);

impl Demo {
    /// Starts one, by a shell with this umask, and waits until it is ready.
    fn start(folder: &Path, umask: &str) -> Self {
        let line = format!(
            "umask {umask} && exec {} demo --data demo",
            env!("CARGO_BIN_EXE_replyd")
        );
        let mut process = Command::new("sh")
            .args(["-c", &line])
            .current_dir(folder)
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines
            .map_while(Result::ok)
            .any(|line| line.contains("Ctrl-C stops"));
        assert!(ready, "the demo ended before it was ready");
        Self(process)
    }

    /// Ctrl-C.
    fn stop(mut self) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the doctor wants to be narrower.
#[cfg(unix)]
fn wider(folder: &Path) -> Vec<String> {
    let (_, told) = replyd(folder, &["doctor", "--config", "demo/replyd.toml"]);
    let repairs = told.lines().map(str::trim);
    let repairs = repairs.filter(|line| line.starts_with("chmod"));
    repairs.map(str::to_owned).collect()
}

fn empty() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let demo = folder.path().join("demo");
    (folder, demo)
}

#[test]
fn a_folder_with_files_of_the_owners_is_refused_and_stays_as_it_is() {
    let (folder, demo) = empty();
    let (good, _) = replyd(folder.path(), &["init", "demo"]);
    assert!(good);
    let before = contents(&demo);

    let (good, told) = replyd(folder.path(), &["demo", "--data", "demo"]);

    assert!(!good);
    insta::assert_snapshot!(told, @"
    error: `demo` holds files that are not the demo's: replyd.toml, rules.schema.json, rules.toml

    hint: name an empty folder, or one of an earlier demo: `replyd demo --data DIR`
    ");
    assert_eq!(contents(&demo), before);
}

#[test]
fn no_single_file_of_an_owner_is_taken_for_the_demos() {
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
        fs::write(
            demo.join(name),
            "# Written by `replyd demo`, says the owner\n",
        )
        .unwrap();
        let before = contents(&demo);

        let (good, told) = replyd(folder.path(), &["demo", "--data", "demo"]);

        assert!(
            !good && told.contains("holds files that are not the demo's"),
            "{name}: {told}"
        );
        assert_eq!(contents(&demo), before, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn the_demos_files_are_private_whatever_the_umask_and_its_configuration_stays() {
    use super::unix::mode;

    for umask in ["000", "077"] {
        let (folder, demo) = empty();

        let running = Demo::start(folder.path(), umask);

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
        let (_, told) = replyd(folder.path(), &["doctor", "--config", "demo/replyd.toml"]);
        assert!(told.contains("✓ rights of files"), "{told}");
        let (good, told) = replyd(
            folder.path(),
            &["sandbox", "say", "hello", "--data", "demo"],
        );
        assert!(good, "{told}");

        running.stop();

        assert!(!demo.join("sandbox.json").exists());
        let (good, told) = replyd(folder.path(), &["history", "--config", "demo/replyd.toml"]);
        assert!(good && told.contains("15550000001"), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_demo_on_one_folder_is_refused_and_a_killed_one_begins_again() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, demo) = empty();
    let first = Demo::start(folder.path(), "022");
    let config = fs::read(demo.join("replyd.toml")).unwrap();

    let (good, told) = replyd(folder.path(), &["demo", "--data", "demo"]);
    assert!(
        !good && told.contains("another demo is running in `demo`"),
        "{told}"
    );
    assert_eq!(fs::read(demo.join("replyd.toml")).unwrap(), config);
    // Dropped: killed, so that it tidies nothing up.
    drop(first);
    assert!(demo.join("sandbox.json").exists());
    assert_eq!(wider(folder.path()), Vec::<String>::new());
    for name in ["demo.db", "demo.db-wal", "demo.db-shm", "demo.db.lock"] {
        fs::set_permissions(demo.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(
        wider(folder.path()),
        ["", "-wal", "-shm", ".lock"].map(|ending| format!("chmod 600 demo/demo.db{ending}"))
    );
    fs::write(demo.join("rules.toml"), super::EXAMPLE).unwrap();

    Demo::start(folder.path(), "022").stop();

    let rules = fs::read_to_string(demo.join("rules.toml")).unwrap();
    assert_eq!(
        rules,
        super::EXAMPLE,
        "what the owner made of the rules stays"
    );
}

#[cfg(unix)]
#[test]
fn a_configuration_of_the_demos_that_was_changed_is_the_owners() {
    let (folder, demo) = empty();
    Demo::start(folder.path(), "022").stop();
    let file = demo.join("replyd.toml");
    let changed = fs::read_to_string(&file).unwrap() + "# mine\n";
    fs::write(&file, &changed).unwrap();

    let (good, told) = replyd(folder.path(), &["demo", "--data", "demo"]);

    assert!(
        !good && told.contains("`demo/replyd.toml` was changed since the demo wrote it"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
}

#[cfg(unix)]
#[test]
fn a_demo_that_was_cut_off_while_it_began_is_no_owners_folder() {
    let (folder, demo) = empty();
    fs::create_dir(&demo).unwrap();
    fs::write(demo.join("demo.lock"), "").unwrap();
    fs::write(demo.join(".replyd-0123.new"), "half").unwrap();

    Demo::start(folder.path(), "022").stop();
}

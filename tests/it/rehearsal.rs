//! `replyd test` and `replyd explain`, as an owner meets them.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command in a folder, and shows how it ended and what it wrote.
fn replyd(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    format!(
        "exit code: {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

const RULES: &str = r##"
version = 1
[bot]
settle = "4s"
[[rule]]
id = "hours"
when.text.like = "opening hours"
reply = "From 8 to 18."
examples = ["your openning huors?", "when"]
not_examples = ["happy hours"]
[[rule]]
id = "track"
when.text.matches = '#(?<number>\d+)'
call = { get = "https://shop.example/{{ match.number }}", save = "order" }
reply = "It is {{ order.status }}."
on_error = "Not now."
[[test]]
name = "a burst, two persons and an action"
talk = [
  { user = "where is" }, { user = "#4711" }, { as = "Bo", user = "opening hours" },
  { wait = "4s" }, { as = "Bo", bot = "From 8" },
]
[[test]]
name = "the action fails, then the test is wrong"
talk = [ { user = "#1" }, { wait = "4s" }, { fails = "HTTP 500" }, { bot = "Not now." }, { user = "hours" }, { wait = "4s" }, { bot = "From 9" } ]
"##;

#[test]
fn a_failing_test_shows_the_conversation_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.toml"), RULES).unwrap();

    let shown = replyd(
        folder.path(),
        &["test", "--coverage", "--junit", "results.xml"],
    );

    insta::assert_snapshot!(shown);
    let junit = std::fs::read_to_string(folder.path().join("results.xml")).unwrap();
    assert!(junit.contains("tests=\"5\" failures=\"2\""), "{junit}");
}

#[test]
fn the_example_with_tests_passes_and_leaves_no_rule_out() {
    let shown = replyd(&root(), &["test", "--coverage", "examples/orders.toml"]);

    assert!(shown.starts_with("exit code: 0"), "{shown}");
    assert!(shown.contains("7 tests, 0 failed"), "{shown}");
}

#[test]
fn explain_tells_of_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.toml"), RULES).unwrap();

    let shown = replyd(folder.path(), &["explain", "Your OPENNING hours?"]);

    insta::assert_snapshot!(shown, @r#"
    exit code: 0
    --- stdout
    read as: your openning hours
    ✓ hours: "openning hours" in the text is like "opening hours"
    answered:
      From 8 to 18.
    --- stderr
    "#);
}

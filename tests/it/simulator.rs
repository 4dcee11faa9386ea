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
debounce = "4s"
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
name = "a debounce, two persons and an action"
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

const FAILING: &str = r#"
version = 1
[[rule]]
id = "menu"
when.text.has = "menu"
reply = "We have:\n- bread\n- cake"
[[rule]]
id = "weather"
when.text.has = "weather"
call = { get = "https://weather.example/", save = "weather" }
reply = "{{ weather.text }}"
[[rule]]
id = "long"
when.text.has = "long"
reply = { text = "{{ message.text }}{{ message.text }}", footer = "{{ message.text }}", buttons = [{ id = "ok", title = "OK" }] }
examples = ["a long text, far longer than the small print below a message of ours may ever be"]
not_examples = ["menu"]
[[rule]]
id = "ok"
when.button = "ok"
reply = "Good."
[[test]]
name = "two persons and a reply of several lines"
talk = [ { user = "menu" }, { bot = "cake" }, { as = "Bo", user = "a menu" }, { as = "Bo", bot = "tea" } ]
[[test]]
name = "any reply, but of this rule"
talk = [ { user = "menu" }, { bot = true, rule = "long" } ]
[[test]]
name = "a reply that fails is not silence"
talk = [ { user = "a long text, far longer than the small print below a message of ours may ever be" }, { bot = false } ]
[[test]]
name = "nor is a call that fails without words for it"
talk = [ { user = "weather" }, { fails = "HTTP 500" }, { bot = false } ]
"#;

#[test]
fn a_failing_test_names_persons_and_tells_what_failed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.toml"), FAILING).unwrap();

    insta::assert_snapshot!(replyd(folder.path(), &["test"]));
}

#[test]
fn a_file_that_cannot_be_used_fails_and_the_others_are_run_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "good.toml",
        "version = 1\n[[rule]]\nid = \"all\"\nreply = \"Hi\"\nexamples = [\"hi\\u0000\\uFFFF\"]\n",
    );
    write(
        "broken.toml",
        "version = 1\n[[rule]]\nid = \"all\"\nrepli = \"Hi\"\n",
    );

    let broken = ["test", "broken.toml", "good.toml", "--junit", "out.xml"];
    let shown = replyd(folder.path(), &broken);

    assert!(shown.starts_with("exit code: 1"), "{shown}");
    assert!(shown.contains("good.toml: 1 test, 0 failed"), "{shown}");
    let junit = std::fs::read_to_string(folder.path().join("out.xml")).unwrap();
    insta::assert_snapshot!(junit);

    let missing = ["test", "missing.toml", "broken.toml", "good.toml"];
    let shown = replyd(folder.path(), &missing);
    assert!(shown.starts_with("exit code: 2"), "{shown}");
    assert!(shown.contains("good.toml: 1 test, 0 failed"), "{shown}");
}

/// Every kind of part that a test can leave out.
const BRANCHES: &str = r#"
version = 1
[[rule]]
id = "track"
when.text.has = "track"
call = { get = "https://shop.example/", save = "order" }
variants = ["It is {{ order.status }}.", "{{ order.status }}!"]
on_error = "Not now."
[[rule]]
id = "cake"
start = "cake"
[flow.cake]
timeout = "30m"
on_timeout = "Too late."
cancel = "stop"
on_cancel = "No cake."
on_give_up = "Ask a colleague."
on_gone = "We have no cakes any more."
[[flow.cake.step]]
id = "size"
[flow.cake.step.ask]
text = "Which size?"
list = { button = "Sizes", sections = [{ title = "All", rows = [{ id = "s", title = "Small", go = "end" }, { id = "l", title = "Large" }] }] }
[[flow.cake.step]]
id = "who"
flow = "person"
[[flow.cake.step]]
id = "count"
ask = "How many?"
accept = "number"
retry = "A number, please."
go = [{ if = "answer > 9", to = "flow:person" }, { if = "answer == 0", to = "cancel" }]
[[flow.cake.step]]
id = "fork"
go = [{ if = "count == 1", to = "end" }, { to = "sure" }]
[[flow.cake.step]]
id = "sure"
ask = { text = "Sure?", buttons = [{ id = "yes", title = "Yes" }, { id = "no", title = "No", go = "size" }] }
[flow.cake.end]
reply = "Done."
[flow.person]
step = [{ id = "name", ask = "Who?", go = "end" }]
"#;

#[test]
fn coverage_lists_every_branch_and_ending_that_no_test_takes() {
    let folder = tempfile::tempdir().unwrap();
    let some = r#"
[[test]]
name = "the straight way"
talk = [
  { user = "hi" }, { bot = "Which size?" }, { tap = "l" }, { bot = "Who?" }, { user = "Bo" }, { bot = "How many?" },
  { user = "2" }, { bot = "Sure?" }, { tap = "yes" }, { bot = "Done." },
]
"#;
    let others = r#"
[[test]]
name = "the other ways"
talk = [
  { user = "hi" }, { bot = "Which size?" }, { tap = "s" }, { bot = "Done." },
  { user = "hi" }, { bot = "Which size?" }, { tap = "l" }, { bot = "Who?" }, { user = "Bo" }, { bot = "How many?" },
  { user = "x" }, { bot = "A number" }, { user = "1" }, { bot = "Done." },
  { wait = "1h" },
  { user = "hi" }, { bot = "Which size?" }, { tap = "l" }, { bot = "Who?" }, { user = "Bo" }, { bot = "How many?" },
  { user = "0" }, { bot = "No cake." },
  { wait = "1h" },
  { user = "hi" }, { bot = "Which size?" }, { tap = "l" }, { bot = "Who?" }, { user = "Bo" }, { bot = "How many?" },
  { user = "2" }, { bot = "Sure?" }, { tap = "no" }, { bot = "Which size?" }, { wait = "1h" }, { bot = "Too late." },
  { user = "hi" }, { bot = "Which size?" }, { user = "?" }, { bot = "Which" }, { user = "?!" }, { bot = "Which" },
  { user = "what" }, { bot = "Which" }, { user = "no" }, { bot = "Ask a colleague." },
  { wait = "1h" },
  { user = "hi" }, { bot = "Which size?" }, { tap = "l" }, { bot = "Who?" }, { user = "Bo" }, { bot = "How many?" },
  { user = "10" }, { bot = "Who?" }, { user = "Bo" },
  { user = "track" }, { fails = "HTTP 500" }, { bot = "Not now." },
  { user = "track" }, { result = { status = "baked" } }, { bot = "baked" },
  { user = "track" }, { result = { status = "baked" } }, { bot = "baked" },
]
"#;

    std::fs::write(folder.path().join("some.toml"), format!("{BRANCHES}{some}")).unwrap();
    std::fs::write(
        folder.path().join("all.toml"),
        format!("{BRANCHES}{some}{others}"),
    )
    .unwrap();

    insta::assert_snapshot!(replyd(folder.path(), &["test", "--coverage", "some.toml"]));
    let all = replyd(folder.path(), &["test", "--coverage", "all.toml"]);
    assert!(all.starts_with("exit code: 0"), "{all}");
}

#[test]
fn the_example_with_tests_passes_and_leaves_no_rule_out() {
    let shown = replyd(&root(), &["test", "--coverage", "examples/orders.toml"]);

    assert!(shown.starts_with("exit code: 0"), "{shown}");
    assert!(shown.contains("8 tests, 0 failed"), "{shown}");
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
    ✓ hours: "openning hours" in the text, words 2 to 3, is like "opening hours"
    not looked at any more, because `hours` answers:
    · track: no: no pattern matches
    answered:
      │ From 8 to 18.
    --- stderr
    "#);

    let shown = replyd(folder.path(), &["explain", "#4711 at opening hours"]);

    insta::assert_snapshot!(shown);
}

//! `replyd hours`, as an owner meets it.

use std::process::Command;

const RULES: &str = r#"
version = 1
[bot]
timezone = "America/New_York"
[hours]
mon-fri = ["08:00-12:30", "14:00-19:00"]
sat = ["22:00-03:30"]
holidays = [
    "2026-12-25",
    { on = "2026-12-24", open = ["08:00-12:00"] },
    { from = "2026-12-28", to = "2026-12-30" },
]
[[rule]]
id = "all"
reply = "Hello"
"#;

fn hours(rules: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.toml"), rules).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .arg("hours")
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    let (out, error) = (text(output.stdout), text(output.stderr));
    assert!(!out.contains('\u{1b}'), "no colour in a pipe");
    format!(
        "$ replyd hours {}\n{out}{error}--- exit {code}\n",
        arguments.join(" ")
    )
}

#[test]
fn it_says_whether_it_is_open_and_until_when() {
    let times: [&[&str]; 10] = [
        // A holiday with part of a day, open and closed.
        &["at", "2026-12-24T11:59"],
        &["at", "2026-12-24T18:30"],
        // Lunch; over midnight; in another zone.
        &["2026-12-01T13:00"],
        &["at", "2026-12-06T01:00"],
        &["at", "2026-12-01T13:00:00Z"],
        // The nights on which clocks are changed: one hour is left out, one comes twice.
        &["at", "2027-03-14T03:10"],
        &["at", "2027-03-14T02:30"],
        &["at", "2026-11-01T01:30"],
        &["at", "2026-11-01T01:30-05:00"],
        &["at", "2026-12-24T18:30", "--json"],
    ];
    let said: Vec<String> = times.iter().map(|time| hours(RULES, time)).collect();

    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_cannot_be_told_is_said() {
    let without = "version = 1\n[[rule]]\nid = \"all\"\nreply = \"Hello\"\n";
    let said = [
        hours(RULES, &["at", "noon"]),
        hours(RULES, &["on", "2026-12-24"]),
        hours(without, &["at", "2026-12-24T18:30"]),
        hours("version = 1\n[hours]\nmon = 8\n", &[]),
    ];

    insta::assert_snapshot!(said.join("\n"));
}

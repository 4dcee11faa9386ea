//! Each file in `tests/cases/commands` is a session in a terminal: a title, then commands as they
//! are typed, each followed by its whole output and its exit code.
//!
//! A session begins in a folder with only the `replyd.toml` of [`TestCli`]. Beside `replyd`, which
//! environment variables may precede, it knows `cat FILE`, `mkdir FOLDER`, and `cat > FILE << END`
//! with the file's lines after it; `cat >>` adds to a file. `calls` lists the calls that the
//! account's side of the sandbox got. To add a session, write its commands, run the test, and check
//! the text it prints.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::test_cli::TestCli;

/// Runs the commands of a session; gives the session with their output of now.
async fn rerun(session: &str) -> String {
    let cli = TestCli::new().await;
    let (title, commands) = session.split_once("\n\n").unwrap_or((session, ""));
    let mut given = format!("{title}\n");
    let mut lines = commands.lines();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        if let Some(file) = command.strip_suffix(" << END") {
            let content = lines.by_ref().take_while(|line| *line != "END");
            let content: String = content.flat_map(|line| [line, "\n"]).collect();
            write!(given, "\n{line}\n{content}END\n").unwrap();
            match file.strip_prefix("cat >> ") {
                Some(name) => cli.write(name, cli.read(name) + &content),
                None => cli.write(file.strip_prefix("cat > ").expect("`cat`"), content),
            }
        } else {
            write!(given, "\n{}", run(&cli, command).await).unwrap();
        }
    }
    given
}

/// Runs one command; gives its line and its whole output.
async fn run(cli: &TestCli, command: &str) -> String {
    if let Some((environment, line)) = command.split_once("replyd ") {
        let variables = environment.split_whitespace();
        let variables: Option<Vec<_>> = variables.map(|word| word.split_once('=')).collect();
        let run = cli.replyd_with(line, &variables.expect("NAME=VALUE")).await;
        let folder = format!("{}/", cli.folder().display());
        return format!(
            "$ {environment}{}",
            &run.replace(&folder, "").to_string()[2..]
        );
    }
    let printed = match command.split_once(' ') {
        Some(("cat", name)) => cli
            .read(name)
            .replace(&cli.sandbox.base_url(), "http://gateway"),
        Some(("mkdir", name)) => {
            std::fs::create_dir(cli.path(name)).unwrap();
            String::new()
        }
        _ => {
            assert_eq!(command, "calls", "not known in a session");
            let calls = cli.calls();
            calls.iter().flat_map(|call| [call, "\n"]).collect()
        }
    };
    format!("$ {command}\n{printed}")
}

#[tokio::test]
async fn every_session_prints_what_is_written_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/commands");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    paths.sort_by_key(|entry| entry.as_ref().unwrap().path());
    assert!(paths.len() >= 32, "{} sessions", paths.len());
    let mut wrong = String::new();

    for entry in paths {
        let path = entry.unwrap().path();
        let expected = std::fs::read_to_string(&path).unwrap();
        let file = path.display();
        assert!(
            expected.contains("\n\n$ ") && expected.contains("replyd "),
            "{file} runs no command"
        );
        let given = rerun(&expected).await;
        if given != expected {
            writeln!(wrong, "=== {file}\n{given}").unwrap();
        }
    }

    assert!(wrong.is_empty(), "these print something else:\n{wrong}");
}

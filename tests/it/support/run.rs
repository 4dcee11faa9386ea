//! `replyd` as a process that runs to its end.

use std::fmt::{Display, Formatter, Result};
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::{API_KEY, APP_SECRET};

/// A run that has ended; shown as a terminal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    line: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `replyd` with these arguments in a folder, as [`arguments`] parts them.
pub(crate) async fn replyd(folder: &Path, line: &str) -> Run {
    Run::new(line, command(folder).args(arguments(line))).await
}

/// `replyd` in a folder, without environment and terminal; killed when it is dropped.
pub(crate) fn command(folder: &Path) -> Command {
    command_of(env!("CARGO_BIN_EXE_replyd"), folder)
}

/// `sh` with a script in which `$0` is `replyd`, for limits that a process inherits.
pub(crate) fn shell(folder: &Path, script: &str) -> Command {
    let mut command = command_of("sh", folder);
    command.args(["-c", script, env!("CARGO_BIN_EXE_replyd")]);
    command
}

fn command_of(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.stdin(Stdio::null()).kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Parts a line at spaces; quotes of either kind hold a whole argument together.
pub(crate) fn arguments(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = line.trim_start_matches(' ');
    while let Some(first) = rest.chars().next() {
        let (argument, after) = match first {
            '"' | '\'' => rest[1..].split_once(first).expect("a closing quote"),
            _ => rest.split_once(' ').unwrap_or((rest, "")),
        };
        arguments.push(argument.to_owned());
        rest = after.trim_start_matches(' ');
    }
    arguments
}

impl Run {
    /// Runs a command to its end. No output may hold a colour or a secret.
    pub(crate) async fn new(line: &str, command: &mut Command) -> Self {
        // `output` would read both outputs, wherever the test lets them lead.
        let child = command.spawn().unwrap();
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains('\u{1b}'), "no colour in a pipe: {text:?}");
            let shows = |secret: &&str| text.contains(*secret);
            let secret = [API_KEY, APP_SECRET].into_iter().find(shows);
            assert_eq!(secret, None, "no secret is ever shown: {text}");
            text
        };
        Self {
            line: line.to_owned(),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Both outputs, after an exit code of 0.
    #[track_caller]
    pub(crate) fn done(&self) -> String {
        self.ended_with(0)
    }

    /// Both outputs, after an exit code of 1.
    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        self.ended_with(1)
    }

    /// Both outputs, after this exit code.
    #[track_caller]
    pub(crate) fn ended_with(&self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self}");
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The same run with a part of both outputs replaced, which differs from test to test.
    pub(crate) fn replace(mut self, part: &str, name: &str) -> Self {
        self.line = self.line.replace(part, name);
        self.stdout = self.stdout.replace(part, name);
        self.stderr = self.stderr.replace(part, name);
        self
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "$ replyd {}\n{}", self.line, self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        match self.code {
            Some(code) => writeln!(f, "--- exit {code}"),
            None => writeln!(f, "--- ended by a signal"),
        }
    }
}

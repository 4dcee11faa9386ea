//! Logs, metrics and output of commands: a reader that stops reading stops nothing.

use std::io::{PipeReader, Write as _, pipe};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use replyd::sandbox::{Fault, webhooks};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::raw_http::get;
use crate::support::run::{self, Run};
use crate::support::served::signal;
use crate::support::{ANA, NUMBER, TestApp, assert_contains, bodies, in_time, names};
use crate::telemetry::value;

/// Where standard error of a service leads.
#[derive(Clone, Copy, Debug)]
enum Stderr {
    /// To a disk that is full.
    #[cfg(target_os = "linux")]
    Full,
    /// To a reader that is gone.
    Closed,
    /// To a reader that takes nothing and stays.
    Stuck,
}

/// A service whose log is not read, at addresses that are known beforehand.
struct Silent {
    child: Child,
    public: SocketAddr,
    admin: SocketAddr,
    /// Held, never read.
    _reader: Option<PipeReader>,
}

/// Two free ports of an address that no other test listens on, where all of 127.0.0.0/8 is local.
fn free_addresses() -> (SocketAddr, SocketAddr) {
    let ip = if cfg!(target_os = "linux") {
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        Ipv4Addr::new(127, 64 | high, middle, low)
    } else {
        Ipv4Addr::LOCALHOST
    };
    let bind = || TcpListener::bind((IpAddr::V4(ip), 0)).unwrap();
    let (public, admin) = (bind(), bind());
    (public.local_addr().unwrap(), admin.local_addr().unwrap())
}

async fn serve(app: &TestApp, stderr: Stderr) -> Silent {
    let (reader, leads_to) = match stderr {
        #[cfg(target_os = "linux")]
        Stderr::Full => (None, full_disk()),
        Stderr::Closed => (None, closed_pipe()),
        Stderr::Stuck => {
            let (reader, writer) = stuck_pipe();
            (Some(reader), writer)
        }
    };
    let (public, admin) = free_addresses();
    let mut command = run::command(app.folder());
    command.arg("serve").stdout(Stdio::null()).stderr(leads_to);
    let mut child = at_addresses(&mut command, public, admin).spawn().unwrap();
    let listening = async {
        while TcpStream::connect(public).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "{stderr:?}: it ended");
        }
    };
    in_time("a listener", listening).await;
    app.sandbox.connect(format!("http://{public}/webhook"));
    Silent {
        child,
        public,
        admin,
        _reader: reader,
    }
}

fn at_addresses(command: &mut Command, public: SocketAddr, admin: SocketAddr) -> &mut Command {
    command
        .env("REPLYD__SERVER__LISTEN", public.to_string())
        .env("REPLYD__ADMIN__LISTEN", admin.to_string())
}

#[cfg(target_os = "linux")]
fn full_disk() -> Stdio {
    let full = std::fs::File::options().write(true).open("/dev/full");
    Stdio::from(full.unwrap())
}

fn closed_pipe() -> Stdio {
    let (_, writer) = pipe().unwrap();
    Stdio::from(writer)
}

/// A pipe that is full, and its reader, which takes nothing.
fn stuck_pipe() -> (PipeReader, Stdio) {
    let (reader, writer) = pipe().unwrap();
    let mut filling = writer.try_clone().unwrap();
    // Takes whatever room there is, and waits for ever for more.
    std::thread::spawn(move || while filling.write_all(&[b'.'; 4_096]).is_ok() {});
    (reader, Stdio::from(writer))
}

#[cfg(unix)]
#[tokio::test]
async fn log_lines_that_are_not_read_cost_only_themselves() {
    let ways = [
        #[cfg(target_os = "linux")]
        Stderr::Full,
        Stderr::Closed,
        Stderr::Stuck,
    ];
    for stderr in ways {
        let app = TestApp::builder().stopped().await;
        let mut silent = serve(&app, stderr).await;

        assert_eq!(get(silent.public, "/webhook").await.status, 403);
        app.sandbox.script(Fault::Graph(131_026));
        let messages = [
            bodies::text(ANA, "wamid.A", "one"),
            Value::Null,
            bodies::text(ANA, "wamid.B", "two"),
        ];
        app.accept(&bodies::with_messages(&messages)).await;
        app.sandbox
            .wait_for("the reply after the refused one", |state| {
                state.replies(ANA).contains(&"you said two").then_some(())
            })
            .await;

        let stored = "SELECT count(*) FROM messages WHERE direction = 'in'";
        assert_eq!(app.number(stored).await, 2);
        assert_eq!(app.number("SELECT count(*) FROM quarantine").await, 1);
        let metrics = get(silent.admin, "/metrics").await.body;
        let lost = value(&metrics, "replyd_log_lines_lost_total");
        match stderr {
            Stderr::Stuck => {}
            _ => assert!(lost > 0.0, "{stderr:?}: {lost} lines were lost"),
        }
        signal(&silent.child, "TERM").await;
        let ended = in_time("the end", silent.child.wait()).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{stderr:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_start_that_fails_ends_though_the_reason_is_not_read() {
    let app = TestApp::builder().stopped().await;
    app.write("rules.toml", "version = 1\n[[rule]]\n");
    let (_reader, writer) = stuck_pipe();

    let mut command = run::command(app.folder());
    let ended = command.arg("serve").stderr(writer).status();

    assert_eq!(in_time("the end", ended).await.unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_database_never_gets_the_number_of_a_standard_descriptor() {
    let app = TestApp::builder().stopped().await;
    let (public, admin) = free_addresses();
    let mut command = run::shell(app.folder(), "exec \"$0\" serve <&- >&- 2>&-");
    let child = at_addresses(&mut command, public, admin).spawn().unwrap();
    let listening = async { while TcpStream::connect(admin).await.is_err() {} };
    in_time("a listener", listening).await;

    let folder = format!("/proc/{}/fd", child.id().unwrap());
    let leads_to = |name: &str| std::fs::read_link(format!("{folder}/{name}"));
    for standard in ["0", "1", "2"] {
        let file = leads_to(standard).unwrap();
        assert_eq!(file.to_str(), Some("/dev/null"));
    }
    let descriptors = names(Path::new(&folder)).into_iter();
    let databases = descriptors
        .filter(|name| leads_to(name).is_ok_and(|file| file == app.database()))
        .count();
    assert!(databases > 0, "the database is open under others");
}

/// Commands that print, in a folder where each has something to print, and whether its output is
/// the reason to run it.
const COMMANDS: &[(&str, bool)] = &[
    ("--help", true),
    ("--version", true),
    ("help history", true),
    ("check", true),
    ("test", true),
    ("explain hello", true),
    ("why wamid.A", true),
    ("replay", true),
    ("gaps", true),
    ("hours", true),
    ("schema", true),
    // Its greeting goes to standard error.
    ("chat", false),
    ("history", true),
    ("history --json", true),
    ("events", true),
    ("doctor", true),
    // There is nothing of that id: only standard error is written.
    ("media info nothing", false),
    ("templates list", true),
    ("numbers list", true),
    ("profile get --json", true),
    // Connections are Maton's alone.
    ("connections list", false),
    // Nothing waits, and there is no such backup: only standard error is written.
    ("outbox list", false),
    ("restore nothing.db", false),
    ("backup copy.db --force", false),
    ("send +15550000001 hello", false),
    ("read wamid.A", false),
    ("sandbox screen", false),
    ("healthcheck", false),
    ("init made", false),
];

/// The bakery with a conversation, and the sandbox that it was with.
async fn bakery() -> TestApp {
    let rules = include_str!("../../examples/bakery.toml");
    let mut app = TestApp::builder().rules(rules).config(NUMBER).start().await;
    app.accept(&bodies::with_text(ANA, "wamid.A", "hello"))
        .await;
    let news = webhooks::body("security", &json!({ "event": "PIN_CHANGED" }));
    app.accept(&news).await;
    app.drained().await;
    app.stop().await;
    std::fs::create_dir_all(app.path("data/demo")).unwrap();
    let address = json!({ "url": app.sandbox.base_url() });
    app.write("data/demo/sandbox.json", address.to_string());
    app
}

async fn replyd(app: &TestApp, line: &str, stdout: Stdio) -> Run {
    let _ = std::fs::remove_dir_all(app.path("made"));
    let mut command = run::command(app.folder());
    command.args(line.split(' ')).stdout(stdout);
    in_time(line, Run::new(line, &mut command)).await
}

#[tokio::test]
async fn a_reader_of_the_output_may_leave_early() {
    let app = bakery().await;

    for (line, _) in COMMANDS {
        let whole = replyd(&app, line, Stdio::piped()).await;
        let cut = replyd(&app, line, closed_pipe()).await;

        assert_eq!(cut.code, whole.code, "{cut}");
        let lines = |run: &Run| run.stderr.lines().count();
        assert_eq!(lines(&cut), lines(&whole), "{line}");
        assert!(!cut.stderr.contains("panicked"), "{cut}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_output_that_is_cut_short_does_not_look_whole() {
    let app = bakery().await;

    for (line, is_for_output) in COMMANDS {
        let whole = replyd(&app, line, Stdio::piped()).await;
        let cut = replyd(&app, line, full_disk()).await;

        assert!(!cut.stderr.contains("panicked"), "{cut}");
        if whole.stdout.is_empty() {
            assert!(!is_for_output, "it prints nothing: {whole}");
            assert_eq!(cut.code, whole.code, "{cut}");
            continue;
        }
        let error = "error: standard output did not take everything";
        assert_contains(&cut.stderr, error);
        let fails = *is_for_output && whole.code == Some(0);
        let expected = if fails { Some(1) } else { whole.code };
        assert_eq!(cut.code, expected, "{cut}");
    }
}

#[tokio::test]
async fn talk_on_standard_error_may_be_lost() {
    let app = bakery().await;
    for (line, code) in [
        ("history nobody", 1),
        ("schema --nonsense", 2),
        ("check none.toml", 2),
    ] {
        for stderr in [
            closed_pipe(),
            #[cfg(target_os = "linux")]
            full_disk(),
        ] {
            let mut command = run::command(app.folder());
            command.args(line.split(' ')).stdout(Stdio::null());
            let ended = command.stderr(stderr).status().await;
            assert_eq!(ended.unwrap().code(), Some(code), "{line}");
        }
    }
}

#[tokio::test]
async fn every_command_is_among_those_whose_output_is_cut() {
    let app = bakery().await;
    let help = app.replyd("--help").await.stdout;
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let (listed, _) = listed.split_once("\n\n").unwrap();
    // Those run until a signal; the tests above and `demo.rs` run them.
    let running = ["demo", "serve"];

    let is_command = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    for line in listed.lines().filter(is_command) {
        let name = line.split_whitespace().next().unwrap();
        let mut tried = COMMANDS.iter().map(|(line, _)| line.split(' ').next());
        let is_tried = tried.any(|command| command == Some(name));
        assert!(is_tried || running.contains(&name), "{name} is not tried");
    }
}

//! What the service says and counts beside its work: nobody who stops listening may stop it.

use std::io::{Write as _, pipe};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use replyd::sandbox::{Fault, webhooks};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::raw_http::get;
use crate::sqlite;
use crate::support::{ANA, ECHO, Options, TestApp, bodies};
use crate::telemetry::value;

/// What is waited for comes within milliseconds; this long passes only when something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// A service as a process, at addresses that no log has to tell.
struct Served {
    child: Child,
    public: SocketAddr,
    admin: SocketAddr,
    /// Held, never read.
    _reader: Option<std::io::PipeReader>,
}

/// Two free ports of an address that no other test listens on where all of 127.0.0.0/8 is ours.
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

async fn serve(app: &TestApp, stderr: Stderr) -> Served {
    let (reader, leads_to) = match stderr {
        #[cfg(target_os = "linux")]
        Stderr::Full => (None, full_disk()),
        Stderr::Closed => (None, closed_pipe()),
        Stderr::Stuck => {
            let (reader, writer) = pipe().unwrap();
            let mut filling = writer.try_clone().unwrap();
            // Takes whatever room there is, and waits for ever for more.
            std::thread::spawn(move || while filling.write_all(&[b'.'; 4_096]).is_ok() {});
            (Some(reader), Stdio::from(writer))
        }
    };
    let (public, admin) = free_addresses();
    let mut child = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(["serve", "--config", "replyd.toml"])
        .current_dir(app.folder())
        .env_clear()
        .env("REPLYD__SERVER__LISTEN", public.to_string())
        .env("REPLYD__ADMIN__LISTEN", admin.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(leads_to)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let listening = async {
        while TcpStream::connect(public).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "{stderr:?}: it ended");
        }
    };
    let listens = tokio::time::timeout(PATIENCE, listening).await;
    assert!(listens.is_ok(), "{stderr:?}: it does not listen");
    app.sandbox.connect(format!("http://{public}/webhook"));
    Served {
        child,
        public,
        admin,
        _reader: reader,
    }
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

#[cfg(unix)]
impl Served {
    /// Sends a signal and gives the exit code.
    async fn ends_by(&mut self, name: &str) -> Option<i32> {
        let id = self.child.id().unwrap().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends by a signal").unwrap().code()
    }
}

/// A folder with configuration, rules and database, and no service on it.
async fn stopped() -> TestApp {
    let mut app = TestApp::start(ECHO).await;
    app.stop().await;
    std::fs::write(app.folder().join("replyd.toml"), app.config()).unwrap();
    app
}

#[cfg(unix)]
#[tokio::test]
async fn log_lines_that_nobody_takes_cost_only_themselves() {
    let ways = [
        #[cfg(target_os = "linux")]
        Stderr::Full,
        Stderr::Closed,
        Stderr::Stuck,
    ];
    for stderr in ways {
        let app = stopped().await;
        let mut served = serve(&app, stderr).await;

        assert_eq!(get(served.public, "/webhook").await.status, 403);
        app.sandbox.script(Fault::Graph(131_026));
        let messages = [
            bodies::text(ANA, "wamid.A", "one"),
            Value::Null,
            bodies::text(ANA, "wamid.B", "two"),
        ];
        let body = bodies::of_messages(&messages);
        assert_eq!(app.sandbox.post(body).await, 200, "{stderr:?}");
        app.sandbox
            .wait_for("the reply after the refused one", |state| {
                state.replies(ANA).contains(&"you said two").then_some(())
            })
            .await;

        let stored = "SELECT count(*) FROM messages WHERE direction = 'in'";
        assert_eq!(sqlite::number(&app.database(), stored).await, 2);
        let kept = "SELECT count(*) FROM quarantine";
        assert_eq!(sqlite::number(&app.database(), kept).await, 1);
        let metrics = get(served.admin, "/metrics").await.body;
        let lost = value(&metrics, "replyd_log_lines_lost_total");
        match stderr {
            Stderr::Stuck => {}
            _ => assert!(lost > 0.0, "{stderr:?}: {lost} lines were lost"),
        }
        assert_eq!(served.ends_by("TERM").await, Some(0), "{stderr:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_start_that_fails_ends_though_nobody_takes_the_reason() {
    let app = stopped().await;
    std::fs::write(app.folder().join("rules.toml"), "version = 1\n[[rule]]\n").unwrap();
    let (_reader, writer) = pipe().unwrap();
    let mut filling = writer.try_clone().unwrap();
    std::thread::spawn(move || while filling.write_all(&[b'.'; 4_096]).is_ok() {});

    let ended = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(["serve", "--config", "replyd.toml"])
        .current_dir(app.folder())
        .env_clear()
        .stderr(writer)
        .kill_on_drop(true)
        .status();
    let ended = tokio::time::timeout(PATIENCE, ended).await;

    assert_eq!(ended.expect("it ends").unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_database_never_gets_the_number_of_a_standard_descriptor() {
    let app = stopped().await;
    let (public, admin) = free_addresses();
    let command = format!(
        "exec {} serve --config replyd.toml <&- >&- 2>&-",
        env!("CARGO_BIN_EXE_replyd")
    );
    let child = Command::new("sh")
        .args(["-c", &command])
        .current_dir(app.folder())
        .env("REPLYD__SERVER__LISTEN", public.to_string())
        .env("REPLYD__ADMIN__LISTEN", admin.to_string())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let listening = async { while TcpStream::connect(admin).await.is_err() {} };
    tokio::time::timeout(PATIENCE, listening).await.unwrap();

    let folder = format!("/proc/{}/fd", child.id().unwrap());
    let leads_to = |name: &str| std::fs::read_link(format!("{folder}/{name}")).unwrap();
    for standard in ["0", "1", "2"] {
        assert_eq!(leads_to(standard).to_str(), Some("/dev/null"));
    }
    let all = std::fs::read_dir(&folder).unwrap();
    let databases = all.filter(|entry| {
        std::fs::read_link(entry.as_ref().unwrap().path()).is_ok_and(|file| file == app.database())
    });
    assert!(databases.count() > 0, "the database is open under others");
}

/// Commands that print, in a folder where each has something to say. The last part tells whether it
/// is for its output that one runs it.
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
    // Nobody writes to it here, and its greeting is talk.
    ("chat", false),
    ("history", true),
    ("history --json", true),
    ("events", true),
    ("doctor", true),
    // Nothing of that id is there, so it only talks.
    ("media info nothing", false),
    ("templates list", true),
    ("numbers list", true),
    ("profile get --json", true),
    // Connections are Maton's alone.
    ("connections list", false),
    // Nothing waits, and there is no such backup: both are talk.
    ("outbox list", false),
    ("restore nothing.db", false),
    ("backup copy.db --force", false),
    ("send 15550000001 hello", false),
    ("read wamid.A", false),
    ("sandbox screen", false),
    ("healthcheck", false),
    ("init made", false),
];

/// The bakery with a conversation, beside a pretend WhatsApp.
async fn bakery() -> TestApp {
    let mut app = TestApp::with(Options {
        rules: include_str!("../../examples/bakery.toml"),
        extra: "[[number]]\nphone_number_id = \"106540000000001\"\nwaba_id = \"102290129340398\"\n",
        ..Options::default()
    })
    .await;
    let body = bodies::of_messages(&[bodies::text(ANA, "wamid.A", "hello")]);
    assert_eq!(app.post(&body).await, 200);
    let news = webhooks::body("security", &json!({ "event": "PIN_CHANGED" }));
    assert_eq!(app.post(&news).await, 200);
    app.drained().await;
    app.stop().await;
    std::fs::write(app.folder().join("replyd.toml"), app.config()).unwrap();
    let data = app.folder().join("data/demo");
    std::fs::create_dir_all(&data).unwrap();
    let address = json!({ "url": app.sandbox.base_url() });
    std::fs::write(data.join("sandbox.json"), address.to_string()).unwrap();
    app
}

async fn replyd(app: &TestApp, line: &str, stdout: Stdio) -> (Option<i32>, String, String) {
    let _ = std::fs::remove_dir_all(app.folder().join("made"));
    let child = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(line.split(' '))
        .current_dir(app.folder())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn a_reader_of_the_output_may_leave_early() {
    let app = bakery().await;

    for (line, _) in COMMANDS {
        let (code, _, told) = replyd(&app, line, Stdio::piped()).await;
        let (left, _, told_then) = replyd(&app, line, closed_pipe()).await;

        assert_eq!(left, code, "{line}: {told_then}");
        assert_eq!(told_then.lines().count(), told.lines().count(), "{line}");
        assert!(!told_then.contains("panicked"), "{line}: {told_then}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_output_that_is_cut_short_does_not_look_whole() {
    let app = bakery().await;

    for (line, is_for_output) in COMMANDS {
        let (code, said, told) = replyd(&app, line, Stdio::piped()).await;
        let (cut, _, told_then) = replyd(&app, line, full_disk()).await;

        assert!(!told_then.contains("panicked"), "{line}: {told_then}");
        if said.is_empty() {
            assert!(!is_for_output, "{line} says nothing: {told}");
            assert_eq!(cut, code, "{line}: {told_then}");
            continue;
        }
        assert!(
            told_then.contains("error: standard output did not take everything"),
            "{line}: {told_then}"
        );
        let expected = if *is_for_output && code == Some(0) {
            Some(1)
        } else {
            code
        };
        assert_eq!(cut, expected, "{line}: {told_then}");
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
            let ended = Command::new(env!("CARGO_BIN_EXE_replyd"))
                .args(line.split(' '))
                .current_dir(app.folder())
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(stderr)
                .status();
            assert_eq!(ended.await.unwrap().code(), Some(code), "{line}");
        }
    }
}

#[tokio::test]
async fn every_command_is_among_those_whose_output_is_cut() {
    let app = bakery().await;
    let (_, help, _) = replyd(&app, "--help", Stdio::piped()).await;
    let listed = help.split_once("Commands:\n").unwrap().1;
    let listed = listed.split_once("\n\n").unwrap().0;
    // Those run until a signal; the tests above and `demo.rs` run them.
    let running = ["demo", "serve"];

    for line in listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
    {
        let name = line.split_whitespace().next().unwrap();
        let is_tried = COMMANDS
            .iter()
            .any(|(line, _)| line.split(' ').next() == Some(name));
        assert!(is_tried || running.contains(&name), "{name} is not tried");
    }
}

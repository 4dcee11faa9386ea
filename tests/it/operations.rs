//! Running it: health, metrics, stopping, and the commands around the service.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::raw_http::get;
use crate::webhook_http::start;

fn replyd(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replyd"));
    command
        .current_dir(folder)
        .env_clear()
        .kill_on_drop(true)
        .stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}\n----- stdout -----\n{}----- stderr -----\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A folder made by `replyd init`, with ports that are free.
pub(crate) async fn initialised() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = replyd(folder.path()).arg("init").output().await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    folder
}

fn with_secrets(command: &mut Command) -> &mut Command {
    command
        .env("REPLYD_APP_SECRET", "app-secret-canary")
        .env("REPLYD_VERIFY_TOKEN", "verify-token-canary")
        .env("MATON_API_KEY", "api-key-canary")
        .env("REPLYD__SERVER__LISTEN", "127.0.0.1:0")
        .env("REPLYD__ADMIN__LISTEN", "127.0.0.1:0")
        .env("REPLYD__LOG__FORMAT", "json")
}

/// A service as a process, with the public address it logged.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) logs: BufReader<tokio::process::ChildStderr>,
    pub(crate) address: String,
    pub(crate) seen: String,
}

pub(crate) async fn serve(folder: &Path) -> Served {
    read_start(with_secrets(&mut replyd(folder)).arg("serve")).await
}

/// Starts it and reads its log until it serves.
async fn read_start(command: &mut Command) -> Served {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut logs = BufReader::new(child.stderr.take().unwrap());
    let (mut seen, mut address) = (String::new(), None);
    // The last line of the start.
    while !seen.contains("gateway is set") {
        let mut line = String::new();
        assert_ne!(
            logs.read_line(&mut line).await.unwrap(),
            0,
            "ended early:\n{seen}"
        );
        let fields: serde_json::Value = serde_json::from_str(&line).unwrap();
        if fields["message"] == "listening for webhooks" {
            address = fields["address"].as_str().map(str::to_owned);
        }
        seen.push_str(&line);
    }
    Served {
        child,
        logs,
        address: address.unwrap(),
        seen,
    }
}

pub(crate) async fn signal(child: &Child, name: &str) {
    let id = child.id().unwrap().to_string();
    let sent = Command::new("kill")
        .args(["-s", name, &id])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
}

/// A request whose body has not come yet, and that the server has begun to answer.
async fn open_request(address: &str, path: &str) -> TcpStream {
    let mut open = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\
         X-Hub-Signature-256: sha256={}\r\n\r\n",
        "0".repeat(64)
    );
    open.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    open.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    open
}

#[tokio::test]
async fn both_listeners_tell_health_and_only_the_admins_tells_metrics() {
    let service = start().await;

    for address in [service.webhook, service.admin] {
        assert_eq!(get(address, "/livez").await.body, "live\n");
        let ready = get(address, "/readyz").await;
        assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    }
    let metrics = get(service.admin, "/metrics").await;

    assert!(
        metrics
            .body
            .contains("replyd_outbox_rows{state=\"held\",kind=\"message\"} 0"),
        "{}",
        metrics.body
    );
    assert_eq!(get(service.webhook, "/metrics").await.status, 404);
}

#[tokio::test]
async fn a_soft_stop_finishes_an_open_request_and_is_not_ready_meanwhile() {
    let mut service = start().await;
    let mut open = open_request(&service.webhook.to_string(), "/hooks/meta").await;

    service.shutdown.soft.cancel();
    let ready = get(service.admin, "/readyz").await;
    open.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.unwrap();

    assert_eq!(
        (ready.status, ready.body.as_str()),
        (503, "not ready\nstopping\n")
    );
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    (&mut service.ended).await.unwrap().unwrap();
    assert!(TcpStream::connect(service.admin).await.is_err());
}

#[tokio::test]
async fn a_hard_stop_returns_at_once_and_is_a_failure() {
    let mut service = start().await;
    let _open = TcpStream::connect(service.webhook).await.unwrap();

    service.shutdown.hard.cancel();

    let error = (&mut service.ended).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("second signal"), "{error}");
}

#[tokio::test]
async fn what_init_writes_runs_once_the_secrets_are_set() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;

    let port = served.address.rsplit(':').next().unwrap();
    let healthy = replyd(folder.path())
        .arg("healthcheck")
        // As in a container: it listens everywhere, the check asks on loopback and needs no
        // secrets.
        .env("REPLYD__SERVER__LISTEN", format!("0.0.0.0:{port}"))
        .output()
        .await
        .unwrap();
    signal(&served.child, "TERM").await;
    let mut printed = String::new();
    let mut stdout = served.child.stdout.take().unwrap();
    stdout.read_to_string(&mut printed).await.unwrap();
    served.logs.read_to_string(&mut served.seen).await.unwrap();

    assert!(healthy.status.success(), "{}", text(&healthy));
    assert!(
        served.child.wait().await.unwrap().success(),
        "{}",
        served.seen
    );
    assert_eq!(printed, "", "logs are all it prints");
    assert!(!served.seen.contains("canary"), "{}", served.seen);
    for line in served.seen.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_second_signal_stops_the_process_at_once() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;
    let mut open = open_request(&served.address, "/webhook").await;

    for (name, told) in [("TERM", "finishing what was begun"), ("INT", "at once")] {
        signal(&served.child, name).await;
        let mut line = String::new();
        while !line.contains(told) {
            assert_ne!(served.logs.read_line(&mut line).await.unwrap(), 0, "{line}");
        }
    }

    assert_eq!(served.child.wait().await.unwrap().code(), Some(1));
    let mut answer = String::new();
    let _ = open.read_to_string(&mut answer).await;
    assert_eq!(
        answer, "",
        "an open request is not answered, so Meta sends it again"
    );
}

/// Sends one request on a connection of its own and reads the answer to its end.
async fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_flood_of_strangers_requests_does_not_flood_the_log() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;

    for path in ["/webhook", "/webhook?hub.mode=subscribe", "/nowhere"] {
        for _ in 0..100 {
            ask(&served.address, path).await;
        }
    }
    signal(&served.child, "TERM").await;
    let mut logged = String::new();
    served.logs.read_to_string(&mut logged).await.unwrap();

    assert_eq!(logged.matches("challenge refused").count(), 1, "{logged}");
    assert!(logged.lines().count() < 10, "{logged}");
}

/// The same process with a bound on its open files.
#[cfg(unix)]
fn bounded(folder: &Path, open_files: u32) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = format!("ulimit -n {open_files} && exec \"$0\" serve");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_replyd")])
        .current_dir(folder)
        .env_clear()
        .kill_on_drop(true)
        .stdin(Stdio::null());
    with_secrets(&mut command);
    command
}

#[cfg(unix)]
#[tokio::test]
async fn serve_with_too_few_open_files_says_so_instead_of_standing_deaf() {
    let folder = initialised().await;

    let mut command = bounded(folder.path(), 20);
    let output = command.env("REPLYD__LOG__FILTER", "error").output();
    let output = output.await.unwrap();

    insta::assert_snapshot!(text(&output), @r"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: the system lets this process open only 20 files, and it needs at least 32, better 4096: raise `ulimit -n`, or LimitNOFILE of the systemd unit
    ");
}

#[cfg(unix)]
#[tokio::test]
async fn with_few_open_files_it_answers_under_pressure_and_after_it() {
    let folder = initialised().await;
    let mut served = read_start(&mut bounded(folder.path(), 32)).await;

    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(TcpStream::connect(&served.address).await.unwrap());
    }
    let during = ask(&served.address, "/readyz").await;
    drop(held);
    let after = ask(&served.address, "/readyz").await;
    signal(&served.child, "TERM").await;
    let mut logged = String::new();
    served.logs.read_to_string(&mut logged).await.unwrap();

    assert!(during.starts_with("HTTP/1.1 200 "), "{during}\n{logged}");
    assert!(after.starts_with("HTTP/1.1 200 "), "{after}\n{logged}");
    assert!(!logged.contains("could not accept"), "{logged}");
}

#[tokio::test]
async fn init_never_writes_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("shop")).unwrap();
    std::fs::write(folder.path().join("shop/rules.toml"), "mine").unwrap();

    let output = replyd(folder.path())
        .args(["init", "shop"])
        .output()
        .await
        .unwrap();

    insta::assert_snapshot!(text(&output), @r"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: `shop/rules.toml` is there already

    hint: nothing is ever written over; name another folder: `replyd init DIR`
    ");
    assert!(
        !folder.path().join("shop/replyd.toml").exists(),
        "nothing half done"
    );
    let rules = std::fs::read_to_string(folder.path().join("shop/rules.toml")).unwrap();
    assert_eq!(rules, "mine");
}

#[tokio::test]
async fn init_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();

    let output = replyd(folder.path())
        .args(["init", "shop"])
        .output()
        .await
        .unwrap();

    insta::assert_snapshot!(text(&output), @r"
    exit status: 0
    ----- stdout -----
    wrote shop/replyd.toml and shop/rules.toml, and shop/rules.schema.json for editors that know TOML

    Next:
      1. Write your answers into shop/rules.toml; look them over with
           replyd check shop/rules.toml
           replyd chat shop/rules.toml
      2. Set the three secrets that shop/replyd.toml names: REPLYD_APP_SECRET, REPLYD_VERIFY_TOKEN, MATON_API_KEY.
      3. Run it, and give Meta the callback URL https://<your host>/webhook:
           replyd serve --config shop/replyd.toml
    ----- stderr -----
    ");
}

#[tokio::test]
async fn serve_without_secrets_says_what_to_set() {
    let folder = initialised().await;

    let output = replyd(folder.path()).arg("serve").output().await.unwrap();

    insta::assert_snapshot!(text(&output), @r#"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: the configuration has 3 problems

    error[R0103]: `webhook.app_secrets` is not set: set REPLYD_APP_SECRET or webhook.app_secrets
      --> replyd.toml:15:16
       |
    15 | app_secrets = [{ env = "REPLYD_APP_SECRET" }]
       |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[R0103]: `webhook.verify_token` is not set: set REPLYD_VERIFY_TOKEN or webhook.verify_token
      --> replyd.toml:17:16
       |
    17 | verify_token = { env = "REPLYD_VERIFY_TOKEN" }
       |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[R0103]: built-in default: `gateway.api_key` is not set: set MATON_API_KEY or gateway.api_key
    "#);
    assert!(!folder.path().join("data").exists(), "no database was made");
}

#[tokio::test]
async fn serve_with_a_broken_rules_file_shows_the_diagnostics_and_makes_no_database() {
    let folder = initialised().await;
    std::fs::write(
        folder.path().join("rules.toml"),
        "version = 1\n[[rule]]\nid = \"a\"\nbroken = 1\n",
    )
    .unwrap();

    let output = with_secrets(&mut replyd(folder.path()))
        .arg("serve")
        .output()
        .await
        .unwrap();

    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("rules file `rules.toml` does not pass the check"),
        "{text}"
    );
    assert!(text.contains("broken"), "{text}");
    assert!(!folder.path().join("data").exists(), "no database was made");
}

#[tokio::test]
async fn a_configuration_that_was_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();

    let output = replyd(folder.path())
        .args(["serve", "--config", "nowhere.toml"])
        .output()
        .await
        .unwrap();

    insta::assert_snapshot!(text(&output), @r"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: could not read configuration file `nowhere.toml`
      Caused by: No such file or directory (os error 2)
    ");
}

#[tokio::test]
async fn healthcheck_fails_when_nothing_listens() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago and is nobody's now.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);

    let output = replyd(folder.path())
        .args(["healthcheck", "--address", &address])
        .output()
        .await
        .unwrap();

    insta::assert_snapshot!(text(&output).replace(&address, "<address>"), @r"
    exit status: 1
    ----- stdout -----
    ----- stderr -----
    error: nothing answers at <address>
      Caused by: Connection refused (os error 111)
    ");
}

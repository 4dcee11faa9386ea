//! Running it: health, metrics, stopping, and the commands around the service.

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::raw_http::{get, until_continue};
use crate::support::run::{self, Run, replyd};
use crate::support::served::Served;
use crate::support::{assert_contains, closed_address, folder_with};
use crate::webhook_http::{FORGED, start};

/// A folder made by `replyd init`.
pub(crate) async fn initialised() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    replyd(folder.path(), "init").await.done();
    folder
}

fn with_secrets(command: &mut Command) -> &mut Command {
    command
        .env("REPLYD_APP_SECRET", "app-secret-canary")
        .env("REPLYD_VERIFY_TOKEN", "verify-token-canary")
        .env("MATON_API_KEY", "api-key-canary")
        .env("REPLYD__SERVER__LISTEN", "127.0.0.1:0")
        .env("REPLYD__ADMIN__LISTEN", "127.0.0.1:0")
}

/// Serves what `init` wrote, on ports that are free.
pub(crate) async fn serve(folder: &Path) -> Served {
    Served::spawn(with_secrets(&mut run::command(folder)).arg("serve")).await
}

/// A request whose body has not come yet, and that the server has begun to answer.
async fn open_request(address: &str, path: &str) -> TcpStream {
    let mut open = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\
         X-Hub-Signature-256: {FORGED}\r\n\r\n"
    );
    open.write_all(head.as_bytes()).await.unwrap();
    until_continue(&mut open).await;
    open
}

#[tokio::test]
async fn both_listeners_show_health_and_only_the_admins_shows_metrics() {
    let service = start().await;

    for address in [service.webhook, service.admin] {
        assert_eq!(get(address, "/livez").await.body, "live\n");
        let ready = get(address, "/readyz").await;
        assert_eq!(ready.result(), (200, "ready\n"));
    }
    let metrics = get(service.admin, "/metrics").await;

    let held = "replyd_outbox_rows{state=\"held\",kind=\"message\"} 0";
    assert_contains(&metrics.body, held);
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

    assert_eq!(ready.result(), (503, "not ready\nstopping\n"));
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
    assert_contains(&error.to_string(), "second signal");
}

#[tokio::test]
async fn the_files_of_init_run_once_the_secrets_are_set() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;

    // As in a container: it listens everywhere, the check asks on loopback and needs no secrets.
    let everywhere = format!("0.0.0.0:{}", served.public.port());
    let mut check = run::command(folder.path());
    let check = check.env("REPLYD__SERVER__LISTEN", everywhere);
    let healthy = Run::new("healthcheck", check.arg("healthcheck")).await;
    let mut stdout = served.child.stdout.take().unwrap();
    let logs = served.stop().await;
    let mut printed = String::new();
    stdout.read_to_string(&mut printed).await.unwrap();

    healthy.done();
    assert_eq!(printed, "", "logs are all it prints");
    assert!(!logs.contains("canary"), "{logs}");
    for line in logs.lines() {
        let json: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(json.is_ok(), "{line}");
    }
}

#[tokio::test]
async fn a_second_signal_stops_the_process_at_once() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;
    let mut open = open_request(&served.public.to_string(), "/webhook").await;

    for (name, line) in [
        ("TERM", "finishing what was begun"),
        ("INT", "stopping at once"),
    ] {
        served.signal(name).await;
        served.until_logged(line).await;
    }

    assert_eq!(served.ended().await.0, Some(1));
    let mut answer = String::new();
    let _ = open.read_to_string(&mut answer).await;
    let why = "an open request is not answered, so Meta sends it again";
    assert_eq!(answer, "", "{why}");
}

#[tokio::test]
async fn a_flood_of_strangers_requests_does_not_flood_the_log() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;
    let at_start = served.logs().lines().count();

    for path in ["/webhook", "/webhook?hub.mode=subscribe", "/nowhere"] {
        for _ in 0..100 {
            get(served.public, path).await;
        }
    }
    let logs = served.stop().await;

    assert_eq!(logs.matches("challenge refused").count(), 1, "{logs}");
    assert!(logs.lines().count() - at_start < 10, "{logs}");
}

/// The same process with a bound on its open files.
#[cfg(unix)]
fn bounded(folder: &Path, open_files: u32) -> Command {
    let script = format!("ulimit -n {open_files} && exec \"$0\" serve");
    let mut command = run::shell(folder, &script);
    with_secrets(&mut command);
    command
}

#[cfg(unix)]
#[tokio::test]
async fn serve_with_too_few_open_files_fails_with_a_reason() {
    let folder = initialised().await;

    let mut command = bounded(folder.path(), 20);
    let run = Run::new("serve", command.env("REPLYD__LOG__FILTER", "error")).await;

    let error = "error: the system lets this process open only 20 files, and it needs at least 32, better 4096: \
                 raise `ulimit -n`, or LimitNOFILE of the systemd unit\n";
    assert_eq!(run.refused(), error);
}

#[cfg(unix)]
#[tokio::test]
async fn with_few_open_files_it_answers_under_pressure_and_after_it() {
    let folder = initialised().await;
    let mut served = Served::spawn(&mut bounded(folder.path(), 32)).await;

    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(TcpStream::connect(served.public).await.unwrap());
    }
    let during = get(served.public, "/readyz").await;
    drop(held);
    let after = get(served.public, "/readyz").await;
    let logs = served.stop().await;

    assert_eq!((during.status, after.status), (200, 200), "{logs}");
    assert!(!logs.contains("could not accept"), "{logs}");
}

#[tokio::test]
async fn serve_without_secrets_names_those_to_set() {
    let folder = initialised().await;

    let run = replyd(folder.path(), "serve").await;

    insta::assert_snapshot!("without_secrets", run);
    assert!(!folder.path().join("data").exists(), "no database was made");
}

#[tokio::test]
async fn serve_with_a_broken_rules_file_shows_the_diagnostics_and_makes_no_database() {
    let folder = initialised().await;
    let broken = "version = 1\n[[rule]]\nid = \"a\"\nbroken = 1\n";
    std::fs::write(folder.path().join("rules.toml"), broken).unwrap();

    let mut command = run::command(folder.path());
    let run = Run::new("serve", with_secrets(&mut command).arg("serve")).await;

    let output = run.refused();
    assert_contains(&output, "rules file `rules.toml` does not pass the check");
    assert_contains(&output, "broken");
    assert!(!folder.path().join("data").exists(), "no database was made");
}

#[tokio::test]
async fn healthcheck_fails_when_nothing_listens() {
    let folder = folder_with(&[]);
    let address = closed_address().to_string();

    let run = replyd(folder.path(), &format!("healthcheck --address {address}")).await;

    insta::assert_snapshot!(run.replace(&address, "<address>").refused(), @r"
    error: nothing answers at <address>
      Caused by: Connection refused (os error 111)
    ");
}

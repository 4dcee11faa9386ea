//! What an owner is told without asking: how the account stands, and a clock that is wrong.

use std::net::SocketAddr;
use std::time::Duration;

use replyd::clock::Clock;
use replyd::sandbox::webhooks;
use replyd::whatsapp::signature;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};

use crate::operations::{initialised, serve, signal};
use crate::raw_http::{get, request};
use crate::support::{ANA, Options, TestApp};

/// News of an account as Meta sends it: with the account, and when it was said.
fn news(at: i64, field: &str, value: &Value) -> String {
    let changes = json!([{ "field": field, "value": value }]);
    let entry = json!([{ "id": "102290129340398", "time": at, "changes": changes }]);
    json!({ "object": "whatsapp_business_account", "entry": entry }).to_string()
}

fn ban(at: i64, state: &str) -> String {
    let value = json!({ "event": "DISABLED_UPDATE", "ban_info": { "waba_ban_state": state } });
    news(at, "account_update", &value)
}

/// Waits until the owner's `/readyz` says so.
async fn until_ready_says(admin: SocketAddr, says: impl Fn(&str) -> bool) -> String {
    let asking = async {
        loop {
            let body = get(admin, "/readyz").await.body;
            if says(&body) {
                break body;
            }
        }
    };
    let said = tokio::time::timeout(Duration::from_secs(30), asking).await;
    said.expect("/readyz never said it")
}

#[tokio::test]
async fn a_disabled_account_is_told_until_it_is_reinstated_and_over_a_restart() {
    let mut app = TestApp::with(Options::default()).await;
    let is_told = |body: &str| body.contains("\naccount: account 102290129340398: disabled by");

    assert_eq!(app.post(&ban(1_790_000_000, "DISABLE")).await, 200);
    let told = until_ready_says(app.admin(), is_told).await;
    assert!(
        told.starts_with("ready\n"),
        "what comes is still taken: {told}"
    );
    let metrics = app.metrics().await;
    assert!(metrics.contains("\nreplyd_account_alerts 1\n"), "{metrics}");
    assert_eq!(get(app.admin(), "/readyz").await.status, 200);

    app.restart().await;
    let told = get(app.admin(), "/readyz").await.body;
    assert!(is_told(&told), "from the first answer on: {told}");

    // Told late: what was said before does not bring it back.
    assert_eq!(app.post(&ban(1_790_000_200, "REINSTATE")).await, 200);
    until_ready_says(app.admin(), |body| !is_told(body)).await;
    assert_eq!(app.post(&ban(1_790_000_100, "DISABLE")).await, 200);
    app.restart().await;
    let told = get(app.admin(), "/readyz").await.body;
    assert!(!is_told(&told), "{told}");

    // The same words later are news again.
    assert_eq!(app.post(&ban(1_790_000_300, "DISABLE")).await, 200);
    until_ready_says(app.admin(), is_told).await;
}

#[tokio::test]
async fn news_of_the_account_is_one_warning_however_often_it_comes() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;
    let address: SocketAddr = served.address.parse().unwrap();
    let flagged = json!({ "display_phone_number": "15550001111", "event": "FLAGGED" });
    let body = news(1_790_000_000, "phone_number_quality_update", &flagged);
    let signed = signature::sign(&"app-secret-canary".into(), body.as_bytes());
    let header = format!("X-Hub-Signature-256: {signed}\r\n");

    for _ in 0..3 {
        let answer = request(address, "POST", "/webhook", &header, body.as_bytes()).await;
        assert_eq!(answer.status, 200);
    }
    while !served.seen.contains("hinders") {
        let read = served.logs.read_line(&mut served.seen).await.unwrap();
        assert_ne!(read, 0, "it ended early:\n{}", served.seen);
    }
    signal(&served.child, "TERM").await;
    served.logs.read_to_string(&mut served.seen).await.unwrap();

    let lines = served.seen.lines();
    let told: Vec<&str> = lines.filter(|line| line.contains("hinders")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("WARN") && told[0].contains("the number that ends in 1111: flagged"),
        "{told:?}"
    );
    assert!(!served.seen.contains("15550001111"), "{}", served.seen);
}

#[tokio::test]
async fn messages_that_are_too_old_one_after_the_other_are_one_warning_with_their_number() {
    let folder = initialised().await;
    let mut served = serve(folder.path()).await;
    let address: SocketAddr = served.address.parse().unwrap();
    let old = Clock::System.now().as_second() - 7_200;

    for index in 0..12 {
        let parts = json!({ "messages": [{
            "from": ANA, "id": format!("wamid.old{index}"), "timestamp": old.to_string(),
            "type": "text", "text": { "body": "hello" },
        }] });
        let value = webhooks::messages_value(crate::support::NUMBERS[0], parts);
        let body = webhooks::body("messages", &value);
        let signed = signature::sign(&"app-secret-canary".into(), body.as_bytes());
        let header = format!("X-Hub-Signature-256: {signed}\r\n");
        let answer = request(address, "POST", "/webhook", &header, body.as_bytes()).await;
        assert_eq!(answer.status, 200);
    }
    while !served.seen.contains("too old") {
        let read = served.logs.read_line(&mut served.seen).await.unwrap();
        assert_ne!(read, 0, "it ended early:\n{}", served.seen);
    }
    signal(&served.child, "TERM").await;
    served.logs.read_to_string(&mut served.seen).await.unwrap();

    let lines = served.seen.lines();
    let told: Vec<&str> = lines.filter(|line| line.contains("too old")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("\"messages\":1"), "ten or more: {told:?}");
}

/// A service whose clock is this far from the gateway's.
async fn with_clock(offset_hours: i64) -> TestApp {
    let now = Clock::System.now();
    let start = now + jiff::SignedDuration::from_hours(offset_hours);
    TestApp::with(Options {
        clock: Clock::manual(start),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_is_told_before_anybody_writes() {
    for (hours, side) in [(1, "60 min ahead of"), (-1, "59 min behind")] {
        let app = with_clock(hours).await;

        let told = until_ready_says(app.admin(), |body| body.contains("\nclock: ")).await;

        assert!(told.contains("this machine's clock is "), "{told}");
        // The manual clock stands still while the machine's goes on.
        let fits = told.contains(side) || told.contains(&side.replace("60", "59"));
        assert!(fits || told.contains("60 min behind"), "{told}");
        let metrics = app.metrics().await;
        let offset = metrics
            .lines()
            .find_map(|line| line.strip_prefix("replyd_clock_offset_seconds "))
            .unwrap();
        let offset: f64 = offset.parse().unwrap();
        assert!((offset.abs() - 3_600.0).abs() < 120.0, "{offset}");
    }
}

#[tokio::test]
async fn a_clock_that_is_right_is_not_complained_of_and_old_messages_do_not_change_that() {
    let app = TestApp::with(Options::default()).await;
    let old = Clock::System.now().as_second() - 7_200;
    for index in 0..12 {
        let parts = json!({ "messages": [{
            "from": ANA, "id": format!("wamid.old{index}"), "timestamp": old.to_string(),
            "type": "text", "text": { "body": "hello" },
        }] });
        let value = webhooks::messages_value(crate::support::NUMBERS[0], parts);
        assert_eq!(app.post(&webhooks::body("messages", &value)).await, 200);
    }
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;

    let ready = get(app.admin(), "/readyz").await.body;
    let metrics = app.metrics().await;

    assert_eq!(ready, "ready\n");
    assert!(
        metrics.contains("replyd_decisions_total{outcome=\"too_old\"} 12"),
        "{metrics}"
    );
}

#[tokio::test]
async fn when_a_webhook_came_last_is_told_and_known_after_a_restart() {
    let mut app = TestApp::with(Options::default()).await;
    let last = |metrics: &str| {
        let mut lines = metrics.lines();
        let found = lines
            .find_map(|line| line.strip_prefix("replyd_last_webhook_timestamp_seconds "))
            .unwrap();
        found.parse::<i64>().unwrap()
    };
    assert_eq!(last(&app.metrics().await), 0, "none ever came");
    let before = Clock::System.now().as_second();

    app.sandbox.say(ANA, "hello").await;
    let told = last(&app.metrics().await);
    app.restart().await;

    assert!(told >= before, "{told} {before}");
    assert!(last(&app.metrics().await) >= before);
}

#[tokio::test]
async fn the_quarantine_is_counted() {
    let app = TestApp::with(Options::default()).await;

    assert_eq!(app.post("[1]").await, 200);

    let metrics = app.metrics().await;
    assert!(
        metrics.contains("\nreplyd_quarantine_rows 1\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_media_folder_that_cannot_be_written_stops_the_start_with_a_sentence() {
    let folder = initialised().await;
    // Something else lies where the folder should be; not even root can make one there.
    std::fs::write(folder.path().join("files"), "not a folder").unwrap();

    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_replyd"))
        .arg("serve")
        .current_dir(folder.path())
        .env_clear()
        .env("REPLYD_APP_SECRET", "secret")
        .env("REPLYD_VERIFY_TOKEN", "token")
        .env("WHATSAPP_TOKEN", "key")
        .env("REPLYD__GATEWAY__PRESET", "graph")
        .env("REPLYD__MEDIA__DOWNLOAD", "true")
        .env("REPLYD__MEDIA__FOLDER", "files/media")
        .output()
        .await
        .unwrap();

    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains(
            "files/media` (media.folder), where media.download puts the files that people send"
        ),
        "{error}"
    );
    assert!(!folder.path().join("data").exists(), "no database was made");
}

#[tokio::test]
async fn healthcheck_says_what_hinders_a_service_that_is_ready() {
    let app = TestApp::with(Options::default()).await;
    assert_eq!(app.post(&ban(1_790_000_000, "DISABLE")).await, 200);
    until_ready_says(app.admin(), |body| body.contains("account: ")).await;
    let public = app.webhook().replace("http://", "").replace("/webhook", "");

    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_replyd"))
        .arg("healthcheck")
        .current_dir(app.folder())
        .env_clear()
        .env("REPLYD__SERVER__LISTEN", public)
        .env("REPLYD__ADMIN__LISTEN", app.admin().to_string())
        .output()
        .await
        .unwrap();

    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(
        told.starts_with("ready\naccount: account 102290129340398: disabled by WhatsApp"),
        "{told}"
    );
}

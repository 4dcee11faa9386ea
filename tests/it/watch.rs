//! What the service reports by itself: the state of the account, and a clock that is wrong.

use replyd::clock::Clock;
use replyd::whatsapp::signature;
use serde_json::{Value, json};

use crate::operations::{initialised, serve};
use crate::raw_http::{get, request};
use crate::support::run::{self, Run};
use crate::support::served::{Served, until_ready_says};
use crate::support::{ANA, ECHO, TestApp, assert_contains, bodies, folder_with};
use crate::telemetry::value;

/// News of an account as Meta sends it, with the account and the time.
fn news(at: i64, field: &str, value: &Value) -> String {
    let changes = json!([{ "field": field, "value": value }]);
    let entry = json!([{ "id": "102290129340398", "time": at, "changes": changes }]);
    json!({ "object": "whatsapp_business_account", "entry": entry }).to_string()
}

fn ban(at: i64, state: &str) -> String {
    let value = json!({ "event": "DISABLED_UPDATE", "ban_info": { "waba_ban_state": state } });
    news(at, "account_update", &value)
}

/// Posts a signed body to what `init` wrote, which must be answered with 200.
async fn accept(served: &Served, body: &str) {
    let signed = signature::sign(&"app-secret-canary".into(), body.as_bytes());
    let header = format!("X-Hub-Signature-256: {signed}\r\n");
    let answer = request(served.public, "POST", "/webhook", &header, body.as_bytes());
    assert_eq!(answer.await.status, 200);
}

/// Text messages that are two hours old, a body each.
fn old_messages() -> impl Iterator<Item = String> {
    let message = |index| bodies::old_text(ANA, &format!("wamid.old{index}"), "hello", 7_200);
    (0..12).map(move |index| bodies::with_messages(&[message(index)]))
}

/// Stops it; gives its log, and the lines of it that have this part.
async fn lines_with(mut served: Served, part: &str) -> (String, Vec<String>) {
    served.until_logged(part).await;
    let logs = served.stop().await;
    let lines = logs.lines().filter(|line| line.contains(part));
    let lines = lines.map(str::to_owned).collect();
    (logs, lines)
}

#[tokio::test]
async fn a_disabled_account_is_reported_until_it_is_reinstated_and_over_a_restart() {
    let mut app = TestApp::start(ECHO).await;
    let is_shown = |body: &str| body.contains("\naccount: account 102290129340398: disabled by");

    app.accept(&ban(1_790_000_000, "DISABLE")).await;
    let ready = until_ready_says(app.admin(), is_shown).await;
    let why = "webhooks are still taken";
    assert!(ready.starts_with("ready\n"), "{why}: {ready}");
    let metrics = app.metrics().await;
    assert_contains(&metrics, "\nreplyd_account_alerts 1\n");
    assert_eq!(get(app.admin(), "/readyz").await.status, 200);

    app.restart().await;
    let ready = app.readiness().await;
    assert!(is_shown(&ready), "from the first answer on: {ready}");

    // News that arrive late: older ones do not bring it back.
    app.accept(&ban(1_790_000_200, "REINSTATE")).await;
    until_ready_says(app.admin(), |body| !is_shown(body)).await;
    app.accept(&ban(1_790_000_100, "DISABLE")).await;
    app.restart().await;
    let ready = app.readiness().await;
    assert!(!is_shown(&ready), "{ready}");

    // The same words later are news again.
    app.accept(&ban(1_790_000_300, "DISABLE")).await;
    until_ready_says(app.admin(), is_shown).await;
}

#[tokio::test]
async fn news_of_the_account_is_one_warning_however_often_it_comes() {
    let folder = initialised().await;
    let served = serve(folder.path()).await;
    let flagged = json!({ "display_phone_number": "15550001111", "event": "FLAGGED" });
    let body = news(1_790_000_000, "phone_number_quality_update", &flagged);

    for _ in 0..3 {
        accept(&served, &body).await;
    }

    let (logs, lines) = lines_with(served, "hinders").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_contains(&lines[0], "WARN");
    assert_contains(&lines[0], "the number that ends in 1111: flagged");
    assert!(!logs.contains("15550001111"), "{logs}");
}

#[tokio::test]
async fn messages_that_are_too_old_one_after_the_other_are_one_warning_with_their_number() {
    let folder = initialised().await;
    let served = serve(folder.path()).await;

    for body in old_messages() {
        accept(&served, &body).await;
    }

    let (_, lines) = lines_with(served, "too old").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let ten_or_more = "\"messages\":1";
    assert_contains(&lines[0], ten_or_more);
}

/// A service whose clock is this far from the gateway's.
async fn with_clock(offset_hours: i64) -> TestApp {
    let now = Clock::System.now();
    let start = now + jiff::SignedDuration::from_hours(offset_hours);
    TestApp::builder().at(start).start().await
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_is_reported_before_the_first_message() {
    for (hours, side) in [(1, "60 min ahead of"), (-1, "59 min behind")] {
        let app = with_clock(hours).await;

        let ready = until_ready_says(app.admin(), |body| body.contains("\nclock: ")).await;

        assert_contains(&ready, "this machine's clock is ");
        // The manual clock stands still while the machine's goes on.
        let fits = ready.contains(side) || ready.contains(&side.replace("60", "59"));
        assert!(fits || ready.contains("60 min behind"), "{ready}");
        let offset = value(&app.metrics().await, "replyd_clock_offset_seconds");
        assert!((offset.abs() - 3_600.0).abs() < 120.0, "{offset}");
    }
}

#[tokio::test]
async fn a_clock_that_is_right_is_not_complained_of_and_old_messages_do_not_change_that() {
    let app = TestApp::start(ECHO).await;
    for body in old_messages() {
        app.accept(&body).await;
    }
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;

    let ready = app.readiness().await;
    let metrics = app.metrics().await;

    assert_eq!(ready, "ready\n");
    assert_contains(&metrics, "replyd_decisions_total{outcome=\"too_old\"} 12");
}

#[tokio::test]
async fn the_time_of_the_last_webhook_is_reported_and_known_after_a_restart() {
    let mut app = TestApp::start(ECHO).await;
    let last = async |app: &TestApp| {
        let metrics = app.metrics().await;
        value(&metrics, "replyd_last_webhook_timestamp_seconds")
    };
    assert!(last(&app).await < 1.0, "none ever came");
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are far below 2^52"
    )]
    let before = Clock::System.now().as_second() as f64;

    app.sandbox.say(ANA, "hello").await;
    let after = last(&app).await;
    app.restart().await;

    assert!(after >= before, "{after} {before}");
    assert!(last(&app).await >= before);
}

#[tokio::test]
async fn the_quarantine_is_counted() {
    let app = TestApp::start(ECHO).await;

    app.accept("[1]").await;

    let metrics = app.metrics().await;
    assert_contains(&metrics, "\nreplyd_quarantine_rows 1\n");
}

#[tokio::test]
async fn a_media_folder_that_cannot_be_written_stops_the_start_with_a_sentence() {
    let folder = initialised().await;
    // Something else lies where the folder should be; not even root can make one there.
    std::fs::write(folder.path().join("files"), "not a folder").unwrap();

    let mut command = run::command(folder.path());
    command
        .arg("serve")
        .env("REPLYD_APP_SECRET", "secret")
        .env("REPLYD_VERIFY_TOKEN", "token")
        .env("WHATSAPP_TOKEN", "key")
        .env("REPLYD__GATEWAY__PRESET", "graph")
        .env("REPLYD__MEDIA__DOWNLOAD", "true")
        .env("REPLYD__MEDIA__FOLDER", "files/media");
    let run = Run::new("serve", &mut command).await;

    run.refused();
    let error = "files/media` (media.folder), where media.download puts the files that people send";
    assert_contains(&run.stderr, error);
    assert!(!folder.path().join("data").exists(), "no database was made");
}

#[tokio::test]
async fn healthcheck_shows_the_troubles_of_a_service_that_is_ready() {
    let app = TestApp::start(ECHO).await;
    app.accept(&ban(1_790_000_000, "DISABLE")).await;
    until_ready_says(app.admin(), |body| body.contains("account: ")).await;

    let folder = folder_with(&[]);
    let mut command = run::command(folder.path());
    command
        .arg("healthcheck")
        .env("REPLYD__SERVER__LISTEN", app.public().to_string())
        .env("REPLYD__ADMIN__LISTEN", app.admin().to_string());
    let run = Run::new("healthcheck", &mut command).await;

    run.done();
    let expected = "ready\naccount: account 102290129340398: disabled by WhatsApp";
    assert!(run.stdout.starts_with(expected), "{run}");
}

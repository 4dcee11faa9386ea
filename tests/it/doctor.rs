//! `replyd doctor`: what it finds sound, what broken, and what it says it could not look at.

use std::process::Stdio;

use crate::support::{ANA, Options, TestApp};

const NUMBER: &str =
    "[[number]]\nphone_number_id = \"106540000000001\"\nwaba_id = \"102290129340398\"\n";

/// Runs `replyd doctor` with this configuration in the folder of a running service; what differs from run to run is
/// made the same.
async fn doctor(app: &TestApp, config: &str, arguments: &[&str]) -> String {
    let folder = app.folder();
    std::fs::write(folder.join("replyd.toml"), config).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.join("replyd.toml"), private).unwrap();
    }
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_replyd"))
        .arg("doctor")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output();
    let output = output.await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let text = text.concat();
    assert!(!text.contains('\u{1b}'), "no colour in a pipe");
    assert!(
        !text.contains("test-api-key") && !text.contains("test-app-secret"),
        "{text}"
    );
    // A second may pass between the two clocks, and between a message and the look at it.
    let text = ["0 s ", "1 s ", "2 s "].iter().fold(text, |text, seconds| {
        text.replace(&format!(" {seconds}"), " N s ")
    });
    let shown = text
        .replace(&folder.display().to_string(), "FOLDER")
        .replace(app.webhook(), "WEBHOOK");
    format!("{}\n{shown}", output.status)
}

/// With a version of the Graph API that will not end while these tests are run.
fn config(app: &TestApp) -> String {
    app.config()
        .replace("[gateway]\n", "[gateway]\ngraph_version = \"v99.0\"\n")
}

async fn service() -> TestApp {
    TestApp::with(Options {
        extra: NUMBER,
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_sound_service_is_called_sound() {
    let app = service().await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;

    let told = doctor(&app, &config(&app), &["--url", app.webhook()]).await;

    insta::assert_snapshot!("sound", told);
}

#[tokio::test]
async fn everything_that_is_broken_is_told_at_once_with_what_to_do() {
    let app = service().await;
    std::fs::write(
        app.folder().join("rules.toml"),
        "version = 1\n[[rule]]\nid = \"a b\"\n",
    )
    .unwrap();
    let config = config(&app)
        .replace("test-api-key", "another-key")
        .replace("test-app-secret", "another-secret")
        .replace("test-token", "another-token")
        .replace("test.db", "nothing-here.db")
        .replace("v99.0", "v20.0");

    let told = doctor(&app, &config, &["--url", app.webhook()]).await;

    insta::assert_snapshot!("broken", told);
}

#[tokio::test]
async fn an_app_secret_of_another_app_than_the_tokens_is_found() {
    let app = service().await;
    let config = config(&app).replace("test-app-secret", "of-another-app");

    let told = doctor(&app, &config, &[]).await;

    assert!(
        told.contains("! app secret and token: are not of one Meta app"),
        "{told}"
    );
}

#[tokio::test]
async fn through_maton_it_asks_for_the_connection_and_never_for_the_subscription() {
    let app = service().await;
    let base = app.sandbox.base_url();
    let config = config(&app).replace(
        "preset = \"graph\"",
        &format!("preset = \"maton\"\ncontrol_url = \"{base}\""),
    );

    let told = doctor(&app, &config, &[]).await;

    insta::assert_snapshot!("maton", told);
    let calls = app.sandbox.look(|state| state.account.calls.clone());
    assert!(!calls.is_empty());
    assert!(
        calls.iter().all(|call| !call.contains("subscribed_apps")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn without_a_gateway_or_the_secrets_the_rest_is_still_looked_at() {
    let app = service().await;
    let config = config(&app)
        .replace(&app.sandbox.base_url(), "http://127.0.0.1:9")
        .replace("verify_token = \"test-token\"\n", "");

    let people = doctor(&app, &config, &[]).await;
    let programs = doctor(&app, &config, &["--json"]).await;

    insta::assert_snapshot!("cut_off", format!("{people}\n=====\n{programs}"));
}

//! `replyd doctor`: what it finds sound, what broken, and what it says it could not look at.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::operations::signal;
use crate::support::{ANA, Options, TestApp};

const NUMBER: &str =
    "[[number]]\nphone_number_id = \"106540000000001\"\nwaba_id = \"102290129340398\"\n";

/// Runs `replyd doctor` with this configuration in the folder of a running service; what differs
/// from run to run is made the same.
async fn doctor(app: &TestApp, config: &str, arguments: &[&str]) -> String {
    let told = doctor_in(app.folder(), config, arguments).await;
    told.replace(app.webhook(), "WEBHOOK")
}

/// The same in any folder.
async fn doctor_in(folder: &Path, config: &str, arguments: &[&str]) -> String {
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
    let shown = text.replace(&folder.display().to_string(), "FOLDER");
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

#[tokio::test]
async fn a_secret_that_was_changed_is_not_called_fitting_because_of_webhooks_before() {
    let mut app = service().await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    let changed = config(&app).replace("test-app-secret", "a-newer-secret");

    let before = doctor(&app, &changed, &[]).await;
    app.stop().await;
    // The service was started with the new one, and nothing came since.
    let mut restarted = tokio::process::Command::new(env!("CARGO_BIN_EXE_replyd"))
        .arg("serve")
        .current_dir(app.folder())
        .env_clear()
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut logs = BufReader::new(restarted.stderr.take().unwrap()).lines();
    while let Some(line) = logs.next_line().await.unwrap()
        && !line.contains("listening for metrics")
    {}
    signal(&restarted, "TERM").await;
    assert!(restarted.wait().await.unwrap().success());
    let after = doctor_in(app.folder(), &changed, &[]).await;

    assert!(
        before.contains("! app secret: not proven: the service was last started with another one"),
        "{before}"
    );
    assert!(
        after.contains("– app secret: not proven: no signed webhook came since it was changed"),
        "{after}"
    );
}

/// What is found about the gateway when it is at this address.
async fn gateway_at(base_url: &str, environment: &[(&str, &str)]) -> String {
    let app = service().await;
    let config = config(&app).replace(&app.sandbox.base_url(), base_url);
    std::fs::write(app.folder().join("replyd.toml"), config).unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_replyd"))
        .arg("doctor")
        .args(["--url", &format!("{base_url}/webhook")])
        .current_dir(app.folder())
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output();
    let told = String::from_utf8(output.await.unwrap().stdout).unwrap();
    // Both ways out: to the gateway, and to the public address.
    let mut about = Vec::new();
    let mut advice_follows = false;
    for line in told.lines() {
        let is_advice = line.starts_with("    ");
        if line.contains(" gateway: ")
            || line.contains("public webhook: ")
            || (is_advice && advice_follows)
        {
            about.push(line);
        }
        advice_follows = line.contains(" gateway: ");
    }
    about.join("\n")
}

/// Takes TLS connections with a certificate for `other.example`, signed by the authority of the
/// tests, until it is dropped.
fn secure_listener() -> std::net::SocketAddr {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = CertificateDer::from_pem_slice(include_bytes!("../cases/tls/other-name.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../cases/tls/other-name.key"));
    let provider = rustls::crypto::ring::default_provider();
    let config = rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap()], key.unwrap())
        .unwrap();
    let config = std::sync::Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            // The other side breaks off: that is the point.
            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
        }
    });
    address
}

#[tokio::test]
async fn why_an_address_cannot_be_reached_is_told_with_host_and_port() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let secure = format!("https://localhost:{}", secure_listener().port());
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/tls/authority.pem");

    let refused = gateway_at(&format!("http://{closed}"), &[]).await;
    let nameless = gateway_at("https://nowhere.invalid", &[]).await;
    let untrusted = gateway_at(&secure, &[]).await;
    let misnamed = gateway_at(&secure, &[("SSL_CERT_FILE", authority)]).await;

    let all = [refused, nameless, untrusted, misnamed].join("\n\n");
    let all = all
        .replace(&closed.port().to_string(), "PORT")
        .replace(secure.rsplit(':').next().unwrap(), "PORT");
    insta::assert_snapshot!("unreachable", all);
}

/// A proxy as nginx is out of the box: bodies above 1 MB are refused.
async fn small_proxy(target: String) -> String {
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::http::{Response, StatusCode};

    let client = reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(30))
        .build()
        .unwrap();
    let forward = move |request: Request| {
        let (target, client) = (target.clone(), client.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, 8_000_000).await.unwrap();
            if body.len() > 1_048_576 {
                let answer = Response::builder().status(StatusCode::PAYLOAD_TOO_LARGE);
                return answer.body(Body::empty()).unwrap();
            }
            let url = format!("{target}{}", head.uri.path_and_query().unwrap());
            let sent = client.request(head.method, url).headers(head.headers);
            let answer = sent.body(body).send().await.unwrap();
            let status = answer.status();
            let answer = Body::from(answer.bytes().await.unwrap());
            Response::builder().status(status).body(answer).unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().fallback(forward);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_proxy_that_stops_large_webhooks_is_found_and_no_trace_is_left() {
    let app = service().await;
    let service = app.webhook().replace("/webhook", "");
    let proxy = small_proxy(service).await;
    let count = || async {
        let store = app.store();
        let quarantine = store.quarantine().await.unwrap();
        let news = store.account_events(None, 10).await.unwrap().len();
        (quarantine.rows, news, store.last_webhook().await.unwrap())
    };

    let told = doctor(&app, &config(&app), &["--url", &format!("{proxy}/webhook")]).await;

    assert!(
        told.contains(
            "✗ public webhook: refuses 3 MB, which Meta may send, with 413\n    raise the proxy's limit: nginx \
             `client_max_body_size 4m;`, or what yours calls it"
        ),
        "{told}"
    );
    assert_eq!(count().await, (0, 0, None));
}

#[tokio::test]
async fn what_meta_told_of_the_account_and_what_nobody_understood_is_found() {
    let app = service().await;
    for value in [
        r#"{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}"#,
        r#"{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"SCAM"}}"#,
    ] {
        let body = format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"102290129340398","changes":[
               {{"field":"account_update","value":{value}}}]}}]}}"#
        );
        assert_eq!(app.post(&body).await, 200);
    }
    assert_eq!(app.post("[1]").await, 200);

    let told = doctor(&app, &config(&app), &[]).await;

    assert!(
        told.contains("✗ news of the account: account 102290129340398: disabled by WhatsApp"),
        "{told}"
    );
    assert!(
        told.contains(
            "! news of the account: account 102290129340398: it broke a policy of WhatsApp (SCAM)"
        ),
        "{told}"
    );
    assert!(
        told.contains("! quarantine: 1 update that nobody understood, the newest N s ago"),
        "{told}"
    );
}

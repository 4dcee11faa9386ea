//! `replyd doctor`: sound, broken, and not proven.

use crate::support::run::{self, Run};
use crate::support::{ANA, NUMBER, TestApp, assert_contains, closed_address};

/// Runs `replyd doctor` with this configuration in the folder of a service; seconds and the folder
/// are made the same in every run.
async fn doctor(app: &TestApp, config: &str, arguments: &str) -> Run {
    doctor_with(app, config, arguments, &[]).await
}

/// The same with environment variables.
async fn doctor_with(
    app: &TestApp,
    config: &str,
    arguments: &str,
    environment: &[(&str, &str)],
) -> Run {
    app.write("replyd.toml", config);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(app.path("replyd.toml"), private).unwrap();
    }
    let line = format!("doctor{arguments}");
    let mut command = run::command(app.folder());
    command
        .args(run::arguments(&line))
        .envs(environment.iter().copied());
    let run = Run::new(&line, &mut command).await;
    // A second may pass between the two clocks, and between a message and the look at it.
    let seconds = [" 0 s ", " 1 s ", " 2 s "].into_iter();
    let run = seconds.fold(run, |run, seconds| run.replace(seconds, " N s "));
    run.replace(&app.folder().display().to_string(), "FOLDER")
}

/// With a version of the Graph API that will not end while these tests are run.
fn config(app: &TestApp) -> String {
    app.config()
        .replace("[gateway]\n", "[gateway]\ngraph_version = \"v99.0\"\n")
}

async fn service() -> TestApp {
    TestApp::builder().config(NUMBER).start().await
}

#[tokio::test]
async fn a_sound_service_is_called_sound() {
    let app = service().await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;

    let run = doctor(&app, &config(&app), &format!(" --url {}", app.webhook())).await;

    insta::assert_snapshot!("sound", run.replace(app.webhook(), "WEBHOOK"));
}

#[tokio::test]
async fn everything_that_is_broken_is_reported_at_once_with_its_repair() {
    let app = service().await;
    app.write("rules.toml", "version = 1\n[[rule]]\nid = \"a b\"\n");
    let config = config(&app)
        .replace("test-api-key", "another-key")
        .replace("test-app-secret", "another-secret")
        .replace("test-token", "another-token")
        .replace("test.db", "nothing-here.db")
        .replace("v99.0", "v20.0");

    let run = doctor(&app, &config, &format!(" --url {}", app.webhook())).await;

    insta::assert_snapshot!("broken", run.replace(app.webhook(), "WEBHOOK"));
}

#[tokio::test]
async fn an_app_secret_of_another_app_than_the_tokens_is_found() {
    let app = service().await;
    let config = config(&app).replace("test-app-secret", "of-another-app");

    let shown = doctor(&app, &config, "").await.to_string();

    assert_contains(&shown, "! app secret and token: are not of one Meta app");
}

#[tokio::test]
async fn an_app_that_requires_its_secret_is_found_and_a_proof_mends_it() {
    let app = service().await;
    app.sandbox.require_app_secret();
    let proving = config(&app).replace("[gateway]", "[gateway]\napp_secret_proof = true");

    let plain = doctor(&app, &config(&app), "").await.to_string();
    let proven = doctor(&app, &proving, "").await.to_string();

    let refused = "✗ app secret and token: Meta refuses every call without a proof";
    assert_contains(&plain, refused);
    assert_contains(&plain, "set gateway.app_secret_proof = true");
    assert_contains(&proven, "✓ app secret and token: are of one Meta app");
    assert!(!proven.contains('✗'), "{proven}");
}

#[tokio::test]
async fn through_maton_it_asks_for_the_connection_and_never_for_the_subscription() {
    let app = service().await;
    let base = app.sandbox.base_url();
    let config = config(&app).replace(
        "preset = \"graph\"",
        &format!("preset = \"maton\"\ncontrol_url = \"{base}\""),
    );

    let run = doctor(&app, &config, "").await;

    insta::assert_snapshot!("maton", run);
    let calls = app.sandbox.look(|state| state.account.calls.clone());
    assert!(!calls.is_empty());
    let asks_for_it = calls.iter().any(|call| call.contains("subscribed_apps"));
    assert!(!asks_for_it, "{calls:?}");
}

#[tokio::test]
async fn without_a_gateway_or_the_secrets_the_rest_is_still_looked_at() {
    let app = service().await;
    let config = config(&app)
        .replace(&app.sandbox.base_url(), "http://127.0.0.1:9")
        .replace("verify_token = \"test-token\"\n", "");

    let text = doctor(&app, &config, "").await;
    let json = doctor(&app, &config, " --json").await;

    insta::assert_snapshot!("cut_off", format!("{text}\n{json}"));
}

#[tokio::test]
async fn a_secret_that_was_changed_is_not_called_fitting_because_of_webhooks_before() {
    let mut app = service().await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    let changed = config(&app).replace("test-app-secret", "a-newer-secret");

    let before = doctor(&app, &changed, "").await.to_string();
    app.stop().await;
    // The service is started with the new one, and nothing has come since.
    app.served().await.stop().await;
    let after = doctor(&app, &changed, "").await.to_string();

    let other = "! app secret: not proven: the service was last started with another one";
    assert_contains(&before, other);
    let no_webhook = "– app secret: not proven: no signed webhook came since it was changed";
    assert_contains(&after, no_webhook);
}

/// Lines about the gateway and the public webhook when both are at this address.
async fn gateway_at(base_url: &str, environment: &[(&str, &str)]) -> String {
    let app = service().await;
    let config = app.config().replace(&app.sandbox.base_url(), base_url);
    let arguments = format!(" --url {base_url}/webhook");
    let run = doctor_with(&app, &config, &arguments, environment).await;
    let mut about = Vec::new();
    let mut advice_follows = false;
    for line in run.stdout.lines() {
        let is_gateway = line.contains(" gateway: ");
        let is_advice = advice_follows && line.starts_with("    ");
        if is_gateway || is_advice || line.contains("public webhook: ") {
            about.push(line);
        }
        advice_follows = is_gateway;
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
async fn an_address_that_cannot_be_reached_is_reported_with_host_and_port() {
    let closed = closed_address();
    let secure = format!("https://localhost:{}", secure_listener().port());
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/tls/authority.pem");

    let refused = gateway_at(&format!("http://{closed}"), &[]).await;
    let nameless = gateway_at("https://nowhere.invalid", &[]).await;
    let untrusted = gateway_at(&secure, &[]).await;
    let misnamed = gateway_at(&secure, &[("SSL_CERT_FILE", authority)]).await;

    let shown = [refused, nameless, untrusted, misnamed].join("\n\n");
    let shown = shown
        .replace(&closed.port().to_string(), "PORT")
        .replace(secure.rsplit(':').next().unwrap(), "PORT");
    insta::assert_snapshot!("unreachable", shown);
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

    let run = doctor(&app, &config(&app), &format!(" --url {proxy}/webhook")).await;

    let refusal = "✗ public webhook: refuses 3 MB, which Meta may send, with 413\n    raise the proxy's limit: nginx \
                   `client_max_body_size 4m;`, or what yours calls it";
    assert_contains(&run.to_string(), refusal);
    assert_eq!(count().await, (0, 0, None));
}

#[tokio::test]
async fn news_of_the_account_and_the_quarantine_are_found() {
    let app = service().await;
    for value in [
        r#"{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}"#,
        r#"{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"SCAM"}}"#,
    ] {
        let body = format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"102290129340398","changes":[
               {{"field":"account_update","value":{value}}}]}}]}}"#
        );
        app.accept(&body).await;
    }
    app.accept("[1]").await;

    let shown = doctor(&app, &config(&app), "").await.to_string();

    for line in [
        "✗ news of the account: account 102290129340398: disabled by WhatsApp",
        "! news of the account: account 102290129340398: it broke a policy of WhatsApp (SCAM)",
        "! quarantine: 1 update that could not be read, the newest N s ago",
    ] {
        assert_contains(&shown, line);
    }
}

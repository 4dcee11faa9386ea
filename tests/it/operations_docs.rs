//! docs/operations.md is right: its commands are run in the order of the page, and the files, keys
//! and metrics it shows are compared with the real ones.
//!
//! In blocks marked `sh`, lines that begin with `replyd ` are run, in one folder that is empty at
//! first; `sh service` ones beside a running `replyd serve`. Each must end with 0. Other blocks are
//! not run. `https://bot.example` is the service itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use regex::Regex;
use replyd::clock::Clock;
use replyd::sandbox::{Receipts, Sandbox};
use tokio::process::Command;

use crate::support::run::{self, Run};
use crate::support::served::Served;
use crate::support::{ANA, API_KEY, APP_SECRET, ECHO, TestApp, assert_contains, start_sandbox};

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).expect(name)
}

/// Whether a command needs a service beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Nothing,
    Service,
}

/// The commands of the page, in order.
fn commands(page: &str) -> Vec<(Beside, String)> {
    let mut commands = Vec::new();
    let mut block = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(_), Some(_)) => block = None,
            (Some(mark), None) => {
                block = Some(match mark {
                    "sh" => Some(Beside::Nothing),
                    "sh service" => Some(Beside::Service),
                    _ => None,
                });
            }
            (None, Some(Some(beside))) if line.starts_with("replyd ") => {
                commands.push((beside, line.to_owned()));
            }
            (None, _) => {}
        }
    }
    commands
}

/// Folder of an operator who follows the page, and the sandbox that the commands call.
struct Reader {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    public: String,
    admin: String,
}

impl Reader {
    async fn new() -> Self {
        // Both free a moment ago: every command must find the service at the same place.
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (public, admin) = (free(), free());
        let address = |listener: &std::net::TcpListener| listener.local_addr().unwrap().to_string();
        Self {
            folder: tempfile::tempdir().unwrap(),
            sandbox: start_sandbox(Clock::System, Receipts::Normal).await,
            public: address(&public),
            admin: address(&admin),
        }
    }

    fn command(&self, line: &str) -> Command {
        let line = line.replace("https://bot.example", &format!("http://{}", self.public));
        let mut command = run::command(self.folder.path());
        command
            .args(&run::arguments(&line)[1..])
            .env("REPLYD_APP_SECRET", APP_SECRET)
            .env("REPLYD_VERIFY_TOKEN", "a long text")
            .env("MATON_API_KEY", API_KEY)
            .env("REPLYD__GATEWAY__BASE_URL", self.sandbox.base_url())
            .env("REPLYD__GATEWAY__CONTROL_URL", self.sandbox.base_url())
            // One that does not end while these tests are run.
            .env("REPLYD__GATEWAY__GRAPH_VERSION", "v99.0")
            .env("REPLYD__SERVER__LISTEN", &self.public)
            .env("REPLYD__ADMIN__LISTEN", &self.admin);
        command
    }

    async fn serve(&self) -> Served {
        Served::spawn(&mut self.command("replyd serve")).await
    }
}

#[tokio::test]
async fn every_command_of_the_operators_page_succeeds() {
    let commands = commands(&file("docs/operations.md"));
    assert!(commands.len() > 8, "the page lost its commands");
    let reader = Reader::new().await;

    for (beside, line) in commands {
        if line.starts_with("replyd serve") {
            reader.serve().await.stop().await;
            continue;
        }
        let service = match beside {
            Beside::Nothing => None,
            Beside::Service => Some(reader.serve().await),
        };
        let run = Run::new(&line, &mut reader.command(&line)).await;
        if let Some(mut service) = service {
            service.stop().await;
        }
        run.done();
    }
}

/// The metrics of a service that has answered a message.
async fn metrics_of_a_service() -> String {
    let app = TestApp::start(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    app.metrics().await
}

fn words_like(pattern: &str, text: &str) -> BTreeSet<String> {
    let words = Regex::new(pattern).unwrap();
    let captures = words.captures_iter(text);
    captures.map(|captures| captures[1].to_owned()).collect()
}

/// A metric by the name that its `# TYPE` line has.
fn family(name: &str) -> &str {
    ["_total", "_bucket", "_sum", "_count"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
}

/// Whether it is a family of replyd without samples yet: one with labels, none of which has come.
fn is_registered(name: &str) -> bool {
    let name = family(name).trim_start_matches("replyd_");
    let name = name.strip_suffix("_seconds").unwrap_or(name);
    let sources = ["metrics.rs", "process.rs"].map(|name| file(&format!("src/telemetry/{name}")));
    sources
        .iter()
        .any(|text| text.contains(&format!("\"{name}\",")))
}

#[tokio::test]
async fn every_metric_that_is_written_of_is_one_and_none_is_left_out() {
    let metrics = metrics_of_a_service().await;
    let families = words_like(r"(?m)^# TYPE (replyd_\w+) ", &metrics);
    assert!(families.len() > 10, "{metrics}");
    let (alerts, page) = (file("deploy/alerts.yml"), file("docs/operations.md"));

    for text in [&alerts, &page] {
        for name in words_like(r"\b(replyd_[a-z_]*[a-z])\b", text) {
            let is_shown = families.contains(family(&name));
            assert!(is_shown || is_registered(&name), "there is no {name}");
        }
    }
    for name in &families {
        assert!(page.contains(name.as_str()), "docs/operations.md: {name}");
    }
}

#[test]
fn every_outcome_that_an_alert_names_exists() {
    let alerts = file("deploy/alerts.yml");
    let words = [
        "src/web/webhook/mod.rs",
        "src/engine/turn.rs",
        "src/workers/outbox/outcome.rs",
        "src/intake.rs",
    ];
    let sources: String = words.into_iter().map(file).collect();

    let outcomes = words_like(r#"outcome=~?"([^"]+)""#, &alerts);

    assert!(outcomes.len() > 4, "{outcomes:?}");
    for word in outcomes.iter().flat_map(|outcomes| outcomes.split('|')) {
        assert!(sources.contains(&format!("\"{word}\"")), "{word}");
    }
}

#[test]
fn every_alert_is_explained_and_every_explanation_has_its_alert() {
    let alerts = words_like(r"alert: (\w+)", &file("deploy/alerts.yml"));
    let rows = words_like(r"(?m)^\| `(Replyd\w+)` \|", &file("docs/operations.md"));

    assert_eq!(alerts, rows);
}

/// `REPLYD__SERVER__LISTEN` as `server.listen`.
fn key(variable: &str) -> String {
    variable.replace("__", ".").to_lowercase()
}

#[test]
fn every_variable_of_the_deploy_files_is_a_key_of_the_configuration() {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in replyd::config::DEFAULT.lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            name.clone_into(&mut section);
        } else if let Some((name, _)) = line.split_once(" = ") {
            keys.insert(format!("{section}.{name}"));
        }
    }

    for name in ["docker-compose.yml", "Dockerfile", "deploy/replyd.service"] {
        let variables = words_like(r"REPLYD__([A-Z_]+[A-Z])\b", &file(name));
        assert!(!variables.is_empty(), "{name}");
        for variable in variables {
            assert!(keys.contains(&key(&variable)), "{name}: {variable}");
        }
    }
}

#[test]
fn the_container_keeps_data_in_its_volume_and_sees_edits_of_its_configuration() {
    let compose = file("docker-compose.yml");
    let service = compose.split("\n  metrics:").next().unwrap();
    let environment = |name: &str| {
        let values = words_like(&format!(r"{name}: '?([^\n']+)"), service);
        assert_eq!(values.len(), 1, "{name}");
        values.first().unwrap().clone()
    };
    let mounts = words_like(r"(?m)^      - (\S+:/\S+)$", service);
    let image = file("Dockerfile");

    // A folder: an edit that renames reaches it, which it would not with a file.
    assert!(mounts.contains("./config:/etc/replyd:ro"), "{mounts:?}");
    assert!(mounts.contains("data:/data"), "{mounts:?}");
    assert_contains(&image, "WORKDIR /etc/replyd\n");
    assert_contains(&image, "VOLUME /data\n");
    for (variable, place) in [
        ("REPLYD__DATABASE__URL", "sqlite:/data/"),
        ("REPLYD__MEDIA__FOLDER", "/data/"),
    ] {
        let value = environment(variable);
        assert!(value.starts_with(place), "{variable} is {value}");
        assert!(image.contains(&format!("{variable}={value}")), "{variable}");
    }
    for (variable, secret) in [
        ("REPLYD__WEBHOOK__APP_SECRETS", "app_secret"),
        ("REPLYD__WEBHOOK__VERIFY_TOKEN", "verify_token"),
        ("REPLYD__GATEWAY__API_KEY", "api_key"),
    ] {
        assert!(environment(variable).contains(&format!("/run/secrets/{secret}\"")));
        assert_contains(
            &compose,
            &format!("  {secret}:\n    file: ./secrets/{secret}\n"),
        );
    }
    // What the helper beside it hands out is where the owner's listener is.
    let admin = environment("REPLYD__ADMIN__LISTEN");
    assert!(compose.contains(&format!("TCP:{admin}\n")), "{admin}");
    assert!(compose.contains("127.0.0.1:8081:9081") && compose.contains("TCP-LISTEN:9081,"));
}

#[test]
fn the_proxies_let_through_what_meta_sends_and_only_the_webhook() {
    let webhook = "/webhook";
    assert!(replyd::config::DEFAULT.contains(&format!("path = \"{webhook}\"")));

    let nginx = file("deploy/nginx.conf");
    let caddy = file("deploy/Caddyfile");

    assert_contains(&nginx, "client_max_body_size 4m;");
    assert_contains(&nginx, &format!("location = {webhook} {{"));
    assert_contains(&nginx, "location / {\n        return 404;");
    assert_contains(&caddy, &format!("path {webhook}\n"));
    assert_contains(&caddy, "handle {\n\t\trespond 404");
    // nginx hands on the header of a stranger, Caddy does not.
    let set_by_nginx = "proxy_set_header X-Forwarded-For $remote_addr;";
    assert!(nginx.contains(set_by_nginx), "server.trusted_proxies");
    for proxy in [nginx, caddy] {
        assert!(proxy.contains("127.0.0.1:8080"), "server.listen");
    }
}

//! Log lines that every JSON reader takes, and metrics for every scraper.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use replyd::sandbox::Fault;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::raw_http::{get, request};
use crate::support::{ANA, ECHO, TestApp, assert_contains, bodies, in_time, run};

/// An object with each key once, which JSON leaves open.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with each key once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut seen = BTreeSet::new();
                while let Some((key, _)) = map.next_entry::<String, Value>()? {
                    if let Some(twice) = seen.replace(key) {
                        return Err(A::Error::custom(format!("`{twice}` twice")));
                    }
                }
                Ok(Strict)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_log_line_has_a_key_twice() {
    let config = "[media]\ndownload = true\n[delivery]\nunknown_wait = \"1s\"\n";
    let app = TestApp::builder().config(config).stopped().await;
    let mut command = run::command(app.folder());
    let command = command.env("REPLYD__LOG__FILTER", "trace").arg("serve");
    let mut served = app.served_by(command).await;
    for fault in [Fault::Graph(131_026), Fault::BadGateway, Fault::LostAnswer] {
        app.sandbox.script(fault);
    }

    for _ in 0..3 {
        app.sandbox.say(ANA, "hello").await;
    }
    let photo = json!({ "type": "image", "image": { "id": "404", "mime_type": "image/jpeg" } });
    let photo = bodies::message(ANA, "wamid.P", photo);
    app.post(&bodies::with_messages(&[photo, Value::Null]))
        .await;
    app.until_replies(ANA, 1).await;
    let query = "SELECT count(*) FROM media WHERE error IS NOT NULL";
    let given_up = async { while app.number(query).await == 0 {} };
    in_time("a file that is given up", given_up).await;
    let logs = served.stop().await;

    assert_contains(&logs, concat!("replyd ", env!("CARGO_PKG_VERSION")));
    assert_contains(&logs, "file is fetched again later");
    for line in logs.lines() {
        let read: Result<Strict, _> = serde_json::from_str(line);
        assert!(read.is_ok(), "{}: {line}", read.err().unwrap());
    }
}

/// A family by its `# TYPE` line, with the names of its samples.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    has_help: bool,
    samples: Vec<String>,
}

/// Reads an exposition strictly: help, then type, then samples; each family once.
#[track_caller]
fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (keyword, name) = (words.next().unwrap(), words.next().unwrap());
            let rest = words.next().unwrap_or_default();
            match keyword {
                "HELP" => {
                    assert!(!families.contains_key(name), "{name} twice");
                    name.clone_into(&mut current);
                    families.entry(current.clone()).or_default().has_help = !rest.is_empty();
                }
                "TYPE" => {
                    assert_eq!(name, current, "type without its help");
                    let family = families.get_mut(&current).unwrap();
                    rest.clone_into(&mut family.kind);
                }
                "UNIT" => assert!(name.ends_with(rest), "{name} in {rest}"),
                _ => unreachable!("unknown comment: {line}"),
            }
        } else {
            let (sample, number) = line.rsplit_once(' ').unwrap();
            number.parse::<f64>().unwrap();
            let name = sample.split('{').next().unwrap();
            let family = families.get_mut(&current).expect("a sample has a family");
            family.samples.push(name.to_owned());
        }
    }
    families
}

#[tokio::test]
async fn each_scraper_gets_a_format_that_it_reads() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;
    let scrape = async |accept: &str| {
        let headers = format!("Accept: {accept}\r\n");
        request(app.admin(), "GET", "/metrics", &headers, b"").await
    };

    let open = scrape("application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
    let text = scrape("text/plain;version=0.0.4").await;
    let plain = get(app.admin(), "/metrics").await;

    let content_type = "content-type: application/openmetrics-text; version=1.0.0";
    assert_contains(&open.head, content_type);
    assert!(open.body.ends_with("# EOF\n"));
    for answer in [&text, &plain] {
        assert_contains(&answer.head, "content-type: text/plain; version=0.0.4");
        assert!(!answer.body.contains("# EOF") && !answer.body.contains("# UNIT"));
    }
    let suffixes = |kind: &str, is_open: bool| -> &[&str] {
        match (kind, is_open) {
            ("counter", true) => &["_total"],
            ("info", true) => &["_info"],
            ("histogram", _) => &["_sum", "_count", "_bucket"],
            ("gauge" | "counter", _) => &[""],
            _ => unreachable!("a kind of metric that the format does not have: {kind}"),
        }
    };
    let (open, text) = (families(&open.body), families(&text.body));
    assert_eq!(open.len(), text.len());
    for (families, is_open) in [(&open, true), (&text, false)] {
        assert!(families.len() > 10, "{families:?}");
        for (name, family) in families {
            assert!(family.has_help, "{name} has no help");
            assert_eq!(
                family.kind == "counter" && !is_open,
                name.ends_with("_total")
            );
            let fits = |sample: &String| {
                let suffix = sample.strip_prefix(name.as_str());
                suffix.is_some_and(|suffix| suffixes(&family.kind, is_open).contains(&suffix))
            };
            assert!(family.samples.iter().all(fits), "{name}: {family:?}");
        }
    }
}

#[tokio::test]
async fn metrics_cover_the_build_the_process_and_the_database() {
    let app = TestApp::start(ECHO).await;
    app.sandbox.say(ANA, "hello").await;
    app.drained().await;

    let metrics = app.metrics().await;

    let build = format!(
        "replyd_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
    assert_contains(&metrics, &build);
    let file = std::fs::metadata(app.database()).unwrap().len();
    #[expect(clippy::cast_precision_loss, reason = "files are far below 2^52 bytes")]
    let file = file as f64;
    assert!((value(&metrics, "replyd_database_bytes") - file).abs() < 0.5);
    assert!(value(&metrics, "replyd_database_wal_bytes") > 0.0);
    if cfg!(target_os = "linux") {
        let resident = value(&metrics, "process_resident_memory_bytes");
        assert!((1e6..1e10).contains(&resident), "{resident}");
        assert!(value(&metrics, "process_virtual_memory_bytes") >= resident);
        assert!(value(&metrics, "process_cpu_seconds_total") > 0.0);
        let descriptors = value(&metrics, "process_open_fds");
        assert!((3.0..=value(&metrics, "process_max_fds")).contains(&descriptors));
        let started = value(&metrics, "process_start_time_seconds");
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds since 1970 are far below 2^52"
        )]
        let now = replyd::clock::Clock::System.now().as_second() as f64;
        assert!((now - 86_400.0..=now + 1.0).contains(&started), "{started}");
    }
}

/// The only sample of a family without labels.
#[track_caller]
pub(crate) fn value(metrics: &str, name: &str) -> f64 {
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    assert!(value.is_some(), "no {name} in:\n{metrics}");
    value.unwrap().parse().unwrap()
}

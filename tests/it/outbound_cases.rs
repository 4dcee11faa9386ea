//! Each file in `tests/cases/outbound` is an outbound message and the exact request body it must
//! become.
//!
//! To add one, write `about`, `to`, `content` (as stored in `messages.raw`) and the `body` that
//! Meta documents.

use std::collections::BTreeSet;
use std::path::Path;

use replyd::clock::Clock;
use replyd::config;
use replyd::config::Sources;
use replyd::gateway::Gateway;
use replyd::message::{Outbound, Recipient, Wamid, limits};
use replyd::sandbox::{Receipts, Sandbox};
use replyd::whatsapp::api_call::Call;
use replyd::whatsapp::outbound::MessageBody;
use serde::Deserialize;
use serde_json::Value;

use crate::support;
use crate::support::{ANA, API_KEY, NUMBERS, TestApp};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    to: Recipient,
    #[serde(default)]
    quotes: Option<Wamid>,
    #[serde(default)]
    tag: Option<String>,
    content: Outbound,
    body: Value,
}

fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/outbound");
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().display().to_string();
            let case: Result<Case, _> =
                serde_json::from_str(&std::fs::read_to_string(&path).unwrap());
            assert!(case.is_ok(), "{name}: {case:?}");
            (name, case.unwrap())
        })
        .collect()
}

#[test]
fn every_message_becomes_the_documented_body() {
    for (name, case) in cases() {
        let body = MessageBody {
            to: &case.to,
            content: &case.content,
            about: case.quotes.as_ref(),
            claim_token: case.tag.as_deref(),
        };

        let written = serde_json::to_string(&body).unwrap();

        let read: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read, case.body, "{name}: {}", case.about);
    }
}

#[test]
fn every_message_is_within_the_limits_and_survives_the_database() {
    for (name, case) in cases() {
        assert_eq!(limits::violations(&case.content), [], "{name}");

        let stored = serde_json::to_string(&case.content).unwrap();
        let back: Outbound = serde_json::from_str(&stored).unwrap();

        assert_eq!(back, case.content, "{name}");
    }
}

#[test]
fn every_kind_of_message_has_a_case() {
    let cases = cases();
    let covered: BTreeSet<&str> = cases
        .iter()
        .map(|(_, case)| case.content.kind_name())
        .collect();

    let known = "address_message ask_contact ask_location audio buttons carousel catalog contacts document form image link \
        list location order_details order_status product product_carousel products raw reaction sticker template text video";
    assert_eq!(covered, known.split(' ').collect());
}

/// A client of the sandbox.
fn gateway(sandbox: &Sandbox) -> Gateway {
    let gateway = format!(
        "webhook = {{ app_secrets = [\"s\"], verify_token = \"t\" }}\n\
         gateway = {{ preset = \"graph\", base_url = \"{}\", api_key = \"{API_KEY}\" }}",
        sandbox.base_url()
    );
    let file = Some(("replyd.toml".into(), gateway));
    let environment = Vec::new();
    let config = config::load(&Sources { file, environment }).unwrap();
    Gateway::new(&config.gateway).unwrap()
}

#[tokio::test]
async fn the_sandbox_takes_every_documented_body() {
    let sandbox = support::start_sandbox(Clock::System, Receipts::Never).await;
    // The cases name files 900200 and above.
    for _ in 0..200 {
        sandbox.store_file(b"\xff\xd8\xff\xe0".as_slice(), "image/jpeg");
    }
    let gateway = gateway(&sandbox);

    for (name, case) in cases() {
        let call = Call::post(&[NUMBERS[0], "messages"], case.body);
        let answer = gateway.call(&call).await;

        match case.content.kind_name() {
            // No contact wrote the message that these are about.
            "reaction" => assert_eq!(answer.unwrap_err().code(), Some(131_009), "{name}"),
            // Only those that the account of the sandbox has are taken.
            "template" => {}
            _ => assert!(answer.is_ok(), "{name}: {answer:?}"),
        }
    }
}

#[tokio::test]
async fn every_kind_of_reply_goes_from_the_rules_to_the_phone() {
    let app = TestApp::start(include_str!("../cases/rules/every_kind.toml")).await;

    let wamid = app.sandbox.say(ANA, "1").await;
    for text in ["2", "3", "4", "5", "6"] {
        app.sandbox.say(ANA, text).await;
    }
    app.drained().await;

    let bodies = app.accepted();
    let mut messages = app.transcript(ANA).await;
    messages.retain(|message| message.send_error.is_some());
    assert!(messages.is_empty(), "these failed: {messages:?}");
    assert_eq!(bodies.len(), 25);
    assert_eq!(bodies[0]["context"]["message_id"], wamid.as_str());
    assert_eq!(bodies[1]["reaction"]["message_id"], wamid.as_str());
    assert!(bodies[1].get("context").is_none());
    assert!(bodies[2].get("context").is_none());
}

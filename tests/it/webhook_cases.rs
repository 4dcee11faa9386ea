//! Each file in `tests/cases/webhook` is a body, the events it must give, and the rows that must be
//! stored for them, one line of text each.
//!
//! To add one, write `about` and `body`, leave the lists empty, run the test and check the lists it
//! prints.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use replyd::diagnostics::sources::SourceMap;
use replyd::engine::{Engine, EngineEvent, Trace};
use replyd::message::{Event, Forwarded, Identity, Inbound, Receipt, RulesVersion};
use replyd::rules;
use replyd::rules::CompileInput;
use replyd::store::{MediaPolicy, ReceivePolicy, Store};
use replyd::whatsapp::inbound;
use serde::Deserialize;
use sqlx::Row as _;

use crate::sqlite;

/// Soon after the messages of most cases were sent.
const NOW: Timestamp = Timestamp::constant(1_767_000_060, 0);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    body: serde_json::Value,
    /// Bodies that come after it.
    #[serde(default)]
    then: Vec<serde_json::Value>,
    events: Vec<String>,
    rows: Vec<String>,
}

#[tokio::test]
async fn every_case_gives_its_events_and_its_rows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/webhook");
    let mut wrong = String::new();
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Case = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let bodies = std::iter::once(&case.body).chain(&case.then);
        let bodies: Vec<String> = bodies.map(ToString::to_string).collect();

        let events = bodies
            .iter()
            .flat_map(|body| inbound::read(body.as_bytes(), NOW));
        let events: Vec<String> = events.map(|event| line(&event)).collect();
        let rows = stored(&bodies).await;

        cases += 1;
        let file = path.file_name().unwrap().display();
        for (name, given, expected) in [("events", events, case.events), ("rows", rows, case.rows)]
        {
            if given != expected {
                let given = serde_json::to_string_pretty(&given).unwrap();
                writeln!(wrong, "{file} ({}) gives {name}\n{given}", case.about).unwrap();
            }
        }
    }

    assert!(cases > 0, "no case was found");
    assert!(wrong.is_empty(), "{wrong}");
}

/// What a new database holds after the bodies came, all of them twice, without rules that answer.
async fn stored(bodies: &[String]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.db");
    let url = format!("sqlite:{}", file.display());
    let store = Store::open(&url).await.unwrap();
    let quiet = "version = 1\n[[rule]]\nid = \"never\"\nwhen.text.is = \"never said\"\n";
    let rules = rules::compile(
        &SourceMap::new("rules.toml", quiet),
        CompileInput::default(),
    )
    .unwrap()
    .rules;
    let recorded = store.record_rules(&rules.version, quiet, NOW).await;
    recorded.unwrap();
    let policy = ReceivePolicy {
        now: NOW,
        reply_expires_after: Duration::from_mins(15),
        files: MediaPolicy::Download,
    };
    let engine = Engine::new(rules);
    let decide = move |before: &_, incoming: EngineEvent<'_>, now| {
        let version: RulesVersion = engine.rules().version.clone();
        let turn = engine.decide(before, incoming, now, Trace::Matched);
        (turn, version)
    };
    for body in bodies.iter().chain(bodies) {
        let events = inbound::read(body.as_bytes(), NOW);
        let received = store.receive(events, policy, &decide).await;
        received.unwrap();
    }
    store.close().await;

    let query = "SELECT line FROM ( \
        SELECT 0 AS part, id, 'contact ' || coalesce(wa_id, '-') || '/' || coalesce((SELECT \
            group_concat(DISTINCT user_id) FROM contact_user_ids WHERE contact_id = contacts.id), '-') \
            || ' ' || coalesce(name, '-') || coalesce(' @' || username, '') \
            || iif(marketing_opted_out_ms IS NULL, '', ' wants no marketing') AS line FROM contacts \
        UNION ALL SELECT 1, m.id, m.direction || ' ' || m.origin || ' ' || m.kind || ' of contact ' \
            || coalesce(c.wa_id, c.user_id) || ': ' || replace(m.text, char(10), ' / ') \
            || coalesce(' (' || m.decision || ')', '') || coalesce(' about ' || m.quoted_wamid, '') \
            FROM messages AS m JOIN conversations AS v ON v.id = m.conversation_id \
            JOIN conversation_contacts AS c ON c.conversation_id = v.id \
        UNION ALL SELECT 2, message_id, 'file ' || media_id || ' ' || coalesce(mime_type, '-') FROM media \
        UNION ALL SELECT 3, id, 'receipt ' || status || coalesce(' of ' || participant, '') \
            || coalesce(' claim token ' || claim_token, '') || coalesce(' pricing ' || pricing, '') \
            || coalesce(' conversation ' || conversation, '') || coalesce(' ' || errors, '') FROM receipts \
        UNION ALL SELECT 4, id, 'account ' || field || ': ' || summary FROM account_events \
        UNION ALL SELECT 5, id, 'quarantine ' || reason FROM quarantine) ORDER BY part, id";
    let rows = sqlite::rows(&file, query).await.unwrap();
    rows.iter().map(|row| row.get("line")).collect()
}

fn line(event: &Event) -> String {
    match event {
        Event::Message(message) => message_line(message),
        Event::Echo(echo) => format!(
            "echo {} of {} to {} at {}: {} {}",
            echo.wamid.as_str(),
            echo.phone_number_id,
            identity(&echo.recipient),
            echo.sent_at,
            echo.content.kind_name(),
            flat(&echo.content.transcript_text()),
        ),
        Event::Receipt(receipt) => receipt_line(receipt),
        Event::Account(account) => {
            let number = account.phone_number_id.as_ref().map_or("-", AsRef::as_ref);
            format!(
                "account {} of {number}: {} <- {}",
                account.field,
                account.summary,
                start(&account.raw)
            )
        }
        Event::Unreadable(unreadable) => {
            let number = unreadable
                .phone_number_id
                .as_ref()
                .map_or("-", AsRef::as_ref);
            let raw = String::from_utf8_lossy(&unreadable.raw);
            format!(
                "unreadable of {number}: {} <- {}",
                unreadable.reason,
                start(&raw)
            )
        }
    }
}

fn message_line(message: &Inbound) -> String {
    let mut line = format!(
        "message {} to {} from {} ({}) at {}: {} {}",
        message.wamid.as_str(),
        message.phone_number_id,
        identity(&message.sender),
        message.profile.name.as_deref().unwrap_or("-"),
        message.sent_at,
        message.content.kind_name(),
        flat(&message.content.transcript_text()),
    );
    if let Some(button) = message.content.button() {
        write!(line, " id={button}").unwrap();
    }
    if let Some(quoted) = &message.context.quoted {
        write!(line, " quoting {}", quoted.as_str()).unwrap();
    }
    match message.context.forwarded {
        Forwarded::No => {}
        Forwarded::Yes => line.push_str(" forwarded"),
        Forwarded::Often => line.push_str(" forwarded often"),
    }
    if let Some(product) = &message.context.product {
        write!(line, " about product {}", product.product_id).unwrap();
    }
    if let Some(ad) = &message.ad {
        let texts = [&ad.source_type, &ad.source_id, &ad.headline];
        let texts = texts.map(|text| text.as_deref().unwrap_or("-"));
        write!(line, " from {}", texts.join(" ")).unwrap();
    }
    for error in &message.errors {
        let title = error.title.as_deref().unwrap_or("-");
        write!(line, " error={} {title}", error.code).unwrap();
    }
    line
}

fn receipt_line(receipt: &Receipt) -> String {
    let mut line = format!(
        "receipt {} of {} at {}: {}",
        receipt.wamid.as_str(),
        receipt.phone_number_id,
        receipt.at,
        receipt.status,
    );
    if let Some(recipient) = &receipt.recipient {
        write!(line, " to {}", identity(recipient)).unwrap();
    }
    if let Some(name) = &receipt.profile.name {
        write!(line, " ({name})").unwrap();
    }
    if let Some(tag) = &receipt.claim_token {
        write!(line, " tag={tag}").unwrap();
    }
    for error in &receipt.errors {
        let texts = [&error.title, &error.details].map(|text| text.as_deref().unwrap_or("-"));
        write!(line, " error={} {}", error.code, texts.join(" / ")).unwrap();
    }
    line
}

fn identity(identity: &Identity) -> String {
    let wa_id = identity.wa_id().map_or("-", AsRef::as_ref);
    let user_id = identity.user_id().map_or("-", AsRef::as_ref);
    format!("{wa_id}/{user_id}")
}

fn flat(text: &str) -> String {
    text.replace('\n', " / ")
}

/// Enough of the raw JSON to see which part of the body it is.
fn start(raw: &str) -> String {
    raw.chars().take(60).collect()
}

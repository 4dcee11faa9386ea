//! Each file in `tests/cases/webhook` is a body and the events it must give, one line of text each.
//!
//! To add one, write `about` and `body`, leave `events` empty, run the test and check what it prints.

use std::fmt::Write as _;
use std::path::Path;

use replyd::message::{Event, Inbound, Receipt};
use replyd::whatsapp::webhook;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    body: serde_json::Value,
    events: Vec<String>,
}

#[test]
fn every_case_gives_its_events() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/webhook");
    let mut wrong = String::new();
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Case = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));

        let events: Vec<String> = webhook::read(case.body.to_string().as_bytes())
            .iter()
            .map(line)
            .collect();

        cases += 1;
        if events != case.events {
            let file = path.file_name().unwrap().display();
            let given = serde_json::to_string_pretty(&events).unwrap();
            writeln!(wrong, "{file} ({}) gives\n{given}", case.about).unwrap();
        }
    }

    assert!(cases > 0, "no case was found");
    assert!(wrong.is_empty(), "{wrong}");
}

fn line(event: &Event) -> String {
    match event {
        Event::Message(message) => message_line(message),
        Event::Receipt(receipt) => receipt_line(receipt),
        Event::Account(account) => {
            let number = account.phone_number_id.as_ref().map_or("-", AsRef::as_ref);
            format!(
                "account {} of {number}: {}",
                account.field,
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
    let sender = &message.sender;
    let mut line = format!(
        "message {} to {} from {}/{} ({}) at {}: {} {}",
        message.wamid.as_str(),
        message.phone_number_id,
        sender.wa_id().map_or("-", AsRef::as_ref),
        sender.user_id().map_or("-", AsRef::as_ref),
        message.profile_name.as_deref().unwrap_or("-"),
        message.sent_at,
        message.content.kind_name(),
        message.content.transcript_text(),
    );
    if let Some(button) = message.content.button() {
        write!(line, " id={button}").unwrap();
    }
    if let Some(quoted) = &message.context.quoted {
        write!(line, " quoting {}", quoted.as_str()).unwrap();
    }
    if message.context.forwarded {
        line.push_str(" forwarded");
    }
    line
}

fn receipt_line(receipt: &Receipt) -> String {
    let mut line = format!(
        "receipt {} of {} at {}: {}",
        receipt.wamid.as_str(),
        receipt.phone_number_id,
        receipt.at,
        receipt.status.name(),
    );
    if let Some(tag) = &receipt.tag {
        write!(line, " tag={tag}").unwrap();
    }
    for error in &receipt.errors {
        let texts = [&error.title, &error.details].map(|text| text.as_deref().unwrap_or("-"));
        write!(line, " error={} {}", error.code, texts.join(" / ")).unwrap();
    }
    line
}

/// Enough of the raw JSON to see which part of the body it is.
fn start(raw: &str) -> String {
    raw.chars().take(60).collect()
}

//! Reads `[[test]]`: conversations that the rules are tested with.

use jiff::civil::DateTime;

use super::{Document, optional};
use crate::message::Kind;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::{Field, Reader, Table};
use crate::rules::{Line, LineEvent, Test, codes, suggest};

const KEYS: [&str; 3] = ["name", "at", "talk"];
const LINE_KEYS: [&str; 9] = [
    "as", "user", "tap", "sends", "wait", "bot", "rule", "result", "fails",
];

/// Reads the tests of every file; `None` when something in them is wrong.
pub(super) fn read_all(reader: &mut Reader<'_>, documents: &[Document<'_>]) -> Option<Vec<Test>> {
    let fields = documents.iter().filter_map(|one| one.root.get("test"));
    let mut tests = Vec::new();
    for field in fields {
        let elements = field.elements().unwrap_or_else(|| {
            reader.wrong_type(&field, "tests, each under a line with `[[test]]`");
            Vec::new()
        });
        for element in elements {
            tests.push(test(reader, &element));
        }
    }
    tests.into_iter().collect()
}

fn test(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Test> {
    let table = reader.table(field, &KEYS)?;
    let name = reader.required(&table, "name");
    let name = name.and_then(|field| reader.string(&field));
    let at = optional(table.get("at"), |field| time(reader, &field));
    let talk = reader.required(&table, "talk")?;
    let talk = reader.list(&talk)?;
    let lines: Vec<Option<Line>> = talk.iter().map(|element| line(reader, element)).collect();
    Some(Test {
        name: name?.value.to_owned(),
        span: field.span.clone(),
        at: at.ok()?,
        talk: lines.into_iter().collect::<Option<_>>()?,
    })
}

fn time(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<DateTime> {
    let plain = field.plain();
    let text = field.text().or_else(|| plain.as_ref()?.as_str());
    let time = text.and_then(|text| text.parse().ok());
    if time.is_none() {
        let error = Diagnostic::error(codes::DATE, field.span.clone(), "this is no local time");
        reader.report(error.help("write it like `\"2026-12-24T09:00\"`".to_owned()));
    }
    time
}

fn line(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Line> {
    let table = reader.table(field, &LINE_KEYS)?;
    let who = optional(table.get("as"), |field| reader.string(&field));
    let event = event(reader, &table);
    Some(Line {
        span: field.span.clone(),
        who: who
            .ok()?
            .map_or_else(String::new, |who| who.value.to_owned()),
        event: event?,
    })
}

fn event(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<LineEvent> {
    let kinds = ["user", "tap", "sends", "wait", "bot", "result", "fails"];
    let there: Vec<Field<'_>> = kinds.iter().filter_map(|key| table.get(key)).collect();
    let rule = table.get("rule");
    let rule = rule.and_then(|field| reader.string(&field));
    let rule = rule.map(|rule| rule.value.to_owned());
    let field = match (there.as_slice(), rule) {
        ([], rule @ Some(_)) => return Some(LineEvent::Expects { text: None, rule }),
        ([field], rule) if rule.is_none() || field.name == "bot" => {
            if field.name == "bot" && !field.is_boolean() {
                let text = reader.string(field)?;
                let text = Some(text.value.to_owned());
                return Some(LineEvent::Expects { text, rule });
            }
            field
        }
        ([], None) if table.has_unknown() => return None,
        _ => {
            let message = "a line of a test is one thing that happens";
            let error = Diagnostic::error(codes::MIXED_REPLY, table.span.clone(), message);
            let help =
                "write `{ user = \"…\" }`, `{ tap = \"…\" }` or `{ bot = \"…\", rule = \"…\" }`";
            reader.report(error.help(help.to_owned()));
            return None;
        }
    };
    let text = |reader: &mut Reader<'_>| Some(reader.string(field)?.value.to_owned());
    Some(match field.name {
        "user" => LineEvent::Says(text(reader)?),
        "tap" => LineEvent::Taps(text(reader)?),
        "wait" => LineEvent::Waits(reader.duration(field)?),
        "fails" => LineEvent::Fails(text(reader)?),
        "result" => LineEvent::Gives(json(field)),
        "bot" if reader.boolean(field)? => LineEvent::Expects {
            text: None,
            rule: None,
        },
        "bot" => LineEvent::ExpectsNothing,
        _ => {
            let name = text(reader)?;
            let Some((_, kind)) = Kind::ALL.iter().find(|(known, _)| *known == name) else {
                let help = suggest::did_you_mean(&name, Kind::ALL.map(|(name, _)| name));
                let message = "there is no such type of message";
                let error = Diagnostic::error(codes::MESSAGE_TYPE, field.span.clone(), message);
                reader.report(error.help(help));
                return None;
            };
            LineEvent::Sends(*kind)
        }
    })
}

/// A value of the file as JSON.
fn json(field: &Field<'_>) -> serde_json::Value {
    if let Some(plain) = field.plain() {
        return plain;
    }
    if let Some(text) = field.text() {
        return text.into();
    }
    if let Some(elements) = field.elements() {
        return elements.iter().map(json).collect();
    }
    let entries = field.entries();
    let entries = entries.iter();
    let entries = entries.map(|entry| (entry.name.to_owned(), json(entry)));
    serde_json::Value::Object(entries.collect())
}

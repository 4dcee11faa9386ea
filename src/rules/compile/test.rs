//! Reads `[[test]]`: conversations that the rules are tested with.

use jiff::civil::DateTime;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::optional::{optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Reader, Table, quoted};
use crate::diagnostics::{codes, suggest};
use crate::message::Kind;
use crate::rules::{Line, LineEvent, Sent, Test};

const KEYS: [&str; 3] = ["name", "at", "talk"];
const LINE_KEYS: [&str; 10] = [
    "as", "user", "tap", "sends", "with", "wait", "bot", "rule", "result", "fails",
];

/// Reads the `[[test]]` tables of every file; `None` when something in them is wrong.
pub(crate) fn read_all<'d>(
    reader: &mut Reader<'_>,
    fields: impl Iterator<Item = Field<'d>>,
) -> Option<Vec<Test>> {
    let expected = "tests, each under a line with `[[test]]`";
    let tests: Vec<Field<'_>> = fields
        .flat_map(|field| reader.tables(&field, expected))
        .collect();
    read_each(&tests, |field| test(reader, field))
}

fn test(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Test> {
    let table = reader.table(field, &KEYS)?;
    let name = reader.required_string(&table, "name");
    let at = optional(table.get("at"), |field| time(reader, &field));
    let talk = reader.required(&table, "talk")?;
    let talk = reader.list(&talk)?;
    let talk = read_each(&talk, |element| line(reader, element));
    Some(Test {
        name: name?.value.to_owned(),
        span: field.span.clone(),
        at: at.ok()?,
        talk: talk?,
    })
}

fn time(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<DateTime> {
    let plain = field.plain();
    let text = field.text().or_else(|| plain.as_ref()?.as_str());
    let time = text.and_then(|text| text.parse().ok());
    if time.is_none() {
        let message = "this is no local time";
        let help = "write it like `\"2026-12-24T09:00\"`";
        reader.error(codes::DATE, &field.span, message, help);
    }
    time
}

fn line(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Line> {
    let table = reader.table(field, &LINE_KEYS)?;
    let who = or_default(table.get("as"), |field| {
        Some(reader.string(&field)?.value.to_owned())
    });
    let event = event(reader, &table);
    Some(Line {
        span: field.span.clone(),
        who: who?,
        event: event?,
    })
}

fn event(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<LineEvent> {
    let kinds = ["user", "tap", "sends", "wait", "bot", "result", "fails"];
    let there: Vec<Field<'_>> = kinds.iter().filter_map(|key| table.get(key)).collect();
    if let (Some(with), None) = (table.get("with"), table.get("sends")) {
        with_needs_form(reader, &with);
        return None;
    }
    let rule = table.get("rule");
    let rule = rule.and_then(|field| reader.string(&field));
    if let Some(rule) = &rule {
        let named = (rule.span.clone(), rule.value.to_owned());
        reader.tested_rules.push(named);
    }
    let rule = rule.map(|rule| rule.value.to_owned());
    let field = match (there.as_slice(), rule) {
        ([], rule @ Some(_)) => return Some(LineEvent::Expects { text: None, rule }),
        ([field], rule) if field.name == "bot" => return expected(reader, field, rule),
        ([field], None) => field,
        ([], None) if table.has_unknown() => return None,
        _ => {
            let message = "a line of a test is one thing that happens";
            let help =
                "write `{ user = \"…\" }`, `{ tap = \"…\" }` or `{ bot = \"…\", rule = \"…\" }`";
            reader.error(codes::MIXED_REPLY, &table.span, message, help);
            return None;
        }
    };
    if field.name == "sends" {
        return sent(reader, field, table.get("with").as_ref()).map(LineEvent::Sends);
    }
    let text = |reader: &mut Reader<'_>| Some(reader.string(field)?.value.to_owned());
    Some(match field.name {
        "user" => LineEvent::Says(text(reader)?),
        "tap" => LineEvent::Taps(text(reader)?),
        "wait" => LineEvent::Waits(reader.duration(field)?),
        "fails" => LineEvent::Fails(text(reader)?),
        _ => LineEvent::Gives(json(field)),
    })
}

/// `bot`: a part of the next reply, `true` for any reply, `false` for none.
fn expected(reader: &mut Reader<'_>, field: &Field<'_>, rule: Option<String>) -> Option<LineEvent> {
    if !field.is_boolean() {
        let text = Some(reader.string(field)?.value.to_owned());
        return Some(LineEvent::Expects { text, rule });
    }
    if reader.boolean(field)? {
        return Some(LineEvent::Expects { text: None, rule });
    }
    if rule.is_some() {
        let message = "nothing is answered, so no rule answers it";
        let help = "write `bot = false` alone, or `rule` without it for any reply of this rule";
        return reader.refuse(codes::MIXED_REPLY, &field.span, message, help);
    }
    Some(LineEvent::ExpectsNothing)
}

/// Reads `sends`, a type of message, and `with`, the answers of a form.
fn sent(reader: &mut Reader<'_>, field: &Field<'_>, with: Option<&Field<'_>>) -> Option<Sent> {
    let name = reader.string(field)?.value;
    let known = Kind::ALL.iter().find(|(known, _)| *known == name);
    let error = |message| Diagnostic::error(codes::MESSAGE_TYPE, field.span.clone(), message);
    let Some((_, kind)) = known else {
        let sent = Kind::ALL.iter();
        let sent = sent.filter(|(_, kind)| !Sent::NEVER.contains(kind));
        let names: Vec<&str> = sent.map(|(name, _)| *name).collect();
        let help = suggest::did_you_mean(name, names.iter().copied())
            .unwrap_or_else(|| format!("the types are {}", quoted(&names)));
        reader.report(error("there is no such type of message").help(help));
        return None;
    };
    if Sent::NEVER.contains(kind) {
        let message = "a test says what is written, and what is tapped";
        let help = if *kind == Kind::Text {
            "write `user = \"…\"`"
        } else {
            "write `tap = \"…\"`, with the id or the title"
        };
        reader.report(error(message).help(help.to_owned()));
        return None;
    }
    let with = match with {
        Some(with) if *kind != Kind::Form => {
            with_needs_form(reader, with);
            return None;
        }
        Some(with) if !with.is_table() => {
            return reader.wrong_type(with, "the answers of the form: `{ name = \"…\" }`");
        }
        Some(with) => with.entries(),
        None => Vec::new(),
    };
    let with = with.iter();
    Some(Sent {
        kind: *kind,
        with: with
            .map(|entry| (entry.name.to_owned(), json(entry)))
            .collect(),
    })
}

fn with_needs_form(reader: &mut Reader<'_>, with: &Field<'_>) {
    let message = "`with` is what a form has in it";
    let help = "write it beside `sends = \"form\"`";
    reader.error(codes::MIXED_REPLY, &with.span, message, help);
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

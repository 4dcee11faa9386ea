//! The JSON Schema of rules files, for editors that complete and check TOML while it is written.
//!
//! The schema covers keys, types and keys that require each other. Names, limits and everything
//! that takes two places to see are checked by [`mod@super::compile`]. The parts are data, in
//! `schema/`; a test compares them with the compiler, mutant by mutant. Draft 7, because TOML
//! editors read no newer one.

use serde_json::{Map, Value, json};

use super::Sent;
use crate::message::Kind;

const FILE: &str = include_str!("schema/file.json");
const PARTS: [&str; 3] = [
    include_str!("schema/rule.json"),
    include_str!("schema/flow.json"),
    include_str!("schema/reply.json"),
];
/// Definitions that differ in the question of a flow, where a button or row may say where to `go`.
const WITH_TAPS: [&str; 6] = ["reply", "message", "button", "list", "row", "card"];
const TAPPED: [&str; 2] = ["button", "row"];

/// The schema of rules files, as one JSON document.
#[must_use]
pub fn schema() -> Value {
    let mut schema = object(FILE);
    let mut definitions = part(schema.remove("definitions"));
    for text in PARTS {
        definitions.extend(object(text));
    }
    let answer = properties(&definitions, "answer");
    if let Some(rule) = definitions.get_mut("rule") {
        extend_properties(rule, answer);
    }
    if let Some(kind) = definitions.get_mut("kind") {
        kind["enum"] = Kind::ALL.iter().map(|(name, _)| *name).collect();
    }
    if let Some(kind) = definitions.get_mut("sent_kind") {
        let sent = Kind::ALL
            .iter()
            .filter(|(_, kind)| !Sent::NEVER.contains(kind));
        kind["enum"] = sent.map(|(name, _)| *name).collect();
    }
    let questions: Vec<(String, Value)> = WITH_TAPS
        .iter()
        .map(|name| (format!("step_{name}"), question_schema(&definitions, name)))
        .collect();
    definitions.extend(questions);
    schema.insert("definitions".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

/// A definition as it is in the question of a flow.
fn question_schema(definitions: &Map<String, Value>, name: &str) -> Value {
    let mut text = definitions[name].to_string();
    for inner in WITH_TAPS {
        let plain = format!("\"#/definitions/{inner}\"");
        text = text.replace(&plain, &format!("\"#/definitions/step_{inner}\""));
    }
    let mut definition = Value::Object(object(&text));
    if TAPPED.contains(&name) {
        let go = json!({ "go": {
            "description": "Where to go when it is tapped.",
            "$ref": "#/definitions/target",
        }, "words": {
            "description": "Other words that mean it.",
            "$ref": "#/definitions/texts",
        } });
        extend_properties(&mut definition, part(Some(go)));
    }
    definition
}

fn properties(definitions: &Map<String, Value>, name: &str) -> Map<String, Value> {
    part(definitions[name].get("properties").cloned())
}

fn extend_properties(definition: &mut Value, more: Map<String, Value>) {
    if let Some(Value::Object(properties)) = definition.get_mut("properties") {
        properties.extend(more);
    }
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).expect("the parts of the schema are JSON objects")
}

fn part(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

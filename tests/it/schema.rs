//! `replyd schema` against a validator, and against the compiler: neither may know a key or a type
//! that the other does not.

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use replyd::diagnostics;
use replyd::diagnostics::sources::SourceMap;
use replyd::diagnostics::{Colour, Diagnostic, Severity, codes};
use replyd::rules;
use replyd::rules::CompileInput;
use serde_json::Value;

use crate::support::run::replyd;

/// The schema as a validator reads it.
struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler
            .add_resource("rules.schema.json", rules::schema())
            .unwrap();
        let index = compiler.compile("rules.schema.json", &mut schemas);
        let index = index.unwrap();
        Self { schemas, index }
    }

    /// The reason why the schema refuses a file; `None` for a valid file.
    fn refusal(&self, file: &toml::Table) -> Option<String> {
        let file = json(&toml::Value::Table(file.clone()));
        let result = self.schemas.validate(&file, self.index);
        result.err().map(|error| format!("{error:#}"))
    }
}

/// A file of an editor: dates are texts there.
fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Array(values) => values.iter().map(json).collect(),
        toml::Value::Table(table) => {
            let entries = table.iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key.clone(), json(value)))
                    .collect(),
            )
        }
        plain => serde_json::to_value(plain).unwrap(),
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect()
}

fn read(path: &Path) -> toml::Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// The examples of the reference, which have every key of the language.
fn reference() -> Vec<toml::Table> {
    let page = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let blocks = page.split("```toml\n").skip(1);
    let blocks = blocks.map(|rest| {
        let mut file: toml::Table = rest.split("```").next().unwrap().parse().unwrap();
        file.entry("version").or_insert(toml::Value::Integer(1));
        file
    });
    blocks.collect()
}

fn compile(text: &str) -> Vec<Diagnostic> {
    let problems =
        match rules::compile(&SourceMap::new("rules.toml", text), CompileInput::default()) {
            Ok(compiled) => compiled.warnings,
            Err(diagnostics) => diagnostics,
        };
    let is_error = |problem: &Diagnostic| problem.severity == Severity::Error;
    problems.into_iter().filter(is_error).collect()
}

#[test]
fn every_good_file_is_as_the_schema_wants_it() {
    let validator = Validator::new();
    let mut good: Vec<(String, toml::Table)> = ["examples", "tests/cases/conversations"]
        .into_iter()
        .flat_map(files)
        .map(|path| (path.display().to_string(), read(&path)))
        .collect();
    let reference = reference().into_iter().enumerate();
    good.extend(reference.map(|(place, file)| (format!("block {place} of rules.md"), file)));
    assert!(good.len() > 50);

    for (name, file) in good {
        let refusal = validator.refusal(&file);
        assert!(refusal.is_none(), "{name}: {}\n{file}", refusal.unwrap());
    }
}

/// Codes that are about keys and types alone: the schema sees these too.
const OF_THE_SHAPE: [&str; 5] = [
    codes::UNKNOWN_KEY,
    codes::MISSING_KEY,
    codes::WRONG_TYPE,
    codes::DURATION,
    codes::MESSAGE_TYPE,
];

/// One thing that is done to a file.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// The key gets another name.
    Rename,
    /// The value gets another type.
    Retype,
    /// The key goes.
    Remove,
}

const CHANGES: [Change; 3] = [Change::Rename, Change::Retype, Change::Remove];

/// Collects the path of every key of a table and of the values in it.
fn paths(value: &toml::Value, path: &mut Vec<String>, collected: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &toml::Value)> = match value {
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        toml::Value::Array(list) => {
            let list = list.iter().enumerate();
            list.map(|(place, value)| (place.to_string(), value))
                .collect()
        }
        _ => return,
    };
    for (key, value) in inner {
        path.push(key);
        collected.push(path.clone());
        paths(value, path, collected);
        path.pop();
    }
}

/// The file with a change at the end of a path; `None` where it makes no sense.
fn changed(file: &toml::Table, path: &[String], change: Change) -> Option<toml::Table> {
    let mut file = toml::Value::Table(file.clone());
    let (end, before) = path.split_last()?;
    let mut inside = &mut file;
    for key in before {
        inside = match inside {
            toml::Value::Table(table) => table.get_mut(key)?,
            toml::Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    let other = |value: &toml::Value| match value {
        toml::Value::Integer(_) | toml::Value::Float(_) => toml::Value::from("x"),
        toml::Value::Boolean(_) => toml::Value::from("yes"),
        toml::Value::Array(_) => toml::Value::from(true),
        _ => toml::Value::from(7),
    };
    match (inside, change) {
        (toml::Value::Table(table), Change::Rename) => {
            let value = table.remove(end)?;
            table.insert(format!("{end}zz"), value);
        }
        (toml::Value::Table(table), Change::Retype) => {
            let value = table.get_mut(end)?;
            *value = other(value);
        }
        (toml::Value::Table(table), Change::Remove) => {
            table.remove(end)?;
        }
        (toml::Value::Array(list), Change::Retype) => {
            let value = list.get_mut(end.parse::<usize>().ok()?)?;
            *value = other(value);
        }
        _ => return None,
    }
    file.as_table().cloned()
}

#[test]
fn the_schema_and_the_compiler_refuse_the_same_keys_and_types() {
    let validator = Validator::new();
    let mut tried = 0;
    let mut refused = 0;
    let mut apart = Vec::new();
    for file in reference() {
        let mut all_paths = Vec::new();
        let value = toml::Value::Table(file.clone());
        paths(&value, &mut Vec::new(), &mut all_paths);
        let changes = all_paths
            .iter()
            .flat_map(|path| CHANGES.map(|change| (path, change)));
        for (path, change) in changes {
            let Some(mutant) = changed(&file, path, change) else {
                continue;
            };
            tried += 1;
            let text = mutant.to_string();
            let problems = compile(&text);
            let refusal = validator.refusal(&mutant);
            refused += usize::from(refusal.is_some());
            let mut codes = problems.iter().map(|problem| problem.code);
            let has_shape = codes.any(|code| OF_THE_SHAPE.contains(&code));
            let place = format!("{change:?} {}", path.join("."));
            if has_shape && refusal.is_none() {
                let sources = SourceMap::new("rules.toml", &text);
                let drawn = diagnostics::render(&problems, &sources, Colour::Plain);
                apart.push(format!("{place}: the schema takes it\n{drawn}"));
            } else if let (Some(refusal), true) = (refusal, problems.is_empty()) {
                apart.push(format!("{place}: only the schema refuses it\n{refusal}"));
            }
        }
    }

    let is_enough = tried > 2000 && refused > 1000;
    assert!(is_enough, "{tried} tried, {refused} refused");
    let shown = apart.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(apart.is_empty(), "{} of {tried}\n{shown}", apart.len());
}

#[tokio::test]
async fn the_command_prints_the_schema() {
    let run = replyd(&root(), "schema").await;

    run.done();
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed, rules::schema());
    let draft = "http://json-schema.org/draft-07/schema#";
    assert_eq!(printed["$schema"], draft);
}

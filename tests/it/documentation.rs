//! The documentation for owners is right: every rules file in it, and every example.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use replyd::app::rules_loader::RulesFiles;
use replyd::diagnostics;
use replyd::diagnostics::sources::SourceMap;
use replyd::diagnostics::{Colour, Diagnostic, Severity, codes};
use replyd::engine::Engine;
use replyd::message::TemplateFile;
use replyd::rules;
use replyd::rules::{CompileInput, RuleSet};
use replyd::simulator;

use crate::support::assert_contains;
use crate::support::run::replyd;

/// For holidays that are over.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

fn compile(text: &str, templates: Option<&TemplateFile>) -> (Vec<Diagnostic>, Option<RuleSet>) {
    let input = CompileInput {
        templates,
        today: Some(TODAY),
        hosts: None,
    };
    match rules::compile(&SourceMap::new("rules.toml", text), input) {
        Ok(compiled) => (compiled.warnings, Some(compiled.rules)),
        Err(diagnostics) => (diagnostics, None),
    }
}

/// The same, for a file in a folder of its own.
fn compile_alone(
    text: &str,
    templates: Option<&TemplateFile>,
) -> (Vec<Diagnostic>, Option<RuleSet>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.toml");
    fs::write(&path, text).unwrap();
    let files = RulesFiles {
        templates: templates.cloned(),
        ..RulesFiles::read(&path).unwrap()
    };
    match files.compile(Some(TODAY)) {
        Ok(compiled) => (compiled.warnings, Some(compiled.rules)),
        Err(diagnostics) => (diagnostics, None),
    }
}

/// The blocks between fences that are marked with exactly this.
fn blocks<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let fence = format!("```{mark}\n");
    text.split(fence.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// A file as it is shown when something is wrong with it.
fn drawn(diagnostics: &[Diagnostic], text: &str) -> String {
    let sources = SourceMap::new("rules.toml", text);
    format!(
        "{}\n{text}",
        diagnostics::render(diagnostics, &sources, Colour::Plain)
    )
}

/// Runs everything that a file promises; gives the rules, steps and branches that nothing reached.
#[track_caller]
fn rehearse(name: &str, rules: RuleSet) -> Vec<String> {
    let engine = Engine::new(rules);
    let (findings, coverage) = simulator::run(&engine);
    assert!(!findings.is_empty(), "{name} has no tests");
    for finding in findings {
        assert!(
            finding.failure.is_none(),
            "{name}: {}\n{:#?}",
            finding.name,
            finding.failure
        );
    }
    let missed = coverage.missed(engine.rules()).into_iter();
    missed.map(|part| part.to_string()).collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect()
}

fn rules_of(path: &Path) -> RuleSet {
    let text = fs::read_to_string(path).unwrap();
    let (diagnostics, rules) = compile(&text, None);
    assert!(
        diagnostics.is_empty(),
        "{}\n{}",
        path.display(),
        drawn(&diagnostics, &text)
    );
    rules.unwrap()
}

#[test]
fn every_example_passes_its_tests_and_they_reach_all_of_it() {
    let examples = files("examples");
    assert!(examples.len() >= 3);
    for path in examples {
        let name = path.display().to_string();
        let missed = rehearse(&name, rules_of(&path));
        assert!(missed.is_empty(), "{name}: no test reaches {missed:?}");
    }
}

#[test]
fn the_first_rules_of_an_owner_pass_their_tests_without_a_warning() {
    let template = root().join("src/cli/service/init/rules.toml");

    rehearse("the rules of `replyd init`", rules_of(&template));
}

/// Each begins with `version`, so each can be copied by itself.
#[test]
fn every_rules_file_of_the_readme_is_complete_and_passes_its_tests() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut shown = BTreeSet::new();
    for text in blocks(&readme, "toml") {
        let (diagnostics, rules) = compile(text, None);
        assert!(diagnostics.is_empty(), "{}", drawn(&diagnostics, text));
        rehearse(text, rules.unwrap());
        keys_in(&toml::from_str(text).unwrap(), &mut shown);
    }

    let wanted = [
        "buttons",
        "list",
        "flow",
        "hours",
        "holidays",
        "handoff",
        "opt_out",
        "first_contact",
        "continue",
        "test",
    ];
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|key| !shown.contains(*key))
        .collect();
    assert!(
        missing.is_empty(),
        "README.md has no example of {missing:?}"
    );
}

#[tokio::test]
async fn the_example_with_tests_passes_by_the_command_and_leaves_no_rule_out() {
    let run = replyd(&root(), "test --coverage examples/orders.toml").await;

    assert_contains(&run.done(), "8 tests, 0 failed");
}

/// Warnings that are right about files which show one thing and leave out what belongs around it:
/// buttons without rules, templates that nobody fetched, flows without an end.
const LEFT_OUT: [&str; 11] = [
    codes::NO_RULES,
    codes::NEVER_OFFERED,
    codes::NEVER_ANSWERED,
    codes::DOUBTFUL_TEMPLATE,
    codes::UNREACHABLE_STEP,
    codes::MISSING_TRANSLATION,
    codes::NEAR_LIMIT,
    codes::NO_INCLUDE,
    codes::SILENT_END,
    codes::NO_ON_ERROR,
    codes::PAST_HOLIDAY,
];

/// Asserts that nothing in a good file is taken for a mistake.
#[track_caller]
fn assert_no_false_alarm(diagnostics: &[Diagnostic], text: &str) {
    let alarms = diagnostics.iter();
    let alarms = alarms.filter(|alarm| !LEFT_OUT.contains(&alarm.code));
    let alarms: Vec<Diagnostic> = alarms.cloned().collect();
    assert!(alarms.is_empty(), "{}", drawn(&alarms, text));
}

#[test]
fn every_conversation_goes_as_it_is_written() {
    let conversations = files("tests/cases/conversations");
    assert!(conversations.len() >= 5);
    for path in conversations {
        let text = fs::read_to_string(&path).unwrap();
        let (diagnostics, rules) = compile(&text, None);
        let rules = rules.unwrap_or_else(|| panic!("{}", drawn(&diagnostics, &text)));
        assert_no_false_alarm(&diagnostics, &text);
        rehearse(&path.display().to_string(), rules);
    }
}

#[test]
fn every_rule_of_the_reference_passes() {
    let page = page("rules.md");
    let blocks = blocks(&page, "toml");
    assert!(blocks.len() > 10, "the reference lost its examples");
    for block in blocks {
        let text = if block.contains("version =") {
            block.to_owned()
        } else {
            format!("version = 1\n{block}")
        };
        let (diagnostics, rules) = compile(&text, None);
        assert!(rules.is_some(), "{}", drawn(&diagnostics, &text));
        assert_no_false_alarm(&diagnostics, &text);
    }
}

/// The keys that the compiler takes, as they stand in its lists: `const KEYS: [&str; 3] = ["name",
/// …];`.
fn keys_of_the_language() -> BTreeSet<String> {
    let list =
        Regex::new(r"(?s)(?:KEYS|CONTENTS|HEADERS)\w*: \[[^=]*; \d+\] = \[(.*?)\];").unwrap();
    let key = Regex::new(r#""([^"]+)""#).unwrap();
    let mut folders = vec![root().join("src/rules/compile")];
    let mut keys = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(path).unwrap();
            for list in list.captures_iter(&source) {
                keys.extend(key.captures_iter(&list[1]).map(|key| key[1].to_owned()));
            }
        }
    }
    keys
}

fn keys_in(value: &toml::Value, keys: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                keys.insert(key.clone());
                keys_in(value, keys);
            }
        }
        toml::Value::Array(values) => values.iter().for_each(|value| keys_in(value, keys)),
        _ => {}
    }
}

#[test]
fn every_key_stands_in_an_example_of_the_reference() {
    let mut shown = BTreeSet::new();
    for block in blocks(&page("rules.md"), "toml") {
        keys_in(&toml::from_str(block).unwrap(), &mut shown);
    }
    let keys = keys_of_the_language();
    assert!(keys.len() > 100, "{keys:?}");

    let missing: Vec<&String> = keys.difference(&shown).collect();

    assert!(
        missing.is_empty(),
        "docs/rules.md has no example of {missing:?}"
    );
}

#[test]
fn every_recipe_of_the_cookbook_passes_its_tests() {
    let page = page("cookbook.md");
    let recipes = blocks(&page, "toml");
    assert!(recipes.len() >= 15);
    for text in recipes {
        let (diagnostics, rules) = compile(text, None);
        assert!(diagnostics.is_empty(), "{}", drawn(&diagnostics, text));
        rehearse(text, rules.unwrap());
    }
}

#[test]
fn every_diagnostic_is_shown_with_a_file_that_has_it_and_one_that_has_not() {
    let page = page("diagnostics.md");
    let sections: Vec<(&str, &str)> = page
        .split("\n## ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .collect();
    let shown: Vec<&str> = sections.iter().map(|(code, _)| *code).collect();
    assert_eq!(shown, codes::ALL, "a section for each code, in order");

    for (code, section) in sections {
        let fetched = blocks(section, "json templates");
        let fetched = fetched
            .first()
            .map(|json| serde_json::from_str(json).unwrap());
        for (state, templates) in [("", None), (" needs-templates", fetched.as_ref())] {
            for text in blocks(section, &format!("toml broken{state}")) {
                let (problems, _) = compile_alone(text, templates);
                let has_others = problems.iter().any(|problem| problem.code != code);
                let is_shown = !problems.is_empty() && !has_others;
                assert!(is_shown, "{code}: {}", drawn(&problems, text));
            }
            for text in blocks(section, &format!("toml right{state}")) {
                let (problems, _) = compile_alone(text, templates);
                let is_wrong = |problem: &Diagnostic| {
                    problem.code == code || problem.severity == Severity::Error
                };
                let is_right = !problems.iter().any(is_wrong);
                assert!(is_right, "{code}: {}", drawn(&problems, text));
            }
        }
        let shown = |mark: &str| section.contains(&format!("```toml {mark}"));
        assert!(shown("broken") && shown("right"), "{code} shows both");
    }
}

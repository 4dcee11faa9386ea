//! `replyd check` and `replyd chat`: what they print is read by people, so it is tested as text.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use replyd::rules::{Colour, compile, render};

fn replyd(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn each_diagnostic_reads_as_it_should() {
    insta::glob!("../cases/diagnostics", "*.toml", |path| {
        let rules = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let diagnostics = match compile(name, &rules) {
            Ok(compiled) => compiled.warnings,
            Err(diagnostics) => diagnostics,
        };

        let code = name.split('-').next().unwrap().to_uppercase();
        let has_it = diagnostics.iter().any(|one| one.code == code);
        assert!(has_it, "{name} does not show {code}");
        insta::assert_snapshot!(render(&diagnostics, name, &rules, Colour::Plain));
    });
}

#[test]
fn every_code_has_a_case_and_a_line_in_the_documents() {
    let sources = std::fs::read_dir("src/rules/compile").unwrap();
    let mut codes: Vec<String> = sources
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .flat_map(|source| {
            let marks = source.split("Diagnostic::new(").skip(1);
            let codes = marks.filter_map(|rest| rest.split('"').nth(1).map(str::to_owned));
            codes.collect::<Vec<_>>()
        })
        .filter(|code| code.len() == 4)
        .collect();
    codes.sort();
    codes.dedup();
    assert!(codes.len() > 12, "the codes were not found: {codes:?}");

    let guide = std::fs::read_to_string("docs/rules.md").unwrap();
    let cases: Vec<String> = std::fs::read_dir("tests/cases/diagnostics")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for code in codes {
        let case = format!("{}-", code.to_lowercase());
        assert!(
            cases.iter().any(|name| name.starts_with(&case)),
            "{code} has no case"
        );
        assert!(
            guide.contains(&format!("| `{code}` |")),
            "{code} is not in docs/rules.md"
        );
    }
}

#[test]
fn every_example_of_the_guide_is_good() {
    let guide = std::fs::read_to_string("docs/rules.md").unwrap();
    let examples: Vec<&str> = guide
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() > 10, "the guide was not read");

    for example in examples {
        let head = if example.contains("version = 1") {
            ""
        } else {
            "version = 1\n"
        };
        let rules = format!("{head}{example}");
        if let Err(found) = compile("docs/rules.md", &rules) {
            panic!("{}", render(&found, "docs/rules.md", &rules, Colour::Plain));
        }
    }
}

#[test]
fn the_examples_pass_without_a_warning() {
    for entry in std::fs::read_dir("examples").unwrap() {
        let path = entry.unwrap().path();
        let output = replyd(&["check", path.to_str().unwrap()], "");

        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(
            text(&output.stdout).ends_with("0 errors, 0 warnings\n"),
            "{}",
            text(&output.stdout)
        );
    }
}

#[test]
fn check_tells_good_from_bad_and_bad_from_missing_by_its_exit_code() {
    let bad = "tests/cases/diagnostics/e012-keyword-of-punctuation.toml";
    let warned = "tests/cases/diagnostics/w103-rule-that-never-answers.toml";

    let output = replyd(&["check", warned, bad], "");
    let missing = replyd(&["check", "nowhere.toml"], "");

    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output.stdout), @"
    tests/cases/diagnostics/w103-rule-that-never-answers.toml: 2 rules, 0 errors, 1 warning
    tests/cases/diagnostics/e012-keyword-of-punctuation.toml: 1 error, 0 warnings
    ");
    assert!(
        !text(&output.stderr).contains('\u{1b}'),
        "no colours in a pipe"
    );
    assert_eq!(missing.status.code(), Some(2));
    assert!(Path::new("examples/bakery.toml").exists());
}

#[test]
fn a_chat_shows_buttons_and_lists_to_choose_by_number_and_explains_itself() {
    let typed = "Hello\n1\n2\n/why\nthanks\nthanks\n/voice\n";

    let output = replyd(&["chat", "examples/bakery.toml"], typed);

    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout), @r#"
    you › Hello
      │ Hi Ana! What can we do for you?
      │ Luna Bakery, since 1987
      │ [1] Order a cake  [2] Opening hours  [3] Talk to us
    you › 1
    [Order a cake]
      │ Our cakes of this week. Which one would you like?
      │ ≡ See the cakes
      │ Round
      │ [1] Lemon cake · 6 people, $28
      │ [2] Walnut cake · 8 people, $34
      │ By the tray
      │ [3] Plum tray · 12 people, $40
    you › 2
    [Walnut cake]
      │ Walnut cake, a good choice! For which day, and at what time will you come for it?
      │ 
      │ Write it here; we confirm it before noon.
    you › /why
    · human: `cake-walnut` was tapped; the message has no text
    · track: the message has no text
    · menu: the message is of type `list_reply`; the message has no text
    · order: `cake-walnut` was tapped; the message has no text
    ✓ cake-chosen: `cake-walnut` was tapped
    you › thanks
      │ With pleasure!
    you › thanks
    (a rule matches and says nothing; /why shows which)
    you › /voice
      │ Thank you! One of us will have a look at it. Write *menu* to see what I can do meanwhile.
    "#);
}

#[test]
fn a_chat_with_broken_rules_shows_what_is_wrong() {
    let broken = "tests/cases/diagnostics/e012-keyword-of-punctuation.toml";

    let output = replyd(&["chat", broken], "hello\n");

    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("error[E012]"),
        "{}",
        text(&output.stderr)
    );
}

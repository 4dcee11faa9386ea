//! `replyd check` and the rule language, as an owner meets them: texts in, diagnostics out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use replyd::app::rules_loader::RulesFiles;
use replyd::diagnostics;
use replyd::diagnostics::sources::SourceMap;
use replyd::diagnostics::{Colour, Diagnostic, Severity, codes};
use replyd::rules;
use replyd::rules::CompileInput;

/// For holidays that are over.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 23);

fn compile(name: &str, text: &str) -> (Vec<Diagnostic>, bool) {
    let beside = CompileInput {
        templates: None,
        today: Some(TODAY),
    };
    match rules::compile(&SourceMap::new(name, text), beside) {
        Ok(compiled) => (compiled.warnings, true),
        Err(diagnostics) => (diagnostics, false),
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn each_broken_file_is_explained() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../cases/diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::glob!("../cases/diagnostics", "*.toml", |path| {
            let text = fs::read_to_string(path).unwrap();

            // Templates as they were fetched, for the files that are about them.
            let fetched = fs::read_to_string(path.with_extension("templates.json")).ok();
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("rules.toml"), text).unwrap();
            if let Some(json) = fetched {
                fs::write(folder.path().join("templates.json"), json).unwrap();
            }
            let files = RulesFiles::read(&folder.path().join("rules.toml")).unwrap();

            let (diagnostics, good) = match files.compile(Some(TODAY)) {
                Ok(compiled) => (compiled.warnings, true),
                Err(diagnostics) => (diagnostics, false),
            };

            let errors = |found: &Diagnostic| found.severity == Severity::Error;
            assert_eq!(good, !diagnostics.iter().any(errors));
            let name = path.file_name().unwrap().to_str().unwrap();
            let about = name.split('-').next().unwrap();
            let found = diagnostics.iter().any(|found| found.code == about);
            assert!(found, "{name} is about another code");
            let drawn = diagnostics::render(&diagnostics, &files.sources, Colour::Plain);
            let here = format!("{}/", folder.path().display());
            let drawn = drawn.replace(&here, "");
            insta::assert_snapshot!("explained", drawn);
        });
    });
}

#[test]
fn each_code_has_a_broken_file() {
    let cases: Vec<String> = fs::read_dir(root().join("tests/cases/diagnostics"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();

    for code in codes::ALL {
        let begins = format!("{code}-");
        assert!(cases.iter().any(|case| case.starts_with(&begins)), "{code}");
    }
}

#[test]
fn diagnostics_come_in_the_order_of_the_file() {
    let path = root().join("tests/cases/diagnostics/R0104-wrong-types.toml");
    let text = fs::read_to_string(path).unwrap();

    let (diagnostics, _) = compile("rules.toml", &text);

    assert!(diagnostics.len() > 5);
    assert!(diagnostics.is_sorted_by_key(|found| found.span.start));
}

#[test]
fn the_version_follows_the_text() {
    let text = "version = 1\n[[rule]]\nid = \"a\"\nreply = \"A\"\n";
    let version = |text: &str| {
        rules::compile(&SourceMap::new("rules.toml", text), CompileInput::default())
            .unwrap()
            .rules
            .version
    };

    assert_eq!(version(text), version(text));
    assert_ne!(version(text), version(&text.replace("\"A\"", "\"B\"")));
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_compiler(text in "([a-z.]{1,8} = [\"'\\[{}\\]a-z0-9é🥐, \\\\=.]{0,20}\n|\\[\\[rule\\]\\]\n|\\[rule.reply\\]\n|id = \"a\"\n|when.text.has = [\\[\\]\"a,]{0,6}\n){0,12}") {
        let (diagnostics, _) = compile("rules.toml", &text);
        let _ = diagnostics::render(&diagnostics, &SourceMap::new("rules.toml", &text), Colour::Styled);
    }

    #[test]
    fn no_cut_of_a_good_file_breaks_the_compiler(cut in 0..6000_usize, length in 0..200_usize) {
        let text = include_str!("../../examples/bakery.toml");
        let start = text.floor_char_boundary(cut);
        let end = text.ceil_char_boundary((cut + length).min(text.len())).max(start);
        let text = format!("{}{}", &text[..start], &text[end..]);

        let (diagnostics, _) = compile("rules.toml", &text);
        let _ = diagnostics::render(&diagnostics, &SourceMap::new("rules.toml", &text), Colour::Plain);
    }
}

/// Runs `replyd check` in a folder, and shows how it ended and what it wrote.
fn check(folder: &Path, files: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_replyd"))
        .arg("check")
        .args(files)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    format!(
        "exit code: {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().expect("the program ends by itself"),
        String::from_utf8(output.stdout).expect("the output is text"),
        String::from_utf8(output.stderr).expect("the output is text")
    )
}

const WARNED: &str = "version = 1
[[rule]]
id = \"order\"
when.button = \"order\"
reply = \"Which cake?\"
";

#[test]
fn check_takes_rules_toml_and_ends_with_0_when_there_are_only_warnings() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.toml"), WARNED).unwrap();

    insta::assert_snapshot!(check(folder.path(), &[]), @r#"
    exit code: 0
    --- stdout
    rules.toml: 1 rule, 0 errors, 1 warning
    --- stderr
    warning[R0502]: no reply offers a button or row `order`
     --> rules.toml:4:15
      |
    4 | when.button = "order"
      |               ^^^^^^^ waited for here
      |
      = help: that is right only when a message template has a button with this id
    "#);
}

#[test]
fn check_ends_with_1_when_one_of_the_files_has_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let broken = WARNED.replace("reply =", "replay =");
    fs::write(folder.path().join("broken.toml"), broken).unwrap();
    let good = WARNED.replace("when.button", "when.text.has");
    fs::write(folder.path().join("good.toml"), good).unwrap();

    insta::assert_snapshot!(check(folder.path(), &["broken.toml", "good.toml"]), @r#"
    exit code: 1
    --- stdout
    broken.toml: 1 error, 0 warnings
    good.toml: 1 rule, 0 errors, 0 warnings
    --- stderr
    error[R0102]: unknown key `replay`
     --> broken.toml:5:1
      |
    5 | replay = "Which cake?"
      | ^^^^^^ not known here
      |
      = help: did you mean `reply`?
    "#);
}

#[test]
fn check_ends_with_2_when_a_file_cannot_be_read_and_checks_the_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.toml"), WARNED).unwrap();
    fs::write(folder.path().join("latin1.toml"), b"# caf\xe9\n").unwrap();

    let files = ["missing.toml", "latin1.toml", "rules.toml"];
    insta::assert_snapshot!(check(folder.path(), &files), @r#"
    exit code: 2
    --- stdout
    rules.toml: 1 rule, 0 errors, 1 warning
    --- stderr
    error: could not read rules file `missing.toml`
      Caused by: No such file or directory (os error 2)
    error: could not read rules file `latin1.toml`
      Caused by: stream did not contain valid UTF-8
    warning[R0502]: no reply offers a button or row `order`
     --> rules.toml:4:15
      |
    4 | when.button = "order"
      |               ^^^^^^^ waited for here
      |
      = help: that is right only when a message template has a button with this id
    "#);
}

/// Two rules files that could not be read as such.
fn folder_of_includes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    fs::create_dir_all(folder.path().join("sub/folder.toml")).unwrap();
    write("sub/latin1.toml", b"# caf\xe9\n");
    write(
        "sub/bom.toml",
        "\u{feff}[[rule]]\nid = \"bom\"\nwhen.text.has = \"bom\"\nreply = \"x\"\n".as_bytes(),
    );
    write(
        "rules.toml",
        br#"version = 1
include = [
  "sub/bom.toml",
  "sub/latin1.toml",
  "sub/none.toml",
  "none/*.toml",
  "sub/fold*.toml",
  "sub/../rules.toml",
  "./sub/bom.toml",
  "sub/[a.toml",
]
[[rule]]
id = "a"
repyl = "x"
"#,
    );
    folder
}

#[test]
fn what_cannot_be_included_is_told_with_everything_else() {
    let folder = folder_of_includes();

    insta::assert_snapshot!("includes", check(folder.path(), &[]));
    let json = check(folder.path(), &["--format", "json"]);
    assert!(json.contains(r#""code":"R0109""#), "{json}");
    assert!(
        json.contains(
            r#""at":{"column":3,"end_column":20,"end_line":4,"file":"rules.toml","line":4}"#
        ),
        "{json}"
    );
}

#[test]
fn a_file_is_included_once_and_its_places_are_its_own() {
    let folder = folder_of_includes();
    let path = folder.path().join("rules.toml");
    let main = "version = 1\ninclude = [\"*.toml\", \"sub/b*.toml\", \"sub/../sub/bom.toml\"]\n";
    fs::write(&path, main).unwrap();
    let mistake = "# é\n[[rule]]\nid = \"z\"\nwhen.text.has = [\"z\", 5]\nreply = \"{{ contact.nam }}\"\n[[rule]\n";
    fs::write(folder.path().join("z.toml"), mistake).unwrap();

    insta::assert_snapshot!("included_places", check(folder.path(), &[]));
    fs::remove_file(folder.path().join("z.toml")).unwrap();
    insta::assert_snapshot!("included_once", check(folder.path(), &[]));
}

#[test]
fn empty_lists_that_say_nothing_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "version = 1\ninclude = []\n[[rule]]\nid = \"a\"\nreply = \"x\"\nexamples = []\nnot_examples = []\n";
    fs::write(folder.path().join("rules.toml"), rules).unwrap();

    let shown = check(folder.path(), &[]);

    assert!(
        shown.contains("rules.toml: 1 rule, 0 errors, 0 warnings"),
        "{shown}"
    );
}

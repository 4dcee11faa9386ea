//! `replyd check` and the rule language, as an owner meets them: texts in, diagnostics out.

use std::fs;
use std::path::PathBuf;

use replyd::app::rules_loader::RulesFiles;
use replyd::diagnostics;
use replyd::diagnostics::sources::SourceMap;
use replyd::diagnostics::{Colour, Diagnostic, Severity, codes};
use replyd::rules;
use replyd::rules::CompileInput;

use crate::support::run::replyd;
use crate::support::{assert_contains, folder_with};

/// For holidays that are over.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 23);

fn compile(name: &str, text: &str) -> (Vec<Diagnostic>, bool) {
    let input = CompileInput {
        templates: None,
        today: Some(TODAY),
        hosts: None,
    };
    match rules::compile(&SourceMap::new(name, text), input) {
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

            let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
            assert_eq!(good, !diagnostics.iter().any(is_error));
            let name = path.file_name().unwrap().to_str().unwrap();
            let code = name.split('-').next().unwrap();
            let has_code = diagnostics.iter().any(|diagnostic| diagnostic.code == code);
            assert!(has_code, "{name} is about another code");
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
    assert!(diagnostics.is_sorted_by_key(|diagnostic| diagnostic.span.start));
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

#[tokio::test]
async fn check_ends_with_2_when_a_file_cannot_be_read_and_checks_the_others() {
    let rules =
        "version = 1\n[[rule]]\nid = \"order\"\nwhen.button = \"order\"\nreply = \"Which cake?\"\n";
    let folder = folder_with(&[("rules.toml", rules)]);
    fs::write(folder.path().join("latin1.toml"), b"# caf\xe9\n").unwrap();

    let run = replyd(folder.path(), "check missing.toml latin1.toml rules.toml").await;

    insta::assert_snapshot!("unreadable", run);
}

/// Two rules files that could not be read as such.
fn folder_of_includes() -> tempfile::TempDir {
    let folder = folder_with(&[(
        "rules.toml",
        r#"version = 1
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
    )]);
    let sub = folder.path().join("sub");
    fs::create_dir_all(sub.join("folder.toml")).unwrap();
    fs::write(sub.join("latin1.toml"), b"# caf\xe9\n").unwrap();
    let bom = "\u{feff}[[rule]]\nid = \"bom\"\nwhen.text.has = \"bom\"\nreply = \"x\"\n";
    fs::write(sub.join("bom.toml"), bom).unwrap();
    folder
}

#[tokio::test]
async fn files_that_cannot_be_included_are_reported_with_everything_else() {
    let folder = folder_of_includes();

    insta::assert_snapshot!("includes", replyd(folder.path(), "check").await);
    let json = replyd(folder.path(), "check --format json")
        .await
        .to_string();
    assert_contains(&json, r#""code":"R0109""#);
    let place = r#""at":{"column":3,"end_column":20,"end_line":4,"file":"rules.toml","line":4}"#;
    assert_contains(&json, place);
}

#[tokio::test]
async fn a_file_is_included_once_and_its_places_are_its_own() {
    let folder = folder_of_includes();
    let path = folder.path().join("rules.toml");
    let main = "version = 1\ninclude = [\"*.toml\", \"sub/b*.toml\", \"sub/../sub/bom.toml\"]\n";
    fs::write(&path, main).unwrap();
    let mistake = "# é\n[[rule]]\nid = \"z\"\nwhen.text.has = [\"z\", 5]\nreply = \"{{ contact.nam }}\"\n[[rule]\n";
    fs::write(folder.path().join("z.toml"), mistake).unwrap();

    insta::assert_snapshot!("included_places", replyd(folder.path(), "check").await);
    fs::remove_file(folder.path().join("z.toml")).unwrap();
    insta::assert_snapshot!("included_once", replyd(folder.path(), "check").await);
}

#[tokio::test]
async fn calls_are_compared_with_the_hosts_that_the_configuration_allows() {
    let rules = r#"version = 1
[[rule]]
id = "track"
when.text.has = "track"
call = { get = "https://shop.example/orders", save = "order" }
reply = "It is {{ order.status }}."
on_error = "Not now."
[[rule]]
id = "stock"
when.text.has = "stock"
call = { get = "http://stock:8000/cakes", save = "stock" }
reply = "We have {{ stock.cakes }} cakes."
on_error = "Not now."
[[rule]]
id = "weather"
when.text.has = "weather"
call = { get = "https://Weather.example:8443/", save = "weather" }
reply = "It is {{ weather.now }}."
on_error = "Not now."
"#;
    let config = r#"[actions]
hosts = [
    { host = "SHOP.example", authorization = { env = "NO_SUCH_TOKEN" } },
    { host = "http://stock:8000", private = true },
]
"#;
    let folder = folder_with(&[("rules.toml", rules), ("replyd.toml", config)]);

    let alone = replyd(folder.path(), "check").await;
    let compared = replyd(folder.path(), "check --config replyd.toml").await;

    assert_contains(&alone.done(), "3 rules, 0 errors, 0 warnings");
    insta::assert_snapshot!("hosts", compared);
}

#[tokio::test]
async fn a_file_in_another_encoding_is_reported_with_the_line_to_correct() {
    let folder = folder_with(&[]);
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("latin1.toml", b"version = 1\n# a caf\xe9\n");
    file("utf16.toml", b"\xff\xfev\0e\0r\0");

    let run = replyd(folder.path(), "check latin1.toml utf16.toml").await;

    insta::assert_snapshot!("encodings", run);
}

#[tokio::test]
async fn a_byte_order_mark_and_the_line_ends_of_windows_are_read() {
    let text = "\u{feff}version = 1\r\n[[rule]]\r\nid = \"a\"\r\nrepyl = \"\"\"\r\nx\"\"\"\r\n";
    let folder = folder_with(&[("rules.toml", text)]);

    let run = replyd(folder.path(), "check").await.to_string();

    assert_contains(&run, "rules.toml:4:1");
    assert_contains(&run, "did you mean `reply`?");
}

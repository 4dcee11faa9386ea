//! Holds the sources against ARCHITECTURE.md: which module may name which, the floors of the engine,
//! that no two files name each other in a circle, that named files exist, and that each effect has
//! one home.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::{Imports, is_test};
use regex::Regex;

/// What a pure module must not name.
const EFFECTS: &[&str] = &[
    "tokio",
    "sqlx",
    "axum",
    "reqwest",
    "tracing",
    "hyper",
    "std::fs",
    "std::env",
    "std::net",
    "std::time::Instant",
    "std::time::SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "crate::clock",
];

/// Words that only some files may contain: the words, and the path prefixes of those files.
const ONE_HOME: &[(&[&str], &[&str])] = &[
    (&["sqlx::"], &["store/", "intake.rs"]),
    // These macros panic when nobody reads the output; a lost line would stop the work under way.
    (&["println!", "print!(", "eprint", "dbg!("], &[]),
    (&["anstream::std", ".print()"], &["cli/terminal/output.rs"]),
    (
        &["io::stdout", "io::stderr"],
        &[
            "cli/terminal/error.rs",
            "cli/terminal/output.rs",
            "cli/terminal/progress.rs",
            "telemetry/",
        ],
    ),
    (&["std::env::var", "env::vars"], &["config/"]),
    (
        &["Timestamp::now()", "SystemTime::now", "Zoned::now"],
        &["clock.rs"],
    ),
    (&["reqwest::Client::", "Client::builder"], &["gateway/"]),
];

/// Longest source file, in lines: a bound against accidents. A file is cut where a noun ends.
const LINES_MAX: usize = 700;

#[test]
fn modules_name_only_the_modules_that_the_map_allows() {
    let map = module_map();
    let imports = Imports::read(&sources());
    let mut breaches = Vec::new();

    for (file, named) in imports.edges() {
        let (from, to) = (module_of(file), module_of(named));
        if from == to || ["lib", "main"].contains(&from.as_str()) {
            continue;
        }
        let module = map
            .get(&from)
            .unwrap_or_else(|| panic!("`{from}` is not in the module map of ARCHITECTURE.md"));
        if !module.may_name.contains(&to) {
            breaches.push(format!("{} names {}", file.display(), named.display()));
        }
    }

    assert!(
        breaches.is_empty(),
        "against the module map of ARCHITECTURE.md:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn the_module_map_is_ordered_from_the_bottom_and_complete() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let mut seen = BTreeSet::new();
    for (names, module) in map_rows(&page) {
        for named in &module.may_name {
            assert!(
                seen.contains(named),
                "`{}` may name `{named}`, which is not above it in the map",
                names.join("`, `")
            );
        }
        seen.extend(names);
    }

    let modules: BTreeSet<String> = sources()
        .iter()
        .map(|(path, _)| module_of(path))
        .filter(|module| !["lib", "main"].contains(&module.as_str()))
        .collect();
    assert_eq!(seen, modules, "the map, and the modules of src");
}

#[test]
fn no_two_files_name_each_other_in_a_circle() {
    let circles = Imports::read(&sources()).circles();

    assert!(
        circles.is_empty(),
        "move what they share into a file of its own:\n{}",
        circles.join("\n")
    );
}

#[test]
fn files_of_the_engine_name_only_files_of_lower_floors() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let (_, list) = page.split_once("```floors\n").unwrap();
    let (list, _) = list.split_once("```").unwrap();
    let floor = |path: &Path| {
        let name = path.strip_prefix("engine").ok()?.to_string_lossy();
        let name = name.trim_end_matches(".rs").trim_end_matches("/mod");
        let mut floors = list.lines();
        floors.position(|floor| floor.split(' ').any(|file| file == name))
    };
    let mut files = sources();
    files.retain(|(path, _)| path.starts_with("engine") && !is_test(path));
    let engine: String = files.iter().map(|(_, text)| text.as_str()).collect();
    let methods = Regex::new(r"(?m)^impl(?:<[^>]*>)? (\w+)(?:<[^>]*>)? \{").unwrap();
    let defines = |text: &str, name: &str| {
        let kinds = ["struct", "enum"].iter();
        let mut definitions = kinds.map(|kind| format!("{kind} {name}"));
        definitions.any(|definition| text.contains(&definition))
    };

    for (path, text) in &files {
        // The front doors of folders only export.
        let has_floor = floor(path).is_some() || !text.contains("fn ");
        assert!(has_floor, "{} has no floor", path.display());
        for found in methods.captures_iter(text) {
            let is_home = defines(text, &found[1]) || !defines(&engine, &found[1]);
            assert!(is_home, "{}: methods of {}", path.display(), &found[1]);
        }
    }
    for (file, named) in Imports::read(&sources()).edges() {
        let floors = floor(file).zip(floor(named));
        let is_below = floors.is_none_or(|(file, named)| file < named);
        assert!(is_below, "{} names {}", file.display(), named.display());
    }
}

#[test]
fn every_file_that_the_guides_name_exists() {
    let sources: BTreeSet<String> = sources()
        .iter()
        .map(|(path, _)| path.to_string_lossy().into_owned())
        .collect();

    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read(&root().join(page));
        // Code stands between backticks: every second piece.
        let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        let files: Vec<&str> = named
            .into_iter()
            .filter(|name| name.contains('/'))
            .filter(|name| Path::new(name).extension().is_some_and(|end| end == "rs"))
            .collect();
        assert!(files.len() > 3, "{page} names too few files: {files:?}");
        for name in files {
            let exists =
                sources.contains(name.trim_start_matches("src/")) || root().join(name).exists();
            assert!(exists, "{page} names `{name}`, which does not exist");
        }
    }
}

#[test]
fn pure_modules_have_no_effects() {
    let map = module_map();
    let mut breaches = Vec::new();

    for (path, text) in sources() {
        if !map.get(&module_of(&path)).is_some_and(|module| module.pure) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            breaches.extend(
                EFFECTS
                    .iter()
                    .filter(|word| names(line, word))
                    .map(|word| format!("{}:{number} names {word}", path.display())),
            );
        }
    }

    assert!(
        breaches.is_empty(),
        "pure modules must only compute:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn what_has_one_home_stays_there() {
    let mut breaches = Vec::new();

    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        for (words, homes) in ONE_HOME {
            if homes.iter().any(|home| name.starts_with(home)) {
                continue;
            }
            for (number, line) in code_lines(&text) {
                breaches.extend(
                    words
                        .iter()
                        .filter(|word| line.contains(*word))
                        .map(|word| {
                            format!("{name}:{number} names {word}, which belongs to {homes:?}")
                        }),
                );
            }
        }
    }

    assert!(
        breaches.is_empty(),
        "outside of its home:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn files_are_written_in_one_place() {
    let writers = [
        "fs::write",
        "fs::rename",
        "fs::copy",
        "File::create",
        "OpenOptions",
        "create_dir",
    ];
    // Whole databases, which SQLite has written.
    let renamers = ["store/backup.rs", "store/restore.rs"].map(Path::new);
    let mut breaches = Vec::new();

    for (path, text) in sources() {
        let is_home = path.starts_with("files");
        if is_home || path.ends_with("tests.rs") {
            continue;
        }
        // Tests stand at the end of their file.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code_lines(code) {
            let named = writers.iter().filter(|word| line.contains(*word));
            let named =
                named.filter(|word| **word != "fs::rename" || !renamers.contains(&path.as_path()));
            breaches.extend(named.map(|word| format!("{}:{number} names {word}", path.display())));
        }
    }

    assert!(
        breaches.is_empty(),
        "src/files/mod.rs writes whole files, never over another's:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn no_file_is_longer_than_700_lines() {
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .filter_map(|path| {
            let lines = read(&path).lines().count();
            (lines > LINES_MAX).then(|| format!("{} has {lines}", path.display()))
        })
        .collect();

    assert!(long.is_empty(), "split these files:\n{}", long.join("\n"));
}

/// A row of the module map in ARCHITECTURE.md.
struct Module {
    pure: bool,
    may_name: BTreeSet<String>,
}

/// Modules of ARCHITECTURE.md by name.
fn module_map() -> BTreeMap<String, Module> {
    let page = read(&root().join("ARCHITECTURE.md"));
    let mut map = BTreeMap::new();
    for (names, module) in map_rows(&page) {
        for name in names {
            let row = Module {
                pure: module.pure,
                may_name: module.may_name.clone(),
            };
            assert!(map.insert(name.clone(), row).is_none(), "`{name}` twice");
        }
    }
    assert!(map.len() > 15, "the module map was not found");
    map
}

/// Rows of the table below `## Module map`: module, kind, what it is, may name.
fn map_rows(page: &str) -> Vec<(Vec<String>, Module)> {
    let (_, section) = page.split_once("## Module map").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            assert_eq!(cells.len(), 4, "{line}");
            let kind = cells[1].trim();
            assert!(["pure", "IO"].contains(&kind), "{line}");
            let module = Module {
                pure: kind == "pure",
                may_name: words_in_code(cells[3]).collect(),
            };
            (words_in_code(cells[0]).collect(), module)
        })
        .collect()
}

fn words_in_code(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Every source file as (path below src, text).
fn sources() -> Vec<(PathBuf, String)> {
    let folder = root().join("src");
    let files = rust_files(&folder);
    assert!(files.len() > 20, "no sources in {}", folder.display());
    files
        .into_iter()
        .map(|path| {
            let text = read(&path);
            (path.strip_prefix(&folder).unwrap().to_owned(), text)
        })
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `store/receive/mod.rs` belongs to `store`, `intake.rs` to `intake`.
fn module_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The lines that are not comments, numbered from 1.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a line names `word` as a path of its own, not as part of a longer name.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joins = |character: Option<char>| {
            character.is_some_and(|character| character.is_alphanumeric() || character == '_')
        };
        !joins(before)
            && !joins(after)
            && (word.contains("::") || line[at + word.len()..].starts_with("::"))
    })
}

//! The module map of ARCHITECTURE.md, held against the `use` lines: who may know whom, and who may
//! touch the world.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with the modules of ours it may name.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("message", &[]),
    ("text", &[]),
    ("diagnostics", &["text"]),
    (
        "template",
        &["message", "text", "diagnostics", "engine", "rules"],
    ),
    (
        "rules",
        &["message", "text", "diagnostics", "template", "engine"],
    ),
    (
        "engine",
        &[
            "message",
            "text",
            "diagnostics",
            "template",
            "rules",
            "simulator",
        ],
    ),
    ("simulator", &["message", "rules", "engine"]),
    ("whatsapp", &["message"]),
    ("clock", &[]),
    ("files", &[]),
    ("shutdown", &[]),
    ("telemetry", &[]),
    ("config", &["message", "telemetry"]),
    ("gateway", &["message", "whatsapp", "config", "files"]),
    ("actions", &["message", "config", "gateway"]),
    ("store", &["message", "engine", "files"]),
    (
        "intake",
        &["message", "engine", "clock", "telemetry", "store"],
    ),
    (
        "workers",
        &[
            "message",
            "whatsapp",
            "clock",
            "shutdown",
            "telemetry",
            "files",
            "gateway",
            "actions",
            "store",
        ],
    ),
    (
        "web",
        &[
            "message",
            "whatsapp",
            "clock",
            "shutdown",
            "telemetry",
            "config",
            "store",
            "intake",
        ],
    ),
    ("sandbox", &["message", "whatsapp", "clock", "gateway"]),
    (
        "app",
        &[
            "message",
            "diagnostics",
            "rules",
            "engine",
            "whatsapp",
            "clock",
            "shutdown",
            "telemetry",
            "config",
            "files",
            "gateway",
            "actions",
            "store",
            "intake",
            "workers",
            "web",
        ],
    ),
    (
        "cli",
        &[
            "message",
            "text",
            "diagnostics",
            "rules",
            "engine",
            "simulator",
            "whatsapp",
            "clock",
            "shutdown",
            "telemetry",
            "config",
            "files",
            "gateway",
            "store",
            "intake",
            "workers",
            "web",
            "sandbox",
            "app",
        ],
    ),
];

/// Modules that only compute.
const PURE: &[&str] = &[
    "message",
    "text",
    "diagnostics",
    "template",
    "rules",
    "engine",
    "simulator",
    "whatsapp",
];

/// What a pure module must not name.
const WORLD: &[&str] = &[
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

/// What only one place may name: the words, and the path prefixes that may.
const ONE_HOME: &[(&[&str], &[&str])] = &[
    (&["sqlx::"], &["store/", "intake.rs"]),
    // They panic when nobody listens: a lost line would cost whatever was under way.
    (&["println!", "print!(", "eprint", "dbg!("], &[]),
    (&["anstream::std", ".print()"], &["cli/terminal/mod.rs"]),
    (
        &["io::stdout", "io::stderr"],
        &[
            "cli/terminal/mod.rs",
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

#[test]
fn modules_name_only_the_modules_below_them() {
    let mut violations = Vec::new();

    for (path, text) in sources() {
        let module = module_of(&path);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let (_, allowed) = MAY_NAME
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("module `{module}` is not in the map: add it to MAY_NAME"));
        for named in names_of_ours(&text) {
            if named != module && !allowed.contains(&named.as_str()) {
                violations.push(format!("{} names crate::{named}", path.display()));
            }
        }
    }

    assert!(
        violations.is_empty(),
        "against the module map:\n{}",
        violations.join("\n")
    );
}

#[test]
fn pure_modules_do_not_touch_the_world() {
    let mut violations = Vec::new();

    for (path, text) in sources() {
        if !PURE.contains(&module_of(&path).as_str()) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            violations.extend(
                WORLD
                    .iter()
                    .filter(|word| names(line, word))
                    .map(|word| format!("{}:{number} names {word}", path.display())),
            );
        }
    }

    assert!(
        violations.is_empty(),
        "pure modules must only compute:\n{}",
        violations.join("\n")
    );
}

#[test]
fn what_has_one_home_stays_there() {
    let mut violations = Vec::new();

    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        for (words, homes) in ONE_HOME {
            if homes.iter().any(|home| name.starts_with(home)) {
                continue;
            }
            for (number, line) in code_lines(&text) {
                violations.extend(
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
        violations.is_empty(),
        "outside of its home:\n{}",
        violations.join("\n")
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
    let mut violations = Vec::new();

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
            violations
                .extend(named.map(|word| format!("{}:{number} names {word}", path.display())));
        }
    }

    assert!(
        violations.is_empty(),
        "src/files/mod.rs writes whole files, never over another's:\n{}",
        violations.join("\n")
    );
}

#[test]
fn no_file_is_longer_than_700_lines() {
    let roots = [
        source_root(),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"),
    ];
    let long: Vec<String> = roots
        .iter()
        .flat_map(|root| rust_files(root))
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            (lines > 700).then(|| format!("{} has {lines}", path.display()))
        })
        .collect();

    assert!(long.is_empty(), "split these files:\n{}", long.join("\n"));
}

/// Every source file as (path below src, text).
fn sources() -> Vec<(PathBuf, String)> {
    let root = source_root();
    let files = rust_files(&root);
    assert!(
        files.len() > 20,
        "the sources were not found in {}",
        root.display()
    );
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&root).unwrap().to_owned(), text)
        })
        .collect()
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
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

/// `store/receive/mod.rs` and `store.rs` both belong to `store`.
fn module_of(path: &Path) -> String {
    let first = path
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
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

/// The first segment behind each `crate::`.
fn names_of_ours(text: &str) -> BTreeSet<String> {
    code_lines(text)
        .flat_map(|(_, line)| line.split("crate::").skip(1).flat_map(segments))
        .collect()
}

/// `turn::Turn` gives `turn`; `{message::Wamid, turn}` gives both.
fn segments(rest: &str) -> Vec<String> {
    let word = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|character| character.is_alphanumeric() || *character == '_')
            .collect::<String>()
    };
    match rest.strip_prefix('{') {
        Some(group) => group
            .split(',')
            .map(word)
            .filter(|name| !name.is_empty())
            .collect(),
        None => vec![word(rest)],
    }
}

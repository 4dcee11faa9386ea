//! Which source file names which: paths in `use` lines and in code, followed through re-exports to
//! the file that defines the item. Unit tests do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// A module's path from the crate's root: `["store", "receive"]`.
type ModulePath = Vec<String>;

static USE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?ms)^ *(pub(?:\([^)]*\))? )?use ([^;]*);").unwrap());
static PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^\w:.])([a-z_]\w*(?:::\w+)+)").unwrap());
static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^\s*//.*$").unwrap());
static UNIT_TESTS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)#\[cfg\(test\)\]\s*mod \w+ \{.*").unwrap());

#[derive(Default)]
pub(crate) struct Imports {
    files: BTreeMap<ModulePath, PathBuf>,
    /// By module, what each imported or re-exported name stands for.
    aliases: BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
    edges: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

impl Imports {
    /// Reads files given as (path below src, text).
    pub(crate) fn read(sources: &[(PathBuf, String)]) -> Self {
        let code: Vec<(ModulePath, &PathBuf, String)> = sources
            .iter()
            .filter(|(path, _)| !is_test(path))
            .map(|(path, text)| {
                let text = COMMENT.replace_all(text, "");
                let text = UNIT_TESTS.replace(&text, "").into_owned();
                (module_path(path), path, text)
            })
            .collect();
        let mut imports = Self::default();
        for (module, path, _) in &code {
            imports.files.insert(module.clone(), (*path).clone());
        }
        let mut named = Vec::new();
        for (module, path, text) in &code {
            for (target, is_import) in imports.paths_in(module, text) {
                if is_import {
                    named.push(((*path).clone(), target));
                }
            }
        }
        for (path, target) in named {
            let file = imports.defining_file(&target);
            if *file != path {
                let file = file.clone();
                imports.edges.entry(path).or_default().insert(file);
            }
        }
        imports
    }

    /// Each file with each file that it names.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.edges.iter().flat_map(|(file, named)| {
            named
                .iter()
                .map(move |named| (file.as_path(), named.as_path()))
        })
    }

    /// A line for each pair of files that reach each other.
    pub(crate) fn circles(&self) -> Vec<String> {
        let reach: BTreeMap<&Path, BTreeSet<&Path>> = self
            .edges
            .keys()
            .map(|file| (file.as_path(), self.reachable(file)))
            .collect();
        self.edges()
            .filter(|(file, named)| reach.get(named).is_some_and(|far| far.contains(file)))
            .map(|(file, named)| format!("{} names {}", file.display(), named.display()))
            .collect()
    }

    fn reachable<'a>(&'a self, from: &'a Path) -> BTreeSet<&'a Path> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for named in self.edges.get(file).into_iter().flatten() {
                if reached.insert(named.as_path()) {
                    open.push(named);
                }
            }
        }
        reached
    }

    /// Absolute paths that a file names; re-exports only define aliases.
    fn paths_in(&mut self, module: &ModulePath, text: &str) -> Vec<(ModulePath, bool)> {
        let mut paths = Vec::new();
        for captures in USE.captures_iter(text) {
            let is_import = captures.get(1).is_none();
            for (path, alias) in leaves(&captures[2]) {
                let Some(mut target) = self.absolute(module, &path) else {
                    continue;
                };
                if target.last().is_some_and(|last| last == "self") {
                    target.pop();
                }
                let name = alias.or_else(|| target.last().cloned());
                let is_itself = name
                    .as_ref()
                    .is_some_and(|name| target.split_last() == Some((name, module.as_slice())));
                if let Some(name) = name.filter(|_| !is_itself) {
                    let names = self.aliases.entry(module.clone()).or_default();
                    names.insert(name, target.clone());
                }
                paths.push((target, is_import));
            }
        }
        let rest = USE.replace_all(text, "");
        for captures in PATH.captures_iter(&rest) {
            let path: Vec<String> = captures[1].split("::").map(str::to_owned).collect();
            paths.extend(self.absolute(module, &path).map(|target| (target, true)));
        }
        paths
    }

    /// The path from the crate's root; `None` for other crates and for what an import names.
    fn absolute(&self, module: &ModulePath, path: &[String]) -> Option<ModulePath> {
        let mut base = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|first| first == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            child => {
                let mut inner = module.clone();
                inner.push(child.to_owned());
                if !self.files.contains_key(&inner) {
                    return None;
                }
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// Follows modules and re-exports as far as they lead.
    fn defining_file(&self, path: &ModulePath) -> &PathBuf {
        let mut path = path.clone();
        for _ in 0..20 {
            let depth = (0..=path.len())
                .rev()
                .find(|depth| self.files.contains_key(&path[..*depth]))
                .expect("lib.rs has the empty path");
            let module = &path[..depth];
            let alias = path
                .get(depth)
                .and_then(|name| self.aliases.get(module)?.get(name));
            match alias {
                Some(target) => {
                    let mut next = target.clone();
                    next.extend_from_slice(&path[depth + 1..]);
                    path = next;
                }
                None => return &self.files[module],
            }
        }
        unreachable!("{path:?} is re-exported in a circle");
    }
}

pub(crate) fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "tests" || name == "tests.rs" || name.starts_with("test_builders")
    })
}

/// `store/receive/mod.rs` gives `store::receive`; `lib.rs` gives the root.
fn module_path(path: &Path) -> ModulePath {
    let text = path.to_string_lossy().replace('\\', "/");
    let text = text.trim_end_matches(".rs").trim_end_matches("/mod");
    if text == "lib" {
        return Vec::new();
    }
    text.split('/').map(str::to_owned).collect()
}

/// `a::{b, c::d as e}` gives `a::b` and (`a::c::d`, `e`).
fn leaves(body: &str) -> Vec<(Vec<String>, Option<String>)> {
    let (prefix, group) = match body.split_once('{') {
        Some((prefix, group)) => (prefix.trim(), group.trim().trim_end_matches('}')),
        None => ("", body),
    };
    assert!(!group.contains('{'), "nested braces in `use {body}`");
    group
        .split(',')
        .map(str::trim)
        .filter(|leaf| !leaf.is_empty())
        .map(|leaf| {
            let (path, alias) = match leaf.split_once(" as ") {
                Some((path, alias)) => (path, Some(alias.trim().to_owned())),
                None => (leaf, None),
            };
            let path = format!("{prefix}{path}");
            let segments = path.split("::").map(|part| part.trim().to_owned());
            (segments.collect(), alias)
        })
        .collect()
}

//! The names that a text may use. They are fixed, so that a wrong one is found when the rules are
//! loaded; the values are filled in by the caller of [`super::Template::render`].

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Names that a text may use beside [`NAMES`] and [`OPEN`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// Named groups of patterns, under `match`.
    pub captures: &'a [String],
    /// Whole groups: answers of a flow, results of an action.
    pub roots: &'a [String],
    /// Fields that the rules set, under `contact.fields`; `None` if they are not known.
    pub fields: Option<&'a BTreeSet<String>>,
    /// Answers that are more than texts, in expressions.
    pub types: &'a [(String, ValueType)],
}

/// Type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A number.
    Number,
    /// A date, as `2026-12-24`.
    Date,
    /// A time of day, as `09:00`.
    Time,
}

impl Scope<'_> {
    /// Whether a text may use a name. A whole group (`order`) counts: texts check its presence.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let below = |group: &str, name: &str| {
            name.strip_prefix(group)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if let Some(field) = name.strip_prefix("contact.fields.") {
            let field = field.split('.').next().unwrap_or(field);
            return self.fields.is_none_or(|fields| fields.contains(field));
        }
        name == HOURS_OPEN_AT
            || NAMES.iter().any(|known| below(name, known))
            || below("contact.fields", name)
            || self.roots.iter().any(|root| below(root, name))
            || OPEN.iter().any(|open| below(open, name))
            || name
                .strip_prefix("match.")
                .is_some_and(|group| self.captures.iter().any(|capture| capture == group))
    }
}

/// Variables of every message, without the named groups of patterns.
pub static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = GROUPS.iter().flat_map(|(group, keys)| {
        let keys = keys.split(' ');
        keys.map(move |key| format!("{group}.{key}"))
    });
    SINGLE.map(str::to_owned).into_iter().chain(names).collect()
});

/// Method of the group `hours`: `hours.open_at(day, time)`.
pub(crate) const HOURS_OPEN_AT: &str = "hours.open_at";

/// Variables without a group.
const SINGLE: [&str; 3] = ["language", "now", "today"];

/// Groups of variables with their keys.
const GROUPS: [(&str, &str); 12] = [
    ("bot", "name"),
    ("hours", "open next_open next_open_at next_close"),
    (
        "contact",
        "name first_name phone username country language tags",
    ),
    ("message", "text type filename mime_type forwarded emoji"),
    ("button", "id title"),
    ("location", "latitude longitude name address"),
    ("card", "name phone email company"),
    ("order", "items text catalog total currency"),
    ("quoted", "text by id"),
    (
        "ad",
        "id type headline text link media media_type ctwa_clid",
    ),
    ("product", "id catalog"),
    ("error", "code title details"),
];

/// Groups whose keys depend on the message and are not checked: the answers of a form, and lists.
pub const OPEN: [&str; 3] = ["form", "cards", "order.items"];

/// First part of every name; steps of flows and saved results must not have these names.
pub fn groups() -> impl Iterator<Item = &'static str> {
    let groups = GROUPS.iter().map(|(group, _)| *group);
    let others = ["form", "cards", "match", "answer", "loop"];
    groups.chain(SINGLE).chain(others)
}

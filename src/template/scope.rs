//! The names that a text may use. They are fixed, so that a wrong one is found when the rules are
//! loaded; the values are filled in by the caller of [`super::Template::render`].

use std::collections::BTreeSet;

/// Names that a text may use beside [`NAMES`] and [`OPEN`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// Named groups of patterns, under `match`.
    pub captures: &'a [String],
    /// Whole groups: answers of a flow, results of an action.
    pub roots: &'a [String],
    /// Fields that the rules set, under `contact.fields`; `None` if they are not known.
    pub fields: Option<&'a BTreeSet<String>>,
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
        NAMES.iter().any(|known| below(name, known))
            || below("contact.fields", name)
            || self.roots.iter().any(|root| below(root, name))
            || OPEN.iter().any(|open| below(open, name))
            || name
                .strip_prefix("match.")
                .is_some_and(|group| self.captures.iter().any(|capture| capture == group))
    }
}

/// Variables of every message, without the named groups of patterns.
pub const NAMES: [&str; 46] = [
    "bot.name",
    "language",
    "now",
    "today",
    "hours.open",
    "hours.next_open",
    "hours.next_open_at",
    "hours.next_close",
    "contact.name",
    "contact.first_name",
    "contact.phone",
    "contact.username",
    "contact.country",
    "contact.language",
    "contact.tags",
    "message.text",
    "message.type",
    "message.filename",
    "message.mime_type",
    "message.forwarded",
    "message.emoji",
    "button.id",
    "button.title",
    "location.latitude",
    "location.longitude",
    "location.name",
    "location.address",
    "card.name",
    "card.phone",
    "card.email",
    "card.company",
    "order.items",
    "order.text",
    "order.catalog",
    "order.total",
    "order.currency",
    "ad.id",
    "ad.type",
    "ad.headline",
    "ad.text",
    "ad.link",
    "product.id",
    "product.catalog",
    "error.code",
    "error.title",
    "error.details",
];

/// Groups whose keys depend on the message and are not checked: the answers of a form, and lists.
pub const OPEN: [&str; 3] = ["form", "cards", "order.items"];

/// First part of every name; steps of flows and saved results must not have these names.
pub fn groups() -> impl Iterator<Item = &'static str> {
    let names = NAMES.iter().chain(&OPEN);
    let first = |name: &&'static str| name.split('.').next().unwrap_or(name);
    names
        .map(first)
        .chain(["match", "contact", "answer", "loop"])
}
